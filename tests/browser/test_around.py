"""What stands around the panel: status bar, launcher, file browser, and what is there without a server part."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .conftest import Lab
from .lab_page import new_run_form, open_lab, panel, run_from_palette

TABLE = "x,y\n" + "".join(f"{n},{3 * n % 7}\n" for n in range(40))


def test_the_status_bar_counts_runs_and_opens_the_panel(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    item = page.get_by_role("button", name="PyCaret Ops runs", exact=True)
    expect(item).to_be_visible()
    item.click()
    expect(panel(page)).to_be_visible()


def test_the_launcher_has_a_card(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    page.locator(".jp-LauncherCard", has_text="New PyCaret run").click()
    expect(new_run_form(page)).to_be_visible()


def test_a_table_in_the_file_browser_becomes_data(lab: Lab, page: Page) -> None:
    (lab.home / "work" / "beside.csv").write_text(TABLE)
    open_lab(page, lab.url, lab.token)
    page.locator(".jp-DirListing-item", has_text="beside.csv").click(button="right")
    page.get_by_role("menuitem", name="Train with PyCaret").click()
    source = new_run_form(page).get_by_label("Data source", exact=True)
    expect(source.locator("option:checked")).to_contain_text("beside")
    assert lab.rows("data-sources")[0]["config"]["rows"] == 40


def test_without_the_server_part_the_panel_says_so_in_place_of_a_form(
    bare_lab: Lab, page: Page
) -> None:
    open_lab(page, bare_lab.url, bare_lab.token)
    run_from_palette(page, "New PyCaret run")
    expect(panel(page).get_by_text("PyCaret Ops is not on this server")).to_be_visible()
