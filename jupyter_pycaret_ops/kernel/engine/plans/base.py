"""The definition of a plan, and parameters that several plans share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.task_types import TASK_TYPES, task_ids

from ..interfaces import PlanResult
from ..parameters import Param, read
from ..prepared_task import PreparedTask
from ..thresholds import OPTIMIZE_THRESHOLD

SUPERVISED = task_ids(lambda task: task.is_supervised)
FORECASTING = task_ids(lambda task: task.rows_are_steps)
SCORED = SUPERVISED | FORECASTING
ALL = frozenset(TASK_TYPES)
#: tasks whose models predict labels and probabilities
WITH_LABELS = task_ids(lambda task: task.answers == "labels")

TIME_LIMIT = Param(
    "time_limit",
    {"type": ["number", "null"], "exclusiveMinimum": 0},
    None,
    "Seconds that the run may take. Models finished by then are kept.",
)
MODEL_TIME_LIMIT = Param(
    "model_time_limit",
    {"type": ["number", "null"], "exclusiveMinimum": 0},
    None,
    "Seconds that one model may take. It is then stopped, and the next one follows.",
)
_IDS: JSON = {"type": ["array", "null"], "items": {"type": "string"}}
INCLUDE = Param("include", _IDS, None, "Try exactly these models, slow ones too.")
EXCLUDE = Param("exclude", _IDS, None, "Try all but these models.")
SORT = Param("sort", {"type": ["string", "null"]}, None, "Models are ordered by this metric.")
N_SELECT = Param(
    "n_select",
    {"type": "integer", "minimum": 1, "maximum": 20},
    1,
    "How many of the best models to keep as pipelines.",
)
#: parameters that a task adds to plans with `makes_models`, by its kind of output
TASK_PARAMS: Mapping[str, list[Param]] = {
    "clusters": [
        Param(
            "num_clusters",
            {"type": ["integer", "null"], "minimum": 2, "maximum": 1000},
            None,
            "How many clusters to make, for models that do not find the number themselves.",
        )
    ],
    "flags": [
        Param(
            "fraction",
            {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 0.5},
            None,
            "Share of the rows to flag.",
        )
    ],
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does with a prepared task.

    `run` gets the prepared task and the checked parameters. With `takes_model_params`, parameters of
    the model's constructor are accepted besides `params` and passed on unchanged. With `makes_models`,
    the parameters of `TASK_PARAMS` are accepted too. With `scores_models`, the baseline is scored first.
    """

    id: str
    name: str
    description: str
    run: Callable[[PreparedTask, JSON], PlanResult]
    params: list[Param] = field(default_factory=list)
    tasks: frozenset[str] = SUPERVISED
    needs_model: bool = False
    takes_model_params: bool = False
    makes_models: bool = False
    scores_models: bool = True
    #: set-up parameters where a run of a supervised task gives none
    default_setup: JSON = field(default_factory=dict)

    def params_for(self, task_id: str) -> list[Param]:
        """Return the plan's own parameters and those that the task adds."""
        answers = TASK_TYPES[task_id].answers
        return [
            *self.params,
            *(TASK_PARAMS.get(answers, []) if self.makes_models else []),
            *([OPTIMIZE_THRESHOLD] if self.scores_models and answers == "labels" else []),
        ]

    def default_setup_for(self, task_id: str) -> JSON:
        """Return the set-up parameters of a run that gives none."""
        return self.default_setup if task_id in SUPERVISED else {}

    def read_params(self, task_id: str, given: JSON) -> JSON:
        """Return the defaults, overridden by `given`; raises `PlanFailed` for an invalid parameter."""
        params = self.params_for(task_id)
        if self.takes_model_params:
            known = {param.name for param in params}
            return read({k: v for k, v in given.items() if k in known}, params, "parameter")
        return read(given, params, f"parameter of {self.id}")

    def model_params(self, task_id: str, given: JSON) -> JSON:
        """Return the part of `given` that goes to the model's constructor."""
        known = {param.name for param in self.params_for(task_id)}
        if not self.takes_model_params:
            return {}
        return {name: value for name, value in given.items() if name not in known}
