"""Greedy selection of an ensemble over out-of-fold predictions.

R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes, "Ensemble selection from libraries of models", ICML 2004: the model
that improves the mean of those chosen so far most is added, again and again, and may be chosen more than once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..scoring.probabilities import area_under_curve

#: models that are added, of which some are the same
ROUNDS = 25
#: models of different kinds that an ensemble begins with, and how many are added then
FIRST_KINDS = (5, 3, 2)
ROUNDS_AFTER_FIRST = 10
#: how much greater the loss may be for that, as a part of the loss of an ensemble that begins with none
TOLERANCE = 0.1
#: rows by which a choice is made; with more, some are drawn
MAX_ROWS = 20_000
MAX_ROWS_OF_RANKS = 4_000
#: an ensemble of more is slow to fit and to serve, and hardly better
MAX_MEMBERS = 8

#: values of shape (n_models, n_rows), target and weights of shape (n_rows,), None where all rows count the same
#: → losses of shape (n_models,)
Loss = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """What some models have answered for the rows of folds that they were not fitted on.

    `values` : float64 array of shape (n_models, n_rows), what `loss` takes of them; `target` : of shape (n_rows,);
    `folds` : the fold of each row, of shape (n_rows,); `kinds` : what kind of model each is, of length n_models;
    `weights` : how much a row counts, of shape (n_rows,), None where all count the same.
    """

    values: Any
    target: Any
    folds: Any
    loss: Loss
    kinds: Sequence[str]
    weights: Any = None

    def losses(self, values: Any, rows: Any) -> Any:
        """Return the losses of means of models on some rows; `values` : of shape (n_means, n_rows)."""
        weights = None if self.weights is None else self.weights[rows]
        return self.loss(values, self.target[rows], weights)


def choose(answers: Answers, without_fold: int | None = None, seed: int = 0) -> Any:
    """Return the weights of models in their ensemble, float64 array of shape (n_models,) with the sum 1.

    It begins with the mean of the best models of several kinds, which is harder to overfit, unless that is clearly worse
    than beginning with none. `without_fold` : the fold whose rows have no say.
    """
    rows = np.arange(len(answers.folds))
    if without_fold is not None:
        rows = rows[answers.folds != without_fold]
    most = MAX_ROWS_OF_RANKS if answers.loss is rank_loss else MAX_ROWS
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    values = answers.values[:, rows]
    counts, least = _add_greedily(answers, rows, np.zeros(len(values)), ROUNDS)
    best_of_kinds = _best_of_kinds(answers, answers.losses(values, rows))
    for n_first in FIRST_KINDS:
        first = np.zeros(len(values))
        first[best_of_kinds[:n_first]] = 1.0
        begun, loss = _add_greedily(answers, rows, first, ROUNDS_AFTER_FIRST)
        if loss <= (1 + TOLERANCE) * least:
            counts = begun
            break
    return counts / counts.sum()


def _best_of_kinds(answers: Answers, losses: Any) -> list[int]:
    """Return the best model of each kind, the best first; `losses` : of shape (n_models,)."""
    kinds: dict[str, int] = {}
    for place in np.argsort(losses, kind="stable"):
        kinds.setdefault(answers.kinds[place], int(place))
    return list(kinds.values())


def _add_greedily(answers: Answers, rows: Any, counts: Any, rounds: int) -> tuple[Any, float]:
    """Add the models that improve the mean most, and return how often each is in the best mean, and its loss.

    `rows` : places of the rows that have a say; `counts` : how often each is in at the beginning, of shape (n_models,).
    """
    values = answers.values[:, rows]
    total = counts @ values
    best, least = counts, math.inf
    if counts.any():
        least = float(answers.losses((total / counts.sum())[None], rows)[0])
    for _ in range(rounds):
        is_full = np.count_nonzero(counts) >= MAX_MEMBERS
        losses = answers.losses((total + values) / (counts.sum() + 1), rows)
        added = int(np.argmin(np.where((counts > 0) | (not is_full), losses, np.inf)))
        counts = counts.copy()
        counts[added] += 1
        total = total + values[added]
        if losses[added] < least - 1e-12:
            best, least = counts, float(losses[added])
    return best, least


def squared_loss(values: Any, target: Any, weights: Any = None) -> Any:
    """Return the mean squared error; `values` : predictions."""
    return np.average((values - target) ** 2, axis=1, weights=weights)


def absolute_loss(values: Any, target: Any, weights: Any = None) -> Any:
    """Return the mean absolute error; `values` : predictions."""
    return np.average(np.abs(values - target), axis=1, weights=weights)


def squared_log_loss(values: Any, target: Any, weights: Any = None) -> Any:
    """Return the mean squared error of logarithms, as in RMSLE; `values` : predictions."""
    errors = np.log1p(np.maximum(values, 0)) - np.log1p(np.maximum(target, 0))
    return np.average(errors**2, axis=1, weights=weights)


def log_loss(values: Any, target: Any, weights: Any = None) -> Any:
    """Return the logarithmic loss; `values` : the probability of the class that a row has."""
    return np.average(-np.log(np.clip(values, 1e-15, 1.0)), axis=1, weights=weights)


def rank_loss(values: Any, target: Any, weights: Any = None) -> Any:
    """Return 1 − AUC; `values` : the probability of the class 1, `target` : 0 or 1.

    AUC by the ranks of the rows of class 1, as in the test of Mann and Whitney.
    """
    from scipy.stats import rankdata

    if weights is not None:
        return np.array([1 - area_under_curve(target == 1, one, weights) for one in values])
    n_ones = int(target.sum())
    n_pairs = n_ones * (len(target) - n_ones)
    sums = rankdata(values, axis=1)[:, target == 1].sum(axis=1)
    return 1 - (sums - n_ones * (n_ones + 1) / 2) / max(n_pairs, 1)


#: metric of numbers → what an ensemble is selected by
OF_NUMBERS: dict[str, Loss] = {
    "MAE": absolute_loss,
    "MedAE": absolute_loss,
    "RMSLE": squared_log_loss,
    "MASE": absolute_loss,
    "MAPE": absolute_loss,
    "SMAPE": absolute_loss,
}


def answers_of(
    outputs: Sequence[Sequence[Any]],
    target: Any,
    positions: Sequence[Any],
    kinds: Sequence[str],
    *,
    metric: str | None,
    n_classes: int | None,
    weights: Any = None,
) -> Answers:
    """Return what selection needs of the outputs of models.

    `outputs` : for each model and each fold an array of shape (n_rows_of_fold, 1 + n_classes), predictions and
    probabilities; `target` : of all rows of the training part; `positions` : the rows of each fold;
    `kinds` : see `Answers`;
    `n_classes` : None for numbers; `weights` : of all rows of the training part, None where all count the same.
    """
    rows = np.concatenate(list(positions))
    folds = np.concatenate([np.full(len(at), fold) for fold, at in enumerate(positions)])
    truth = np.asarray(target)[rows]
    of_rows = None if weights is None else np.asarray(weights)[rows]
    stacked = [np.concatenate(list(of_model)) for of_model in outputs]
    if n_classes is None:
        loss = OF_NUMBERS.get(metric or "", squared_loss)
        predicted = np.array([one[:, 0] for one in stacked])
        return Answers(predicted, truth, folds, loss, kinds, of_rows)
    if metric == "AUC" and n_classes == 2:
        values = np.array([one[:, 2] for one in stacked])
        return Answers(values, truth.astype(int), folds, rank_loss, kinds, of_rows)
    places = np.arange(len(truth)), 1 + truth.astype(int)
    of_truth = np.array([one[places] for one in stacked])
    return Answers(of_truth, truth, folds, log_loss, kinds, of_rows)
