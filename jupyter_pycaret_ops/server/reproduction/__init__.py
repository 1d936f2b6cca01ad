"""Notebooks that repeat a run with plain PyCaret.

The snapshot of a run lists the changes of its data; the notebook makes them with pandas. Names and values
of users are in code as literals only, never in comments.
"""

from __future__ import annotations

from typing import Any

from ...common.errors import Conflict
from ..lifecycle import ENDED
from . import descriptions, forecasting, modelling, preparation, preparing, reading, splitting
from .cells import Cell, code, document, markdown
from .run_facts import Facts, TableFacts, read_facts

__all__ = ["Facts", "TableFacts", "make", "read_facts"]


def make(facts: Facts) -> dict[str, Any]:
    """Return the notebook of a run, in nbformat 4.5.

    Raises
    ------
    Conflict
        When the run has not ended, or cannot be repeated with plain PyCaret.
    """
    run = facts.run
    if run.status not in ENDED:
        raise Conflict("The run has not ended. Its notebook is available when it has.")
    modelling.check(facts)
    source = reading.source_of(facts.table)
    if facts.kind.rows_are_steps:
        return document(_forecast(facts, source), facts.versions.get("python"))
    cells: list[Cell] = [
        markdown(descriptions.title(facts)),
        *_held_out(facts),
        markdown(f"## What you need\n\n{source.requirements}"),
        code(source.names + "\n" + modelling.names(facts)),
        code(
            f"{source.imports}\n\n{source.reading}\n{_JOINED if facts.held_out else ''}table.head()"
        ),
        markdown(descriptions.changes(facts)),
        code(preparing.code_of(facts)),
        markdown(descriptions.setup(facts)),
        code(modelling.setup(facts)),
    ]
    if splitting.has_own_folds(facts):
        text = splitting.WEIGHTED_TEXT if splitting.has_weights(facts) else splitting.TEXT
        cells += [markdown(text), code(splitting.code_of(facts))]
    if preparation.is_auto(facts):
        text = preparation.TEXT if facts.has_target else preparation.TEXT_WITHOUT_TARGET
        cells += [markdown(text), code(preparation.code_of(facts))]
    for text, lines in modelling.models(facts):
        cells += [markdown(text), code(lines)]
    if run.leaderboard and run.plan != "finalize":
        cells.append(markdown(descriptions.leaderboard(facts)))
    return document(cells, facts.versions.get("python"))


_JOINED = """\
n_rows = len(table)
table = pd.concat([table, held_out[list(table.columns)]], ignore_index=True)
"""


def _held_out(facts: Facts) -> list[Cell]:
    """Return the cells that read the table that was held out."""
    if facts.held_out is None:
        return []
    source = reading.source_of(facts.held_out)
    return [
        markdown(f"## The table that is held out\n\n{source.requirements}"),
        code(
            f"{source.names}\n\n{source.imports}\n\n{source.reading}\nheld_out = table\nheld_out.head()"
        ),
    ]


def _forecast(facts: Facts, source: reading.Source) -> list[Cell]:
    cells = [
        markdown(descriptions.title(facts)),
        markdown(f"## What you need\n\n{source.requirements}"),
        code(source.names + "\n" + forecasting.names(facts)),
        code(f"{source.imports}\n\n{source.reading}\ntable.head()"),
        markdown(descriptions.changes(facts)),
        code(forecasting.preparing_code(facts)),
        *forecasting.cells_after(facts),
    ]
    if facts.run.leaderboard and facts.run.plan != "finalize":
        cells.append(markdown(descriptions.leaderboard(facts)))
    return cells
