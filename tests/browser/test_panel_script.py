"""The browser's side of a panel by itself: what it does with HTML that arrives, without a notebook around."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jupyter_pycaret_ops.notebook import rendering
from jupyter_pycaret_ops.notebook.markup import button
from jupyter_pycaret_ops.notebook.panel import STATIC
from jupyter_pycaret_ops.notebook.run_state import RunState

#: a model as anywidget hands it over, and what a test says to it
MODEL = """
class Model {
  constructor() {
    this.values = { html: '', is_own: false };
    this.heard = {};
    this.sent = [];
    const slots = [];
    const signal = { connect: slot => slots.push(slot), disconnect: () => {} };
    this.widget_manager = { kernel: { statusChanged: signal } };
    this.kernelIs = status => slots.forEach(slot => slot(null, status));
  }
  get(name) { return this.values[name]; }
  set(html) { this.values.html = html; this.heard['change:html']?.(); }
  on(name, listener) { this.heard[name] = listener; }
  off() {}
  send(message) { this.sent.push(message); }
}
window.model = new Model();
"""


@pytest.fixture
def shown(page: Page) -> Page:
    """A page with nothing on it but a panel."""
    page.set_content("<!doctype html><main></main>")
    page.add_style_tag(content=(STATIC / "panel.css").read_text(encoding="utf-8"))
    script = (
        (STATIC / "panel.js")
        .read_text(encoding="utf-8")
        .replace("export default", "window.panel =")
    )
    page.add_script_tag(content=f"{MODEL}\n{script}\n")
    page.evaluate("panel.render({ model, el: document.querySelector('main') }) && null")
    return page


def draw(page: Page, html: str) -> None:
    page.evaluate("html => model.set(html)", html)


def board(*rows: tuple[str, float | None, float], status: str = "running") -> str:
    """A leaderboard, best first: model, accuracy, seconds."""
    records = [
        {"model_id": name, "name": name, "rank": rank, "Accuracy": score, "seconds": seconds}
        for rank, (name, score, seconds) in enumerate(rows, 1)
    ]
    row: Any = {
        "status": status,
        "progress": {"done": 0, "total": 0, "label": ""},
        "leaderboard": records,
        "metrics_summary": {"metric": "Accuracy"},
        "cancel_requested_at": None,
    }
    return rendering.leaderboard(RunState(row), "a-run")


def order(page: Page) -> list[str]:
    return page.locator("tr[data-scored]").evaluate_all("rows => rows.map(row => row.dataset.key)")


def test_a_header_sorts_by_click_and_by_key(shown: Page) -> None:
    draw(shown, board(("a", 0.9, 3.0), ("b", 0.8, 1.0), ("c", None, 2.0)))
    assert order(shown) == ["a", "b", "c"]
    accuracy = shown.get_by_role("columnheader", name="Accuracy")
    seconds = shown.get_by_role("columnheader", name="Seconds")
    expect(accuracy).to_have_attribute("aria-sort", "descending")
    shown.get_by_role("button", name="Seconds").click()
    assert order(shown) == ["b", "c", "a"], "the fastest first"
    expect(seconds).to_have_attribute("aria-sort", "ascending")
    expect(accuracy).not_to_have_attribute("aria-sort", "descending")
    shown.get_by_role("button", name="Seconds").press("Enter")
    assert order(shown) == ["a", "c", "b"]
    shown.get_by_role("button", name="Accuracy").press("Space")
    shown.get_by_role("button", name="Accuracy").press("Space")
    assert order(shown) == ["b", "a", "c"], "what is missing comes last either way"
    draw(shown, board(("d", 0.95, 9.0), ("a", 0.9, 3.0), ("b", 0.8, 1.0), status="succeeded"))
    assert order(shown) == ["b", "a", "d"], "the choice stays while it fills"
    assert shown.evaluate("model.sent.length") == 0, "the kernel is not asked"


def test_rows_keep_their_place_under_the_pointer(shown: Page) -> None:
    draw(shown, board(("a", 0.8, 1.0), ("b", 0.7, 1.0)))
    shown.locator("tr[data-key=a]").hover()
    shown.evaluate("document.querySelector('tr[data-key=a]').mine = true")
    draw(shown, board(("c", 0.9, 1.0), ("a", 0.8, 1.0), ("b", 0.7, 1.0)))
    assert order(shown) == ["a", "b", "c"]
    expect(shown.locator("tr[data-key=c]")).to_have_attribute("data-new", "")
    shown.mouse.move(0, 700)
    assert order(shown) == ["c", "a", "b"]
    assert shown.evaluate("document.querySelector('tr[data-key=a]').mine"), "the row itself moved"
    shown.get_by_role("button", name="Accuracy").focus()
    draw(shown, board(("d", 0.95, 1.0), ("c", 0.9, 1.0), ("a", 0.8, 1.0), ("b", 0.7, 1.0)))
    assert order(shown) == ["c", "a", "b", "d"], "focus holds them too"
    draw(shown, board(("d", 0.95, 1.0), ("c", 0.9, 1.0), status="succeeded"))
    assert order(shown) == ["d", "c"], "what is final stands as it is"


def test_a_secret_is_shown_and_kept_nowhere(shown: Page) -> None:
    """It comes as a message, never as the state of the widget, which a notebook may be saved with."""
    once = (
        '<section data-panel="p"><div class="jp-pycaret-once">Copy <span data-secret></span>'
        '<button type="button" data-secret="">Copy key</button></div></section>'
    )
    draw(shown, once)
    expect(shown.get_by_text("Copy", exact=True)).not_to_be_visible()
    shown.evaluate("model.heard['msg:custom']({ secret: 'pck_abc' })")
    expect(shown.get_by_text("pck_abc")).to_be_visible()
    draw(shown, once + "<p>later</p>")
    expect(shown.get_by_text("pck_abc")).to_be_visible()
    draw(shown, "<p>gone</p>")
    draw(shown, once)
    expect(shown.get_by_text("pck_abc")).to_have_count(0)


def test_what_was_pressed_says_in_which_panel(shown: Page) -> None:
    form = (
        '<form data-do="go" aria-label="{0}"><input name="what" aria-label="{0}" value="{0}">'
        '<button type="button" data-do="go">Go {0}</button></form>'
    )
    parts = [
        f'<section data-panel="{name}" aria-label="{name}">{form.format(name)}</section>'
        f'<section data-panel="{name}" aria-label="also {name}">Also {name}</section>'
        for name in ("one", "two")
    ]
    draw(shown, parts[1])
    shown.get_by_role("textbox", name="two").fill("typed")
    draw(shown, "".join(parts))
    regions = shown.get_by_role("region").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert regions == ["one", "also one", "two", "also two"]
    shown.get_by_role("button", name="Go two").click()
    assert shown.evaluate("model.sent") == [
        {"do": "go", "fields": {"what": "typed"}, "panel": "two"}
    ], "what was typed stays in its panel when another one comes before it"


def test_without_its_kernel_a_panel_says_so(shown: Page) -> None:
    draw(
        shown,
        '<p data-when="gone">The kernel has ended.</p><span data-when="alive">Running</span>'
        f'<section class="jp-pycaret-output"><button type="button">Cancel run</button>{board(("a", 0.9, 1.0), ("b", 0.8, 0.5))}</section>',
    )
    expect(shown.get_by_text("The kernel has ended.")).not_to_be_visible()
    shown.evaluate("model.kernelIs('restarting')")
    expect(shown.get_by_text("The kernel has ended.")).to_be_visible()
    expect(shown.get_by_text("Running")).not_to_be_visible()
    expect(shown.get_by_role("button", name="Cancel run")).to_have_count(0)
    shown.get_by_role("button", name="Seconds").click()
    assert order(shown) == ["b", "a"], "reading it goes on"


def test_beside_another_view_title_and_actions_do_not_cover_each_other(shown: Page) -> None:
    shown.set_viewport_size({"width": 480, "height": 300})
    draw(
        shown,
        '<section class="jp-pycaret jp-pycaret-output"><header class="jp-pycaret-head">'
        '<h3 class="jp-pycaret-head__title">A run with a rather long title</h3>'
        '<div class="jp-pycaret-head__actions">0:07 elapsed, about 0:14 left'
        f"{button('Cancel run', 'cancel')}</div></header></section>",
    )
    title = shown.get_by_role("heading").bounding_box()
    cancel = shown.get_by_role("button").bounding_box()
    assert title is not None
    assert cancel is not None
    assert cancel["y"] >= title["y"] + title["height"]
