"""The numbers and times that texts mean, for many texts at once.

The usual spellings are read by pyarrow and numpy, every other text by `common/tables/spellings`, which says what a
text means. A spelling is usual only where both read it alike, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.tables import spellings
from jupyter_pycaret_ops.common.tables.column_cells import MISSING_IN_ANY_CASE
from jupyter_pycaret_ops.common.tables.spellings import PLAIN_NUMBER

from .distinct_texts import CHUNK, DistinctTexts, chunks_of, slices_of

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError:
    pa = pc = None

JSON = dict[str, Any]

#: a date, and a date with a time, in ISO 8601
ISO_DATE = r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}"
ISO_TIME = ISO_DATE + r"[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
_PLAIN = rf"^(?:{PLAIN_NUMBER.pattern})$"
#: a number with a point or a comma before its last digits, which is no code, and may have a currency or a percent sign
_WITH_POINT = (
    r"^[-+]?[$€£¥]?(?:(?:0|[1-9][0-9]{0,14})|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,4}|[0-9]{1,40}\.[0-9]+"
    r"|[0-9]{1,3}(?:,[0-9]{3}){1,12}\.[0-9]*)(?: ?[%$€£¥])?$"
)
_WITH_COMMA = (
    r"^[-+]?[$€£¥]?(?:(?:0|[1-9][0-9]{0,14})|[1-9][0-9]{0,2}(?:\.[0-9]{3}){1,4}|[0-9]{1,40},[0-9]+"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,12},[0-9]*)(?: ?[%$€£¥])?$"
)
_TWO_CURRENCIES = r"[$€£¥].*[$€£¥]"
#: digits and signs of a date without a time
_ISO_DATE_LENGTH = 10


def numbers_of(texts: Any, spelling: Mapping[str, Any]) -> Any:
    """Return the numbers that texts mean in the spelling of their column, NaN for other texts.

    `texts` : large_string array of shape (n_texts,), without blanks around them. Returns float64 array of shape
    (n_texts,). The same as `spellings.number_of` of each.
    """
    decimal = spelling.get("decimal") or "."
    numbers = np.full(len(texts), np.nan)
    is_read = np.zeros(len(texts), dtype=bool)
    if decimal == ".":
        is_read = matches(texts, _PLAIN)
        numbers[is_read] = _floats(without(texts, ~is_read))
    if decimal in (".", ",") and not is_read.all():
        is_usual = ~is_read & matches(texts, _WITH_POINT if decimal == "." else _WITH_COMMA)
        is_usual &= ~matches(texts, _TWO_CURRENCIES)
        digits = without(texts, ~is_usual)
        if decimal == ",":
            digits = pc.replace_substring_regex(digits, r"[^0-9,\-]", "")
            digits = pc.replace_substring(digits, ",", ".")
        else:
            digits = pc.replace_substring_regex(digits, r"[^0-9.\-]", "")
        numbers[is_usual] = _floats(digits)
        is_read |= is_usual
    others = np.flatnonzero(~is_read)
    found = (
        spellings.number_of(text, spelling)
        for chunk in chunks_of(texts.take(pa.array(others)))
        for text in chunk
    )
    numbers[others] = np.fromiter(
        (np.nan if number is None else number.value for number in found), "float64", len(others)
    )
    return numbers


def times_of(texts: Any, spelling: Mapping[str, Any]) -> Any:
    """Return the wall times that texts mean in the spelling of their column, NaT for other texts.

    `texts` : as for `numbers_of`. Returns datetime64[us] array of shape (n_texts,). The same as
    `spellings.date_of` of each, in the column's offset.
    """
    if spelling.get("format"):
        times, is_read = _no_times(len(texts)), np.zeros(len(texts), dtype=bool)
    else:
        times = iso_times(texts)
        is_read = ~np.isnat(times)
    others = np.flatnonzero(~is_read)
    place, offset = 0, spelling.get("offset")
    for chunk in chunks_of(texts.take(pa.array(others))):
        for text in chunk:
            date = spellings.date_of(text, spelling)
            if date is not None:
                times[others[place]] = spellings.in_offset(date, offset)
            place += 1
    return times


def numbers_of_column(column: DistinctTexts, spelling: Mapping[str, Any]) -> Any:
    """Return the number of each distinct text, NaN where missing or unreadable, as `portable.read_numbers` reads it."""
    is_word = _missing_words(column, spelling)
    numbers = np.full(len(column.texts), np.nan)
    numbers[~is_word] = numbers_of(without(column.texts, is_word), spelling)
    for word in spelling.get("missing_words") or ():
        number = spellings.parse_number(word)
        if number is not None:
            numbers[numbers == number.value] = np.nan
    return numbers


def times_of_column(column: DistinctTexts, spelling: Mapping[str, Any]) -> Any:
    """Return the time of each distinct text, NaT where missing or unreadable, as `portable.read_dates` reads it."""
    is_word = _missing_words(column, spelling)
    times = _no_times(len(column.texts))
    times[~is_word] = times_of(without(column.texts, is_word), spelling)
    return times


def _missing_words(column: DistinctTexts, spelling: Mapping[str, Any]) -> Any:
    own = spelling.get("missing_words")
    return is_in(column.texts, {*(MISSING_IN_ANY_CASE if own is None else own), ""})


def most_frequent(
    column: DistinctTexts, n_most: int, *, without: Iterable[str] = ()
) -> list[tuple[str, int]]:
    """Return the most frequent texts and their counts; of those that are equally frequent, the first by their signs.

    `without` : texts that do not count.
    """
    places = np.flatnonzero(~is_in(column.texts, without))
    counts = column.counts[places]
    if len(places) > n_most:
        least = np.partition(counts, -n_most)[-n_most]
        more, equal = places[counts > least], places[counts == least]
        places = np.concatenate([more, _first_by_signs(column.texts, equal, n_most)])
    found = zip(
        column.texts.take(pa.array(places)).to_pylist(), column.counts[places].tolist(), strict=True
    )
    return sorted(found, key=lambda item: (-item[1], item[0]))[:n_most]


def _first_by_signs(texts: Any, places: Any, n_first: int) -> Any:
    """Return the places of the first texts in the order of their signs, int64 array of up to `n_first`.

    Takes some texts at a time: those at `places` may be nearly all.
    """
    options = pc.SelectKOptions(k=n_first, sort_keys=[("texts", "ascending")])
    first = places[:0]
    for start in range(0, len(places), CHUNK):
        some = np.concatenate([first, places[start : start + CHUNK]])
        table = pa.table({"texts": texts.take(pa.array(some))})
        first = some[pc.select_k_unstable(table, options=options).to_numpy(zero_copy_only=False)]
    return first


def iso_times(texts: Any) -> Any:
    """Return the times of `2023-01-02` and `2023-01-02 08:00:00`, NaT for others, datetime64[us] array (n_texts,)."""
    return np.concatenate([_no_times(0), *map(_iso_times, slices_of(texts))])


def _iso_times(texts: Any) -> Any:
    times = _no_times(len(texts))
    size = lengths(texts)
    for length, pattern in ((10, ISO_DATE), (19, ISO_TIME)):
        places = np.flatnonzero(size == length)
        if not len(places):
            continue
        some = without(texts, size != length)
        is_one = matches(some, f"^{pattern}$")
        if is_one.any():
            times[places[is_one]] = _times_of_digits(without(some, ~is_one))
    return times


def lengths(texts: Any) -> Any:
    """Return the number of characters of each text, int32 array of shape (n_texts,)."""
    return pc.utf8_length(texts).to_numpy(zero_copy_only=False)


def different(values: Any) -> Any:
    """Return the different numbers of an array without NaN, sorted; faster than `numpy.unique` for many."""
    values = np.sort(values)
    is_new = np.ones(len(values), dtype=bool)
    is_new[1:] = values[1:] != values[:-1]
    return values[is_new]


def matches(texts: Any, pattern: str) -> Any:
    """Return which texts match a regular expression of RE2, bool array of shape (n_texts,)."""
    found = pc.match_substring_regex(texts, pattern)
    return (found.fill_null(False) if found.null_count else found).to_numpy(zero_copy_only=False)


def without(texts: Any, is_out: Any) -> Any:
    """Return the texts that are not out, bool array of shape (n_texts,); no copy where none is."""
    return texts.filter(pa.array(~is_out)) if is_out.any() else texts


def is_in(texts: Any, words: Iterable[str]) -> Any:
    """Return which texts are among some words, bool array of shape (n_texts,)."""
    found = pc.is_in(texts, value_set=pa.array(sorted(words), type=texts.type))
    return found.to_numpy(zero_copy_only=False)


def _floats(texts: Any) -> Any:
    return pc.cast(pc.utf8_ltrim(texts, "+"), pa.float64()).to_numpy(zero_copy_only=False)


def _no_times(count: int) -> Any:
    return np.full(count, "NaT", dtype="datetime64[us]")


def _times_of_digits(texts: Any) -> Any:
    """Return the times of texts of one length, `2023-01-02` or with a time; NaT where there is no such day or time."""
    _, offsets, data = texts.buffers()
    start, end = np.frombuffer(offsets, "int64")[[texts.offset, texts.offset + len(texts)]]
    signs = np.frombuffer(data, "uint8")[start:end].reshape(len(texts), -1)

    def number(begin: int, length: int) -> Any:
        found = np.zeros(len(texts), dtype="int32")
        for place in range(begin, begin + length):
            found = found * 10 + (signs[:, place] - 48)
        return found

    months = ((number(0, 4) - 1970) * 12 + number(5, 2) - 1).astype("datetime64[M]")
    month, day = number(5, 2), number(8, 2)
    days = months.astype("datetime64[D]") + (day - 1)
    is_valid = (month >= 1) & (month <= 12) & (day >= 1) & (days < (months + 1))
    times = days.astype("datetime64[us]")
    if signs.shape[1] > _ISO_DATE_LENGTH:
        hour, minute, second = number(11, 2), number(14, 2), number(17, 2)
        is_valid &= (hour < 24) & (minute < 60) & (second < 60)
        times += ((hour * 60 + minute) * 60 + second).astype("timedelta64[s]")
    times[~is_valid] = np.datetime64("NaT")
    return times
