"""A column of texts, how it is read, and the counts of its cells: values, missing and unreadable.

See `column_reading.py`, which decides. `number_columns.py` and `date_columns.py` do for numbers and dates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
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

#: types that a person can set
SETTABLE_TYPES = tuple(kind for kind in TYPES if kind not in ("ordinal", "constant", "empty"))

#: types of columns that are left out of training
LEFT_OUT = frozenset({"identifier", "constant", "empty"})

#: share of the cells that must be readable as numbers, dates or durations, in percent
READABLE_PERCENT = 95

MAX_EXAMPLES = 5

#: distinct texts of a column that are looked at for the decimal separator of the file
SAMPLE_SIZE = 20_000

_NAME_PART = re.compile(r"[^\W\d_]+")

#: column types → JSON types; a number may be an integer, too, and other types are strings
JSON_TYPES = {
    "number": "number",
    "boolean": "boolean",
    "date": "datetime",
    "duration": "number",
}


def in_any_case(words: Iterable[str]) -> frozenset[str]:
    """Return words in every mixture of capitals and small letters: a few hundred for each of ten letters."""
    return frozenset(
        "".join(letters)
        for word in words
        for letters in product(*({letter.lower(), letter.upper()} for letter in word))
    )


#: the words for missing values in columns of numbers and dates; see `spellings.is_missing_word`
MISSING_IN_ANY_CASE = in_any_case(spellings.MISSING_WORDS | spellings.INFINITE_WORDS)


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
    #: a person has said so, and no column decides otherwise
    is_decimal_set: bool = False
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


NO_HINTS = Hints()


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
    #: parameters of the parser: decimal, thousands · day_first, compact, year, format, offset · true, false · levels;
    #: and missing_words, where the column has its own
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


def split_missing(
    column: Texts, hints: Hints, *, is_text: bool
) -> tuple[Mapping[str, int], dict[str, int]]:
    """Return the texts that are values, and the words that mean missing, with their counts."""
    counts = column.counts
    known: Iterable[str]
    if hints.missing_words is not None:
        known = map(spellings.trimmed, hints.missing_words)
    else:
        known = spellings.MISSING_TEXTS if is_text else MISSING_IN_ANY_CASE
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


def new_reading(
    column: Texts, kind: str, values: Mapping[str, int], words: Mapping[str, int]
) -> ColumnReading:
    """Return a reading with the counts of values and missing cells, which are results of `split_missing`."""
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


def read_texts(
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
        if not is_forced and not is_enough(n_known - n_unreadable, n_unreadable):
            return None
    return with_unreadable(column, values, words, kind, unreadable), parsed


def with_unreadable(
    column: Texts,
    values: Mapping[str, int],
    words: Mapping[str, int],
    kind: str,
    unreadable: list[str],
) -> ColumnReading:
    """Return a reading as `new_reading` does; those of `values` that are in `unreadable` count as such."""
    reading = new_reading(column, kind, values, words)
    reading.unreadable = sum(values[text] for text in unreadable)
    reading.values -= reading.unreadable
    unreadable.sort(key=lambda text: column.first_rows.get(text, 0))
    reading.examples = [
        {"row": column.first_rows.get(text, 0) + 1, "text": text}
        for text in unreadable[:MAX_EXAMPLES]
    ]
    return reading


def is_enough(readable: int, unreadable: int) -> bool:
    """Return whether enough cells can be read, and at least one; in whole numbers, so that 95 % are 95 %."""
    return readable > 0 and 100 * readable >= READABLE_PERCENT * (readable + unreadable)


def report_unreadable(reading: ColumnReading, what: str) -> None:
    """Report the unreadable cells, if there are any; `what` : what they are not."""
    if reading.unreadable:
        shown = ", ".join(f"“{item['text']}” (row {item['row']:,})" for item in reading.examples)
        reading.report(
            "unreadable",
            f"{reading.name}: {reading.unreadable:,} cells are no {what} and are read as missing: {shown}.",
            reading.unreadable,
        )


def sample_of(values: Mapping[str, int], n_cells: int) -> list[str]:
    """Return the frequent texts of a column, and of many others some from everywhere."""
    if len(values) <= SAMPLE_SIZE:
        return list(values)
    return [text for text, count in values.items() if count * SAMPLE_SIZE > n_cells] + list(values)[
        :: len(values) // SAMPLE_SIZE
    ]


def leave_out(
    reading: ColumnReading, distinct: Collection[Any], column: Texts, hints: Hints
) -> None:
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
    name: str, distinct: Collection[float], n_rows: int, *, n_values: int | None = None
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
