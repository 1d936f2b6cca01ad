"""Workbooks of Excel: the sheet, its header, and what its columns hold."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.common.tables import workbook
from jupyter_pycaret_ops.common.tables.workbook import examine, is_workbook, pandas_options
from jupyter_pycaret_ops.kernel.reading.files import read_workbook

from ...fakes.workbooks import workbook as book

OLD = Path(__file__).resolve().parents[2] / "data" / "workbooks" / "excel_97.xls"
HEAD = ["code", "price", "when"]
ROWS = [[f"00{n}", 1.5 * n, date(2026, 1, 1 + n)] for n in range(5)]


def facts(content: bytes, **given: Any) -> workbook.SheetFacts:
    return examine(io.BytesIO(content), given)


def frame(content: bytes, **given: Any) -> Any:
    found = facts(content, **given)
    made = read_workbook(content, found.dialect(), found.names)
    assert len(made) == found.rows, "rows are those that were counted"
    return made


def test_numbers_dates_and_texts_keep_excels_types() -> None:
    rows = [
        [f"00{n}", n, n + 0.5, date(2026, 1, 1 + n), datetime(2026, 1, 1, 12, n), n % 2 == 0]
        for n in range(4)
    ]
    head = ["code", "whole", "part", "day", "moment", "flag"]
    made = frame(book(Data=[head, *rows]))
    assert list(made["code"]) == ["000", "001", "002", "003"]
    kinds = {name: dtype.kind for name, dtype in made.dtypes.items() if name != "code"}
    assert kinds == {"whole": "i", "part": "f", "day": "M", "moment": "M", "flag": "b"}
    assert made["moment"][3] == pd.Timestamp("2026-01-01 12:03")


def test_first_sheet_with_a_table_is_read_and_another_can_be_chosen() -> None:
    content = book(About=[["written by Ada"]], Data=[HEAD, *ROWS], More=[["x"], [1], [2]])
    found = facts(content)
    assert (found.sheet, found.names, found.rows) == ("Data", HEAD, 5)
    assert found.notices[0]["code"] == "sheet_chosen"
    assert "“About”, “More”" in found.notices[0]["message"]
    for sheet in ("More", "3"):
        assert facts(content, sheet=sheet).names == ["x"]
    with pytest.raises(Invalid, match="no sheet “Nope”; it has “About”, “Data”, “More”") as caught:
        facts(content, sheet="Nope")
    assert caught.value.errors[0]["loc"] == ["sheet"]
    with pytest.raises(Invalid, match="“About” has no table"):
        facts(content, sheet="About")


def test_title_blank_rows_and_blank_columns_are_left_out() -> None:
    title = [["", "Export CRM"], [], ["", *HEAD]]
    content = book(Data=[*title, *(["", *row] for row in ROWS[:3]), [], ["", *ROWS[3]]])
    found = facts(content)
    assert (found.skip_rows, found.places, found.rows) == (2, [1, 2, 3], 4)
    assert (found.notices[0]["code"], found.notices[0]["count"]) == ("lines_skipped", 2)
    made = frame(content)
    assert list(made["code"]) == ["000", "001", "002", "003"]
    assert made["when"].dtype.kind == "M"


def test_rows_without_a_header_and_a_header_that_a_person_sets() -> None:
    content = book(Data=ROWS)
    found = facts(content)
    assert (found.header, found.names) == (False, ["column_1", "column_2", "column_3"])
    assert found.notices[-1]["code"] == "no_header"
    assert list(frame(content)["column_2"]) == [0, 1.5, 3, 4.5, 6]
    assert facts(content, header="true").names[0] == "000"
    texts = book(Data=[["Gent", "a"], ["Lier", "b"]])
    assert facts(texts).names == ["Gent", "a"]
    assert frame(texts, header=False).shape == (2, 2)
    assert frame(book(Data=[["about"], HEAD, *ROWS]), skip_rows=1).shape == (5, 3)
    years = book(Data=[["town", 2024, 2025], ["Gent", 1.5, 2.5], ["Lier", 3.5, 4.5]])
    assert facts(years).names == ["town", "2024", "2025"]


def test_names_that_are_missing_or_repeated() -> None:
    found = facts(book(Data=[["a", None, "a"], [1, 2, 3], [4, 5, 6]]))
    assert found.names == ["a", "column_2", "a.1"]
    assert found.notices[0]["code"] == "unnamed_columns"


def test_mixed_cells_and_durations() -> None:
    rows = [[n if n % 2 else "x", timedelta(hours=n), time(1, n)] for n in range(4)]
    made = frame(book(Data=[["mixed", "long", "short"], *rows]))
    assert list(made["mixed"]) == ["x", 1, "x", 3]
    assert list(made["long"].astype(str))[3] == "0 days 03:00:00"
    assert list(made["short"].map(str)) == [f"01:0{n}:00" for n in range(4)]


def test_workbook_of_excel_97() -> None:
    content = OLD.read_bytes()
    assert is_workbook(content[:100], "excel_97.xls")
    found = facts(content)
    assert (found.sheet, found.names, found.rows, found.skip_rows) == ("Orders", HEAD, 5, 2)
    assert list(frame(content)["code"]) == [row[0] for row in ROWS]


def test_workbook_is_known_by_its_bytes_or_its_name() -> None:
    content = book(Data=[HEAD, *ROWS])
    assert is_workbook(content, "noname")
    assert is_workbook(b"a,b", "Table.XLSX")
    assert not is_workbook(b"a,b\n1,2\n", "table.csv")
    assert not is_workbook(b"a\tb\n1\t2\n", "export.xls"), "text that a program has called so"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("table.csv", "a,b")
    assert not is_workbook(packed.getvalue(), "table.zip")


def test_what_is_no_workbook_is_refused() -> None:
    content = book(Data=[HEAD, *ROWS])
    for broken in (b"", b"a,b\n1,2\n", content[: len(content) // 2], OLD.read_bytes()[:600]):
        with pytest.raises(Invalid):
            facts(broken)
    with pytest.raises(Invalid, match="no sheet with a table"):
        facts(book(Data=[], Other=[["only a header", "and another"]]))
    with pytest.raises(Invalid, match="encoding is for text files; this is a workbook"):
        facts(content, encoding="utf-8")
    with pytest.raises(Invalid, match="skip_rows must be a number"):
        facts(content, skip_rows="-1")


def test_bomb_is_refused_by_its_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    content = book(Data=[["a"], *([[0]] * 20_000)])
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 1 << 18)
    with pytest.raises(Invalid, match="unpacks to"):
        facts(content)


def test_process_has_a_limit_on_memory(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(book(Data=[HEAD, *ROWS]))

    def ask(memory: int) -> Any:
        command = [sys.executable, "-m", workbook.__name__, str(path), "{}", str(memory)]
        return subprocess.run(command, capture_output=True, check=False)

    found = json.loads(ask(4 << 30).stdout)
    assert (found["sheet"], found["rows"]) == ("Data", 5)
    made = openpyxl.load_workbook(path)
    made["Data"].cell(1_048_576, 16_384, "far away")  # 17 billion cells, and all but some are empty
    made.save(path)
    bomb = ask(1 << 30)
    assert bomb.returncode != 0 or "error" in json.loads(bomb.stdout)


def test_pandas_reads_what_was_examined() -> None:
    """The reproduction notebook has this call, and nothing of ours."""
    content = book(Data=[["Report"], HEAD, *ROWS])
    found = facts(content)
    table = pd.read_excel(io.BytesIO(content), **pandas_options(found.dialect(), found.names))
    pd.testing.assert_frame_equal(
        table.dropna(how="all").reset_index(drop=True).infer_objects(), frame(content)
    )
