"""A run in its view, told by a server that says what the test wants."""

from __future__ import annotations

import json
import re
from typing import Any

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
