"""Panels in Notebook 7, which has the same widgets in another shell."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Lab
from .lab_page import DARK, LIGHT, use_theme
from .test_notebook_panel import A_RUN_MS, Notebook

pytest.importorskip("notebook", "7", reason="Notebook 7 is not installed")

FILL = (
    "%load_ext jupyter_pycaret_ops\n"
    "from sklearn.datasets import load_iris\n"
    "iris = load_iris(as_frame=True)\n"
    "df = iris.data.assign(species=[iris.target_names[i] for i in iris.target])"
)
START = "%%pcrun compare --data df --target species --as run\nplan:\n  include: [lr, nb, dt]"


class Seven(Notebook):
    """A notebook in Notebook 7, from the server that JupyterLab is served by."""

    def open(self) -> None:
        self.page.goto(f"{self.lab.url}notebooks/{self.name}?token={self.lab.token}")
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("window.jupyterapp.restored.then(() => null)")
        expect(self.page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()

    def kernel_is_ready(self) -> None:
        self.page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def close(self) -> None:
        for session in self.lab.sessions():
            self.lab.end(session)


@pytest.fixture
def notebook(page: Page, lab: Lab) -> Iterator[Seven]:
    made = Seven(page, lab, FILL, START)
    yield made
    made.close()


def test_a_panel_works_in_notebook_seven(notebook: Seven, pictures: Path) -> None:
    page = notebook.page
    notebook.run_all()
    panel = notebook.panel("Run species")
    expect(panel.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=A_RUN_MS)
    rows = panel.locator("tr[data-scored]")
    expect(rows).to_have_count(3 + 1)  # the baseline is the last
    panel.get_by_role("button", name="Seconds").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("columnheader", name="Seconds")).to_have_attribute(
        "aria-sort", "ascending"
    )
    seconds = [
        float(row)
        for row in panel.locator("tr[data-scored] td:nth-last-child(2)").all_inner_texts()
    ]
    assert seconds == sorted(seconds)
    name = f"seven-{secrets.token_hex(4)}"
    form = panel.get_by_role("form", name="Promote")
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="Promote").click()
    pipeline = notebook.panel(f"Pipeline {name}")
    expect(pipeline.get_by_role("button", name="Deploy")).to_be_visible()
    for theme in (DARK, LIGHT):
        use_theme(page, theme)
        page.screenshot(path=pictures / f"notebook-7-{'dark' if theme == DARK else 'light'}.png")
    saved = json.loads(notebook.save())
    pictured = "".join(saved["cells"][1]["outputs"][0]["data"]["text/html"])
    assert "Succeeded" in pictured
    assert "<button" not in pictured
