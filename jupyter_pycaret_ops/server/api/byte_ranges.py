"""Byte ranges of a download (RFC 9110, section 14)."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=\s*([0-9]*)\s*-\s*([0-9]*)\s*")
#: more digits than any file has; `int` refuses thousands of them
_MOST_DIGITS = 18


class Unsatisfiable(Exception):
    """The range lies outside of the file."""


def requested(header: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last that `Range` asks for; None for the whole file.

    A header that is not understood, or asks for several ranges, is passed over, as the RFC allows.

    Raises
    ------
    Unsatisfiable
        When no byte of the file is in the range.
    """
    match = _ONE_RANGE.fullmatch(header) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        begin, end = max(0, size - _number(match[2])), size
    else:
        begin = _number(match[1])
        if match[2] and _number(match[2]) < begin:
            return None
        end = min(size, _number(match[2]) + 1) if match[2] else size
    if begin >= end:
        raise Unsatisfiable
    return begin, end


def _number(digits: str) -> int:
    """The number, or one beyond the end of any file."""
    digits = digits.lstrip("0")
    return 10**_MOST_DIGITS if len(digits) > _MOST_DIGITS else int(digits or "0")
