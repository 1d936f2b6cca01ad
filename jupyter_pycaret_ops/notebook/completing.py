"""Completion of `%pcrun`: plans, models, metrics, columns of the named frame, runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from ..errors import OpsError
from .frames import named_frames
from .magic import VERBS, run_parser
from .session import client

#: how long a Tab waits for an answer of the server; it is there at the next one
PATIENCE_S = 1.5
_LINE = re.compile(r"%%?pcrun\s(?P<said>.*)$", re.DOTALL)
_remembered: dict[str, list[str]] = {}


def matcher(names: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A matcher for IPython's completer, over the notebook's names."""

    @context_matcher()  # type: ignore[untyped-decorator]
    def pcrun_matcher(context: Any) -> Any:
        found = _LINE.search(context.line_with_cursor[: _column(context)])
        if found is None:
            return {"completions": [], "suppress": False}
        said = found["said"]
        fragment = re.split(r"[\s,]", said)[-1]
        fitting = [one for one in suggestions(said, names) if one.startswith(fragment)]
        return {
            "completions": [SimpleCompletion(one, type="pcrun") for one in fitting],
            "matched_fragment": fragment,
            "suppress": True,
        }

    return pcrun_matcher  # type: ignore[no-any-return]


def _column(context: Any) -> int:
    return (
        int(context.cursor_position)
        if "\n" not in context.full_text
        else len(context.line_with_cursor)
    )


def suggestions(said: str, names: Mapping[str, Any]) -> list[str]:
    """What may stand at the end of these words."""
    before = said.split()
    if said and not said[-1].isspace():
        before = before[:-1]
    if not before:
        return [*VERBS, *_asked("plans", _task(said))]
    option = before[-1]
    if before[0] in VERBS:
        return _for_verb(before, names)
    if option == "--data":
        return [*named_frames(names), *_asked("sources", "")]
    if option == "--target":
        return _columns(said, names)
    if option in ("--model", "--include", "--exclude"):
        return _asked("models", _task(said))
    if option == "--sort":
        return _asked("metrics", _task(said))
    if option == "--task":
        return _asked("tasks", "")
    return [text for action in run_parser()._actions for text in action.option_strings]


def _for_verb(before: list[str], names: Mapping[str, Any]) -> list[str]:
    if before[-1] == "--data":
        return list(named_frames(names))
    if before[0] == "deploy":
        return _asked("pipelines", "", fresh=True)
    if before[0] == "predict":
        return _asked("deployments", "", fresh=True)
    return _asked("runs", "", fresh=True)


def _columns(said: str, names: Mapping[str, Any]) -> list[str]:
    frames = named_frames(names)
    word = re.search(r"--data[\s=]+(\S+)", said)
    frame = frames.get(word[1]) if word else next(iter(frames.values()), None)
    if frame is None:
        return []
    # a name with a space is written in quotes
    return [
        text if re.fullmatch(r"[\w.-]+", text) else f"'{text}'" for text in map(str, frame.columns)
    ]


def _task(said: str) -> str:
    word = re.search(r"--task[\s=]+(\w+)", said)
    return word[1] if word else "classification"


def _ask(what: str, task: str) -> list[str]:
    caller = client()
    if what == "tasks":
        return [row["id"] for row in caller.describe.tasks()]
    if what in ("plans", "models", "metrics"):
        ask = {
            "plans": caller.describe.plans,
            "models": caller.describe.models,
            "metrics": caller.describe.metrics,
        }[what]
        return [row["id"] for row in ask(task)]
    if what == "runs":
        return [row["id"] for row in caller.runs.list(50)]
    workspace = caller.home().workspace_id
    if what == "sources":
        return [row["name"] for row in caller.data_sources.list(workspace)]
    if what == "pipelines":
        return list(dict.fromkeys(row["name"] for row in caller.pipelines.list(workspace)))
    return [row["endpoint_slug"] for row in caller.deployments.list(workspace)]


def _asked(what: str, task: str, *, fresh: bool = False) -> list[str]:
    """What the server has; an answer that takes too long is used at the next Tab."""
    key = f"{what}:{task}"
    if key in _remembered and not fresh:
        return _remembered[key]

    def work() -> None:
        try:
            _remembered[key] = _ask(what, task)
        except OpsError:
            return  # no completion; the command itself says why

    thread = threading.Thread(target=work, name="pycaret-ops-completion", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return _remembered.get(key, [])
