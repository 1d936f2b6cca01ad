"""Prepare the data without fitting a model."""

from __future__ import annotations

from jupyter_pycaret_ops.common.protocol import JSON

from ..interfaces import PlanResult
from ..prepared_task import PreparedTask
from .base import ALL, Plan


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Report that the data are prepared; the preparation itself has reported the rest."""
    prepared.reporter.progress(0, 0, "The data are prepared")
    return PlanResult(
        metrics_summary={"metric": prepared.metric, "best": None, "models": 0, "failed": 0}
    )


SETUP = Plan(
    id="setup",
    name="Set up",
    description="Prepare the data and report what preprocessing does. No model is fitted.",
    run=run,
    tasks=ALL,
    scores_models=False,
)
