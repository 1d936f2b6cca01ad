"""Infer column types from a sample of texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A", "n/a", "<NA>"})
_INTEGER = re.compile(r"\s*[+-]?\d{1,18}\s*")
_BOOLEAN = frozenset({"true", "false"})
#: common date formats besides ISO 8601
_DATE_FORMATS = ("%Y/%m/%d", "%m/%d/%Y", "%d.%m.%Y", "%d/%m/%Y", "%Y-%m", "%b %Y", "%d-%b-%Y")
MAX_SAMPLE_VALUES = 2_000


def infer_type(values: Iterable[str]) -> str:
    """Return the column type of texts: `integer`, `number`, `boolean`, `string` or `datetime`.

    Missing values are ignored; a column without values is `string`.
    """
    present: list[str] = []
    for value in values:
        if value not in MISSING:
            present.append(value)
            if len(present) >= MAX_SAMPLE_VALUES:
                break
    if not present:
        return "string"
    if all(_INTEGER.fullmatch(value) for value in present):
        return "integer"
    if all(_is_number(value) for value in present):
        return "number"
    if all(value.strip().lower() in _BOOLEAN for value in present):
        return "boolean"
    if all(is_datetime(value) for value in present):
        return "datetime"
    return "string"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def is_datetime(text: str) -> bool:
    """Return whether a text is a date or time in ISO 8601 or another common format."""
    text = text.strip()
    if not any(character.isdigit() for character in text) or len(text) < 6:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return any(_matches_format(text, date_format) for date_format in _DATE_FORMATS)
    return True


def _matches_format(text: str, date_format: str) -> bool:
    try:
        datetime.strptime(text, date_format)
    except ValueError:
        return False
    return True
