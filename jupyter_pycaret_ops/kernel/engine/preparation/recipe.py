"""The recipe of a table: which columns are prepared in which way. Decided by column type, never by the target."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON

from ..features import Table
from ..interfaces import PlanFailed

#: components of the truncated SVD of a column of free text, at least and at most
MIN_COMPONENTS, N_COMPONENTS = 32, 64
#: rows for each of them between these
ROWS_A_COMPONENT = 25
#: parts of dates that go round, and how many steps one round has
PERIODS = {
    "month": 12,
    "day": 31,
    "day_of_week": 7,
    "day_of_year": 365.25,
    "hour": 24,
    "minute": 60,
}


@dataclass(slots=True)
class Recipe:
    """Names of columns, as `features.Table.step` gives them, by what is done with them.

    `numbers` : numbers, durations, ordered levels and parts of dates; `ranges` : numbers to cut into ranges;
    `grouped` and `groups` : numbers that belong together, and their positions in `grouped`; `booleans` : 0, 1 and missing; `few` and
    `many` : categories with at most `max_encoding_ohe` levels, and with more; `texts` : free text → number of
    components; `cyclic` : parts of dates that go round → steps of one round.
    """

    numbers: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    grouped: list[str] = field(default_factory=list)
    groups: list[list[int]] = field(default_factory=list)
    booleans: list[str] = field(default_factory=list)
    few: list[str] = field(default_factory=list)
    many: list[str] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)
    cyclic: dict[str, float] = field(default_factory=dict)

    def columns(self) -> JSON:
        """Return the names of columns that are prepared as numbers, as categories and as free text."""
        return {
            "numeric": [*self.numbers, *self.ranges, *self.booleans],
            "categorical": [*self.few, *self.many],
            "text": list(self.texts),
        }

    def to_json(self) -> JSON:
        """Return the recipe as plain JSON, for the snapshot."""
        return asdict(self)


def make_recipe(table: Table, data: Any, settings: JSON) -> Recipe:
    """Return the recipe of a table.

    `data` : what `table.step` gives of its rows, DataFrame of shape (n_rows, n_engine_columns); `settings` : set-up
    parameters as used.
    """
    recipe = Recipe()
    wanted = settings["create_date_columns"]
    for column in table.columns:
        name, kind = column["safe"], column["kind"]
        if kind == "boolean":
            recipe.booleans.append(name)
        elif kind == "date":
            for part in column["parts"]:
                if wanted is not None and part not in wanted:
                    continue
                recipe.numbers.append(f"{name}_{part}")
                if part in PERIODS:
                    recipe.cyclic[f"{name}_{part}"] = PERIODS[part]
        elif kind != "text":
            recipe.numbers.append(name)
        elif column["column_type"] == "text":
            recipe.texts[name] = _n_components(data[name])
        elif data[name].nunique() <= settings["max_encoding_ohe"]:
            recipe.few.append(name)
        else:
            recipe.many.append(name)
    _group(recipe, table, settings)
    _cut(recipe, table, settings)
    if not any(getattr(recipe, name) for name in recipe.__slots__):
        raise PlanFailed("user", "No column is left to learn from; leave out fewer parts of dates.")
    return recipe


def _number_names(names: list[str], recipe: Recipe, table: Table, param: str) -> list[str]:
    """Return the engine's names of columns of numbers that a parameter names."""
    safe = {column["name"]: column["safe"] for column in table.columns}
    for name in names:
        if safe.get(name) not in recipe.numbers:
            raise PlanFailed(
                "user", f"{param} names “{name}”, which is not a column of numbers that is used."
            )
    return [safe[name] for name in names]


def _group(recipe: Recipe, table: Table, settings: JSON) -> None:
    for names in settings["group_features"].values():
        members = _number_names(names, recipe, table, "group_features")
        recipe.grouped += [name for name in members if name not in recipe.grouped]
        recipe.groups.append([recipe.grouped.index(name) for name in members])
    if settings["drop_groups"]:
        recipe.numbers = [name for name in recipe.numbers if name not in recipe.grouped]


def _cut(recipe: Recipe, table: Table, settings: JSON) -> None:
    names = settings["bin_numeric_features"]
    recipe.ranges = _number_names(names, recipe, table, "bin_numeric_features")
    recipe.numbers = [name for name in recipe.numbers if name not in recipe.ranges]


def _n_components(texts: Any) -> int:
    """Return how many components a text column can have: fewer where it has few rows or few different parts of words."""
    most = min(N_COMPONENTS, max(MIN_COMPONENTS, len(texts) // ROWS_A_COMPONENT))
    parts: set[str] = set()
    for text in pd.unique(texts.dropna())[:1000]:
        parts.update(text[place : place + 3] for place in range(len(text) - 2))
        if len(parts) > 2 * most:
            return most
    return max(1, min(most, len(parts) // 2))
