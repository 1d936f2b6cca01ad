"""Out-of-fold predictions: what a model answers for rows that it was not fitted on."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss, r2_score

pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def stored(recorder, model_id):
    """Return the artifact of a model as a frame."""
    return pd.read_parquet(io.BytesIO(recorder.artifacts[f"oof-{model_id}.parquet"]))


def test_scores_of_folds_follow_from_what_is_stored(plan, recorder, frame):
    result = plan(frame, "label", plan="compare", include=["lr", "dt"])
    for record in result.leaderboard:
        table = stored(recorder, record["model_id"])
        assert list(table) == [
            *("row", "fold", "target", "prediction"),
            *("probability_no", "probability_yes"),
        ]
        by_fold = [
            accuracy_score(one["target"], one["prediction"]) for _, one in table.groupby("fold")
        ]
        assert by_fold == pytest.approx(record["folds"])
        losses = [
            log_loss(one["target"], one[["probability_no", "probability_yes"]])
            for _, one in table.groupby("fold")
        ]
        assert np.mean(losses) == pytest.approx(record["Log Loss"])


def test_rows_are_those_of_the_table_that_was_given(plan, recorder, frame):
    frame.loc[[3, 10, 11], "label"] = None
    plan(frame, "label", model_id="lr")
    table = stored(recorder, "lr")
    assert table["row"].is_unique
    assert not set(table["row"]) & {3, 10, 11}
    assert (frame["label"].iloc[table["row"]].to_numpy() == table["target"].to_numpy()).all()


def test_numbers_and_models_without_probabilities(plan, recorder, frame):
    result = plan(frame, "b", task="regression", model_id="lr", setup={"fold": 2})
    table = stored(recorder, "lr")
    assert list(table) == ["row", "fold", "target", "prediction"]
    scores = [r2_score(one["target"], one["prediction"]) for _, one in table.groupby("fold")]
    assert np.mean(scores) == pytest.approx(result.leaderboard[0]["R2"])
    plan(frame, "label", model_id="ridge")
    assert list(stored(recorder, "ridge")) == ["row", "fold", "target", "prediction"]


def test_the_best_setting_of_a_search_is_stored(plan, recorder, frame):
    result = plan(frame, "label", plan="tune", model_id="dt", n_iter=4)
    tuned = next(one for one in result.leaderboard if one["model_id"] == "dt_tuned")
    table = stored(recorder, "dt_tuned")
    by_fold = [accuracy_score(o["target"], o["prediction"]) for _, o in table.groupby("fold")]
    assert by_fold == pytest.approx(tuned["folds"])


def test_engines_own_preparation_without_outliers(plan, recorder, frame):
    setup = {"preparation": "pycaret", "remove_outliers": True}
    result = plan(frame, "label", model_id="lr", setup=setup)
    table = stored(recorder, "lr")
    assert (frame["label"].iloc[table["row"]].to_numpy() == table["target"].to_numpy()).all()
    by_fold = [accuracy_score(o["target"], o["prediction"]) for _, o in table.groupby("fold")]
    assert by_fold == pytest.approx(result.leaderboard[0]["folds"])


def test_forecasts_of_each_fold_are_stored_with_their_times(plan, recorder):
    days = pd.date_range("2024-01-01", periods=60)
    frame = pd.DataFrame({"day": days, "sold": np.arange(60) + np.tile([0.0, 3.0, 1.0], 20)})
    result = plan(
        frame, "sold", task="time_series", model_id="naive", setup={"fold": 3, "horizon": 4}
    )
    table = stored(recorder, "naive")
    assert list(table) == ["row", "time", "fold", "target", "prediction"]
    assert (frame["sold"].iloc[table["row"]].to_numpy() == table["target"].to_numpy()).all()
    assert (days[table["row"]] == pd.DatetimeIndex(table["time"])).all()
    errors = (table["target"] - table["prediction"]).abs().groupby(table["fold"]).mean()
    assert np.mean(errors) == pytest.approx(result.leaderboard[0]["MAE"])
