"""The progress of reading: rows of the file, then columns, not too often."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.kernel.reading import csv_parts, progress
from jupyter_pycaret_ops.kernel.reading.columns import NO_SETTINGS
from jupyter_pycaret_ops.kernel.reading.profiling import profile


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report every step, and read ten rows in a step."""
    monkeypatch.setattr(progress, "REPORT_EVERY_S", 0.0)
    monkeypatch.setattr(csv_parts, "N_ROWS", 10)


def read(n_rows: int) -> Any:
    content = "a,b\n" + "".join(f"{row},x{row % 3}\n" for row in range(n_rows))

    @contextmanager
    def opened() -> Any:
        yield io.StringIO(content)

    return csv_parts.read_csv_in_parts(opened, {"usecols": [0, 1]})


@pytest.mark.usefixtures("at_once")
def test_rows_then_columns_are_told_up_to_the_whole() -> None:
    told: list[dict[str, Any]] = []
    with progress.reporting(told.append, 30):
        profile(read(30), NO_SETTINGS)
    assert [one["label"] for one in told] == [
        "10 of 30 rows",
        "20 of 30 rows",
        "30 of 30 rows",
        "0 of 2 columns",
        "1 of 2 columns",
    ]
    assert [one["done"] for one in told] == [10, 20, 30, 30, 65]
    assert {one["total"] for one in told} == {100}


@pytest.mark.usefixtures("at_once")
def test_rows_that_nobody_has_counted_have_no_share() -> None:
    told: list[dict[str, Any]] = []
    with progress.reporting(told.append, None):
        read(20)
    assert told == [
        {"done": None, "total": 100, "label": "10 rows"},
        {"done": None, "total": 100, "label": "20 rows"},
    ]


def test_little_is_told_of_what_is_fast_and_nothing_where_nobody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_parts, "N_ROWS", 1)
    told: list[dict[str, Any]] = []
    with progress.reporting(told.append, 50):
        read(50)
    assert len(told) < 25
    before = len(told)
    assert len(read(50)) == 50
    assert len(told) == before


def test_file_is_complete_at_any_moment_and_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    report = progress.into_file(tmp_path / "progress")
    report({"done": 1, "total": 100, "label": "1 row"})
    assert json.loads((tmp_path / "progress").read_text())["done"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["progress"]
    progress.into_file(tmp_path / "no folder" / "progress")({"done": 1})
