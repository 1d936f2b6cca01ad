"""Cells and the notebook around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Cell = dict[str, Any]


def markdown(text: str) -> Cell:
    """A cell for people."""
    return {"cell_type": "markdown", "metadata": {}, "source": text.strip()}


def code(text: str) -> Cell:
    """A cell that has not been run."""
    return {
        "cell_type": "code",
        "metadata": {},
        "source": text.strip(),
        "execution_count": None,
        "outputs": [],
    }


def document(cells: Sequence[Cell], python: str | None) -> dict[str, Any]:
    """The notebook; a cell's id is its place, so that the same run gives the same file."""
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
        "cells": [{"id": f"cell-{place}", **cell} for place, cell in enumerate(cells, start=1)],
    }


def call(name: str, arguments: dict[str, str]) -> str:
    """A call with an argument on each line; the values are code already."""
    lines = "".join(f"    {key}={value},\n" for key, value in arguments.items())
    return f"{name}(\n{lines})"


def assigned(names: dict[str, str]) -> str:
    """Assignments, one on each line; the values are code already."""
    return "\n".join(f"{name} = {value}" for name, value in names.items())
