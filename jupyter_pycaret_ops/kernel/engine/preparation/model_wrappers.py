"""Models around a model, which is fitted on other rows than they are given, or for as long as it improves.

They are pickled by value with each pipeline (see `finalize`), and written out in the notebook of a run. So this
module imports nothing of this package, and each class stands for itself.
"""

# ruff: noqa: N803 - X is what scikit-learn calls it, and it is part of the interface
from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter


def _model_has(method: str) -> Any:
    def check(self: Any) -> bool:
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return check


def takes_weights(model: Any) -> bool:
    """Return whether a model can be fitted with a weight for each row."""
    steps = getattr(model, "steps", None)
    if steps:
        return takes_weights(steps[-1][1])
    wrapped = getattr(model, "estimator", None) or getattr(model, "regressor", None)
    if hasattr(wrapped, "fit") and not takes_weights(wrapped):
        return False
    if hasattr(getattr(model, "regressor", None), "fit"):
        return True  # it hands on what it is given
    members = getattr(model, "estimators", None)
    if isinstance(members, list):
        return all(has_fit_parameter(member, "sample_weight") for _, member in members)
    return bool(has_fit_parameter(model, "sample_weight"))


class _FittedOnOtherRows(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """A model that is fitted on other rows than it is given, and predicts all; the fitted one is `estimator_`."""

    estimator: Any

    def _fit(self, X: Any, y: Any, **options: Any) -> Any:
        self.estimator_ = clone(self.estimator).fit(X, y, **options)
        if hasattr(self.estimator_, "classes_"):
            self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: Any) -> Any:
        """Return what the model predicts, array of shape (n_rows,)."""
        return self.estimator_.predict(X)

    @available_if(_model_has("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Return the model's probabilities, array of shape (n_rows, n_classes)."""
        return self.estimator_.predict_proba(X)

    @available_if(_model_has("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """Return the model's decision values."""
        return self.estimator_.decision_function(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of labels, or R² of numbers, as scikit-learn's own models do."""
        from sklearn.base import is_classifier
        from sklearn.metrics import accuracy_score, r2_score

        measure = accuracy_score if is_classifier(self) else r2_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)


class OutlierFilter(_FittedOnOtherRows):
    """A model that is fitted without the most unusual rows; it predicts all.

    `detector` finds them, an outlier detector of scikit-learn; the fitted model is `estimator_`.
    """

    def __init__(self, estimator: Any, detector: Any) -> None:
        self.estimator = estimator
        self.detector = detector

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> OutlierFilter:
        """Fit on the usual rows of `X` of shape (n_rows, n_columns) and `y` of shape (n_rows,)."""
        values = np.nan_to_num(np.asarray(X, dtype="float64"))
        is_usual = clone(self.detector).fit_predict(values) == 1
        weights = (
            {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)[is_usual]}
        )
        fitted: OutlierFilter = self._fit(
            np.asarray(X)[is_usual], np.asarray(y)[is_usual], **weights
        )
        return fitted


class WeightedPipeline(Pipeline):  # type: ignore[misc]
    """A pipeline whose `fit` takes the weights of rows, as the members of an ensemble are asked to.

    `passes_weights` : whether its model takes them; else they are left out.
    """

    def __init__(
        self,
        steps: Any,
        *,
        passes_weights: bool = True,
        transform_input: Any = None,
        memory: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(steps, transform_input=transform_input, memory=memory, verbose=verbose)
        self.passes_weights = passes_weights

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, **params: Any
    ) -> WeightedPipeline:
        """Fit on `X` of shape (n_rows, n_columns) and `y` of shape (n_rows,); `sample_weight` of shape (n_rows,)."""
        if sample_weight is not None and self.passes_weights:
            params[f"{self.steps[-1][0]}__sample_weight"] = sample_weight
        fitted: WeightedPipeline = super().fit(X, y, **params)
        return fitted


class BalancedModel(_FittedOnOtherRows):
    """A classifier that is fitted on rows in which the classes are as frequent as each other; it predicts all.

    `method` : the name of a sampler of imbalanced-learn, which makes these rows of those that are given. Only fitting
    needs that package.
    """

    def __init__(self, estimator: Any, method: str = "SMOTE", random_state: int = 0) -> None:
        self.estimator = estimator
        self.method = method
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> BalancedModel:
        """Fit on balanced rows of `X`, float array of shape (n_rows, n_columns), and `y` of shape (n_rows,)."""
        rows, target = np.asarray(X, dtype="float64"), np.asarray(y)
        smallest = int(np.unique(target, return_counts=True)[1].min())
        fitted: BalancedModel = self._fit(*self._sampler(smallest).fit_resample(rows, target))
        return fitted

    def _sampler(self, smallest: int) -> Any:
        """Return the sampler for classes of which the smallest has so many rows."""
        from imblearn import combine, over_sampling, under_sampling

        method = "RandomOverSampler" if smallest == 1 else self.method  # one row has no neighbours
        module = next(
            one for one in (over_sampling, under_sampling, combine) if hasattr(one, method)
        )
        sampler = getattr(module, method)()
        known = sampler.get_params()
        for name in ("k_neighbors", "n_neighbors"):
            if isinstance(known.get(name), int) and method != "TomekLinks":
                sampler.set_params(**{name: min(known[name], smallest - 1)})
        if "smote" in known:
            nearest = over_sampling.SMOTE(
                random_state=self.random_state, k_neighbors=min(5, smallest - 1)
            )
            sampler.set_params(smote=nearest)
        if "random_state" in known:
            sampler.set_params(random_state=self.random_state)
        return sampler


class EarlyStopped(_FittedOnOtherRows):
    """A booster of LightGBM, XGBoost or CatBoost that stops adding trees once they no longer help.

    A tenth of the rows (`share`) is put aside while it is fitted, and says after which number of trees `rounds` more
    have improved nothing. Up to `refit_below` rows it is then fitted on all of them with that number; with more, the
    tenth is worth less than the time.
    """

    def __init__(
        self,
        estimator: Any,
        rounds: int = 40,
        share: float = 0.1,
        refit_below: int = 5000,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.rounds = rounds
        self.share = share
        self.refit_below = refit_below
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> EarlyStopped:
        """Fit on `X`, float array of shape (n_rows, n_columns), and `y` of shape (n_rows,)."""
        rows, target = np.asarray(X), np.asarray(y)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        train, watched = self._split(target)
        if len(watched) == 0 or len(np.unique(target[train])) < len(np.unique(target)) < 50:
            fitted: EarlyStopped = self._fit(rows, target, **_weighted(weights, slice(None)))
            return fitted
        model = self._watched(clone(self.estimator), rows, target, weights, train, watched)
        self.n_trees_ = _n_trees(model)
        if len(target) < self.refit_below:
            model = clone(self.estimator).set_params(**{_tree_parameter(model): self.n_trees_})
            model.fit(rows, target, **_weighted(weights, slice(None)))
        self.estimator_ = model
        if hasattr(model, "classes_"):
            self.classes_ = model.classes_
        return self

    def _split(self, target: Any) -> tuple[Any, Any]:
        """Return the positions to fit on and to watch; classes have the same share in both where each has two rows."""
        from sklearn.model_selection import train_test_split

        values, counts = np.unique(target, return_counts=True)
        is_label = target.dtype.kind in "iub" and len(values) < 50
        n_watched = max(1, round(self.share * len(target)))
        can_stratify = is_label and counts.min() >= 2 and n_watched >= len(values)
        if len(target) < 20:
            return np.arange(len(target)), np.array([], dtype=int)
        train, watched = train_test_split(
            np.arange(len(target)),
            test_size=n_watched,
            random_state=self.random_state,
            stratify=target if can_stratify else None,
        )
        return train, watched

    def _watched(
        self, model: Any, rows: Any, target: Any, weights: Any, train: Any, watched: Any
    ) -> Any:
        """Return the model, fitted with as many trees as improve the watched rows."""
        beside = [(rows[watched], target[watched])]
        given = _weighted(weights, train)
        name = type(model).__name__
        if name.startswith("LGBM"):
            import lightgbm

            stop = lightgbm.early_stopping(self.rounds, verbose=False)
            watch: dict[str, Any] = {"eval_set": beside}
            if "eval_X" in inspect.signature(model.fit).parameters:  # since 4.7, and preferred
                watch = {"eval_X": (beside[0][0],), "eval_y": (beside[0][1],)}
            return model.fit(rows[train], target[train], callbacks=[stop], **watch, **given)
        if name.startswith("XGB"):
            model.set_params(early_stopping_rounds=self.rounds)
            model.fit(rows[train], target[train], eval_set=beside, verbose=False, **given)
            return model.set_params(early_stopping_rounds=None)
        return model.fit(
            rows[train],
            target[train],
            eval_set=beside[0],
            early_stopping_rounds=self.rounds,
            verbose=False,
            **given,
        )


def _weighted(weights: Any, rows: Any) -> dict[str, Any]:
    return {} if weights is None else {"sample_weight": weights[rows]}


def _n_trees(model: Any) -> int:
    """Return the number of trees that was best on the watched rows."""
    name = type(model).__name__
    if name.startswith("LGBM"):
        return max(1, int(model.best_iteration_ or model.n_estimators_))
    if name.startswith("XGB"):
        return int(model.best_iteration) + 1
    return max(1, int(model.tree_count_))


def _tree_parameter(model: Any) -> str:
    return "iterations" if type(model).__name__.startswith("CatBoost") else "n_estimators"
