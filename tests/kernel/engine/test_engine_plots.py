"""Plots of the engine with the user's labels."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import plots
from jupyter_pycaret_ops.kernel.engine.tasks import TASKS

pytestmark = pytest.mark.usefixtures("drawn")


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no plot out because the machine is busy."""
    monkeypatch.setattr(plots, "MAX_PLOTS_S", 1000.0)


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


def test_binary_run_has_all_plots_of_its_task(plan, recorder, answers):
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
    axis = drawn["permutation"]["layout"]["xaxis"]["title"]["text"]
    assert axis == "How much the score drops without this column"
    for name, figure in drawn.items():
        assert figure["layout"]["title"]["text"], name
        assert "template" not in figure["layout"]
        assert "paper_bgcolor" not in figure["layout"]


def test_plots_of_several_classes_have_labels(plan, recorder, iris):
    plan(iris, "species", plan="create", model_id="nb", setup={"fold": 2})
    drawn = figures(recorder)
    assert "calibration" not in drawn
    names = [trace["name"].split(" (")[0] for trace in drawn["auc"]["data"]]
    assert names[:3] == ["setosa", "versicolor", "virginica"]
    assert not [p for p in recorder.payloads("warning") if p.get("reason") == "plot"]


def test_numeric_classes_are_categories_in_plots(plan, recorder, iris):
    iris = iris.assign(species=iris["species"].map({"setosa": 5, "versicolor": 2, "virginica": 9}))
    plan(iris, "species", plan="create", model_id="nb", setup={"fold": 2})
    matrix = figures(recorder)["confusion_matrix"]
    assert matrix["data"][0]["x"] == ["2", "5", "9"]
    assert matrix["layout"]["xaxis"]["type"] == matrix["layout"]["yaxis"]["type"] == "category"


def test_regression_run_has_all_plots_of_its_task(plan, recorder, diabetes):
    plan(diabetes, "target", task="regression", plan="create", model_id="lr", setup={"fold": 2})
    assert list(figures(recorder)) == list(TASKS["regression"].plots)


def test_plots_are_drawn_for_best_model_only(plan, recorder, iris):
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


def test_failed_plot_is_a_warning(plan, recorder, iris):
    """Ridge gives no probabilities: no curve can be drawn from it."""
    result = plan(iris, "species", plan="create", model_id="ridge", setup={"fold": 2})
    assert result.leaderboard
    missing = {p["plot"] for p in recorder.payloads("warning") if p.get("reason") == "plot"}
    assert "confusion_matrix" in figures(recorder)
    assert missing == {"auc", "pr"} - set(figures(recorder))


def test_slow_plot_is_left_out_with_warning(plan, recorder, iris, monkeypatch):
    monkeypatch.setattr(plots, "MAX_PLOTS_S", 0.0)
    plan(iris, "species", plan="create", model_id="nb", setup={"fold": 2})
    assert figures(recorder) == {}
    told = [p["plot"] for p in recorder.payloads("warning") if p.get("reason") == "plot_time"]
    assert "permutation" in told
