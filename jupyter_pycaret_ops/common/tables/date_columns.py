"""Decide whether a column of texts holds dates, in which order day and month stand, and in which offset they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from . import spellings
from .column_cells import (
    JSON,
    ColumnReading,
    Hints,
    Texts,
    is_enough,
    leave_out,
    name_words,
    read_texts,
    report_unreadable,
    split_missing,
)

_DATE_WORDS = frozenset(
    [
        "date",
        "dates",
        "day",
        "days",
        "datum",
        "dt",
        "time",
        "timestamp",
        "month",
        "period",
        "fecha",
        "jour",
        "ymd",
        "yyyymmdd",
        "dob",
    ]
)


def read_date_of_digits(column: Texts, hints: Hints) -> ColumnReading | None:
    """Return the reading of dates such as `20230102`, and `2018` for the time of a series, which are no numbers."""
    lengths = (8, 4) if hints.allow_year else (8,)
    values, _ = split_missing(column, hints, is_text=False)
    found = sum(n for text, n in values.items() if len(text) in lengths and text.isdecimal())
    if not is_enough(found, sum(values.values()) - found):
        return None
    return read_date(column, hints)


def read_date(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    """Return the reading of a column of dates, None for others; `is_forced` : a person says that they are."""
    found = recognise_dates(column, hints, is_forced=is_forced)
    if found is None:
        return None
    reading, distinct = found
    leave_out(reading, distinct, column, hints)
    return reading


def recognise_dates(
    column: Texts, hints: Hints, *, is_forced: bool = False
) -> tuple[ColumnReading, set[datetime]] | None:
    """Return the reading of a column of dates as if nothing were left out, and its different times."""
    values, words = split_missing(column, hints, is_text=False)
    if not values:
        return None
    day_first, is_ambiguous = _day_first(values, hints)
    is_compact = (
        is_forced or hints.allow_year or _is_called_date(column.name) or _are_compact(values)
    )

    spelling: JSON = {
        "day_first": day_first,
        "compact": is_compact,
        "year": hints.allow_year or is_forced,
        "format": hints.date_format,
    }

    def parse(text: str) -> spellings.Date | None:
        return spellings.date_of(text, spelling)

    found = read_texts(column, values, words, "date", parse, is_forced=is_forced)
    if found is None:
        return None
    reading, parsed = found
    offsets = Counter[int | None]()
    for text, date in parsed.items():
        offsets[date.offset] += values[text]
    offset = _offset(reading, offsets)
    reading.spelling = {**spelling, "offset": offset}
    is_ambiguous = is_ambiguous and hints.date_format is None
    _report_dates(reading, values, parsed, is_ambiguous=is_ambiguous)
    report_unreadable(reading, "date")
    return reading, {spellings.in_offset(date, offset) for date in parsed.values()}


def _is_called_date(name: str) -> bool:
    words = name_words(name)
    return bool(words & _DATE_WORDS) or any(word.endswith("date") for word in words)


def _are_compact(values: Iterable[str]) -> bool:
    """Return whether all texts are dates of eight digits in the years 1900 to 2099."""
    return all(
        len(text) == 8
        and text[:2] in ("19", "20")
        and spellings.parse_date(text, allow_compact=True) is not None
        for text in values
    )


def _day_first(values: Mapping[str, int], hints: Hints) -> tuple[bool | str, bool]:
    """Return with which separators the day stands first in dates of three numbers, and whether that is a guess.

    True or False where it is the same for all separators, else the separators (see `parse_date`).
    """
    votes: dict[str, Counter[bool]] = {}
    is_open: set[str] = set()
    for text, count in values.items():
        parts = spellings.day_and_month(text)
        if parts is None:
            continue
        first, second, separator = parts
        cast = votes.setdefault(separator, Counter())
        if first > 12 or second > 12:
            cast[first > 12] += count
        elif first != second:
            is_open.add(separator)
    all_votes = sum(votes.values(), Counter[bool]())
    day_first: set[str] = set()
    is_guess = False
    for separator, own in votes.items():
        # dates with the same separator decide, else the other dates; with points, the day stands first
        decisive = own or (all_votes if separator != "." else own)
        if decisive:
            is_day_first = decisive[True] > decisive[False]
        else:
            is_day_first = separator == "." or hints.day_first
        is_sure = bool(decisive) and not (decisive[True] and decisive[False])
        is_guess = is_guess or (separator in is_open and not is_sure)
        if is_day_first:
            day_first.add(separator)
    if not votes:
        return hints.day_first, False
    if day_first and day_first != set(votes):
        return "".join(sorted(day_first)), is_guess
    return bool(day_first), is_guess


def _offset(reading: ColumnReading, offsets: Counter[int | None]) -> int | None:
    """Return the offset in which the times of a column are kept, and report it."""
    given = {offset for offset in offsets if offset is not None}
    if not given:
        return None
    if len(given) == 1:
        (offset,) = given
        if offset:
            reading.report(
                "offset", f"{reading.name}: local times; the offset {offset_text(offset)} is kept."
            )
        _report_without_offset(reading, offsets[None], offset)
        return offset
    shown = ", ".join(offset_text(offset) for offset in sorted(given)[:3])
    reading.report(
        "offsets", f"{reading.name}: times with several offsets ({shown}) are converted to UTC."
    )
    _report_without_offset(reading, offsets[None], 0)
    return 0


def _report_without_offset(reading: ColumnReading, n_without: int, offset: int) -> None:
    if n_without:
        reading.report(
            "without_offset",
            f"{reading.name}: {n_without:,} cells have no offset and are read in {offset_text(offset)}.",
            n_without,
        )


def offset_text(minutes: int) -> str:
    """Return an offset from UTC as in ISO 8601: `-05:00`."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _report_dates(
    reading: ColumnReading,
    values: Mapping[str, int],
    parsed: Mapping[str, Any],
    *,
    is_ambiguous: bool,
) -> None:
    by_spelling: dict[str, list[str]] = {}
    for text, found in parsed.items():
        by_spelling.setdefault(found.spelling, []).append(text)
    reading.recognised_as = "dates, " + " and ".join(by_spelling)
    if len(by_spelling) > 1:
        shown = "; ".join(
            f"{spelling} such as “{texts[0]}” ({sum(values[t] for t in texts):,})"
            for spelling, texts in by_spelling.items()
        )
        reading.report(
            "several_spellings", f"{reading.name}: dates are written in several ways: {shown}."
        )
    example = next((text for text in parsed if _is_open(text)), None) if is_ambiguous else None
    if example is not None:
        order = parsed[example].spelling.partition(",")[0]
        reading.report(
            "ambiguous_date",
            f"{reading.name}: day and month may be swapped; “{example}” is read {order}. "
            "Name a format in date_features if that is wrong.",
        )


def _is_open(text: str) -> bool:
    """Return whether day and month of a date can be swapped."""
    parts = spellings.day_and_month(text)
    return parts is not None and max(parts[:2]) <= 12 and parts[0] != parts[1]
