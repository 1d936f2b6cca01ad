"""`jupyter pycaret-ops`: the command line.

`migrate` and `doctor` stand beside a server and read its configuration; the others stand on the Python
client, call a server wherever it is, and import nothing of it.
"""

from __future__ import annotations

import difflib
import sys
from typing import Any

from jupyter_core.application import JupyterApp

from .. import __version__
from .commands import COMMANDS, WRONG_WORDS
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
        """Find the subcommand; one that there is not is a wrong word."""
        said = list(sys.argv[1:] if argv is None else argv)
        if not said or (said[0].startswith("-") and said[0] not in _HELP):
            self._refuse(f"“{said[0]}” is no command." if said else "Which command?")
        if said[0] not in _HELP and said[0] not in self.subcommands:
            like = difflib.get_close_matches(said[0], self.subcommands, 1)
            more = f" Did you mean “{like[0]}”?" if like else ""
            self._refuse(f"There is no command “{said[0]}”.{more}")
        super().initialize(argv)

    def _refuse(self, sentence: str) -> None:
        sys.stderr.write(
            f"{sentence}\nCommands: {', '.join(self.subcommands)}. More: jupyter pycaret-ops --help\n"
        )
        sys.exit(WRONG_WORDS)


#: what asks about the program itself
_HELP = ("-h", "--help", "--help-all", "--version", "--generate-config", "--show-config")


def main(argv: list[str] | None = None) -> None:
    """Entry point of `jupyter pycaret-ops`."""
    with tolerant_output():
        CommandLine.launch_instance(argv)
