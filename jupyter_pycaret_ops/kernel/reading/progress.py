"""How far the reading of a table is: rows of its file, then its columns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from jupyter_pycaret_ops.common.protocol import JSON

#: seconds between two reports
REPORT_EVERY_S = 0.25
#: part of the whole that reading the rows takes; the columns take the rest
SHARE_OF_ROWS = 0.3

Report = Callable[[JSON], None]


class _Progress:
    """Reports, not too often, which part of the whole is done."""

    def __init__(self, report: Report, n_rows: int | None) -> None:
        self._report = report
        self._n_rows = n_rows
        self._reported_at = 0.0

    def say(self, label: str, share: float | None) -> None:
        now = time.monotonic()
        if now - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = now
            done = None if share is None else round(100 * share)
            self._report({"done": done, "total": 100, "label": label})

    def rows(self, done: int) -> None:
        if not self._n_rows:
            self.say(f"{done:,} rows", None)
            return
        total = max(done, self._n_rows)
        self.say(f"{done:,} of {total:,} rows", SHARE_OF_ROWS * done / total)


_progress: ContextVar[_Progress | None] = ContextVar("progress", default=None)


@contextmanager
def reporting(report: Report, n_rows: int | None) -> Iterator[None]:
    """Call `report` with `done` of `total` (None where that is not known) and `label` while a table is read in this block.

    `n_rows` : how many rows it has, None where nobody has counted.
    """
    token = _progress.set(_Progress(report, n_rows))
    try:
        yield
    finally:
        _progress.reset(token)


def rows_read(done: int) -> None:
    """Note how many rows were read."""
    progress = _progress.get()
    if progress is not None:
        progress.rows(done)


def columns_read(done: int, total: int) -> None:
    """Note how many columns were looked at."""
    progress = _progress.get()
    if progress is not None:
        share = SHARE_OF_ROWS + (1 - SHARE_OF_ROWS) * done / max(1, total)
        progress.say(f"{done:,} of {total:,} columns", share)


def into_file(path: Path) -> Report:
    """Return what writes a report to a file, which is complete at any moment."""
    draft = path.with_suffix(".draft")

    def write(report: JSON) -> None:
        with suppress(OSError):  # the disk is full: the table is read all the same
            draft.write_text(json.dumps(report))
            draft.replace(path)

    return write
