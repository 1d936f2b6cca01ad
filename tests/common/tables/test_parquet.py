"""Parquet files: read by their footer, refused when damaged or unusable for models."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.common.tables import parquet
from jupyter_pycaret_ops.common.tables.parquet import columns_of, examine, open_file


def written(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def test_parquet_types_map_to_column_types() -> None:
    table = pa.table(
        {
            "i": pa.array([1, None], pa.uint8()),
            "f": pa.array([1.5, None], pa.float32()),
            "dec": pa.array([Decimal("1.50"), None]),
            "b": [True, None],
            "s": ["x", None],
            "cat": pa.array(["x", None]).dictionary_encode(),
            "codes": pa.array([7, None]).dictionary_encode(),
            "day": [date(2026, 1, 2), None],
            "at": [datetime(2026, 1, 2, tzinfo=UTC), None],
            "nothing": pa.nulls(2),
            "raw": [b"x", None],
            "__index_level_0__": [0, 1],
        }
    )
    rows, columns = examine(io.BytesIO(written(table)))
    assert rows == 2
    assert {column["name"]: column["dtype"] for column in columns} == {
        "i": "integer",
        "f": "number",
        "dec": "number",
        "b": "boolean",
        "s": "string",
        "cat": "string",
        "codes": "integer",
        "day": "datetime",
        "at": "datetime",
        "nothing": "string",
        "raw": "string",
    }


@pytest.mark.parametrize(
    "column", [pa.array([[1]]), pa.array([{"a": 1}]), pa.array([[("k", 1)]], pa.map_("str", "i4"))]
)
def test_nested_column_is_refused_by_name(column: pa.Array) -> None:
    with pytest.raises(Invalid, match="“deep” holds lists or records"):
        examine(io.BytesIO(written(pa.table({"flat": [1], "deep": column}))))


def test_file_without_rows_or_columns_is_refused() -> None:
    with pytest.raises(Invalid, match="no row"):
        examine(io.BytesIO(written(pa.table({"a": pa.array([], pa.int64())}))))
    with pytest.raises(Invalid, match="no column"):
        examine(io.BytesIO(written(pa.table({}))))


WHOLE = written(pa.table({"a": list(range(50)), "b": [f"t{n % 3}" for n in range(50)]}))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6
    ),
    st.integers(0, len(WHOLE)),
)
def test_damaged_file_is_read_or_refused(changes: list[tuple[int, int]], length: int) -> None:
    damaged = bytearray(WHOLE)
    for place, value in changes:
        damaged[place] = value
    for content in (bytes(damaged), WHOLE[:length]):
        try:
            rows, columns = examine(io.BytesIO(content))
        except Invalid:
            continue
        assert rows > 0
        assert columns


def test_no_damaged_footer_ends_the_process() -> None:
    """Arrow ends the process for some, when it is asked for the place of a column's values."""
    footer = len(WHOLE) - 8 - int.from_bytes(WHOLE[-8:-4], "little")
    for place in range(footer, len(WHOLE) - 8):
        for value in (0, 9, 19, 32, 35, 64):
            damaged = bytearray(WHOLE)
            damaged[place] = value
            with contextlib.suppress(Invalid):
                examine(io.BytesIO(bytes(damaged)))


# ---------------------------------------------------------------- small files that unpack to large tables


def repeated(rows: int, times: int) -> bytes:
    """A file of few bytes with `rows * times` equal numbers."""
    stream = io.BytesIO()
    group = pa.table({"a": pa.array([0] * rows, pa.int8())})
    with pq.ParquetWriter(stream, group.schema, compression="zstd") as writer:
        for _ in range(times):
            writer.write_table(group)
    return stream.getvalue()


def test_file_with_too_many_values_is_refused_by_its_footer() -> None:
    content = repeated(5_000_000, 60)
    assert len(content) < 2_000_000
    for read in (examine, lambda stream: columns_of(open_file(stream))):
        with pytest.raises(Invalid, match="300,000,000 rows of 1 columns"):
            read(io.BytesIO(content))


def test_file_that_unpacks_to_too_many_bytes_is_refused_by_its_footer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parquet, "MAX_UNPACKED_BYTES", 1 << 20)
    content = written(pa.table({"a": [f"{n}" * 10 for n in range(100_000)]}))
    with pytest.raises(Invalid, match=r"unpacks to 0\.0 GiB"):
        examine(io.BytesIO(content))
