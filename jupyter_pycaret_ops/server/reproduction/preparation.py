"""Code for the preparation of columns inside the folds, in scikit-learn's transformers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from . import splitting
from .run_facts import Facts

_ENGINE = Path(__file__).resolve().parents[2] / "kernel" / "engine" / "preparation"
#: scikit-learn's classes that may occur → their modules
_MODULES = {
    "ColumnTransformer": "compose",
    "TransformedTargetRegressor": "compose",
    "EllipticEnvelope": "covariance",
    "IncrementalPCA": "decomposition",
    "KernelPCA": "decomposition",
    "PCA": "decomposition",
    "TruncatedSVD": "decomposition",
    "ExtraTreesClassifier": "ensemble",
    "ExtraTreesRegressor": "ensemble",
    "IsolationForest": "ensemble",
    "TfidfVectorizer": "feature_extraction.text",
    "CountVectorizer": "feature_extraction.text",
    "RandomForestClassifier": "ensemble",
    "RandomForestRegressor": "ensemble",
    "SelectFromModel": "feature_selection",
    "SelectKBest": "feature_selection",
    "SelectPercentile": "feature_selection",
    "SequentialFeatureSelector": "feature_selection",
    "VarianceThreshold": "feature_selection",
    "f_classif": "feature_selection",
    "f_regression": "feature_selection",
    "IterativeImputer": "impute",
    "KNNImputer": "impute",
    "SimpleImputer": "impute",
    "LocalOutlierFactor": "neighbors",
    "FeatureUnion": "pipeline",
    "Pipeline": "pipeline",
    "FunctionTransformer": "preprocessing",
    "KBinsDiscretizer": "preprocessing",
    "MaxAbsScaler": "preprocessing",
    "MinMaxScaler": "preprocessing",
    "OneHotEncoder": "preprocessing",
    "OrdinalEncoder": "preprocessing",
    "PolynomialFeatures": "preprocessing",
    "PowerTransformer": "preprocessing",
    "QuantileTransformer": "preprocessing",
    "RobustScaler": "preprocessing",
    "StandardScaler": "preprocessing",
    "TargetEncoder": "preprocessing",
}
TEXT = """\
## Preparation

Columns are prepared by type, as the kind of model needs it, and inside each fold together with the model: what a model \
is scored on is not seen before. PyCaret's own coding is put aside."""
_CREATE = '''\
def prepared(estimator):
    """Return a pipeline of the preparation that a model needs, and the model; members of an ensemble get their own."""
    members = getattr(estimator, "estimators", None)
    if isinstance(members, list) and not hasattr(estimator, "estimator"):
        {members}
    model = {estimator}
    before = clone(PREPARATION[family_of(estimator)])
    return Pipeline([*before.steps, ("model", {model})])


def make(model, parameters):
    """Return a model of PyCaret's by its id, with its defaults and these parameters."""
    if not isinstance(model, str):
        return model
    entry = experiment._fit_state["model_registry"][model]
{stopping}    made = entry.class_def(**{{**entry.args, **parameters}})
    if getattr(made, "random_state", SEED) is None:
        made.random_state = SEED
    return {made}


def create(model, round=10, fold=None, cross_validation=True, **parameters):
    """Fit and cross-validate a model as PyCaret's `create_model` does, with its preparation."""
    for name in ("verbose", "fit_kwargs", "return_train_score"):
        parameters.pop(name, None)
    model = prepared(make(model, parameters))
    return create_model(model, round=round, fold={folds}, cross_validation=cross_validation{weights})


state = experiment._fit_state
state |= {{
    "preprocess_pipeline": Pipeline([("columns", "passthrough")]),
    "X_transformed": state["X"],
    "X_train_transformed": state["X_train"],
}}
create_model = experiment.create_model
experiment.create_model = create'''


TEXT_WITHOUT_TARGET = """\
## Preparation

Columns are prepared by type and scaled, so that each has as much say. PyCaret's own coding, which numbers categories in \
the order of the alphabet, is put aside."""
_PREPARE_ALL = """\
preparation = {steps}
state = experiment._fit_state
prepared = preparation.fit_transform(state["X"])
state["X_transformed"] = pd.DataFrame(prepared, columns=preparation.get_feature_names_out())
state["preprocess_pipeline"] = preparation"""
_STOPPING = """\
    parameters = dict(parameters)
    stops_early = parameters.pop("early_stopping", False)
"""


_WEIGHTED = '''\
def weighted(member):
    """Return a part of an ensemble that can be fitted with weights."""
    steps = getattr(member, "steps", None) or [("model", member)]
    return WeightedPipeline(steps, passes_weights=takes_weights(member))'''
_MEMBERS = (
    "return estimator.set_params(estimators=[(name, prepared(one)) for name, one in members])"
)
_WEIGHTED_MEMBERS = """\
own = {"estimators": [(name, weighted(prepared(one))) for name, one in members]}
        if getattr(estimator, "final_estimator", None) is not None:
            own["final_estimator"] = weighted(estimator.final_estimator)
        return estimator.set_params(**own)"""
#: the last fit, on the whole training part
_WEIGHTS = ', fit_kwargs=weights_of(model, state["X_train"])'


def stops_early(facts: Facts) -> bool:
    """Return whether a booster of the leaderboard, or of its ensemble, found its number of trees itself."""
    for record in facts.run.leaderboard or []:
        own = record.get("params") or {}
        settings = [own, *(member.get("params") or {} for member in own.get("members") or [])]
        if any(one.get("early_stopping") for one in settings):
            return True
    return False


def is_auto(facts: Facts) -> bool:
    """Return whether columns were prepared inside the folds; runs of before were not."""
    return recorded(facts).get("kind") == "auto"


def recorded(facts: Facts) -> dict[str, Any]:
    """Return what the snapshot says of the preparation."""
    found: dict[str, Any] = facts.snapshot.get("preparation") or {}
    return found


def code_of(facts: Facts) -> str:
    """Return the code that has each model prepare its columns."""
    preparation = recorded(facts)
    steps = preparation["steps"]
    if not facts.has_target:
        own = _own_classes(steps["all"])
        parts = [_imports(steps["all"], own), *own, _PREPARE_ALL.format(steps=steps["all"])]
        return "\n\n\n".join(part.strip("\n") for part in parts)
    listed = "".join(f"    {family!r}: {code},\n" for family, code in steps.items())
    stops = "EarlyStopped" if stops_early(facts) else ""
    weighs = splitting.has_weights(facts)
    used = "\n".join([*steps.values(), preparation["model"], _CREATE, stops])
    used += _WEIGHTED if weighs else ""
    own = _own_classes(used)
    parts = [
        _imports(used, own),
        *own,
        _body(_ENGINE / "families.py"),
        f"PREPARATION = {{\n{listed}}}",
        *([_WEIGHTED] if weighs else []),
        _CREATE.format(
            estimator="with_scaled_target(estimator)"
            if preparation.get("scales_target")
            else "estimator",
            model=preparation["model"].replace("\n", "\n    "),
            stopping=_STOPPING if stops else "",
            members=_WEIGHTED_MEMBERS if weighs else _MEMBERS,
            folds="FOLDS" if splitting.has_own_folds(facts) else "fold",
            weights=_WEIGHTS if weighs else "",
            made="EarlyStopped(made, random_state=SEED) if stops_early else made"
            if stops
            else "made",
        ),
    ]
    return "\n\n\n".join(part.strip("\n") for part in parts)


def _imports(used: str, own: list[str]) -> str:
    """Return the imports that the code needs."""
    by_module: dict[str, list[str]] = {"base": ["clone"]}
    if own:
        by_module["base"] = ["BaseEstimator", "MetaEstimatorMixin", "TransformerMixin", "clone"]
        by_module["utils"] = ["get_tags"]
        by_module["utils.metaestimators"] = ["available_if"]
    for name, module in _MODULES.items():
        if re.search(rf"\b{name}\b", used):
            by_module.setdefault(module, []).append(name)
    if "takes_weights" in used:
        by_module["utils.validation"] = ["has_fit_parameter"]
    lines = [
        f"from sklearn.{m} import {', '.join(names)}" for m, names in sorted(by_module.items())
    ]
    standard = ["from __future__ import annotations", ""]
    if any("inspect." in part for part in own):
        standard.append("import inspect")
    standard.append("from enum import StrEnum")
    if "IterativeImputer" in used:
        lines.insert(0, "from sklearn.experimental import enable_iterative_imputer")
    if re.search(r"\bLGBM\w+", used):
        lines.append("from lightgbm import LGBMClassifier, LGBMRegressor")
    return "\n".join([*standard, "from typing import Any", "", *lines])


def _own_classes(used: str) -> list[str]:
    """Return the source of the classes of our own that occur in the code."""
    parts = [
        part
        for file in ("transformers.py", "model_wrappers.py")
        for part in re.split(r"\n\n\n(?=class |def )", _body(_ENGINE / file))
    ]
    found = []
    for part in parts:
        name = re.match(r"(?:class|def) (\w+)", part)
        if name and re.search(rf"\b{name[1]}\b", used):
            found.append(part)
    if any(part.startswith("class EarlyStopped") for part in found):
        names = ("def _weighted", "def _n_trees", "def _tree_parameter")
        found = [*(part for part in parts if part.startswith(names)), *found]
    is_derived = any("(_FittedOnOtherRows)" in part for part in found)
    bases = [
        part for part in parts if part.startswith(("def _model_has", "class _FittedOnOtherRows"))
    ]
    return [*(bases if is_derived else []), *found]


def _body(path: Path) -> str:
    """Return the source of a module after its imports, without remarks for checkers."""
    text = path.read_text(encoding="utf-8")
    begin = re.search(r"^(?:class |def |#:)", text, re.MULTILINE)
    assert begin is not None
    return re.sub(r"  # (?:type|noqa).*", "", text[begin.start() :])
