"""Detect the date format of texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLOCK = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?"
_LOOKS_LIKE_DATE = re.compile(
    rf"\s*(?:\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}"
    rf"|\d{{1,2}}/\d{{1,2}}/\d{{2}}|\d{{1,2}}[- ][A-Za-z]{{3,9}}[- ]\d{{4}}){_CLOCK}\s*\Z"
)
_DAYS = (
    "%Y/%m/%d",
    # where both fit, month first wins, as in pandas; the event reports the format
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d-%B-%Y",
    "%d %B %Y",
    "%m/%d/%y",
    "%d/%m/%y",
)
_FORMATS = (
    "ISO8601",
    *(day + clock for day in _DAYS for clock in ("", " %H:%M", " %H:%M:%S")),
)
#: number of texts checked before all are
_SAMPLE = 40


def detect_format(texts: Sequence[str]) -> str | None:
    """Return the format in which all of `texts` are dates, or None.

    `texts` are the distinct values of a column without missing ones. The format is "ISO8601" or one for
    `strptime`.
    """
    import pandas as pd

    if not texts or not all(_LOOKS_LIKE_DATE.match(text) for text in texts[:_SAMPLE]):
        return None
    series = pd.Series(list(texts), dtype="str")
    for date_format in _FORMATS:
        # the head first: most formats fail there
        for texts_read in (series[:_SAMPLE], series):
            parsed = pd.to_datetime(texts_read, format=date_format, errors="coerce", utc=True)
            if parsed.isna().any():
                break
        else:
            return date_format
    return None
