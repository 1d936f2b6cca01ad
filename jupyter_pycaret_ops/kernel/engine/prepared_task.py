"""All that the plans of one run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_pycaret_ops.common.protocol import JSON, RunSpec

from .event_reporter import EventReporter
from .experiments import Experiment
from .limits import Limits
from .scoring.base import Scorer

if TYPE_CHECKING:
    from .tasks.base import Task


@dataclass(slots=True)
class Session:
    """Prepared data in a fitted experiment, ready for a plan.

    `settings` are the set-up parameters as they were used; `scorer` knows the folds that the data
    allow; `metric` ranks the leaderboard, None where models are not scored. `target` is the name of
    the column to predict, None where there is none; `data` is what the task made of the frame, known
    to the task alone.
    """

    spec: RunSpec
    reporter: EventReporter
    limits: Limits
    task: Task
    experiment: Experiment
    scorer: Scorer
    settings: JSON
    metric: str | None
    greater_is_better: bool
    target: str | None = None
