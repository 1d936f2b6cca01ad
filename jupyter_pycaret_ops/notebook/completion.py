"""Completion of `%pcrun`: verbs, plans, options, models, metrics, columns of the named frame, runs."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from ..common.engine_facts import SAMPLE_SETS
from ..common.tables.suggestion import suggest_for
from ..common.task_types import CLASSIFICATION
from .commands import VERBS
from .completion_cache import CompletionCache
from .dataframes import columns_of, named_frames
from .magic import run_parser
from .run import Run

_LINE = re.compile(r"%%?pcrun\s(?P<said>.*)$", re.DOTALL)
#: a frame that has more columns is not examined for what it is about
MOST_EXAMINED = 200
#: what a verb's first word names
PLACES = {"promote": "runs", "deploy": "pipelines", "predict": "deployments", "list": ""}


def matcher(names: Mapping[str, Any], completions: CompletionCache) -> Callable[[Any], Any]:
    """A matcher for IPython's completer, over the notebook's names and the server's."""

    @context_matcher()  # type: ignore[untyped-decorator]
    def pcrun_matcher(context: Any) -> Any:
        found = _LINE.search(context.line_with_cursor[: _column(context)])
        if found is None:
            return {"completions": [], "suppress": False}
        said = found["said"]
        fragment = re.split(r"[\s,]", said)[-1]
        return {
            "completions": [
                SimpleCompletion(one, type="pcrun")
                for one in suggestions(said, names, completions)
                # a name in quotes is found by what stands in them
                if one.startswith(fragment) or (one[:1] == "'" and one[1:].startswith(fragment))
            ],
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


def suggestions(said: str, names: Mapping[str, Any], completions: CompletionCache) -> list[str]:
    """What may stand at the end of these words."""
    before, fragment = _words(said)
    if before[:1] == ["--as"] and len(before) > 1:
        before = before[2:]
    if not before:
        return ["--as", *VERBS, *completions.engine("plans", _task(said, names))]
    verb = VERBS.get(before[0])
    parser = run_parser() if verb is None else verb.parser(before[0])
    action = _taking(parser, before[-1])
    if action is not None:
        return _values(before, action, said, names, completions)
    if verb is None or fragment.startswith("-"):
        return [text for one in parser._actions for text in one.option_strings]
    what = PLACES.get(before[0], "runs")
    here = [name for name, value in names.items() if isinstance(value, Run) and name[0] != "_"]
    return [*(here if what == "runs" else []), *(completions.people(what) if what else [])]


def _words(said: str) -> tuple[list[str], str]:
    """The words that stand, and the one that is being typed."""
    try:
        found = shlex.split(said)
    except ValueError:  # a quotation mark that is not closed yet
        found = said.split()
    if said and not said[-1].isspace():
        return found[:-1], found[-1] if found else ""
    return found, ""


def _taking(parser: argparse.ArgumentParser, option: str) -> argparse.Action | None:
    """The option that takes the word after it, if this is one."""
    return next(
        (one for one in parser._actions if option in one.option_strings and one.nargs != 0), None
    )


def _values(
    before: list[str],
    action: argparse.Action,
    said: str,
    names: Mapping[str, Any],
    completions: CompletionCache,
) -> list[str]:
    option = before[-1]
    if action.choices:
        return [str(one) for one in action.choices]
    if option == "--as":
        return ["run", *(name for name, value in names.items() if isinstance(value, Run))]
    if option == "--data":
        frames = list(named_frames(names))
        return (
            frames
            if before[0] in VERBS
            else [*frames, *SAMPLE_SETS, *completions.people("sources")]
        )
    if option == "--target":
        frame = _frame(said, names)
        return [] if frame is None else [_quoted(str(name)) for name in frame.columns]
    if option in ("--model", "--include", "--exclude"):
        return completions.engine("models", _task(said, names))
    if option == "--sort":
        return completions.engine("metrics", _task(said, names))
    if option in ("--project", "--experiment"):
        return [_quoted(name) for name in completions.people(f"{option[2:]}s")]
    return []


def _quoted(text: str) -> str:
    """As it is written in a line: a name with a space stands in quotes."""
    return text if re.fullmatch(r"[\w.-]+", text) else shlex.quote(text)


def _after(said: str, option: str) -> str | None:
    before, _ = _words(said)
    places = [place for place, word in enumerate(before[:-1]) if word == option]
    return before[places[-1] + 1] if places else None


def _frame(said: str, names: Mapping[str, Any]) -> Any:
    """The frame that is named, else the only one."""
    frames = named_frames(names)
    name = _after(said, "--data")
    if name is not None:
        return frames.get(name)
    return next(iter(frames.values())) if len(frames) == 1 else None


def _task(said: str, names: Mapping[str, Any]) -> str:
    """The task that is named, else the one that the run itself would guess."""
    task, name, target = (_after(said, f"--{word}") for word in ("task", "data", "target"))
    if task is not None:
        return task
    if name is not None and name in SAMPLE_SETS:
        return SAMPLE_SETS[name]
    frame = _frame(said, names)
    if frame is None or len(frame.columns) > MOST_EXAMINED:
        return CLASSIFICATION.id
    return suggest_for(columns_of(frame), target)["task"] or CLASSIFICATION.id
