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

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError:
    pa = pc = None

#: texts that are Python objects at a time
CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class DistinctTexts:
    """A column of texts: each distinct text without blanks around it, in the order of their first rows."""

    name: str
    #: large_string array of shape (n_distinct,), without nulls
    texts: Any
    #: how often each occurs, int64 array of shape (n_distinct,)
    counts: Any
    #: the row in which each stands first, int64 array of shape (n_distinct,)
    first_rows: Any
    #: the place of each cell in `texts`, -1 where it is null, int32 array of shape (n_rows,)
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
    encoded = cells.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    texts, labels, n_trimmed = encoded.dictionary, None, 0
    trimmed = pc.utf8_trim(texts, UNSEEN)
    is_same = pc.equal(texts, trimmed).to_numpy(zero_copy_only=False)
    is_raw = bool(is_same.all())
    if not is_raw:
        counts = _counts(codes, len(texts))
        is_empty = pc.equal(trimmed, "").to_numpy(zero_copy_only=False)
        n_trimmed = int(counts[~is_same & ~is_empty].sum())
        if is_target and n_trimmed:
            labels = dict(zip(texts.to_pylist(), counts.tolist(), strict=True))
        again = trimmed.dictionary_encode()
        places = again.indices.to_numpy(zero_copy_only=False)
        codes = np.append(places, np.int32(-1))[codes]
        texts = again.dictionary
    elif len(texts) == len(cells):
        texts = cells  # all different: the column itself
    n_null = int(cells.null_count)
    counts, first_rows = _counts(codes, len(texts)), _first_rows(codes)
    return DistinctTexts(name, texts, counts, first_rows, codes, n_null, n_trimmed, is_raw, labels)


def chunks_of(texts: Any) -> Iterator[list[str]]:
    """Yield the texts of an array as Python objects, some at a time."""
    for start in range(0, len(texts), CHUNK):
        yield texts.slice(start, CHUNK).to_pylist()


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
        found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
        return found.cast(pa.large_string())
    except (pa.ArrowException, UnicodeError, TypeError):  # lone surrogates, for example
        return None


def _counts(codes: Any, n_distinct: int) -> Any:
    return np.bincount(codes[codes >= 0], minlength=n_distinct)


def _first_rows(codes: Any) -> Any:
    """Return the rows in which codes occur first; they are numbered in this order."""
    return np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=np.int32(-1)) > 0)
