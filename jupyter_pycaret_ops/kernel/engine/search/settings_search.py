"""Settings that Optuna's TPE proposes, over several models at once.

J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011: the choice of the
model is a setting as any other, so that most time goes to models that improve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_pycaret_ops.common.protocol import JSON

from ..candidates import TUNED, tuned
from ..leaderboard import Leaderboard, Scored
from ..scoring.base import Scores
from ..trials import Candidate, Outcome, Pruned
from .spaces import BOOSTERS, Space, space_of

if TYPE_CHECKING:
    from ..prepared_task import PreparedTask

_MODEL = "model"
#: settings that are scored at once; a fixed number, so that the search is the same with any number of processes
BATCH = 4
#: settings that are drawn at random before TPE learns from them, besides the portfolio
N_STARTUP = 10
#: models whose settings are searched: the best of the portfolio
N_FAMILIES = 6


class SettingsSearch:
    """Proposes settings and learns from their scores, in the order in which they were proposed."""

    def __init__(
        self,
        prepared: PreparedTask,
        board: Leaderboard,
        spaces: Mapping[str, Space],
        *,
        stops_early: bool = True,
    ) -> None:
        """`board` : models that were scored before, the best first; those with a space in `spaces` are searched.

        `stops_early` : boosters find their number of trees themselves.
        """
        import optuna

        self._prepared = prepared
        self._stops_early = stops_early
        self._metric = board.metric or ""
        families = list(dict.fromkeys(family_of(one.model_id) for one in board.scored))
        self._spaces = {one: spaces[one] for one in families if one in spaces}
        self._spaces = dict(list(self._spaces.items())[:N_FAMILIES])
        sampler = optuna.samplers.TPESampler(
            seed=prepared.settings["session_id"],
            n_startup_trials=N_STARTUP,
            multivariate=True,
            group=True,
            constant_liar=True,
        )
        # it logs that a study was made, and the kernel may be a user's own
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            self._study = optuna.create_study(
                direction="maximize" if board.greater_is_better else "minimize", sampler=sampler
            )
        finally:
            optuna.logging.set_verbosity(verbosity)
        self._asked: list[Any] = []
        for scored in board.scored:
            self._learn(scored)

    @property
    def has_space(self) -> bool:
        """Whether any model has settings to search."""
        return bool(self._spaces)

    def ask(
        self, count: int, is_hopeless: Callable[[Sequence[Scores | None]], bool] | None
    ) -> list[Candidate]:
        """Return so many models with settings; `is_hopeless` : see `Candidate`."""
        self._asked = []
        found = []
        for _ in range(count):
            trial = self._study.ask()
            model_id = trial.suggest_categorical(_MODEL, list(self._spaces))
            settings = {
                name: one.suggest(trial, _key(model_id, name))
                for name, one in self._spaces[model_id].items()
            }
            self._asked.append(trial)
            if self._stops_early:
                settings = with_boosting(model_id, settings)
            candidate = tuned(self._prepared, model_id, settings)
            found.append(
                Candidate(
                    candidate.model_id,
                    candidate.name,
                    candidate.make,
                    candidate.extra,
                    is_hopeless,
                )
            )
        return found

    def tell(self, outcomes: Sequence[Outcome | None]) -> None:
        """Learn from the outcomes of what was asked last, in the same order; None for one that has none."""
        from optuna.trial import TrialState

        for trial, outcome in zip(self._asked, outcomes, strict=True):
            value = outcome.record.get(self._metric) if isinstance(outcome, Scored) else None
            if value is not None:
                self._study.tell(trial, value)
            elif isinstance(outcome, Pruned):
                first = [one.metrics.get(self._metric) for one in outcome.scores if one is not None]
                known = [one for one in first if one is not None and one == one]
                if known:
                    trial.report(sum(known) / len(known), step=1)
                self._study.tell(trial, state=TrialState.PRUNED)
            else:
                self._study.tell(trial, state=TrialState.FAIL)

    def _learn(self, scored: Scored) -> None:
        """Learn from a model of the portfolio whose settings lie in the space."""
        import optuna

        model_id = family_of(scored.model_id)
        value = scored.record.get(self._metric)
        if model_id not in self._spaces or value is None:
            return
        defaults = self._prepared.experiment.default_parameters(model_id)
        given = {**defaults, **(scored.record.get("params") or {})}
        params: JSON = {_MODEL: model_id}
        distributions: dict[str, Any] = {
            _MODEL: optuna.distributions.CategoricalDistribution(list(self._spaces))
        }
        for name, one in self._spaces[model_id].items():
            if not one.holds(given.get(name)):
                return
            params[_key(model_id, name)] = given[name]
            distributions[_key(model_id, name)] = one.distribution()
        self._study.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, value=value)
        )


def spaces_of(prepared: PreparedTask, ids: Sequence[str]) -> dict[str, Space]:
    """Return model → the settings to search, of those that have any."""
    is_label = prepared.task.type.answers == "labels"
    found = {}
    for model_id in ids:
        space = space_of(
            model_id, is_label=is_label, grid=prepared.experiment.search_space(model_id)
        )
        if space:
            found[model_id] = space
    return found


def with_boosting(model_id: str, settings: JSON) -> JSON:
    """Return settings with those of boosters that stop adding trees by themselves."""
    if model_id not in BOOSTERS:
        return settings
    return {**settings, **BOOSTERS[model_id], "early_stopping": True}


def family_of(model_id: str) -> str:
    """Return the model that a record of the leaderboard is a variant of."""
    return model_id.removesuffix(f"_{TUNED}")


def _key(model_id: str, name: str) -> str:
    return f"{model_id}.{name}"
