"""Decide how a column of texts is read: its type, its spelling, which cells are missing and which unreadable.

The rules are those of the page "How your table is read". Decisions are made over all rows, from the distinct texts
of a column and how often each occurs. For every column `values + missing + unreadable = rows`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from . import spellings

JSON = dict[str, Any]

TYPES = (
    "number",
    "boolean",
    "category",
    "ordinal",
    "text",
    "date",
    "duration",
    "identifier",
    "constant",
    "empty",
)
#: types of columns that are left out of training
LEFT_OUT = frozenset({"identifier", "constant", "empty"})
#: share of the cells that must be readable as numbers, dates or durations, in percent
READABLE_PERCENT = 95
#: words of a cell on average from which on text is free
FREE_TEXT_WORDS = 4
MAX_EXAMPLES = 5
#: distinct texts of a column that are looked at for the decimal separator of the file
_MAX_VOTES = 20_000
_NAME_PART = re.compile(r"[^\W\d_]+")
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
#: words for missing values that may be levels of a text column, and are reported there
_LEVELS_LIKE_MISSING = frozenset({"none", "na", "-", "?", "nil", "n/a", "missing", "--", "."})
#: the words for missing values in every mixture of capitals and small letters: a few hundred
_MISSING_IN_ANY_CASE = frozenset(
    "".join(letters)
    for word in spellings.MISSING_WORDS
    for letters in product(*({letter.lower(), letter.upper()} for letter in word))
)


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts: each distinct text without blanks around it, its count, and the first row it is in."""

    name: str
    counts: Mapping[str, int]
    n_rows: int
    #: text → rows (from 0) in which it stands first
    first_rows: Mapping[str, int]
    #: rows whose cell is null, beside those with an empty text
    n_null: int = 0
    #: cells that had blanks around them
    n_trimmed: int = 0
    #: texts as they stand in the file, with blanks, where these differ: they are the labels of a target
    labels: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """What the file says where a column allows several readings."""

    #: decimal separator of other columns, or of files with this delimiter; None when nothing says so
    decimal: str | None = None
    day_first: bool = False
    #: the column's own words for missing values, in place of the rules
    missing_words: frozenset[str] | None = None
    #: format for `strptime`, given by the user
    date_format: str | None = None
    #: take `2018` as a date: the time of a series
    allow_year: bool = False
    #: the column is the target: labels are kept, whatever they are
    is_target: bool = False
    #: the column is used although it looks like an identifier
    keeps_identifier: bool = False
    #: levels of an ordinal column, as texts
    levels: tuple[str, ...] | None = None


@dataclass(slots=True)
class ColumnReading:
    """How a column is read, with the counts of its cells."""

    name: str
    type: str
    values: int = 0
    missing: int = 0
    #: words for missing values → how often they occur
    missing_words: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    #: up to five unreadable cells: `{row, text}`, rows from 1 as without a header
    examples: list[JSON] = field(default_factory=list)
    #: parameters of the parser: decimal, thousands · day_first, compact, year, format, offset · true, false · levels
    spelling: JSON = field(default_factory=dict)
    recognised_as: str = ""
    reported: list[JSON] = field(default_factory=list)
    set_by_person: bool = False
    #: distinct values
    distinct: int = 0

    def report(self, code: str, message: str, count: int | None = None) -> None:
        """Add a sentence about what was read in another way than it stands in the file."""
        item: JSON = {"code": code, "column": self.name, "message": message}
        if count is not None:
            item["count"] = count
        self.reported.append(item)

    def to_json(self) -> JSON:
        """Return type and counts, as in the snapshot of a run."""
        return {
            "type": self.type,
            "values": self.values,
            "missing": self.missing,
            "unreadable": self.unreadable,
        }


def decide(column: Texts, hints: Hints = Hints(), forced: str | None = None) -> ColumnReading:
    """Return how a column of texts is read; `forced` is the type that a person has set.

    A format or levels in `hints` set the type as well.
    """
    if forced is None:
        forced = "ordinal" if hints.levels is not None else "date" if hints.date_format else None
    if forced is not None:
        reading = _forced(column, hints, forced)
        reading.set_by_person = True
        return reading
    for attempt in (_empty, _boolean, _date_of_digits, _number, _date, _duration):
        found = attempt(column, hints)
        if found is not None:
            return found
    return _text(column, hints)


def decide_text(column: Texts, hints: Hints = Hints()) -> ColumnReading:
    """Return how a column is read that is text by its dtype (a pandas category), whatever the texts look like."""
    return _empty(column, hints) or _boolean(column, hints) or _text(column, hints)


def decimal_of(column: Texts) -> str | None:
    """Return the decimal separator that the numbers of a column show, `.` or `,`; None where none decides."""
    votes = Counter[str]()
    step = max(1, len(column.counts) // _MAX_VOTES)
    for place, (text, count) in enumerate(column.counts.items()):
        if place % step:
            continue
        digits = spellings.digits_of(text)
        if digits is None:
            if text and text not in _MISSING_IN_ANY_CASE:
                votes["none"] += count
            continue
        decimal, _, _ = spellings.separators_of(digits)
        if decimal is not None:
            votes[decimal] += count
        elif not spellings.is_code(digits):
            votes["any"] += count
    numbers = votes["."] + votes[","] + votes["any"]
    if votes["."] == votes[","] or not _is_enough(numbers, votes["none"]):
        return None
    return "." if votes["."] > votes[","] else ","


# ---------------------------------------------------------------- by type


def _split(
    column: Texts, hints: Hints, *, is_text: bool
) -> tuple[Mapping[str, int], dict[str, int]]:
    """Return the texts that are values, and the words that mean missing, with their counts."""
    counts = column.counts
    known: Iterable[str]
    if hints.missing_words is not None:
        known = map(spellings.trimmed, hints.missing_words)
    else:
        known = spellings.MISSING_TEXTS if is_text else _MISSING_IN_ANY_CASE
    names = {word for word in (*known, "") if word in counts}
    if (
        column.labels is counts
    ):  # blanks stay around labels, and not around words for missing values
        known = {*known, ""}
        names = {text for text in counts if spellings.trimmed(text) in known}
    if not names:
        return counts, {}
    words = {text: count for text, count in counts.items() if text in names}
    return {text: count for text, count in counts.items() if text not in names}, words


def _as_labels(column: Texts, hints: Hints) -> Texts:
    """Return the texts of a target as they stand in the file: labels keep the blanks around them."""
    if not hints.is_target or column.labels is None or column.labels is column.counts:
        return column
    return replace(column, counts=column.labels, n_trimmed=0)


def _reading(
    column: Texts, kind: str, values: Mapping[str, int], words: Mapping[str, int]
) -> ColumnReading:
    reading = ColumnReading(column.name, kind, sum(values.values()), distinct=len(values))
    reading.missing = sum(words.values()) + column.n_null
    reading.missing_words = {
        word: count for word, count in words.items() if spellings.trimmed(word)
    }
    if reading.missing_words:
        named = ", ".join(f"“{word}” ({count:,})" for word, count in reading.missing_words.items())
        reading.report(
            "missing_words",
            f"{column.name}: read as missing: {named}.",
            sum(reading.missing_words.values()),
        )
    if column.n_trimmed:
        reading.report(
            "blanks_trimmed",
            f"{column.name}: blanks around {column.n_trimmed:,} cells were removed.",
            column.n_trimmed,
        )
    return reading


def _empty(column: Texts, hints: Hints) -> ColumnReading | None:
    values, words = _split(column, hints, is_text=False)
    if values:
        return None
    kept, _ = _split(column, hints, is_text=True)
    if kept:  # a class that is called None
        return None
    reading = _reading(column, "empty", values, words)
    reading.recognised_as = "no cell has a value"
    return reading


def _boolean(column: Texts, hints: Hints) -> ColumnReading | None:
    column = _as_labels(column, hints)
    values, words = _split(column, hints, is_text=True)
    meaning = spellings.boolean_words(set(values)) if len(values) == 2 else None
    if meaning is None:
        return None
    return _of_booleans(_reading(column, "boolean", values, words), meaning)


def _of_booleans(reading: ColumnReading, meaning: Mapping[str, bool]) -> ColumnReading:
    words = {is_true: text for text, is_true in meaning.items()}
    reading.spelling = {"true": words.get(True, "true"), "false": words.get(False, "false")}
    reading.recognised_as = f"“{reading.spelling['true']}” and “{reading.spelling['false']}”"
    return reading


def _parsed(
    column: Texts,
    values: Mapping[str, int],
    words: Mapping[str, int],
    kind: str,
    parse: Callable[[str], Any],
    *,
    is_forced: bool,
) -> tuple[ColumnReading, dict[str, Any]] | None:
    """Return a reading and the parsed values by text; what `parse` answers None for is unreadable.

    None as soon as too many cells are unreadable, unless `is_forced`.
    """
    parsed: dict[str, Any] = {}
    unreadable: list[str] = []
    n_known, n_unreadable = sum(values.values()), 0
    for text, count in values.items():
        found = parse(text)
        if found is not None:
            parsed[text] = found
            continue
        unreadable.append(text)
        n_unreadable += count
        if not is_forced and not _is_enough(n_known - n_unreadable, n_unreadable):
            return None
    return _of_parsed(column, values, words, kind, unreadable), parsed


def _of_parsed(
    column: Texts,
    values: Mapping[str, int],
    words: Mapping[str, int],
    kind: str,
    unreadable: list[str],
) -> ColumnReading:
    reading = _reading(column, kind, values, words)
    reading.unreadable = sum(values[text] for text in unreadable)
    reading.values -= reading.unreadable
    unreadable.sort(key=lambda text: column.first_rows.get(text, 0))
    reading.examples = [
        {"row": column.first_rows.get(text, 0) + 1, "text": text}
        for text in unreadable[:MAX_EXAMPLES]
    ]
    return reading


def _is_enough(readable: int, unreadable: int) -> bool:
    """Return whether enough cells can be read, and at least one; in whole numbers, so that 95 % are 95 %."""
    return readable > 0 and 100 * readable >= READABLE_PERCENT * (readable + unreadable)


def _report_unreadable(reading: ColumnReading, what: str) -> None:
    if reading.unreadable:
        shown = ", ".join(f"“{item['text']}” (row {item['row']:,})" for item in reading.examples)
        reading.report(
            "unreadable",
            f"{reading.name}: {reading.unreadable:,} cells are no {what} and are read as missing: {shown}.",
            reading.unreadable,
        )


def _number(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    values, words = _split(column, hints, is_text=False)
    if not values:
        return None
    is_plain = spellings.PLAIN_NUMBER.fullmatch
    others = [text for text in values if is_plain(text) is None]
    digits = _digits(values, others, is_forced=is_forced)
    if digits is None or (not is_forced and _are_codes(values, others)):
        return None
    separators = _separators(values, digits, hints)
    decimal = separators.decimal

    def parse(text: str) -> spellings.Number | None:
        return spellings.parse_number(text, decimal, allow_codes=is_forced)

    # most numbers are plain, and a column may have millions of them
    distinct: set[float] = set()
    if decimal == ".":
        distinct.update(float(text) for text in values if is_plain(text) is not None)
        slow: Iterable[str] = others
    else:
        slow = values
    parsed = {text: number for text in slow if (number := parse(text)) is not None}
    reading = _of_parsed(
        column, values, words, "number", [text for text in slow if text not in parsed]
    )
    if not is_forced and not _is_enough(reading.values, reading.unreadable):
        return None
    distinct.update(number.value for number in parsed.values())
    reading.spelling = {"decimal": decimal, "thousands": separators.thousands}
    if is_forced and any(map(spellings.is_code, values)):
        reading.spelling["codes"] = True
    reading.recognised_as = "numbers"
    _report_numbers(reading, values, parsed, separators)
    _report_unreadable(reading, "number")
    _leave_out(reading, distinct, column, hints)
    return reading


def _digits(
    values: Mapping[str, int], others: Iterable[str], *, is_forced: bool
) -> dict[str, str] | None:
    """Return the digits and separators of those of `others` (texts that are no plain numbers) that are numbers.

    None as soon as too many cells are none in any spelling, unless `is_forced`.
    """
    digits: dict[str, str] = {}
    n_known, n_unreadable = sum(values.values()), 0
    for text in others:
        found = spellings.digits_of(text)
        if found is not None:
            digits[text] = found
        if found is None or spellings.is_code(found):
            n_unreadable += values[text]
            if not is_forced and not _is_enough(n_known - n_unreadable, n_unreadable):
                return None
    return digits


def _are_codes(values: Mapping[str, int], others: Iterable[str]) -> bool:
    """Return whether integers are codes of one width, of which some begin with 0: `90210`, `02110`."""
    if not any(text.isdecimal() and spellings.is_code(text) for text in others):
        return False
    widths = {len(text) for text in values if text.isdecimal()}
    n_digits = sum(count for text, count in values.items() if text.isdecimal())
    return len(widths) == 1 and _is_enough(n_digits, sum(values.values()) - n_digits)


@dataclass(slots=True)
class _Separators:
    """The separators of a column of numbers, and whether a text shows them."""

    decimal: str
    thousands: str | None
    #: a text that may be read in two ways, where only the file decides
    ambiguous: str | None = None
    is_decimal_seen: bool = False


def _separators(values: Mapping[str, int], digits: Mapping[str, str], hints: Hints) -> _Separators:
    """Return the separators of a column; `digits` are those of its texts that are no plain numbers."""
    default = hints.decimal or "."
    shown = dict(digits)
    if default != "." or any("," in text or "." in text for text in digits.values()):
        # else the point of plain numbers is the decimal point, without a look at them
        for text in values:
            if "." in text and spellings.PLAIN_NUMBER.fullmatch(text):
                shown[text] = spellings.digits_of(text) or ""
    votes, groups = Counter[str](), Counter[str]()
    ambiguous: dict[str, list[str]] = {}
    seen: set[str | None] = set()
    for text, found in shown.items():
        decimal, thousands, is_ambiguous = spellings.separators_of(found)
        if is_ambiguous:
            ambiguous.setdefault("," if "," in found else ".", []).append(text)
        if decimal is not None:
            votes[decimal] += values[text]
            seen.add(decimal if decimal in found else None)
        if thousands is not None:
            groups[thousands] += values[text]
    if votes:
        default = max(votes, key=lambda sign: (votes[sign], sign == default))
    for sign, texts in ambiguous.items():
        if sign != default:
            groups[sign] += sum(values[text] for text in texts)
    del groups[default]
    result = _Separators(default, max(groups, key=lambda sign: groups[sign], default=None))
    result.is_decimal_seen = default in seen or default in ambiguous
    if not votes and ("," in ambiguous or (ambiguous and default == ",")):
        result.ambiguous = next(iter(ambiguous.get(",") or ambiguous["."]))
    return result


def _report_numbers(
    reading: ColumnReading,
    values: Mapping[str, int],
    parsed: Mapping[str, spellings.Number],
    separators: _Separators,
) -> None:
    name = reading.name
    if separators.ambiguous is not None and separators.ambiguous in parsed:
        reading.report(
            "ambiguous_number",
            f"{name}: “{separators.ambiguous}” may be read in two ways; it is read as "
            f"{_shown(parsed[separators.ambiguous].value)}.",
        )
    if separators.decimal == "," and separators.is_decimal_seen:
        reading.report("decimal_comma", f"{name}: numbers with a decimal comma.")
    if separators.thousands is not None:
        sign = {" ": "a blank"}.get(separators.thousands, f"“{separators.thousands}”")
        reading.report("thousands", f"{name}: {sign} separates thousands.")
    by_code: tuple[tuple[str, str, Callable[[spellings.Number], bool]], ...] = (
        ("bounds", "are bounds", lambda n: bool(n.bound)),
        ("percent", "are percentages", lambda n: n.is_percent),
        ("currency", "have a currency", lambda n: n.has_currency),
        ("parentheses", "are negative in parentheses", lambda n: n.is_negative_in_parentheses),
    )
    for code, says, has in by_code:
        texts = [text for text, number in parsed.items() if has(number)]
        if texts:
            count = sum(values[text] for text in texts)
            cells = f"{count:,} of {reading.values:,} cells" if count < reading.values else "cells"
            value = _shown(parsed[texts[0]].value)
            reading.report(code, f"{name}: {cells} {says}: “{texts[0]}” is read as {value}.", count)

    currencies = sorted({number.currency.upper() for number in parsed.values()} - {""})
    if len(currencies) > 1:
        shown = ", ".join(currencies[:MAX_EXAMPLES])
        reading.report(
            "several_currencies",
            f"{name}: amounts in several currencies ({shown}) are not converted.",
        )


def _shown(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def _date_of_digits(column: Texts, hints: Hints) -> ColumnReading | None:
    """Return the reading of dates such as `20230102`, and `2018` for the time of a series, which are no numbers."""
    lengths = (8, 4) if hints.allow_year else (8,)
    values, _ = _split(column, hints, is_text=False)
    found = sum(n for text, n in values.items() if len(text) in lengths and text.isdecimal())
    if not _is_enough(found, sum(values.values()) - found):
        return None
    return _date(column, hints)


def _date(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    values, words = _split(column, hints, is_text=False)
    if not values:
        return None
    day_first, is_ambiguous = _day_first(values, hints)
    is_compact = (
        is_forced or hints.allow_year or _is_called_date(column.name) or _are_compact(values)
    )

    def parse(text: str) -> spellings.Date | None:
        return spellings.parse_date(
            text,
            day_first=day_first,
            allow_compact=is_compact,
            allow_year=hints.allow_year or is_forced,
            format=hints.date_format,
        )

    found = _parsed(column, values, words, "date", parse, is_forced=is_forced)
    if found is None:
        return None
    reading, parsed = found
    offsets = Counter[int | None]()
    for text, date in parsed.items():
        offsets[date.offset] += values[text]
    reading.spelling = {
        "day_first": day_first,
        "compact": is_compact,
        "year": hints.allow_year or is_forced,
        "format": hints.date_format,
        "offset": _offset(reading, offsets),
    }
    is_ambiguous = is_ambiguous and hints.date_format is None
    _report_dates(reading, values, parsed, is_ambiguous=is_ambiguous)
    _report_unreadable(reading, "date")
    offset = reading.spelling["offset"]
    _leave_out(
        reading, {spellings.in_offset(date, offset) for date in parsed.values()}, column, hints
    )
    return reading


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
                "offset", f"{reading.name}: local times; the offset {_offset_text(offset)} is kept."
            )
        _report_without_offset(reading, offsets[None], offset)
        return offset
    shown = ", ".join(_offset_text(offset) for offset in sorted(given)[:3])
    reading.report(
        "offsets", f"{reading.name}: times with several offsets ({shown}) are converted to UTC."
    )
    _report_without_offset(reading, offsets[None], 0)
    return 0


def _report_without_offset(reading: ColumnReading, n_without: int, offset: int) -> None:
    if n_without:
        reading.report(
            "without_offset",
            f"{reading.name}: {n_without:,} cells have no offset and are read in {_offset_text(offset)}.",
            n_without,
        )


def _offset_text(minutes: int) -> str:
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
    if is_ambiguous:
        example = next(text for text in parsed if _is_open(text))
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


def _duration(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    values, words = _split(column, hints, is_text=False)
    if not values:
        return None
    parse = _seconds if is_forced else spellings.parse_duration
    found = _parsed(column, values, words, "duration", parse, is_forced=is_forced)
    if found is None:
        return None
    reading, parsed = found
    reading.recognised_as = "durations"
    reading.report("durations", f"{column.name}: durations are read as seconds.")
    _report_unreadable(reading, "duration")
    _leave_out(reading, set(parsed.values()), column, hints)
    return reading


def _seconds(text: str) -> float | None:
    found = spellings.parse_duration(text)
    if found is None and (number := spellings.parse_number(text)) is not None:
        return number.value
    return found


def _text(column: Texts, hints: Hints) -> ColumnReading:
    column = _as_labels(column, hints)
    values, words = _split(column, hints, is_text=True)
    reading = _reading(column, "category", values, words)
    cells = reading.values
    n_words = sum(len(text.split()) * count for text, count in values.items())
    if hints.is_target:
        reading.recognised_as = f"{len(values):,} levels"
    elif len(values) <= 1:
        reading.type = "constant" if values else "empty"
        reading.recognised_as = "one level" if values else "no cell has a value"
    elif n_words >= FREE_TEXT_WORDS * cells and 2 * len(values) >= cells:
        reading.type, reading.recognised_as = "text", "free text"
    elif len(values) == cells and not hints.keeps_identifier:
        reading.type, reading.recognised_as = "identifier", "every cell is different"
    else:
        reading.recognised_as = f"{len(values):,} levels"
    _report_text(reading, values, column, hints)
    return reading


def _report_text(
    reading: ColumnReading, values: Mapping[str, int], column: Texts, hints: Hints
) -> None:
    kept = {text: n for text, n in values.items() if text.lower() in _LEVELS_LIKE_MISSING}
    if kept and reading.type in ("category", "text"):
        shown = ", ".join(f"“{text}” ({count:,})" for text, count in kept.items())
        reading.report(
            "kept_as_level",
            f"{column.name}: {shown} is a level like any other. Name it in missing_values if it is none.",
            sum(kept.values()),
        )
    if reading.type in ("category", "identifier", "text"):
        _report_lookalikes(reading, values, hints)
    by_fold: dict[str, list[str]] = {}
    for text in values:
        by_fold.setdefault(" ".join(text.split()).casefold(), []).append(text)
    same = [texts for texts in by_fold.values() if len(texts) > 1]
    if same and reading.type == "category":
        shown = "; ".join(" and ".join(f"“{text}”" for text in texts) for texts in same[:3])
        reading.report(
            "levels_differ_by_case",
            f"{column.name}: levels differ by case or blanks only: {shown}. merge_levels joins them.",
            len(same),
        )


def _report_lookalikes(reading: ColumnReading, values: Mapping[str, int], hints: Hints) -> None:
    """Report how many cells of a text column look like numbers or dates, unless these are a few odd ones."""
    sample = _sample(values, reading.values)
    n_numbers = n_dates = 0
    if any(spellings.digits_of(text) is not None for text in sample):
        digits = _digits(values, values, is_forced=True) or {}
        decimal = _separators(values, digits, hints).decimal
        n_numbers = sum(
            values[text] for text in digits if spellings.parse_number(text, decimal) is not None
        )
        codes = [text for text in digits if spellings.is_code(text)]
        n_codes = sum(values[text] for text in codes)
        if codes and _is_enough(n_codes + n_numbers, reading.values - n_codes - n_numbers):
            reading.report(
                "codes",
                f"{reading.name}: numbers such as “{codes[0]}” are codes and are read as text, with every digit.",
                n_codes,
            )
            n_numbers = 0
    if any(spellings.parse_date(text) is not None for text in sample):
        n_dates = sum(n for text, n in values.items() if spellings.parse_date(text) is not None)
    for what, count in (("numbers", n_numbers), ("dates", n_dates)):
        if 100 * count > (100 - READABLE_PERCENT) * reading.values:
            reading.report(
                f"looks_like_{what}",
                f"{reading.name}: {count:,} of {reading.values:,} cells look like {what}; it is read as text.",
                count,
            )


def _sample(values: Mapping[str, int], n_cells: int) -> list[str]:
    """Return the frequent texts of a column, and of many others some from everywhere."""
    if len(values) <= _MAX_VOTES:
        return list(values)
    return [text for text, count in values.items() if count * _MAX_VOTES > n_cells] + list(values)[
        :: len(values) // _MAX_VOTES
    ]


def _leave_out(reading: ColumnReading, distinct: set[Any], column: Texts, hints: Hints) -> None:
    """Set the type of a column without information: one value only, or a number for each row."""
    reading.distinct = len(distinct)
    if hints.is_target:
        return
    if len(distinct) <= 1:
        reading.type, reading.recognised_as = "constant", "one value"
    elif (
        reading.type == "number"
        and not hints.keeps_identifier
        and is_row_number(column.name, distinct, column.n_rows, n_values=reading.values)
    ):
        reading.type, reading.recognised_as = "identifier", "row numbers, or an id for each row"


def is_row_number(
    name: str, distinct: set[float], n_rows: int, *, n_values: int | None = None
) -> bool:
    """Return whether numbers are an identifier: all different whole numbers that count rows, or are called id.

    `n_values` : cells that are not missing, where some are; an id may be missing, a row's number may not.
    """
    n_values = n_rows if n_values is None else n_values
    if len(distinct) < n_values or n_values < 2 or any(value % 1 for value in distinct):
        return False
    is_unnamed = name == "" or bool(re.fullmatch(r"(?:Unnamed: \d+|column_\d+)", name))
    counts_rows = min(distinct) in (0, 1) and max(distinct) - min(distinct) == n_rows - 1
    return "id" in name_words(name) or (is_unnamed and counts_rows and n_values == n_rows)


def name_words(name: str) -> set[str]:
    """Return the words of a column's name, in small letters: `Agent_ID`, `agentId` → `{agent, id}`."""
    words: set[str] = set()
    for part in _NAME_PART.findall(name):
        begin = 0
        for place in range(1, len(part)):
            ahead = part[place + 1 : place + 2]
            if part[place].isupper() and (part[place - 1].islower() or ahead.islower()):
                words.add(part[begin:place].lower())
                begin = place
        words.add(part[begin:].lower())
    return words


def _forced(column: Texts, hints: Hints, kind: str) -> ColumnReading:
    """Return the reading of a type that a person has set."""
    by_type: dict[str, Callable[..., ColumnReading | None]] = {
        "number": _number,
        "date": _date,
        "duration": _duration,
    }
    reading: ColumnReading | None = None
    if kind in by_type:
        # a column that a person wants is not left out
        reading = by_type[kind](column, replace(hints, is_target=True), is_forced=True)
    elif kind == "boolean":
        reading = _forced_boolean(column, hints)
    elif kind == "ordinal" and hints.levels is not None:
        reading = _ordinal(column, hints, hints.levels)
    if reading is None:
        values, words = _split(column, hints, is_text=kind not in by_type)
        reading = _reading(column, kind, values, words)
    reading.type = kind
    reading.recognised_as = "set by a person"
    return reading


def _forced_boolean(column: Texts, hints: Hints) -> ColumnReading:
    values, words = _split(column, hints, is_text=True)
    found = _parsed(column, values, words, "boolean", spellings.parse_boolean, is_forced=True)
    assert found is not None
    reading, parsed = found
    _report_unreadable(reading, "boolean")
    reading.distinct = len(set(parsed.values()))
    return _of_booleans(reading, parsed)


def _ordinal(column: Texts, hints: Hints, levels: tuple[str, ...]) -> ColumnReading:
    """Return the reading of levels in a given order; other texts are unreadable."""
    values, words = _split(column, hints, is_text=True)
    reading = _of_parsed(column, values, words, "ordinal", [t for t in values if t not in levels])
    _report_unreadable(reading, "level")
    reading.distinct = sum(text in values for text in levels)
    reading.spelling = {"levels": list(levels)}
    return reading
