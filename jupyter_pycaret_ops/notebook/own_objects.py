"""Scorers and transformers of the notebook that set-up parameters name, or are given as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..client.records import JSON
from ..common.custom_objects import CUSTOM_METRICS, CUSTOM_PIPELINE, NOTEBOOK_PREFIX
from ..common.errors import Invalid

if TYPE_CHECKING:
    from ..kernel.agent import NotebookObjects


def take_objects(
    setup_params: JSON, names: Mapping[str, Any]
) -> tuple[JSON, NotebookObjects | None]:
    """Return set-up parameters as JSON, and the objects that they name; None where there are none.

    `names` : the variables of the notebook. In `custom_metrics`, a scorer that `make_scorer` made, or the name of a
    variable that holds one; in `custom_pipeline`, a pipeline, transformers, `(name, transformer)`, or such names.

    Raises
    ------
    Invalid
        For an object that is neither.
    """
    from ..kernel.agent import NotebookObjects

    metrics, scorers = _metrics(setup_params.get(CUSTOM_METRICS), names)
    steps = _steps(setup_params.get(CUSTOM_PIPELINE), names)
    if not scorers and not steps:
        return setup_params, None
    texts: JSON = {}
    if scorers:
        texts[CUSTOM_METRICS] = metrics
    if steps:
        texts[CUSTOM_PIPELINE] = list(steps)
    return {**setup_params, **texts}, NotebookObjects(scorers, tuple(steps.items()))


def _metrics(given: Any, names: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the texts of `custom_metrics`, and name → scorer of those that are the notebook's."""
    if given is None:
        return [], {}
    if isinstance(given, Mapping):
        items = [(str(name), scorer) for name, scorer in given.items()]
    else:
        listed = list(given) if isinstance(given, (list, tuple)) else [given]
        items = [(_name_of_scorer(one), one) for one in listed]
    texts: list[Any] = []
    scorers: dict[str, Any] = {}
    for name, value in items:
        scorer = names.get(value) if isinstance(value, str) else value
        if isinstance(value, str) and not callable(scorer):
            texts.append(value)  # a scorer of scikit-learn, which the server checks
            continue
        if not callable(scorer):
            raise Invalid(
                f"custom_metrics takes names of scikit-learn's scorers, and scorers that make_scorer made; not {value!r}."
            )
        if name in scorers:
            raise Invalid(f"Two scorers of custom_metrics have the name “{name}”.")
        scorers[name] = scorer
        texts.append(NOTEBOOK_PREFIX + name)
    return texts, scorers


def _name_of_scorer(scorer: Any) -> str:
    if isinstance(scorer, str):
        return scorer
    function = getattr(scorer, "_score_func", scorer)
    return str(getattr(function, "__name__", type(function).__name__))


def _steps(given: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return name → transformer of `custom_pipeline`, in order."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        listed = list(given.items())
    elif hasattr(given, "steps"):
        listed = list(given.steps)
    else:
        listed = list(given) if isinstance(given, list) else [given]
    found: dict[str, Any] = {}
    for item in listed:
        name, step = _step(item, names)
        if not (
            hasattr(step, "fit") and hasattr(step, "transform") and hasattr(step, "get_params")
        ):
            raise Invalid(
                f"“{name}” in custom_pipeline is no transformer of scikit-learn's kind: it needs fit, transform and "
                "get_params. Derive it from BaseEstimator and TransformerMixin."
            )
        if name in found:
            raise Invalid(f"Two steps of custom_pipeline have the name “{name}”.")
        if "__" in name:
            raise Invalid(f"The name of a step cannot have “__” in it: “{name}”.")
        found[name] = step
    return found


def _step(item: Any, names: Mapping[str, Any]) -> tuple[str, Any]:
    if isinstance(item, str):
        if item not in names:
            raise Invalid(f"custom_pipeline names “{item}”, which is no variable of this notebook.")
        return item, names[item]
    if isinstance(item, (tuple, list)) and len(item) == 2:
        return str(item[0]), item[1]
    return type(item).__name__, item
