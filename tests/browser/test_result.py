"""What came out of a run: the headline, the three scores on a scale, and the row of the baseline."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import Lab
from .lab_page import (
    DARK,
    LIGHT,
    faults,
    new_run_form,
    open_lab,
    open_panel,
    region,
    row_of,
    upload,
    use_theme,
)


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


def finished(lab: Lab, name: str, data: dict[str, Any]) -> None:
    experiment = lab.experiment(name, task="classification", target="left")
    body = {
        "plan": "compare",
        **data,
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
    finished(lab, name, {"data_inline": rows(share, tells=tells)})
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


def test_a_model_is_kept_from_its_row_and_another_one_is_promoted(
    lab: Lab, page: Page, pictures: Path
) -> None:
    finished(lab, "kept later", {"data_inline": rows(0.5, tells=True)})
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    row_of(page, "Runs", "kept later compare").press("Enter")
    view = page.get_by_role("article", name="Run kept later", exact=True)
    board = view.get_by_role("table", name="Leaderboard", exact=True)
    keeps = board.get_by_role("button", name="Keep ")
    expect(keeps).to_have_count(2)
    expect(board.get_by_text("Kept", exact=True)).to_have_count(1)
    keeps.first.click()
    expect(board.get_by_label("Keeping ")).to_be_visible()
    view.screenshot(path=pictures / "keeping.png")
    expect(board.get_by_text("Kept", exact=True)).to_have_count(2, timeout=120_000)
    expect(keeps).to_have_count(1)

    choice = view.get_by_label("Model", exact=True)
    last = choice.get_by_role("option").last
    expect(last).to_contain_text("fitted on all rows first")
    choice.select_option(index=2)
    view.get_by_role("button", name="Promote", exact=True).click()
    expect(view.get_by_role("button", name="Deploy", exact=True)).to_be_visible(timeout=120_000)
    expect(board.get_by_text("Kept", exact=True)).to_have_count(3)
    view.screenshot(path=pictures / "kept.png")
    assert faults(page) == []


def test_a_run_that_is_no_better_is_run_again_by_the_metric_that_is_suggested(
    lab: Lab, page: Page
) -> None:
    table = rows(0.15, tells=False)
    lines = [",".join(map(str, row.values())) for row in table]
    open_lab(page, lab.url, lab.token)
    open_panel(page)
    upload(page, "again.csv", "\n".join([",".join(table[0]), *lines]).encode())
    uploaded = region(page, "Data").get_by_role("listitem").filter(has_text="again.csv")
    expect(uploaded).to_contain_text("240 rows")
    source = next(one for one in lab.rows("data-sources") if one["name"] == "again.csv")
    finished(lab, "again", {"data_source_id": source["id"]})
    row_of(page, "Runs", "again compare").press("Enter")
    view = page.get_by_role("article", name="Run again", exact=True)
    view.get_by_role("button", name="Run again by AUC", exact=True).click()
    form = new_run_form(page)
    expect(form.get_by_label("Rank by", exact=True)).to_have_value("AUC")
