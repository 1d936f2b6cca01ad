"""The words after `%pcrun`, and the YAML below `%%pcrun`, read; what is wrong is one sentence."""

from __future__ import annotations

import argparse
import keyword
from typing import NoReturn

from IPython.core.error import UsageError

from ..client.records import JSON
from ..common.errors import Invalid

#: what the body of a cell may hold, and the older way to say it
_BODY = {"setup": "setup", "setup_params": "setup", "plan": "plan", "plan_params": "plan"}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise, where others exit."""
        raise UsageError(f"{message[0].upper()}{message[1:]}. “%pcrun --help” lists the words.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """After help was printed."""
        raise Helped(message or "")


class Helped(Exception):
    """Help was asked for, and given."""


def naming_parser() -> Parser:
    """The word that every line takes: the name under which the notebook keeps what comes of it."""
    parser = Parser(prog="%pcrun", add_help=False, allow_abbrev=False)
    parser.add_argument("--as", metavar="NAME", dest="kept_as", help="keep the answer in NAME")
    return parser


def split_name(said: list[str]) -> tuple[str | None, list[str]]:
    """The name after `--as`, and the other words.

    Raises
    ------
    Invalid
        When it cannot be the name of a variable.
    """
    found, rest = naming_parser().parse_known_args(said)
    name: str | None = found.kept_as
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise Invalid(f"“{name}” cannot be the name of a variable.")
    return name, rest


def body_of(cell: str) -> tuple[JSON, JSON]:
    """Set-up and plan parameters from the YAML below `%%pcrun`.

    Raises
    ------
    Invalid
        When it is not YAML, or holds something else.
    """
    import yaml

    try:
        body = yaml.safe_load(cell) or {}
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise Invalid(f"The body of the cell is not YAML{line}.") from None
    found: dict[str, JSON] = {"setup": {}, "plan": {}}
    for name, value in body.items() if isinstance(body, dict) else [("", None)]:
        if name not in _BODY or not isinstance(value, dict | None):
            raise Invalid("The body of the cell holds `setup:` and `plan:`, with parameters below.")
        found[_BODY[name]].update(value or {})
    return found["setup"], found["plan"]
