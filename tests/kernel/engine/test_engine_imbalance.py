"""Training on balanced classes: against imbalanced-learn written out, inside the folds, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ImbalancedPipeline
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import RobustScaler

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.preparation.params import SAMPLERS

SEED = 7


@pytest.fixture
def fraud():
    """400 rows, one in ten of them a fraud; two columns tell a little about it."""
    random = np.random.default_rng(4)
    label = np.arange(400) % 10 == 0
    return pd.DataFrame(
        {
            "amount": random.normal(size=400) + 1.2 * label,
            "hour": random.normal(size=400) - 0.8 * label,
            "label": np.where(label, "yes", "no"),
        }
    )


def test_scores_equal_imbalanced_learn_written_out(plan, fraud):
    setup = {"fold": 4, "session_id": SEED, "fix_imbalance": True}
    (record,) = plan(fraud, "label", model_id="lr", setup=setup).leaderboard
    target = (fraud["label"] == "yes").to_numpy(dtype=int)
    train, _ = train_test_split(np.arange(400), train_size=0.7, random_state=SEED, stratify=target)
    part, truth = fraud[["amount", "hour"]].to_numpy()[train], target[train]
    model = ImbalancedPipeline(
        [
            ("scale", RobustScaler()),
            ("balance", SMOTE(random_state=SEED)),
            ("model", LogisticRegression(max_iter=1000, random_state=SEED)),
        ]
    )
    recalls, f1s = [], []
    for a, b in StratifiedKFold(4, shuffle=True, random_state=SEED).split(part, truth):
        predicted = model.fit(part[a], truth[a]).predict(part[b])
        recalls.append(recall_score(truth[b], predicted))
        f1s.append(f1_score(truth[b], predicted))
    assert record["Recall"] == pytest.approx(np.mean(recalls), abs=1e-9)
    assert record["F1"] == pytest.approx(np.mean(f1s), abs=1e-9)
    plain = plan(fraud, "label", model_id="lr", setup={"fold": 4, "session_id": SEED})
    assert record["Recall"] > plain.leaderboard[0]["Recall"] + 0.2


@pytest.mark.parametrize("method", SAMPLERS)
def test_each_method_trains_models_that_take_gaps(plan, recorder, fraud, method):
    """Three labels, gaps, and a class of eight rows, of which a fold has five."""
    table = fraud.assign(
        amount=fraud["amount"].where(np.arange(400) % 7 > 0),
        label=fraud["label"].where(np.arange(400) % 50 > 0, "maybe"),
    )
    setup = {"fold": 2, "fix_imbalance": True, "fix_imbalance_method": method}
    (record,) = plan(table, "label", model_id="dt", setup=setup).leaderboard
    assert record["Accuracy"] is not None
    assert set(recorder.pipeline("dt").predict(table)) <= {"yes", "no", "maybe"}


def test_the_pipeline_needs_no_imbalanced_learn(plan, recorder, fraud, tmp_path):
    plan(fraud, "label", model_id="lr", setup={"fold": 2, "fix_imbalance": True})
    (tmp_path / "p.pkl").write_bytes(recorder.artifacts["pipeline-lr.pkl"])
    code = (
        "import sys, pickle, pandas as pd\n"
        "sys.modules['imblearn'] = sys.modules['jupyter_pycaret_ops'] = None\n"
        "p = pickle.load(open('p.pkl', 'rb'))\n"
        "print(*p.predict(pd.DataFrame({'amount': [9.0], 'hour': [-9.0]})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "yes", done.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"sample_weight": "hour"}, "Leave out fix_imbalance or sample_weight"),
        ({"preparation": "pycaret"}, "fix_imbalance has no effect with preparation"),
        ({"fix_imbalance_method": "smote"}, "must be one of SMOTE"),
    ],
)
def test_what_does_not_go_together_is_refused(plan, fraud, more, says):
    with pytest.raises(PlanFailed, match=says):
        plan(fraud, "label", model_id="lr", setup={"fold": 2, "fix_imbalance": True, **more})


def test_without_the_library_the_error_says_what_to_install(plan, fraud, monkeypatch):
    monkeypatch.setattr(
        "jupyter_pycaret_ops.kernel.engine.preparation.params.find_spec", lambda name: None
    )
    with pytest.raises(PlanFailed, match=r"pip install 'jupyter-pycaret-ops\[imbalance\]'"):
        plan(fraud, "label", model_id="lr", setup={"fold": 2, "fix_imbalance": True})
