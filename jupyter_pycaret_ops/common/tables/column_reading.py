"""Decide how a column of texts is read: its type, its spelling, which cells are missing and which unreadable.

The rules are those of the page "How your table is read". Decisions are made over all rows, from the distinct texts
of a column and how often each occurs. For every column `values + missing + unreadable = rows`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
#: share of the cells that must be readable as numbers, dates or durations
READABLE_SHARE = 0.95
#: words of a cell on average from which on text is free
FREE_TEXT_WORDS = 4
MAX_EXAMPLES = 5
_ID_WORD = re.compile(r"[A-Z]*[a-z]+|[A-Z]+")
_DATE_WORDS = frozenset({"date", "day", "datum", "dt", "time", "timestamp", "month", "period"})
#: words for missing values that may be levels of a text column, and are reported there
_LEVELS_LIKE_MISSING = frozenset({"none", "na", "-", "?", "nil", "n/a", "missing", "--", "."})


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
    #: parameters of the parser: decimal, thousands · day_first, format, offset · true, false · levels
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
    """Return how a column of texts is read; `forced` is the type that a person has set."""
    if forced is not None:
        reading = _forced(column, hints, forced)
        reading.set_by_person = True
        return reading
    for attempt in (_empty, _boolean, _number, _date, _duration):
        found = attempt(column, hints)
        if found is not None:
            return found
    return _text(column, hints)


def decimal_of(column: Texts) -> str | None:
    """Return the decimal separator that the numbers of a column show, None where none decides."""
    votes = Counter[str]()
    for text, count in column.counts.items():
        digits = spellings.digits_of(text)
        if digits is None:
            if text.lower() not in spellings.MISSING_WORDS and text:
                votes["none"] += count
            continue
        decimal, thousands, _ = spellings.separators_of(digits)
        if decimal is None and thousands in (",", "."):
            decimal = "." if thousands == "," else ","
        if decimal is not None:
            votes[decimal] += count
    if votes["none"] > votes[","] + votes["."]:
        return None
    return max((",", "."), key=lambda sign: votes[sign]) if votes[","] + votes["."] else None


# ---------------------------------------------------------------- by type


def _split(column: Texts, hints: Hints, *, is_text: bool) -> tuple[dict[str, int], dict[str, int]]:
    """Return the texts that are values, and the words that mean missing, with their counts."""
    values: dict[str, int] = {}
    words: dict[str, int] = {}
    for text, count in column.counts.items():
        if spellings.is_missing_word(text, is_text=is_text, words=hints.missing_words):
            words[text] = count
        else:
            values[text] = count
    return values, words


def _reading(
    column: Texts, kind: str, values: Mapping[str, int], words: Mapping[str, int]
) -> ColumnReading:
    reading = ColumnReading(column.name, kind, values=sum(values.values()), distinct=len(values))
    reading.missing = sum(words.values()) + column.n_null
    reading.missing_words = {word: count for word, count in words.items() if word}
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
    values, words = _split(column, hints, is_text=True)
    meaning = spellings.boolean_words(set(values))
    if meaning is None:
        return None
    reading = _reading(column, "boolean", values, words)
    true, false = (
        next(text for text, is_true in meaning.items() if is_true is wanted)
        for wanted in (True, False)
    )
    reading.spelling = {"true": true, "false": false}
    reading.recognised_as = f"“{true}” and “{false}”"
    return reading


def _parsed(
    column: Texts,
    values: Mapping[str, int],
    words: Mapping[str, int],
    kind: str,
    parse: Callable[[str], Any],
) -> tuple[ColumnReading, dict[str, Any]]:
    """Return a reading and the parsed values by text; what `parse` answers None for is unreadable."""
    parsed: dict[str, Any] = {}
    unreadable: list[str] = []
    for text in values:
        found = parse(text)
        if found is None:
            unreadable.append(text)
        else:
            parsed[text] = found
    reading = _reading(column, kind, {t: n for t, n in values.items() if t in parsed}, words)
    reading.unreadable = sum(values[text] for text in unreadable)
    unreadable.sort(key=lambda text: column.first_rows.get(text, 0))
    reading.examples = [
        {"row": column.first_rows.get(text, 0) + 1, "text": text}
        for text in unreadable[:MAX_EXAMPLES]
    ]
    return reading, parsed


def _is_readable(reading: ColumnReading) -> bool:
    """Return whether enough cells could be read, and at least one."""
    known = reading.values + reading.unreadable
    return reading.values > 0 and reading.values >= READABLE_SHARE * known


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
    codes = sum(count for text, count in values.items() if spellings.is_code(text))
    if codes > (1 - READABLE_SHARE) * sum(values.values()) and not is_forced:
        return None
    decimal, thousands, is_ambiguous = _separators(values, hints)
    reading, parsed = _parsed(
        column,
        values,
        words,
        "number",
        lambda text: spellings.parse_number(text, decimal, thousands if is_ambiguous else None),
    )
    if not is_forced and not _is_readable(reading):
        return None
    reading.spelling = {"decimal": decimal, "thousands": thousands}
    reading.recognised_as = "numbers"
    _report_numbers(reading, values, parsed, is_ambiguous=is_ambiguous)
    _report_unreadable(reading, "number")
    _leave_out(reading, {number.value for number in parsed.values()}, column, hints)
    return reading


def _separators(values: Mapping[str, int], hints: Hints) -> tuple[str, str | None, bool]:
    """Return decimal and thousands separator of a column, and whether only its surroundings decided."""
    votes = Counter[str]()
    groups = Counter[str]()
    ambiguous = Counter[str]()
    for text, count in values.items():
        digits = spellings.digits_of(text)
        if digits is None:
            continue
        decimal, thousands, is_ambiguous = spellings.separators_of(digits)
        if is_ambiguous:
            ambiguous[next(sign for sign in digits if sign in ",.")] += count
        if decimal is not None:
            votes[decimal] += count
        if thousands is not None:
            groups[thousands] += count
    seen = groups.most_common(1)[0][0] if groups else None
    if not votes and seen in (",", "."):
        votes["." if seen == "," else ","] += 1
    if votes:
        decimal = max((".", ","), key=lambda sign: votes[sign])
        if seen is None and ambiguous:
            seen = next((sign for sign in ambiguous if sign != decimal), None)
        return decimal, seen, False
    if not ambiguous:
        return hints.decimal or ".", seen, False
    (sign, _), *_ = ambiguous.most_common(1)
    decimal = hints.decimal or "."
    return decimal, None if sign == decimal else sign, sign == "," or hints.decimal is not None


def _report_numbers(
    reading: ColumnReading,
    values: Mapping[str, int],
    parsed: Mapping[str, Any],
    *,
    is_ambiguous: bool,
) -> None:
    name, spelling = reading.name, reading.spelling
    if is_ambiguous:
        example = next(text for text in parsed if set(text) & {",", "."})
        reading.report(
            "ambiguous_number",
            f"{name}: “{example}” may be read in two ways; it is read as {parsed[example].value:g}.",
        )
    elif spelling["decimal"] == ",":
        reading.report("decimal_comma", f"{name}: numbers with a decimal comma.")
    if spelling["thousands"] and not is_ambiguous:
        reading.report("thousands", f"{name}: “{spelling['thousands']}” separates thousands.")
    for code, says, has in (
        ("bounds", "are bounds such as “{}” and are read as the bound", lambda n: n.bound),
        ("percent", "are percentages: “{}” is read as {:g}", lambda n: n.is_percent),
        ("currency", "have a currency: “{}” is read as {:g}", lambda n: n.has_currency),
        (
            "parentheses",
            "are negative in parentheses: “{}” is read as {:g}",
            lambda n: n.is_negative_in_parentheses,
        ),
    ):
        texts = [text for text, number in parsed.items() if has(number)]
        if texts:
            count = sum(values[text] for text in texts)
            reading.report(
                code,
                f"{name}: {count:,} cells {says.format(texts[0], parsed[texts[0]].value)}.",
                count,
            )


def _date(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    values, words = _split(column, hints, is_text=False)
    if not values:
        return None
    day_first, is_ambiguous = _day_first(values, hints)
    is_compact = bool(name_words(column.name) & _DATE_WORDS) or all(
        re.fullmatch(r"(?:19|20)\d{6}", text) for text in values
    )

    def parse(text: str) -> spellings.Date | None:
        return spellings.parse_date(
            text,
            day_first=day_first,
            allow_compact=is_compact,
            allow_year=hints.allow_year,
            format=hints.date_format,
        )

    # most columns are no dates: a few texts say so
    head = list(values)[:50]
    if not is_forced and sum(parse(text) is not None for text in head) < 0.5 * len(head):
        return None
    reading, parsed = _parsed(column, values, words, "date", parse)
    if not is_forced and not _is_readable(reading):
        return None
    offsets = Counter[int | None]()
    for text, found in parsed.items():
        offsets[found.offset] += values[text]
    reading.spelling = {
        "day_first": day_first,
        "compact": is_compact,
        "year": hints.allow_year,
        "format": hints.date_format,
        "offset": _offset(reading, offsets),
    }
    _report_dates(reading, values, parsed, is_ambiguous=is_ambiguous)
    _report_unreadable(reading, "date")
    _leave_out(reading, {found.time for found in parsed.values()}, column, hints)
    return reading


def _day_first(values: Mapping[str, int], hints: Hints) -> tuple[bool, bool]:
    """Return whether the day stands first in dates of three numbers, and whether only the file decided."""
    votes = Counter[bool]()
    has_dots = is_open = False
    for text, count in values.items():
        parts = spellings.day_and_month(text)
        if parts is None:
            continue
        first, second, separator = parts
        has_dots = has_dots or separator == "."
        if first > 12:
            votes[True] += count
        elif second > 12:
            votes[False] += count
        elif first != second:
            is_open = True
    if votes:
        return votes[True] > votes[False], False
    return hints.day_first or has_dots, is_open and not has_dots


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
        return offset
    shown = ", ".join(_offset_text(offset) for offset in sorted(given)[:3])
    reading.report(
        "offsets", f"{reading.name}: times with several offsets ({shown}) are converted to UTC."
    )
    return 0


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
        order = "day first" if reading.spelling["day_first"] else "month first"
        example = next(text for text in parsed if spellings.day_and_month(text))
        reading.report(
            "ambiguous_date",
            f"{reading.name}: day and month may be swapped; “{example}” is read {order}. "
            "Name a format in date_features if that is wrong.",
        )


def _duration(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    values, words = _split(column, hints, is_text=False)
    if not values:
        return None
    parse = _seconds if is_forced else spellings.parse_duration
    reading, parsed = _parsed(column, values, words, "duration", parse)
    if not is_forced and not _is_readable(reading):
        return None
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
    values, words = _split(column, hints, is_text=True)
    reading = _reading(column, "category", values, words)
    cells = reading.values
    n_words = sum(len(text.split()) * count for text, count in values.items())
    if len(values) <= 1 and not hints.is_target:
        reading.type = "constant" if values else "empty"
        reading.recognised_as = "one level" if values else "no cell has a value"
    elif n_words >= FREE_TEXT_WORDS * cells and 2 * len(values) >= cells and not hints.is_target:
        reading.type, reading.recognised_as = "text", "free text"
    elif len(values) == cells and not hints.is_target:
        reading.type, reading.recognised_as = "identifier", "every cell is different"
    else:
        reading.recognised_as = f"{len(values):,} levels"
    _report_text(reading, values, column)
    return reading


def _report_text(reading: ColumnReading, values: Mapping[str, int], column: Texts) -> None:
    kept = {text: n for text, n in values.items() if text.lower() in _LEVELS_LIKE_MISSING}
    if kept and reading.type == "category":
        shown = ", ".join(f"“{text}” ({count:,})" for text, count in kept.items())
        reading.report(
            "kept_as_level",
            f"{column.name}: {shown} is a level like any other. Name it in missing_values if it is none.",
            sum(kept.values()),
        )
    if reading.type in ("category", "identifier"):
        numbers = sum(n for text, n in values.items() if spellings.parse_number(text) is not None)
        if 2 * numbers > reading.values:
            reading.report(
                "looks_like_numbers",
                f"{column.name}: {numbers:,} of {reading.values:,} cells look like numbers; it is read as text.",
                numbers,
            )
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


def _leave_out(reading: ColumnReading, distinct: set[Any], column: Texts, hints: Hints) -> None:
    """Set the type of a column without information: one value only, or a number for each row."""
    reading.distinct = len(distinct)
    if hints.is_target:
        return
    if len(distinct) <= 1 and not reading.unreadable:
        reading.type, reading.recognised_as = "constant", "one value"
    elif reading.type == "number" and is_row_number(column.name, distinct, column.n_rows):
        reading.type, reading.recognised_as = "identifier", "row numbers, or an id for each row"


def is_row_number(name: str, distinct: set[float], n_rows: int) -> bool:
    """Return whether numbers are an identifier: all different whole numbers that count rows, or are called id."""
    if len(distinct) < n_rows or n_rows < 2 or not all(value == int(value) for value in distinct):
        return False
    is_unnamed = name == "" or bool(re.fullmatch(r"(?:Unnamed: \d+|column_\d+)", name))
    counts_rows = min(distinct) in (0, 1) and max(distinct) - min(distinct) == n_rows - 1
    return "id" in name_words(name) or (is_unnamed and counts_rows)


def name_words(name: str) -> set[str]:
    """Return the words of a column's name, in small letters: `Agent_ID`, `agentId` → `{agent, id}`."""
    return {word.lower() for word in _ID_WORD.findall(name)}


def _forced(column: Texts, hints: Hints, kind: str) -> ColumnReading:
    """Return the reading of a type that a person has set."""
    by_type: dict[str, Callable[..., ColumnReading | None]] = {
        "number": _number,
        "date": _date,
        "duration": _duration,
    }
    reading: ColumnReading | None = None
    kept = Hints(
        hints.decimal,
        hints.day_first,
        hints.missing_words,
        hints.date_format,
        hints.allow_year,
        True,
    )
    if kind in by_type:
        reading = by_type[kind](column, kept, is_forced=True)
    elif kind == "boolean":
        reading = _boolean(column, kept)
    if reading is None:
        values, words = _split(column, hints, is_text=True)
        reading = _reading(column, kind, values, words)
    reading.type = kind
    reading.recognised_as = "set by a person"
    return reading
