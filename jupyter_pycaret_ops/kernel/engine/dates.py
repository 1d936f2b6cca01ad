"""Recognise texts that are dates, and in which form they are written."""

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
    # where both fit, the American order wins, as in pandas; the event says which one was taken
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
_FORMS = (
    "ISO8601",
    *(day + clock for day in _DAYS for clock in ("", " %H:%M", " %H:%M:%S")),
)
#: so many different texts are looked at before all of them are
_SAMPLE = 40


def detect_format(texts: Sequence[str]) -> str | None:
    """The form in which all of `texts` are dates ("ISO8601" or one for `strptime`), or None.

    `texts` are the different values of a column, without missing ones.
    """
    import pandas as pd

    if not texts or not all(_LOOKS_LIKE_DATE.match(text) for text in texts[:_SAMPLE]):
        return None
    series = pd.Series(list(texts), dtype="str")
    for form in _FORMS:
        # the head first: most forms fail there
        for part in (series[:_SAMPLE], series):
            read = pd.to_datetime(part, format=form, errors="coerce", utc=True)
            if read.isna().any():
                break
        else:
            return form
    return None
