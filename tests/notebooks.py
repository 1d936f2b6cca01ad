"""The notebook of a run, executed by a kernel that is not told of us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from .live import LiveServer

LAST = """
import json, sys
assert not [name for name in sys.modules if name.startswith("jupyter_pycaret_ops")]
print(json.dumps(json.loads(leaderboard.drop(columns="name").to_json(orient="index", double_precision=12))))
"""


def again(
    server: LiveServer, run_id: str, folder: Path, files: Mapping[str, bytes] | None = None
) -> dict[str, dict[str, float | None]]:
    """The leaderboard that the run's notebook comes to, in a folder where only its files are."""
    notebook = nbformat.from_dict(server.get(f"/runs/{run_id}/notebook"))
    nbformat.validate(notebook)
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    notebook.cells.append(nbformat.v4.new_code_cell(LAST))
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    printed = "".join(item["text"] for item in notebook.cells[-1].outputs)
    found: dict[str, dict[str, float | None]] = json.loads(printed)
    return found


def same(run: dict[str, Any], found: dict[str, dict[str, float | None]]) -> None:
    """Both leaderboards: the same models in the same order, every metric to six digits."""
    assert [row["model_id"] for row in run["leaderboard"]] == list(found)
    for row in run["leaderboard"]:
        mine = found[row["model_id"]]
        assert set(mine) == set(row["std"])
        for metric, value in mine.items():
            assert row[metric] == (None if value is None else pytest.approx(value, abs=1e-6)), (
                row["model_id"],
                metric,
            )
