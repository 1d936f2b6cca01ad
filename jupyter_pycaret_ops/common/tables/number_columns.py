"""Decide whether a column of texts holds numbers, and with which separators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from . import spellings
from .column_cells import (
    MAX_EXAMPLES,
    MISSING_IN_ANY_CASE,
    SAMPLE_SIZE,
    ColumnReading,
    Hints,
    Texts,
    is_enough,
    leave_out,
    report_unreadable,
    split_missing,
    with_unreadable,
)


def decimal_of_file(decimal: str | None, delimiter: str | None) -> str | None:
    """Return the decimal separator for columns that do not show theirs: the file's, or a comma beside `;`."""
    return decimal or ("," if delimiter == ";" else None)


def decimal_of(column: Texts) -> str | None:
    """Return the decimal separator that the numbers of a column show, `.` or `,`; None where none decides."""
    step = max(1, len(column.counts) // SAMPLE_SIZE)
    return decimal_of_sample(islice(column.counts.items(), 0, None, step))


def decimal_of_sample(sample: Iterable[tuple[str, int]]) -> str | None:
    """Return the same as `decimal_of`, from some texts of a column and their counts."""
    votes = Counter[str]()
    for text, count in sample:
        digits = spellings.digits_of(text)
        if digits is None:
            if text and text not in MISSING_IN_ANY_CASE:
                votes["none"] += count
            continue
        decimal, _, _ = spellings.separators_of(digits)
        if decimal is not None:
            votes[decimal] += count
        elif not spellings.is_code(digits):
            votes["any"] += count
    numbers = votes["."] + votes[","] + votes["any"]
    if votes["."] == votes[","] or not is_enough(numbers, votes["none"]):
        return None
    return "." if votes["."] > votes[","] else ","


def read_number(column: Texts, hints: Hints, *, is_forced: bool = False) -> ColumnReading | None:
    """Return the reading of a column of numbers, None for others; `is_forced` : a person says that they are."""
    found = recognise_numbers(column, hints, is_forced=is_forced)
    if found is None:
        return None
    reading, distinct = found
    leave_out(reading, distinct, column, hints)
    return reading


def recognise_numbers(
    column: Texts, hints: Hints, *, is_forced: bool = False
) -> tuple[ColumnReading, set[float]] | None:
    """Return the reading of a column of numbers as if nothing were left out, and its different numbers."""
    values, words = split_missing(column, hints, is_text=False)
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
    reading = with_unreadable(
        column, values, words, "number", [text for text in slow if text not in parsed]
    )
    if not is_forced and not is_enough(reading.values, reading.unreadable):
        return None
    distinct.update(number.value for number in parsed.values())
    reading.spelling = {"decimal": decimal, "thousands": separators.thousands}
    if is_forced and any(map(spellings.is_code, values)):
        reading.spelling["codes"] = True
    reading.recognised_as = "numbers"
    _report_numbers(reading, values, parsed, separators)
    report_unreadable(reading, "number")
    return reading, distinct


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
            if not is_forced and not is_enough(n_known - n_unreadable, n_unreadable):
                return None
    return digits


def _are_codes(values: Mapping[str, int], others: Iterable[str]) -> bool:
    """Return whether integers are codes of one width, of which some begin with 0: `90210`, `02110`."""
    if not any(text.isdecimal() and spellings.is_code(text) for text in others):
        return False
    widths = {len(text) for text in values if text.isdecimal()}
    n_digits = sum(count for text, count in values.items() if text.isdecimal())
    return len(widths) == 1 and is_enough(n_digits, sum(values.values()) - n_digits)


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
    if hints.is_decimal_set:
        pass
    elif votes:
        default = max(votes, key=lambda sign: (votes[sign], sign == default))
    elif groups and len(ambiguous) == 1:  # 1 200 beside 3,141: blanks separate thousands
        (default,) = ambiguous
    seen_groups = bool(groups)
    for sign, texts in ambiguous.items():
        if sign != default:
            groups[sign] += sum(values[text] for text in texts)
    del groups[default]
    result = _Separators(default, max(groups, key=lambda sign: groups[sign], default=None))
    result.is_decimal_seen = default in seen or default in ambiguous
    if (
        not votes
        and not seen_groups
        and not hints.is_decimal_set
        and ("," in ambiguous or (ambiguous and default == ","))
    ):
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


def count_lookalikes(values: Mapping[str, int], hints: Hints) -> tuple[int, dict[str, int]]:
    """Return how many cells of a text column are numbers, and its codes such as `007` with their counts."""
    digits = _digits(values, values, is_forced=True) or {}
    decimal = _separators(values, digits, hints).decimal
    n_numbers = sum(
        values[text] for text in digits if spellings.parse_number(text, decimal) is not None
    )
    return n_numbers, {text: values[text] for text in digits if spellings.is_code(text)}


def _shown(value: float) -> str:
    """Return a number as in a message: whole numbers without a point."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
