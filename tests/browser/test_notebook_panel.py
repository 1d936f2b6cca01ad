"""Panels under the cells of a notebook, in JupyterLab, in light and dark, alive and in the saved file."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import REPO, Lab
from .lab_page import DARK, LIGHT, open_lab, use_theme

FRAME = (
    "from sklearn.datasets import load_breast_cancer\n"
    "set_of = load_breast_cancer(as_frame=True)\n"
    "df = set_of.data.assign(kind=[set_of.target_names[i] for i in set_of.target])"
)
EXAMPLES = REPO / "examples"
#: seconds of work for each model, minutes in all
LONG = "run = %pcrun compare --data df --target kind --include lr,nb,rf,gbc,et,ada,mlp --fold 10"
#: the first run of a server waits until a kernel has said what the engine offers
A_RUN_MS = 120_000


class Notebook:
    """A notebook in JupyterLab, whose cells are run one by one."""

    def __init__(self, page: Page, lab: Lab, *cells: str, example: str | None = None) -> None:
        self.page = page
        self.lab = lab
        self.name = f"panel-{secrets.token_hex(4)}.ipynb"
        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
        )
        self.file: Path = lab.home / "work" / self.name
        if example is not None:
            made = nbformat.read(EXAMPLES / example, as_version=4)
            for table in EXAMPLES.glob("*.csv"):
                shutil.copy(table, self.file.parent)
        nbformat.write(made, self.file)
        self.open()

    def open(self) -> None:
        open_lab(self.page, self.lab.url, self.lab.token)
        self.command("docmanager:open", path=self.name, kernel={"name": "python3"})
        expect(self.page.locator(".jp-Notebook .jp-CodeCell").first).to_be_visible()

    def command(self, name: str, **arguments: object) -> None:
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
            [name, arguments],
        )

    def kernel_is_ready(self) -> None:
        expect(self.page.get_by_role("button", name="| Idle")).to_be_visible()

    def run_all(self) -> None:
        """Start all cells; does not wait for them."""
        self.kernel_is_ready()
        self.page.evaluate(
            "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); return null }"
        )

    def panel(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("region", name=name)

    def scored(self, name: str) -> Locator:
        """The row of a model that has its score; one that is being fitted goes with the run's end."""
        return self.page.locator(".jp-pycaret-live tr[data-scored]", has_text=name)

    def save(self) -> str:
        self.command("docmanager:save")
        return self.file.read_text(encoding="utf-8")

    def close(self) -> None:
        self.command("application:close-all")
        for session in self.lab.sessions():
            self.lab.end(session)


@pytest.fixture
def notebook(page: Page, lab: Lab) -> Iterator[Notebook]:
    made = Notebook(
        page,
        lab,
        f"%load_ext jupyter_pycaret_ops\n{FRAME}",
        LONG,
        "print('the next cell', df.shape)",
    )
    yield made
    made.close()


def test_cancel_in_the_panel_stops_the_run_and_not_the_kernel(
    notebook: Notebook, pictures: Path
) -> None:
    page = notebook.page
    notebook.run_all()
    # the next cell has run while the plan does
    expect(page.get_by_text("the next cell (569, 31)")).to_be_visible(timeout=A_RUN_MS)
    panel = notebook.panel("Run kind")
    expect(panel.get_by_text("Running", exact=True).first).to_be_visible(timeout=A_RUN_MS)
    board = panel.get_by_role("table", name="Leaderboard")
    expect(notebook.scored("Naive Bayes")).to_be_visible(timeout=A_RUN_MS)
    expect(panel.get_by_role("progressbar", name="Run progress")).to_be_visible()
    expect(panel.get_by_text("task guessed: classification")).to_be_visible()
    expect(board.get_by_role("img", name=re.compile(r"10 folds, 0\.\d+ to"))).not_to_have_count(0)
    for theme in (DARK, LIGHT):
        use_theme(page, theme)
        panel.screenshot(path=pictures / f"panel-run-{'dark' if theme == DARK else 'light'}.png")
    panel.get_by_role("button", name="Cancel run").click()
    expect(panel.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=30_000)
    expect(panel.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(board.get_by_text("Naive Bayes")).to_be_visible()
    run = notebook.lab.call("GET", "runs?limit=1")[0]
    assert (run["status"], run["executor"]) == ("cancelled", "notebook")

    saved = notebook.save()
    outputs = [
        output["data"]["text/html"]
        for cell in json.loads(saved)["cells"]
        for output in cell["outputs"]
        if "text/html" in output.get("data", {})
    ]
    picture = "".join(outputs[-1])
    assert "Cancelled" in picture
    assert "Naive Bayes" in picture
    assert "<button" not in picture


def test_a_saved_notebook_shows_the_last_state_without_a_kernel(
    notebook: Notebook, pictures: Path
) -> None:
    notebook.run_all()
    panel = notebook.panel("Run kind")
    expect(notebook.scored("Naive Bayes")).to_be_visible(timeout=A_RUN_MS)
    panel.get_by_role("button", name="Cancel run").click()
    expect(panel.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=30_000)
    notebook.save()
    notebook.close()
    notebook.open()
    still = notebook.panel("Run kind")
    expect(still).to_have_count(1)
    expect(still.get_by_text("Naive Bayes")).to_be_visible()
    expect(still.get_by_role("button")).to_have_count(0)
    still.screenshot(path=pictures / "panel-saved.png")
    box = still.bounding_box()
    assert box is not None
    assert box["width"] > 600, "as wide as the cell"
    expect(notebook.page.get_by_text("model not found")).not_to_be_visible()


def test_a_panel_ends_with_its_kernel(notebook: Notebook, pictures: Path) -> None:
    notebook.run_all()
    panel = notebook.panel("Run kind")
    expect(panel.get_by_role("button", name="Cancel run")).to_be_visible(timeout=A_RUN_MS)
    expect(notebook.scored("Naive Bayes")).to_be_visible(timeout=A_RUN_MS)
    notebook.page.get_by_role("button", name="Restart the kernel", exact=True).click()
    notebook.page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(panel.get_by_text("Ended with its kernel")).to_be_visible(timeout=30_000)
    expect(notebook.page.get_by_text("The kernel has ended; this is the last")).to_be_visible()
    expect(panel.get_by_text("Running", exact=True)).not_to_be_visible()
    expect(panel.get_by_role("row", name="Running")).to_have_count(0)
    expect(panel.get_by_role("button", name="Cancel run")).to_have_count(0)
    expect(panel.get_by_text("Naive Bayes")).to_be_visible()
    panel.screenshot(path=pictures / "panel-kernel-ended.png")
    assert "As it was at" in notebook.save()
    # a kernel that could not say that it ends has lost its run when the lease is over
    run = notebook.lab.call(
        "POST", f"runs/{notebook.lab.call('GET', 'runs?limit=1')[0]['id']}/wait?timeout_s=180"
    )
    assert (run["status"], run["error_kind"]) == ("failed", "worker_lost")
    expect(notebook.page.get_by_role("button", name="| Idle")).to_be_visible(timeout=A_RUN_MS)


def test_a_sample_notebook_is_cancelled_in_its_panel(page: Page, lab: Lab) -> None:
    notebook = Notebook(page, lab, example="classification.ipynb")
    notebook.run_all()
    panel = notebook.panel("Run Purchase")
    panel.get_by_role("button", name="Cancel run").click(timeout=A_RUN_MS)
    expect(panel.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=A_RUN_MS)
    run = lab.call("GET", "runs?limit=1")[0]
    assert run["status"] == "cancelled"
    assert run["cancel_requested_at"] is not None or run["started_at"] is None
    notebook.close()


QUICK = (
    "%load_ext jupyter_pycaret_ops\n"
    "from sklearn.datasets import load_iris\n"
    "iris = load_iris(as_frame=True)\n"
    "df = iris.data.assign(species=[iris.target_names[i] for i in iris.target])\n"
    "run = %pcrun create --model lr --data df --target species --fold 3"
)
TABLE = "size,kind\n" + "".join(f"{n},{'big' if n > 30 else 'small'}\n" for n in range(60))


def test_a_panel_leads_from_a_run_to_an_endpoint_that_answers(
    page: Page, lab: Lab, pictures: Path
) -> None:
    notebook = Notebook(page, lab, QUICK)
    slug = f"iris-{secrets.token_hex(4)}"
    notebook.run_all()
    run = notebook.panel("Run species")
    promote = run.get_by_role("form", name="Promote")
    promote.get_by_label("Name").fill(slug, timeout=A_RUN_MS)
    promote.get_by_role("button", name="Promote").click()
    pipeline = notebook.panel(f"Pipeline {slug}")
    pipeline.get_by_label("Access").select_option("API key")
    pipeline.get_by_role("button", name="Deploy").click()
    deployment = notebook.panel(f"Deployment {slug}")
    expect(deployment.get_by_text("Active", exact=True)).to_be_visible()
    expect(deployment.get_by_text(re.compile(f"/deployments/{slug}/predict$"))).to_be_visible()
    deployment.get_by_role("button", name="Try it").click()
    deployment.get_by_label("petal length (cm)").fill("a")
    deployment.get_by_role("button", name="Predict").click()
    expect(page.get_by_text("“a” is not a number")).to_be_visible()
    deployment.get_by_label("petal length (cm)").fill("5.9")
    deployment.get_by_label("petal width (cm)").fill("2.3")
    deployment.get_by_role("button", name="Predict").click()
    answer = deployment.get_by_role("status").first
    expect(answer.get_by_text("virginica", exact=True).first).to_be_visible(timeout=A_RUN_MS)
    expect(deployment.get_by_text("1 request")).to_be_visible()
    deployment.get_by_role("button", name=f"Keys of {slug}").click()
    keys = deployment.get_by_role("region", name="Keys")
    keys.get_by_role("button", name="Make key").click()
    secret = keys.get_by_text(re.compile(r"^pck_\S{40,}$"))
    expect(secret).to_be_visible()
    key = secret.inner_text()
    expect(keys.get_by_role("table", name="Keys").get_by_text("never")).to_be_visible()
    for theme in (DARK, LIGHT):
        use_theme(page, theme)
        deployment.screenshot(
            path=pictures / f"panel-keys-{'dark' if theme == DARK else 'light'}.png"
        )
    assert key not in notebook.save()
    keys.get_by_role("button", name="Done").click()
    expect(page.get_by_text(key)).to_have_count(0)
    keys.get_by_role("button", name=f"Revoke {slug}").click()
    keys.get_by_role("button", name=f"Revoke {slug} now").click()
    expect(keys.get_by_text("There is none yet")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    deployment.get_by_role("button", name="Copy curl").click()
    expect(deployment.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -H ")
    assert copied.endswith(f"/deployments/{slug}/predict")
    notebook.close()


def test_a_dropped_file_becomes_a_run(page: Page, lab: Lab, pictures: Path) -> None:
    notebook = Notebook(page, lab, "import jupyter_pycaret_ops as ops\nops.dashboard()")
    name = f"sizes-{secrets.token_hex(4)}"
    notebook.run_all()
    place = notebook.panel("Upload data")
    expect(place.get_by_text("Drop a CSV, Parquet or Excel file here")).to_be_visible(
        timeout=A_RUN_MS
    )
    drop(place.locator("[data-drop]"), f"{name}.csv", "a,b\n")
    expect(place.get_by_text(f"{name}.csv was not taken")).to_be_visible()
    drop(place.locator("[data-drop]"), f"{name}.csv", TABLE)
    expect(place.get_by_text("60 rows, 2 columns")).to_be_visible()
    expect(place.get_by_label("Target")).to_have_value("kind")
    expect(place.get_by_role("table", name="Preview").get_by_text("small").first).to_be_visible()
    place.get_by_role("button", name="Compare models").click()
    run = notebook.panel(f"Run {name}")
    expect(run.get_by_text("in a worker kernel")).to_be_visible()
    runs = notebook.panel("Runs")
    expect(runs.get_by_text("Running").first).to_be_visible(timeout=A_RUN_MS)
    notebook.page.screenshot(path=pictures / "panel-dashboard.png")
    run.get_by_role("button", name="Cancel run").click()
    expect(run.get_by_text("Cancelled", exact=True)).to_be_visible(timeout=A_RUN_MS)
    expect(runs.get_by_text("Cancelled").first).to_be_visible(timeout=A_RUN_MS)
    notebook.close()


def drop(place: Locator, name: str, content: str) -> None:
    """Drop a file on a place, as the browser tells of it."""
    place.evaluate(
        """(node, [name, content]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([content], name, { type: 'text/csv' }));
            for (const kind of ['dragover', 'drop']) {
                node.dispatchEvent(
                    new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
            }
        }""",
        [name, content],
    )
