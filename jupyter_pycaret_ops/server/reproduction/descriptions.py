"""The texts of the notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...common.protocol import RECORD_FIELDS
from .run_facts import Facts

_PIP = {"pycaret": "pycaret", "sklearn": "scikit-learn", "pandas": "pandas", "numpy": "numpy"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def quoted(text: Any) -> str:
    """Return a text of a user in quotation marks, on one line and with its markup escaped."""
    return f"“{_plain(text)}”"


def _plain(text: Any) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def title(facts: Facts) -> str:
    """Return the title, with the run and its versions."""
    run = facts.run
    what = f"{run.plan} {run.model_id}" if run.model_id else run.plan
    versions = facts.versions
    pins = " ".join(f'"{name}=={versions[key]}"' for key, name in _PIP.items() if versions.get(key))
    started = (run.started_at or run.queued_at).strftime("%Y-%m-%d %H:%M UTC")
    ended = "" if run.status == "succeeded" else f" Its status is **{run.status}**."
    lines = [
        f"# {_plain(facts.experiment)}: {what}",
        f"This notebook repeats a run of {started} with plain PyCaret and pandas: {facts.task}, run "
        f"`{run.id}`.{ended}",
    ]
    if pins:
        python = f" (Python {versions['python']})" if versions.get("python") else ""
        lines.append(f"The run had these versions{python}:\n\n```sh\npip install {pins}\n```")
    return "\n\n".join(lines)


def changes(facts: Facts) -> str:
    """Return the changes of the data, with the messages of the run."""
    messages = [item["message"] for item in facts.changes if item["change"] != "folds_reduced"]
    listed = "".join(f"\n- {_plain(message)}" for message in messages)
    in_run = f" In this run:\n{listed}" if listed else ""
    last = ", and the target is the last column" if facts.has_target else ""
    return f"## The data\n\nNumbers are floats, other values are text{last}.{in_run}"


def setup(facts: Facts) -> str:
    """Return the text before the set-up."""
    reduced = facts.changed("folds_reduced")
    note = f"\n\n{_plain(reduced['message'])}" if reduced is not None else ""
    return f"## Set-up\n\nOne thread and the seed of the run.{note}"


def leaderboard(facts: Facts) -> str:
    """Return the leaderboard of the run as a Markdown table."""
    records = facts.run.leaderboard
    metrics = _metrics(records)
    head = ["model", *metrics]
    lines = [f"| {' | '.join(_plain(name) for name in head)} |", "|---" * len(head) + "|"]
    for record in records:
        cells = [_plain(record["model_id"]), *(_number(record.get(name)) for name in metrics)]
        lines.append(f"| {' | '.join(cells)} |")
    failed = facts.run.metrics_summary.get("failed") or 0
    note = f"\n\n{failed} further models failed in the run and are left out." if failed else ""
    return "The leaderboard of the run:\n\n" + "\n".join(lines) + note


def _metrics(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of all metrics, in the order of their first appearance."""
    found: dict[str, None] = {}
    for record in records:
        for name, value in record.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if name not in RECORD_FIELDS and (value is None or is_number):
                found[name] = None
    return list(found)


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, (int, float)) else ""
