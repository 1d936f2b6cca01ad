"""The baseline: what is reached without learning anything from the columns, scored on the same folds."""

from __future__ import annotations

import time

from jupyter_pycaret_ops.common.protocol import JSON

from .error_messages import describe_error
from .leaderboard import make_record
from .prepared_task import PreparedTask


def score_baseline(prepared: PreparedTask) -> JSON | None:
    """Score the baseline of a task, report it as `run.baseline_scored` and return its leaderboard record.

    None where the task has none, or where it cannot be scored; the run goes on without.
    """
    model_id = prepared.task.baseline
    if model_id is None or model_id not in prepared.experiment.registry:
        return None
    started_at = time.monotonic()
    try:
        estimator = prepared.experiment.make_estimator(model_id, {})
        scores = []
        for fold in range(prepared.scorer.n_folds):
            prepared.reporter.checkpoint()
            scores.append(prepared.scorer.score(estimator, fold))
    except Exception as error:
        prepared.reporter.warn(
            f"The baseline could not be scored: {describe_error(error)}", reason="baseline"
        )
        return None
    seconds = time.monotonic() - started_at
    name = prepared.baseline_name()
    record, _ = make_record(model_id, name, scores, prepared.metric, seconds)
    record["baseline"] = True
    value = record.get(prepared.metric or "")
    prepared.reporter.report(
        "run.baseline_scored",
        f"Baseline, {name}: {prepared.metric} "
        + ("could not be computed" if value is None else f"{value:.4f}"),
        record,
        seconds * 1000,
    )
    return record
