"""Code that cuts rows into folds and holds some out where the run did it in another way than PyCaret, and weighs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...common.protocol import HOLDOUT_PARAM
from .cells import dates_of
from .run_facts import Facts

#: set-up parameters that name a column by which rows are split or weighed
COLUMNS = ("fold_groups", "fold_time", "fold_column", "sample_weight")
#: parameters that are true by default
SHUFFLES = ("fold_shuffle", "data_split_shuffle", "data_split_stratify")
#: strategy → class of scikit-learn; of the others a class is made for the folds themselves
_SPLITTERS = {
    "stratifiedkfold": "StratifiedKFold",
    "kfold": "KFold",
    "groupkfold": "GroupKFold",
    "stratifiedgroupkfold": "StratifiedGroupKFold",
}
TEXT = """\
## Folds

Rows are cut into folds, and some held out, as in the run: PyCaret knows stratified folds and random ones only."""
WEIGHTED_TEXT = """\
## Folds and weights

Rows are cut into folds, some are held out and each counts as much as its weight says, as in the run: in fits and in \
metrics. PyCaret fits and scores without weights."""
_GROUPS_OF = '''\
def groups_of(column):
    """Return a number for each group; a row without one is a group of its own."""
    if not pd.api.types.is_numeric_dtype(column):
        column = column.map(text, na_action="ignore").astype(object)
        column = column.where(column.notna() & ~column.isin(MISSING), np.nan)
    codes, levels = pd.factorize(column, sort=True)
    is_missing = codes < 0
    codes = codes.astype("int64")
    codes[is_missing] = len(levels) + np.arange(is_missing.sum())
    return codes'''
_SPLIT = """\
train, held = np.sort(train), np.sort(held)
state["X_train"], state["X_test"] = state["X"].iloc[train], state["X"].iloc[held]
state["y_train"], state["y_test"] = y.iloc[train], y.iloc[held]
state["y_train_transformed"] = state["y_train"]"""
_FOLDS = '''\


class Folds:
    """The folds of the run, as a cross-validator."""

    n_splits = len(FOLD_ROWS)

    def split(self, X=None, y=None, groups=None):
        """Return positions of rows to fit on and to score on, fold by fold."""
        return iter(FOLD_ROWS)

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds."""
        return self.n_splits


FOLDS = Folds()'''
_WEIGHTED = '''\
from copy import deepcopy

from pycaret.utils.generic import calculate_metrics


def weights_of(model, X):
    """Return the parameter of `fit` with the weights of its rows; none of a model that takes none."""
    if not takes_weights(model):
        return {}
    names = []
    while hasattr(model, "steps"):
        name, model = model.steps[-1]
        names.append(name)
    return {"__".join([*names, "sample_weight"]): WEIGHTS[X.index]}


def cross_validate_weighted(*, model, X, y, cv, round_=4):
    """Return the metrics of each fold, as PyCaret's own cross-validation does without weights."""
    found = []
    for train, test in cv.split(X, y):
        rows = X.iloc[train]
        fitted = deepcopy(model).fit(rows, y.iloc[train], **weights_of(model, rows))
        rows, outputs = X.iloc[test], None
        if hasattr(fitted, "predict_proba"):
            outputs = fitted.predict_proba(rows)
            outputs = outputs[:, 1] if outputs.shape[1] == 2 else outputs
        scores = calculate_metrics(
            metrics=experiment._get_metric_registry(),
            y_test=y.iloc[test],
            pred=fitted.predict(rows),
            pred_proba=outputs,
            weights=WEIGHTS[rows.index],
        )
        found.append(scores)
    return pd.DataFrame(found, index=[f"Fold {place}" for place in range(len(found))]).round(round_)


experiment._cross_validate_supervised = cross_validate_weighted'''

#: what curves of decision values have besides where rows have weights
CURVE_WEIGHTS = {
    "weights": ', "sample_weight": WEIGHTS[features.index]',
    "fitting": ", params=weights_of(model, rows[0])",
}


def validation(facts: Facts) -> dict[str, Any]:
    """Return what the snapshot says of folds and hold-out."""
    found: dict[str, Any] = facts.snapshot.get("validation") or {}
    return found


def has_own_folds(facts: Facts) -> bool:
    """Return whether rows were split or weighed in another way than PyCaret's."""
    return validation(facts).get("is_default") is False


def has_weights(facts: Facts) -> bool:
    """Return whether rows counted differently."""
    return has_own_folds(facts) and bool(validation(facts).get("sample_weight"))


def is_held_out(facts: Facts) -> bool:
    """Return whether a table of its own was held out."""
    return bool(validation(facts).get(HOLDOUT_PARAM))


def columns(facts: Facts) -> list[str]:
    """Return the columns of `table` by which rows are split or weighed."""
    found = validation(facts) if has_own_folds(facts) else {}
    return list(dict.fromkeys(str(found[name]) for name in COLUMNS if found.get(name)))


def spellings(facts: Facts) -> list[dict[str, Any]]:
    """Return how the texts of times, numbers of folds and weights are read."""
    return list((validation(facts).get("spellings") or {}).values())


def code_of(facts: Facts) -> str:
    """Return the code that makes `FOLDS` and splits the experiment's rows; with weights, that fits and scores with them."""
    recorded, lines = validation(facts), ["state = experiment._fit_state", 'y = state["y"]']
    if is_like_engine(facts, recorded):
        return f'{lines[0]}\nFOLDS = state["fold_generator"]\n{_weights(facts)}'
    imports: list[str] = []
    if recorded.get("fold_groups"):
        lines.append(f"groups = groups_of(split_by[{recorded['fold_groups']!r}])")
    if recorded.get("fold_time"):
        times = _values(facts, str(recorded["fold_time"]))
        lines.append(f'order = np.argsort(np.asarray({times}), kind="stable")')
    if recorded.get("fold_column"):
        numbers = _values(facts, str(recorded["fold_column"]))
        lines.append(f'folds = np.asarray({numbers}).astype("int64")')
    lines += _held_out(facts, imports)
    folds = _folds(facts, imports)
    parts = (
        [f"from sklearn.model_selection import {', '.join(sorted(set(imports)))}"]
        if imports
        else []
    )
    if recorded.get("fold_groups"):
        parts += ["", "", _GROUPS_OF, "", ""]
    elif parts:
        parts.append("")
    parts += [*lines, _SPLIT, *folds, _FOLDS]
    if has_weights(facts):
        parts.append(_weights(facts))
    return "\n".join(parts)


def is_like_engine(facts: Facts, split: Mapping[str, Any]) -> bool:
    """Return whether PyCaret cuts rows in the same way, whatever they weigh.

    `split` : what was recorded of folds and hold-out, or set-up parameters that ask for them.
    """
    given = facts.snapshot.get("setup_params") or {}
    default = "stratifiedkfold" if facts.kind.answers == "labels" else "kfold"
    return (
        split.get("fold_strategy") in (default, None)
        and all(given.get(name, True) for name in SHUFFLES)
        and not split.get("fold_groups")
        and not split.get(HOLDOUT_PARAM)
    )


def _weights(facts: Facts) -> str:
    values = _values(facts, str(validation(facts)["sample_weight"]))
    return f'WEIGHTS = np.asarray({values}).astype("float64")\n\n\n{_WEIGHTED}'


def _values(facts: Facts, name: str) -> str:
    """Return the expression of a column's times or numbers."""
    column = f"split_by[{name!r}]"
    spelling = (validation(facts).get("spellings") or {}).get(name)
    if spelling is None:
        return column
    if spelling["type"] == "date":
        return dates_of(column, spelling)
    if spelling["type"] == "duration":
        return f'pd.to_timedelta({column}, errors="coerce").dt.total_seconds()'
    return f"numbers({column}, {spelling.get('decimal') or '.'!r})"


def _held_out(facts: Facts, imports: list[str]) -> list[str]:
    """Return the lines that compute `train` and `held`, positions of rows."""
    recorded, is_label = validation(facts), facts.kind.answers == "labels"
    share, given = recorded["train_size"], facts.snapshot.get("setup_params") or {}
    if is_held_out(facts):
        return ["train, held = np.flatnonzero(~is_held), np.flatnonzero(is_held)"]
    if recorded.get("fold_time") and recorded["fold_strategy"] == "timeseries":
        return [f"train, held = np.split(order, [int(len(y) * {share!r})])"]
    if recorded.get("fold_groups") and is_label:
        imports.append("StratifiedGroupKFold")
        parts = max(2, round(1 / (1 - share)))
        return [
            f"parts = StratifiedGroupKFold({parts}, shuffle=True, random_state=SEED)",
            "train, held = next(parts.split(y, y, groups))",
        ]
    if recorded.get("fold_groups"):
        imports.append("GroupShuffleSplit")
        return [
            f"parts = GroupShuffleSplit(1, train_size={share!r}, random_state=SEED)",
            "train, held = next(parts.split(y, y, groups))",
        ]
    imports.append("train_test_split")
    arguments = [f"train_size={share!r}"]
    if not given.get("data_split_shuffle", True):
        arguments.append("shuffle=False")
    else:
        arguments.append("random_state=SEED")
        if is_label and given.get("data_split_stratify", True):
            arguments.append("stratify=y")
    return [f"train, held = train_test_split(np.arange(len(y)), {', '.join(arguments)})"]


def _folds(facts: Facts, imports: list[str]) -> list[str]:
    """Return the lines that compute `FOLD_ROWS`."""
    recorded = validation(facts)
    strategy, n_folds = recorded["fold_strategy"], repr(recorded["folds"])
    given = facts.snapshot.get("setup_params") or {}
    if strategy == "predefined":
        imports.append("PredefinedSplit")
        line = "FOLD_ROWS = list(PredefinedSplit(pd.factorize(folds[train])[0]).split())"
        return [line]
    if strategy == "timeseries":
        imports.append("TimeSeriesSplit")
        return [
            "place = np.full(len(y), -1)",
            "place[train] = np.arange(len(train))",
            "in_time = place[order]",
            "in_time = in_time[in_time >= 0]",
            f"parts = TimeSeriesSplit({n_folds}).split(in_time)",
            "FOLD_ROWS = [(in_time[fit], in_time[score]) for fit, score in parts]",
        ]
    splitter = _SPLITTERS[strategy]
    imports.append(splitter)
    shuffled = ", shuffle=True, random_state=SEED" if given.get("fold_shuffle", True) else ""
    groups = ", groups[train]" if recorded.get("fold_groups") else ""
    return [
        f"parts = {splitter}({n_folds}{shuffled})",
        f"FOLD_ROWS = list(parts.split(np.zeros(len(train)), y.iloc[train]{groups}))",
    ]
