"""What a run has found, in one sentence: whether the best model is worth anything, and whether its score holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from .prepared_task import PreparedTask

#: deviations of the folds that the hold-out may be worse
MAX_GAP = 2.0
#: scores that differ by less are written alike
SAME = 0.00005
#: share of the most frequent label from which accuracy hardly tells models apart
IMBALANCED = 0.75
#: metrics that tell models apart where one label is frequent, the best first
_FOR_IMBALANCE = ("AUC", "Balanced Accuracy", "F1")


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over folds with its (population) standard deviation, 0 where there are no folds."""

    value: float
    std: float = 0.0


def conclude(prepared: PreparedTask, summary: JSON, leaderboard: list[JSON]) -> JSON:
    """Return `metrics_summary` with the baseline, the hold-out, `verdict`, `headline` and `detail`.

    `verdict` is "better", "gap" (better, but the hold-out is much worse), "not_better" than the baseline, or None where
    there is nothing to compare.
    """
    metric = summary.get("metric")
    best = leaderboard[0] if leaderboard else None
    found = {
        **summary,
        "greater_is_better": prepared.greater_is_better,
        "baseline": prepared.baseline,
        "holdout": prepared.holdout,
        "holdout_rows": prepared.holdout_rows if prepared.holdout else None,
        "beats_baseline": None,
        "verdict": None,
        "headline": None,
        "detail": None,
        "suggested_metric": None,
        "threshold": (best or {}).get("threshold"),
    }
    baseline = prepared.baseline or {}
    mine, theirs = _score(best, metric), _score(baseline, metric)
    if best is None or metric is None or mine is None or theirs is None:
        return found
    sign = 1 if prepared.greater_is_better else -1
    lead = sign * (mine.value - theirs.value)
    found["beats_baseline"] = lead > mine.std
    name = prepared.baseline_words()
    holdout = (prepared.holdout or {}).get(metric)
    gap = None if holdout is None else sign * (mine.value - holdout)
    if not found["beats_baseline"]:
        found["verdict"] = "not_better"
        found["headline"] = f"{best['name']} is no better than {name}."
        found["suggested_metric"] = _suggested_metric(prepared, metric)
        found["detail"] = _not_better(lead, found["suggested_metric"], prepared)
    elif gap is not None and gap > MAX_GAP * mine.std and mine.std > 0:
        found["verdict"] = "gap"
        found["headline"] = f"{best['name']} is better than {name}, but the hold-out is much worse."
        found["detail"] = (
            f"The difference of {gap:.4f} is {gap / mine.std:.0f} deviations of the folds. Likely reasons: rows that "
            "belong together are in several folds, or the rows that were held out are of another kind or time."
        )
    else:
        found["verdict"] = "better"
        found["headline"] = f"{best['name']} is clearly better than {name}."
        found["detail"] = " ".join(
            part for part in (_agreement(gap), _second(leaderboard, metric, mine, sign)) if part
        )
    found["detail"] = " ".join(filter(None, [found["detail"], _threshold(prepared, best)]))
    return found


def _score(record: JSON | None, metric: str | None) -> Score | None:
    value = None if record is None else record.get(metric or "")
    if value is None or record is None:
        return None
    return Score(float(value), float((record.get("std") or {}).get(metric) or 0.0))


def _not_better(lead: float, suggested: str | None, prepared: PreparedTask) -> str:
    if abs(lead) < SAME:
        ahead = "Their scores are the same."
    elif lead > 0:
        ahead = f"It is {lead:.4f} ahead, within the spread of its folds."
    else:
        ahead = f"It is {-lead:.4f} behind."
    if suggested is None:
        return f"{ahead} The columns tell too little about the target, or there are too few rows."
    share = prepared.rare_share()
    rest = "" if share is None else f"With {share:.1%} of the rarer labels, "
    return f"{ahead} {rest}{prepared.metric} hardly tells models apart; {suggested} does."


def _suggested_metric(prepared: PreparedTask, metric: str) -> str | None:
    share = prepared.rare_share()
    if metric != "Accuracy" or share is None or 1 - share < IMBALANCED:
        return None
    return next((name for name in _FOR_IMBALANCE if name in prepared.experiment.metrics), None)


def _agreement(gap: Any) -> str:
    return "" if gap is None else "Hold-out and cross-validation agree."


def _second(leaderboard: list[JSON], metric: str, best: Score, sign: int) -> str:
    rest = [record for record in leaderboard[1:] if not record.get("baseline")]
    score = _score(rest[0], metric) if rest else None
    if score is None:
        return ""
    behind = sign * (best.value - score.value)
    within = ", within the spread" if behind <= best.std else ""
    return f"{rest[0]['name']} is second, {behind:.4f} behind{within}."


def _threshold(prepared: PreparedTask, best: JSON) -> str:
    chosen = best.get("threshold")
    if not chosen:
        return ""
    said = f"It answers “{prepared.positive_label}” from a probability of {chosen['value']:.3f} on"
    if isinstance(chosen["by"], str):
        name, sign = chosen["by"], 1
    else:
        name, sign = "costs of a row", -1
    score, at_half = sign * chosen["score"], sign * chosen["score_at_half"]
    return f"{said}: {name} {score:.4f}, from 0.5 on {at_half:.4f}."
