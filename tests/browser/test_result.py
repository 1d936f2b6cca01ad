"""What came out of a run: the headline, the three scores on a scale, and the row of the baseline."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import Lab
from .lab_page import DARK, LIGHT, faults, open_lab, open_panel, row_of, use_theme


def rows(share: float, *, tells: bool) -> list[dict[str, Any]]:
    """240 rows of two labels, `share` of them Yes, with a column that tells them apart or not."""
    chance = random.Random(5)
    labels = [chance.random() < share for _ in range(240)]
    return [
        {
            "calls": round(chance.gauss(3.0 * label if tells else 0.0, 1), 3),
            "age": chance.randint(18, 80),
            "left": "Yes" if label else "No",
        }
        for label in labels
    ]


def finished(lab: Lab, name: str, table: list[dict[str, Any]]) -> None:
    experiment = lab.experiment(name, task="classification", target="left")
    body = {
        "plan": "compare",
        "data_inline": table,
        "setup_params": {"fold": 4},
        "plan_params": {"include": ["lr", "dt", "nb"]},
    }
    run = lab.call("POST", f"experiments/{experiment}/runs", body)["id"]
    assert lab.call("POST", f"runs/{run}/wait?timeout_s=180")["status"] == "succeeded"


@pytest.mark.parametrize(
    ("name", "share", "tells", "headline", "button"),
    [
        ("told apart", 0.5, True, "is clearly better than always answering", "Promote"),
        ("hardly told", 0.15, False, "is no better than always answering No.", "Promote anyway"),
    ],
)
def test_headline_says_whether_the_best_model_is_worth_anything(
    lab: Lab,
    page: Page,
    pictures: Path,
    name: str,
    share: float,
    tells: bool,
    headline: str,
    button: str,
) -> None:
    finished(lab, name, rows(share, tells=tells))
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row_of(page, "Runs", f"{name} compare").press("Enter")
    view = page.get_by_role("article", name=f"Run {name}", exact=True)
    result = view.get_by_role("region", name="Result", exact=True)
    expect(result.get_by_role("heading")).to_contain_text(headline)
    expect(result).to_contain_text("Accuracy, cross-validation")
    expect(result).to_contain_text("72 rows")
    expect(result.get_by_role("img", name="Baseline 0.")).to_be_visible()
    expect(view.get_by_role("button", name=button, exact=True)).to_be_visible()
    board = view.get_by_role("table", name="Leaderboard", exact=True)
    last = board.get_by_role("row").last
    expect(last).to_contain_text("Always No")
    expect(last).to_contain_text("baseline")
    expect(last.get_by_role("cell").first).to_have_text("–")
    for theme in (DARK, LIGHT):
        use_theme(page, theme)
        kind = "dark" if theme == DARK else "light"
        view.screenshot(path=pictures / f"result-{name.replace(' ', '-')}-{kind}.png")
        assert faults(page) == []
