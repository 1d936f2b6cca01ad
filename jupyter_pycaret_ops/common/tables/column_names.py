"""Names of columns: unique, as pandas makes them, and not too many."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Invalid

MAX_COLUMNS = 10_000


class TooManyColumns(Invalid):
    """The table has too many columns."""


def column_names(header: Iterable[str]) -> list[str]:
    """Return column names as pandas does: `Unnamed: 3` for an empty one, `a.1` for a second `a`."""
    raw = list(header)
    check_column_count(len(raw))
    names = [name if name != "" else f"Unnamed: {position}" for position, name in enumerate(raw)]
    taken = set(names)
    seen: dict[str, int] = {}
    # as in pandas: columns with a name keep it, then columns without one get theirs
    for position in sorted(range(len(raw)), key=lambda position: raw[position] == ""):
        name = base = names[position]
        count = seen.get(name, 0)
        while count > 0:
            seen[base] = count + 1
            name = f"{base}.{count}"
            count = count + 1 if name in taken else seen.get(name, 0)
        names[position] = name
        seen[name] = count + 1
    return names


def check_column_count(count: int) -> None:
    """Raise `TooManyColumns` for more columns than the limit; call it before comparing names."""
    if count > MAX_COLUMNS:
        raise TooManyColumns(
            f"The table has {count:,} columns; at most {MAX_COLUMNS:,} are allowed. Leave some out."
        )
