"""A column of texts as arrays of its distinct texts: what is decided about a text is decided once.

Needs pyarrow. Without it, and for columns of other objects, `columns.py` makes the mappings of `Texts` itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.tables.column_reading import Texts
from jupyter_pycaret_ops.common.tables.spellings import UNSEEN

from .memory import release_memory

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError:
    pa = pc = None

#: texts that are Python objects at a time
CHUNK = 16_384
#: share of the first cells that are different where encoding a column takes long
MANY_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class DistinctTexts:
    """A column of texts: each distinct text without blanks around it, in the order of their first rows."""

    name: str
    #: large_string array of shape (n_distinct,), without nulls
    texts: Any
    #: how often each occurs, int32 array of shape (n_distinct,)
    counts: Any
    #: the row in which each stands first, int32 array of shape (n_distinct,)
    first_rows: Any
    #: the place of each cell in `texts`, -1 where it is null, int16 or int32 array of shape (n_rows,)
    codes: Any
    n_null: int = 0
    #: cells that had blanks around them, those of blanks only aside
    n_trimmed: int = 0
    #: whether the cells are the texts, without anything trimmed
    is_raw: bool = True
    #: texts with blanks, where these differ and are labels
    labels: Mapping[str, int] | None = None

    @property
    def n_rows(self) -> int:
        """The number of cells."""
        return len(self.codes)

    @property
    def nbytes(self) -> int:
        """The memory it takes."""
        arrays = (self.texts, self.counts, self.first_rows, self.codes)
        return sum(int(array.nbytes) for array in arrays)

    def to_texts(self) -> Texts:
        """Return the same as mappings, which hold each text as a Python object."""
        texts = self.texts.to_pylist()
        return Texts(
            self.name,
            dict(zip(texts, self.counts.tolist(), strict=True)),
            self.n_rows,
            dict(zip(texts, self.first_rows.tolist(), strict=True)),
            self.n_null,
            self.n_trimmed,
            self.labels,
        )

    def of_cells(self, values: Any) -> Any:
        """Return the value of each cell, float64 or datetime64 array of shape (n_rows,), from those of its texts.

        `values` : array of shape (n_distinct,). Null cells are NaN or NaT.
        """
        missing = np.array([np.nan if values.dtype.kind == "f" else "NaT"], dtype=values.dtype)
        return np.concatenate([values, missing])[self.codes]  # the code -1 is the last one


def distinct_texts(name: str, series: Any, *, is_target: bool = False) -> DistinctTexts | None:
    """Return the distinct texts of a column, None where it holds other objects than texts.

    `series` : Series of shape (n_rows,); `is_target` : with blanks as well, as labels have them.
    """
    cells = _arrow_array(series)
    if cells is None:
        return None
    codes, texts = _encoded(cells)
    labels, n_trimmed = None, 0
    is_raw = all(_is_trimmed(part) for part in slices_of(texts))
    if not is_raw:
        counts = _counts(codes, len(texts))
        trimmed = pc.utf8_trim(texts, UNSEEN)
        is_changed = pc.and_(pc.not_equal(texts, trimmed), pc.not_equal(trimmed, ""))
        n_trimmed = int(counts[is_changed.to_numpy(zero_copy_only=False)].sum())
        if is_target and n_trimmed:
            labels = dict(zip(texts.to_pylist(), counts.tolist(), strict=True))
        places, texts = _encoded(trimmed)
        codes = np.append(places, np.int32(-1))[codes]
    counts, first_rows = _counts(codes, len(texts)), _first_rows(codes)
    if len(texts) < np.iinfo("int16").max:
        codes = codes.astype("int16")
    n_null = int(cells.null_count)
    return DistinctTexts(name, texts, counts, first_rows, codes, n_null, n_trimmed, is_raw, labels)


def cells_of_many(series: Any) -> Any:
    """Return the cells of a column whose first texts are nearly all different, None for other columns.

    Returns large_string array of shape (n_rows,).
    """
    if not isinstance(series.dtype, pd.StringDtype):
        return None
    n_first = min(len(series), CHUNK)
    if series.iloc[:n_first].nunique() < MANY_SHARE * n_first:
        return None
    return _arrow_array(series)


def slices_of(texts: Any) -> Iterator[Any]:
    """Yield parts of an array, without copies."""
    return (texts.slice(start, CHUNK) for start in range(0, len(texts), CHUNK))


def chunks_of(texts: Any) -> Iterator[list[str]]:
    """Yield the texts of an array as Python objects, some at a time."""
    return (part.to_pylist() for part in slices_of(texts))


def _encoded(cells: Any) -> tuple[Any, Any]:
    """Return the place of each cell in the different texts, -1 where null, and these texts."""
    first = cells.slice(0, CHUNK)
    if len(cells) > CHUNK and pc.count_distinct(first).as_py() >= MANY_SHARE * CHUNK:
        found = _encoded_by_hashes(cells)
        release_memory()
        if found is not None:
            return found
    encoded = cells.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    # texts that are all different are the column itself, without a copy
    return codes, cells if len(encoded.dictionary) == len(cells) else encoded.dictionary


def _encoded_by_hashes(cells: Any) -> tuple[Any, Any] | None:
    """Return the same as `_encoded`, without a second copy of texts that are all different.

    None where two different texts have one hash.
    """
    parts = [
        pd.util.hash_array(part.to_numpy(zero_copy_only=False), categorize=False)
        for part in slices_of(cells)
    ]
    rows = np.arange(len(cells), dtype="int32")
    if cells.null_count:
        rows = rows[cells.is_valid().to_numpy(zero_copy_only=False)]
    hashes = np.concatenate(parts)[rows]
    del parts
    order = np.argsort(hashes, kind="stable").astype("int32")
    hashes = hashes[order]
    is_first = np.ones(len(hashes), dtype=bool)
    is_first[1:] = hashes[1:] != hashes[:-1]
    del hashes
    codes = np.full(len(cells), -1, dtype="int32")
    if is_first.all():
        codes[rows] = np.arange(len(rows), dtype="int32")
        return codes, cells if len(rows) == len(cells) else cells.drop_null()
    # of equal texts, the one in the first row comes first
    in_order = rows[order]
    firsts = in_order[is_first]
    groups = np.cumsum(is_first, dtype="int32") - np.int32(1)
    repeated = ~is_first
    others, own = in_order[repeated], firsts[groups[repeated]]
    if not pc.all(pc.equal(cells.take(pa.array(others)), cells.take(pa.array(own)))).as_py():
        return None
    by_row = np.argsort(firsts)
    places = np.empty(len(firsts), dtype="int32")
    places[by_row] = np.arange(len(firsts), dtype="int32")
    codes[in_order] = places[groups]
    first_rows = firsts[by_row]
    del order, in_order, groups, places, firsts, by_row
    release_memory()  # before the texts are copied
    return codes, cells.take(pa.array(first_rows))


def _is_trimmed(texts: Any) -> bool:
    return bool(pc.all(pc.equal(texts, pc.utf8_trim(texts, UNSEEN)), min_count=0).as_py())


def _arrow_array(series: Any) -> Any:
    """Return a column as large_string array without chunks, None where it is none of texts."""
    if pa is None:
        return None
    dtype = series.dtype
    if isinstance(dtype, pd.StringDtype):
        cells = series.array
    elif pd.api.types.is_object_dtype(dtype) and (
        pd.api.types.infer_dtype(series, skipna=True) == "string"
    ):
        cells = series.to_numpy()
    else:
        return None
    try:
        found = pa.array(cells, from_pandas=True)
        if isinstance(found, pa.ChunkedArray):  # of one chunk, `combine_chunks` makes a copy
            found = found.chunk(0) if found.num_chunks == 1 else found.combine_chunks()
        return found.cast(pa.large_string())
    except (pa.ArrowException, UnicodeError, TypeError):  # lone surrogates, for example
        return None


def _counts(codes: Any, n_distinct: int) -> Any:
    return np.bincount(codes[codes >= 0], minlength=n_distinct).astype("int32")


def _first_rows(codes: Any) -> Any:
    """Return the rows in which codes occur first; they are numbered in this order."""
    highest = np.maximum.accumulate(codes)
    is_new = highest >= 0
    is_new[1:] &= highest[1:] != highest[:-1]
    return np.flatnonzero(is_new).astype("int32")
