"""The plans by id; a new one is added to `_ALL`."""

from __future__ import annotations

from ..interfaces import PlanFailed
from .automl import AUTOML
from .base import Plan
from .combine import BLEND, CALIBRATE, ENSEMBLE, STACK
from .compare import COMPARE
from .create import CREATE
from .finalize import FINALIZE
from .keep import KEEP
from .setup import SETUP
from .tune import TUNE

_ALL = (SETUP, CREATE, COMPARE, TUNE, ENSEMBLE, BLEND, STACK, CALIBRATE, FINALIZE, AUTOML)
#: of `_ALL` somebody chooses one; the others are started by the server
PLANS: dict[str, Plan] = {plan.id: plan for plan in (*_ALL, KEEP)}

__all__ = ["PLANS", "Plan", "find_plan", "plans_for"]


def plans_for(task_id: str) -> list[Plan]:
    """Return the plans that a task can run."""
    return [plan for plan in _ALL if task_id in plan.tasks]


def find_plan(task_id: str, plan_id: str) -> Plan:
    """Return the plan with that id; raises `PlanFailed` when the task does not have it."""
    plan = PLANS.get(plan_id)
    if plan is None or task_id not in plan.tasks:
        known = ", ".join(p.id for p in plans_for(task_id))
        raise PlanFailed("user", f"The task {task_id} has no plan “{plan_id}”; it has: {known}.")
    return plan
