"""The tasks: one module for each descriptor of `common.task_types`, named after its id.

Each module defines `TASK`.
"""

from __future__ import annotations

from importlib import import_module

from jupyter_pycaret_ops.common.task_types import TASK_TYPES

from ..interfaces import PlanFailed
from .base import Task

TASKS: dict[str, Task] = {
    task_id: import_module(f".{task_id}", __name__).TASK for task_id in TASK_TYPES
}

__all__ = ["TASKS", "Task", "find_task"]


def find_task(task_id: str) -> Task:
    """Return the task with that id; raises `PlanFailed` when there is none."""
    if task_id not in TASKS:
        raise PlanFailed("user", f"There is no task “{task_id}”; there are: {', '.join(TASKS)}.")
    return TASKS[task_id]
