"""`jupyter pycaret-ops`: the command line.

`migrate` and `doctor` stand beside a server and read its configuration; the others stand on the Python
client, call a server wherever it is, and import nothing of it.
"""

from __future__ import annotations

from typing import Any

from jupyter_core.application import JupyterApp

from .. import __version__
from .calls import COMMANDS
from .server import DoctorApp, MigrateApp

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

    def start(self) -> None:
        """Run a subcommand; without one, say which there are."""
        super().start()
        if self.subapp is None:
            self.print_help()
            self.exit(1)


def main(argv: list[str] | None = None) -> None:
    """Entry point of `jupyter pycaret-ops`."""
    CommandLine.launch_instance(argv)
