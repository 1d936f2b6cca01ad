"""Decide how a column of texts is read: its type, its spelling, which cells are missing and which unreadable.

The rules are those of the page "How your table is read". Decisions are made over all rows, from the distinct texts
of a column and how often each occurs. For every column `values + missing + unreadable = rows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from . import spellings
from .column_cells import (
    LEFT_OUT,
    NO_HINTS,
    READABLE_PERCENT,
    TYPES,
    ColumnReading,
    Hints,
    Texts,
    is_enough,
    is_row_number,
    leave_out,
    name_words,
    new_reading,
    read_texts,
    report_unreadable,
    sample_of,
    split_missing,
    with_unreadable,
)
from .date_columns import read_date, read_date_of_digits
from .number_columns import count_lookalikes, decimal_of, read_number

__all__ = [
    "LEFT_OUT",
    "TYPES",
    "ColumnReading",
    "Hints",
    "Texts",
    "decide",
    "decide_text",
    "decimal_of",
    "is_row_number",
    "name_words",
]

MAX_BOOLEAN_TEXTS = 6
#: words of a cell on average from which on text is free
FREE_TEXT_WORDS = 4

#: words for missing values that may be levels of a text column, and are reported there
LEVELS_LIKE_MISSING = frozenset({"none", "na", "-", "?", "nil", "n/a", "missing", "--", "."})
TEXT_TYPES = ("category", "identifier", "text")


def decide(column: Texts, hints: Hints = NO_HINTS, forced: str | None = None) -> ColumnReading:
    """Return how a column of texts is read; `forced` is the type that a person has set.

    A format or levels in `hints` set the type as well.
    """
    if forced is None:
        forced = "ordinal" if hints.levels is not None else "date" if hints.date_format else None
    if forced is not None:
        reading = _forced(column, hints, forced)
        reading.set_by_person = True
        return reading
    for attempt in (_empty, _boolean, read_date_of_digits, read_number, read_date, _duration):
        found = attempt(column, hints)
        if found is not None:
            return found
    return _text(column, hints)


def decide_text(column: Texts, hints: Hints = NO_HINTS) -> ColumnReading:
    """Return how a column is read that is text by its dtype (a pandas category), whatever the texts look like."""
    return _empty(column, hints) or _boolean(column, hints) or _text(column, hints)


def _as_labels(column: Texts, hints: Hints) -> Texts:
    """Return the texts of a target as they stand in the file: labels keep the blanks around them."""
    if not hints.is_target or column.labels is None or column.labels is column.counts:
        return column
    return replace(column, counts=column.labels, n_trimmed=0)


def _empty(column: Texts, hints: Hints) -> ColumnReading | None:
    values, words = split_missing(column, hints, is_text=False)
    if values:
        return None
    kept, _ = split_missing(column, hints, is_text=True)
    if kept:  # a class that is called None
        return None
    reading = new_reading(column, "empty", values, words)
    reading.recognised_as = "no cell has a value"
    return reading


def _boolean(column: Texts, hints: Hints) -> ColumnReading | None:
    column = _as_labels(column, hints)
    values, words = split_missing(column, hints, is_text=True)
    # true and false in three cases each
    meaning = spellings.boolean_words(set(values)) if len(values) <= MAX_BOOLEAN_TEXTS else None
    if meaning is None:
        return None
    return _of_booleans(new_reading(column, "boolean", values, words), meaning)


def _of_booleans(reading: ColumnReading, meaning: Mapping[str, bool]) -> ColumnReading:
    words = {is_true: text for text, is_true in meaning.items()}
    reading.spelling = {"true": words.get(True, "true"), "false": words.get(False, "false")}
    reading.recognised_as = f"“{reading.spelling['true']}” and “{reading.spelling['false']}”"
    return reading


def _duration(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    values, words = split_missing(column, hints, is_text=False)
    if not values:
        return None
    parse = spellings.seconds_of if is_forced else spellings.parse_duration
    found = read_texts(column, values, words, "duration", parse, is_forced=is_forced)
    if found is None:
        return None
    reading, parsed = found
    reading.recognised_as = "durations"
    reading.report("durations", f"{column.name}: durations are read as seconds.")
    report_unreadable(reading, "duration")
    leave_out(reading, set(parsed.values()), column, hints)
    return reading


def _text(column: Texts, hints: Hints) -> ColumnReading:
    column = _as_labels(column, hints)
    values, words = split_missing(column, hints, is_text=True)
    reading = new_reading(column, "category", values, words)
    n_words = sum(len(text.split()) * count for text, count in values.items())
    set_text_type(reading, len(values), n_words, hints)
    report_kept_levels(
        reading, {text: n for text, n in values.items() if text.lower() in LEVELS_LIKE_MISSING}
    )
    if reading.type in TEXT_TYPES:
        report_lookalikes(reading, *_lookalikes(values, reading.values, hints))
    if reading.type == "category":
        report_same_levels(reading, values)
    return reading


def set_text_type(reading: ColumnReading, n_levels: int, n_words: int, hints: Hints) -> None:
    """Set the type of a column of texts; `n_words` : the words of all cells that are values."""
    cells = reading.values
    if hints.is_target:
        reading.recognised_as = f"{n_levels:,} levels"
    elif n_levels <= 1:
        reading.type = "constant" if n_levels else "empty"
        reading.recognised_as = "one level" if n_levels else "no cell has a value"
    elif n_words >= FREE_TEXT_WORDS * cells and 2 * n_levels >= cells:
        reading.type, reading.recognised_as = "text", "free text"
    elif n_levels == cells and not hints.keeps_identifier:
        reading.type, reading.recognised_as = "identifier", "every cell is different"
    else:
        reading.recognised_as = f"{n_levels:,} levels"


def report_kept_levels(reading: ColumnReading, kept: Mapping[str, int]) -> None:
    """Report the levels that mean missing in other columns, with their counts."""
    if kept and reading.type in ("category", "text"):
        shown = ", ".join(f"“{text}” ({count:,})" for text, count in kept.items())
        reading.report(
            "kept_as_level",
            f"{reading.name}: {shown} is a level like any other. Name it in missing_values if it is none.",
            sum(kept.values()),
        )


def report_same_levels(reading: ColumnReading, levels: Iterable[str]) -> None:
    """Report levels that are the same but for their case and blanks."""
    by_fold: dict[str, list[str]] = {}
    for text in levels:
        by_fold.setdefault(spellings.folded(text), []).append(text)
    same = [texts for texts in by_fold.values() if len(texts) > 1]
    if same:
        shown = "; ".join(" and ".join(f"“{text}”" for text in texts) for texts in same[:3])
        reading.report(
            "levels_differ_by_case",
            f"{reading.name}: levels differ by case or blanks only: {shown}. merge_levels joins them.",
            len(same),
        )


def _lookalikes(
    values: Mapping[str, int], n_cells: int, hints: Hints
) -> tuple[int, dict[str, int], int]:
    """Return how many cells look like numbers, which are codes, and how many look like dates; not a few odd ones."""
    sample = sample_of(values, n_cells)
    n_numbers, n_dates = 0, 0
    codes: dict[str, int] = {}
    if any(spellings.digits_of(text) is not None for text in sample):
        n_numbers, codes = count_lookalikes(values, hints)
    if any(spellings.parse_date(text) is not None for text in sample):
        n_dates = sum(n for text, n in values.items() if spellings.parse_date(text) is not None)
    return n_numbers, codes, n_dates


def report_lookalikes(
    reading: ColumnReading, n_numbers: int, codes: Mapping[str, int], n_dates: int
) -> None:
    """Report how many cells of a text column look like numbers or dates; `codes` : codes with their counts."""
    n_codes = sum(codes.values())
    if codes and is_enough(n_codes + n_numbers, reading.values - n_codes - n_numbers):
        reading.report(
            "codes",
            f"{reading.name}: numbers such as “{next(iter(codes))}” are codes and are read as text, with "
            "every digit.",
            n_codes,
        )
        n_numbers = 0
    for what, count in (("numbers", n_numbers), ("dates", n_dates)):
        if 100 * count > (100 - READABLE_PERCENT) * reading.values:
            reading.report(
                f"looks_like_{what}",
                f"{reading.name}: {count:,} of {reading.values:,} cells look like {what}; it is read as text.",
                count,
            )


def _forced(column: Texts, hints: Hints, kind: str) -> ColumnReading:
    """Return the reading of a type that a person has set."""
    by_type: dict[str, Callable[..., ColumnReading | None]] = {
        "number": read_number,
        "date": read_date,
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
        values, words = split_missing(column, hints, is_text=kind not in by_type)
        reading = new_reading(column, kind, values, words)
    reading.type = kind
    reading.recognised_as = "set by a person"
    return reading


def _forced_boolean(column: Texts, hints: Hints) -> ColumnReading:
    values, words = split_missing(column, hints, is_text=True)
    found = read_texts(column, values, words, "boolean", spellings.parse_boolean, is_forced=True)
    assert found is not None
    reading, parsed = found
    report_unreadable(reading, "boolean")
    reading.distinct = len(set(parsed.values()))
    return _of_booleans(reading, parsed)


def _ordinal(column: Texts, hints: Hints, levels: tuple[str, ...]) -> ColumnReading:
    """Return the reading of levels in a given order; other texts are unreadable."""
    values, words = split_missing(column, hints, is_text=True)
    reading = with_unreadable(
        column, values, words, "ordinal", [t for t in values if t not in levels]
    )
    report_unreadable(reading, "level")
    reading.distinct = sum(text in values for text in levels)
    reading.spelling = {"levels": list(levels)}
    return reading
