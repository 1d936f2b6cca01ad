"""The search of `automl`: portfolio, settings, ensemble, within the time of the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON

from .. import candidates, finalize
from ..leaderboard import Failed, Leaderboard, Scored, make_record
from ..scoring.base import Scores
from ..trials import Candidate, Outcome, Pruned, Scoring
from . import portfolio
from .ensemble import N_OUTPUTS, build_ensemble, choose_members
from .settings_search import BATCH, SettingsSearch, spaces_of, with_boosting

if TYPE_CHECKING:
    from ..prepared_task import PreparedTask

#: seconds between two reports of what was tried
REPORT_EVERY_S = 1.0
#: settings that a search will try, before anything is known of its time
EXPECTED_SETTINGS = 1000
#: settings in a row that improve nothing, after which the search has converged
PATIENCE = 60
#: part of a time limit that one model may take, so that no slow one takes it all
SHARE_OF_A_MODEL = 0.25
#: part of a time limit that is put aside for the last fits, at most
MAX_RESERVE = 0.5
#: seconds after which the members of an ensemble are chosen again, to know how long their fit will take
CHOOSE_EVERY_S = 8.0
#: models whose fit is expected before any were chosen
FIRST_MEMBERS = 5
#: part of the time that keeping the best model in between may take
SHARE_OF_KEEPING = 0.1
#: a fit on all rows against one of a fold, whose rows are fewer
FINAL_FIT_RATIO = 1.8


@dataclass(slots=True)
class Search:
    """The state of a search.

    `board` has the models in their default or portfolio settings, and of each family of models the best settings;
    `library` the outputs of the best models for the ensemble, best first.
    """

    prepared: PreparedTask
    params: JSON
    board: Leaderboard
    library: list[Scored] = field(default_factory=list)
    n_tried: int = 0
    #: when the best score was reached, in settings tried
    best_at: int = 0
    #: models of which a pipeline is stored
    kept: set[str] = field(default_factory=set)
    keeping_s: float = 0.0
    #: model → fold metrics of each of its settings that were scored, with their place on a board
    families: dict[str, list[Scored]] = field(default_factory=dict)
    #: why the search for settings has ended, as the event tells it
    reason: str = "n_iter"
    #: seconds of a fit on all rows for each second of a fold
    fit_ratio: float = FINAL_FIT_RATIO
    #: the members that an ensemble would have now, when they were chosen, and how long that took
    members: list[Scored] = field(default_factory=list)
    chosen_at: float = 0.0
    choosing_s: float = 0.0
    #: settings that were tried since the last report, and when that was
    tried: list[JSON] = field(default_factory=list)
    reported_at: float = 0.0

    def run(self) -> None:
        """Score portfolio and settings, then an ensemble, until the time is up or nothing improves."""
        prepared = self.prepared
        limits = prepared.limits
        if limits.run_s is not None and limits.model_s is None:
            limits.model_s = max(1.0, SHARE_OF_A_MODEL * limits.run_s)
        ids = candidates.select_models(
            prepared, self.params.get("include"), self.params.get("exclude")
        )
        # the baseline of a series is a model as any other
        if not prepared.task.type.rows_are_steps:
            ids = [model_id for model_id in ids if model_id != prepared.task.baseline] or ids
        named = bool(self.params.get("include"))
        first = self._portfolio(ids, named=named)
        prepared.reporter.report(
            "search.started",
            f"Searching for the best {prepared.metric}: {len(first)} models with good settings, then others",
            {
                "models": ids,
                "metric": prepared.metric,
                "time_limit": limits.run_s,
                "folds": prepared.scorer.n_folds,
            },
        )
        n_folds = prepared.scorer.n_folds * (len(first) + EXPECTED_SETTINGS)
        with Scoring(prepared, n_folds) as scoring:
            self._score(scoring, first)
            self._check_scored()
            self._search_settings(scoring, ids)
        self._correct_scores()
        self._combine()
        self._report_end()

    def _portfolio(self, ids: Sequence[str], *, named: bool) -> list[Candidate]:
        """Return the portfolio of the models; `named` : each model was asked for, so each is tried."""
        prepared = self.prepared
        if prepared.task.type.rows_are_steps:
            order = ids if named else portfolio.promising_first(ids, is_label=None)
            return [candidates.model_candidate(prepared, one) for one in order]
        is_label = prepared.task.type.answers == "labels"
        entries = portfolio.entries(
            is_label=is_label, ids=set(ids), n_rows=prepared.experiment.n_rows
        )
        if named:
            present = {entry.model_id for entry in entries}
            entries += [portfolio.Entry(one) for one in ids if one not in present]
        return [
            settings_candidate(prepared, entry.model_id, entry.settings) for entry in entries
        ] or [candidates.model_candidate(prepared, one) for one in ids]

    def _score(self, scoring: Scoring, listed: Sequence[Candidate]) -> None:
        """Score candidates, each of which is reported."""
        for outcome in self._outcomes(scoring, listed):
            if isinstance(outcome, Scored):
                self._add(outcome)
            elif isinstance(outcome, Failed):
                candidates.add_failure(self.prepared, self.board, outcome)

    def _outcomes(self, scoring: Scoring, listed: Sequence[Candidate]) -> Iterator[Outcome]:
        """Score candidates and yield their outcomes; the time for the final fit is put aside."""
        self._put_aside()
        total = self.n_tried + len(listed)
        first = self.n_tried
        self.n_tried += len(listed)
        with closing(scoring.outcomes(listed, first, total)) as outcomes:
            for outcome in outcomes:
                yield outcome
                self._put_aside()

    def _search_settings(self, scoring: Scoring, ids: Sequence[str]) -> None:
        """Score settings that Optuna proposes, one batch after the other."""
        prepared, limits = self.prepared, self.prepared.limits
        most = self.params.get("n_iter")
        search = SettingsSearch(prepared, self.board, spaces_of(prepared, ids))
        n_left = math.inf if most is None else int(most)
        self.best_at = self.n_tried
        while search.has_space and n_left > 0 and not limits.is_run_limit_exceeded():
            if self.n_tried - self.best_at >= PATIENCE:
                self.reason = "converged"
                break
            asked = search.ask(int(min(BATCH, n_left)), self._is_hopeless())
            n_left -= len(asked)
            outcomes: dict[int, Outcome] = {}
            with prepared.reporter.muted_models(folds=True):
                for outcome in self._outcomes(scoring, asked):
                    position = getattr(outcome, "position", None)
                    if position is not None:
                        outcomes[position - self.n_tried + len(asked)] = outcome
            in_order = [outcomes.get(place) for place in range(len(asked))]
            search.tell(in_order)
            for found in in_order:
                if isinstance(found, Scored):
                    self._add(found)
            self._note(asked, in_order)
            if limits.elapsed_s - self.reported_at >= REPORT_EVERY_S:
                self._report_settings()
        if self.reason != "converged" and limits.is_run_limit_exceeded():
            self.reason = "time_limit"
        self._report_settings()

    def _add(self, scored: Scored) -> None:
        """Put a model on the board, where it is the first of its kind or the best of its family."""
        prepared, board = self.prepared, self.board
        best_before = self._best_value()
        self.families.setdefault(scored.model_id, []).append(scored)
        self._remember(scored)
        same = next((one for one in board.scored if one.model_id == scored.model_id), None)
        if same is not None:
            if not self._is_better(scored, same):
                return
            board.scored.remove(same)
        outputs = scored.fold_outputs
        candidates.add_score(prepared, board, scored)
        is_remembered = any(one is scored for one in self.library)
        scored.fold_outputs = outputs if is_remembered else []
        is_best = best_before is None or self._best_value() != best_before
        if is_best:
            self.best_at = self.n_tried
        # a kept pipeline is never another than the row that names it
        if scored.model_id in self.kept or (is_best and self._has_time_to_keep(scored)):
            self._keep_meanwhile(scored)

    def _remember(self, scored: Scored) -> None:
        """Keep the outputs of the best models, for the ensemble."""
        if any(outputs is None for outputs in scored.fold_outputs) or not scored.fold_outputs:
            return
        self.library.append(scored)
        self.library.sort(key=self.board.sort_key)
        for dropped in self.library[N_OUTPUTS:]:
            dropped.fold_outputs = []
        del self.library[N_OUTPUTS:]

    def _is_better(self, one: Scored, other: Scored) -> bool:
        return self.board.sort_key(one) < self.board.sort_key(other)

    def _best_value(self) -> float | None:
        if not self.board.scored:
            return None
        value: float | None = self.board.scored[0].record.get(self.board.metric or "")
        return value

    def _is_hopeless(self) -> Callable[[Sequence[Scores | None]], bool] | None:
        """Return what says after the first folds that settings are clearly worse than the best model is there."""
        if not self.board.scored:
            return None
        metric, sign = self.board.metric or "", 1 if self.board.greater_is_better else -1
        best = list(self.board.scored[0].record["folds"])
        spread = float((self.board.scored[0].record["std"] or {}).get(metric) or 0.0)

        def judge(first: Sequence[Scores | None]) -> bool:
            gaps = [
                sign * (there - scores.metrics.get(metric, math.nan))
                for there, scores in zip(best, first, strict=False)
                if scores is not None and there is not None
            ]
            return bool(gaps) and bool(np.mean(gaps) > max(spread, 1e-12))

        return judge

    def _final_fit_s(self, model: Scored) -> float:
        """Return the seconds that fitting a model on all rows will take, by those that such fits have taken."""
        folds = max(1, self.prepared.scorer.n_folds)
        return self.fit_ratio * float(model.record["seconds"]) / folds

    def _put_aside(self) -> None:
        """Put the time aside that choosing an ensemble and fitting it will take."""
        limits = self.prepared.limits
        if limits.run_s is None:
            return
        if limits.elapsed_s - self.chosen_at >= CHOOSE_EVERY_S:
            self.chosen_at = began = limits.elapsed_s
            chosen = choose_members(self.prepared, self.board, self.library)
            self.members = [] if chosen is None else [one for one, _ in chosen.in_use]
            self.choosing_s = limits.elapsed_s - began
        members = self.members or self.library[:FIRST_MEMBERS]
        choosing_s = self.choosing_s * (1 + self.prepared.scorer.n_folds)
        # on all rows, and on the training part for the score on the hold-out
        fits_s = (1 + self._share_of_training()) * sum(self._final_fit_s(one) for one in members)
        needed = fits_s + choosing_s + 0.2
        limits.put_aside(min(MAX_RESERVE * limits.run_s, needed))

    def _share_of_training(self) -> float:
        """Return the part of the rows that the model is fitted on once more, to score it on the others."""
        held = self.prepared.holdout_rows
        return 0.0 if held is None else 1 - held / max(1, self.prepared.n_rows)

    def _has_time_to_keep(self, best: Scored) -> bool:
        """Return whether keeping a model takes no more than its part of the time; the first one is always kept."""
        needed = self.keeping_s + self._final_fit_s(best)
        return not self.kept or needed <= SHARE_OF_KEEPING * self.prepared.limits.elapsed_s

    def _keep_meanwhile(self, best: Scored) -> None:
        """Keep the best model so far, so that a run that is cancelled has it."""
        limits = self.prepared.limits
        expected, before = self._final_fit_s(best), limits.elapsed_s
        self.kept.add(best.model_id)
        finalize.keep(self.prepared, best)
        took = limits.elapsed_s - before
        self.keeping_s += took
        if expected > 0:
            self.fit_ratio = max(FINAL_FIT_RATIO, self.fit_ratio * min(3.0, took / expected))

    def _correct_scores(self) -> None:
        """Give the best settings of a model a score that did not choose them.

        The best of many settings is partly the luckiest. So each fold is scored by the settings that are best on the
        other folds, as in nested cross-validation (S. Varma, R. Simon, BMC Bioinformatics 7:91, 2006).
        """
        for model_id, tried in self.families.items():
            if len(tried) < 2:
                continue
            best = next(one for one in self.board.scored if one.model_id == model_id)
            corrected = nested_record(best, tried, self.board)
            if corrected is not None:
                self.board.scored.remove(best)
                candidates.add_score(self.prepared, self.board, corrected)

    def _combine(self) -> None:
        """Add an ensemble of the best models, unless it is worse than the best of them by more than noise."""
        combined = build_ensemble(self.prepared, self.board, self.library)
        if combined is not None:
            candidates.add_score(self.prepared, self.board, combined)

    def _check_scored(self) -> None:
        if not self.board.scored:
            raise candidates.nothing_scored_error(
                self.board, self.prepared.limits.is_run_limit_exceeded()
            )

    def _note(self, asked: Sequence[Candidate], outcomes: Sequence[Outcome | None]) -> None:
        """Note a batch of settings for the next report."""
        metric = self.board.metric or ""
        for candidate, outcome in zip(asked, outcomes, strict=True):
            value = outcome.record.get(metric) if isinstance(outcome, Scored) else None
            state = "not scored"  # the time was up
            if isinstance(outcome, Scored):
                state = "scored"
            elif isinstance(outcome, Pruned):
                state = "pruned"
            elif isinstance(outcome, Failed) and outcome.kind != "timeout":
                state = "failed"
            self.tried.append({"model_id": candidate.model_id, "value": value, "state": state})

    def _report_settings(self) -> None:
        """Report the settings that were tried since the last report, the best so far, and the time that is left."""
        if not self.tried:
            return
        limits, best = self.prepared.limits, self.board.scored[0]
        metric, left_s = self.board.metric or "", limits.left_s
        tried, self.tried, self.reported_at = self.tried, [], limits.elapsed_s
        total = self.n_tried
        if left_s is not None:
            total += round(self.n_tried * max(0.0, left_s) / max(limits.elapsed_s, 0.1))
        self.prepared.reporter.progress(
            self.n_tried, total, f"{self.n_tried} settings tried", left_s=left_s
        )
        self.prepared.reporter.report(
            "search.progress",
            f"{self.n_tried} settings tried; best: {best.record['name']}, {metric} {self._best_value()}",
            {
                "n_tried": self.n_tried,
                "tried": tried,
                "best": {"model_id": best.model_id, "value": self._best_value()},
                "elapsed_s": round(limits.elapsed_s, 1),
                "left_s": None if left_s is None else round(max(0.0, left_s), 1),
            },
        )

    def _report_end(self) -> None:
        limits = self.prepared.limits
        why = {
            "converged": f"the last {PATIENCE} settings improved nothing",
            "time_limit": f"the time limit of {limits.run_s or 0:g} s is up",
            "n_iter": "all settings that were asked for are tried",
        }[self.reason]
        self.prepared.reporter.report(
            "search.finished",
            f"{self.n_tried} settings tried: {why}",
            {
                "reason": self.reason,
                "n_tried": self.n_tried,
                "elapsed_s": round(limits.elapsed_s, 1),
                "time_limit": limits.run_s,
            },
        )


def settings_candidate(prepared: PreparedTask, model_id: str, settings: JSON) -> Candidate:
    """Return a model with settings as a candidate; without any it is the engine's model itself."""
    if not settings:
        return candidates.model_candidate(prepared, model_id)
    return candidates.tuned(prepared, model_id, with_boosting(model_id, settings))


def nested_record(best: Scored, tried: Sequence[Scored], board: Leaderboard) -> Scored | None:
    """Return the best settings with the scores of those that are best without the fold that is scored.

    `tried` : all settings of the model. None where some fold has no score.
    """
    metric, sign = board.metric or "", 1.0 if board.greater_is_better else -1.0
    tried = sorted(tried, key=lambda one: one.position)  # processes end them in any order
    values = np.array(
        [
            [math.nan if value is None else sign * value for value in one.fold_metrics[metric]]
            for one in tried
        ]
    )
    if values.shape[1] < 2 or np.isnan(values).any():
        return None
    scores = []
    for fold in range(values.shape[1]):
        chosen = tried[int(np.argmax(np.delete(values, fold, axis=1).mean(axis=1)))]
        of_fold = {
            name: math.nan if (value := folds[fold]) is None else value
            for name, folds in chosen.fold_metrics.items()
        }
        scores.append(Scores(of_fold))
    own = best.record
    record, fold_metrics = make_record(
        best.model_id, own["name"], scores, board.metric, own["seconds"]
    )
    rest = {name: value for name, value in own.items() if name not in record}
    rest["uncorrected"] = {metric: own.get(metric)}
    return replace(best, record={**record, **rest}, fold_metrics=fold_metrics, fold_outputs=[])
