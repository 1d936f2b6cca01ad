"""All that the plans of one run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_pycaret_ops.protocol import JSON, RunSpec

from .events import Narrator
from .experiment import Experiment
from .frames import Table
from .labels import Target
from .limits import Limits


@dataclass(slots=True)
class Session:
    """A prepared frame in a fitted experiment, ready for a plan.

    `settings` are the set-up parameters as they were used; `splitter` is the engine's
    cross-validator with the number of folds that the data allow.
    """

    spec: RunSpec
    narrator: Narrator
    limits: Limits
    table: Table
    target: Target
    experiment: Experiment
    settings: JSON
    splitter: Any
    metric: str
    greater_is_better: bool
