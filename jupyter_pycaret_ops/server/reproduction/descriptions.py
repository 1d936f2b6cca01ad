"""The notebook's text for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .run_facts import Facts

_PIP = {"pycaret": "pycaret", "sklearn": "scikit-learn", "pandas": "pandas", "numpy": "numpy"}
#: what a record of the leaderboard says besides its metrics
_NO_METRICS = {
    *("model_id", "name", "rank", "std", "folds", "fold_metrics", "seconds", "params", "attempt"),
    *("kept", "baseline"),
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def quoted(text: Any) -> str:
    """A text that somebody gave, as itself and on one line: no markup in it counts."""
    return f"“{_plain(text)}”"


def _plain(text: Any) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def title(facts: Facts) -> str:
    """What this is, and what it was made of."""
    run = facts.run
    what = f"{run.plan} {run.model_id}" if run.model_id else run.plan
    versions = facts.versions
    pins = " ".join(f'"{name}=={versions[key]}"' for key, name in _PIP.items() if versions.get(key))
    began = (run.started_at or run.queued_at).strftime("%Y-%m-%d %H:%M UTC")
    ended = "" if run.status == "succeeded" else f" It ended as **{run.status}**."
    lines = [
        f"# {_plain(facts.experiment)}: {what}",
        f"This notebook does a run of {began} again, with PyCaret and pandas alone: {facts.task}, run "
        f"`{run.id}`.{ended}",
    ]
    if pins:
        python = f" (Python {versions['python']})" if versions.get("python") else ""
        lines.append(f"It was made with these versions{python}:\n\n```sh\npip install {pins}\n```")
    return "\n\n".join(lines)


def changes(facts: Facts) -> str:
    """What was done to the data, in the words of the run."""
    told = [item["message"] for item in facts.changes if item["change"] != "folds_reduced"]
    listed = "".join(f"\n- {_plain(message)}" for message in told)
    more = f" In this run:\n{listed}" if listed else ""
    last = ", the target at the end" if facts.has_target else ""
    return f"## The data\n\nNumbers as floats, everything else as text{last}.{more}"


def setup(facts: Facts) -> str:
    """What is said before the set-up."""
    reduced = facts.changed("folds_reduced")
    note = f"\n\n{_plain(reduced['message'])}" if reduced is not None else ""
    return f"## Set-up\n\nOne thread and a fixed seed, as in the run.{note}"


def leaderboard(facts: Facts) -> str:
    """The leaderboard that the run had, to compare with."""
    rows = facts.run.leaderboard
    metrics = _metrics(rows)
    head = ["model", *metrics]
    lines = [f"| {' | '.join(_plain(name) for name in head)} |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [_plain(row["model_id"]), *(_number(row.get(name)) for name in metrics)]
        lines.append(f"| {' | '.join(cells)} |")
    failed = facts.run.metrics_summary.get("failed") or 0
    note = f"\n\n{failed} more could not be scored in the run and are left out." if failed else ""
    return "The run had:\n\n" + "\n".join(lines) + note


def _metrics(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The metrics that any row has, in the order of the first one: numbers, or missing."""
    found: dict[str, None] = {}
    for row in rows:
        for name, value in row.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if name not in _NO_METRICS and (value is None or is_number):
                found[name] = None
    return list(found)


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, (int, float)) else ""
