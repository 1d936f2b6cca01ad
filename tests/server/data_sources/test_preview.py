"""Previews of uploads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.common.tables.csv_scan import CsvScan
from jupyter_pycaret_ops.common.tables.preview import MAX_EXAMINED_VALUES
from jupyter_pycaret_ops.server.data_sources.preview import preview_csv
from jupyter_pycaret_ops.server.files.file_store import FileStore


def preview(folder: Path, content: bytes, rows: int = 20) -> dict[str, Any]:
    store = FileStore(str(folder))
    store.put("sources/one", content)
    looking = CsvScan()
    looking.feed(content)
    return preview_csv(store, "sources/one", looking.facts().config(), rows)


def test_values_have_types_and_missing_ones_are_null(tmp_path: Path) -> None:
    content = "﻿n;x;ok;name;when\n1;1.5;true;ä;2026-01-02\n;NA;False;;\n3;2;TRUE;c;2026-01-03\n"
    found = preview(tmp_path, content.encode())
    assert found["rows"] == [
        {"n": 1, "x": 1.5, "ok": True, "name": "ä", "when": "2026-01-02"},
        {"n": None, "x": None, "ok": False, "name": None, "when": None},
        {"n": 3, "x": 2.0, "ok": True, "name": "c", "when": "2026-01-03"},
    ]
    assert [(item["name"], item["dtype"], item["missing"]) for item in found["columns"]] == [
        ("n", "integer", 1),
        ("x", "number", 1),
        ("ok", "boolean", 0),
        ("name", "string", 1),
        ("when", "datetime", 1),
    ]


def test_number_of_rows_is_that_of_the_request(tmp_path: Path) -> None:
    content = b"a,species\n" + b"".join(b"%d,%c\n" % (n, b"xy"[n % 2]) for n in range(6_000))
    found = preview(tmp_path, content, 3)
    assert [row["a"] for row in found["rows"]] == [0, 1, 2]
    assert (found["total_rows"], found["examined_rows"]) == (6_000, 5_000)
    assert found["suggestion"]["target"] == "species"


def test_ragged_rows_and_a_later_value_of_another_type_are_previewed(tmp_path: Path) -> None:
    """A preview never fails on an upload that was accepted."""
    content = b"a,b\n" + b"1,2\n" * 3_000 + b"oops\n" + b"x,y\n"
    found = preview(tmp_path, content, 1000)
    json.dumps(found, allow_nan=False)
    assert found["columns"][1]["missing"] == 1


def test_nan_and_infinity_are_not_in_the_preview(tmp_path: Path) -> None:
    found = preview(tmp_path, b"a,b\n1.5,nan\n2.5,NaN\n")
    assert [row["b"] for row in found["rows"]] == [None, None]


def test_fewer_rows_of_a_wide_table_are_examined(tmp_path: Path) -> None:
    """A preview is computed in the server, so the number of its values is limited."""
    width = 2_000
    line = ",".join(["1"] * width) + "\n"
    content = (",".join(f"c{n}" for n in range(width)) + "\n" + line * 2_000).encode()
    seen = preview(tmp_path, content, rows=5)
    assert seen["examined_rows"] == MAX_EXAMINED_VALUES // width
    assert len(seen["rows"]) == 5


def test_fewer_rows_with_long_cells_are_examined(tmp_path: Path) -> None:
    long = "x" * (1 << 20)
    content = ("text,y\nshort,1\n" + f"{long},1\n" * 40).encode()
    seen = preview(tmp_path, content, rows=3)
    assert seen["examined_rows"] < 12
    assert seen["rows"][1]["text"] == long


def test_emptied_file_is_invalid(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path))
    store.put("sources/one", b"")
    config: dict[str, Any] = {"rows": 1, "columns": [], "encoding": "utf-8", "delimiter": ","}
    with pytest.raises(Invalid, match="no header"):
        preview_csv(store, "sources/one", config, 5)
