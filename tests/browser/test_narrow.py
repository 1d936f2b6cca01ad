"""Every view at a width of 300 px: nothing scrolls sideways as a whole, nothing is cut off."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from .conftest import Deployed, Lab
from .data_page import CUSTOMERS, column, detail, open_data_page, type_of
from .lab_page import new_run_form, open_lab, open_panel, panel, region, side_bar_tab, upload

WIDTH = 300
LONG = "flowers-of-all-the-gardens-between-the-river-and-the-old-town"
TABLE = b"a_column_with_quite_a_long_name,petal,species\n" + b"".join(
    b"%d,%d,%s\n" % (n, n % 7, (b"setosa", b"virginica")[n % 2]) for n in range(60)
)
ENGINE_MS = 120_000

#: What does not fit into a root: its path and how it fails. Boxes that scroll by themselves may be wider.
_FAULTS = """root => {
  const faults = [];
  const say = (what, node) => faults.push(`${what}: ${node.outerHTML.slice(0, 160)}`);
  if (root.scrollWidth > root.clientWidth) say('scrolls sideways', root);
  const { left, right } = root.getBoundingClientRect();
  const scrolls = node => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX);
  const clips = node => getComputedStyle(node).textOverflow === 'ellipsis';
  const nodes = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT, node =>
    node.matches('svg, option, .jp-pycaret-unseen, .jp-pycaret-plotly') || !node.checkVisibility()
      ? NodeFilter.FILTER_REJECT
      : NodeFilter.FILTER_ACCEPT
  );
  while (nodes.nextNode()) {
    const node = nodes.currentNode;
    let inside = false;
    for (let box = node.parentElement; box !== root && !inside; box = box.parentElement) {
      inside = scrolls(box) || clips(box);
    }
    const box = node.getBoundingClientRect();
    if (!inside && box.width > 0 && (box.right > right + 1 || box.left < left - 1)) {
      say('sticks out', node);
    }
    if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0 && !scrolls(node)) {
      if (getComputedStyle(node).overflowX !== 'visible' && !clips(node)) say('cut', node);
      if (clips(node) && !node.closest('[title]')) say('no tooltip', node);
    }
  }
  return faults;
}"""


@pytest.fixture
def narrow(lab: Lab, page: Page, deployed: Deployed) -> Page:
    """A page in which the names of the one run, model and deployment are long."""

    def lengthen(route: Route) -> None:
        request = route.request
        answer = route.fetch(url=request.url.replace(LONG, deployed.slug))
        body = answer.text().replace(f'"{deployed.slug}"', f'"{LONG}"')
        route.fulfill(response=answer, body=body)

    page.route("**/pycaret/api/v1/**", lengthen)
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    return page


def narrow_main(page: Page, view: Locator) -> None:
    """Leave the view nothing but its 300 px."""
    if panel(page).is_visible():
        side_bar_tab(page).click()
    expect(panel(page)).to_be_hidden()
    for _ in range(3):
        size = page.viewport_size
        assert size is not None
        beside = size["width"] - int(view.evaluate("node => node.clientWidth"))
        if beside + WIDTH == size["width"]:
            break
        page.set_viewport_size({"width": beside + WIDTH, "height": size["height"]})
        page.wait_for_function(
            "width => document.querySelector('.jp-pycaret-view').clientWidth <= width",
            arg=WIDTH + 8,
        )
    assert view.evaluate("node => node.clientWidth") == WIDTH


def fits(place: Locator, picture: Path) -> None:
    """Nothing is wrong once what follows the width by itself has followed."""
    page = place.page
    with suppress(Error):  # the last word has the look below
        page.wait_for_function(
            f"place => ({_FAULTS})(place).length === 0", arg=place.element_handle(), timeout=5000
        )
    page.screenshot(path=picture)
    assert place.evaluate(_FAULTS) == []


def test_the_side_panel_fits(narrow: Page, pictures: Path) -> None:
    upload(narrow, f"{LONG}.csv", TABLE)
    row = region(narrow, "Data").get_by_role("listitem").filter(has_text=LONG)
    expect(row).to_contain_text("60 rows")
    expect(region(narrow, "Deployments")).to_contain_text(LONG)
    width = int(panel(narrow).evaluate("node => node.clientWidth"))
    edge = panel(narrow).bounding_box()
    assert edge is not None
    x, y = edge["x"] + edge["width"] + 1, edge["y"] + 200
    narrow.mouse.move(x, y)
    narrow.mouse.down()
    narrow.mouse.move(x + WIDTH - width, y)
    narrow.mouse.up()
    assert panel(narrow).evaluate("node => node.clientWidth") == WIDTH
    fits(panel(narrow).locator(".jp-pycaret-panel"), pictures / "narrow-panel.png")
    row.press("Delete")
    narrow.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_be_hidden()


def test_data_page_fits(lab: Lab, narrow: Page, pictures: Path) -> None:
    name = f"{LONG}-customers.csv"
    upload(narrow, name, CUSTOMERS)
    view = open_data_page(narrow, name)
    narrow_main(narrow, view)
    column(view, "Tenure").click()
    expect(detail(view, "Tenure")).to_be_visible()
    type_of(view, "City").select_option("text")
    expect(view.get_by_role("button", name="Undo type of City", exact=True)).to_be_visible()
    fits(view, pictures / "narrow-data-page.png")


def test_the_form_fits(lab: Lab, narrow: Page, pictures: Path) -> None:
    upload(narrow, "narrow.csv", TABLE)
    row = region(narrow, "Data").get_by_role("listitem").filter(has_text="narrow.csv")
    row.get_by_role("button", name="Train").click()
    form = new_run_form(narrow)
    expect(form.get_by_label("Plan", exact=True)).to_be_visible(timeout=ENGINE_MS)
    form.get_by_text("Advanced set-up").click()
    form.get_by_text("First rows", exact=True).click()
    expect(form.get_by_role("group", name="Columns", exact=True)).to_be_visible()
    form.get_by_label("Models", exact=True).fill("Random Forest Classifier")
    form.get_by_label("Folds", exact=True).fill("1")
    form.get_by_role("button", name="Start run", exact=True).click()
    expect(form.get_by_label("Folds", exact=True)).to_have_attribute("aria-invalid", "true")
    narrow_main(narrow, form)
    fits(form, pictures / "narrow-form.png")


def test_the_run_view_fits(narrow: Page, pictures: Path, deployed: Deployed, lab: Lab) -> None:
    row = lab.call("GET", f"runs/{deployed.run}") | {"error": "A sentence of what to change. " * 5}
    row["progress"] = {"done": 1, "total": 2, "label": LONG}
    view = narrow.get_by_role("article", name=f"Run {LONG}", exact=True)
    open_run = "id => window.jupyterapp.commands.execute('pycaret-ops:open-run', { id })"
    said: dict[str, str] = {}
    narrow.route(
        re.compile(rf"/api/v1/runs/{deployed.run}\?"),
        lambda route: route.fulfill(json=row | said) if said else route.fallback(),
    )
    for status in ("succeeded", "running", "failed"):
        if status != "succeeded":
            said["status"] = status
        narrow.evaluate(f"id => ({open_run})(id).then(() => null)", deployed.run)
        expect(view.get_by_role("table", name="Leaderboard")).to_contain_text("Logistic Regression")
        if status == "succeeded":
            plot = view.locator(".jp-pycaret-plotly .main-svg").first
            expect(plot).to_be_visible(timeout=ENGINE_MS)
            for name in ("Events", "Set-up"):
                view.locator("summary").filter(has_text=name).click()
        narrow_main(narrow, view)
        fits(view, pictures / f"narrow-run-{status}.png")
        narrow.evaluate("window.jupyterapp.shell.currentWidget.close()")
        expect(view).to_be_hidden()


def test_the_deployment_fits(narrow: Page, pictures: Path) -> None:
    row = region(narrow, "Deployments").get_by_role("listitem").filter(has_text=LONG)
    row.press("Enter")
    view = narrow.get_by_role("article", name=f"Deployment {LONG}", exact=True)
    expect(view.get_by_role("button", name="Predict", exact=True)).to_be_enabled()
    access = view.get_by_label("Access", exact=True)
    access.select_option("api-key")
    expect(view.get_by_role("button", name="New key", exact=True)).to_be_visible()
    narrow_main(narrow, view)
    fits(view, pictures / "narrow-deployment.png")
    access.select_option("workspace")
