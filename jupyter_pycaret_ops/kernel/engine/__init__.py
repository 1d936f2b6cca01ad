"""Execute plans on a DataFrame with PyCaret.

Runs in a kernel, in a background thread. Importing this package is cheap; pandas,
scikit-learn and PyCaret are imported when a function first needs them.
"""

from __future__ import annotations

from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON, RunSpec

from .interfaces import Cancelled, PlanFailed, PlanResult, Reporter
from .notebook_objects import NO_OBJECTS, NotebookObjects

__all__ = [
    "Cancelled",
    "NotebookObjects",
    "PlanFailed",
    "PlanResult",
    "Reporter",
    "describe",
    "load",
    "preload",
    "run_plan",
    "shutdown_fork_server",
]


def run_plan(
    spec: RunSpec, frame: Any, reporter: Reporter, own: NotebookObjects = NO_OBJECTS
) -> PlanResult:
    """Execute `spec` on `frame`, report events and files to `reporter`, and return the result.

    `frame` : DataFrame of shape (n_rows, n_columns) with any names and dtypes; it is not changed. `own` : objects of
    this notebook that parameters name. Raises `PlanFailed` when the data, the parameters or every model fail, and lets
    `Cancelled` through from `reporter.checkpoint()` or from an asynchronous exception. Whatever happens, the random
    state, warnings and working directory of the process stay as they were.
    """
    from .plan_execution import run_plan as run

    return run(spec, frame, reporter, own)


def describe() -> JSON:
    """Return versions and, for each task, models, metrics, plans and parameters of the installed engine."""
    from .description import describe as describe_engine

    return describe_engine()


def load(task_id: str) -> None:
    """Import all that plans of a task need, and leave warnings and environment unchanged.

    To be called before a thread that a cancel may interrupt: an interrupted import leaves incomplete
    modules.
    """
    from .global_state import isolated, load_engine

    with isolated():
        load_engine(task_id)
        from . import plans, tasks  # noqa: F401 - they import further libraries


def preload() -> None:
    """Import all that a run needs, fit toy data and start the fork server, so that the first run starts at once.

    For worker and serving kernels only, not for a user's own: see `trials.fork_server`.
    """
    from .preloading import preload as preload_engine

    preload_engine()


def shutdown_fork_server() -> None:
    """Stop the fork server and free its memory: this kernel will execute no run."""
    from .trials import fork_server

    fork_server.stop()
