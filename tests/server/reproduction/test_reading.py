"""The code of a notebook reads a text file into the same DataFrame as the run."""

from __future__ import annotations

import ast
import hashlib
import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec
from jupyter_pycaret_ops.common.tables import workbook
from jupyter_pycaret_ops.common.tables.csv_scan import CsvScan
from jupyter_pycaret_ops.kernel.agent.loading import load
from jupyter_pycaret_ops.server.reproduction import Facts
from jupyter_pycaret_ops.server.reproduction.reading import source_of
from jupyter_pycaret_ops.server.store.models import Run

ROWS = "größe;größe;;wert\n007;1,5;a;\nNA;2,5;b;x\n;3,5;c;\n"
HOSTILE = 'x"""); import os; os.remove("y")#'
FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "utf-8": (ROWS.encode(), {}),
    "byte-order mark": (ROWS.encode("utf-8-sig"), {}),
    "cp1252": (ROWS.encode("cp1252"), {}),
    "utf-16": (ROWS.encode("utf-16"), {}),
    "windows line ends": (ROWS.replace("\n", "\r\n").encode(), {}),
    "old Mac line ends": (ROWS.replace("\n", "\r").replace("NA;", " NA;").encode(), {}),
    "title": (('The 5" report\n"open\n\n' + ROWS).encode(), {"skip_rows": 3}),
    "sep line": (("sep=;\n" + ROWS).encode(), {}),
    "trailing delimiters": (b"a,b\n1,2,\n3,4,,\n", {}),
    "no header": (b"1;2,5;x\n3;4,5;y\n", {}),
    "quote": (b"a,b\n'1,5',\"x\n'2,5',y\n", {"quote": "'"}),
    "no quote": (b'a,b\n"5 disk,1\n', {"quote": "none"}),
    "codes, booleans and gaps": (
        b"code,flag,card,n\n007,True,4111111111111111,1\n12,,,2.5\n3,False,5,\n",
        {},
    ),
    "booleans": (b"flag,n\nTrue,1\nFALSE,2\n", {}),
    "empty column": (b"a,b\n1,\n2,\n", {}),
    "tab": (b"a\tb\n\t1\n2\t\n", {}),
    "names that are code": (f"a;{HOSTILE}\n1;2\n".replace('"', "'").encode(), {"quote": "none"}),
}


def run_of(content: bytes, fields: dict[str, Any]) -> tuple[pd.DataFrame, Run]:
    """Return the DataFrame of a run on an upload, and the run."""
    scan = CsvScan()
    scan.feed(content)
    config = scan.facts(fields).config()
    names = [item["name"] for item in config["columns"]]
    options = {"dialect": config["dialect"], "columns": names}
    frame, snapshot = load(DataSpec("csv_upload", options), lambda: content, lambda: None)
    snapshot["data_sha256"] = hashlib.sha256(content).hexdigest()
    data = {"kind": "csv_upload", "options": {}}
    return frame, Run(id="0", plan="compare", data=data, snapshot=snapshot)


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the dtype of texts for columns of codes, which are objects in a run."""
    objects = [name for name, dtype in frame.dtypes.items() if dtype.kind == "O"]
    return frame.astype(dict.fromkeys(objects, str))


@pytest.mark.parametrize("kind", FILES)
def test_notebook_reads_the_file_as_the_run(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, fields = FILES[kind]
    frame, run = run_of(content, fields)
    (tmp_path / "data.csv").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    source = source_of(Facts(run, "an experiment", None, False, []).table)
    code = "\n".join([source.imports, source.names, source.reading])
    called = {node.attr for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)}
    assert "remove" not in called
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    pd.testing.assert_frame_equal(namespace["table"], _texts(frame))


@pytest.mark.parametrize("skip", [0, 2])
def test_notebook_of_an_s3_run_reads_the_object_as_the_run(skip: int) -> None:
    content = b"title\n\n" * (skip // 2) + ROWS.encode("cp1252")
    _, run = run_of(content, {})
    run.data = {"kind": "s3", "options": {"bucket": "b", "key": "k.csv", "region": "r"}}
    source = source_of(Facts(run, "an experiment", None, False, []).table)
    ast.parse("\n".join([source.imports, source.names, source.reading]))
    assert "encoding='cp1252'" in source.reading
    assert ("fsspec.open" in source.reading) == bool(skip)
    assert "'client_kwargs': {'region_name': 'r'}" in source.reading
    assert "set `sep`" not in source.requirements


def test_notebook_of_a_run_from_before_dialects_is_as_it_was() -> None:
    data = {"kind": "csv_upload", "options": {"encoding": "latin-1", "delimiter": ";"}}
    run = Run(id="0", plan="compare", data=data, snapshot={})
    source = source_of(Facts(run, "an experiment", "d.csv", False, []).table)
    frame = pd.DataFrame({"größe": ["NA", "2"], "b": [1, 2]})
    content = frame.to_csv(sep=";", index=False).encode("latin-1")
    namespace = {"pd": pd, "DATA": io.BytesIO(content)}
    exec(source.reading, namespace)
    read = namespace["table"]
    assert isinstance(read, pd.DataFrame)
    assert read["größe"].isna().tolist() == [True, False]


def test_notebook_reads_a_sheet_as_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["Report"],
        ["", "code", "n", "day"],
        ["", "007", 1, date(2026, 1, 1)],
        ["", "x", 2.5],
    ):
        book.active.append(row)
    book.save(tmp_path / "data.xlsx")
    content = (tmp_path / "data.xlsx").read_bytes()
    facts = workbook.examine(io.BytesIO(content))
    options = {"dialect": facts.dialect(), "columns": facts.names}
    frame, snapshot = load(DataSpec("excel_upload", options), lambda: content, lambda: None)
    snapshot["data_sha256"] = hashlib.sha256(content).hexdigest()
    run = Run(
        id="0", plan="compare", data={"kind": "excel_upload", "options": {}}, snapshot=snapshot
    )
    source = source_of(Facts(run, "an experiment", None, False, []).table)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec("\n".join([source.imports, source.names, source.reading]), namespace)
    pd.testing.assert_frame_equal(namespace["table"], frame)
    assert (frame.shape, list(frame["code"])) == ((2, 3), ["007", "x"])
