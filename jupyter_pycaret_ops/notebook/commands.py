"""The subcommands of `%pcrun` that follow and use runs, in one table that completion reads too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..client import ENDED, Client, run_request
from ..common.errors import Invalid
from .parsing import Parser, naming_parser
from .run import Run
from .serving import Deployment, Pipeline, find_pipeline


class CommandContext:
    """The client and the variables of the notebook, for subcommands."""

    def __init__(self, client: Client, names: Mapping[str, Any]) -> None:
        self.client = client
        self.names = names

    def run(self, text: str | None) -> Run:
        """Return a run by variable or id; the newest without either."""
        value = self.names.get(text or "")
        if isinstance(value, Run):
            return value
        return Run(self.client, self.client.runs.get(run_request.find_run(self.client, text)))


def list_runs(context: CommandContext, arguments: argparse.Namespace) -> Any:
    """List the newest runs in a DataFrame."""
    import pandas as pd

    filters: Any = {"status": arguments.status} if arguments.status else {}
    return pd.DataFrame(
        [
            {
                "run": row["id"],
                "status": row["status"],
                "plan": row["plan"],
                "done": row["progress"].get("done"),
                "of": row["progress"].get("total"),
                "best": run_request.best_model_text(row),
                "queued": pd.Timestamp(row["queued_at"]).floor("s"),
            }
            for row in context.client.runs.list(arguments.limit, **filters)
        ],
        columns=["run", "status", "plan", "done", "of", "best", "queued"],
    )


def show(context: CommandContext, arguments: argparse.Namespace) -> Run:
    """Show the panel of a run."""
    return context.run(arguments.run)


def cancel(context: CommandContext, arguments: argparse.Namespace) -> Run:
    """Cancel a run; its kernel keeps running."""
    return context.run(arguments.run).cancel()


def wait(context: CommandContext, arguments: argparse.Namespace) -> Run:
    """Wait until a run has ended."""
    return context.run(arguments.run).wait(arguments.timeout)


def logs(context: CommandContext, arguments: argparse.Namespace) -> None:
    """Print the events of a run."""
    previous = ("", "")
    for event in context.run(arguments.run).events():
        entry = (event["kind"], event["message"])
        if entry != previous:  # progress is reported for each fold
            sys.stdout.write(f"{event['timestamp'][11:19]}  {entry[0]:24}{entry[1]}\n")
        previous = entry


def promote(context: CommandContext, arguments: argparse.Namespace) -> Pipeline:
    """Promote the pipeline of a run: `promote NAME` for the newest run, or `promote RUN NAME`."""
    run, name = (arguments.first, arguments.second) if arguments.second else (None, arguments.first)
    return context.run(run).promote(name, model_id=arguments.model)


def keep(context: CommandContext, arguments: argparse.Namespace) -> Run:
    """Fit a model of a leaderboard on all rows and keep it: `keep MODEL` of the newest run, or `keep RUN MODEL`."""
    run, model = (
        (arguments.first, arguments.second) if arguments.second else (None, arguments.first)
    )
    return context.run(run).keep(model)


def deploy(context: CommandContext, arguments: argparse.Namespace) -> Deployment:
    """Deploy the newest version of a pipeline: `deploy NAME [SLUG]`."""
    value = context.names.get(arguments.name)
    pipeline = (
        value if isinstance(value, Pipeline) else find_pipeline(context.client, arguments.name)
    )
    return pipeline.deploy(arguments.slug, arguments.auth)


def predict(context: CommandContext, arguments: argparse.Namespace) -> Any:
    """Predict the rows of a DataFrame with a deployment: `predict SLUG --data NAME`."""
    if arguments.data not in context.names:
        raise Invalid(f"There is no DataFrame “{arguments.data}” in this notebook.")
    row = context.client.deployments.get(arguments.slug)
    return Deployment(context.client, row).predict(
        context.names[arguments.data], proba=arguments.proba
    )


@dataclass(frozen=True, slots=True)
class Subcommand:
    """A subcommand: its function and its arguments."""

    function: Callable[[CommandContext, argparse.Namespace], Any]
    #: positional arguments; those that end in `?` are optional
    positionals: tuple[str, ...] = ()
    #: option → arguments of `add_argument`
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def parser(self, name: str) -> Parser:
        """Return the parser of its arguments."""
        parser = Parser(
            prog=f"%pcrun {name}", description=self.function.__doc__, parents=[naming_parser()]
        )
        for positional in self.positionals:
            parser.add_argument(
                positional.rstrip("?"), nargs="?" if positional.endswith("?") else None
            )
        for option, settings in self.options.items():
            parser.add_argument(option, **settings)
        return parser


SUBCOMMANDS: dict[str, Subcommand] = {
    "list": Subcommand(
        list_runs,
        options={
            "--status": {"choices": ["queued", "running", *sorted(ENDED)]},
            "--limit": {"type": int, "default": 20},
        },
    ),
    "show": Subcommand(show, ("run?",)),
    "cancel": Subcommand(cancel, ("run?",)),
    "wait": Subcommand(wait, ("run?",), {"--timeout": {"type": float, "help": "in seconds"}}),
    "logs": Subcommand(logs, ("run?",)),
    "keep": Subcommand(keep, ("first", "second?")),
    "promote": Subcommand(
        promote,
        ("first", "second?"),
        {"--model": {"help": "another model of the leaderboard than the best"}},
    ),
    "deploy": Subcommand(
        deploy,
        ("name", "slug?"),
        {"--auth": {"choices": ["workspace", "api-key", "public"], "default": "workspace"}},
    ),
    "predict": Subcommand(
        predict,
        ("slug",),
        {"--data": {"required": True, "help": "a DataFrame"}, "--proba": {"action": "store_true"}},
    ),
}
