"""Arguments that say how a table is read; the magic and the command line share them."""

from __future__ import annotations

import argparse

from ..common.errors import Invalid
from ..common.tables.column_cells import SETTABLE_TYPES
from .records import JSON

#: what is said of the types of columns
TYPES_TEXT = f"{', '.join(SETTABLE_TYPES[:-1])} or {SETTABLE_TYPES[-1]}"
#: options for columns → set-up parameters, and what is said of them
_COLUMN_LISTS = {
    "numeric": ("numeric_features", "columns to read as numbers"),
    "categorical": ("categorical_features", "columns to read as categories"),
    "text": ("text_features", "columns to read as free text"),
    "ignore": ("ignore_features", "columns to leave out"),
    "keep": ("keep_features", "columns to use although they look like identifiers"),
}
#: fields of the dialect, and what is said of them
_DIALECT = {
    "encoding": ("NAME", "encoding of the file, such as utf-8 or cp1252"),
    "delimiter": ("SIGN", "what stands between fields: , ; | or tab"),
    "quote": ("SIGN", "what stands around fields, or none"),
    "decimal": ("SIGN", "what stands before decimals: . or ,"),
    "thousands": ("SIGN", "what stands between thousands"),
    "header": ("true|false", "whether the first line has the names of the columns"),
    "skip_rows": ("N", "lines above the header"),
    "sheet": ("NAME", "sheet of a workbook, by name or position from 1"),
}
DIALECT_FIELDS = tuple(_DIALECT)


def split_list(text: str) -> list[str]:
    """Split `a,b` into a list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def add_dialect_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a file is read, where that is not detected rightly."""
    group = parser.add_argument_group("how a file is read, where it is not detected rightly")
    for name, (metavar, text) in _DIALECT.items():
        group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)


def add_column_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how columns are read."""
    group = parser.add_argument_group("how columns are read, where it is not recognised rightly")
    group.add_argument(
        "--type",
        metavar="COLUMN=TYPE",
        action="append",
        default=[],
        dest="column_types",
        help=TYPES_TEXT,
    )
    for option, (param, text) in _COLUMN_LISTS.items():
        group.add_argument(
            f"--{option}", metavar="A,B", type=split_list, action="extend", dest=param, help=text
        )
    group.add_argument(
        "--date",
        metavar="COLUMN=FORMAT",
        action="append",
        default=[],
        dest="date_features",
        help="format of dates, such as %%d/%%m/%%Y",
    )
    group.add_argument(
        "--ordinal",
        metavar="COLUMN=A,B",
        action="append",
        default=[],
        dest="ordinal_features",
        help="levels from the lowest to the highest",
    )
    group.add_argument(
        "--missing",
        metavar="A,B",
        type=split_list,
        action="extend",
        dest="missing_values",
        help="words that mean a missing value, in place of the usual ones",
    )
    group.add_argument(
        "--merge-levels",
        action="store_true",
        help="join classes that differ by case or blanks only",
    )


def dialect_of(args: argparse.Namespace) -> JSON:
    """Return the fields of the dialect that were given."""
    given = {name: getattr(args, name, None) for name in DIALECT_FIELDS}
    return {name: value for name, value in given.items() if value is not None}


def column_params_of(args: argparse.Namespace) -> JSON:
    """Return the set-up parameters for the columns that were given.

    Raises
    ------
    Invalid
        When one is not written as COLUMN=VALUE.
    """
    params: JSON = {
        name: value
        for name in ("column_types", "date_features", "ordinal_features")
        if (value := parse_pairs(getattr(args, name)))
    }
    if "ordinal_features" in params:
        params["ordinal_features"] = {
            column: split_list(levels) for column, levels in params["ordinal_features"].items()
        }
    for name in (*(param for param, _ in _COLUMN_LISTS.values()), "missing_values"):
        if getattr(args, name) is not None:
            params[name] = getattr(args, name)
    if args.merge_levels:
        params["merge_levels"] = True
    return params


def parse_pairs(texts: list[str]) -> dict[str, str]:
    """Parse `COLUMN=VALUE` texts; the value begins behind the last equals sign.

    Raises
    ------
    Invalid
        When a text has no `=`.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.rpartition("=")
        if not sign or not name:
            raise Invalid(f"Write “{text}” as COLUMN=VALUE.")
        pairs[name.strip()] = value.strip()
    return pairs
