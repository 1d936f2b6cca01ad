"""`%pcrun`: a plan started, and what follows, from one line of a cell."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from ..client import ENDED, Client
from ..client import asking as words
from ..client.rows import JSON
from ..errors import Invalid, OpsError
from . import deploy as deploy_pipeline
from . import display
from .run import Run
from .serving import Deployment, Pipeline
from .session import client
from .starting import start

#: what the body of a cell may hold, and the older way to say it
_BODY = {"setup": "setup", "setup_params": "setup", "plan": "plan", "plan_params": "plan"}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise, where others exit."""
        raise UsageError(f"{message[0].upper()}{message[1:]}. “%pcrun --help” lists the words.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """After help was printed."""
        raise Helped(message or "")


class Helped(Exception):
    """Help was asked for, and given."""


def run_parser() -> Parser:
    """The words that start a plan."""
    parser = Parser(
        prog="%pcrun",
        description="Start a plan on a frame of this notebook, a file or a data source.",
        epilog=f"Besides: %pcrun {' | '.join(VERBS)}. %%pcrun takes `setup:` and `plan:` as YAML below it.",
    )
    words.add_words(parser)
    parser.add_argument(
        "--worker", action="store_true", help="run in a worker kernel, not in this one"
    )
    parser.add_argument("--wait", action="store_true", help="return when it has ended")
    parser.add_argument("--quiet", action="store_true", help="no panel, no words")
    return parser


def verb_parser(verb: str, *places: str) -> Parser:
    """The words of a verb; `places` that end in `?` may be left out."""
    parser = Parser(prog=f"%pcrun {verb}", description=VERBS[verb].__doc__)
    for place in places:
        parser.add_argument(place.rstrip("?"), nargs="?" if place.endswith("?") else None)
    return parser


class Desk:
    """What the verbs work with: the client, and the names of the notebook."""

    def __init__(self, caller: Client, names: dict[str, Any]) -> None:
        self.client = caller
        self.names = names

    def run(self, text: str | None) -> Run:
        """A run by variable or id; left out, the newest."""
        named = self.names.get(text or "")
        if isinstance(named, Run):
            return named
        return Run(self.client, self.client.runs.get(words.find_run(self.client, text)))


def list_runs(desk: Desk, said: list[str]) -> Any:
    """The newest runs, as a frame."""
    import pandas as pd

    parser = verb_parser("list")
    parser.add_argument("--status", choices=["queued", "running", *sorted(ENDED)])
    parser.add_argument("--limit", type=int, default=20)
    parsed = parser.parse_args(said)
    narrow: Any = {"status": parsed.status} if parsed.status else {}
    return pd.DataFrame(
        [
            {
                "run": row["id"],
                "status": row["status"],
                "plan": row["plan"],
                "done": row["progress"].get("done"),
                "of": row["progress"].get("total"),
                "best": words.best_of(row),
                "queued": row["queued_at"],
            }
            for row in desk.client.runs.list(parsed.limit, **narrow)
        ],
        columns=["run", "status", "plan", "done", "of", "best", "queued"],
    )


def show(desk: Desk, said: list[str]) -> Run:
    """A run with its panel."""
    return desk.run(verb_parser("show", "run?").parse_args(said).run)


def cancel(desk: Desk, said: list[str]) -> Run:
    """Stop a run; its kernel goes on."""
    return desk.run(verb_parser("cancel", "run?").parse_args(said).run).cancel()


def wait(desk: Desk, said: list[str]) -> Run:
    """Return when a run has ended."""
    parser = verb_parser("wait", "run?")
    parser.add_argument("--timeout", type=float)
    parsed = parser.parse_args(said)
    return desk.run(parsed.run).wait(parsed.timeout)


def logs(desk: Desk, said: list[str]) -> None:
    """Print what has happened in a run."""
    run = desk.run(verb_parser("logs", "run?").parse_args(said).run)
    for event in run.events():
        sys.stdout.write(f"{event['timestamp'][11:19]}  {event['kind']:24}{event['message']}\n")


def promote(desk: Desk, said: list[str]) -> Pipeline:
    """Keep a run's pipeline under a name: `promote NAME` for the newest, `promote RUN NAME`."""
    parser = verb_parser("promote", "first", "second?")
    parser.add_argument("--model", help="another kept model than the best")
    parsed = parser.parse_args(said)
    run, name = (parsed.first, parsed.second) if parsed.second else (None, parsed.first)
    return desk.run(run).promote(name, model_id=parsed.model)


def deploy(desk: Desk, said: list[str]) -> Deployment:
    """Put a pipeline behind an endpoint: `deploy NAME [SLUG]`, the newest version of that name."""
    parser = verb_parser("deploy", "name", "slug?")
    parser.add_argument("--auth", choices=["workspace", "api-key", "public"], default="workspace")
    parsed = parser.parse_args(said)
    named = desk.names.get(parsed.name)
    return deploy_pipeline(
        named if isinstance(named, Pipeline) else parsed.name, parsed.slug, parsed.auth
    )


def predict(desk: Desk, said: list[str]) -> Any:
    """Predict a frame's rows with a deployment: `predict SLUG --data NAME`."""
    parser = verb_parser("predict", "slug")
    parser.add_argument("--data", required=True)
    parser.add_argument("--proba", action="store_true")
    parsed = parser.parse_args(said)
    if parsed.data not in desk.names:
        raise Invalid(f"There is no frame “{parsed.data}” in this notebook.")
    row = desk.client.deployments.get(parsed.slug)
    return Deployment(desk.client, row).predict(desk.names[parsed.data], proba=parsed.proba)


VERBS: dict[str, Callable[[Desk, list[str]], Any]] = {
    "list": list_runs,
    "show": show,
    "cancel": cancel,
    "wait": wait,
    "logs": logs,
    "promote": promote,
    "deploy": deploy,
    "predict": predict,
}


def body_of(cell: str) -> tuple[JSON, JSON]:
    """Set-up and plan parameters from the YAML below `%%pcrun`.

    Raises
    ------
    Invalid
        When it is not YAML, or holds something else.
    """
    import yaml

    try:
        body = yaml.safe_load(cell) or {}
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise Invalid(f"The body of the cell is not YAML{line}.") from None
    found: dict[str, JSON] = {"setup": {}, "plan": {}}
    for name, value in body.items() if isinstance(body, dict) else [("", None)]:
        if name not in _BODY or not isinstance(value, dict | None):
            raise Invalid("The body of the cell holds `setup:` and `plan:`, with parameters below.")
        found[_BODY[name]].update(value or {})
    return found["setup"], found["plan"]


@magics_class
class PycaretMagics(Magics):
    """The magic `%pcrun`."""

    @line_cell_magic  # type: ignore[untyped-decorator]
    def pcrun(self, line: str, cell: str | None = None) -> Any:
        """Start a plan, or look after one: `%pcrun compare --data df --target species`."""
        try:
            said = shlex.split(line)
            return self._do(said, cell)
        except Helped:
            return None
        except OpsError as error:
            more = [fault["msg"] for fault in (error.errors or [])[1:]]
            raise UsageError(" ".join([error.message, *more])) from None
        except ValueError as error:  # a quotation mark that is not closed
            raise UsageError(f"{error}.") from None

    def _do(self, said: list[str], cell: str | None) -> Any:
        assert self.shell is not None
        names: dict[str, Any] = self.shell.user_ns
        if said and said[0] in VERBS:
            return VERBS[said[0]](Desk(client(), names), said[1:])
        parsed = run_parser().parse_args(said)
        setup, plan = body_of(cell) if cell is not None else ({}, {})
        question = words.question_of(parsed, setup, plan)
        run = start(client(), question, parsed.data, names, worker=parsed.worker)
        if parsed.quiet:
            display.seen(run)  # an expression at the end of the cell would show it
        else:
            run._ipython_display_()
        if parsed.wait:
            self._waited(run)
        return run

    @staticmethod
    def _waited(run: Run) -> None:
        try:
            run.wait()
        except KeyboardInterrupt:
            raise UsageError(
                f"No longer waiting; the run goes on. “%pcrun cancel {run.id}” stops it."
            ) from None
