"""Cells and documents in the notebook format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Cell = dict[str, Any]


def markdown(text: str) -> Cell:
    """Return a Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": text.strip()}


def code(text: str) -> Cell:
    """Return a code cell that has not been executed."""
    return {
        "cell_type": "code",
        "metadata": {},
        "source": text.strip(),
        "execution_count": None,
        "outputs": [],
    }


def document(cells: Sequence[Cell], python: str | None) -> dict[str, Any]:
    """Return the notebook of these cells; cell ids are positions, so that the same run gives the same file."""
    language: dict[str, Any] = {"name": "python"}
    if python is not None:
        language["version"] = python
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": language,
        },
        "cells": [
            {"id": f"cell-{position}", **cell} for position, cell in enumerate(cells, start=1)
        ],
    }


def dates_of(column: str, spelling: Mapping[str, Any]) -> str:
    """Return the call that reads a column of times, an expression, by its spelling."""
    first = spelling.get("day_first")
    given = {
        "format": spelling.get("form") or spelling.get("format"),
        "day_first": "/.-" if first is True else first,
        "offset": spelling.get("offset"),
    }
    options = "".join(f", {name}={value!r}" for name, value in given.items() if value)
    return f"dates({column}{options})"


def call(name: str, arguments: dict[str, str]) -> str:
    """Return the code of a call with an argument on each line; the values are code."""
    lines = "".join(f"    {key}={value},\n" for key, value in arguments.items())
    return f"{name}(\n{lines})"


def assignments(names: dict[str, str]) -> str:
    """Return the code of assignments, one on each line; the values are code."""
    return "\n".join(f"{name} = {value}" for name, value in names.items())
