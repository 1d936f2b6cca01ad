"""Files that are read some rows at a time, against `pandas.read_csv` of the whole file."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.kernel.reading import csv_parts
from jupyter_pycaret_ops.kernel.reading.csv_parts import read_csv_in_parts

CELLS = {
    "integers": ["1", "2", "-0", "30"],
    "floats": ["1.5", "-0.0", "2", "1e5"],
    "missing": [""],
    "texts": ["a", "b c", '"x,y"', '"two\nlines"', "007x"],
    "booleans": ["True", "False"],
    "large": ["9223372036854775808", "18446744073709551616", "9007199254740993"],
    "codes": ["007", "042"],
}


@pytest.fixture(autouse=True)
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_parts, "N_ROWS", 3)


def options(names: list[str]) -> dict[str, Any]:
    return {
        "header": 0,
        "names": names,
        "usecols": range(len(names)),
        "index_col": False,
        "keep_default_na": False,
        "na_values": [""],
        "low_memory": False,
        "float_precision": "round_trip",
    }


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=2), min_size=1, max_size=3
    ),
    st.data(),
)
def test_file_is_read_as_in_one_part(kinds: list[list[str]], data: st.DataObject) -> None:
    size = data.draw(st.integers(0, 11))
    columns = [
        data.draw(
            st.lists(
                st.sampled_from([cell for kind in some for cell in CELLS[kind]]),
                min_size=size,
                max_size=size,
            )
        )
        for some in kinds
    ]
    names = [f"c{place}" for place in range(len(kinds))]
    rows = [",".join(names), *(",".join(row) for row in zip(*columns, strict=True))]
    text = "\n".join(rows) + "\n"
    expected = pd.read_csv(io.StringIO(text), **options(names))
    found = read_csv_in_parts(lambda: io.StringIO(text), options(names))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    for name in names:
        assert list(map(type, found[name])) == list(map(type, expected[name]))


def test_cell_that_does_not_end_is_refused_with_its_row() -> None:
    text = "a,b\n" + "1,2\n" * 7 + '1,"2\n'
    how = options(["a", "b"])
    with pytest.raises(pd.errors.ParserError, match="starting at row 8"):
        pd.read_csv(io.StringIO(text), **how)
    with pytest.raises(pd.errors.ParserError, match="starting at row 8"):
        read_csv_in_parts(lambda: io.StringIO(text), how)
