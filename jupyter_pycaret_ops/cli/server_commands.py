"""`migrate` and `doctor`: commands with the configuration of the server."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_core.application import JupyterApp
from traitlets import Bool, Unicode, default

from .. import __version__
from ..server import settings
from .client_command import USAGE_ERROR

if TYPE_CHECKING:
    from ..server.doctor import Finding


class ServerCommand(JupyterApp):
    """A command that reads the configuration of the server."""

    version = __version__
    aliases: Any = {}  # noqa: RUF012 - traitlets reads it from the class
    flags: Any = {}  # noqa: RUF012

    @default("config_file_name")
    def _default_config_file_name(self) -> str:
        return "jupyter_server_config"

    def _read_configuration(self) -> None:
        """Read the configuration of the server, then that of the extension, which overrides it."""
        for name in (
            "jupyter_config",
            "jupyter_server_config",
            "jupyter_jupyter_pycaret_ops_config",
        ):
            self.config_file_name = name
            self.load_config_file()

    def initialize(self, argv: Any = None) -> None:
        """Read the configuration files and the command line, which overrides them."""
        self._refuse_unknown(sys.argv[1:] if argv is None else argv)
        self.parse_command_line(argv)
        command_line = self.cli_config
        self._read_configuration()
        self.update_config(command_line)

    def _refuse_unknown(self, argv: Sequence[str]) -> None:
        """Refuse arguments that traitlets would ignore, such as a mistyped option."""
        flags = {"help", "help-all", "version", "h", "debug", "y", *self.flags}
        arguments = iter(argv)
        for argument in arguments:
            name, sign, _ = argument.lstrip("-").partition("=")
            takes_value = name in self.aliases or "." in name
            if not argument.startswith("-") or not (takes_value or name in flags):
                sys.stderr.write(f"There is no option “{argument}”. More: --help\n")
                sys.exit(USAGE_ERROR)
            if takes_value and not sign:
                next(arguments, None)

    def exit_with(self, message: str) -> NoReturn:
        """Write a message to standard error and exit with 1."""
        sys.stderr.write(f"{message}\n")
        sys.exit(1)


class MigrateApp(ServerCommand):
    """Migrate the database to a revision of the schema, by default to the newest."""

    name = "jupyter-pycaret-ops-migrate"
    description = __doc__

    url = Unicode(help="SQLAlchemy URL of the database. Default: database_url of the server.").tag(
        config=True
    )
    revision = Unicode(
        "head", help="Target revision: `head`, `base`, or the id of a revision."
    ).tag(config=True)
    aliases: Any = {  # noqa: RUF012 - traitlets reads it from the class
        "url": "MigrateApp.url",
        "revision": "MigrateApp.revision",
    }

    def database_url(self) -> str:
        """Return the URL of the database: the option, else that of the configuration, else the default."""
        configured = self.config.get("PyCaretOpsApp", {}).get("database_url")
        return str(self.url or configured or settings.default_database_url())

    def start(self) -> None:
        """Migrate, and write what was done."""
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError, SQLAlchemyError

        from ..common.errors import OpsError
        from ..server.store.bootstrap import SchemaBlocked, migrate

        target = self.database_url()
        try:
            shown = make_url(target).render_as_string(hide_password=True)
        except ArgumentError:
            self.exit_with(
                "The URL of the database is invalid. It must look like sqlite:////home/ada/ops.db."
            )
        try:
            report = migrate(target, self.revision)
        except (SchemaBlocked, OpsError) as error:
            self.exit_with(str(error))
        except SQLAlchemyError as error:
            self.exit_with(f"The database {shown} could not be opened: {error}")
        if report.backup is not None:
            sys.stdout.write(f"Copied the database to {report.backup}\n")
        sys.stdout.write(f"{shown} was {report.found}; now it is at revision {report.revision}.\n")


class DoctorApp(ServerCommand):
    """Check everything that the server needs, and tell how to fix what does not work."""

    name = "jupyter-pycaret-ops-doctor"
    description = __doc__

    # log messages of libraries are no findings
    log_level = logging.ERROR
    json = Bool(False, help="Write JSON, for scripts.").tag(config=True)
    flags: Any = {  # noqa: RUF012 - traitlets reads it from the class
        "json": ({"DoctorApp": {"json": True}}, "Write JSON, for scripts.")
    }

    def start(self) -> None:
        """Write a line for each check; the exit code is 1 when something does not work."""
        found = []
        for finding in self._findings():
            found.append(finding)
            if not self.json:
                _print(finding)
        is_ok = all(finding.verdict != "bad" for finding in found)
        if self.json:
            report = {"is_well": is_ok, "findings": [finding.as_json() for finding in found]}
            sys.stdout.write(json.dumps(report, indent=2) + "\n")
        else:
            sys.stdout.write("Everything works.\n" if is_ok else "Fix what is marked “bad”.\n")
        sys.exit(0 if is_ok else 1)

    def _findings(self) -> Iterator[Finding]:
        """Yield the findings of running servers first, then those of this environment."""
        from ..server import doctor
        from ..server.app import PyCaretOpsApp
        from .server_checks import check_servers

        yield from check_servers()
        yield from doctor.check_all(PyCaretOpsApp(config=self.config))


def _print(finding: Finding) -> None:
    sys.stdout.write(f"{finding.verdict:<5} {finding.what:<15} {finding.message}\n")
    if finding.remedy:
        sys.stdout.write(f"{'':<21} → {finding.remedy}\n")
    sys.stdout.flush()
