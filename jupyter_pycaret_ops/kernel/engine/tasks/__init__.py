"""The tasks that can run; each is one module. A new one is added to `TASKS`."""

from __future__ import annotations

from ..interfaces import PlanFailed
from .anomaly import Anomaly
from .base import Task
from .classification import Classification
from .clustering import Clustering
from .regression import Regression
from .time_series import TimeSeries

_ALL: tuple[Task, ...] = (Classification(), Regression(), Clustering(), Anomaly(), TimeSeries())
TASKS: dict[str, Task] = {task.id: task for task in _ALL}

__all__ = ["TASKS", "Task", "find_task"]


def find_task(task_id: str) -> Task:
    """The task of that id; raises `PlanFailed` when it cannot run."""
    if task_id not in TASKS:
        raise PlanFailed(
            "user", f"The task “{task_id}” cannot run yet; these can: {', '.join(TASKS)}."
        )
    return TASKS[task_id]
