"""The whole way with the mouse: data, run, cancel, promote, deploy, predict, call; and back again.

Set `PYCARET_OPS_SCREENSHOTS` to a folder to keep a picture of each station.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from .conftest import CHROMIUM, PATIENCE_MS, Lab
from .data_page import column, open_data_page
from .lab_page import (
    DARK,
    LIGHT,
    faults,
    new_run_form,
    open_lab,
    open_panel,
    panel,
    region,
    upload,
    use_theme,
)

FLOWERS = b"sepal_length,sepal_width,petal_length,petal_width,species\n" + b"".join(
    b"%.1f,%.1f,%.1f,%.1f,%s\n"
    % (
        4.6 + kind + (n * 7 % 11) / 10,
        2.4 + (n * 5 % 13) / 10,
        1.2 + 1.9 * kind + (n * 3 % 9) / 10,
        0.2 + 0.8 * kind + (n * 2 % 7) / 10,
        label,
    )
    for n in range(60)
    for kind, label in enumerate((b"setosa", b"versicolor", b"virginica"))
)
ENGINE_MS = 120_000


@pytest.fixture
def journey(browser: Browser, lab: Lab) -> Page:
    """A page that may write to the clipboard."""
    assert CHROMIUM is not None
    context: BrowserContext = browser.new_context(
        viewport={"width": 1280, "height": 960}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=lab.url.rstrip("/"))
    return context.new_page()


def start(page: Page, name: str, models: list[str], folds: int) -> None:
    """Fill in the form for a new run, and start it."""
    panel(page).get_by_role("button", name="New run", exact=True).click()
    form = new_run_form(page)
    expect(form.get_by_label("Plan", exact=True)).to_be_visible(timeout=ENGINE_MS)
    expect(form.get_by_label("Target", exact=True)).to_have_value("species")
    for model in models:
        form.get_by_label("Models", exact=True).fill(model)
        expect(form.get_by_role("button", name=f"Remove {model}")).to_be_visible()
    form.get_by_label("Folds", exact=True).fill(str(folds))
    form.get_by_label("Experiment", exact=True).fill(name)


def view(page: Page, kind: str, name: str) -> Locator:
    return page.get_by_role("article", name=f"{kind} {name}", exact=True)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_whole_way(lab: Lab, journey: Page, pictures: Path, theme: str) -> None:
    page = journey
    shade = theme.split()[-1].lower()
    name = f"iris-{shade}"

    def picture(station: str) -> None:
        assert faults(page) == [], station
        page.screenshot(path=pictures / f"{station}-{shade}.png")

    open_lab(page, lab.url, lab.token)
    use_theme(page, theme)
    open_panel(page)
    upload(page, f"{name}.csv", FLOWERS)
    expect(
        region(page, "Data").get_by_role("listitem").filter(has_text=f"{name}.csv")
    ).to_contain_text("180 rows · 5 columns")

    data = open_data_page(page, f"{name}.csv")
    column(data, "petal_length").click()
    expect(data.get_by_text("Comparing the columns")).to_have_count(0, timeout=ENGINE_MS)
    picture("data-page")

    start(page, name, ["Logistic Regression", "Naive Bayes", "Random Forest Classifier"], 5)
    labels = new_run_form(page).get_by_role("table", name="Labels of species", exact=True)
    expect(labels).to_be_visible(timeout=ENGINE_MS)
    picture("new-run")
    new_run_form(page).get_by_role("button", name="Start run", exact=True).click()
    run = view(page, "Run", name)
    board = run.get_by_role("table", name="Leaderboard", exact=True)
    expect(run.get_by_role("progressbar", name="Run progress", exact=True)).to_be_visible()
    expect(board).to_contain_text("Logistic Regression", timeout=ENGINE_MS)

    # a second one, stopped in the middle of a fit
    start(page, f"{name}-second", ["Random Forest Classifier", "Gradient Boosting Classifier"], 50)
    new_run_form(page).get_by_role("button", name="Start run", exact=True).click()
    second = view(page, "Run", f"{name}-second")
    expect(second).to_contain_text(", fold ", timeout=ENGINE_MS)
    picture("run-live")
    second.get_by_role("button", name="Cancel run", exact=True).click()
    expect(second).to_contain_text("Cancelled", timeout=30_000)

    # the first has ended meanwhile; a reload brings everything back
    with page.expect_response(
        lambda answer: "/lab/api/workspaces/" in answer.url and answer.request.method == "PUT"
    ):
        page.get_by_role("tab", name=name, exact=True).click()
    page.goto(page.url.partition("?")[0])
    expect(panel(page)).to_be_visible()
    row = region(page, "Runs").get_by_role("listitem").filter(has_text=f"{name} compare")
    row.get_by_role("button", name="Promote", exact=True).click(timeout=ENGINE_MS)
    run = view(page, "Run", name)
    expect(run.get_by_role("tab", name="ROC curve")).to_be_visible()
    run.get_by_role("tab", name="ROC curve").click()
    expect(run.locator(".jp-pycaret-plotly .main-svg").first).to_be_visible()
    picture("run-ended")
    run.get_by_label("Model name", exact=True).fill(name)
    run.get_by_role("button", name="Promote", exact=True).click()
    run.get_by_role("button", name="Deploy", exact=True).click()

    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Endpoint name", exact=True).fill("Not an address")
    dialog.get_by_role("button", name="Create deployment", exact=True).click()
    expect(dialog).to_contain_text("Try not-an-address.")
    dialog.get_by_label("Endpoint name", exact=True).fill(name)
    dialog.get_by_label("Access", exact=True).select_option("workspace")
    dialog.get_by_role("button", name="Create deployment", exact=True).click()

    deployment = view(page, "Deployment", name)
    deployment.get_by_label("petal_length", exact=False).fill("1.3")
    deployment.get_by_role("button", name="Predict", exact=True).click()
    answer = deployment.get_by_role("status", name="Answer").locator(".jp-pycaret-answer__label")
    expect(answer).to_be_visible(timeout=ENGINE_MS)
    deployment.get_by_role("button", name="Copy curl", exact=True).click()
    expect(deployment).to_contain_text("Copied")
    line = page.evaluate("navigator.clipboard.readText()")
    called = subprocess.run(["sh", "-c", line], capture_output=True, check=True, timeout=60)
    told = json.loads(called.stdout)["predictions"][0]["prediction"]
    expect(answer).to_have_text(told)
    picture("deployment")

    # where one went on from Promote to Deploy one goes on to what came of it
    page.get_by_role("tab", name=name, exact=True).first.click()
    run.get_by_role("button", name="Open deployment", exact=True).click()
    expect(deployment).to_be_visible()
    page.context.close()
