"""The page of a data source: how its file was read, and what is in its columns."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from .conftest import Lab
from .data_page import (
    CUSTOMERS,
    column,
    columns,
    data_page,
    detail,
    hide_panel,
    open_data_page,
    type_of,
    upload_customers,
    workbook_of_two_sheets,
)
from .lab_page import DARK, LIGHT, faults, open_lab, open_panel, row_of, upload, use_theme

PROFILE = re.compile(r"/data-sources/[^/]+/profile")


@pytest.fixture(scope="module")
def name() -> str:
    return "customers.csv"


@pytest.fixture
def source_id(lab: Lab, page: Page, name: str) -> str:
    """The id of the table, which is uploaded once."""
    known = [row["id"] for row in lab.rows("data-sources") if row["name"] == name]
    if known:
        open_lab(page, lab.url, lab.token)
        open_panel(page)
        return str(known[0])
    return upload_customers(lab, page, name)


@pytest.fixture
def article(page: Page, name: str, source_id: str) -> Locator:
    """The page of the table, over the whole width."""
    article = open_data_page(page, name)
    hide_panel(page)
    return article


def _figures(region: Locator) -> dict[str, str]:
    terms = region.locator("dt").all_inner_texts()
    return dict(zip(terms, region.locator("dd").all_inner_texts(), strict=True))


def test_page_says_how_the_file_was_read(article: Locator) -> None:
    expect(article).to_contain_text("Windows-1252 · semicolon · decimal comma · header in line 3")
    expect(article).to_contain_text("120 rows · 5 columns")
    notes = article.get_by_role("list", name="Notes from reading", exact=True)
    expect(notes.get_by_role("listitem").filter(has_text="Unreadable")).to_contain_text("2 cells")
    expect(article.get_by_text("2 cells unreadable")).to_be_visible()


def test_values_missing_and_unreadable_are_the_rows(article: Locator) -> None:
    for name in ("Number", "Tenure", "Spend", "City", "Left"):
        column(article, name).click()
        figures = _figures(detail(article, name))
        counts = [int(figures[term]) for term in ("Values", "Missing", "Unreadable")]
        assert sum(counts) == int(figures["Rows"]) == 120, name


def test_details_name_the_cells_that_were_not_read(article: Locator) -> None:
    region = detail(article, "Tenure")
    expect(region).to_contain_text("2 unreadable cells, read as missing")
    expect(region).to_contain_text("err")
    expect(
        region.get_by_role("img", name=re.compile("^Histogram of Tenure, 118 values"))
    ).to_be_visible()


def test_columns_are_found_by_name_and_sorted(article: Locator) -> None:
    names = columns(article).locator("[data-column]")
    expect(names).to_have_text(["Number", "Tenure", "Spend", "City", "Left"])
    columns(article).get_by_role("button", name="Column", exact=True).click()
    expect(names).to_have_text(["City", "Left", "Number", "Spend", "Tenure"])
    find = article.get_by_role("searchbox", name="Find a column", exact=True)
    find.fill("e")
    expect(names).to_have_text(["Left", "Number", "Spend", "Tenure"])
    find.fill("nowhere")
    expect(article).to_contain_text("No column has “nowhere” in its name.")
    find.press("Escape")
    expect(names).to_have_count(5)


def test_arrows_move_between_columns_and_tab_reaches_the_type(page: Page, article: Locator) -> None:
    column(article, "Number").focus()
    page.keyboard.press("ArrowDown")
    expect(column(article, "Tenure")).to_be_focused()
    expect(detail(article, "Tenure")).to_be_visible()
    page.keyboard.press("End")
    expect(column(article, "Left")).to_be_focused()
    page.keyboard.press("Tab")
    expect(type_of(article, "Left")).to_be_focused()


def test_details_open_in_place_where_it_is_narrow(page: Page, article: Locator) -> None:
    page.set_viewport_size({"width": 900, "height": 900})
    expect(detail(article, "Tenure")).to_be_hidden()
    column(article, "City").click()
    expect(columns(article).get_by_role("region", name="City", exact=True)).to_be_visible()
    expect(column(article, "City")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(detail(article, "City")).to_be_hidden()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_page_is_accessible_at_every_width(page: Page, article: Locator, theme: str) -> None:
    use_theme(page, theme)
    for width in (1280, 640, 440):
        page.set_viewport_size({"width": width, "height": 900})
        column(article, "City").click()
        expect(detail(article, "City")).to_be_visible()
        assert faults(page) == [], width
        column(article, "City").click()
    use_theme(page, LIGHT)


def test_row_of_the_panel_opens_the_page_by_enter(page: Page, name: str, source_id: str) -> None:
    row = row_of(page, "Data", name)
    row.focus()
    page.keyboard.press("Enter")
    expect(data_page(page, name)).to_be_visible()
    expect(row).to_have_attribute("aria-current", "true")


def test_train_opens_the_form_with_the_data(page: Page, article: Locator, source_id: str) -> None:
    article.get_by_role("button", name="Train", exact=True).click()
    form = page.get_by_role("form", name="New run", exact=True)
    expect(form.get_by_label("Data source", exact=True)).to_have_value(source_id)


def test_page_shows_how_far_the_reading_is(page: Page, name: str, source_id: str) -> None:
    pending = {
        "status": "pending",
        "progress": {"done": 61, "total": 100, "label": "742,000 of 1,214,300 rows"},
    }
    page.route(PROFILE, lambda route: route.fulfill(json=pending))
    row_of(page, "Data", name).get_by_role("button", name=name, exact=True).click()
    article = data_page(page, name)
    bar = article.get_by_role("progressbar", name="Reading the file", exact=True)
    expect(bar).to_have_attribute("aria-valuenow", "61")
    expect(article).to_contain_text("742,000 of 1,214,300 rows, 61 %")
    page.unroute(PROFILE)
    expect(columns(article)).to_be_visible()
    expect(bar).to_be_hidden()


def test_failed_profile_says_why_and_is_made_again(page: Page, name: str, source_id: str) -> None:
    failed = {"status": "failed", "error": "The profile needs 3.1 GB; 2.4 GB are free."}
    page.route(PROFILE, lambda route: route.fulfill(json=failed))
    row_of(page, "Data", name).get_by_role("button", name=name, exact=True).click()
    article = data_page(page, name)
    expect(article.get_by_role("alert")).to_contain_text(
        "The profile needs 3.1 GB; 2.4 GB are free."
    )
    page.unroute(PROFILE)
    article.get_by_role("button", name="Try again", exact=True).click()
    expect(columns(article)).to_be_visible(timeout=60_000)


def test_viewer_sees_no_action_that_would_be_refused(page: Page, name: str, source_id: str) -> None:
    def as_viewer(route: Route) -> None:
        answer = route.fetch()
        me = answer.json()
        for membership in me["memberships"]:
            membership["role"] = "viewer"
        route.fulfill(response=answer, body=json.dumps(me))

    page.route(re.compile("/auth/me"), as_viewer)
    article = open_data_page(page, name)
    expect(article.get_by_role("button", name="Download", exact=True)).to_be_visible()
    for refused in ("Train", "Upload new version", "Change how the file is read"):
        expect(article.get_by_role("button", name=refused, exact=True)).to_have_count(0)
    expect(type_of(article, "Tenure")).to_have_count(0)
    expect(columns(article)).to_contain_text("number")


def test_type_is_changed_and_taken_back(lab: Lab, article: Locator, source_id: str) -> None:
    type_of(article, "City").select_option("text")
    expect(article).to_contain_text("1 type changed; Train uses it")
    undo = article.get_by_role("button", name="Undo type of City", exact=True)
    expect(article.get_by_text("Reading again", exact=True)).to_have_count(0, timeout=60_000)
    assert lab.call("GET", f"data-sources/{source_id}")["types"] == {"City": "text"}
    undo.click()
    expect(type_of(article, "City")).to_have_value("category")
    expect(undo).to_have_count(0)
    type_of(article, "Left").select_option("identifier")
    article.get_by_role("button", name="Reset types", exact=True).click()
    expect(type_of(article, "Left")).to_have_value("category")
    expect(article.get_by_role("button", name="Reset types", exact=True)).to_have_count(0)
    expect(article.get_by_text("Reading again", exact=True)).to_have_count(0, timeout=60_000)
    assert lab.call("GET", f"data-sources/{source_id}")["types"] == {}


def test_file_is_the_one_that_was_uploaded(page: Page, article: Locator) -> None:
    with page.expect_download() as download:
        article.get_by_role("button", name="Download", exact=True).click()
    assert download.value.path().read_bytes() == CUSTOMERS


def test_new_version_says_what_is_new(page: Page, lab: Lab) -> None:
    name = "growing.csv"
    upload_customers(lab, page, name)
    article = open_data_page(page, name)
    version = article.get_by_role("combobox", name="Version", exact=True)
    expect(version.get_by_role("option")).to_have_text(["Version 1"])
    lines = CUSTOMERS.decode("cp1252").split("\r\n")
    more = [f"{line};{'note' if n else 'Comment'}" for n, line in enumerate(lines[2:])]
    content = "\r\n".join([*lines[:2], *more, "K-9999;1,5;€ 1,00;Wien;No;note"])
    with page.expect_file_chooser() as chooser:
        article.get_by_role("button", name="Upload new version", exact=True).click()
    chooser.value.set_files(
        {"name": "more.csv", "mimeType": "text/csv", "buffer": content.encode("cp1252")}
    )
    expect(version.get_by_role("option")).to_have_text(["Version 2, newest", "Version 1"])
    expect(article).to_contain_text("Since version 1")
    expect(article).to_contain_text("1 more row · 1 column added: Comment")
    expect(article).to_contain_text("121 rows · 6 columns")
    expect(column(article, "Comment")).to_be_visible(timeout=60_000)
    expect(row_of(page, "Data", name)).to_contain_text("v2")
    version.select_option("1")
    expect(article).to_contain_text("120 rows · 5 columns")
    expect(column(article, "Tenure")).to_be_visible(timeout=60_000)
    expect(column(article, "Comment")).to_have_count(0)


def test_sheet_of_a_workbook_is_chosen_and_its_table_shown(page: Page, lab: Lab) -> None:
    name = "stock.xlsx"
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    upload(page, name, workbook_of_two_sheets())
    article = open_data_page(page, name)
    hide_panel(page)
    expect(article).to_contain_text("sheet Orders")
    expect(article).to_contain_text("40 rows · 2 columns")
    article.get_by_role("button", name="Change how the file is read", exact=True).click()
    dialog = page.get_by_role("dialog", name="How the file is read", exact=True)
    expect(dialog.get_by_label("Sheet", exact=True)).to_have_value("Orders")
    expect(dialog.get_by_label("Encoding", exact=True)).to_have_count(0)
    assert faults(page) == []
    dialog.get_by_label("Sheet", exact=True).fill("Towns")
    dialog.get_by_role("button", name="Read again", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(article).to_contain_text("sheet Towns")
    expect(article).to_contain_text("25 rows · 3 columns")
    expect(column(article, "inhabitants")).to_be_visible(timeout=60_000)
    expect(column(article, "pieces")).to_have_count(0)
    column(article, "inhabitants").click()
    figures = _figures(detail(article, "inhabitants"))
    assert (figures["Rows"], figures["Values"], figures["Missing"]) == ("25", "25", "0")


def test_file_is_read_in_another_way_as_a_new_version(page: Page, lab: Lab) -> None:
    name = "reread.csv"
    upload_customers(lab, page, name)
    article = open_data_page(page, name)
    article.get_by_role("button", name="Change how the file is read", exact=True).click()
    dialog = page.get_by_role("dialog", name="How the file is read", exact=True)
    expect(dialog.get_by_label("Encoding", exact=True)).to_have_value("cp1252")
    expect(dialog.get_by_label("Header in line", exact=True)).to_have_value("3")
    assert faults(page) == []
    dialog.get_by_label("Header in line", exact=True).fill("three")
    dialog.get_by_role("button", name="Read again", exact=True).click()
    expect(dialog).to_contain_text("Give the number of a line")
    dialog.get_by_label("Header in line", exact=True).fill("0")
    dialog.get_by_role("button", name="Read again", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(article).to_contain_text("no header")
    expect(article.get_by_role("combobox", name="Version", exact=True)).to_have_value("2")
    expect(column(article, "column_1")).to_be_visible(timeout=60_000)
