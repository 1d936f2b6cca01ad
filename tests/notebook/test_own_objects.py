"""Scorers and transformers of the notebook in a run: scored in labels, kept in the pipeline, refused elsewhere."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from ..live import LiveServer
from .kernel import Kernel

OWN = """
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.metrics import make_scorer

def saved(truth, predicted):
    return sum(10.0 if t == p == "setosa" else -1.0 * (t != p) for t, p in zip(truth, predicted)) / len(truth)

profit = make_scorer(saved)

class Distance(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.middle_ = X["sepal length (cm)"].median()
        return self
    def transform(self, X):
        return X.assign(distance=X["sepal length (cm)"] - self.middle_)[["distance"]]

distance = Distance()
"""


def test_a_scorer_of_the_notebook_orders_the_leaderboard_in_the_labels_of_the_table(
    kernel: Kernel,
) -> None:
    kernel.run(OWN)
    body = "setup:\n  fold: 3\n  custom_metrics: [profit, f1_macro]\n"
    out = kernel.run(
        "%%pcrun compare --data df --target species --include nb,dt --sort profit "
        f"--quiet --wait --as own\n{body}"
    )
    assert out.errors == "", out.errors
    assert kernel.value("own.error") is None
    records = kernel.value("own.row['leaderboard']")
    assert all(3 < record["profit"] < 10 / 3 for record in records), records
    assert records[0]["profit"] >= records[1]["profit"]
    assert 0.8 < records[0]["f1_macro"] < 1
    assert kernel.value("own.row['snapshot']")["setup_params"]["custom_metrics"] == [
        "notebook:profit",
        "f1_macro",
    ]
    # checked by hand, on what the model has answered for rows it had not seen
    kernel.run(
        "oof = own.oof('nb')\n"
        "by_hand = oof.groupby('fold').apply(lambda part: saved(part['target'], part['prediction'])).mean()"
    )
    nb = next(record for record in records if record["model_id"] == "nb")
    assert kernel.value("float(by_hand)") == pytest.approx(nb["profit"], abs=1e-9)


def test_a_step_of_the_notebook_is_fitted_in_each_fold_and_served(kernel: Kernel) -> None:
    """The model sees the distance only; a serving kernel, which has no such class, predicts with it."""
    kernel.run(OWN)
    kernel.run(
        "import jupyter_pycaret_ops as ops\n"
        "own = ops.start('create', df, target='species', model='dt',\n"
        "    setup={'fold': 3, 'custom_pipeline': [('distance', distance)]}).wait()"
    )
    assert kernel.value("own.error") is None
    kernel.run("fitted = own.best_pipeline()")
    facts = kernel.value("own.row['snapshot']")["preparation"]
    assert facts["custom_pipeline"] == {"distance": "Distance()"}
    score = kernel.value("own.row['leaderboard']")[0]["Accuracy"]
    assert 0.5 < score < 0.85  # one column tells less than four
    name = f"own-{secrets.token_hex(4)}"
    kernel.run(f"%pcrun promote {name}")
    kernel.run(f"%pcrun deploy {name}")
    assert kernel.run(f"p = %pcrun predict {name} --data df").errors == ""
    assert kernel.value("sorted(set(p['prediction']))") == ["setosa", "versicolor", "virginica"]


def test_classes_of_a_file_beside_the_notebook_are_served_without_it(
    kernel: Kernel, server: LiveServer, tmp_path: Path
) -> None:
    module = f"beside_{secrets.token_hex(4)}"
    (tmp_path / f"{module}.py").write_text(OWN.partition("distance =")[0] + "FACTOR = 2.0\n")
    kernel.run(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {module}")
    out = kernel.run(
        "import jupyter_pycaret_ops as ops\n"
        f"own = ops.start('create', df, target='species', model='nb', setup={{'fold': 3, "
        f"'custom_metrics': [{module}.profit], 'custom_pipeline': {module}.Distance()}}).wait()"
    )
    assert out.raised is None, out
    assert kernel.value("own.error") is None
    assert "saved" in kernel.value("own.row['leaderboard']")[0]
    name = f"own-{secrets.token_hex(4)}"
    kernel.run(f"%pcrun promote {name}")
    kernel.run(f"%pcrun deploy {name}")
    assert kernel.run(f"p = %pcrun predict {name} --data df").errors == ""


def test_what_is_no_such_object_is_refused_by_name(kernel: Kernel) -> None:
    kernel.run(OWN)
    start = "%%pcrun create --model nb --data df --target species --quiet --wait{}\nsetup:\n  fold: 3\n  {}\n"
    for more, parameter, message in (
        ("", "custom_pipeline: [nowhere]", "“nowhere”, which is no variable of this notebook"),
        ("", "custom_pipeline: [saved]", "“saved” in custom_pipeline is no transformer"),
        ("", "custom_metrics: [df]", "df"),
        (" --worker", "custom_pipeline: [distance]", "without --worker"),
    ):
        out = kernel.run(start.format(more, parameter))
        assert out.errors.startswith("UsageError: "), (parameter, out)
        assert message in out.errors, out.errors
    # a bare function is no scorer: it is called with a model
    kernel.run(start.format(" --as bare", "custom_metrics: [saved]"))
    assert kernel.value("bare.status") == "failed"
    assert "custom_metrics names “saved”" in kernel.value("bare.error")


def test_a_worker_kernel_has_no_objects_of_a_notebook(server: LiveServer) -> None:
    experiment = server.experiment()
    for name, value in (("custom_metrics", ["notebook:profit"]), ("custom_pipeline", ["distance"])):
        body = {
            "plan": "create",
            "model_id": "nb",
            "sklearn_dataset": "iris",
            "setup_params": {name: value},
        }
        answer = server.post(f"/experiments/{experiment}/runs", body, expect=400)
        (error,) = answer["errors"]
        assert error["loc"] == ["setup_params", name]
        assert "only a notebook has" in error["msg"]
