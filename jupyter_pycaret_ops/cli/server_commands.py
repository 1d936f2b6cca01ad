"""`migrate` and `doctor`: commands beside a server, with the server's own configuration."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_core.application import JupyterApp
from traitlets import Bool, Unicode, default

from .. import __version__
from ..server import settings
from .commands import WRONG_WORDS

if TYPE_CHECKING:
    from ..server.doctor import Finding


class Command(JupyterApp):
    """A subcommand: it reads the configuration that the server reads."""

    version = __version__
    aliases: Any = {}  # noqa: RUF012 - traitlets reads it from the class
    flags: Any = {}  # noqa: RUF012

    @default("config_file_name")
    def _default_config_file_name(self) -> str:
        return "jupyter_server_config"

    def _read_configuration(self) -> None:
        """Read the server's configuration, and that of the extension over it."""
        for name in (
            "jupyter_config",
            "jupyter_server_config",
            "jupyter_jupyter_pycaret_ops_config",
        ):
            self.config_file_name = name
            self.load_config_file()

    def initialize(self, argv: Any = None) -> None:
        """Parse the command line over the configuration files."""
        self._refuse_unknown(sys.argv[1:] if argv is None else argv)
        self.parse_command_line(argv)
        command_line = self.cli_config
        self._read_configuration()
        self.update_config(command_line)

    def _refuse_unknown(self, argv: Sequence[str]) -> None:
        """Refuse words that would have no effect: a mistyped option is not to do something else."""
        alone = {"help", "help-all", "version", "h", "debug", "y", *self.flags}
        words = iter(argv)
        for word in words:
            name, sign, _ = word.lstrip("-").partition("=")
            takes_value = name in self.aliases or "." in name
            if not word.startswith("-") or not (takes_value or name in alone):
                sys.stderr.write(f"There is no “{word}” here. More: --help\n")
                sys.exit(WRONG_WORDS)
            if takes_value and not sign:
                next(words, None)

    def exit_with(self, message: str) -> NoReturn:
        """Say what went wrong, without a traceback."""
        sys.stderr.write(f"{message}\n")
        sys.exit(1)


class MigrateApp(Command):
    """Bring the database to a revision of the schema; by default to the newest."""

    name = "jupyter-pycaret-ops-migrate"
    description = __doc__

    url = Unicode(help="SQLAlchemy URL of the database. Default: the server's database_url.").tag(
        config=True
    )
    revision = Unicode(
        "head", help="The revision to go to: `head`, `base`, or a revision's id."
    ).tag(config=True)
    aliases: Any = {  # noqa: RUF012 - traitlets reads it from the class
        "url": "MigrateApp.url",
        "revision": "MigrateApp.revision",
    }

    def database_url(self) -> str:
        """Where to migrate: the option, else the configured database, else the default one."""
        configured = self.config.get("PyCaretOpsApp", {}).get("database_url")
        return str(self.url or configured or settings.default_database_url())

    def start(self) -> None:
        """Migrate, and say what was done."""
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, SQLAlchemyError

        from ..common.errors import OpsError
        from ..server.store.bootstrap import SchemaBlocked, migrate

        target = self.database_url()
        try:
            shown = make_url(target).render_as_string(hide_password=True)
        except ArgumentError:
            self.exit_with("The database's URL is not one, like sqlite:////home/ada/ops.db.")
        try:
            report = migrate(target, self.revision)
        except (SchemaBlocked, OpsError) as error:
            self.exit_with(str(error))
        except SQLAlchemyError as error:
            self.exit_with(f"The database {shown} could not be opened: {error}")
        if report.backup is not None:
            sys.stdout.write(f"Copied the database to {report.backup}\n")
        sys.stdout.write(f"{shown} was {report.found}; it is at revision {report.revision} now.\n")


class DoctorApp(Command):
    """Look whether everything that the server needs is there, and say what to do where it is not."""

    name = "jupyter-pycaret-ops-doctor"
    description = __doc__

    # what libraries say of their own is nobody's finding
    log_level = logging.ERROR
    json = Bool(False, help="Answer in JSON, for scripts.").tag(config=True)
    flags: Any = {  # noqa: RUF012 - traitlets reads it from the class
        "json": ({"DoctorApp": {"json": True}}, "Answer in JSON, for scripts.")
    }

    def start(self) -> None:
        """Print a line for each thing looked at; the exit code is 1 where something cannot work."""
        found = []
        for finding in self._findings():
            found.append(finding)
            if not self.json:
                _print(finding)
        is_well = all(finding.verdict != "bad" for finding in found)
        if self.json:
            told = {"is_well": is_well, "findings": [asdict(finding) for finding in found]}
            sys.stdout.write(json.dumps(told, indent=2) + "\n")
        else:
            last = "All is well.\n" if is_well else "Something needs your hand: see “bad”.\n"
            sys.stdout.write(last)
        sys.exit(0 if is_well else 1)

    def _findings(self) -> Iterator[Finding]:
        """The running servers first: what they say is the nearest to what people see."""
        from ..server import doctor
        from ..server.app import PyCaretOpsApp
        from .server_checks import ask_servers

        yield from ask_servers()
        yield from doctor.examine(PyCaretOpsApp(config=self.config))


def _print(finding: Finding) -> None:
    sys.stdout.write(f"{finding.verdict:<5} {finding.what:<15} {finding.said}\n")
    if finding.remedy:
        sys.stdout.write(f"{'':<21} → {finding.remedy}\n")
    sys.stdout.flush()
