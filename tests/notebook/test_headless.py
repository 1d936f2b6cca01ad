"""A notebook executed without a browser: its file shows how the runs ended."""

from __future__ import annotations

from dataclasses import dataclass

import nbformat
import pytest
from nbclient import NotebookClient

from ..live import LiveServer

BEGIN = "run = %pcrun create --data df --target kind --model nb --fold 2"
FIRST = """
%load_ext jupyter_pycaret_ops
import pandas as pd
from jupyter_pycaret_ops.client import ENDED
df = pd.DataFrame([{"size": n % 7, "kind": "ab"[n % 7 > 3]} for n in range(60)])
"""
BOARD = "import jupyter_pycaret_ops.notebook as ops\nboard = ops.dashboard()\nboard"
#: the cells of each way to wait for a run; the first shows it
WAYS = {
    "wait for a worker": [f"{BEGIN} --worker\nrun.wait().status"],
    "wait": [f"{BEGIN}\nrun.wait().status"],
    "wait in another cell": [BEGIN, "run.wait();"],
    "--wait": [f"{BEGIN} --wait"],
    "%pcrun wait": [f"{BEGIN}\nsame = %pcrun wait"],
    "await": [f"{BEGIN}\n(await run).status"],
    "status": [f"{BEGIN}\nimport time\nwhile run.status not in ENDED: time.sleep(0.02)"],
    "cancel": [f"{BEGIN}\nrun.cancel().wait().status"],
}


@dataclass
class Stored:
    """The output in the file when the last cell of a way has ended."""

    picture: str
    board: str
    widgets: list[str]


@pytest.fixture(scope="module")
def stored(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stored]:
    """Execute a notebook with a dashboard and a run for each way to wait, and return the stored output."""
    new = nbformat.v4
    first = [new.new_code_cell(code) for code in (FIRST, BOARD)]
    ways = {way: [new.new_code_cell(code) for code in cells] for way, cells in WAYS.items()}
    notebook = new.new_notebook(
        cells=[*first, *(cell for cells in ways.values() for cell in cells)]
    )
    folder = tmp_path_factory.mktemp("headless")
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    found: dict[str, Stored] = {}
    with client.setup_kernel(env=server.home.env()):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
            way = next((way for way, cells in ways.items() if cell is cells[-1]), None)
            if way is not None:
                widgets = [one["html"] for one in client.widget_state.values() if "html" in one]
                found[way] = Stored(picture(ways[way][0]), picture(first[1]), widgets)
    return found


def picture(cell: nbformat.NotebookNode) -> str:
    """Return the only HTML output of a cell."""
    (html,) = [
        output["data"]["text/html"]
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    return str(html)


def shows_an_end(html: str, way: str) -> bool:
    end = "Cancelled" if way == "cancel" else "Succeeded"
    return end in html and "Running" not in html and "Queued" not in html


@pytest.mark.parametrize("way", WAYS)
def test_stored_output_shows_end_of_awaited_run(stored: dict[str, Stored], way: str) -> None:
    found = stored[way]
    assert shows_an_end(found.picture, way)
    assert "As it was at" not in found.picture
    # the dashboard above, too, and the state of the widgets that is stored beside the pictures
    assert "Running" not in found.board
    assert "Queued" not in found.board
    runs = [html for html in found.widgets if "<section" in html and 'aria-label="Run ' in html]
    assert len(runs) == 1 + list(WAYS).index(way)
    assert shows_an_end(runs[-1], way)
