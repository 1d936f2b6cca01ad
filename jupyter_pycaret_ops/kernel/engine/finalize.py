"""The pipeline that will be served: refitted on all rows, from raw columns to the user's labels.

The engine's own `finalize_model` refits the estimator only; its imputer and encoder stay as they
were fitted on the training part. Here everything is fitted again.
"""

from __future__ import annotations

import time

from jupyter_pycaret_ops.common.protocol import PIPELINE_KIND

from . import input_schema, plots, portable
from .error_messages import describe_error
from .interfaces import Estimator, PlanFailed
from .leaderboard import Leaderboard
from .prepared_task import PreparedTask


def keep_best(
    prepared: PreparedTask, board: Leaderboard, n_select: int = 1, also: str | None = None
) -> None:
    """Fit and store the best `n_select` pipelines, with the input schema and the plots of the best.

    The model `also`, which was asked for by name, is kept wherever it stands.

    A model that cannot be fitted on all rows, or cannot answer for new rows, is passed over with a
    warning. Raises `PlanFailed` when a task that has to be served keeps none.
    """
    reporter = prepared.reporter
    wanted = min(n_select, len(board.scored))
    kept = 0
    first: Estimator | None = None
    for model in board.scored:
        if kept >= wanted and model.model_id != also:
            continue
        reporter.checkpoint()
        name = model.record["name"]
        reporter.progress(
            kept, wanted, f"Fitting {name} on all rows", model_id=model.model_id, stage="final"
        )
        started_at = time.monotonic()
        try:
            pipeline = prepared.final_pipeline(model.estimator)
            described = prepared.input_schema(pipeline)
            serving_error = prepared.servability_error(pipeline, described)
            if serving_error is None:
                input_schema.try_example(pipeline, described)
            content = pickle_pipeline(pipeline)
        except Exception as error:
            reason = describe_error(error)
            reporter.warn(
                f"{name} could not be fitted on all rows and is not kept: {reason}",
                model_id=model.model_id,
                reason="final_fit",
                error=reason,
            )
            continue
        if serving_error is not None:
            reporter.warn(
                f"{name} is not kept as a pipeline: {serving_error}",
                model_id=model.model_id,
                reason="not_servable",
                error=serving_error,
            )
            continue
        rows = prepared.n_rows
        reporter.report(
            "model.finalized",
            f"{name} was fitted on all {rows} rows",
            {"model_id": model.model_id, "n_rows": rows},
            (time.monotonic() - started_at) * 1000,
        )
        reporter.store(
            f"pipeline-{model.model_id}.pkl",
            PIPELINE_KIND,
            content,
            "application/octet-stream",
            model.model_id,
        )
        if first is None:
            first = pipeline
            input_schema.store(prepared, described)
        kept += 1
    reporter.progress(wanted, wanted, "Fitted on all rows" if kept else "Nothing is kept")
    if not kept and prepared.task.must_serve:
        raise PlanFailed(
            "engine", "No scored model could be fitted on all rows; the warnings say why."
        )
    best = board.scored[0]
    prepared.save_extras(best, first)
    plots.store(prepared, best)


def pickle_pipeline(pipeline: Estimator) -> bytes:
    """`pipeline` as a pickle that needs neither this package nor PyCaret to be loaded."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(portable)
    try:
        return bytes(cloudpickle.dumps(pipeline))
    finally:
        cloudpickle.unregister_pickle_by_value(portable)
