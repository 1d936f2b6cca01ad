"""Put the preparation before an estimator, so that both are fitted on the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from jupyter_pycaret_ops.common.custom_objects import CUSTOM_PIPELINE
from jupyter_pycaret_ops.common.protocol import JSON

from ..interfaces import Estimator
from .as_code import code_of
from .column_transformer import build, forest, power
from .families import Family, family_of, with_scaled_target
from .model_wrappers import BalancedModel, OutlierFilter, WeightedPipeline, takes_weights
from .params import AUTO
from .recipe import Recipe
from .transformers import CorrelationFilter, NamedColumns, NumberOfColumns, as_numbers

#: neighbours of a row that say whether it is an outlier; scikit-learn's default
_N_NEIGHBORS = 20
#: characters of a step of the user's own that the snapshot has
MAX_REPR = 500


class _Model:
    """Stands for the model in code."""

    def __repr__(self) -> str:
        return "model"


@dataclass(frozen=True, slots=True)
class Preparation:
    """How the columns of a table are prepared.

    `settings` : set-up parameters as used; `target_type` : "binary", "multiclass" or "continuous", None where there is
    no target; `own_steps` : names and transformers of the user's own, which get a DataFrame of the prepared columns;
    `names` : the engine's name of a column → the user's, for these.
    """

    recipe: Recipe
    settings: JSON
    target_type: str | None
    own_steps: tuple[tuple[str, Any], ...] = ()
    names: dict[str, str] = field(default_factory=dict)

    def of(self, estimator: Estimator) -> Estimator:
        """Return an unfitted pipeline of the preparation that a model needs, and the model.

        The members of a voting or stacking ensemble get one each, since they may need different ones.
        """
        from sklearn.pipeline import Pipeline

        members = getattr(estimator, "estimators", None)
        if isinstance(members, list) and not hasattr(estimator, "estimator"):
            prepared = [(name, self.as_member(self.of(member))) for name, member in members]
            own = {"estimators": prepared}
            if getattr(estimator, "final_estimator", None) is not None:
                own["final_estimator"] = self.as_member(estimator.final_estimator)
            return estimator.set_params(**own)
        before = self._before(family_of(estimator))
        return Pipeline([*before, ("model", self._model(estimator))])

    def as_member(self, member: Estimator) -> Estimator:
        """Return a part of an ensemble, which can be fitted with weights where rows have them."""
        if not self.settings.get("sample_weight"):
            return member
        steps = getattr(member, "steps", None) or [("model", member)]
        return WeightedPipeline(steps, passes_weights=takes_weights(member))

    def without_model(self) -> Estimator:
        """Return an unfitted pipeline of the preparation for models that compare distances."""
        from sklearn.pipeline import Pipeline

        return Pipeline(self._before(Family.SCALED))

    def to_json(self) -> JSON:
        """Return what the snapshot of a run records: the recipe, and the code that makes its transformers.

        `steps` : family → the pipeline before a model; `model` : what is done with the model itself.
        """
        from sklearn.pipeline import Pipeline

        if self.own_steps:  # no code makes them
            described = {name: repr(step)[:MAX_REPR] for name, step in self.own_steps}
            return {"kind": AUTO, "recipe": self.recipe.to_json(), CUSTOM_PIPELINE: described}
        if self.target_type is None:
            steps = code_of(self.without_model())
            return {"kind": AUTO, "recipe": self.recipe.to_json(), "steps": {"all": steps}}
        return {
            "kind": AUTO,
            "recipe": self.recipe.to_json(),
            "steps": {
                str(family): code_of(Pipeline(self._before(family)), indent=4) for family in Family
            },
            "model": code_of(self._model(_Model())),
            "scales_target": self._scales_target,
        }

    @property
    def _scales_target(self) -> bool:
        """Whether regressors that need it learn a scaled target."""
        return self.target_type == "continuous" and not self.settings.get("transform_target")

    def _before(self, family: Family) -> list[tuple[str, Any]]:
        """Return the steps before a model of a family."""
        after = self._after()
        needs_numbers = bool(after) or bool(self.settings.get("fix_imbalance"))
        if needs_numbers and family is Family.TREES_WITH_MISSING:
            family = Family.TREES  # these steps need a number in each cell
        prepare = build(self.recipe, family, self.settings, self.target_type)
        return [
            ("prepare", NamedColumns(prepare, self.names) if self.own_steps else prepare),
            *after,
        ]

    def _after(self) -> list[tuple[str, Any]]:
        """Return the steps that work on all prepared columns at once."""
        settings, seed = self.settings, self.settings["session_id"]
        steps: list[tuple[str, Any]] = []
        if self.own_steps:
            from sklearn.base import clone
            from sklearn.preprocessing import FunctionTransformer

            steps += [(f"own {name}", clone(step)) for name, step in self.own_steps]
            steps.append(("numbers", FunctionTransformer(as_numbers)))
        if settings["low_variance_threshold"] is not None:
            from sklearn.feature_selection import VarianceThreshold

            steps.append(("variance", VarianceThreshold(settings["low_variance_threshold"])))
        if settings["remove_multicollinearity"]:
            steps.append(
                ("correlation", CorrelationFilter(settings["multicollinearity_threshold"]))
            )
        if settings["pca"]:
            steps.append(("components", self._components(seed)))
        if settings["feature_selection"]:
            steps.append(("selection", self._selection(seed)))
        return steps

    def _components(self, seed: int) -> Any:
        from sklearn import decomposition

        given = self.settings["pca_components"]
        n_components = given if given is None or given < 1 else int(given)
        method = self.settings["pca_method"]
        if method == "linear":
            return decomposition.PCA(n_components, random_state=seed)
        if isinstance(n_components, float):
            n_components = None
        if method == "kernel":
            return decomposition.KernelPCA(n_components, kernel="rbf", random_state=seed)
        return decomposition.IncrementalPCA(n_components)

    def _selection(self, seed: int) -> Any:
        from sklearn import feature_selection

        given = self.settings["n_features_to_select"]
        wanted = given if given < 1 else int(given)
        is_label = self.target_type != "continuous"
        trees = forest(self.settings["feature_selection_estimator"], is_label=is_label, seed=seed)
        method = self.settings["feature_selection_method"]
        if method == "sequential":
            return feature_selection.SequentialFeatureSelector(
                trees.set_params(n_estimators=10), n_features_to_select=wanted, cv=3
            )
        if method == "univariate":
            test = feature_selection.f_classif if is_label else feature_selection.f_regression
            if wanted < 1:
                return feature_selection.SelectPercentile(test, percentile=100 * wanted)
            return feature_selection.SelectKBest(test, k=wanted)
        return feature_selection.SelectFromModel(
            trees, threshold=-math.inf, max_features=NumberOfColumns(wanted)
        )

    def _model(self, estimator: Estimator) -> Estimator:
        settings, seed = self.settings, self.settings["session_id"]
        if settings.get("transform_target"):
            from sklearn.compose import TransformedTargetRegressor

            method = settings["transform_target_method"]
            estimator = TransformedTargetRegressor(estimator, transformer=power(method, seed))
        elif self._scales_target:
            estimator = with_scaled_target(estimator)
        if settings.get("fix_imbalance"):
            estimator = BalancedModel(estimator, settings["fix_imbalance_method"], seed)
        if settings["remove_outliers"]:
            estimator = OutlierFilter(estimator, self._detector(seed))
        return estimator

    def _detector(self, seed: int) -> Any:
        share = self.settings["outliers_threshold"]
        method = self.settings["outliers_method"]
        if method == "ee":
            from sklearn.covariance import EllipticEnvelope

            return EllipticEnvelope(contamination=share, random_state=seed)
        if method == "lof":
            from sklearn.neighbors import LocalOutlierFactor

            return LocalOutlierFactor(_N_NEIGHBORS, contamination=share, n_jobs=1)
        from sklearn.ensemble import IsolationForest

        return IsolationForest(contamination=share, random_state=seed, n_jobs=1)
