"""Read a delimited text file some rows at a time, into the DataFrame that pandas makes of the whole file.

`pandas.read_csv` holds all cells as Python objects before it makes columns of them, which takes three times the memory
of the columns and more time. Columns whose parts are of several types are read again as a whole.

The cells of a part are copied behind those of the parts before and then released: parts that are kept until the end
lie among those of other columns, and what is released between them is not given back to the system.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TextIO

import numpy as np
import pandas as pd

from .memory import release_memory
from .progress import rows_read

try:
    import pyarrow as pa
except ImportError:
    pa = None

N_ROWS = 50_000
#: of the end of a text among the signs of all
_END_BYTES = 8

Open = Callable[[], AbstractContextManager[TextIO]]


def read_csv_in_parts(open_text: Open, options: dict[str, Any]) -> Any:
    """Return what `pandas.read_csv` returns with `options`, DataFrame of shape (n_rows, n_columns).

    A zero may have another sign, which depends on what else is in its column.

    `open_text` opens the text from its beginning. `options` have `usecols`, positions in order.
    """
    columns = _columns_of(open_text, options)
    if not columns:
        return _whole(open_text, options)
    places = list(options["usecols"])
    again = [place for place, column in enumerate(columns) if column.cells is None]
    if len(again) == len(columns):
        return _whole(open_text, options)
    series = [None if column.cells is None else column.cells.to_series() for column in columns]
    if again:
        whole = _whole(open_text, options | {"usecols": [places[place] for place in again]})
        for position, place in enumerate(again):
            series[place] = whole.iloc[:, position]
    names = [column.name for column in columns]
    return pd.DataFrame(dict(zip(names, series, strict=True)), copy=False)


def _whole(open_text: Open, options: dict[str, Any]) -> Any:
    with open_text() as text:
        return pd.read_csv(text, **options)


def _columns_of(open_text: Open, options: dict[str, Any]) -> list[_Column]:
    """Return the columns of the file, none where it has no rows."""
    columns: list[_Column] = []
    n_rows = 0
    with open_text() as text, pd.read_csv(text, chunksize=N_ROWS, **options) as chunks:
        for chunk in chunks:
            columns = columns or [
                _Column(*facts) for facts in zip(chunk.columns, chunk.dtypes, strict=True)
            ]
            for place, column in enumerate(columns):
                column.add(chunk.iloc[:, place])
            n_rows += len(chunk)
            rows_read(n_rows)
            del chunk  # before the next one is made
    release_memory()
    return columns


class _Column:
    """The cells of a column, those of each part behind those of the parts before."""

    def __init__(self, name: Any, dtype: Any) -> None:
        self.name = name
        self._dtype = dtype
        self._n_parts = 0
        self._is_object = pd.api.types.is_object_dtype(dtype)
        #: None where its parts are of several types, or of objects, whose type as a whole may be another
        self.cells: _Cells | None = _cells_of(dtype)

    def add(self, part: Any) -> None:
        """Take the next rows, Series of shape (n,)."""
        if part.dtype != self._dtype or (self._is_object and self._n_parts):
            self.cells = None
        if self.cells is not None:
            self.cells.add(part)
        self._n_parts += 1


class _Cells:
    """Cells of one type, which are kept as they are."""

    def __init__(self) -> None:
        self._parts: list[Any] = []

    def add(self, part: Any) -> None:
        """Take the next cells, Series of shape (n,)."""
        self._parts.append(part)

    def to_series(self) -> Any:
        """Return all of them, Series of shape (n_rows,); nothing can be added any more."""
        return pd.concat(self._parts, ignore_index=True)


class _Numbers(_Cells):
    """Numbers and booleans of numpy."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._content = bytearray()

    def add(self, part: Any) -> None:
        self._content += np.ascontiguousarray(part.to_numpy()).data

    def to_series(self) -> Any:
        return pd.Series(np.frombuffer(self._content, self._dtype))


class _Texts(_Cells):
    """Texts of Arrow: one array of them, which other code can use without a copy."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._n_rows = 0
        self._signs = bytearray()
        self._ends = bytearray(_END_BYTES)
        #: a byte for each cell up to the last part that has null
        self._is_null = bytearray()

    def add(self, part: Any) -> None:
        for chunk in part.array.__arrow_array__().chunks:
            cells = chunk.cast(pa.large_string())
            _, ends, signs = cells.buffers()
            own = np.frombuffer(ends, "int64")[cells.offset : cells.offset + len(cells) + 1]
            if signs is not None:
                self._signs += memoryview(signs)[own[0] : own[-1]]
            (before,) = np.frombuffer(self._ends[-_END_BYTES:], "int64")
            self._ends += (own[1:] + (before - own[0])).data
            if cells.null_count:
                self._is_null += bytes(self._n_rows - len(self._is_null))
                self._is_null += cells.is_null().to_numpy(zero_copy_only=False).data
            self._n_rows += len(cells)

    def to_series(self) -> Any:
        known = None
        if self._is_null:
            self._is_null += bytes(self._n_rows - len(self._is_null))
            is_known = np.frombuffer(self._is_null, "bool") ^ True
            known = pa.py_buffer(np.packbits(is_known, bitorder="little"))
        buffers = [known, pa.py_buffer(self._ends), pa.py_buffer(self._signs)]
        cells = pa.Array.from_buffers(pa.large_string(), self._n_rows, buffers)
        return pd.Series(pd.array(cells, dtype=self._dtype))


def _cells_of(dtype: Any) -> _Cells:
    if isinstance(dtype, np.dtype) and dtype.kind in "iufb":
        return _Numbers(dtype)
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
        return _Texts(dtype)
    return _Cells()
