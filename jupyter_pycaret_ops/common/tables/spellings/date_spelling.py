"""How dates and times are spelled, and what such a text means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

#: the numbers that a date is expanded to; `days` counts whole days since 1970
DATE_PARTS = ("year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "days")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}
_ZONE = r"(?: ?(?P<zone>[Zz]|(?:UTC|GMT)?[+-]\d{2}:?\d{2}|[+-]\d{2}|UTC|GMT))?"
_CLOCK = (
    r"(?:(?:[Tt]|,? {1,2})(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>[.,]\d{1,9})?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?" + _ZONE
)
_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_THREE_NUMBERS = re.compile(
    rf"(?P<a>\d{{1,2}})(?P<sep>[/.-])(?P<b>\d{{1,2}})(?P=sep)(?P<year>\d{{4}}|\d{{2}}){_CLOCK}"
)
_ISO = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}}){_CLOCK}")
#: what is fixed in a spelling, and its regular expression, by what the text begins with
_YEAR_FIRST: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ISO 8601", _ISO),
    (
        "year first",
        re.compile(
            rf"(?P<year>\d{{4}})(?P<sep>[/.])(?P<month>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}}){_CLOCK}"
        ),
    ),
    ("year-month", re.compile(r"(?P<year>[12]\d{3})[-/Mm](?P<month>\d{1,2})")),
    ("quarter", re.compile(r"(?P<year>\d{4})[- ]?[Qq](?P<quarter>[1-4])")),
    (
        "ISO 8601",
        re.compile(
            r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})T"
            rf"(?P<hour>\d{{2}})(?P<minute>\d{{2}})(?P<second>\d{{2}})?(?P<fraction>[.,]\d{{1,9}})?{_ZONE}"
        ),
    ),
    ("ISO week", re.compile(r"(?P<year>\d{4})-?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?")),
)
_DAY_FIRST: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("numbers", _THREE_NUMBERS),
    (
        "day month year",
        re.compile(
            rf"(?P<day>\d{{1,2}})(?:[-/ ]|\. ?)?{_NAME},?[-/ ]?(?P<year>\d{{4}}|\d{{2}}){_CLOCK}"
        ),
    ),
    ("month/year", re.compile(r"(?P<month>\d{1,2})[-/](?P<year>(?:19|20)\d{2})")),
)
_NAME_FIRST: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "month day, year",
        re.compile(rf"{_NAME}[-/ ](?P<day>\d{{1,2}})(?:, ?|[-/ ])(?P<year>\d{{4}}){_CLOCK}"),
    ),
    ("month year", re.compile(rf"{_NAME},?[-/ ](?P<year>\d{{4}})")),
    ("quarter", re.compile(r"[Qq](?P<quarter>[1-4])[- /]?(?P<year>\d{4})")),
)
_WEEKDAY = re.compile(
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? +", re.IGNORECASE
)
_COMPACT = re.compile(r"(?P<year>1[5-9]\d{2}|2[0-2]\d{2})(?P<month>\d{2})(?P<day>\d{2})")
_YEAR = re.compile(r"(?P<year>1[5-9]\d{2}|2[0-2]\d{2})")
_RFC_2822 = re.compile(r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}(?::\d{2})? .+")


class Date:
    """A date: wall time without a zone, the offset from UTC in minutes (None without one), and the spelling."""

    __slots__ = ("offset", "spelling", "time")

    def __init__(self, time: datetime, offset: int | None, spelling: str) -> None:
        self.time = time
        self.offset = offset
        self.spelling = spelling


def day_and_month(text: str) -> tuple[int, int, str] | None:
    """Return the two numbers before the year of `31/01/2023`, and their separator; None for other texts."""
    match = _THREE_NUMBERS.fullmatch(text)
    return None if match is None else (int(match["a"]), int(match["b"]), match["sep"])


def parse_date(
    text: str,
    *,
    day_first: bool | str = False,
    allow_compact: bool = False,
    allow_year: bool = False,
    format: str | None = None,  # noqa: A002 - as in strptime
) -> Date | None:
    """Return the date that a text means, None where it means none; `text` has no blanks around it.

    `day_first` : how `01/02/2023` is read; a text is the separators (of `/`, `.` and `-`) with which the day stands
    first; a number over 12 decides for itself. `allow_compact` : take `20230102`. `allow_year` : take `2018`.
    `format` : for `strptime`; beside it ISO 8601 is read, in which answers are written.
    """
    if format:
        try:
            return _of_time(datetime.strptime(text, format), format)
        except (ValueError, re.error):
            match = _ISO.fullmatch(text)
            return None if match is None else _of_match(match, "ISO 8601")
    start = text[:4]
    if start.isdigit():
        if len(text) in (10, 19) and (found := _of_iso(text)) is not None:
            return found
        patterns = _YEAR_FIRST
        if allow_compact and (match := _COMPACT.fullmatch(text)):
            return _of_match(match, "YYYYMMDD")
        if allow_year and (match := _YEAR.fullmatch(text)):
            return _of_match(match, "year")
    elif start[:1].isdigit():
        patterns = _DAY_FIRST
    elif start[:1].isalpha():
        if weekday := _WEEKDAY.match(text):
            return _of_weekday(text, weekday.end())
        patterns = _NAME_FIRST
    else:
        return None
    return _of_patterns(text, patterns, day_first)


def _of_patterns(
    text: str, patterns: tuple[tuple[str, re.Pattern[str]], ...], day_first: bool | str = False
) -> Date | None:
    for spelling, pattern in patterns:
        match = pattern.fullmatch(text)
        if match is not None:
            return _of_match(match, spelling, day_first=day_first)
    return None


def _of_iso(text: str) -> Date | None:
    """Return the date of `2023-01-02` or `2023-01-02 08:00:00`, the spellings of most files; None for others."""
    if text[4] != "-" or text[7] != "-" or not text.isascii():
        return None
    if len(text) == 19 and (text[10] not in "T " or text[13] != ":" or text[16] != ":"):
        return None
    try:
        return Date(datetime.fromisoformat(text), None, "ISO 8601")
    except ValueError:
        return None


def _of_weekday(text: str, begin: int) -> Date | None:
    """Return the date of a text with a day of the week before `begin`."""
    if _RFC_2822.fullmatch(text):
        try:
            return _of_time(parsedate_to_datetime(text), "RFC 2822")
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    rest = text[begin:]
    found = _of_patterns(rest, _DAY_FIRST[1:2] if rest[:1].isdigit() else _NAME_FIRST[:1])
    return None if found is None else Date(found.time, found.offset, f"weekday, {found.spelling}")


def _of_match(match: re.Match[str], spelling: str, *, day_first: bool | str = False) -> Date | None:
    parts = match.groupdict()
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 2000 if year < 69 else 1900  # as `%y` of strptime
    month, day = int(parts.get("month") or 1), int(parts.get("day") or 1)
    if "a" in parts:
        first, second, sep = int(parts["a"]), int(parts["b"]), parts["sep"]
        wants = day_first if isinstance(day_first, bool) else sep in day_first
        is_day_first = first > 12 or (wants and second <= 12)
        day, month = (first, second) if is_day_first else (second, first)
        spelling = f"{'day' if is_day_first else 'month'} first, {sep}"
    elif parts.get("name"):
        month = _MONTHS.get(parts["name"].lower(), 0)
    elif parts.get("quarter"):
        month = 3 * int(parts["quarter"]) - 2
    hour, minute, second = (int(parts.get(part) or 0) for part in ("hour", "minute", "second"))
    if parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["half"] in "Pp" else 0)
    micros = int(((parts.get("fraction") or ".0")[1:7]).ljust(6, "0"))
    is_midnight = hour == 24 and not (minute or second or micros)  # the end of a day
    try:
        if parts.get("week"):
            time = datetime.fromisocalendar(year, int(parts["week"]), int(parts["weekday"] or 1))
        else:
            time = datetime(year, month, day, 0 if is_midnight else hour, minute, second, micros)
        if is_midnight:
            time += timedelta(days=1)
        return Date(time, _offset_of(parts.get("zone")), spelling)
    except (ValueError, OverflowError):
        return None


def _offset_of(zone: str | None) -> int | None:
    """Return the minutes of an offset from UTC: `+02:00` → 120; ValueError for one that cannot be."""
    if zone is None:
        return None
    digits = zone.removeprefix("UTC").removeprefix("GMT").replace(":", "")
    if digits in ("", "Z", "z"):
        return 0
    hours, minutes = int(digits[1:3]), int(digits[3:] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError("no offset from UTC")
    return (-1 if digits[0] == "-" else 1) * (60 * hours + minutes)


def _of_time(time: datetime, spelling: str) -> Date:
    offset = time.utcoffset()
    minutes = None if offset is None else round(offset.total_seconds() / 60)
    return Date(time.replace(tzinfo=None), minutes, spelling)


def in_offset(found: Date, offset: int | None) -> datetime:
    """Return the wall time of a date in the column's offset; a date without its own is in it already."""
    if found.offset is None or offset is None or found.offset == offset:
        return found.time
    try:
        return found.time + timedelta(minutes=offset - found.offset)
    except OverflowError:  # 9999-12-31 and the like, which mean "for ever"
        return found.time


def with_offset(time: datetime, offset: int | None) -> str:
    """Return a wall time as ISO 8601 text with the column's offset, if it has one."""
    if offset is None:
        return time.isoformat()
    zone = UTC if offset == 0 else timezone(timedelta(minutes=offset))
    return time.replace(tzinfo=zone).isoformat()


def date_of_value(value: Any) -> Date | None:
    """Return the date of a datetime, date, Timestamp, datetime64 or Period; None for other values and NaT."""
    if value is None or value != value:  # NaT
        return None
    if hasattr(value, "start_time"):  # a Period
        value = value.start_time
    elif getattr(getattr(value, "dtype", None), "kind", "") == "M":
        value = value.astype("datetime64[us]").tolist()
    if isinstance(value, datetime):
        return _of_time(value, "value")
    if isinstance(value, date):
        return Date(datetime(value.year, value.month, value.day), None, "value")
    return None


def date_of(text: str, spelling: Mapping[str, Any]) -> Date | None:
    """Return the date that a cell means in the spelling of its column, None where it means none."""
    return parse_date(
        text,
        day_first=spelling.get("day_first") or False,
        allow_compact=bool(spelling.get("compact")),
        allow_year=bool(spelling.get("year")),
        format=spelling.get("format"),
    )
