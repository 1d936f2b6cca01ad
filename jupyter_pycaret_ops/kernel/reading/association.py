"""How much of a target each column of a table explains, and the columns that may know it beforehand.

Associations are shares from 0 to 1, comparable between columns and targets. Of a target of labels: the uncertainty
coefficient (mutual information over the entropy of the labels; Theil 1970), less the mutual information that columns of
chance have (Miller and Madow: (k - 1)(l - 1) / 2n for k levels, l labels and n rows). Of a target of numbers: the squared
correlation ratio, less what columns of chance have (epsilon squared; Kelley 1935). Numbers and times are put into ranges
of equally many values; missing values are a level of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.spellings import folded

N_RANGES = 20
#: a column with this association is a leak suspect
SUSPECT = 0.8
#: and one with a score that is this near to the best possible one, by a tree of that column alone
TREE_SCORE = 0.98
#: trees are tried from this association on
TREE_FROM = 0.3
#: rows that a tree is tried on
TREE_ROWS = 20_000
TREE_DEPTH = 6
TREE_FOLDS = 3


def level_codes(numbers: Any, n_ranges: int = N_RANGES) -> Any:
    """Return the range of each number, int64 array of shape (n_rows,), of ranges with equally many values.

    `numbers` : float64 array of shape (n_rows,). NaN is a level of its own. Numbers with at most `n_ranges` different
    values keep them.
    """
    known = np.isfinite(numbers)
    values = numbers[known]
    if not len(values):
        return np.zeros(len(numbers), dtype="int64")
    distinct = np.unique(values)
    if len(distinct) > n_ranges:
        inner = np.quantile(values, np.linspace(0, 1, n_ranges + 1)[1:-1])
        codes = np.searchsorted(np.unique(inner), values, side="left")
    else:
        codes = np.searchsorted(distinct, values)
    found = np.full(len(numbers), codes.max() + 1, dtype="int64")
    found[known] = codes
    return found


def uncertainty(codes: Any, labels: Any) -> float:
    """Return the share of the entropy of `labels` that `codes` explain, both int arrays of shape (n_rows,) from 0."""
    n_rows = len(codes)
    if not n_rows:
        return 0.0
    counts = np.unique(codes, return_counts=True)[1]
    label_counts = np.unique(labels, return_counts=True)[1]
    pairs = codes.astype("int64") * (int(labels.max()) + 1) + labels
    pair_counts = np.unique(pairs, return_counts=True)[1]
    entropy = _entropy(label_counts)
    if entropy <= 0:
        return 0.0
    information = _entropy(counts) + entropy - _entropy(pair_counts)
    by_chance = (len(counts) - 1) * (len(label_counts) - 1) / (2 * n_rows)
    return float(np.clip((information - by_chance) / entropy, 0.0, 1.0))


def _entropy(counts: Any) -> float:
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def correlation_ratio(codes: Any, numbers: Any) -> float:
    """Return the share of the variance of `numbers`, float64 array of shape (n_rows,), that `codes` explain."""
    levels, places = np.unique(codes, return_inverse=True)
    n_rows, n_levels = len(numbers), len(levels)
    total = float(((numbers - numbers.mean()) ** 2).sum()) if n_rows else 0.0
    if total <= 0 or n_rows <= n_levels:
        return 0.0
    counts = np.bincount(places)
    means = np.bincount(places, weights=numbers) / counts
    within = float(((numbers - means[places]) ** 2).sum())
    return float(np.clip(1 - (within / total) * (n_rows - 1) / (n_rows - n_levels), 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Association:
    """The share of the target that a column explains, and the score of a tree of it alone where one was tried."""

    share: float
    tree_score: float | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether the column may hold what is known only after the target."""
        tree = self.tree_score is not None and self.tree_score >= TREE_SCORE
        return tree or self.share >= SUSPECT


class TargetAssociation:
    """Associations with one target.

    `codes` : int64 array of shape (n_rows,) of its labels; `numbers` : float64 array of its values where it is of numbers,
    else None. Rows whose `is_known` is False have no target.
    """

    def __init__(self, codes: Any, numbers: Any | None, is_known: Any) -> None:
        self._rows = np.flatnonzero(is_known)
        self._labels = codes[self._rows]
        self._numbers = None if numbers is None else numbers[self._rows]

    def of(self, codes: Any, numbers: Any | None = None) -> Association:
        """Return the association of a column, given as codes of its levels, or as numbers where it has them."""
        levels = codes if numbers is None else level_codes(numbers)
        levels = levels[self._rows]
        if self._numbers is None:
            share = uncertainty(levels, self._labels)
        else:
            share = correlation_ratio(levels, self._numbers)
        score = None
        if TREE_FROM <= share < SUSPECT:
            values = levels.astype("float64") if numbers is None else numbers[self._rows]
            score = self._tree_score(values)
        return Association(round(share, 4), score)

    def _tree_score(self, values: Any) -> float | None:
        """Return the cross-validated score of a tree of one column: balanced accuracy, or R²."""
        from sklearn.model_selection import cross_val_score
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        rows = np.arange(len(values))
        if len(rows) > TREE_ROWS:
            rows = np.random.default_rng(0).choice(rows, TREE_ROWS, replace=False)
        column = np.where(np.isfinite(values), values, np.nan)[rows].reshape(-1, 1)
        if self._numbers is None:
            labels = self._labels[rows]
            if np.unique(labels, return_counts=True)[1].min() < TREE_FOLDS:
                return None
            model: Any = DecisionTreeClassifier(max_depth=TREE_DEPTH, random_state=0)
            scores = cross_val_score(
                model, column, labels, cv=TREE_FOLDS, scoring="balanced_accuracy"
            )
        else:
            model = DecisionTreeRegressor(max_depth=TREE_DEPTH, random_state=0)
            scores = cross_val_score(
                model, column, self._numbers[rows], cv=TREE_FOLDS, scoring="r2"
            )
        return round(float(scores.mean()), 4)


def leak_notice(column: str, target: str, found: Association) -> JSON:
    """Return the notice for a leak suspect, with the set-up parameter that leaves the column out."""
    return {
        "code": "leak_suspect",
        "column": column,
        "message": f"“{column}” predicts “{target}” almost alone. Leave it out if it is known only afterwards.",
        "setup_params": {"ignore_features": [column]},
        "facts": {"association": found.share, "tree_score": found.tree_score},
    }


def level_notice(target: str, counts: list[tuple[str, int]]) -> JSON | None:
    """Return the notice for labels that differ by case or blanks only, None where there are none.

    `counts` : the labels as they are written, with how many rows have each.
    """
    kinds: dict[str, list[tuple[str, int]]] = {}
    for label, count in counts:
        kinds.setdefault(folded(label), []).append((label, count))
    several = [sorted(kind, key=lambda item: -item[1]) for kind in kinds.values() if len(kind) > 1]
    if not several:
        return None
    shown = "; ".join(" and ".join(f"“{label}”" for label, _ in kind) for kind in several[:3])
    return {
        "code": "labels_differ_by_case",
        "column": target,
        "message": f"{shown} differ by case or blanks only. As they stand they are different labels.",
        "setup_params": {"merge_levels": True},
        "facts": {
            "labels": [[label for label, _ in kind] for kind in several],
            "rows": sum(count for kind in several for _, count in kind[1:]),
        },
    }
