"""Plots: what the engine draws, in the user's words."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import plots
from jupyter_pycaret_ops.kernel.engine.tasks import TASKS


def figures(recorder) -> dict[str, dict]:
    return {
        name.removeprefix("plot-").removesuffix(".json"): json.loads(content)
        for name, content in recorder.artifacts.items()
        if name.startswith("plot-")
    }


@pytest.fixture
def answers() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    size = generator.normal(size=80)
    weekday = generator.choice(["mon", "tue"], 80)
    answer = np.where(size + generator.normal(scale=0.3, size=80) > 0, "yes", "no")
    return pd.DataFrame({"size": size, "week day": weekday, "answer": answer})


def test_a_binary_run_has_every_plot_of_its_task(plan, recorder, answers):
    plan(answers, "answer", plan="create", model_id="lr", setup={"fold": 2})
    drawn = figures(recorder)
    assert list(drawn) == list(TASKS["classification"].plots)
    matrix = drawn["confusion_matrix"]["data"][0]
    assert matrix["x"] == matrix["y"] == ["no", "yes"]
    assert np.array(matrix["z"]).sum() == 24  # the hold-out
    assert drawn["class_distribution"]["data"][0]["x"] == ["no", "yes"]
    importance = drawn["permutation"]["data"][0]
    assert sorted(importance["y"]) == ["size", "week day"]
    assert importance["y"][int(np.argmax(importance["x"]))] == "size"
    for name, figure in drawn.items():
        assert figure["layout"]["title"]["text"], name
        assert "template" not in figure["layout"]
        assert "paper_bgcolor" not in figure["layout"]


def test_several_classes_are_named(plan, recorder, iris):
    plan(iris, "species", plan="create", model_id="nb", setup={"fold": 2})
    drawn = figures(recorder)
    assert "calibration" not in drawn
    names = [trace["name"].split(" (")[0] for trace in drawn["auc"]["data"]]
    assert names[:3] == ["setosa", "versicolor", "virginica"]
    assert not [p for p in recorder.payloads("warning") if p.get("reason") == "plot"]


def test_classes_that_are_numbers_are_names_too(plan, recorder, iris):
    iris = iris.assign(species=iris["species"].map({"setosa": 5, "versicolor": 2, "virginica": 9}))
    plan(iris, "species", plan="create", model_id="nb", setup={"fold": 2})
    matrix = figures(recorder)["confusion_matrix"]
    assert matrix["data"][0]["x"] == ["2", "5", "9"]
    assert matrix["layout"]["xaxis"]["type"] == matrix["layout"]["yaxis"]["type"] == "category"


def test_regression(plan, recorder, diabetes):
    plan(diabetes, "target", task="regression", plan="create", model_id="lr", setup={"fold": 2})
    assert list(figures(recorder)) == list(TASKS["regression"].plots)


def test_the_best_of_a_compare_is_drawn_once(plan, recorder, iris):
    plan(
        iris,
        "species",
        plan="compare",
        include=["dummy", "lr", "nb"],
        n_select=2,
        setup={"fold": 2},
    )
    told = [event for event in recorder.events if event["kind"] == "model.finalized"]
    assert len(told) == 2
    assert "auc" in figures(recorder)


def test_what_cannot_be_drawn_is_said_and_the_run_goes_on(plan, recorder, iris):
    """Ridge gives no probabilities: no curve can be drawn from it."""
    result = plan(iris, "species", plan="create", model_id="ridge", setup={"fold": 2})
    assert result.leaderboard
    missing = {p["plot"] for p in recorder.payloads("warning") if p.get("reason") == "plot"}
    assert "confusion_matrix" in figures(recorder)
    assert missing == {"auc", "pr"} - set(figures(recorder))


def test_what_would_take_too_long_is_left_out_and_said(plan, recorder, iris, monkeypatch):
    monkeypatch.setattr(plots, "MAX_PLOTS_S", 0.0)
    plan(iris, "species", plan="create", model_id="nb", setup={"fold": 2})
    assert figures(recorder) == {}
    told = [p["plot"] for p in recorder.payloads("warning") if p.get("reason") == "plot_time"]
    assert "permutation" in told
