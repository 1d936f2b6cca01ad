"""`%pcrun`: a plan started, and what follows, from one line of a cell."""

from __future__ import annotations

import shlex
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from ..client import run_request
from ..common.errors import OpsError
from . import display
from .commands import VERBS, CommandContext
from .default_client import client
from .parsing import Helped, Parser, body_of, naming_parser, split_name
from .run import Run
from .run_launch import start


def run_parser() -> Parser:
    """The words that start a plan."""
    parser = Parser(
        prog="%pcrun",
        description="Start a plan on a frame of this notebook, a file or a data source.",
        epilog=f"Besides: %pcrun {' | '.join(VERBS)}. %%pcrun takes `setup:` and `plan:` as YAML below it.",
        parents=[naming_parser()],
    )
    run_request.add_run_arguments(parser)
    parser.add_argument(
        "--worker", action="store_true", help="run in a worker kernel, not in this one"
    )
    parser.add_argument("--wait", action="store_true", help="return when it has ended")
    parser.add_argument("--quiet", action="store_true", help="no panel, no words")
    return parser


@magics_class
class PycaretMagics(Magics):
    """The magic `%pcrun`."""

    @line_cell_magic  # type: ignore[untyped-decorator]
    def pcrun(self, line: str, cell: str | None = None) -> Any:
        """Start a plan, or look after one: `%pcrun compare --data df --target species`."""
        try:
            name, said = split_name(shlex.split(line))
            return self._do(said, cell, name)
        except Helped:
            return None
        except OpsError as error:
            more = [fault["msg"] for fault in (error.errors or [])[1:]]
            raise UsageError(" ".join([error.message, *more])) from None
        except ValueError as error:  # a quotation mark that is not closed
            raise UsageError(f"{error}.") from None

    def _do(self, said: list[str], cell: str | None, name: str | None) -> Any:
        assert self.shell is not None
        names: dict[str, Any] = self.shell.user_ns
        verb = VERBS.get(said[0]) if said else None
        if verb is not None:
            made = verb.act(
                CommandContext(client(), names), verb.parser(said[0]).parse_args(said[1:])
            )
            self._keep(name, made)
            return made
        parsed = run_parser().parse_args(said)
        setup, plan = body_of(cell) if cell is not None else ({}, {})
        request = run_request.request_from(parsed, setup, plan)
        run = start(client(), request, parsed.data, names, worker=parsed.worker)
        self._keep(name, run)  # before it waits: whoever interrupts that has the run
        if parsed.quiet:
            display.seen(run)  # an expression at the end of the cell would show it
        else:
            run._ipython_display_()
        if parsed.wait:
            self._waited(run)
        return run

    def _keep(self, name: str | None, made: Any) -> None:
        if name is not None:
            assert self.shell is not None
            self.shell.push({name: made})

    @staticmethod
    def _waited(run: Run) -> None:
        try:
            run.wait()
        except KeyboardInterrupt:
            raise UsageError(
                f"No longer waiting; the run goes on. “%pcrun cancel {run.id}” stops it."
            ) from None
