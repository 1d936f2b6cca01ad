"""What looks after runs: the verbs of `%pcrun`, in one table that completion reads too."""

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
    """What the verbs work with: the client, and the names of the notebook."""

    def __init__(self, caller: Client, names: Mapping[str, Any]) -> None:
        self.client = caller
        self.names = names

    def run(self, text: str | None) -> Run:
        """A run by variable or id; left out, the newest."""
        named = self.names.get(text or "")
        if isinstance(named, Run):
            return named
        return Run(self.client, self.client.runs.get(run_request.find_run(self.client, text)))


def list_runs(context: CommandContext, said: argparse.Namespace) -> Any:
    """The newest runs, as a frame."""
    import pandas as pd

    narrow: Any = {"status": said.status} if said.status else {}
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
            for row in context.client.runs.list(said.limit, **narrow)
        ],
        columns=["run", "status", "plan", "done", "of", "best", "queued"],
    )


def show(context: CommandContext, said: argparse.Namespace) -> Run:
    """A run with its panel."""
    return context.run(said.run)


def cancel(context: CommandContext, said: argparse.Namespace) -> Run:
    """Stop a run; its kernel goes on."""
    return context.run(said.run).cancel()


def wait(context: CommandContext, said: argparse.Namespace) -> Run:
    """Return when a run has ended."""
    return context.run(said.run).wait(said.timeout)


def logs(context: CommandContext, said: argparse.Namespace) -> None:
    """Print what has happened in a run."""
    before = ("", "")
    for event in context.run(said.run).events():
        told = (event["kind"], event["message"])
        if told != before:  # progress is told fold by fold
            sys.stdout.write(f"{event['timestamp'][11:19]}  {told[0]:24}{told[1]}\n")
        before = told


def promote(context: CommandContext, said: argparse.Namespace) -> Pipeline:
    """Keep a run's pipeline under a name: `promote NAME` for the newest, `promote RUN NAME`."""
    run, name = (said.first, said.second) if said.second else (None, said.first)
    return context.run(run).promote(name, model_id=said.model)


def deploy(context: CommandContext, said: argparse.Namespace) -> Deployment:
    """Put a pipeline behind an endpoint: `deploy NAME [SLUG]`, the newest version of that name."""
    named = context.names.get(said.name)
    pipeline = named if isinstance(named, Pipeline) else find_pipeline(context.client, said.name)
    return pipeline.deploy(said.slug, said.auth)


def predict(context: CommandContext, said: argparse.Namespace) -> Any:
    """Predict a frame's rows with a deployment: `predict SLUG --data NAME`."""
    if said.data not in context.names:
        raise Invalid(f"There is no frame “{said.data}” in this notebook.")
    row = context.client.deployments.get(said.slug)
    return Deployment(context.client, row).predict(context.names[said.data], proba=said.proba)


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb does, and the words that may follow it."""

    act: Callable[[CommandContext, argparse.Namespace], Any]
    #: in their order; those that end in `?` may be left out
    places: tuple[str, ...] = ()
    #: as argparse takes them
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def parser(self, name: str) -> Parser:
        """What reads the words after it."""
        parser = Parser(
            prog=f"%pcrun {name}", description=self.act.__doc__, parents=[naming_parser()]
        )
        for place in self.places:
            parser.add_argument(place.rstrip("?"), nargs="?" if place.endswith("?") else None)
        for option, how in self.options.items():
            parser.add_argument(option, **how)
        return parser


VERBS: dict[str, Verb] = {
    "list": Verb(
        list_runs,
        options={
            "--status": {"choices": ["queued", "running", *sorted(ENDED)]},
            "--limit": {"type": int, "default": 20},
        },
    ),
    "show": Verb(show, ("run?",)),
    "cancel": Verb(cancel, ("run?",)),
    "wait": Verb(wait, ("run?",), {"--timeout": {"type": float, "help": "in seconds"}}),
    "logs": Verb(logs, ("run?",)),
    "promote": Verb(
        promote, ("first", "second?"), {"--model": {"help": "another kept model than the best"}}
    ),
    "deploy": Verb(
        deploy,
        ("name", "slug?"),
        {"--auth": {"choices": ["workspace", "api-key", "public"], "default": "workspace"}},
    ),
    "predict": Verb(
        predict,
        ("slug",),
        {"--data": {"required": True, "help": "a frame"}, "--proba": {"action": "store_true"}},
    ),
}
