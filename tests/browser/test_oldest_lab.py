"""The oldest JupyterLab that the package allows loads the panel that the newest one built."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import REPO, Lab, running_lab
from .lab_page import (
    new_run_form,
    open_lab,
    open_panel,
    region,
    run_from_palette,
    upload,
)

OLDEST = "4.2"
#: not needed to start: without them the environment is there in seconds
LEFT_OUT = {
    *("anywidget", "ipywidgets", "pycaret"),
    *("numpy", "pandas", "plotly", "scikit-learn", "scipy"),
}
COMMANDS = ["open-side-panel", "new-run", "open-run", "deploy", "open-deployment", "train-file"]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def oldest_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server of that JupyterLab, in an environment of its own; our part comes from the checkout."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[^\w-]", one)[0]: one for one in project["dependencies"]}
    assert f">={OLDEST}.5," in needed["jupyterlab"]
    needed["jupyterlab"] = f"jupyterlab=={OLDEST}.*"
    folder = tmp_path_factory.mktemp("oldest")
    python = folder / "venv" / "bin" / "python"
    pinned = folder / "constraints.txt"
    known = (REPO / "requirements" / "constraints.txt").read_text().splitlines()
    pinned.write_text("\n".join(line for line in known if not line.startswith("jupyterlab==")))
    uv = Path(sys.executable).with_name("uv")
    _finish([uv, "venv", "--python", sys.executable, folder / "venv"])
    wanted = [one for name, one in needed.items() if name not in LEFT_OUT]
    _finish([uv, "pip", "install", "--python", python, "--constraint", pinned, *wanted])
    no_engine = ["--PyCaretOpsApp.spare_kernels=0"]
    with running_lab(folder, server_part=True, python=python, options=no_engine) as lab:
        yield lab


def test_it_loads_the_panel(oldest_lab: Lab, page: Page, pictures: Path) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_lab(page, oldest_lab.url, oldest_lab.token)
    version = page.evaluate("window.jupyterapp.version")
    assert version.startswith(f"{OLDEST}.")
    known = "name => window.jupyterapp.commands.hasCommand(`pycaret-ops:${name}`)"
    assert [name for name in COMMANDS if not page.evaluate(known, name)] == []
    open_panel(page)
    upload(page, "old.csv", b"x,y\n1,2\n3,4\n")
    row = region(page, "Data").get_by_role("listitem").filter(has_text="old.csv")
    expect(row).to_contain_text("2 rows · 2 columns")
    expect(page.get_by_role("button", name="PyCaret Ops runs", exact=True)).to_have_text("No runs")
    run_from_palette(page, "New PyCaret run")
    form = new_run_form(page)
    form.get_by_text("First rows", exact=True).click()
    expect(form.get_by_role("region", name="Preview of old.csv")).to_be_visible()
    page.screenshot(path=pictures / "oldest-lab.png")
    row.press("Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_be_hidden()
    assert complaints == []


def _finish(command: list[object]) -> None:
    outside = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [str(word) for word in command],
        env=outside,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}"
