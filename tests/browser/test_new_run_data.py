"""The data in the form for a new run: columns, types, labels, and what was noticed about them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .data_page import CUSTOMERS, data_page
from .lab_page import (
    DARK,
    LIGHT,
    faults,
    new_run_form,
    open_lab,
    open_panel,
    row_of,
    upload,
    use_theme,
)

NAME = "form data.csv"
RUNS = re.compile(r"/experiments/[^/]+/runs$")


@pytest.fixture
def form(lab: Lab, page: Page) -> Locator:
    """The form with a table whose profile is made."""
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    if all(row["name"] != NAME for row in lab.rows("data-sources")):
        upload(page, NAME, CUSTOMERS)
    row = row_of(page, "Data", NAME)
    row.hover()
    row.get_by_role("button", name="Train").click()
    form = new_run_form(page)
    # an engine and the profile: both need a kernel
    expect(form.get_by_label("Plan", exact=True)).to_be_visible(timeout=90_000)
    expect(form.get_by_text("2 unreadable", exact=True)).to_be_visible(timeout=60_000)
    return form


def submitted(page: Page, form: Locator) -> Any:
    """What the form sends; no run is started."""
    page.route(RUNS, lambda route: route.fulfill(status=400, json={"message": "Not now."}))
    with page.expect_request(RUNS) as request:
        form.get_by_role("button", name="Start run", exact=True).click()
    expect(form.get_by_text("Not now.")).to_be_visible()
    return json.loads(request.value.post_data or "")


def used(form: Locator, name: str) -> Locator:
    group = form.get_by_role("group", name="Columns", exact=True)
    return group.get_by_role("checkbox", name=name, exact=True)


def test_columns_are_prefilled_from_the_profile(page: Page, form: Locator) -> None:
    expect(form.get_by_label("Target", exact=True)).to_have_value("Left")
    expect(used(form, "Number")).not_to_be_checked()
    expect(form.get_by_text("all different", exact=True)).to_be_visible()
    for name in ("Tenure", "Spend", "City"):
        expect(used(form, name)).to_be_checked()
    expect(form.get_by_label("Type of Tenure", exact=True)).to_have_value("number")
    expect(used(form, "Left")).to_have_count(0)
    expect(form).to_contain_text("3 of 4 used, 1 left out")
    assert submitted(page, form)["setup_params"] == {}


def test_types_and_ticks_are_sent(page: Page, form: Locator) -> None:
    used(form, "Number").check()
    used(form, "City").uncheck()
    form.get_by_label("Type of Spend", exact=True).select_option("category")
    expect(form.get_by_text("was number", exact=True)).to_be_visible()
    expect(form).to_contain_text("3 of 4 used, 1 left out, 1 type changed")
    assert submitted(page, form)["setup_params"] == {
        "column_types": {"Spend": "category"},
        "ignore_features": ["City"],
        "keep_features": ["Number"],
    }


def test_all_columns_or_none_are_used(form: Locator) -> None:
    form.get_by_role("button", name="Use none", exact=True).click()
    expect(form).to_contain_text("0 of 4 used, 4 left out")
    form.get_by_role("searchbox", name="Find a column", exact=True).fill("ten")
    expect(used(form, "Spend")).to_have_count(0)
    form.get_by_role("button", name="Use all", exact=True).click()
    expect(used(form, "Tenure")).to_be_checked()
    expect(form).to_contain_text("1 of 4 used, 3 left out")


def test_labels_that_differ_by_case_are_treated_as_one(page: Page, form: Locator) -> None:
    labels = form.get_by_role("table", name="Labels of Left", exact=True)
    expect(labels.get_by_role("row")).to_have_count(3)
    form.get_by_role("button", name="Treat as one", exact=True).click()
    expect(labels.get_by_role("row")).to_have_count(2)
    expect(form).to_contain_text("yes counts as Yes in 24 rows.")
    undo = form.get_by_role("button", name="Undo treating labels as one", exact=True)
    expect(undo).to_be_focused()
    positive = form.get_by_label("Positive class", exact=True)
    expect(positive.locator("option:checked")).to_have_text("Yes")
    positive.select_option("No")
    assert submitted(page, form)["setup_params"] == {"merge_levels": True, "positive_class": "No"}
    positive.select_option("Yes")
    assert submitted(page, form)["setup_params"] == {"merge_levels": True}
    undo.click()
    expect(positive).to_be_hidden()
    expect(labels.get_by_role("row")).to_have_count(3)
    expect(form.get_by_role("button", name="Treat as one", exact=True)).to_be_focused()


def test_rows_are_split_by_groups_or_against_a_table_of_their_own(
    page: Page, form: Locator, pictures: Path
) -> None:
    split = form.get_by_role("radiogroup", name="Split by", exact=True)
    expect(split.get_by_role("radio", name="Rows", exact=True)).to_be_checked()
    expect(split.get_by_role("radio", name="Time", exact=True)).to_be_disabled()
    groups = split.get_by_role("radio", name="Groups", exact=True)
    split.get_by_text("Groups", exact=True).click()
    expect(groups).to_be_checked()
    expect(form.get_by_label("Group column", exact=True)).to_have_value("Number")
    form.get_by_label("Group column", exact=True).select_option("City")
    form.screenshot(path=pictures / "split-groups.png")
    assert submitted(page, form)["setup_params"] == {"fold_groups": "City"}
    groups.press("ArrowLeft")
    expect(split.get_by_role("radio", name="Rows", exact=True)).to_be_checked()
    expect(form.get_by_label("Group column", exact=True)).to_have_count(0)
    assert submitted(page, form)["setup_params"] == {}
    for theme in (DARK, LIGHT):
        use_theme(page, theme)
        assert faults(page) == []


def test_noticed_column_is_left_out_by_one_button(page: Page, form: Locator) -> None:
    notice = {
        "code": "leak_suspect",
        "column": "Spend",
        "message": "“Spend” predicts “Left” almost alone. Leave it out if it is known only afterwards.",
        "setup_params": {"ignore_features": ["Spend"]},
    }

    def with_notice(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "notices": [notice]})

    page.route(re.compile(r"/profile\?.*target="), with_notice)
    form.get_by_label("Target", exact=True).select_option("City")
    form.get_by_label("Target", exact=True).select_option("Left")
    form.get_by_role("button", name="Leave out Spend", exact=True).click(timeout=60_000)
    expect(used(form, "Spend")).not_to_be_checked()
    assert submitted(page, form)["setup_params"] == {"ignore_features": ["Spend"]}
    form.get_by_role("button", name="Undo leaving out Spend", exact=True).click()
    expect(used(form, "Spend")).to_be_checked()


def test_data_page_is_one_button_away(page: Page, form: Locator) -> None:
    expect(form.get_by_role("combobox", name="Version", exact=True)).to_have_value("1")
    form.get_by_role("button", name="Open data page", exact=True).click()
    expect(data_page(page, NAME)).to_be_visible()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_form_is_accessible_at_every_width(page: Page, form: Locator, theme: str) -> None:
    use_theme(page, theme)
    for width in (1280, 760):
        page.set_viewport_size({"width": width, "height": 900})
        expect(form.get_by_role("button", name="Start run", exact=True)).to_be_visible()
        assert faults(page) == [], width
    use_theme(page, LIGHT)
