"""Decide how a column of many distinct texts is read, with the decisions of `column_reading` about a few of them.

Nearly all texts of a column of numbers differ in their digits only, and a text that can be no number is one like any
other to the rules for numbers. So texts are put into groups which these rules cannot tell apart, and the rules see the
first texts of each, with the counts of all. What depends on the single texts (how many are different, how many words
they have) is computed with arrays.

The result is that of `column_reading.decide`, for the columns that are decided here; `decide_many` returns None for the
others, for example where too many texts are spelled in their own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.tables import spellings
from jupyter_pycaret_ops.common.tables.column_cells import (
    MAX_EXAMPLES,
    MISSING_IN_ANY_CASE,
    SAMPLE_SIZE,
    ColumnReading,
    Hints,
    Texts,
    in_any_case,
    is_enough,
    leave_out,
    new_reading,
)
from jupyter_pycaret_ops.common.tables.column_reading import (
    LEVELS_LIKE_MISSING,
    MAX_BOOLEAN_TEXTS,
    TEXT_TYPES,
    report_kept_levels,
    report_lookalikes,
    report_same_levels,
    set_text_type,
)
from jupyter_pycaret_ops.common.tables.date_columns import recognise_dates
from jupyter_pycaret_ops.common.tables.number_columns import (
    count_lookalikes,
    decimal_of_sample,
    recognise_numbers,
)

from .distinct_texts import CHUNK, DistinctTexts
from .memory import release_memory
from .text_values import (
    different,
    is_in,
    iso_times,
    lengths,
    matches,
    numbers_of,
    times_of,
    without,
)

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError:
    pa = pc = None

#: columns with fewer distinct texts are decided text by text
MANY = 2_000
#: texts that may be looked at one by one
MAX_SINGLE = 20_000

#: every text that `spellings.digits_of` knows, before signs of other scripts
_MAY_BE_NUMBER = re.sub(r"\n\s*", "", f"^(?:{spellings.NUMBER.pattern})$")
_DIGIT = r"\p{Nd}"
#: numbers which no count of digits makes a code or infinite, whatever their digits are
_FINITE = (
    rf"^(?:{spellings.PLAIN_NUMBER.pattern}|[-+]?[$€£¥]?[0-9]{{1,15}}[.,][0-9]{{1,40}}"
    r"(?: ?[%$€£¥])?)$"
)
#: digits of a code that is none yet because it is short
_MAX_DIGITS = 15
#: characters of dates such as 20230102
_COMPACT_LENGTH = 8
_LARGE_EXPONENT = r"[eE][-+]?[0-9]{3}"
_LEADING_ZERO = r"^[^0-9]*0"
_SHAPE = np.frombuffer(bytes.maketrans(b"0123456789", b"1111111111"), "uint8")
#: what `str.split` takes for blanks, of ASCII
_BLANKS = r"\x09-\x0d\x1c-\x20"
_IS_BLANK = np.array([chr(sign).isspace() and sign < 128 for sign in range(256)])


class _NotHere(Exception):
    """The column is decided text by text."""


def decimal_of_many(column: DistinctTexts) -> str | None:
    """Return the decimal separator that the numbers of a column show, as `number_columns.decimal_of` does."""
    step = max(1, len(column.texts) // SAMPLE_SIZE)
    places = np.arange(0, len(column.texts), step)
    texts = column.texts.take(pa.array(places))
    groups, _, _ = _groups(texts, is_in(texts, MISSING_IN_ANY_CASE | {""}))
    places, counts = _representatives(groups, column.counts[places], 1)
    return decimal_of_sample(
        zip(texts.take(pa.array(places)).to_pylist(), counts.tolist(), strict=True)
    )


def may_have_numbers(cells: Any) -> bool:
    """Return whether a column of texts may have a number; if not, it shows no decimal separator.

    `cells` : large_string array of shape (n_rows,), with blanks around texts.
    """
    around = f"[{spellings.UNSEEN}]*"
    is_like = matches(cells, f"^{around}{_MAY_BE_NUMBER[1:-1]}{around}$")
    is_foreign = ~pc.string_is_ascii(cells).fill_null(True).to_numpy(zero_copy_only=False)
    return bool(is_like.any()) or (
        bool(is_foreign.any()) and bool(matches(without(cells, ~is_foreign), _DIGIT).any())
    )


def decide_many(column: DistinctTexts, hints: Hints) -> ColumnReading | None:
    """Return how a column is read; the same as `column_reading.decide` without a type that a person has set.

    None where that has to decide.
    """
    if (
        len(column.texts) <= MANY
        or hints.is_target
        or hints.allow_year
        or hints.date_format is not None
        or hints.levels is not None
        or hints.is_decimal_set
    ):
        return None
    try:
        return _Decision(column, hints).reading()
    except _NotHere:
        return None


class _Decision:
    """The steps of a decision, and what they share: which texts are missing, and which are alike."""

    def __init__(self, column: DistinctTexts, hints: Hints) -> None:
        self.column, self.hints = column, hints
        self.texts, self.counts = column.texts, column.counts
        own = hints.missing_words
        known = MISSING_IN_ANY_CASE if own is None else set(map(spellings.trimmed, own))
        self.is_missing = is_in(self.texts, {*known, ""})
        self.n_known = int(self.counts[~self.is_missing].sum())
        if len(self.texts) - int(self.is_missing.sum()) <= MAX_BOOLEAN_TEXTS:
            raise _NotHere
        self.groups, self.is_number_like, self.has_digit = _groups(self.texts, self.is_missing)

    def reading(self) -> ColumnReading:
        may_be_compact = self.is_number_like & (lengths(self.texts) == _COMPACT_LENGTH)
        if self._is_enough(self._known(may_be_compact)):
            raise _NotHere  # dates such as 20230102
        return self._numbers() or self._dates() or self._text()

    def _numbers(self) -> ColumnReading | None:
        found = recognise_numbers(self._reduced(self.groups), self.hints)
        if found is None:
            return None
        reading, _ = found
        numbers = numbers_of(without(self.texts, self.is_missing), reading.spelling)
        leave_out(reading, different(numbers[~np.isnan(numbers)]), self._facts(), self.hints)
        return reading

    def _dates(self) -> ColumnReading | None:
        """Return the reading of a column of dates, or of durations; all dates of ISO 8601 are alike."""
        if not self._is_enough(self._known(self.has_digit)):
            return None
        iso = iso_times(self.texts)
        is_iso = ~np.isnat(iso) & ~self.is_missing
        others = ~is_iso & ~self.is_missing
        if int(others.sum()) > MAX_SINGLE:
            if self._may_be(others, _is_date) or self._may_be(~self.is_missing, _is_duration):
                raise _NotHere
            return None
        groups = np.arange(1, len(self.texts) + 1, dtype="int32")
        groups[is_iso] = 0
        found = recognise_dates(self._reduced(groups), self.hints)
        if found is None:
            if self._may_be(~self.is_missing, _is_duration):
                raise _NotHere
            return None
        reading, _ = found
        rest = times_of(self.texts.filter(pa.array(others)), reading.spelling)
        times = np.concatenate([iso[is_iso], rest[~np.isnat(rest)]]).view("int64")
        leave_out(reading, different(times), self._facts(), self.hints)
        return reading

    def _text(self) -> ColumnReading:
        release_memory()
        own = self.hints.missing_words
        known = spellings.MISSING_TEXTS if own is None else set(map(spellings.trimmed, own))
        is_missing = is_in(self.texts, {*known, ""})
        places = np.flatnonzero(~is_missing)
        texts, counts = without(self.texts, is_missing), self.counts[places]
        n_levels, n_cells = len(texts), int(counts.sum())
        if n_levels <= MAX_BOOLEAN_TEXTS:
            raise _NotHere
        reading = new_reading(
            self._facts(), "category", {"": n_cells}, self._counted(np.flatnonzero(is_missing))
        )
        reading.distinct = n_levels
        set_text_type(reading, n_levels, _n_words(texts, counts), self.hints)
        kept = np.flatnonzero(is_in(texts, in_any_case(LEVELS_LIKE_MISSING)))
        report_kept_levels(reading, self._counted(places[kept]))
        if reading.type in TEXT_TYPES:
            report_lookalikes(reading, *self._lookalikes(places, n_cells))
        if reading.type == "category" and _are_same_but_for_case(texts):
            report_same_levels(reading, texts.to_pylist())
        return reading

    def _lookalikes(self, places: Any, n_cells: int) -> tuple[int, dict[str, int], int]:
        """Return the same as `column_reading._lookalikes`; `places` : those of the values in the texts."""
        sample = places
        if len(places) > SAMPLE_SIZE:  # as `sample_of`
            frequent = places[self.counts[places] > n_cells / SAMPLE_SIZE]
            sample = np.concatenate([frequent, places[:: len(places) // SAMPLE_SIZE]])
        n_numbers, n_dates = 0, 0
        codes: dict[str, int] = {}
        if self._any(sample[self.is_number_like[sample]], spellings.digits_of):
            alike = self._first_of_groups(places[self.is_number_like[places]])
            n_numbers, codes = count_lookalikes(alike, self.hints)
        if self._any(sample[self.has_digit[sample]], spellings.parse_date):
            is_iso = ~np.isnat(iso_times(self.texts))
            n_dates = int(self.counts[places[is_iso[places]]].sum())
            others = places[(self.has_digit & ~is_iso)[places]]
            for part in _parts(others):
                found = [spellings.parse_date(text) is not None for text in self._list(part)]
                n_dates += int(self.counts[part[np.array(found, dtype=bool)]].sum())
        return n_numbers, codes, n_dates

    # ------------------------------------------------------------ a few texts for all

    def _facts(self) -> Texts:
        """Return what is to be said about the column, without its texts."""
        column = self.column
        return Texts(column.name, {}, column.n_rows, {}, column.n_null, column.n_trimmed)

    def _reduced(self, groups: Any) -> Texts:
        """Return the first texts of each group, with the counts of all."""
        places, counts = _representatives(groups, self.counts, MAX_EXAMPLES)
        if len(places) > MAX_SINGLE:
            raise _NotHere
        texts = self._list(places)
        column = self.column
        return Texts(
            column.name,
            dict(zip(texts, counts.tolist(), strict=True)),
            column.n_rows,
            dict(zip(texts, column.first_rows[places].tolist(), strict=True)),
            column.n_null,
            column.n_trimmed,
        )

    def _first_of_groups(self, among: Any) -> dict[str, int]:
        """Return the first texts of the groups of some places, with the counts of all."""
        places, counts = _representatives(self.groups[among], self.counts[among], 1)
        if len(places) > MAX_SINGLE:
            raise _NotHere
        return dict(zip(self._list(among[places]), counts.tolist(), strict=True))

    def _list(self, places: Any) -> list[str]:
        found: list[str] = self.texts.take(pa.array(places)).to_pylist()
        return found

    def _counted(self, places: Any) -> dict[str, int]:
        return dict(zip(self._list(places), self.counts[places].tolist(), strict=True))

    # ------------------------------------------------------------ shares of the cells

    def _known(self, among: Any) -> int:
        """Return how many cells that are not missing have one of these texts, bool array of shape (n_distinct,)."""
        return int(self.counts[among & ~self.is_missing].sum())

    def _is_enough(self, n_readable: int) -> bool:
        return is_enough(n_readable, self.n_known - n_readable)

    def _may_be(self, among: Any, is_one: Callable[[str], bool]) -> bool:
        """Return whether so many cells are dates or durations that the column may be one of them.

        Looks at texts until there are too many others.
        """
        if not self._is_enough(self._known(self.has_digit)):
            return False
        n_others = 0
        for part in _parts(np.flatnonzero(among)):
            is_other = ~np.fromiter(map(is_one, self._list(part)), bool, len(part))
            n_others += int(self.counts[part[is_other]].sum())
            if not is_enough(self.n_known - n_others, n_others):
                return False
        return True

    def _any(self, places: Any, parse: Callable[[str], Any]) -> bool:
        return any(parse(text) is not None for part in _parts(places) for text in self._list(part))


def _is_date(text: str) -> bool:
    return spellings.parse_date(text, allow_compact=True) is not None


def _is_duration(text: str) -> bool:
    return spellings.parse_duration(text) is not None


def _parts(places: Any) -> Iterator[Any]:
    """Yield places some at a time, few at first, which often decide."""
    start, size = 0, 500
    while start < len(places):
        yield places[start : start + size]
        start, size = start + size, CHUNK


def _groups(texts: Any, is_single: Any) -> tuple[Any, Any, Any]:
    """Return the group of each text, which may be numbers, and which have digits.

    These are one int32 array and two bool arrays of shape (n_texts,).

    To the rules for numbers, texts of one group are alike but for their value: none is a number, or they have the
    same signs at the same places, and neither their digits nor their number make one a code and not another.
    `is_single` : texts that are their own group.
    """
    is_ascii = pc.string_is_ascii(texts).to_numpy(zero_copy_only=False)
    has_digit = matches(texts, _DIGIT)
    is_number_like = has_digit & (~is_ascii | matches(texts, _MAY_BE_NUMBER))
    groups = np.arange(1, len(texts) + 1, dtype="int32")  # single
    groups[~is_number_like & ~is_single] = 0
    places = np.flatnonzero(is_number_like & ~is_single)
    alike = without(texts, ~is_number_like | is_single)
    is_alike = lengths(alike) <= _MAX_DIGITS
    is_alike &= ~matches(alike, _LARGE_EXPONENT)
    is_alike |= matches(alike, _FINITE)
    foreign = np.flatnonzero(~is_ascii[places])
    if len(foreign):  # digits of other scripts
        some = alike.take(pa.array(foreign))
        n_digits = [pc.count_substring_regex(some, digit) for digit in (_DIGIT, "[0-9]")]
        is_alike[foreign] &= pc.equal(*n_digits).to_numpy(zero_copy_only=False)
    places, alike = places[is_alike], without(alike, ~is_alike)
    shapes = _shapes(alike).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    groups[places] = -1 - 2 * shapes - matches(alike, _LEADING_ZERO)
    return groups, is_number_like, has_digit


def _shapes(texts: Any) -> Any:
    """Return texts with 1 for every digit."""
    _, offsets, data = texts.buffers()
    content = _SHAPE[np.frombuffer(data or b"", "uint8")]
    return pa.Array.from_buffers(
        texts.type, len(texts), [None, offsets, pa.py_buffer(content)], offset=texts.offset
    )


def _representatives(groups: Any, counts: Any, n_each: int) -> tuple[Any, Any]:
    """Return the places of the first `n_each` members of each group, in order, and counts that add up to all."""
    order = np.argsort(groups, kind="stable")
    if not len(order):
        return order, counts
    in_order = groups[order]
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = in_order[1:] != in_order[:-1]
    del in_order
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], len(order))
    kept = is_first
    for rank in range(1, n_each):
        place = starts + rank
        kept[place[place < ends]] = True
    places = order[kept]
    own = counts[places]
    # the first one of a group stands for those that are not kept
    firsts = np.searchsorted(np.flatnonzero(kept), starts)
    own[firsts] += np.add.reduceat(counts[order], starts) - np.add.reduceat(own, firsts)
    by_place = np.argsort(places)
    return places[by_place], own[by_place]


def _n_words(texts: Any, counts: Any) -> int:
    """Return how many words `str.split` finds in all cells; `counts` : how often each text occurs."""
    is_ascii = pc.string_is_ascii(texts).to_numpy(zero_copy_only=False)
    total = 0
    for start in range(0, len(texts), CHUNK):
        part = slice(start, start + CHUNK)
        if is_ascii[part].all():
            words = _ascii_words(texts.slice(start, CHUNK))
        else:
            words = np.array([len(text.split()) for text in texts.slice(start, CHUNK).to_pylist()])
        total += int((words * counts[part]).sum())
    return total


def _ascii_words(texts: Any) -> Any:
    """Return the number of words of each text, int64 array of shape (n_texts,)."""
    _, buffer, data = texts.buffers()
    offsets = np.frombuffer(buffer, "int64")[texts.offset : texts.offset + len(texts) + 1]
    signs = np.frombuffer(data or b"", "uint8")[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    is_letter = ~_IS_BLANK[signs]
    begins = is_letter.copy()
    begins[1:] &= ~is_letter[:-1]
    first = offsets[:-1][np.diff(offsets) > 0]
    begins[first] = is_letter[first]
    before = np.concatenate([[0], np.cumsum(begins)])
    return before[offsets[1:]] - before[offsets[:-1]]


def _are_same_but_for_case(texts: Any) -> bool:
    """Return whether two texts differ by case and blanks only."""
    is_ascii = pc.string_is_ascii(texts)
    folded = pc.replace_substring_regex(texts.filter(is_ascii), rf"[{_BLANKS}]+", " ")
    folded = pc.ascii_lower(pc.utf8_trim(folded, " "))
    others = [spellings.folded(text) for text in texts.filter(pc.invert(is_ascii)).to_pylist()]
    every = pa.chunked_array([folded, pa.array(others, type=folded.type)])
    return int(pc.count_distinct(every).as_py()) < len(texts)
