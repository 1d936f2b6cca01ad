"""JupyterLab's toasts, and our own: they cover no button that leads on, and none tells what stands in front."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from .conftest import Deployed, Lab
from .lab_page import new_run_form, open_lab, open_panel, panel, region, row_of, side_bar_tab

#: as long as Jupyter's question about news on a first visit, with its buttons
NEWS = "Would you like to get notified about official Jupyter news? Open privacy policy Yes No"
#: of the window; the smallest leaves the main area less than a toast is wide
SIZES = [(1280, 900), (900, 700), (700, 700), (400, 700)]


@pytest.fixture
def toasted(lab: Lab, page: Page) -> Page:
    """A page with two toasts that stay."""
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    for n in range(2):
        page.evaluate(
            """message => window.jupyterapp.commands.execute('apputils:notify', {
                message, type: 'info', options: { autoClose: false }
            }).then(() => null)""",
            f"{n} {NEWS}",
        )
    expect(page.locator(".Toastify__toast")).to_have_count(2)
    return page


def covered(page: Page, button: Locator) -> bool:
    """Whether a toast lies over a button, once that was scrolled to."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    for toast in page.locator(".Toastify__toast").all():
        over = toast.bounding_box()
        if (
            over is not None
            and box["x"] < over["x"] + over["width"]
            and over["x"] < box["x"] + box["width"]
            and box["y"] < over["y"] + over["height"]
            and over["y"] < box["y"] + box["height"]
        ):
            return True
    return False


def test_no_toast_covers_what_leads_on(
    lab: Lab, toasted: Page, deployed: Deployed, pictures: Path
) -> None:
    page = toasted
    row = row_of(page, "Runs", f"{deployed.slug} create")
    row.press("Enter")
    run = page.get_by_role("article", name=f"Run {deployed.slug}", exact=True)
    # it was promoted before: what leads on from there stands in the same place
    step = run.get_by_role("button", name="Open deployment", exact=True).or_(
        run.get_by_role("button", name="Deploy", exact=True)
    )
    expect(step).to_be_visible()
    panel(page).get_by_role("button", name="New run", exact=True).click()
    form = new_run_form(page)
    form.get_by_label("Data source", exact=True).select_option("iris")
    start = form.get_by_role("button", name="Start run", exact=True)
    expect(start).to_be_enabled(timeout=120_000)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if width < 700:
            side_bar_tab(page).click()
        page.get_by_role("tab", name="New run", exact=True).last.click()
        expect(start).to_be_visible()
        page.screenshot(path=pictures / f"toasts-form-{width}.png")
        assert not covered(page, start), (width, height)
        page.get_by_role("tab", name=deployed.slug, exact=True).click()
        expect(step).to_be_visible()
        page.screenshot(path=pictures / f"toasts-run-{width}.png")
        assert not covered(page, step), (width, height)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_end_of_the_run_in_front_is_told_by_no_toast(
    lab: Lab, page: Page, deployed: Deployed
) -> None:
    sockets: list[WebSocketRoute] = []
    run = lab.call("GET", f"runs/{deployed.run}")
    told: dict[str, Any] = {"status": "running", "finished_at": None}

    def brief() -> dict[str, Any]:
        row = run | told
        return {key: row[key] for key in row if key not in {"leaderboard", "snapshot"}}

    page.route(
        re.compile(rf"/api/v1/runs/{deployed.run}\?"),
        lambda route: route.fulfill(json=run | told),
    )
    page.route(re.compile(r"/api/v1/runs\?"), lambda route: route.fulfill(json=[brief()]))
    page.route(re.compile(r"/events\?"), lambda route: route.fulfill(json=[]))
    page.route_web_socket(re.compile(r"/events/ws"), lambda line: sockets.append(line))
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Runs").get_by_role("listitem").first
    expect(row).to_contain_text("Running")
    row.press("Enter")
    view = page.get_by_role("article", name=f"Run {deployed.slug}", exact=True)
    chip = view.locator(".jp-pycaret-status--chip")
    expect(chip).to_have_text("Running")
    toast = page.locator(".Toastify__toast").filter(has_text=f"{deployed.slug} has ended")

    told["status"] = "succeeded"
    sockets[0].send('{"kind": "run.closed", "status": "succeeded"}')
    expect(chip).to_have_text("Succeeded")
    expect(row).not_to_contain_text("Running")
    expect(toast).to_have_count(0)

    # another tab in front of it: now the end is news
    told["status"] = "running"
    page.evaluate("window.jupyterapp.commands.execute('launcher:create').then(() => null)")
    expect(row).to_contain_text("Running")
    told["status"] = "succeeded"
    expect(toast).to_be_visible()
