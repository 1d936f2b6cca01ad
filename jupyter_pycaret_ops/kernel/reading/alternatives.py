"""What another type would make of a column."""

from __future__ import annotations

from collections.abc import Callable

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading

#: columns with more different texts are not read again to count what would be unreadable
MAX_READ_AGAIN = 20_000
_FROM_TEXTS = frozenset({"category", "text", "identifier", "ordinal"})
_ORDERED = frozenset({"number", "date", "duration"})


def alternatives(reading: ColumnReading, read_as: Callable[[str], ColumnReading]) -> list[JSON]:
    """Return `{type, effect}` for the other types that a person may set; `read_as` reads the column with one."""
    effects: dict[str, str] = {}
    if reading.type in _FROM_TEXTS and 1 < reading.distinct <= MAX_READ_AGAIN:
        for kind in ("number", "date", "duration"):
            if kind == "duration" and "number" in effects:
                continue  # plain numbers are seconds as well
            found = read_as(kind)
            if found.values > found.unreadable:
                effects[kind] = _readable(found)
    if reading.type in ("identifier", "constant"):
        effects["category"] = _levels(reading)
    elif reading.type != "empty":
        if reading.type != "category":
            effects["category"] = _levels(reading)
        if reading.type != "text":
            effects["text"] = (
                "words are counted" if reading.type in _FROM_TEXTS else _as_text(reading)
            )
        if reading.type != "identifier":
            effects["identifier"] = "left out of training"
    effects.pop(reading.type, None)
    return [{"type": kind, "effect": effect} for kind, effect in effects.items()]


def _readable(found: ColumnReading) -> str:
    if not found.unreadable:
        return "all cells are readable"
    cells = found.values + found.unreadable
    return f"{found.values:,} of {cells:,} cells are readable, the others count as missing"


def _levels(reading: ColumnReading) -> str:
    text = f"{reading.distinct:,} levels"
    if reading.values > 1 and 3 * reading.distinct > 2 * reading.values:
        text += ", most of them once"  # d levels in n rows: at least 2d - n once, which is more than d / 2
    return f"{text}; order is lost" if reading.type in _ORDERED else text


def _as_text(reading: ColumnReading) -> str:
    what = {"date": "times", "duration": "durations"}.get(reading.type, "numbers")
    return f"nothing unreadable, but no {what}"
