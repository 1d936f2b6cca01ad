"""The form for a new run: made from the data and from what the engine offers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .lab_page import new_run_form, open_lab, open_panel, panel, region, upload

FLOWERS = b"sepal,petal,species\n" + b"".join(
    b"%d.%d,%d.%d,%s\n" % (4 + n % 3, n % 10, n % 4, n % 10, (b"setosa", b"virginica")[n % 2])
    for n in range(60)
)


@pytest.fixture
def form(lab: Lab, page: Page) -> Locator:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    name = f"form {len(lab.rows('data-sources'))}.csv"
    upload(page, name, FLOWERS)
    row = region(page, "Data").get_by_role("listitem").filter(has_text=name)
    row.hover()
    row.get_by_role("button", name="Train").click()
    form = new_run_form(page)
    # The engine is asked for the first time: a kernel has to start.
    expect(form.get_by_label("Plan", exact=True)).to_be_visible(timeout=90_000)
    expect(form.get_by_label("Data source", exact=True)).to_have_value(
        lab.rows("data-sources")[0]["id"]
    )
    expect(row).to_have_attribute("aria-current", "true")
    return form


def test_target_and_task_are_suggested(form: Locator) -> None:
    expect(form.get_by_label("Target", exact=True)).to_have_value("species")
    expect(form.get_by_label("Task", exact=True)).to_have_value("classification")
    expect(form.get_by_label("Plan", exact=True)).to_have_value("compare")
    expect(form.get_by_label("Folds", exact=True)).to_have_value("10")
    expect(form.get_by_role("columnheader")).to_have_count(0)
    form.get_by_text("First rows", exact=True).click()
    expect(form.get_by_role("columnheader").first).to_contain_text("species")


def test_the_form_follows_what_the_engine_offers_for_a_task(lab: Lab, form: Locator) -> None:
    for task in lab.call("GET", "describe/tasks"):
        form.get_by_label("Task", exact=True).select_option(task["id"])
        plans = [plan["id"] for plan in lab.call("GET", f"describe/plans?task={task['id']}")]
        options = form.get_by_label("Plan", exact=True).get_by_role("option")
        expect(options).to_have_count(len(plans))
        assert [option.get_attribute("value") for option in options.all()] == plans
        params = {
            param["name"] for param in lab.call("GET", f"describe/setup-params?task={task['id']}")
        }
        expect(form.get_by_label("Folds", exact=True)).to_have_count(int("fold" in params))
        expect(form.get_by_label("Horizon", exact=True)).to_have_count(int("horizon" in params))
        supervised = task["id"] not in ("clustering", "anomaly")
        expect(form.get_by_label("Target", exact=True)).to_have_count(int(supervised))


def test_a_wrong_field_is_said_and_has_the_focus(form: Locator) -> None:
    form.get_by_label("Folds", exact=True).fill("1")
    form.get_by_role("button", name="Start run").click()
    folds = form.get_by_label("Folds", exact=True)
    expect(folds).to_be_focused()
    expect(folds).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("2")


def test_a_started_run_is_in_the_panel(lab: Lab, page: Page, form: Locator) -> None:
    form.get_by_label("Models", exact=True).fill("Naive Bayes")
    expect(form.get_by_role("button", name="Remove Naive Bayes")).to_be_visible()
    form.get_by_label("Folds", exact=True).fill("3")
    form.get_by_label("Experiment", exact=True).fill("started here")
    form.get_by_role("button", name="Start run").click()
    expect(form).to_be_hidden()
    row = region(page, "Runs").get_by_role("listitem").filter(has_text="started here")
    expect(row.get_by_role("img", name="Succeeded")).to_be_visible(timeout=90_000)
    snapshot = lab.call("GET", f"runs/{lab.rows('runs')[0]['id']}")["snapshot"]
    assert snapshot["plan_params"]["include"] == ["nb"]
    assert snapshot["setup_params"]["fold"] == 3
    assert panel(page).is_visible()


def test_a_sample_needs_no_data(lab: Lab, page: Page) -> None:
    page.route(re.compile(r"/data-sources\?"), lambda route: route.fulfill(json=[]))
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    expect(region(page, "Data")).to_contain_text("Start with your data")
    region(page, "Data").get_by_role("button", name="breast cancer", exact=True).click()
    form = new_run_form(page)
    expect(form.get_by_label("Target", exact=True)).to_have_value("target")
    expect(form.get_by_label("Plan", exact=True)).to_be_visible(timeout=90_000)
    form.get_by_label("Models", exact=True).fill("Naive Bayes")
    expect(form.get_by_role("button", name="Remove Naive Bayes")).to_be_visible()
    form.get_by_label("Folds", exact=True).fill("2")
    form.get_by_role("button", name="Start run").click()
    run = page.get_by_role("article", name="Run breast-cancer-sample", exact=True)
    expect(run).to_contain_text("compare on breast_cancer")
    expect(run.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=90_000)
    run.get_by_role("button", name="Run again", exact=True).click()
    expect(form.get_by_label("Data source", exact=True)).to_have_value("sample:breast_cancer")
    expect(form.get_by_label("Folds", exact=True)).to_have_value("2")
