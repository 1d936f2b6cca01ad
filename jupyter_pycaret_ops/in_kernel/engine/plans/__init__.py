"""The plans that can run; each is one module. A new one is added to `PLANS`."""

from __future__ import annotations

from ..contracts import PlanFailed
from .base import Plan
from .compare import COMPARE
from .create import CREATE
from .setup import SETUP

PLANS: dict[str, Plan] = {plan.id: plan for plan in (SETUP, CREATE, COMPARE)}

__all__ = ["PLANS", "Plan", "find_plan", "plans_for"]


def plans_for(task_id: str) -> list[Plan]:
    """The plans that a task can run."""
    return [plan for plan in PLANS.values() if task_id in plan.tasks]


def find_plan(task_id: str, plan_id: str) -> Plan:
    """The plan of that id; raises `PlanFailed` when the task has none."""
    plan = PLANS.get(plan_id)
    if plan is None or task_id not in plan.tasks:
        known = ", ".join(p.id for p in plans_for(task_id))
        raise PlanFailed("user", f"The task {task_id} has no plan “{plan_id}”; it has: {known}.")
    return plan
