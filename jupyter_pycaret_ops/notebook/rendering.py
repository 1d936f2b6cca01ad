"""Render a leaderboard as HTML: bars start at zero, strips show the range of all folds of all models."""

from __future__ import annotations

import statistics
from collections.abc import Sequence, Set
from datetime import UTC, datetime

from ..client import ENDED
from ..client.records import JSON, baseline_of, leaderboard_of
from ..common.protocol import RECORD_FIELDS
from .leaderboard_cells import (
    bar_percent,
    decimals,
    fold_range,
    folds_of,
    value_of,
    value_text,
)
from .markup import button, escape, icon, mark, number
from .run_state import Fitting, RunState

WIDTH, EDGE, DOT = 160.0, 4.0, 2.0
#: metrics shown besides the one of the run, in the order of preference
PREFERRED_METRICS = ("AUC", "F1", "MCC", "MAE", "RMSE", "MAPE", "R2", "Silhouette")
MAX_OTHER_METRICS = 3


def leaderboard(
    state: RunState, board_id: str | None = None, keeping: Set[str] | None = None
) -> str:
    """Return the table of scored, running, failed and waiting models; sortable if it has a `board_id`.

    `keeping` : ids of the models that are being kept; others have a button, unless it is None.
    """
    records = leaderboard_of(state.row)
    if not records and not state.failed and (not state.fitting or state.row["status"] in ENDED):
        return ""
    metric = state.metric
    others = other_metrics(records, metric)
    span = fold_range(records)
    # on the board only where it was included; else it is the last row, whatever its score
    apart = None if any(one.get("baseline") for one in records) else baseline_of(state.row)
    is_over = state.row["status"] in ENDED  # then no model is running or waiting
    # while models are added, the browser keeps rows in place under the pointer
    filling = "" if is_over else " data-filling"
    attributes = "" if board_id is None else f' data-board="{escape(board_id)}"{filling}'
    return (
        '<div class="jp-pycaret-scroll">'
        f'<table class="jp-pycaret-table jp-pycaret-leaderboard" aria-label="Leaderboard"{attributes}>'
        '<colgroup><col style="width: 32px"><col style="width: 220px"><col style="width: 152px">'
        '<col style="width: 176px">'
        + '<col style="width: 88px">' * (len(others) + (1 if keeping is None else 2))
        + "</colgroup>"
        + _head(
            metric,
            others,
            span,
            is_error=not state.greater_is_better,
            can_sort=board_id is not None,
            has_keep=keeping is not None,
        )
        + "<tbody>"
        + "".join(_scored(record, state, others, span, keeping) for record in records)
        + ("" if apart is None else _scored(apart, state, others, None, keeping))
        + "".join(
            _fitting(model_id, fitting, len(others))
            for model_id, fitting in state.fitting.items()
            if not is_over
        )
        + "".join(
            _failed(model_id, failure.name, failure.error, len(others))
            for model_id, failure in state.failed.items()
        )
        + ("" if is_over else _waiting(state.waiting, len(others)))
        + "</tbody></table></div>"
    )


def other_metrics(records: Sequence[JSON], metric: str | None) -> list[str]:
    """Return the metrics to show besides `metric`, at most three."""
    if not records:
        return []
    known = [name for name in records[0] if name not in RECORD_FIELDS and name != metric]
    preferred = [name for name in PREFERRED_METRICS if name in known]
    return [*preferred, *(name for name in known if name not in preferred)][:MAX_OTHER_METRICS]


def _head(
    metric: str | None,
    others: Sequence[str],
    span: tuple[float, float] | None,
    *,
    is_error: bool,
    can_sort: bool,
    has_keep: bool,
) -> str:
    low, high = ("", "") if span is None else (_axis_label(span[0]), _axis_label(span[1]))

    def column(name: str, field: str | None, sort: str = "", *, upwards: bool = False) -> str:
        if not can_sort or field is None:
            label = f'<span class="jp-pycaret-table__sort">{escape(name)}{icon("down")}</span>'
        else:
            first = "ascending" if upwards else "descending"
            label = (
                f'<button type="button" class="jp-pycaret-table__sort" data-sort="{escape(field)}" '
                f'data-first="{first}">{escape(name)}{icon("down")}</button>'
            )
        return f'<th scope="col" class="jp-pycaret-num"{sort}>{label}</th>'

    ranked = f' aria-sort="{"ascending" if is_error else "descending"}"'
    return (
        '<thead><tr><th scope="col" class="jp-pycaret-num"><abbr title="Rank" '
        'style="text-decoration: none">#</abbr></th><th scope="col">Model</th>'
        + column(metric or "Score", metric, ranked, upwards=is_error)
        + '<th scope="col"><span style="display: flex; justify-content: space-between; font-weight: 400">'
        f'<span>{low}</span><span style="font-weight: 500">Folds</span><span>{high}</span></span></th>'
        + "".join(column(name, name) for name in others)
        + column("Seconds", "seconds", upwards=True)
        + ('<td class="jp-pycaret-num"></td>' if has_keep else "")
        + "</tr></thead>"
    )


def _axis_label(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _scored(
    record: JSON,
    state: RunState,
    others: Sequence[str],
    span: tuple[float, float] | None,
    keeping: Set[str] | None,
) -> str:
    records = leaderboard_of(state.row)
    metric = state.metric
    baseline = baseline_of(state.row)
    compared = records if baseline is None else [*records, baseline]
    bar = bar_percent(record, compared, metric, greater_is_better=state.greater_is_better)
    tick = ""
    if baseline is not None:
        share = bar_percent(baseline, compared, metric, greater_is_better=state.greater_is_better)
        tick = f' jp-pycaret-bar--baseline" style="--share: {min(100.0, share):.1f}%'
    kind = (
        "best" if records and record is records[0] else "baseline" if record.get("baseline") else ""
    )
    row = f' class="jp-pycaret-leaderboard__row--{kind}"' if kind else ""
    tag = '<span class="jp-pycaret-tag">baseline</span>' if record.get("baseline") else ""
    values = "".join(
        f'<td class="jp-pycaret-num"{_value(record, name)}>'
        f"{value_text(value_of(record, name), decimals(records, name))}</td>"
        for name in others
    )
    name = str(record.get("name") or record.get("model_id"))
    return (
        f'<tr{row} data-key="{escape(str(record.get("model_id")))}" data-scored>'
        f'<td class="jp-pycaret-num">{escape(str(record.get("rank") or "–"))}</td>'
        f'<td class="jp-pycaret-leaderboard__model"><div class="jp-pycaret-leaderboard__baseline">'
        f'<span class="jp-pycaret-clip" title="{escape(name)}">{escape(name)}</span>{tag}</div></td>'
        f"<td{_value(record, metric)}>"
        f'<div class="jp-pycaret-leaderboard__score"><div class="jp-pycaret-bar{tick}">'
        f'<span class="jp-pycaret-bar__fill" style="width: {bar:.1f}%">'
        f'</span></div><span class="jp-pycaret-num">'
        f"{value_text(value_of(record, metric), decimals(records, metric))}</span></div></td>"
        f"<td>{strip(folds_of(record), span)}</td>{values}"
        f'<td class="jp-pycaret-num"{_value(record, "seconds")}>{number(record.get("seconds"), 1)}</td>'
        f"{'' if keeping is None else _keep(record, name, keeping)}</tr>"
    )


def _keep(record: JSON, name: str, keeping: Set[str]) -> str:
    """Return the cell that says whether a model is kept, or has the button for it."""
    model_id = str(record.get("model_id"))
    if record.get("baseline"):
        content = ""
    elif record.get("kept"):
        content = f"{icon('check')} Kept"
    elif model_id in keeping:
        content = f"{mark('running', is_labelled=True)} Keeping"
    else:
        content = button(
            "Keep", f"keep:{model_id}", kind="ghost", name=f"Keep {name}", once="Keeping"
        )
    return f'<td class="jp-pycaret-num jp-pycaret-muted">{content}</td>'


def _value(record: JSON, field: str | None) -> str:
    """Return the attribute that the browser sorts a cell by; cells without it come last."""
    value = record.get(field or "")
    return f' data-value="{value!r}"' if isinstance(value, int | float) else ""


def strip(folds: Sequence[float], span: tuple[float, float] | None) -> str:
    """Return a strip with one dot for each fold, overlapping ones stacked, and a tick for the mean."""
    if span is None:
        return ""
    low, high = span

    def x_of(value: float) -> float:
        return EDGE + (value - low) / (high - low) * (WIDTH - 2 * EDGE)

    stacks: list[tuple[float, int]] = []
    dots = ""
    for x in sorted(map(x_of, folds)):
        if stacks and x - stacks[-1][0] < 2 * DOT:
            stacks[-1] = (stacks[-1][0], stacks[-1][1] + 1)
        else:
            stacks.append((x, 0))
        y = (8, 4, 12)[stacks[-1][1] % 3]
        dots += f'<circle class="jp-pycaret-strip__fold" cx="{x:.1f}" cy="{y}" r="2"/>'
    tick = ""
    label = "No fold yet"
    if folds:
        spread = statistics.stdev(folds) if len(folds) > 1 else 0.0
        label = f"{len(folds)} folds, {min(folds):.3f} to {max(folds):.3f}, deviation {spread:.3f}"
        tick = f'<path class="jp-pycaret-strip__mean" d="M{x_of(statistics.fmean(folds)):.1f} 1.5v13"/>'
    return (
        f'<svg class="jp-pycaret-strip" viewBox="0 0 {WIDTH:.0f} 16" role="img" aria-label="{label}">'
        f'<title>{label}</title><path class="jp-pycaret-strip__axis" d="M0 8h{WIDTH:.0f}"/>{dots}{tick}</svg>'
    )


def _fitting(model_id: str, fitting: Fitting, others: int) -> str:
    fold, folds = fitting.fold, fitting.folds
    done = (fold or 1) - 1
    width = 100 * done / folds if folds else 0
    status = f"Running · fold {fold} of {folds}" if fold and folds else "Running"
    count = f"{done} / {folds}" if folds else ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(fitting.since)).total_seconds()
    return (
        f'<tr class="jp-pycaret-leaderboard__row--running" data-key="{escape(model_id)}"><td class="jp-pycaret-num">'
        f'{mark("running", is_labelled=True)}</td><td class="jp-pycaret-leaderboard__model">'
        f'<div class="jp-pycaret-clip jp-pycaret-leaderboard__pulse">{escape(fitting.name)}</div></td>'
        '<td><div class="jp-pycaret-leaderboard__score"><div class="jp-pycaret-progress">'
        f'<div class="jp-pycaret-progress__fill" style="width: {width:.0f}%"></div></div>'
        f'<span class="jp-pycaret-num jp-pycaret-muted">{count}</span></div></td><td></td>'
        f'<td colspan="{max(1, others)}" class="jp-pycaret-muted">{status}</td>'
        f'<td class="jp-pycaret-num jp-pycaret-muted">{max(0.0, seconds):.1f}</td></tr>'
    )


def _failed(model_id: str, name: str, error: str, others: int) -> str:
    return (
        f'<tr data-key="{escape(model_id)}"><td class="jp-pycaret-num">{mark("failed", is_labelled=True)}</td>'
        f'<td class="jp-pycaret-leaderboard__model"><div class="jp-pycaret-clip">{escape(name)}</div></td>'
        f'<td colspan="{others + 3}">Failed · {escape(error)}</td></tr>'
    )


def _waiting(count: int, others: int) -> str:
    if not count:
        return ""
    return (
        f'<tr class="jp-pycaret-leaderboard__row--quiet"><td class="jp-pycaret-num">'
        f'{mark("queued", is_labelled=True)}</td><td colspan="{others + 4}">{count} waiting</td></tr>'
    )
