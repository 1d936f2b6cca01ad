"""Any model of a leaderboard can be kept later: it is made as by the run that scored it."""

from __future__ import annotations

import cloudpickle
import numpy as np
import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed

SETUP = {"session_id": 7, "fold": 2}
#: plan, its model, its parameters, and how many of the best it keeps itself
CASES = [
    ("create", "knn", {"n_neighbors": 3}),
    ("compare", None, {"include": ["lr", "dt", "nb"], "n_select": 3}),
    ("tune", "dt", {"n_iter": 3}),
    ("ensemble", "dt", {"n_estimators": 3}),
    ("ensemble", "dt", {"n_estimators": 3, "method": "Boosting"}),
    ("calibrate", "nb", {}),
    ("blend", None, {"include": ["lr", "dt"], "method": "soft", "weights": [2, 1]}),
    ("stack", None, {"include": ["nb", "dt"], "meta_model": "lr"}),
]


@pytest.fixture
def keep(plan, recorder):
    """Return the pipeline that the plan `keep` makes of a record, and the result of that plan."""

    def run(frame, target, record, of, given, task="classification", setup=SETUP):
        recorder.artifacts.clear()
        result = plan(
            frame,
            target,
            task=task,
            plan="keep",
            model_id=record["model_id"],
            setup=setup,
            record=record,
            origin_plan=of,
            origin_params=given,
        )
        name = f"pipeline-{record['model_id']}.pkl"
        return cloudpickle.loads(recorder.artifacts[name]), result

    return run


@pytest.mark.parametrize(("of", "model_id", "given"), CASES)
def test_kept_model_is_the_one_that_the_run_would_have_kept(
    plan, recorder, keep, frame, of, model_id, given
):
    scored = plan(frame, "label", plan=of, model_id=model_id, setup=SETUP, **given)
    theirs = {
        name: cloudpickle.loads(content)
        for name, content in recorder.artifacts.items()
        if name.startswith("pipeline-")
    }
    rows = frame.drop(columns="label")
    assert theirs
    for name, pipeline in theirs.items():
        record = next(
            one for one in scored.leaderboard if name == f"pipeline-{one['model_id']}.pkl"
        )
        kept, result = keep(frame, "label", record, of, given)
        assert np.allclose(kept.predict_proba(rows), pipeline.predict_proba(rows))
        mine = {key: value for key, value in record.items() if key != "rank"}
        assert result.leaderboard == [{**mine, "rank": 1}]
        assert result.metrics_summary["holdout"]["Accuracy"] is not None


def test_every_model_of_the_board_can_be_kept(plan, keep, frame):
    given = {"n_estimators": 3}
    scored = plan(frame, "label", plan="ensemble", model_id="dt", setup=SETUP, **given)
    assert len(scored.leaderboard) == 2
    for record in scored.leaderboard:
        pipeline, _ = keep(frame, "label", record, "ensemble", given)
        assert set(pipeline.predict(frame)) <= {"yes", "no"}


def test_kept_clusterer_makes_as_many_clusters(plan, keep, iris):
    rows, given = iris.drop(columns="species"), {"num_clusters": 4, "include": ["kmeans"]}
    setup = {"session_id": 7}
    scored = plan(rows, None, task="clustering", plan="compare", setup=setup, **given)
    pipeline, _ = keep(
        rows, None, scored.leaderboard[0], "compare", given, task="clustering", setup=setup
    )
    assert len(set(pipeline.predict(rows))) == 4


def test_model_that_is_not_here_is_refused(keep, frame):
    with pytest.raises(PlanFailed, match="“gone_tuned” cannot be made here"):
        keep(frame, "label", {"model_id": "gone_tuned", "name": "Gone"}, "tune", {})
