"""What commands that call a server share: arguments, credential, output and exit codes.

Exit codes: 0 success, 1 refused or not found, 2 usage error, 3 run failed, 4 run cancelled, 5 no server.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from jupyter_core.application import JupyterApp

from .. import __version__
from ..client import Client, NoServer, Unreachable, run_request
from ..client.records import JSON
from ..common.errors import OpsError
from .output import decoded

REFUSED, USAGE_ERROR, FAILED, CANCELLED, NO_SERVER = 1, 2, 3, 4, 5
EXIT_CODES = {"succeeded": 0, "failed": FAILED, "cancelled": CANCELLED}


def _add_client_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write JSON, for scripts")
    parser.add_argument(
        "--url", help="URL of the server; default: $PYCARET_OPS_URL, else the server that runs"
    )
    parser.add_argument(
        "--token",
        help="token or API key; other users may see it, so prefer $PYCARET_OPS_TOKEN",
    )
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument(
        "--ca", metavar="FILE", help="further certificates to trust; default: $PYCARET_OPS_CA"
    )
    trust.add_argument("--no-verify", action="store_true", help="trust any certificate")


class ClientCommand(JupyterApp):
    """A command that calls a server; subclasses define its arguments and what it does."""

    version = __version__
    #: set by `start`
    client: Client
    #: set by `initialize`
    args: argparse.Namespace
    _class_help: ClassVar[str] = ""

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring, as help text."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    def add_arguments(
        self, parser: argparse.ArgumentParser
    ) -> Iterable[argparse.ArgumentParser] | None:
        """Add the arguments of the command; a command with actions returns the parsers of these."""
        return None

    def execute(self) -> int:
        """Execute the command and return the exit code."""
        raise NotImplementedError

    def initialize(self, argv: Any = None) -> None:
        """Parse the arguments."""
        parser = argparse.ArgumentParser(
            prog=f"jupyter pycaret-ops {self.name}", description=self.summary()
        )
        for one in self.add_arguments(parser) or [parser]:
            _add_client_arguments(one)
        given = sys.argv[1:] if argv is None else argv
        # the name of a file is not changed, so that it can be opened
        self.args = parser.parse_args(
            [arg if Path(arg).exists() else decoded(arg) for arg in given]
        )

    def start(self) -> None:
        """Execute the command, and exit with its code."""
        try:
            verify = self.args.ca or not self.args.no_verify
            with Client(self.args.url, self.args.token, verify=verify) as self.client:
                try:
                    code = self.execute()
                except OpsError as error:
                    if not isinstance(error, NoServer | Unreachable):
                        error.message = run_request.replace_ids(self.client, error.message)
                    raise
        except OpsError as error:
            self._exit_with_error(error)
        except KeyboardInterrupt:
            code = 130
        sys.exit(code)

    def _exit_with_error(self, error: OpsError) -> NoReturn:
        if self.args.json:
            body: JSON = {"message": error.message, "reason": error.reason}
            if error.errors:
                body["errors"] = error.errors
            sys.stderr.write(_json(body) + "\n")
        else:
            sys.stderr.write(f"{error.message}\n")
            for field_error in (error.errors or [])[1:]:
                sys.stderr.write(f"{field_error['msg']}\n")
        sys.exit(NO_SERVER if isinstance(error, NoServer | Unreachable) else REFUSED)

    def write(self, result: Any, text: Callable[[], str]) -> None:
        """Write the result as JSON, or as text."""
        out = _json(result, indent=2) if self.args.json else text()
        sys.stdout.write(out + "\n")
        sys.stdout.flush()


def _json(value: Any, indent: int | None = None) -> str:
    """Return the value as JSON; characters that the terminal cannot write are escaped."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("_", "-")
    return json.dumps(value, ensure_ascii=encoding not in ("utf-8", "utf8"), indent=indent)
