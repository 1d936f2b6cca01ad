"""What a plan is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from jupyter_pycaret_ops.protocol import JSON

from ..contracts import PlanResult
from ..parameters import Param, read
from ..session import Session

SUPERVISED = frozenset({"classification", "regression"})

TIME_LIMIT = Param(
    "time_limit",
    {"type": ["number", "null"], "exclusiveMinimum": 0},
    None,
    "Seconds that the run may take; what was scored until then is kept.",
)
MODEL_TIME_LIMIT = Param(
    "model_time_limit",
    {"type": ["number", "null"], "exclusiveMinimum": 0},
    None,
    "Seconds that one model may take; it is stopped and the next one follows.",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Something to do with a session.

    `run` gets the session and the read parameters. With `takes_model_params` the parameters of
    the chosen model's constructor are accepted beside `params` and passed as they are.
    """

    id: str
    name: str
    description: str
    run: Callable[[Session, JSON], PlanResult]
    params: list[Param] = field(default_factory=list)
    tasks: frozenset[str] = SUPERVISED
    needs_model: bool = False
    takes_model_params: bool = False

    def read_params(self, given: JSON) -> JSON:
        """`given` over the defaults; raises `PlanFailed` for what the plan does not take."""
        if self.takes_model_params:
            known = {param.name for param in self.params}
            return read({k: v for k, v in given.items() if k in known}, self.params, "parameter")
        return read(given, self.params, f"parameter of {self.id}")

    def model_params(self, given: JSON) -> JSON:
        """The part of `given` that goes to the model."""
        known = {param.name for param in self.params}
        if not self.takes_model_params:
            return {}
        return {name: value for name, value in given.items() if name not in known}
