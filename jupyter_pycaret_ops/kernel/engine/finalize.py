"""Fit and store final pipelines: on all rows, from raw columns to the user's labels.

The engine's own `finalize_model` refits the estimator only; its imputer and encoder stay as they
were fitted on the training part. Here everything is fitted again.
"""

from __future__ import annotations

import time

from jupyter_pycaret_ops.common.protocol import JSON, PIPELINE_KIND
from jupyter_pycaret_ops.common.tables import spellings

from . import input_schema, plots, portable, training_profile
from .error_messages import describe_error
from .interfaces import Estimator, PlanFailed
from .leaderboard import Leaderboard, Scored
from .notebook_objects import NotebookObjects, dumps
from .preparation import model_wrappers, transformers
from .prepared_task import PreparedTask


def keep_best(
    prepared: PreparedTask, board: Leaderboard, n_select: int = 1, also: str | None = None
) -> int:
    """Fit and store the best `n_select` pipelines, with the input schema and the plots of the best; return how many.

    The model `also`, which the run requested, is kept whatever its rank. A model that cannot be fitted
    on all rows, or cannot predict new rows, is skipped with a warning. Raises `PlanFailed` when none is
    kept and the task requires one.
    """
    reporter = prepared.reporter
    n_requested = min(n_select, len(board.scored))
    n_kept = 0
    best_pipeline: Estimator | None = None
    for model in board.scored:
        if n_kept >= n_requested and model.model_id != also:
            continue
        reporter.checkpoint()
        reporter.progress(
            n_kept,
            n_requested,
            f"Fitting {model.record['name']} on all rows",
            model_id=model.model_id,
            stage="final",
        )
        kept = keep(prepared, model)
        if kept is None:
            continue
        if best_pipeline is None:
            best_pipeline, schema = kept
            input_schema.store(prepared, schema)
            training_profile.store(prepared)
        n_kept += 1
    reporter.progress(
        n_requested, n_requested, "Fitted on all rows" if n_kept else "Nothing is kept"
    )
    if not n_kept and prepared.task.must_serve:
        raise PlanFailed(
            "engine", "No scored model could be fitted on all rows; the warnings say why."
        )
    best = board.scored[0]
    prepared.save_extras(best, best_pipeline)
    _score_and_draw(prepared, best)
    return n_kept


def keep(prepared: PreparedTask, model: Scored) -> tuple[Estimator, JSON] | None:
    """Fit a model on all rows, and store and return its pipeline with the schema of its input.

    None, and a warning, for a model that cannot be fitted on all rows, or cannot predict new ones.
    """
    reporter, name = prepared.reporter, model.record["name"]
    started_at = time.monotonic()
    try:
        pipeline = prepared.final_pipeline(model.estimator)
        pipeline = prepared.with_threshold(pipeline, model.record)
        schema = prepared.input_schema(pipeline)
        serving_error = prepared.servability_error(pipeline, schema)
        if serving_error is None:
            input_schema.try_example(pipeline, schema)
        content = pickle_pipeline(pipeline, prepared.own)
    except Exception as error:
        reason = describe_error(error)
        reporter.warn(
            f"{name} could not be fitted on all rows and is not kept: {reason}",
            model_id=model.model_id,
            reason="final_fit",
            error=reason,
        )
        return None
    if serving_error is not None:
        reporter.warn(
            f"{name} is not kept as a pipeline: {serving_error}",
            model_id=model.model_id,
            reason="not_servable",
            error=serving_error,
        )
        return None
    n_rows = prepared.n_rows
    reporter.report(
        "model.finalized",
        f"{name} was fitted on all {n_rows} rows",
        {"model_id": model.model_id, "n_rows": n_rows},
        (time.monotonic() - started_at) * 1000,
    )
    reporter.store(
        f"pipeline-{model.model_id}.pkl",
        PIPELINE_KIND,
        content,
        "application/octet-stream",
        model.model_id,
    )
    return pipeline, schema


def _score_and_draw(prepared: PreparedTask, best: Scored) -> None:
    """Fit the best model on the training part, score it once on the hold-out, and draw its plots there."""
    reporter = prepared.reporter
    if not prepared.task.plots:
        return
    try:
        fitted = prepared.experiment.fit_for_plots(best.estimator)
    except Exception as error:
        reporter.warn(
            f"There is no score on the hold-out, and no plots could be drawn: {describe_error(error)}",
            reason="plot",
        )
        return
    try:
        prepared.holdout = prepared.score_holdout(fitted)
    except Exception as error:
        reporter.warn(
            f"{best.record['name']} could not be scored on the hold-out: {describe_error(error)}",
            model_id=best.model_id,
            reason="holdout",
        )
    plots.store(prepared, best, fitted)


def pickle_pipeline(pipeline: Estimator, own: NotebookObjects) -> bytes:
    """Return `pipeline` pickled so that loading it needs neither this package nor PyCaret, nor what `own` comes from."""
    ours = (portable, spellings, transformers, model_wrappers)
    return dumps(pipeline, by_value=(*ours, *own.modules()))
