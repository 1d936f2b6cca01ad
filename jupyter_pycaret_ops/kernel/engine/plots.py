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

from jupyter_pycaret_ops.common.protocol import JSON, PLOT_KIND

from .error_messages import sentence_of
from .json_values import plain
from .leaderboard import Scored
from .prepared_task import PreparedTask

CONTENT_TYPE = "application/vnd.plotly.v1+json"
#: seconds that all plots of a run may take; importance by permutation waits for none of them
LONGEST_S = 15.0
#: traces that the engine names after a code: `0 (AUC = 0.98)`
_CODE_FIRST = re.compile(r"(\d+)( \(.*\))")
_THEIR_THEME = ("template", "paper_bgcolor", "plot_bgcolor", "font", "hoverlabel", "title")


class TooSlow(Exception):
    """A plot would take longer than there is time for."""


def store(prepared: PreparedTask, model: Scored) -> None:
    """Draw the plots of a scored model and hand them over; one that fails is a warning."""
    reporter = prepared.reporter
    plots = prepared.task.plots
    if not plots:
        return
    began = time.monotonic()
    try:
        pipeline = prepared.experiment.fitted(model.estimator)
    except Exception as error:
        reporter.warn(f"No plots could be drawn: {sentence_of(error)}", reason="plot")
        return
    for plot, name in plots.items():
        reporter.checkpoint()
        left = LONGEST_S - (time.monotonic() - began)
        try:
            if left <= 0:
                raise TooSlow
            figure = prepared.draw(pipeline, plot, left)
            if figure is None:
                continue
            content = json.dumps(_ours(figure, name), ensure_ascii=False, allow_nan=False)
        except TooSlow:
            reporter.warn(
                f"“{name}” was not drawn: with this model and so many rows it takes too long.",
                reason="plot_time",
                plot=plot,
            )
            continue
        except Exception as error:
            reporter.warn(
                f"“{name}” could not be drawn: {sentence_of(error)}", reason="plot", plot=plot
            )
            continue
        reporter.store(
            f"plot-{plot}.json", PLOT_KIND, content.encode(), CONTENT_TYPE, model.model_id
        )


def as_json(figure: Any) -> JSON:
    """A Plotly figure as plain JSON that any plotly.js reads."""
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


def _ours(figure: JSON, name: str) -> JSON:
    layout = {key: value for key, value in figure["layout"].items() if key not in _THEIR_THEME}
    layout["title"] = {"text": name}
    return {"data": figure["data"], "layout": layout}


def reword(figure: JSON, labels: list[Any]) -> None:
    """Put labels where the engine wrote codes."""
    words = {str(code): _word(label) for code, label in enumerate(labels)}
    for trace in figure["data"]:
        _reword(trace, words, figure["layout"])


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


def _word(label: Any) -> str:
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)
