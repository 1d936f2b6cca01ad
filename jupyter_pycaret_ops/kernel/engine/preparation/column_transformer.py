"""Build scikit-learn's transformers of a recipe, for a family of models."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - the import below needs it
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from jupyter_pycaret_ops.common.protocol import JSON

from ..interfaces import Estimator, PlanFailed
from .families import Family
from .recipe import Recipe
from .transformers import CyclicEncoder, FrequencyEncoder, GroupStatistics

#: a level with fewer training rows than this is put together with other such levels
MIN_FREQUENCY = 2
#: a word, or a sign that stands alone
WORD = r"(?u)\b\w+\b|\S"
#: words and parts of words that are counted in a column of free text
MAX_WORDS = 20_000
_SCALERS = {
    "zscore": StandardScaler,
    "minmax": MinMaxScaler,
    "maxabs": MaxAbsScaler,
    "robust": RobustScaler,
}
_STRATEGIES = {"auto": "median", "mean": "mean", "median": "median", "mode": "most_frequent"}


def build(recipe: Recipe, family: Family, settings: JSON, target_type: str | None) -> Estimator:
    """Return the unfitted `ColumnTransformer` of a recipe for models of a family.

    `settings` : set-up parameters as used; `target_type` : what scikit-learn's `TargetEncoder` calls the target,
    None where there is none.
    """
    builder = _Builder(family, settings, has_target=target_type is not None)
    steps = [
        ("numbers", builder.numbers(), recipe.numbers),
        ("ranges", builder.ranges(), recipe.ranges),
        ("groups", builder.groups(recipe.groups), recipe.grouped),
        ("booleans", builder.booleans(), recipe.booleans),
        ("categories", builder.one_hot(), recipe.few),
        *((name, step, recipe.many) for name, step in builder.many_levels(target_type)),
        ("cycles", CyclicEncoder(list(recipe.cyclic.values())), builder.cyclic(recipe)),
        *(
            (f"text_{place}", builder.text(n_components), [name])
            for place, (name, n_components) in enumerate(recipe.texts.items())
        ),
    ]
    return ColumnTransformer(
        [step for step in steps if step[2]], sparse_threshold=0, verbose_feature_names_out=False
    )


def power(method: str, seed: int) -> Any:
    """Return the transformer that makes numbers more Gaussian."""
    if method == "quantile":
        return QuantileTransformer(output_distribution="normal", random_state=seed)
    return PowerTransformer(method="yeo-johnson")


def forest(name: str, *, is_label: bool, seed: int, n_trees: int = 100) -> Any:
    """Return the unfitted model of trees that parameters call `et`, `rf` or `lightgbm`.

    Raises `PlanFailed` for LightGBM where it is not installed.
    """
    if name == "lightgbm":
        try:
            lightgbm = importlib.import_module("lightgbm")  # an extra of PyCaret's
        except ImportError:
            raise PlanFailed(
                "user", "LightGBM is not installed here; choose “et” or “rf”, or install lightgbm."
            ) from None
        kind = lightgbm.LGBMClassifier if is_label else lightgbm.LGBMRegressor
        return kind(n_estimators=n_trees, random_state=seed, n_jobs=1, verbosity=-1)
    from sklearn import ensemble

    kinds = {
        ("et", True): ensemble.ExtraTreesClassifier,
        ("et", False): ensemble.ExtraTreesRegressor,
        ("rf", True): ensemble.RandomForestClassifier,
        ("rf", False): ensemble.RandomForestRegressor,
    }
    return kinds[name, is_label](n_estimators=n_trees, random_state=seed, n_jobs=1)


class _Builder:
    """The transformers of each kind of column, for a family of models."""

    def __init__(self, family: Family, settings: JSON, *, has_target: bool) -> None:
        self._settings = settings
        self._has_target = has_target
        self._seed: int = settings["session_id"]
        self._is_scaled = family is Family.SCALED
        self._keeps_missing = (
            family is Family.TREES_WITH_MISSING
            and settings["numeric_imputation"] == "auto"
            and settings["imputation_type"] == "simple"
            and not settings["polynomial_features"]
        )

    def numbers(self) -> Any:
        steps = [] if self._keeps_missing else [self._imputer()]
        if self._settings["polynomial_features"]:
            degree = self._settings["polynomial_degree"]
            steps.append(PolynomialFeatures(degree, include_bias=False))
        if self._settings["transformation"]:
            steps.append(power(self._settings["transformation_method"], self._seed))
        return self._in_a_row([*steps, *self._scaler()])

    def ranges(self) -> Any:
        encode = "onehot-dense" if self._is_scaled else "ordinal"
        return make_pipeline(
            self._imputer(),
            KBinsDiscretizer(encode=encode, quantile_method="averaged_inverted_cdf"),
        )

    def groups(self, places: list[list[int]]) -> Any:
        imputer = [] if self._keeps_missing else [self._imputer()]
        return self._in_a_row([GroupStatistics(places), *imputer, *self._scaler()])

    def booleans(self) -> Any:
        if self._keeps_missing:
            return "passthrough"
        return SimpleImputer(strategy="most_frequent", add_indicator=True, keep_empty_features=True)

    def one_hot(self) -> Any:
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=self._settings["rare_to_value"] or MIN_FREQUENCY,
            sparse_output=False,
        )
        return self._in_a_row([*self._level_imputer(), encoder])

    def many_levels(self, target_type: str | None) -> list[tuple[str, Any]]:
        method = self._settings["encoding_method"]
        if method == "ordinal":
            encoders = {
                "codes": OrdinalEncoder(
                    handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1
                )
            }
        else:
            encoders = {"frequencies": FrequencyEncoder()}
            if method == "target" and target_type is not None:
                target = TargetEncoder(target_type=target_type, random_state=self._seed)
                encoders = {"levels": target, **encoders}
        return [
            (name, self._in_a_row([*self._level_imputer(), encoder, *self._scaler()]))
            for name, encoder in encoders.items()
        ]

    def cyclic(self, recipe: Recipe) -> list[str]:
        """Return the columns to place on a circle: for trees none, they cut the parts of dates themselves."""
        return list(recipe.cyclic) if self._is_scaled else []

    def text(self, n_components: int) -> Any:
        is_plain = self._settings["text_features_method"] == "bow"
        counter = CountVectorizer if is_plain else TfidfVectorizer
        words = counter(token_pattern=WORD, max_features=MAX_WORDS)
        parts = counter(analyzer="char_wb", ngram_range=(3, 5), max_features=MAX_WORDS)
        steps = [
            SimpleImputer(strategy="constant", fill_value="", keep_empty_features=True),
            FunctionTransformer(np.ravel, feature_names_out="one-to-one"),
            FeatureUnion([("words", words), ("parts", parts)]),
            TruncatedSVD(n_components, random_state=self._seed),
        ]
        # without a target a text has as much say as another column, and not as much as each of its components
        is_scaled = self._is_scaled and self._has_target
        return make_pipeline(*steps, *([StandardScaler()] if is_scaled else []))

    def _imputer(self) -> Any:
        strategy = self._settings["numeric_imputation"]
        if self._settings["imputation_type"] == "iterative":
            imputer = IterativeImputer(
                estimator=self._predictor(),
                max_iter=self._settings["iterative_imputation_iters"],
                add_indicator=True,
                keep_empty_features=True,
                random_state=self._seed,
            )
            # it writes into its input, which pandas does not let it do with a column of a table
            copy = FunctionTransformer(np.array, feature_names_out="one-to-one")
            return make_pipeline(copy, imputer)
        if strategy == "knn":
            return KNNImputer(add_indicator=True, keep_empty_features=True)
        if strategy in _STRATEGIES:
            how: JSON = {"strategy": _STRATEGIES[strategy]}
        else:
            how = {"strategy": "constant", "fill_value": float(strategy)}
        return SimpleImputer(**how, add_indicator=True, keep_empty_features=True)

    def _predictor(self) -> Any:
        name = self._settings["numeric_iterative_imputer"]
        if name == "bayesian_ridge":
            return None  # scikit-learn's own choice
        return forest(name, is_label=False, seed=self._seed, n_trees=20)

    def _level_imputer(self) -> list[Any]:
        text = self._settings["categorical_imputation"]
        if text == "auto":
            return []
        if text == "mode":
            return [SimpleImputer(strategy="most_frequent", keep_empty_features=True)]
        return [SimpleImputer(strategy="constant", fill_value=text, keep_empty_features=True)]

    def _scaler(self) -> list[Any]:
        if self._settings["normalize"]:
            return [_SCALERS[self._settings["normalize_method"]]()]
        return [RobustScaler()] if self._is_scaled else []

    @staticmethod
    def _in_a_row(steps: list[Any]) -> Any:
        if not steps:
            return "passthrough"
        return steps[0] if len(steps) == 1 else make_pipeline(*steps)
