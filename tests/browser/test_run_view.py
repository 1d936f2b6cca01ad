"""A run in its view: told by a server that says what the test wants, or by one that no WebSocket leads to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from .conftest import Deployed, Lab
from .lab_page import open_lab, open_panel, region

METRIC = "Accuracy"


def scored(seq: int, model: str, value: float) -> str:
    """An event that a model was scored, with its folds around the mean."""
    folds = [round(value + step, 4) for step in (-0.04, -0.01, 0.02, 0.03)]
    payload = {"model_id": model, "name": model.upper(), METRIC: value, "folds": folds}
    return json.dumps(
        {
            "seq": seq,
            "kind": "model.scored",
            "message": model,
            "payload": payload | {"std": {METRIC: 0.03}, "seconds": 0.4, "rank": seq},
            "duration_ms": None,
            "timestamp": "2026-01-01T12:00:00Z",
        }
    )


def test_a_new_row_is_lit_for_a_moment_and_shows_each_fold(
    lab: Lab, page: Page, deployed: Deployed
) -> None:
    sockets: list[WebSocketRoute] = []
    run = lab.call("GET", f"runs/{deployed.run}")
    live: dict[str, Any] = run | {"status": "running", "finished_at": None, "leaderboard": []}
    live["metrics_summary"] = {"metric": METRIC, "models": 0, "failed": 0}
    page.route(
        re.compile(rf"/api/v1/runs/{deployed.run}\?"),
        lambda route: route.fulfill(json=live),
    )
    page.route(re.compile(r"/events\?"), lambda route: route.fulfill(json=[]))
    page.route_web_socket(re.compile(r"/events/ws"), lambda line: sockets.append(line))
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Runs").get_by_role("listitem").filter(has_text=f"{deployed.slug} create")
    expect(row).not_to_have_attribute("aria-current", "true")
    row.press("Enter")
    view = page.get_by_role("article", name=f"Run {deployed.slug}", exact=True)
    expect(view).to_contain_text("The first model comes soon.")
    expect(row).to_have_attribute("aria-current", "true")

    board = view.get_by_role("table", name="Leaderboard", exact=True)
    lit = board.locator(".jp-pycaret-leaderboard__row--new")
    (line,) = sockets
    line.send(scored(1, "lr", 0.9))
    expect(lit).to_contain_text("LR")
    line.send(scored(2, "nb", 0.8))
    expect(lit.last).to_contain_text("NB")
    expect(lit).to_have_count(0)
    strip = board.get_by_role("row").filter(has_text="LR").get_by_role("img")
    expect(strip).to_have_attribute("aria-label", "4 folds, 0.860 to 0.930")
    expect(strip.locator("circle")).to_have_count(4)

    # another tab in front: the row of the run is a row like the others
    page.evaluate("window.jupyterapp.commands.execute('launcher:create').then(() => null)")
    expect(row).not_to_have_attribute("aria-current", "true")


#: longest time, ms, that the side list and the status bar may stay behind the run view
BEHIND_MS = 300
#: notes when an element has a text for the first time
NOTE = """([name, selector, text]) => {
    window.noted ??= {};
    const look = () => {
        if (window.noted[name] === undefined
                && [...document.querySelectorAll(selector)].some(e => e.textContent.includes(text))) {
            window.noted[name] = performance.now();
        }
    };
    look();
    new MutationObserver(look).observe(
        document.body, { subtree: true, childList: true, characterData: true, attributes: true }
    );
}"""
VIEW, PANEL, BAR = "article.jp-pycaret-view", ".jp-pycaret-panel", ".jp-pycaret-item__button"


def note(page: Page, name: str, selector: str, text: str) -> None:
    page.evaluate(NOTE, [name, selector, text])


def assert_close(page: Page, leader: str, *followers: str) -> None:
    """Assert that the followers had their texts no later than `BEHIND_MS` after the leader had its own."""
    names = [leader, *followers]
    page.wait_for_function("names => names.every(name => name in (window.noted ?? {}))", arg=names)
    noted = page.evaluate("window.noted")
    for follower in followers:
        assert noted[follower] - noted[leader] <= BEHIND_MS, noted


def event(seq: int, kind: str, payload: dict[str, Any]) -> str:
    return json.dumps(
        {
            "seq": seq,
            "kind": kind,
            "message": kind,
            "payload": payload,
            "duration_ms": None,
            "timestamp": "2026-01-01T12:00:00Z",
            "attempt": 1,
        }
    )


def test_side_list_and_status_bar_follow_the_run_view(
    lab: Lab, page: Page, deployed: Deployed
) -> None:
    sockets: list[WebSocketRoute] = []
    run = lab.call("GET", f"runs/{deployed.run}")
    live: dict[str, Any] = run | {"status": "queued", "finished_at": None, "leaderboard": []}
    live |= {"progress": {"done": 0, "total": 0, "label": ""}, "duration_ms": None}
    live["metrics_summary"] = {"metric": METRIC, "models": 0, "failed": 0}
    brief = {key: value for key, value in live.items() if key not in {"leaderboard", "snapshot"}}
    # nothing but the line tells: what the panel reads says that the run waits
    page.route(
        re.compile(rf"/api/v1/runs/{deployed.run}\?"), lambda route: route.fulfill(json=live)
    )
    page.route(re.compile(r"/api/v1/runs\?"), lambda route: route.fulfill(json=[brief]))
    page.route(re.compile(r"/events\?"), lambda route: route.fulfill(json=[]))
    page.route_web_socket(re.compile(r"/events/ws"), lambda line: sockets.append(line))
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Runs").get_by_role("listitem").first
    expect(row).to_contain_text("Queued for")
    row.press("Enter")
    view = page.get_by_role("article", name=f"Run {deployed.slug}", exact=True)
    expect(view).to_contain_text("Waiting for a worker")
    (line,) = sockets
    # the panel asks no more: from here on it knows what the view knows
    page.route(re.compile(r"/api/v1/runs\?"), lambda route: None)

    note(page, "view runs", f"{VIEW} .jp-pycaret-status--chip", "Running")
    note(page, "row runs", PANEL, "Running")
    note(page, "bar runs", BAR, "1 running")
    line.send(event(1, "run.started", {}))
    assert_close(page, "view runs", "row runs", "bar runs")

    note(page, "view progress", VIEW, "1 of 3 models")
    note(page, "row progress", PANEL, "1 of 3 models")
    line.send(event(2, "run.progress", {"done": 1, "total": 3, "label": "LR"}))
    assert_close(page, "view progress", "row progress")

    note(page, "view best", f"{VIEW} .jp-pycaret-overall", "0.9000")
    note(page, "row best", PANEL, "0.9000")
    line.send(scored(3, "lr", 0.9))
    assert_close(page, "view best", "row best")

    note(page, "view ends", f"{VIEW} .jp-pycaret-status--chip", "Succeeded")
    note(page, "row ends", f"{PANEL} .jp-pycaret-row", METRIC)
    note(page, "bar ends", BAR, "No runs")
    live["status"] = "succeeded"
    line.send(event(4, "run.succeeded", {}))
    assert_close(page, "view ends", "row ends", "bar ends")


def refused(line: WebSocketRoute) -> None:
    """A proxy that lets no WebSocket through."""
    line.close(code=1008)


def held_back(line: WebSocketRoute) -> None:
    """A proxy that opens the WebSocket and passes no message on."""


@pytest.mark.parametrize("proxy", [refused, held_back])
def test_a_run_is_followed_to_its_end_where_no_websocket_gets_through(
    lab: Lab, page: Page, proxy: Callable[[WebSocketRoute], None]
) -> None:
    name = f"proxied-{proxy.__name__}"
    page.route_web_socket(re.compile(r"/events/ws"), proxy)
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    said = page.evaluate_handle(
        """() => {
            const said = new Set();
            const look = () => {
                for (const view of document.querySelectorAll('article.jp-pycaret-view')) {
                    const text = view.textContent;
                    if (text.includes('Connection lost')) said.add('lost');
                    if (text.includes('The run goes on') && text.includes('Succeeded')) said.add('both');
                }
            };
            new MutationObserver(look).observe(
                document.body, { subtree: true, childList: true, characterData: true }
            );
            return said;
        }"""
    )
    experiment = lab.experiment(name, task="classification", target="species")
    run = lab.call(
        "POST",
        f"experiments/{experiment}/runs",
        {
            "plan": "compare",
            "plan_params": {"include": ["lr", "nb", "dt"]},
            "sklearn_dataset": "iris",
            "setup_params": {"fold": 3},
        },
    )
    page.evaluate(
        "id => window.jupyterapp.commands.execute('pycaret-ops:open-run', { id }).then(() => null)",
        run["id"],
    )
    view = page.get_by_role("article", name=f"Run {name}", exact=True)
    board = view.get_by_role("table", name="Leaderboard", exact=True)
    # the head, three models, and the baseline
    expect(board.get_by_role("row")).to_have_count(5, timeout=120_000)
    chip = view.locator(".jp-pycaret-status--chip")
    expect(chip).to_have_text("Succeeded", timeout=60_000)
    expect(view.get_by_role("button", name="Promote", exact=True)).to_be_visible()
    expect(view.get_by_text("Connection lost.")).to_have_count(0)
    assert page.evaluate("said => [...said]", said) == []
    expect(page.get_by_role("button", name="PyCaret Ops runs", exact=True)).not_to_contain_text(
        "running"
    )


def test_a_lost_server_is_not_said_to_go_on_with_a_run_that_has_ended(
    lab: Lab, page: Page, deployed: Deployed
) -> None:
    """Neither way leads to the server at the moment that the last event came."""
    sockets: list[WebSocketRoute] = []
    run = lab.call("GET", f"runs/{deployed.run}")
    live = run | {"status": "running", "finished_at": None, "leaderboard": []}
    page.route(
        re.compile(rf"/api/v1/runs/{deployed.run}\?"), lambda route: route.fulfill(json=live)
    )
    page.route(re.compile(r"/events\?"), lambda route: route.fulfill(json=[]))
    page.route_web_socket(re.compile(r"/events/ws"), lambda line: sockets.append(line))
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row = region(page, "Runs").get_by_role("listitem").filter(has_text=f"{deployed.slug} create")
    row.press("Enter")
    view = page.get_by_role("article", name=f"Run {deployed.slug}", exact=True)
    expect(view).to_contain_text("The first model comes soon.")
    sockets[0].send(scored(1, "lr", 0.9))
    expect(view).to_contain_text("LR")
    page.route(re.compile(r"/pycaret/api/v1/"), lambda route: route.abort())
    sockets[0].send(event(2, "run.succeeded", {}))
    sockets[0].close(code=1011)
    expect(view.locator(".jp-pycaret-status--chip")).to_have_text("Succeeded")
    expect(view).to_contain_text("Connection lost. The run has ended.")
    expect(view).not_to_contain_text("The run goes on")
    # the server is back: so is what the view was missing
    page.unroute_all()
    expect(view.get_by_text("Connection lost.")).to_have_count(0, timeout=35_000)
    expect(view.get_by_text("Ahead of second").or_(view.get_by_text("folds")).first).to_be_visible()
