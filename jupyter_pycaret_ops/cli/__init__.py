"""`jupyter pycaret-ops`: the command line.

`migrate` and `doctor` run on the machine of a server and read its configuration. The other commands use the
Python client, call a server anywhere, and do not import the server.
"""

from __future__ import annotations

import difflib
import sys
from typing import Any

from jupyter_core.application import JupyterApp

from .. import __version__
from .client_command import USAGE_ERROR
from .commands import COMMANDS
from .output import tolerant_output
from .server_commands import DoctorApp, MigrateApp

__all__ = ["CommandLine", "main"]


class CommandLine(JupyterApp):
    """Operations of Jupyter PyCaret Ops from a terminal."""

    name = "jupyter-pycaret-ops"
    description = __doc__
    version = __version__
    subcommands: Any = {  # noqa: RUF012
        **{command.name: (command, command.summary()) for command in COMMANDS},
        "migrate": (MigrateApp, (MigrateApp.__doc__ or "").strip()),
        "doctor": (DoctorApp, (DoctorApp.__doc__ or "").strip()),
    }

    def initialize(self, argv: Any = None) -> None:
        """Find the subcommand; an unknown one is a usage error."""
        args = list(sys.argv[1:] if argv is None else argv)
        if not args or (args[0].startswith("-") and args[0] not in _HELP):
            self._refuse(f"“{args[0]}” is not a command." if args else "The command is missing.")
        if args[0] not in _HELP and args[0] not in self.subcommands:
            similar = difflib.get_close_matches(args[0], self.subcommands, 1)
            hint = f" Did you mean “{similar[0]}”?" if similar else ""
            self._refuse(f"There is no command “{args[0]}”.{hint}")
        super().initialize(argv)

    def _refuse(self, message: str) -> None:
        sys.stderr.write(
            f"{message}\nCommands: {', '.join(self.subcommands)}. More: jupyter pycaret-ops --help\n"
        )
        sys.exit(USAGE_ERROR)


#: options of the program itself
_HELP = ("-h", "--help", "--help-all", "--version", "--generate-config", "--show-config")


def main(argv: list[str] | None = None) -> None:
    """Run `jupyter pycaret-ops`; the entry point of the command."""
    with tolerant_output():
        CommandLine.launch_instance(argv)
