"""What a version of a data source changes against the one before."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

#: new levels of a column that are named
MAX_NEW_LEVELS = 20


def compare(before: JSON, after: JSON) -> JSON:
    """Return how the columns of two versions differ, from the `config` of both.

    `rows` is the difference in rows, None where one of them is not counted; `added` and `removed` are column names,
    `types` columns of both with another type. `levels` is added once both have a profile.
    """
    columns = {column["name"]: column for column in before.get("columns") or []}
    newer = {column["name"]: column for column in after.get("columns") or []}
    counts = before.get("rows"), after.get("rows")
    types = [
        {"column": name, "before": _type(columns[name]), "after": _type(column)}
        for name, column in newer.items()
        if name in columns and _type(columns[name]) != _type(column)
    ]
    return {
        "rows": None if None in counts else after["rows"] - before["rows"],
        "added": [name for name in newer if name not in columns],
        "removed": [name for name in columns if name not in newer],
        "types": types,
        "levels": [],
    }


def _type(column: JSON) -> str:
    return str(column.get("type") or column["dtype"])


def new_levels(before: JSON, after: JSON) -> list[JSON]:
    """Return the levels that columns have in one profile and not in the one before.

    Columns with more levels than a profile keeps are not compared.
    """
    earlier = {column["name"]: column for column in before["columns"]}
    found = []
    for column in after["columns"]:
        levels, known = column.get("levels"), earlier.get(column["name"], {}).get("levels")
        if levels is None or known is None:
            continue
        seen = set(known)
        new = [level for level in levels if level not in seen]
        if new:
            found.append({"column": column["name"], "new": new[:MAX_NEW_LEVELS], "count": len(new)})
    return found
