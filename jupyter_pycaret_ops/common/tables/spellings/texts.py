"""Texts of cells: without the blanks around them, with the digits 0 to 9, and values as texts."""

from __future__ import annotations

import json
from typing import Any

#: blanks in numbers and around cells: space, no-break, figure, thin, narrow no-break, ideographic space
BLANKS = " \t\u00a0\u2007\u2009\u202f\u3000"
#: other signs around cells that are not seen: line ends, byte-order mark, zero-width space
UNSEEN = BLANKS + "\r\n\v\f\ufeff\u200b"


def text_of(value: Any) -> str:
    """Return one value of a text column as text; `1`, `1.0` and `"1"` are the same category."""
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "tolist") and getattr(getattr(value, "dtype", None), "kind", "") not in "mM":
        value = value.tolist()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        if isinstance(value, (set, frozenset)):
            value = sorted(value, key=str)
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return str(value)


def trimmed(text: str) -> str:
    """Return a text without the blanks around it."""
    return text.strip(UNSEEN)


def folded(text: str) -> str:
    """Return what texts that differ by case and blanks only have in common."""
    return " ".join(text.split()).casefold()


def with_ascii_digits(text: str) -> str:
    """Return a text with the digits of other scripts as 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        str(int(sign)) if sign.isdecimal() and not sign.isascii() else sign for sign in text
    )
