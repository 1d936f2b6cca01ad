"""The side panel in a real JupyterLab, with and without the server part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Deployed, Lab
from .lab_page import (
    DARK,
    LIGHT,
    open_lab,
    open_panel,
    panel,
    region,
    row_of,
    run_from_palette,
    side_bar_tab,
    use_theme,
)

REGIONS = ["Data", "Runs", "Models", "Deployments"]
A_UUID = re.compile(r"[0-9a-f-]{36}")
FLOWERS = b"sepal,petal,species\n5.1,1.4,setosa\n6.2,4.3,versicolor\n5.9,5.1,virginica\n"


def upload(page: Page, filename: str, content: bytes = FLOWERS) -> None:
    with page.expect_file_chooser() as chooser:
        panel(page).get_by_role("button", name="Upload data").click()
    chooser.value.set_files({"name": filename, "mimeType": "text/csv", "buffer": content})


def test_the_tab_opens_the_panel_with_its_regions(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    for name in REGIONS:
        expect(region(page, name)).to_be_visible()
    expect(panel(page).get_by_role("combobox", name="Workspace")).to_have_value(A_UUID)
    expect(panel(page).get_by_role("combobox", name="Project")).to_have_value(A_UUID)
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_enabled()


def test_the_palette_opens_the_panel(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    expect(panel(page)).to_be_hidden()
    run_from_palette(page, "Open PyCaret Ops")
    expect(panel(page)).to_be_visible()


def test_the_panel_is_open_again_after_a_reload(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    region(page, "Models").get_by_text("Models", exact=True).click()
    expect(region(page, "Models").locator("details")).not_to_have_attribute("open", "")
    with page.expect_response(
        lambda answer: "/lab/api/workspaces/" in answer.url and answer.request.method == "PUT"
    ):
        pass
    page.goto(page.url.partition("?")[0])
    expect(panel(page)).to_be_visible()
    expect(region(page, "Models").locator("details")).not_to_have_attribute("open", "")


def test_an_uploaded_file_becomes_a_row_and_can_be_deleted(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    upload(page, "flowers.csv")
    row = region(page, "Data").get_by_role("listitem").filter(has_text="flowers.csv")
    expect(row).to_contain_text("3 rows · 3 columns")

    row.get_by_role("button", name="Delete data source").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete flowers.csv?")
    dialog.get_by_role("button", name="Keep").click()
    expect(row).to_be_visible()

    row.focus()
    page.keyboard.press("Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_be_hidden()


def test_a_dropped_file_is_uploaded(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_enabled()
    files = page.evaluate_handle(
        """() => {
            const files = new DataTransfer();
            files.items.add(new File(['a;b\\n1;2\\n'], 'dropped.csv', { type: 'text/csv' }));
            return files;
        }"""
    )
    target = region(page, "Models")
    target.dispatch_event("dragenter", {"dataTransfer": files})
    expect(panel(page).get_by_text("Drop to upload")).to_be_visible()
    target.dispatch_event("drop", {"dataTransfer": files})
    expect(panel(page).get_by_text("Drop to upload")).to_be_hidden()
    row = region(page, "Data").get_by_role("listitem").filter(has_text="dropped.csv")
    expect(row).to_contain_text("1 row · 2 columns")


def test_a_file_that_is_no_table_is_refused_with_a_reason(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    upload(page, "empty.csv", b"")
    row = region(page, "Data").get_by_role("listitem").filter(has_text="empty.csv")
    expect(row).to_contain_text("Not uploaded · ")
    row.get_by_role("button", name="Dismiss").click()
    expect(row).to_be_hidden()


def test_arrows_move_between_rows_and_tab_reaches_the_action(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    upload(page, "first.csv")
    upload(page, "second.csv")
    rows = region(page, "Data").get_by_role("listitem")
    top, below = rows.filter(has_text="second.csv"), rows.filter(has_text="first.csv")
    expect(below).to_contain_text("3 rows")
    expect(top).to_contain_text("3 rows")
    top.focus()
    page.keyboard.press("ArrowDown")
    expect(below).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(top).to_be_focused()
    page.keyboard.press("Tab")
    expect(top.get_by_role("button", name="Delete data source")).to_be_focused()


def test_a_run_can_be_cancelled_from_its_row(lab: Lab, page: Page) -> None:
    experiment = lab.experiment("flowers", task="classification", target="species")
    run = lab.call(
        "POST",
        f"experiments/{experiment}/runs",
        {"plan": "compare", "sklearn_dataset": "iris", "setup_params": {"fold": 40}},
    )
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Runs").get_by_role("listitem").filter(has_text="flowers compare")
    row.get_by_role("button", name="Cancel run").click()
    expect(row.get_by_role("img", name="Cancelled")).to_be_visible()
    expect(row.get_by_role("button", name="Cancel run")).to_have_count(0)
    assert lab.call("GET", f"runs/{run['id']}")["status"] == "cancelled"

    # what has ended can go
    row.click(button="right")
    page.get_by_role("menuitem", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete flowers compare?")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(row).to_be_hidden()
    assert run["id"] not in [one["id"] for one in lab.rows("runs")]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_can_be_read_in_both_themes(lab: Lab, page: Page, pictures: Path, theme: str) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    use_theme(page, theme)
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_enabled()
    panel(page).screenshot(path=pictures / f"panel-{theme.split()[-1].lower()}.png")
    assert page.evaluate(_LEAST_CONTRAST, panel(page).element_handle()) >= 4.5


@pytest.mark.parametrize("width", [300, 250])
def test_a_narrow_panel_needs_no_sideways_scrolling(lab: Lab, page: Page, width: int) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    expect(region(page, "Deployments")).to_be_visible()
    overflow = page.evaluate(
        """([panel, width]) => {
            panel.style.width = `${width}px`;
            return [panel, ...panel.querySelectorAll('.jp-pycaret-panel, .jp-pycaret-panel__regions')]
                .map(box => box.scrollWidth - box.clientWidth);
        }""",
        [panel(page).element_handle(), width],
    )
    assert max(overflow) <= 0


def test_a_lost_connection_is_said_and_found_again(lab: Lab, page: Page) -> None:
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_enabled()
    page.route("**/pycaret/api/v1/**", lambda route: route.abort())
    # hide and show: a panel that is shown asks at once
    side_bar_tab(page).click()
    side_bar_tab(page).click()
    expect(panel(page).get_by_text("Connection lost", exact=True)).to_be_visible()
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_disabled()
    expect(panel(page).get_by_text("Trying again")).to_be_visible()
    with page.expect_request("**/pycaret/api/v1/**"):
        panel(page).get_by_role("button", name="Try now").click()
    page.unroute("**/pycaret/api/v1/**")
    # without a click: the poll comes back by itself, after 30 s at the latest
    expect(panel(page).get_by_text("Connection lost", exact=True)).to_be_hidden(timeout=35_000)
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_enabled()


def test_an_idle_panel_keeps_no_server_awake_and_a_hidden_one_asks_nothing(
    lab: Lab, page_with_clock: Page, deployed: Deployed
) -> None:
    """Nor does an open deployment, which asks too. And over the line to its run the panel hears,
    without asking, that the run has ended."""
    page = page_with_clock
    lists = re.compile(r"/pycaret/api/v1/runs\?")
    experiment = lab.experiment("watched", task="classification", target="species")
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    expect(panel(page).get_by_role("button", name="Upload data")).to_be_enabled()
    row = row_of(page, "Deployments", deployed.slug)
    row.press("Enter")
    view = page.get_by_role("article", name=f"Deployment {deployed.slug}", exact=True)
    expect(view.get_by_role("button", name="Predict", exact=True)).to_be_enabled()
    counts = re.compile(r"/pycaret/api/v1/deployments/[^/]*\?")

    # JupyterLab's own polls do count as activity: let ours be the only ones that could
    page.route(
        lambda url: "/api/" in url and "/pycaret/" not in url,
        lambda route: route.continue_(url=_uncounted(route.request.url)),
    )
    quiet_polls = 0
    for _ in range(20):  # what JupyterLab asked while it loaded may still be counted
        before = lab.last_activity()
        with page.expect_response(lists), page.expect_response(counts):
            page.clock.run_for(11_000)  # longer than the time between two polls
        quiet_polls = quiet_polls + 1 if lab.last_activity() == before else 0
        if quiet_polls == 3:
            break
    assert quiet_polls == 3
    page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    expect(view).to_be_hidden()

    run = lab.call(
        "POST",
        f"experiments/{experiment}/runs",
        {"plan": "compare", "sklearn_dataset": "iris", "setup_params": {"fold": 100}},
    )
    page.clock.run_for(11_000)
    row = region(page, "Runs").get_by_role("listitem").filter(has_text="watched compare")
    expect(row.get_by_role("button", name="Cancel run")).to_be_visible()

    asked: list[str] = []
    page.on("request", lambda request: "/pycaret/" in request.url and asked.append(request.url))
    _turn_away(page, hidden=True)
    asked.clear()
    page.clock.run_for(60_000)
    assert asked == [], "the page is behind another one"

    _turn_away(page, hidden=False)
    with page.expect_websocket(lambda line: f"{run['id']}/events/ws" in line.url):
        side_bar_tab(page).click()
    expect(panel(page)).to_be_hidden()
    for _ in range(20):  # what was being read when it was hidden is read to its end
        asked.clear()
        page.clock.run_for(3_000)
        if not asked:
            break
    page.clock.run_for(60_000)
    assert asked == [], "the panel is hidden"

    lab.call("POST", f"runs/{run['id']}/cancel")
    assert lab.call("POST", f"runs/{run['id']}/wait?timeout_s=60")["status"] == "cancelled"
    told = page.get_by_role("alert").filter(has_text="watched was cancelled.")
    expect(told).to_be_visible()
    expect(page.get_by_role("button", name="PyCaret Ops runs")).to_have_text("No runs")
    assert [url for url in asked if f"runs/{run['id']}?" not in url] == []


def test_without_the_server_part_the_panel_says_what_to_do(bare_lab: Lab, page: Page) -> None:
    open_lab(page, bare_lab.url, bare_lab.token)
    open_panel(page)
    expect(panel(page).get_by_text("PyCaret Ops is not on this server")).to_be_visible()
    expect(panel(page).get_by_text("pip install jupyter-pycaret-ops")).to_be_visible()
    with page.expect_response("**/pycaret/api/v1/**"):
        panel(page).get_by_role("button", name="Look again").click()
    expect(panel(page).get_by_text("PyCaret Ops is not on this server")).to_be_visible()


def _uncounted(url: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}no_track_activity=1"


def _turn_away(page: Page, *, hidden: bool) -> None:
    """Let the page believe that it is behind another one, or in front again."""
    page.evaluate(
        """hidden => {
            const state = hidden ? 'hidden' : 'visible';
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


#: The least contrast between a word of the panel and what lies behind it, alpha blended.
_LEAST_CONTRAST = """panel => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const paint = colours => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(v => v / 255)
      .map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratios = [];
  const words = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const element = words.currentNode.parentElement;
    if (!words.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const behind = [];
    for (let box = element; box; box = box.parentElement) {
      behind.unshift(getComputedStyle(box).backgroundColor);
    }
    const [a, b] = [paint(behind), paint([...behind, getComputedStyle(element).color])]
      .map(luminance).sort((x, y) => y - x);
    ratios.push((a + 0.05) / (b + 0.05));
  }
  return Math.min(...ratios);
}"""
