"""A run as a notebook that does it again with PyCaret alone.

What the engine room did to the frame is told in the run's snapshot, decision by decision; the notebook
says the same in pandas. Names and values that people gave stand in code as literals only, never in comments.
"""

from __future__ import annotations

from typing import Any

from ...common.errors import Conflict
from ..lifecycle import ENDED
from . import descriptions, forecasting, modelling, preparing, reading
from .cells import Cell, code, document, markdown
from .run_facts import Facts, read_facts

__all__ = ["Facts", "make", "read_facts"]


def make(facts: Facts) -> dict[str, Any]:
    """The notebook, in nbformat 4.5.

    Raises
    ------
    Conflict
        When the run has not ended, or does what cannot be said in plain PyCaret yet.
    """
    run = facts.run
    if run.status not in ENDED:
        raise Conflict("The run has not ended; its notebook tells what it did. Ask again then.")
    modelling.check(facts)
    source = reading.source_of(facts)
    if facts.kind.rows_are_steps:
        return document(_forecast(facts, source), facts.versions.get("python"))
    cells: list[Cell] = [
        markdown(descriptions.title(facts)),
        markdown(f"## What it wants\n\n{source.wanted}"),
        code(source.names + "\n" + modelling.names(facts)),
        code(f"{source.imports}\n\n{source.reading}\ntable.head()"),
        markdown(descriptions.changes(facts)),
        code(preparing.code_of(facts)),
        markdown(descriptions.setup(facts)),
        code(modelling.setup(facts)),
    ]
    for text, lines in modelling.models(facts):
        cells += [markdown(text), code(lines)]
    if run.leaderboard and run.plan != "finalize":
        cells.append(markdown(descriptions.leaderboard(facts)))
    return document(cells, facts.versions.get("python"))


def _forecast(facts: Facts, source: reading.Source) -> list[Cell]:
    cells = [
        markdown(descriptions.title(facts)),
        markdown(f"## What it wants\n\n{source.wanted}"),
        code(source.names + "\n" + forecasting.names(facts)),
        code(f"{source.imports}\n\n{source.reading}\ntable.head()"),
        markdown(descriptions.changes(facts)),
        code(forecasting.preparing_code(facts)),
        *forecasting.cells_after(facts),
    ]
    if facts.run.leaderboard and facts.run.plan != "finalize":
        cells.append(markdown(descriptions.leaderboard(facts)))
    return cells
