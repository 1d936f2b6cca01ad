"""What is said, and what to do, when something is not as it should be: never a blank panel, never an endless wait.

A lost connection and a server without our part stand with the side panel.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from .conftest import Lab
from .lab_page import (
    new_run_form,
    open_lab,
    open_panel,
    panel,
    region,
    run_from_palette,
    side_bar_tab,
)

API = "**/pycaret/api/v1/**"
ENGINE_MS = 120_000
ONE_CLASS = [{"x": n, "y": "same"} for n in range(40)]


def refuse(route: Route, status: int, message: str, reason: str) -> None:
    body = json.dumps({"message": message, "reason": reason})
    route.fulfill(status=status, content_type="application/json", body=body)


def sign_out(page: Page) -> None:
    """From here on the server answers as to somebody whose login has expired."""
    page.route(API, lambda route: refuse(route, 401, "Sign in first.", "unauthenticated"))
    page.route_web_socket("**/events/ws**", lambda socket: socket.close())


def show_again(page: Page) -> None:
    """Hide the panel and show it: a panel that is shown asks at once."""
    side_bar_tab(page).click()
    side_bar_tab(page).click()


def says_signed_out(place: Locator) -> None:
    expect(place.get_by_text("Your login to this server has expired.")).to_be_visible()
    expect(place.get_by_role("button", name="Sign in again")).to_be_enabled()


def run_view(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=f"Run {name}", exact=True)


@pytest.fixture(scope="module")
def failed(lab: Lab) -> str:
    """A run that fails, for its target has one class."""
    experiment = lab.experiment("one class", task="classification", target="y")
    return str(
        lab.call(
            "POST",
            f"experiments/{experiment}/runs",
            {"plan": "create", "model_id": "lr", "data_inline": ONE_CLASS},
        )["id"]
    )


def test_a_failed_run_says_what_to_change_and_opens_the_form_again(
    lab: Lab, page: Page, failed: str
) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Runs").get_by_role("listitem").filter(has_text="one class create")
    expect(row).to_contain_text("Failed · ", timeout=ENGINE_MS)
    expect(row).to_contain_text("single class “same”")
    row.press("Enter")
    view = run_view(page, "one class")
    expect(view.get_by_text("The run failed")).to_be_visible()
    expect(view).to_contain_text("single class “same”")
    expect(view.get_by_role("progressbar")).to_have_count(0)
    view.get_by_role("button", name="Change set-up", exact=True).click()
    expect(new_run_form(page)).to_contain_text("The data of that run is not kept here.")


def test_an_expired_login_is_said_everywhere_and_leads_to_a_login(
    lab: Lab, page: Page, failed: str
) -> None:
    lab.call("POST", f"runs/{failed}/wait")
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Runs").get_by_role("listitem").filter(has_text="one class create")
    expect(row).to_contain_text("Failed · ")
    sign_out(page)
    row.press("Enter")
    says_signed_out(page.get_by_role("article"))
    show_again(page)
    expect(panel(page).get_by_text("You are signed out")).to_be_visible()
    says_signed_out(panel(page))
    run_from_palette(page, "New PyCaret run")
    expect(new_run_form(page)).to_have_count(0)
    with page.expect_navigation():
        panel(page).get_by_role("button", name="Sign in again").click()


def test_an_older_server_shows_what_it_knows_and_says_what_it_does_not(
    lab: Lab, page: Page
) -> None:
    def unknown(route: Route) -> None:
        refuse(route, 404, "There is no such path.", "not_found")

    page.route("**/workspaces/*/deployments?**", unknown)
    page.route("**/describe/**", unknown)
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    deployments = region(page, "Deployments")
    expect(deployments).to_contain_text("This server does not know this list yet")
    expect(deployments).to_contain_text("Bring its server part up to date.")
    expect(region(page, "Data")).not_to_contain_text("does not know")
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_enabled()
    run_from_palette(page, "New PyCaret run")
    form = new_run_form(page)
    expect(form.get_by_text("The form cannot be made now")).to_be_visible()
    expect(form).to_contain_text("Bring its server part up to date.")
    expect(form).to_have_attribute("aria-busy", "false")
    page.unroute("**/describe/**")
    form.get_by_role("button", name="Try again").click()
    expect(form.get_by_label("Data source", exact=True)).to_be_visible()
