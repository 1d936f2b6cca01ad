"""The distinct texts of a column: the same ones, however many there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.reading import distinct_texts as module
from jupyter_pycaret_ops.kernel.reading.distinct_texts import distinct_texts

pytest.importorskip("pyarrow")

N_ROWS = 3 * module.CHUNK + 7


def texts_of(n_levels: int, *, with_null: bool) -> pd.Series:
    """Return a column with as many levels; every 50th cell may be null."""
    places = np.random.default_rng(0).permutation(N_ROWS) % n_levels
    cells = np.array([f"text {place}" for place in places], dtype=object)
    if with_null:
        cells[::50] = None
    return pd.Series(cells, dtype="str")


def facts(series: pd.Series) -> dict[str, Any]:
    found = distinct_texts("text", series)
    assert found is not None
    return {
        "texts": found.texts.to_pylist(),
        "counts": found.counts.tolist(),
        "first_rows": found.first_rows.tolist(),
        "codes": found.codes.tolist(),
        "null": found.n_null,
    }


@pytest.mark.parametrize("with_null", [False, True])
@pytest.mark.parametrize("n_levels", [N_ROWS, N_ROWS - 5, N_ROWS // 2])
def test_nearly_distinct_texts_are_encoded_as_all_others(
    n_levels: int, with_null: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = texts_of(n_levels, with_null=with_null)
    by_hashes = facts(series)
    monkeypatch.setattr(module, "_encoded_by_hashes", lambda cells: None)
    assert by_hashes == facts(series)
    known = series.dropna()
    assert by_hashes["texts"] == known.unique().tolist()
    assert sum(by_hashes["counts"]) == len(known)


def test_texts_with_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    series = texts_of(N_ROWS, with_null=False)
    expected = facts(series)
    monkeypatch.setattr(
        pd.util, "hash_array", lambda values, **_: np.zeros(len(values), dtype="uint64")
    )
    assert facts(series) == expected


def test_texts_that_are_all_different_are_the_column_itself() -> None:
    series = texts_of(N_ROWS, with_null=False)
    found = distinct_texts("text", series)
    assert found is not None
    own = series.array.__arrow_array__().chunk(0)
    assert found.texts.buffers()[2].address == own.cast("large_string").buffers()[2].address
