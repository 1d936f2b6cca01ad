"""Plots of a run's best model on the hold-out, as Plotly JSON with the user's labels.

The engine draws them. Here its codes are replaced by labels, and its theme is removed, so that whoever
shows the figures can use their own.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON, PLOT_KIND

from .error_messages import describe_error
from .interfaces import Estimator
from .json_values import plain
from .leaderboard import Scored
from .prepared_task import PreparedTask

CONTENT_TYPE = "application/vnd.plotly.v1+json"
#: seconds that all plots of a run may take together
MAX_PLOTS_S = 15.0
#: name of a trace that begins with a class code: `0 (AUC = 0.98)`
_CODE_PREFIX = re.compile(r"(\d+)( \(.*\))")
_THEME_KEYS = ("template", "paper_bgcolor", "plot_bgcolor", "font", "hoverlabel", "title")


class PlotTooSlow(Exception):
    """A plot would take longer than the time that is left."""


def store(prepared: PreparedTask, model: Scored, pipeline: Estimator) -> None:
    """Draw and store the plots of a scored model; one that fails is reported as a warning.

    `pipeline` : the model as `experiment.fit_for_plots` gives it.
    """
    reporter = prepared.reporter
    plots = prepared.task.plots
    started_at = time.monotonic()
    for plot, name in plots.items():
        reporter.checkpoint()
        left = MAX_PLOTS_S - (time.monotonic() - started_at)
        try:
            if left <= 0:
                raise PlotTooSlow
            figure = prepared.draw(pipeline, plot, left)
            if figure is None:
                continue
            content = json.dumps(_without_theme(figure, name), ensure_ascii=False, allow_nan=False)
        except PlotTooSlow:
            reporter.warn(
                f"“{name}” was not drawn: with this model and so many rows it takes too long.",
                reason="plot_time",
                plot=plot,
            )
            continue
        except Exception as error:
            reporter.warn(
                f"“{name}” could not be drawn: {describe_error(error)}", reason="plot", plot=plot
            )
            continue
        reporter.store(
            f"plot-{plot}.json", PLOT_KIND, content.encode(), CONTENT_TYPE, model.model_id
        )


def as_json(figure: Any) -> JSON:
    """Return a Plotly figure as plain JSON for any version of plotly.js."""
    return plain(_decode_arrays(figure.to_plotly_json()))  # type: ignore[no-any-return]


def _decode_arrays(value: Any) -> Any:
    """Convert base64 arrays of Plotly to lists: plotly.js before 2.35 cannot read base64."""
    if isinstance(value, dict):
        if "bdata" in value:
            array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
            return array.reshape([int(n) for n in str(value.get("shape", -1)).split(",")]).tolist()
        return {key: _decode_arrays(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_decode_arrays(item) for item in value]
    return value


def _without_theme(figure: JSON, name: str) -> JSON:
    layout = {key: value for key, value in figure["layout"].items() if key not in _THEME_KEYS}
    layout["title"] = {"text": name}
    return {"data": figure["data"], "layout": layout}


def apply_labels(figure: JSON, labels: list[Any]) -> None:
    """Replace class codes in `figure` by `labels`, in the order of the codes."""
    texts = {str(code): _label_text(label) for code, label in enumerate(labels)}
    for trace in figure["data"]:
        _apply_labels(trace, texts, figure["layout"])


def _apply_labels(trace: JSON, texts: dict[str, str], layout: JSON) -> None:
    match = _CODE_PREFIX.fullmatch(str(trace.get("name", "")))
    if match is not None and match[1] in texts:
        trace["name"] = texts[match[1]] + match[2]
    if trace.get("type") not in ("heatmap", "bar"):
        return
    for axis in ("x", "y"):
        ticks = trace.get(axis)
        if isinstance(ticks, list) and ticks and all(str(tick) in texts for tick in ticks):
            if trace["type"] == "bar" and axis == "y":
                continue  # bar heights, not classes
            trace[axis] = [texts[str(tick)] for tick in ticks]
            # labels such as 2 and 5 are categories, not positions on a scale
            layout[f"{axis}axis"] = {**layout.get(f"{axis}axis", {}), "type": "category"}


def _label_text(label: Any) -> str:
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)
