"""How durations are spelled, and what such a text means."""

from __future__ import annotations

import re

from .number_spelling import parse_number

_HOURS_MINUTES_SECONDS = (
    r"(?P<hours>\d{1,6}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:[.,]\d{1,9})?)"
)
_CLOCK_DURATION = re.compile(
    rf"(?P<sign>[-+])?(?:(?P<days>\d{{1,8}}) ?d(?:ays?)?(?P<join>, ?| \+| ))?{_HOURS_MINUTES_SECONDS}"
)
_WORD_DURATION = re.compile(
    r"(?P<sign>[-+])?(?:\d{1,8}(?:\.\d{1,9})? ?"
    r"(?:weeks?|days?|hours?|hrs?|minutes?|mins?|seconds?|secs?)\b\.?(?:,? (?:and )?(?=\d)|$))+"
)
_WORDS_OF_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(w|d|h|m|s)")
_SECONDS = {"w": 604_800.0, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_ISO_DURATION = re.compile(
    r"P(?=[\dT])(?:(\d{1,8})D)?(?:T(?=\d)(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?)?"
)


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration, None for other texts.

    `1:30:00`, `2 days`, `1 days 02:00:00`, `2 hours 30 minutes`, `PT1H30M`; as Python and pandas write negative
    ones, `-1 day, 23:00:00` and `-1 days +23:00:00` are an hour before nothing.
    """
    if match := _CLOCK_DURATION.fullmatch(text):
        days = 86_400.0 * int(match["days"] or 0)
        clock = 3_600.0 * int(match["hours"]) + 60.0 * int(match["minutes"])
        clock += float(match["seconds"].replace(",", "."))
        if match["sign"] != "-":
            return days + clock
        return clock - days if (match["join"] or " ") != " " else -(days + clock)
    if match := _WORD_DURATION.fullmatch(text):
        seconds = sum(
            float(number) * _SECONDS[unit] for number, unit in _WORDS_OF_DURATION.findall(text)
        )
        return -seconds if match["sign"] == "-" else seconds
    if match := _ISO_DURATION.fullmatch(text):
        parts = zip(match.groups(), (86_400.0, 3_600.0, 60.0, 1.0), strict=True)
        return sum(float(number or 0) * unit for number, unit in parts)
    return None


def seconds_of(text: str) -> float | None:
    """Return the seconds of a duration or of a plain number of them, None for other texts."""
    found = parse_duration(text)
    if found is None and (number := parse_number(text)) is not None:
        return number.value
    return found
