"""A long list and a long run: what is in the page stays small, and scrolling stays smooth."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from .conftest import Lab
from .lab_page import open_lab, open_panel, region

RUNS, EVENTS = 200, 10_000
#: rows of a list in the page, elements of a view, and ms that one task may take
ROWS, ELEMENTS, LONGEST_MS = 60, 900, 200
TIME = "2026-01-01T12:00:00Z"
RUN_ID = "00000000-0000-7000-8000-%012d"


def a_run(number: int, experiment_id: str, workspace_id: str, project_id: str) -> dict[str, Any]:
    return {
        "id": RUN_ID % number,
        "created_at": TIME,
        "updated_at": TIME,
        "experiment_id": experiment_id,
        "project_id": project_id,
        "workspace_id": workspace_id,
        "status": "running" if number == 0 else "succeeded",
        "plan": "compare",
        "model_id": None,
        "attempt": 1,
        "progress": {"done": 1, "total": 2, "label": "lr"},
        "queued_at": TIME,
        "started_at": TIME,
        "finished_at": None if number == 0 else TIME,
        "duration_ms": 1000,
        "error": None,
        "error_kind": None,
        "metrics_summary": {"metric": "Accuracy", "models": 0, "failed": 0},
    }


def test_two_hundred_runs_and_ten_thousand_events_stay_small(lab: Lab, page: Page) -> None:
    workspace = lab.call("GET", "workspaces")[0]["id"]
    project = lab.call("GET", f"workspaces/{workspace}/projects")[0]["id"]
    experiment = lab.call(
        "POST", f"projects/{project}/experiments", {"name": "many", "task": "regression"}
    )["id"]
    rows = [a_run(number, experiment, workspace, project) for number in range(RUNS)]
    snapshot: dict[str, Any] = {
        "task": "regression",
        "target": "y",
        "setup_params": {},
        "plan": "compare",
        "model_id": None,
        "plan_params": {},
        "data_source_id": None,
        "data_rows": 10,
        "data_changes": [],
        "seed": 1,
        "versions": {"python": "3", "pycaret": "4"},
    }
    detail = rows[0] | {"data_source_id": None, "leaderboard": [], "snapshot": snapshot}

    def tell(socket: WebSocketRoute) -> None:
        for seq in range(1, EVENTS + 1):
            event = {
                "seq": seq,
                "kind": "run.progress",
                "message": f"event {seq}",
                "payload": {"done": 1, "total": 2, "label": "lr"},
                "duration_ms": None,
                "timestamp": TIME,
            }
            socket.send(json.dumps(event))

    def answer(route: Route, body: object) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    page.route(re.compile(r"/api/v1/runs\?"), lambda route: answer(route, rows))
    page.route(re.compile(rf"/api/v1/runs/{RUN_ID % 0}\?"), lambda route: answer(route, detail))
    page.route(re.compile(r"/events\?"), lambda route: answer(route, []))
    page.route_web_socket(re.compile(r"/events/ws"), tell)

    open_lab(page, lab.url, lab.token)
    open_panel(page)
    runs = region(page, "Runs")
    row = runs.get_by_role("listitem")
    expect(row.first).to_contain_text("many compare")
    more = runs.get_by_role("button", name="Show more", exact=True)
    while more.is_visible():
        assert row.count() <= ROWS
        more.click()
    in_list = scroll(page.locator(".jp-pycaret-panel__regions"))
    assert row.count() <= ROWS
    row.first.focus()
    page.keyboard.press("End")
    expect(row.last).to_be_focused()
    expect(row.last).to_have_attribute("aria-posinset", str(RUNS))
    runs.get_by_role("searchbox").fill("MANY setup")
    expect(runs).to_contain_text("Nothing here has “MANY setup” in its name.")
    del rows[3:]  # the search stays in sight where it hides all that is left
    expect(runs).to_contain_text("0 of 3")
    page.keyboard.press("Escape")
    expect(row).to_have_count(3)

    row.first.press("Enter")
    view = page.get_by_role("article", name="Run many", exact=True)
    expect(view).to_contain_text("newest first · 10,000", timeout=60_000)
    log = view.get_by_role("list", name="Events", exact=True)
    expect(log.get_by_role("listitem").first).to_contain_text("event 10000")
    in_log = scroll(view.get_by_role("region", name="Event log"))
    expect(log.get_by_role("listitem").last).to_contain_text("event 1")
    assert log.get_by_role("listitem").count() <= ROWS
    assert view.locator("*").count() <= ELEMENTS
    print(f"longest task: {in_list:.0f} ms in the list, {in_log:.0f} ms in the log")  # noqa: T201 - a figure
    assert max(in_list, in_log) <= LONGEST_MS


def scroll(box: Locator) -> float:
    """Scroll from top to bottom, a frame for each step; how long the longest task took, in ms."""
    longest = box.evaluate(
        """async box => {
            let longest = 0;
            const note = entries => {
                for (const task of entries) longest = Math.max(longest, task.duration);
            };
            const observer = new PerformanceObserver(list => note(list.getEntries()));
            observer.observe({ type: 'longtask' });
            const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
            for (let step = 0; step < 60; step += 1) {
                box.scrollTop = (box.scrollHeight * step) / 60;
                await frame();
            }
            box.scrollTop = box.scrollHeight;
            await frame();
            await frame();
            note(observer.takeRecords());
            observer.disconnect();
            return longest;
        }"""
    )
    return float(longest)
