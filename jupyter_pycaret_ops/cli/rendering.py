"""Texts for a terminal: tables and a progress bar."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TextIO

from ..client.records import JSON, Changes, Profile, ProfileColumn
from ..common.protocol import RECORD_FIELDS

BAR_WIDTH = 24
#: metrics in addition to the one that orders the models
MOST_METRICS = 4
#: levels of a column that are shown
MOST_LEVELS = 3


class Bar:
    """A progress bar in a terminal; in other outputs a line for each new label, and nothing if `quiet`."""

    def __init__(self, out: TextIO, *, quiet: bool = False) -> None:
        self._out = out
        self._quiet = quiet
        self._is_terminal = out.isatty()
        self._shown = ""

    def show(self, done: float, total: float, label: str) -> None:
        """Show the progress `done` of `total`."""
        if self._quiet:
            return
        if not self._is_terminal:
            if label != self._shown:
                self._out.write(f"{label}\n")
                self._shown = label
            return
        fraction = min(1.0, done / total) if total else 0.0
        full = round(fraction * BAR_WIDTH)
        text = f"{'█' * full}{'░' * (BAR_WIDTH - full)} {fraction:4.0%}  {label}"
        self._shown = text[: shutil.get_terminal_size().columns - 1]
        self._out.write(f"\r\x1b[K{self._shown}")
        self._out.flush()

    def write_line(self, text: str) -> None:
        """Write a line above the bar."""
        if self._quiet:
            return
        if self._is_terminal:
            self._out.write(f"\r\x1b[K{text}\n{self._shown}")
        else:
            self._out.write(f"{text}\n")
        self._out.flush()

    def end(self) -> None:
        """Remove the bar."""
        if self._is_terminal and not self._quiet and self._shown:
            self._out.write("\r\x1b[K")
            self._out.flush()
        self._shown = ""


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of text with aligned columns."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *rows)
    )


def profile_text(profile: Profile) -> str:
    """Return the columns of a profile as a table, and below it what was read in another way than it stands."""
    rows = []
    for column in profile["columns"]:
        unreadable = column["unreadable"]["count"]
        rows.append(
            (
                column["name"],
                column["type"],
                f"{column['missing']:,}",
                f"{unreadable:,}" if unreadable else "",
                f"{column['distinct']:,}",
                _range(column),
            )
        )
    head = f"{profile['rows'] or 0:,} rows, {len(rows):,} columns"
    if profile["duplicates"]:
        head += f", {profile['duplicates']:,} repeated rows"
    lines = [head, table(("COLUMN", "TYPE", "MISSING", "UNREADABLE", "DISTINCT", "VALUES"), rows)]
    return "\n".join([*lines, *(f"- {item['message']}" for item in profile["reported"])])


def changes_text(changes: Changes | None) -> str:
    """Return what a version changes against the one before, as one line."""
    if changes is None:
        return ""
    parts = []
    rows = changes["rows"]
    if rows:
        parts.append(f"{abs(rows):,} {'more' if rows > 0 else 'fewer'} rows")
    parts += [
        f"{what} {', '.join(changes[key])}"  # type: ignore[literal-required]
        for key, what in (("added", "added"), ("removed", "removed"))
        if changes[key]  # type: ignore[literal-required]
    ]
    parts += [f"{item['column']}: {item['before']} → {item['after']}" for item in changes["types"]]
    parts += [f"{item['count']:,} new levels in {item['column']}" for item in changes["levels"]]
    return "; ".join(parts)


def _range(column: ProfileColumn) -> str:
    """Return the range of a column, or its most frequent values."""
    if column["min"] is not None:
        low, high = (
            f"{value:g}"
            if isinstance(value, (int, float))
            else str(value).removesuffix("T00:00:00")
            for value in (column["min"], column["max"])
        )
        return f"{low} … {high}"
    shown = ", ".join(str(item["value"]) for item in column["top"][:MOST_LEVELS])
    return f"{shown}, …" if column["distinct"] > MOST_LEVELS else shown


def leaderboard(records: Sequence[JSON], metric: str | None, baseline: JSON | None = None) -> str:
    """Return the models in order as a table; the metric that orders them comes first.

    The baseline is the last row, unless it is one of the models.
    """
    if not records:
        return ""
    metrics = [name for name in records[0] if name not in RECORD_FIELDS]
    if metric in metrics:
        metrics.remove(metric)
        metrics.insert(0, metric)
    metrics = metrics[: MOST_METRICS + 1]
    is_included = any(record.get("baseline") for record in records)
    apart = [] if baseline is None or is_included else [baseline]
    return table(
        ("#", "MODEL", *metrics, "SECONDS"),
        [
            (
                str(record.get("rank") or "–"),
                f"{record.get('name') or record['model_id']}"
                + (" (baseline)" if record.get("baseline") else ""),
                *(_number(record.get(name), 4) for name in metrics),
                _number(record.get("seconds"), 1),
            )
            for record in [*records, *apart]
        ],
    )


def _number(value: object, places: int) -> str:
    return f"{value:.{places}f}" if isinstance(value, int | float) else "–"
