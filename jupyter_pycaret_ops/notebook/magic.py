"""The magic `%pcrun`: start a plan, or a subcommand, from one line of a cell."""

from __future__ import annotations

import shlex
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from ..client import run_request
from ..common.errors import OpsError
from . import display
from .commands import SUBCOMMANDS, CommandContext
from .default_client import client
from .parsing import HelpShown, Parser, naming_parser, parse_body, split_name
from .run import Run
from .run_launch import start


def run_parser() -> Parser:
    """Return the parser of the arguments that start a plan."""
    parser = Parser(
        prog="%pcrun",
        description="Start a plan on a DataFrame of this notebook, a file or a data source.",
        epilog=f"Subcommands: %pcrun {' | '.join(SUBCOMMANDS)}. %%pcrun takes `setup:` and `plan:` as YAML below it.",
        parents=[naming_parser()],
    )
    run_request.add_run_arguments(parser)
    parser.add_argument(
        "--worker", action="store_true", help="run in a worker kernel, not in this one"
    )
    parser.add_argument("--wait", action="store_true", help="return when the run has ended")
    parser.add_argument("--quiet", action="store_true", help="show no panel and no messages")
    return parser


@magics_class
class PycaretMagics(Magics):
    """The magic `%pcrun`."""

    @line_cell_magic  # type: ignore[untyped-decorator]
    def pcrun(self, line: str, cell: str | None = None) -> Any:
        """Start a plan, or run a subcommand: `%pcrun compare --data df --target species`."""
        try:
            name, arguments = split_name(shlex.split(line))
            return self._execute(arguments, cell, name)
        except HelpShown:
            return None
        except OpsError as error:
            more = [field_error["msg"] for field_error in (error.errors or [])[1:]]
            raise UsageError(" ".join([error.message, *more])) from None
        except ValueError as error:  # a quotation mark that is not closed
            raise UsageError(f"{error}.") from None

    def _execute(self, arguments: list[str], cell: str | None, name: str | None) -> Any:
        assert self.shell is not None
        names: dict[str, Any] = self.shell.user_ns
        subcommand = SUBCOMMANDS.get(arguments[0]) if arguments else None
        if subcommand is not None:
            result = subcommand.function(
                CommandContext(client(), names),
                subcommand.parser(arguments[0]).parse_args(arguments[1:]),
            )
            self._assign(name, result)
            return result
        parsed = run_parser().parse_args(arguments)
        setup, plan = parse_body(cell) if cell is not None else ({}, {})
        request = run_request.request_from(parsed, setup, plan)
        run = start(client(), request, parsed.data, names, worker=parsed.worker)
        self._assign(name, run)  # before waiting: after an interrupt the variable is set
        if parsed.quiet:
            display.mark_shown(run)  # an expression at the end of the cell would show it
        else:
            run._ipython_display_()
        if parsed.wait:
            self._wait(run)
        return run

    def _assign(self, name: str | None, result: Any) -> None:
        if name is not None:
            assert self.shell is not None
            self.shell.push({name: result})

    @staticmethod
    def _wait(run: Run) -> None:
        try:
            run.wait()
        except KeyboardInterrupt:
            raise UsageError(
                f"Stopped waiting; the run goes on. Cancel it with “%pcrun cancel {run.id}”."
            ) from None
