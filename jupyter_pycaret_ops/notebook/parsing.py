"""Parse the arguments of `%pcrun` and the YAML below `%%pcrun`; errors are one sentence."""

from __future__ import annotations

import argparse
import keyword
from typing import NoReturn

from IPython.core.error import UsageError

from ..client.records import JSON
from ..common.errors import Invalid

#: keys allowed in the body of a cell → parameter group; the older names too
_BODY = {"setup": "setup", "setup_params": "setup", "plan": "plan", "plan_params": "plan"}


class Parser(argparse.ArgumentParser):
    """An argument parser that reports errors in one sentence and does not exit."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` instead of exiting."""
        raise UsageError(f"{message[0].upper()}{message[1:]}. “%pcrun --help” lists the options.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Raise `HelpShown` after help was printed."""
        raise HelpShown(message or "")


class HelpShown(Exception):
    """Help was requested and printed."""


def naming_parser() -> Parser:
    """Return a parser of `--as NAME`, the variable that every line can assign its result to."""
    parser = Parser(prog="%pcrun", add_help=False, allow_abbrev=False)
    parser.add_argument("--as", metavar="NAME", dest="kept_as", help="assign the result to NAME")
    return parser


def split_name(arguments: list[str]) -> tuple[str | None, list[str]]:
    """Return the name after `--as`, and the other arguments.

    Raises
    ------
    Invalid
        When it cannot be the name of a variable.
    """
    parsed, rest = naming_parser().parse_known_args(arguments)
    name: str | None = parsed.kept_as
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise Invalid(f"“{name}” cannot be the name of a variable.")
    return name, rest


def parse_body(cell: str) -> tuple[JSON, JSON]:
    """Return set-up and plan parameters from the YAML below `%%pcrun`.

    Raises
    ------
    Invalid
        When it is not YAML, or has other keys.
    """
    import yaml

    try:
        body = yaml.safe_load(cell) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise Invalid(f"The body of the cell is not YAML{line}.") from None
    groups: dict[str, JSON] = {"setup": {}, "plan": {}}
    for name, value in body.items() if isinstance(body, dict) else [("", None)]:
        if name not in _BODY or not isinstance(value, dict | None):
            raise Invalid(
                "The body of the cell takes `setup:` and `plan:`, with parameters below them."
            )
        groups[_BODY[name]].update(value or {})
    return groups["setup"], groups["plan"]
