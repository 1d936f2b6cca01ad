"""Previews of text files that can be read by ranges: only their beginning is read."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from jupyter_pycaret_ops.common.tables.csv_scan import SAMPLE_BYTES
from jupyter_pycaret_ops.common.tables.dialect import Dialect
from jupyter_pycaret_ops.kernel.reading.files import (
    CHUNK_BYTES,
    preview,
    read_delimited,
    read_table,
)
from jupyter_pycaret_ops.kernel.reading.interfaces import SourceUnreadable

ROWS = "Report\n\nname;note\n" + "".join(f'ä{n};"two\nlines {n}"\n' for n in range(30_000))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("place", range(0, 60, 7))
def test_beginning_that_ends_within_a_cell_is_previewed(encoding: str, place: int) -> None:
    content = ("x" * place + ROWS).encode(encoding)
    assert len(content) > SAMPLE_BYTES
    seen = preview(io.BytesIO(content), len(content), "csv", "The object", 2)
    assert [column["name"] for column in seen["columns"]] == ["name", "note"]
    assert seen["rows"][1] == {"name": "ä1", "note": "two\nlines 1"}
    assert seen["total_rows"] is None


def test_rows_of_a_small_file_are_counted_exactly() -> None:
    content = b'size,name\n5" disk,a\n3" disk,b\n'
    seen = preview(io.BytesIO(content), len(content), "csv", "The object", 2)
    assert seen["total_rows"] == 2


def test_refusal_names_the_object_and_the_line() -> None:
    content = b"a,b\n1,2,3\n"
    with pytest.raises(SourceUnreadable, match=r"The object is not a table\. Line 2 has 3 values"):
        preview(io.BytesIO(content), len(content), "csv", "The object", 2)


def test_fields_that_a_person_gave_are_stronger_than_what_is_detected() -> None:
    content = b"a;b\n1;x\n2;z\n"
    frame, dialect = read_table(content, "csv", "k.csv", None, {"delimiter": ","})
    assert dialect is not None
    assert (list(frame.columns), dialect["delimiter"]) == (["a;b"], ",")
    seen = preview(io.BytesIO(content), len(content), "csv", "k.csv", 2, {"header": "false"})
    assert [column["name"] for column in seen["columns"]] == ["column_1", "column_2"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_file_on_disk_is_read_as_its_bytes_and_never_as_a_whole(
    encoding: str, tmp_path: Path
) -> None:
    lines = [f"ä{n};{n},5;{n:05}" for n in range(200_000)]
    content = "\n".join(["name;size;code", *lines, ""]).encode(encoding)
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    largest = 0

    class Watched(io.FileIO):
        def readinto(self, buffer: object) -> int | None:
            nonlocal largest
            count = super().readinto(buffer)  # type: ignore[arg-type]
            largest = max(largest, count or 0)
            return count

        def readall(self) -> bytes:
            raise AssertionError("the file is read as a whole")

    dialect = Dialect(encoding, ";", header=True)
    names = ["name", "size", "code"]
    found = read_delimited(lambda: io.BufferedReader(Watched(path)), dialect, names)
    pd.testing.assert_frame_equal(found, read_delimited(content, dialect, names))
    assert found["code"].iloc[7] == "00007"
    assert largest <= CHUNK_BYTES < len(content)
