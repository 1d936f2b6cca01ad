"""Read a delimited text file some rows at a time, into the DataFrame that pandas makes of the whole file.

`pandas.read_csv` holds all cells as Python objects before it makes columns of them, which takes three times the memory
of the columns and more time. Columns whose parts are of several types are read again as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TextIO

import pandas as pd

N_ROWS = 50_000

Open = Callable[[], AbstractContextManager[TextIO]]


def read_csv_in_parts(open_text: Open, options: dict[str, Any]) -> Any:
    """Return what `pandas.read_csv` returns with `options`, DataFrame of shape (n_rows, n_columns).

    A zero may have another sign, which depends on what else is in its column.

    `open_text` opens the text from its beginning. `options` have `usecols`, positions in order.
    """
    parts, labels = _parts_of(open_text, options)
    places = list(options["usecols"])
    again = [place for place, found in enumerate(parts) if not _have_one_type(found)]
    if again or not parts:
        wanted = [places[place] for place in again] if parts else places
        with open_text() as text:
            whole = pd.read_csv(text, **options | {"usecols": wanted})
        if not parts or len(again) == len(labels):
            return whole
        for position, place in enumerate(again):
            parts[place] = [whole.iloc[:, position]]
    columns: dict[Any, Any] = {}
    for place, label in enumerate(labels):
        columns[label] = pd.concat(parts[place], ignore_index=True)
        parts[place] = []
    return pd.DataFrame(columns, copy=False)


def _parts_of(open_text: Open, options: dict[str, Any]) -> tuple[list[list[Any]], list[Any]]:
    """Return the parts of each column, Series of at most `N_ROWS` rows, and the names of the columns."""
    parts: list[list[Any]] = []
    labels: list[Any] = []
    with open_text() as text, pd.read_csv(text, chunksize=N_ROWS, **options) as chunks:
        for chunk in chunks:
            labels = list(chunk.columns)
            parts = parts or [[] for _ in labels]
            for place, found in enumerate(parts):
                found.append(chunk.iloc[:, place])
    return parts, labels


def _have_one_type(parts: Sequence[Any]) -> bool:
    """Return whether the type of a column's parts is that of all its rows; of objects it may be another."""
    return len(parts) == 1 or (
        len({part.dtype for part in parts}) == 1 and not pd.api.types.is_object_dtype(parts[0])
    )
