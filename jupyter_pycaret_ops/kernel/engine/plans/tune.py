"""Tune one model: by random search over the values that the engine knows, or by TPE in wider ranges."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from .. import candidates, finalize
from ..interfaces import PlanFailed, PlanResult
from ..leaderboard import Leaderboard, Scored
from ..parameters import Param
from ..prepared_task import PreparedTask
from ..search.settings_search import BATCH, SettingsSearch, spaces_of, with_boosting
from ..search.spaces import BOOSTERS, Choice
from ..trials import Candidate, Outcome, Scoring
from .base import MODEL_TIME_LIMIT, SCORED, TIME_LIMIT, Plan
from .models import requested_model_id

RANDOM, TPE = "random", "tpe"
OPTIMIZE = Param("optimize", {"type": ["string", "null"]}, None, "The metric to improve.")
N_ITER = Param(
    "n_iter",
    {"type": "integer", "minimum": 1, "maximum": 1000},
    10,
    "How many settings to try.",
)


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score the model with its defaults and with other settings; keep the best."""
    model_id = requested_model_id(prepared)
    board = candidates.score(prepared, [candidates.model_candidate(prepared, model_id)])
    tune(prepared, board, model_id, params, params["custom_grid"])
    finalize.keep_best(prepared, board)
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


def tune(
    prepared: PreparedTask,
    board: Leaderboard,
    model_id: str,
    params: JSON,
    grid: Mapping[str, list[Any]] | None = None,
) -> None:
    """Score settings of a model and add the best one to `board`.

    Settings are drawn as by scikit-learn's `RandomizedSearchCV`, which the engine uses, and scored with
    the engine's metric of that name. (The engine's own tuning uses other metrics for several classes,
    and scores a failed setting 0, which is the best value of an error.) Raises `PlanFailed` when `grid`
    names a parameter that the model does not have.
    """
    name = prepared.experiment.model_names[model_id]
    settings = _settings(prepared, model_id, int(params["n_iter"]), grid)
    stops_early = _stops_early(model_id, params)
    if stops_early:
        settings = [with_boosting(model_id, setting) for setting in settings]
    if not settings:
        prepared.reporter.warn(
            f"{name} has no settings to search; give custom_grid to try some.",
            model_id=model_id,
            reason="no_search_space",
        )
        return
    started_at = time.monotonic()
    prepared.reporter.report(
        "model.tune.started",
        f"Trying {len(settings)} settings of {name} for {prepared.metric}",
        {"model_id": model_id, "n_iter": len(settings), "optimize": prepared.metric},
    )
    tuning_board = Leaderboard(prepared.metric, prepared.greater_is_better)
    if params.get("search_algorithm") == TPE:
        n_iter = int(params["n_iter"])
        proposals = _learned(prepared, board, model_id, n_iter, grid, stops_early=stops_early)
    else:
        proposals = iter([([candidates.tuned(prepared, model_id, s) for s in settings], _nothing)])
    n_tried = 0
    with (
        Scoring(prepared, prepared.scorer.n_folds * len(settings)) as scoring,
        prepared.reporter.muted_models(),
    ):
        for asked, learn in proposals:
            first = board.size + n_tried
            n_tried += len(asked)
            outcomes: list[Outcome | None] = [None] * len(asked)
            with closing(scoring.outcomes(asked, first, len(settings))) as scored:
                for outcome in scored:
                    if isinstance(outcome, Scored):
                        outcomes[outcome.position - first] = outcome
                        tuning_board.add(outcome)
                        for other in tuning_board.scored[1:]:
                            other.fold_outputs = []  # they may be large
            learn(outcomes)
    if not tuning_board.scored:
        prepared.reporter.warn(
            f"No other setting of {name} could be scored.", model_id=model_id, reason="tuning"
        )
        return
    best = tuning_board.scored[0]
    prepared.reporter.report(
        "model.tuned",
        f"Best of {len(tuning_board.scored)} settings of {name} found",
        {
            "model_id": model_id,
            "best_params": best.record["params"],
            "tried": [
                {"params": s.record["params"], "value": s.record.get(prepared.metric or "")}
                for s in tuning_board.scored
            ],
        },
        (time.monotonic() - started_at) * 1000,
    )
    candidates.add_score(prepared, board, best)


#: candidates to score, and what learns from their outcomes
Proposal = tuple[list[Candidate], Callable[[list[Outcome | None]], None]]


def _nothing(outcomes: list[Outcome | None]) -> None:
    """Learn nothing: the settings of a random search are drawn beforehand."""


def _learned(
    prepared: PreparedTask,
    board: Leaderboard,
    model_id: str,
    n_iter: int,
    grid: Mapping[str, list[Any]] | None,
    *,
    stops_early: bool,
) -> Iterator[Proposal]:
    """Yield `n_iter` settings that TPE proposes, one batch after the other."""
    spaces = (
        {model_id: {name: Choice(tuple(values)) for name, values in grid.items()}}
        if grid
        else spaces_of(prepared, [model_id])
    )
    search = SettingsSearch(prepared, board, spaces, stops_early=stops_early)
    n_left = n_iter
    while search.has_space and n_left > 0 and not prepared.limits.is_run_limit_exceeded():
        asked = search.ask(min(BATCH, n_left), None)
        n_left -= len(asked)
        yield asked, search.tell


def _stops_early(model_id: str, params: JSON) -> bool:
    """Return whether a booster finds its number of trees itself; raises `PlanFailed` for other models."""
    asked = params.get("early_stopping")
    if asked and model_id not in BOOSTERS:
        raise PlanFailed("user", f"early_stopping is for {', '.join(BOOSTERS)}; leave it out.")
    if asked is None:
        return params.get("search_algorithm") == TPE and model_id in BOOSTERS
    return bool(asked)


def _settings(
    prepared: PreparedTask, model_id: str, n_iter: int, grid: Mapping[str, list[Any]] | None
) -> list[JSON]:
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    space = dict(grid) if grid else prepared.experiment.search_space(model_id)
    if not space:
        return []
    known_parameters = set(prepared.experiment.default_parameters(model_id))
    # the engine's own names may be those that a library takes besides its constructor's
    unknown = [name for name in grid or () if name not in known_parameters]
    if unknown:
        raise PlanFailed(
            "user",
            f"{prepared.experiment.model_names[model_id]} has no parameter “{unknown[0]}”; it has: "
            f"{', '.join(sorted(known_parameters))}.",
        )
    n_iter = min(n_iter, len(ParameterGrid(space)))
    return list(ParameterSampler(space, n_iter, random_state=prepared.settings["session_id"]))


TUNE = Plan(
    id="tune",
    name="Tune a model",
    description="Try other settings of one model and keep the best. The result is never worse than the defaults.",
    run=run,
    params=[
        OPTIMIZE,
        N_ITER,
        Param(
            "custom_grid",
            {
                "type": ["object", "null"],
                "additionalProperties": {"type": "array", "minItems": 1},
            },
            None,
            "Values to try for each parameter, instead of the engine's.",
        ),
        Param(
            "search_algorithm",
            {"type": "string", "enum": [RANDOM, TPE]},
            RANDOM,
            "random draws from the engine's values; tpe learns from what it has tried, in wider ranges.",
        ),
        Param(
            "early_stopping",
            {"type": ["boolean", "null"]},
            None,
            "Let a booster find its number of trees on a tenth of the rows it is fitted on; by default with tpe.",
        ),
        TIME_LIMIT,
        MODEL_TIME_LIMIT,
    ],
    tasks=SCORED,
    needs_model=True,
)
