"""Set-up parameters of preparation, under PyCaret 3's names."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from jupyter_pycaret_ops.common.custom_objects import CUSTOM_PIPELINE
from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.spellings import DATE_PARTS

from ..interfaces import PlanFailed
from ..parameters import Param

AUTO, PYCARET = "auto", "pycaret"
_NAMES: JSON = {"type": "array", "items": {"type": "string"}}
#: words for `numeric_imputation`
IMPUTERS = ("auto", "mean", "median", "mode", "knn")
_NUMBER = r"-?[0-9]+(\.[0-9]+)?"
_SHARE: JSON = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}


def _one_of(*values: str) -> JSON:
    return {"type": "string", "enum": list(values)}


PREPARATION = Param(
    "preparation",
    _one_of(AUTO, PYCARET),
    AUTO,
    "auto prepares columns by type and model, inside each fold; pycaret codes them as PyCaret does, before the folds.",
)
#: what `preparation: "auto"` takes besides the engine's own parameters
OWN_PARAMS = [
    Param(
        "numeric_imputation",
        {
            "anyOf": [
                {"type": "string", "pattern": f"^({'|'.join(IMPUTERS)}|{_NUMBER})$"},
                {"type": "number"},
            ]
        },
        "auto",
        "What replaces a missing number: auto is the median, and for trees nothing; or a number of your own.",
    ),
    Param(
        "imputation_type",
        _one_of("simple", "iterative"),
        "simple",
        "Missing numbers are replaced by one value each, or predicted from the other numbers, in rounds.",
    ),
    Param(
        "iterative_imputation_iters",
        {"type": "integer", "minimum": 1, "maximum": 100},
        5,
        "Rounds of the iterative imputation.",
    ),
    Param(
        "numeric_iterative_imputer",
        _one_of("bayesian_ridge", "rf", "lightgbm"),
        "bayesian_ridge",
        "The model that predicts missing numbers in the iterative imputation.",
    ),
    Param(
        "categorical_imputation",
        {"type": "string", "minLength": 1},
        "auto",
        "What replaces a missing category: auto makes it a category of its own, mode is the most frequent one; or a text "
        "of your own.",
    ),
    Param(
        "max_encoding_ohe",
        {"type": "integer", "minimum": 0, "maximum": 1000},
        25,
        "A category with at most so many levels becomes a column for each level; one with more is encoded by "
        "encoding_method.",
    ),
    Param(
        "encoding_method",
        _one_of("target", "frequency", "ordinal"),
        "target",
        "How categories with many levels are encoded: by the mean of the target (cross-fitted) and their frequency, by "
        "frequency alone, or by codes.",
    ),
    Param(
        "rare_to_value",
        {**_SHARE, "type": ["number", "null"]},
        None,
        "Levels of categories with a smaller share of the rows are put together; by default those of one row.",
    ),
    Param(
        "normalize_method",
        _one_of("zscore", "minmax", "maxabs", "robust"),
        "zscore",
        "How numbers are scaled with normalize.",
    ),
    Param(
        "transformation_method",
        _one_of("yeo-johnson", "quantile"),
        "yeo-johnson",
        "How numbers are made more Gaussian with transformation.",
    ),
    Param(
        "text_features_method",
        _one_of("tf-idf", "bow"),
        "tf-idf",
        "How words and parts of words of free text are counted: weighed by how rare they are, or plainly.",
    ),
    Param(
        "polynomial_features",
        {"type": "boolean"},
        False,
        "Add powers and products of numbers.",
    ),
    Param(
        "polynomial_degree",
        {"type": "integer", "minimum": 2, "maximum": 4},
        2,
        "The highest degree of polynomial_features.",
    ),
    Param(
        "bin_numeric_features",
        _NAMES,
        [],
        "Numbers to cut into ranges of equally many rows.",
    ),
    Param(
        "group_features",
        {"type": "object", "additionalProperties": _NAMES | {"minItems": 2}},
        {},
        "Name → numbers that belong together; their minimum, maximum, mean, deviation and median are added.",
    ),
    Param(
        "drop_groups",
        {"type": "boolean"},
        False,
        "Leave out the columns of group_features themselves.",
    ),
    Param(
        "create_date_columns",
        {"type": ["array", "null"], "items": _one_of(*DATE_PARTS)},
        None,
        f"The parts of dates to use, all that vary by default: {', '.join(DATE_PARTS)}.",
    ),
    Param(
        "low_variance_threshold",
        {"type": ["number", "null"], "minimum": 0},
        None,
        "Leave out prepared columns whose variance is at most this.",
    ),
    Param(
        "remove_multicollinearity",
        {"type": "boolean"},
        False,
        "Of two prepared columns that tell the same, leave out the one that tells less about the target.",
    ),
    Param(
        "multicollinearity_threshold",
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        0.9,
        "The absolute correlation from which two columns tell the same.",
    ),
    Param("pca", {"type": "boolean"}, False, "Replace prepared columns by principal components."),
    Param(
        "pca_method",
        _one_of("linear", "kernel", "incremental"),
        "linear",
        "The kind of components.",
    ),
    Param(
        "pca_components",
        {"type": ["number", "null"], "exclusiveMinimum": 0},
        None,
        "How many components, or the share of the variance to keep; all by default.",
    ),
    Param(
        "feature_selection_method",
        _one_of("classic", "univariate", "sequential"),
        "classic",
        "How columns are selected: by the importances of a forest, by a test of each column, or one after the other.",
    ),
    Param(
        "feature_selection_estimator",
        _one_of("et", "rf", "lightgbm"),
        "et",
        "The model whose importances select columns: extra trees, a random forest or LightGBM.",
    ),
    Param(
        "n_features_to_select",
        {"type": "number", "exclusiveMinimum": 0},
        0.5,
        "How many prepared columns feature_selection keeps, or which share of them.",
    ),
    Param(
        "outliers_method",
        _one_of("iforest", "ee", "lof"),
        "iforest",
        "How remove_outliers finds unusual rows: isolation forest, elliptic envelope or local outlier factor.",
    ),
    Param(
        "outliers_threshold",
        {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
        0.05,
        "The share of training rows that remove_outliers leaves out.",
    ),
    Param(
        CUSTOM_PIPELINE,
        _NAMES,
        [],
        "Transformers of your own, after the columns are prepared; in a notebook only, by the names of its variables.",
    ),
]
#: those of a table without a target: what to do is not decided by how well it predicts
_WITHOUT_TARGET = (
    "numeric_imputation",
    "imputation_type",
    "iterative_imputation_iters",
    "numeric_iterative_imputer",
    "categorical_imputation",
    "max_encoding_ohe",
    "rare_to_value",
    "normalize_method",
    "transformation_method",
    "text_features_method",
    "polynomial_features",
    "polynomial_degree",
    "bin_numeric_features",
    "group_features",
    "drop_groups",
    "create_date_columns",
    "low_variance_threshold",
    "pca",
    "pca_method",
    "pca_components",
)
UNSUPERVISED_PARAMS = [
    replace(
        PREPARATION,
        description="auto prepares columns by type and scales them, so that each has as much say; pycaret codes "
        "categories as numbers, as PyCaret does.",
    ),
    *(
        replace(param, description="How numbers are scaled.")
        if param.name == "normalize_method"
        else param
        for param in OWN_PARAMS
        if param.name in _WITHOUT_TARGET
    ),
]
#: for numbers to predict
TARGET_PARAMS = [
    Param(
        "transform_target",
        {"type": "boolean"},
        False,
        "Make the target more Gaussian before it is learnt; predictions are in its own units.",
    ),
    Param(
        "transform_target_method",
        _one_of("yeo-johnson", "quantile"),
        "yeo-johnson",
        "How transform_target does that.",
    ),
]
#: samplers of imbalanced-learn, by their names there
SAMPLERS = (
    "SMOTE",
    "BorderlineSMOTE",
    "SVMSMOTE",
    "ADASYN",
    "RandomOverSampler",
    "RandomUnderSampler",
    "NearMiss",
    "TomekLinks",
    "SMOTEENN",
    "SMOTETomek",
)
#: for labels
LABEL_PARAMS = [
    Param(
        "fix_imbalance",
        {"type": "boolean"},
        False,
        "Train on as many rows of each class: those of rare classes are repeated or interpolated, inside each fold.",
    ),
    Param(
        "fix_imbalance_method",
        _one_of(*SAMPLERS),
        "SMOTE",
        "How fix_imbalance makes these rows: a sampler of imbalanced-learn.",
    ),
]
#: parameters of the engine that `auto` carries out itself
ENGINE_PARAMS = frozenset({"normalize", "transformation", "remove_outliers", "feature_selection"})
_AUTO_PARAMS = (*OWN_PARAMS, *TARGET_PARAMS, *LABEL_PARAMS)
NAMES = frozenset(param.name for param in [PREPARATION, *_AUTO_PARAMS])


def check(settings: JSON) -> None:
    """Raise `PlanFailed` for a parameter that has no effect as the others are set, or lacks its library."""
    if settings.get("fix_imbalance"):
        _check_imbalance(settings)
    if settings["preparation"] != PYCARET:
        return
    for param in _AUTO_PARAMS:
        if settings.get(param.name, param.default) != param.default:
            raise PlanFailed(
                "user",
                f"{param.name} has no effect with preparation “{PYCARET}”; leave it out, or use “{AUTO}”.",
            )


def _check_imbalance(settings: JSON) -> None:
    if settings.get("sample_weight"):
        raise PlanFailed(
            "user",
            "fix_imbalance makes new rows, which have no weights. Leave out fix_imbalance or sample_weight.",
        )
    if find_spec("imblearn") is None:
        raise PlanFailed(
            "user",
            "fix_imbalance needs imbalanced-learn: pip install 'jupyter-pycaret-ops[imbalance]'.",
        )


def without_target(settings: JSON) -> JSON:
    """Return the settings of the preparation of a table without a target.

    Raises `PlanFailed` for a selection of columns, which needs one.
    """
    if settings["feature_selection"]:
        raise PlanFailed(
            "user",
            "feature_selection needs a target to select by; use low_variance_threshold or pca, or name columns in "
            "ignore_features.",
        )
    return {param.name: param.default for param in OWN_PARAMS} | settings


def engine_settings(settings: JSON) -> JSON:
    """Return the settings that the engine gets: with `auto` none of those that are carried out here."""
    left_out: Any = NAMES if settings["preparation"] == PYCARET else NAMES | ENGINE_PARAMS
    return {name: value for name, value in settings.items() if name not in left_out}
