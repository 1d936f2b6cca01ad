"""Execute the plan of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_pycaret_ops.common.protocol import JSON, RunSpec

from .global_state import isolated, load_engine
from .interfaces import Frame, PlanFailed, PlanResult, Reporter
from .limits import Limits, TimeLimitExceeded
from .notebook_objects import NO_OBJECTS, NotebookObjects

if TYPE_CHECKING:  # these import pandas
    from .plans import Plan
    from .tasks import Task


def run_plan(
    spec: RunSpec, frame: Frame, reporter: Reporter, own: NotebookObjects = NO_OBJECTS
) -> PlanResult:
    """See `engine.run_plan`."""
    with isolated():
        load_engine(spec.task)
        task, plan = _find_task_and_plan(spec)
        params = plan.read_params(spec.task, spec.plan_params)
        limits = Limits(params.get("time_limit"), params.get("model_time_limit"))
        try:
            return _run(spec, frame, reporter, limits, task, plan, params, own)
        except TimeLimitExceeded:  # not expected: candidates turn a limit into an outcome
            raise PlanFailed("timeout", "The time limit was up; give more time.") from None
        finally:
            limits.stop()


def _find_task_and_plan(spec: RunSpec) -> tuple[Task, Plan]:
    from .plans import find_plan
    from .tasks import find_task

    return find_task(spec.task), find_plan(spec.task, spec.plan)


def _run(
    spec: RunSpec,
    frame: Frame,
    reporter: Reporter,
    limits: Limits,
    task: Task,
    plan: Plan,
    params: JSON,
    own: NotebookObjects,
) -> PlanResult:
    from .baseline import score_baseline
    from .conclusion import conclude
    from .event_reporter import EventReporter
    from .json_values import plain
    from .versions import versions

    events = EventReporter(reporter, limits)
    events.checkpoint()
    spec = replace(spec, setup_params={**plan.default_setup_for(spec.task), **spec.setup_params})
    metric = params.get("sort") or params.get("optimize") or spec.metric
    prepared = task.prepare(spec, frame, events, limits, metric, own)
    if plan.scores_models:
        prepared.baseline = score_baseline(prepared)
    result = plan.run(prepared, params)
    result.metrics_summary = conclude(prepared, result.metrics_summary, result.leaderboard)
    events.checkpoint()
    result.leaderboard = plain(result.leaderboard)
    result.metrics_summary = plain(result.metrics_summary)
    result.snapshot = plain(
        {
            "seed": prepared.settings["session_id"],
            "versions": versions(),
            "data_rows": len(frame),
            "data_changes": events.data_changes,
            "target": prepared.target,
            "task": spec.task,
            "reading": prepared.reading(),
            **prepared.snapshot_facts(),
        }
    )
    return result
