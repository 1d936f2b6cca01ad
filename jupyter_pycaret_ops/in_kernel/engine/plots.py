"""Plots of a run's best model, on the hold-out, as Plotly JSON in the user's words.

The engine draws; here its figures get the labels that it never saw, and lose its colours of paper and
font, so that whoever shows them can use their own theme.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import numpy as np

from jupyter_pycaret_ops.protocol import JSON, PLOT_KIND

from .contracts import Frame
from .explain import sentence_of
from .leaderboard import Scored
from .plain import plain
from .session import Session

CONTENT_TYPE = "application/vnd.plotly.v1+json"
#: seconds that all plots of a run may take; importance by permutation waits for none of them
LONGEST_S = 15.0
#: how often permutation importance predicts for each column
REPEATS = 5

_BINARY = frozenset({"calibration", "threshold", "lift", "gain"})
#: quick ones first
_BY_TASK: dict[str, dict[str, str]] = {
    "classification": {
        "confusion_matrix": "Confusion matrix",
        "auc": "ROC curve",
        "pr": "Precision-recall curve",
        "class_distribution": "Class distribution",
        "calibration": "Calibration",
        "threshold": "Threshold",
        "lift": "Lift",
        "gain": "Gain",
        "permutation": "Feature importance",
    },
    "regression": {
        "residuals": "Residuals",
        "prediction_error": "Prediction error",
        "residuals_distribution": "Distribution of residuals",
        "permutation": "Feature importance",
    },
}
#: traces that the engine names after a code: `0 (AUC = 0.98)`
_CODE_FIRST = re.compile(r"(\d+)( \(.*\))")
_THEIR_THEME = ("template", "paper_bgcolor", "plot_bgcolor", "font", "hoverlabel", "title")


def offered(task_id: str) -> list[JSON]:
    """Ids and names of the plots of a task, in the order in which they are shown."""
    return [{"id": plot, "name": name} for plot, name in _BY_TASK.get(task_id, {}).items()]


def store(session: Session, model: Scored) -> None:
    """Draw the plots of a scored model and hand them over; one that fails is a warning."""
    narrator = session.narrator
    began = time.monotonic()
    labels = session.target.labels
    for plot, name in _BY_TASK.get(session.spec.task, {}).items():
        narrator.checkpoint()
        if plot in _BINARY and (labels is None or len(labels) != 2):
            continue
        left = LONGEST_S - (time.monotonic() - began)
        if left <= 0 or (plot == "permutation" and _permutation_s(session, model) > left):
            narrator.warn(
                f"“{name}” was not drawn: with this model and so many rows it takes too long.",
                reason="plot_time",
                plot=plot,
            )
            continue
        try:
            figure = _draw(session, model, plot)
        except Exception as error:
            narrator.warn(
                f"“{name}” could not be drawn: {sentence_of(error)}", reason="plot", plot=plot
            )
            continue
        if plot == "permutation":
            _name_columns(session, figure)
        content = json.dumps(_ours(figure, labels, name), ensure_ascii=False, allow_nan=False)
        narrator.store(
            f"plot-{plot}.json", PLOT_KIND, content.encode(), CONTENT_TYPE, model.model_id
        )


def _draw(session: Session, model: Scored, plot: str) -> JSON:
    more = {"n_repeats": REPEATS} if plot == "permutation" else {}
    figure = session.experiment.plot(model.pipeline, plot, **more)
    return plain(_lists(figure.to_plotly_json()))  # type: ignore[no-any-return]


def _lists(value: Any) -> Any:
    """Arrays that Plotly packs as base64, which viewers before plotly.js 2.35 cannot read, as lists."""
    if isinstance(value, dict):
        if "bdata" in value:
            array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
            return array.reshape([int(n) for n in str(value.get("shape", -1)).split(",")]).tolist()
        return {key: _lists(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_lists(item) for item in value]
    return value


def _permutation_s(session: Session, model: Scored) -> float:
    """What permutation importance will take, from the time of one prediction of the hold-out."""
    rows: Frame = session.experiment.holdout
    began = time.monotonic()
    model.pipeline.predict(rows)
    return (time.monotonic() - began) * (REPEATS * int(rows.shape[1]) + 1)


def _ours(figure: JSON, labels: list[Any] | None, name: str) -> JSON:
    layout = {key: value for key, value in figure["layout"].items() if key not in _THEIR_THEME}
    layout["title"] = {"text": name}
    if labels is not None:
        words = {str(code): _word(label) for code, label in enumerate(labels)}
        for trace in figure["data"]:
            _reword(trace, words, layout)
    return {"data": figure["data"], "layout": layout}


def _reword(trace: JSON, words: dict[str, str], layout: JSON) -> None:
    match = _CODE_FIRST.fullmatch(str(trace.get("name", "")))
    if match is not None and match[1] in words:
        trace["name"] = words[match[1]] + match[2]
    if trace.get("type") not in ("heatmap", "bar"):
        return
    for axis in ("x", "y"):
        ticks = trace.get(axis)
        if isinstance(ticks, list) and ticks and all(str(tick) in words for tick in ticks):
            if trace["type"] == "bar" and axis == "y":
                continue  # heights, not classes
            trace[axis] = [words[str(tick)] for tick in ticks]
            # labels such as 2 and 5 are names, not places on a scale
            layout[f"{axis}axis"] = {**layout.get(f"{axis}axis", {}), "type": "category"}


def _name_columns(session: Session, figure: JSON) -> None:
    """The user's names for the engine's columns; a part of a date as `ordered (month)`."""
    names = {}
    for column in session.table.columns:
        names[column["safe"]] = column["name"]
        for part in column["parts"]:
            names[f"{column['safe']}_{part}"] = f"{column['name']} ({part})"
    for trace in figure["data"]:
        trace["y"] = [names.get(name, name) for name in trace["y"]]


def _word(label: Any) -> str:
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)
