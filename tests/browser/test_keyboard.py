"""The whole way with the keyboard alone: Tab, arrows, Enter, Escape; and one sees where one is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab
from .lab_page import new_run_form, open_lab, panel, region, run_from_palette

FLOWERS = b"sepal,petal,species\n" + b"".join(
    b"%d.%d,%d.%d,%s\n"
    % (4 + n % 3, n % 10, n % 4 + 2 * (n % 2), n % 7, (b"setosa", b"virginica")[n % 2])
    for n in range(80)
)
ENGINE_MS = 120_000

#: Whether what has the focus wears a ring, and nothing lies over it.
_ONE_SEES_THE_FOCUS = """() => {
  const held = document.activeElement;
  const ours = held.closest('.jp-pycaret, .jp-pycaret-side');
  if (!ours) return true;
  const wears = box => {
    const { outlineStyle, outlineWidth } = getComputedStyle(box);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  };
  let ring = false;
  for (let box = held; box && ours.contains(box); box = box.parentElement) ring ||= wears(box);
  const { left, top, width, height } = held.getBoundingClientRect();
  const lies = document.elementFromPoint(left + width / 2, top + Math.min(height / 2, 12));
  return ring && lies !== null && (held.contains(lies) || lies.contains(held));
}"""


def walk_to(page: Page, target: Locator, key: str = "Tab", most: int = 80) -> None:
    """Press a key until the target has the focus; each stop on the way can be seen."""
    expect(target).to_be_visible()
    for _ in range(most):
        page.keyboard.press(key)
        name = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        assert page.evaluate(_ONE_SEES_THE_FOCUS), f"one does not see the focus on {name}"
        if target.evaluate("node => node === document.activeElement"):
            return
    pytest.fail(f"{key} does not lead to {target}")


def write(page: Page, text: str) -> None:
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def button(place: Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


def test_the_whole_way_with_the_keyboard(lab: Lab, page: Page) -> None:
    # Takes choosers over from now on: told at the last moment, the browser hears of Enter first.
    page.on("filechooser", lambda _: None)
    open_lab(page, lab.url, lab.token)
    run_from_palette(page, "Open PyCaret Ops")
    expect(panel(page)).to_be_focused()
    expect(button(panel(page), "Upload data")).to_be_enabled()
    walk_to(page, button(panel(page), "Upload data"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": "keys.csv", "mimeType": "text/csv", "buffer": FLOWERS})
    row = region(page, "Data").get_by_role("listitem").filter(has_text="keys.csv")
    expect(row).to_contain_text("80 rows · 3 columns")
    walk_to(page, row)
    walk_to(page, button(row, "Train"))
    page.keyboard.press("Enter")

    form = new_run_form(page)
    expect(form.get_by_label("Plan", exact=True)).to_be_visible(timeout=ENGINE_MS)
    walk_to(page, form.get_by_label("Data source", exact=True))
    walk_to(page, button(form, "Open data page"))
    walk_to(page, form.locator("summary").filter(has_text="First rows"))
    page.keyboard.press("Enter")
    walk_to(page, form.get_by_role("region", name="Preview of keys.csv"))
    target = form.get_by_label("Target", exact=True)
    walk_to(page, target)
    expect(target).to_have_value("species")
    walk_to(page, form.get_by_label("Models", exact=True))
    for model in ("Logistic Regression", "Naive Bayes"):
        page.keyboard.type(model)
        page.keyboard.press("Enter")
        expect(button(form, f"Remove {model}")).to_be_visible()
    walk_to(page, form.get_by_label("Folds", exact=True))
    write(page, "2")
    walk_to(page, form.get_by_role("combobox", name="Type of petal", exact=True))
    walk_to(page, form.get_by_label("Experiment", exact=True))
    write(page, "keys")
    walk_to(page, button(form, "Start run"))
    page.keyboard.press("Enter")

    run = page.get_by_role("article", name="Run keys", exact=True)
    expect(run.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=ENGINE_MS)
    board = run.get_by_role("table", name="Leaderboard", exact=True)
    walk_to(page, button(board, "Seconds"))
    page.keyboard.press("Enter")
    expect(board.get_by_role("columnheader", name="Seconds")).to_have_attribute(
        "aria-sort", "ascending"
    )
    plots = run.get_by_role("tab")
    walk_to(page, run.get_by_role("tab", selected=True))
    page.keyboard.press("ArrowRight")
    expect(plots.nth(1)).to_be_focused()
    expect(plots.nth(1)).to_have_attribute("aria-selected", "true")
    walk_to(page, run.get_by_label("Model name", exact=True))
    walk_to(page, button(run, "Promote"))
    page.keyboard.press("Enter")
    deploy = button(run, "Deploy")
    expect(deploy).to_be_focused()

    dialog = page.get_by_role("dialog")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Endpoint name", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(deploy).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Endpoint name", exact=True)).to_be_focused()
    write(page, "keys")
    walk_to(page, button(dialog, "Create deployment"))
    page.keyboard.press("Enter")

    deployment = page.get_by_role("article", name="Deployment keys", exact=True)
    expect(button(deployment, "Predict")).to_be_enabled(timeout=ENGINE_MS)
    walk_to(page, deployment.get_by_label("petal", exact=False))
    write(page, "2.5")
    walk_to(page, button(deployment, "Predict"))
    page.keyboard.press("Enter")
    answer = deployment.get_by_role("status", name="Answer")
    expect(answer.locator(".jp-pycaret-answer__label")).to_be_visible(timeout=ENGINE_MS)
    expect(button(deployment, "Predict")).to_be_focused()

    # back in the panel: arrows between rows, Enter opens what stands there
    run_from_palette(page, "Open PyCaret Ops")
    expect(panel(page)).to_be_focused()
    rows = region(page, "Runs").get_by_role("listitem")
    walk_to(page, rows.first)
    page.keyboard.press("End")
    expect(rows.last).to_be_focused()
    page.keyboard.press("Home")
    expect(rows.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(run).to_be_visible()
