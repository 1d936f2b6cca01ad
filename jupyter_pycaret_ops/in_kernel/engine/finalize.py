"""The pipeline that will be served: refitted on all rows, from raw columns to the user's labels.

The engine's own `finalize_model` refits the estimator only; its imputer and encoder stay as they
were fitted on the training part. Here everything is fitted again.
"""

from __future__ import annotations

import time
from typing import Any

from jupyter_pycaret_ops.protocol import PIPELINE_KIND

from . import plots, portable, schema
from .contracts import Estimator, PlanFailed
from .experiment import take_seed
from .explain import sentence_of
from .leaderboard import Leaderboard, Scored
from .session import Session


def keep_best(session: Session, board: Leaderboard, n_select: int = 1) -> None:
    """Fit and store the best `n_select` pipelines, with the input schema and the plots of the best.

    A model that cannot be fitted on all rows is passed over with a warning. Raises `PlanFailed`
    when none can.
    """
    narrator = session.narrator
    wanted = min(n_select, len(board.scored))
    kept = 0
    for model in board.scored:
        if kept == wanted:
            break
        narrator.checkpoint()
        name = model.record["name"]
        narrator.progress(
            kept, wanted, f"Fitting {name} on all rows", model_id=model.model_id, stage="final"
        )
        began = time.monotonic()
        try:
            pipeline = final_pipeline(session, model)
            content = pickled(pipeline)
        except Exception as error:
            reason = sentence_of(error)
            narrator.warn(
                f"{name} could not be fitted on all rows and is not kept: {reason}",
                model_id=model.model_id,
                reason="final_fit",
                error=reason,
            )
            continue
        rows = len(session.table.raw)
        narrator.tell(
            "model.finalized",
            f"{name} was fitted on all {rows} rows",
            {"model_id": model.model_id, "n_rows": rows},
            (time.monotonic() - began) * 1000,
        )
        narrator.store(
            f"pipeline-{model.model_id}.pkl",
            PIPELINE_KIND,
            content,
            "application/octet-stream",
            model.model_id,
        )
        if not kept:
            schema.store(session, pipeline)
            plots.store(session, model)
        kept += 1
    if not kept:
        raise PlanFailed(
            "engine", "No scored model could be fitted on all rows; the warnings say why."
        )


def final_pipeline(session: Session, model: Scored) -> Estimator:
    """A pipeline fitted on all rows: `predict` takes the user's raw columns."""
    from sklearn.base import clone
    from sklearn.pipeline import Pipeline

    *preprocessing, (name, estimator) = [(n, clone(s)) for n, s in model.pipeline.steps]
    take_seed(estimator, session.settings["session_id"])
    rows, target = session.table.raw, session.target.given
    if session.settings.get("remove_outliers"):
        rows, target = _without_outliers(session, preprocessing, rows, target)
    if session.target.labels is not None:
        estimator = portable.LabelledClassifier(estimator, session.target.labels)
    pipeline = Pipeline([("input", session.table.step), *preprocessing, (name, estimator)])
    return pipeline.fit(rows, target)


def _without_outliers(session: Session, preprocessing: Any, rows: Any, target: Any) -> Any:
    # as the engine does it on its training part
    from sklearn.base import clone
    from sklearn.ensemble import IsolationForest

    columns = clone(preprocessing[0][1])
    numbers = columns.fit_transform(session.table.step.transform(rows))
    forest = IsolationForest(
        contamination=0.05, random_state=session.settings["session_id"], n_jobs=1
    )
    inside = forest.fit_predict(numbers) == 1
    return rows[inside], target[inside]


def pickled(pipeline: Estimator) -> bytes:
    """`pipeline` as a pickle that needs neither this package nor PyCaret to be loaded."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(portable)
    try:
        return bytes(cloudpickle.dumps(pipeline))
    finally:
        cloudpickle.unregister_pickle_by_value(portable)
