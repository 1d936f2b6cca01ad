"""The engine room: a frame goes in, PyCaret works, results come out.

Runs inside a kernel, in a background thread. Importing this package is cheap; pandas,
scikit-learn and PyCaret are imported when a function first needs them.
"""

from __future__ import annotations

from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON, RunSpec

from .interfaces import Cancelled, PlanFailed, PlanResult, Reporter

__all__ = [
    "Cancelled",
    "PlanFailed",
    "PlanResult",
    "Reporter",
    "describe",
    "load",
    "preload",
    "run_plan",
    "shutdown_fork_server",
]


def run_plan(spec: RunSpec, frame: Any, report: Reporter) -> PlanResult:
    """Execute `spec` on `frame` and report on the way.

    `frame` is a pandas DataFrame with any names and dtypes; it is not changed.
    Raises `PlanFailed` when the data, the parameters or every model fail, and lets `Cancelled`
    through from `report.checkpoint()` or from an asynchronous exception. Whatever happens, the
    random state, warnings and working directory of the process stay as they were.
    """
    from .plan_execution import run_plan as run

    return run(spec, frame, report)


def describe() -> JSON:
    """What the installed engine offers: versions and, by task, models, metrics, plans, settings."""
    from .description import describe as probe

    return probe()


def load(task_id: str) -> None:
    """Import all that plans of a task need, without a trace in the process.

    For whoever may be interrupted afterwards: a torn import leaves halves of modules behind.
    """
    from .global_state import isolated, load_engine

    with isolated():
        load_engine(task_id)
        from . import plans, tasks  # noqa: F401 - they bring libraries of their own


def preload() -> None:
    """Import all that a run needs and fit toy frames, so that the first run does not wait.

    For kernels that are ours alone: on Linux a process is forked that waits for the run (see
    `trials.template`).
    """
    from .preloading import preload as preload_engine

    preload_engine()


def shutdown_fork_server() -> None:
    """Give back what waits for a run: this kernel will have none."""
    from .trials import fork_server

    fork_server.stop()
