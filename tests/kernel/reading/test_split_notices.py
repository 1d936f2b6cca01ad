"""Groups are noticed where they make scores too good, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

from jupyter_pycaret_ops.kernel.reading import split_notices
from jupyter_pycaret_ops.kernel.reading.columns import ReadingSettings
from jupyter_pycaret_ops.kernel.reading.profiling import profile
from jupyter_pycaret_ops.kernel.reading.split_notices import MAX_ROWS, GroupScores

DATASETS = Path(__file__).parents[4] / "shared" / "datasets"


def visits(n_groups=60, rows_each=5, *, numbers=False, noise=0.02):
    """Rows of patients, whose numbers tell nothing of other patients; with much noise they are not near each other."""
    random = np.random.default_rng(1)
    patient = np.repeat(np.arange(n_groups), rows_each)
    random.shuffle(patient)
    habit = random.normal(size=(n_groups, 3))
    label = random.random(n_groups) < 0.5
    value = random.normal(size=n_groups)
    return pd.DataFrame(
        {
            "patient": patient,
            **{
                name: habit[patient, n] + random.normal(0, noise, len(patient))
                for n, name in enumerate("abc")
            },
            "out": value[patient] if numbers else np.where(label[patient], "well", "ill"),
        }
    )


def noticed(frame, target="out"):
    found = profile(frame, ReadingSettings(), target=target)
    return {n["column"]: n for n in found["notices"] if n["code"] == "groups"}


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("name", ["number", "text"])
def test_rows_of_a_patient_are_noticed_with_both_scores(numbers, name):
    frame = visits(numbers=numbers)
    if name == "text":
        frame["patient"] = "p" + frame["patient"].astype(str)
    notice = noticed(frame)["patient"]
    assert notice["setup_params"] == {"fold_groups": "patient"}
    assert notice["facts"]["shuffled"] > 0.85
    assert notice["facts"]["grouped"] < 0.7
    assert f"{notice['facts']['shuffled']:.3f}" in notice["message"]


def test_the_suggested_target_is_looked_at_where_none_is_named():
    assert "patient" in noticed(visits(), target=None)


def test_large_tables_are_looked_at_by_whole_groups():
    assert "patient" in noticed(visits(4 * MAX_ROWS // 5, 5))


def test_groups_that_do_not_mislead_are_not_noticed():
    assert noticed(visits(noise=20)) == {}


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_tables_without_groups_have_no_notice(load):
    table = load(as_frame=True).frame
    table["target"] = table["target"].map(str) if load is not load_diabetes else table["target"]
    assert noticed(table, "target") == {}


@pytest.mark.skipif(
    not DATASETS.is_dir(), reason="the shared data sets are not beside this checkout"
)
@pytest.mark.parametrize(
    ("file", "target"), [("juice.csv", "Purchase"), ("insurance.csv", "charges")]
)
def test_real_tables_without_groups_have_no_notice(file, target):
    assert noticed(pd.read_csv(DATASETS / file), target) == {}


def test_a_lead_within_two_standard_errors_misleads_nobody():
    assert GroupScores(0.9, 0.7, 0.05).misleads
    assert not GroupScores(0.9, 0.82, 0.05).misleads
    assert not GroupScores(0.9, 0.89, 0.001).misleads
    assert not GroupScores(0.7, 0.9, 0.01).misleads


def prices(trend, n_rows=400):
    """Rows in time order of a number that follows the time as far as `trend` says, and of which a feature tells some."""
    random = np.random.default_rng(2)
    days = np.sort(random.integers(0, 900, n_rows))
    size = random.normal(size=n_rows)
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2022-01-01") + pd.to_timedelta(days, unit="D"),
            "size": size,
            "price": size + trend * days / 100 + random.normal(0, 0.2, n_rows),
        }
    )


def noticed_in_time(frame, target):
    found = profile(frame, ReadingSettings(), target=target)
    return {n["column"]: n for n in found["notices"] if n["code"] == "drift"}


def test_a_target_that_changes_with_time_is_noticed_with_both_scores():
    notice = noticed_in_time(prices(1.0), "price")["day"]
    assert notice["setup_params"] == {"fold_time": "day"}
    assert notice["facts"]["shuffled"] > 0.9
    assert notice["facts"]["grouped"] < notice["facts"]["shuffled"] - 0.04
    assert f"{notice['facts']['grouped']:.3f}" in notice["message"]


def test_a_target_that_does_not_change_with_time_is_not_noticed():
    assert noticed_in_time(prices(0.0), "price") == {}


def test_a_season_that_a_feature_follows_is_no_drift():
    random = np.random.default_rng(3)
    days = random.integers(0, 365, 600)
    warmth = 15 - 10 * np.cos(2 * np.pi * days / 365) + random.normal(0, 2, 600)
    frame = pd.DataFrame(
        {
            "day": pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D"),
            "warmth": warmth,
            "sold": 3 * warmth + random.normal(0, 3, 600),
        }
    )
    assert noticed_in_time(frame, "sold") == {}


def test_columns_that_say_nothing_are_not_compared_by_groups(monkeypatch):
    fits = []
    score = split_notices._fold_scores
    monkeypatch.setattr(
        split_notices, "_fold_scores", lambda *a, **k: fits.append(a) or score(*a, **k)
    )
    frame = visits()
    random = np.random.default_rng(2)
    for name in "abc":
        frame[name] = random.normal(size=len(frame))
    frame["out"] = random.permutation(frame["out"].to_numpy())
    assert noticed(frame) == {}
    assert len(fits) == 1
