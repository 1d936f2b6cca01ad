"""Completion of `%pcrun`: subcommands, plans, options, models, metrics, columns, runs."""

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
from .commands import SUBCOMMANDS
from .completion_cache import CompletionCache
from .dataframes import columns_of, named_frames
from .magic import run_parser
from .run import Run

_PCRUN = re.compile(r"%%?pcrun\s(?P<typed>.*)$", re.DOTALL)
#: the task is not guessed from a DataFrame with more columns
MAX_COLUMNS = 200
#: subcommand → kind of name that its first argument is
FIRST_ARGUMENTS = {
    "keep": "runs",
    "promote": "runs",
    "deploy": "pipelines",
    "predict": "deployments",
    "list": "",
}


def matcher(names: Mapping[str, Any], completions: CompletionCache) -> Callable[[Any], Any]:
    """Return a matcher for IPython's completer, with names of the notebook and of the server."""

    @context_matcher()  # type: ignore[untyped-decorator]
    def pcrun_matcher(context: Any) -> Any:
        match = _PCRUN.search(context.line_with_cursor[: _column(context)])
        if match is None:
            return {"completions": [], "suppress": False}
        typed = match["typed"]
        fragment = re.split(r"[\s,]", typed)[-1]
        return {
            "completions": [
                SimpleCompletion(text, type="pcrun")
                for text in suggestions(typed, names, completions)
                # a quoted name is matched without its quote
                if text.startswith(fragment) or (text[:1] == "'" and text[1:].startswith(fragment))
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


def suggestions(typed: str, names: Mapping[str, Any], completions: CompletionCache) -> list[str]:
    """Return the texts that may complete what was typed after `%pcrun`."""
    before, fragment = _split_words(typed)
    if before[:1] == ["--as"] and len(before) > 1:
        before = before[2:]
    if not before:
        return ["--as", *SUBCOMMANDS, *completions.engine_names("plans", _task(typed, names))]
    subcommand = SUBCOMMANDS.get(before[0])
    parser = run_parser() if subcommand is None else subcommand.parser(before[0])
    action = _option_before(parser, before[-1])
    if action is not None:
        return _values(before, action, typed, names, completions)
    if subcommand is None or fragment.startswith("-"):
        return [text for one in parser._actions for text in one.option_strings]
    kind = FIRST_ARGUMENTS.get(before[0], "runs")
    variables = [name for name, value in names.items() if isinstance(value, Run) and name[0] != "_"]
    return [
        *(variables if kind == "runs" else []),
        *(completions.server_names(kind) if kind else []),
    ]


def _split_words(typed: str) -> tuple[list[str], str]:
    """Return the complete words, and the fragment being typed."""
    try:
        found = shlex.split(typed)
    except ValueError:  # a quotation mark that is not closed yet
        found = typed.split()
    if typed and not typed[-1].isspace():
        return found[:-1], found[-1] if found else ""
    return found, ""


def _option_before(parser: argparse.ArgumentParser, option: str) -> argparse.Action | None:
    """Return the action of `option` if the next word is its value."""
    return next(
        (one for one in parser._actions if option in one.option_strings and one.nargs != 0), None
    )


def _values(
    before: list[str],
    action: argparse.Action,
    typed: str,
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
            if before[0] in SUBCOMMANDS
            else [*frames, *SAMPLE_SETS, *completions.server_names("sources")]
        )
    if option == "--target":
        frame = _frame(typed, names)
        return [] if frame is None else [_quoted(str(name)) for name in frame.columns]
    if option in ("--model", "--include", "--exclude"):
        return completions.engine_names("models", _task(typed, names))
    if option == "--sort":
        return completions.engine_names("metrics", _task(typed, names))
    if option in ("--project", "--experiment"):
        return [_quoted(name) for name in completions.server_names(f"{option[2:]}s")]
    return []


def _quoted(text: str) -> str:
    """Return `text` as it is written in a line: quoted if it has spaces."""
    return text if re.fullmatch(r"[\w.-]+", text) else shlex.quote(text)


def _option_value(typed: str, option: str) -> str | None:
    before, _ = _split_words(typed)
    positions = [i for i, word in enumerate(before[:-1]) if word == option]
    return before[positions[-1] + 1] if positions else None


def _frame(typed: str, names: Mapping[str, Any]) -> Any:
    """Return the DataFrame after `--data`, else the only one of the notebook."""
    frames = named_frames(names)
    name = _option_value(typed, "--data")
    if name is not None:
        return frames.get(name)
    return next(iter(frames.values())) if len(frames) == 1 else None


def _task(typed: str, names: Mapping[str, Any]) -> str:
    """Return the task after `--task`, else the one that the run would guess."""
    task, name, target = (_option_value(typed, f"--{word}") for word in ("task", "data", "target"))
    if task is not None:
        return task
    if name is not None and name in SAMPLE_SETS:
        return SAMPLE_SETS[name]
    frame = _frame(typed, names)
    if frame is None or len(frame.columns) > MAX_COLUMNS:
        return CLASSIFICATION.id
    return suggest_for(columns_of(frame), target)["task"] or CLASSIFICATION.id
