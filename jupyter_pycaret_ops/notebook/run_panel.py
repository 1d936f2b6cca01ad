"""A run under a cell: it fills while it runs, says how it ended, and leads on to promotion."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ..client import ENDED
from ..client import records as api
from ..client.run_request import best_model_text
from ..common.errors import OpsError
from . import display, rendering
from .deploy_panel import DeployPanel
from .markup import button, chip, clock, escape, icon, notice, plural, slug_of
from .panel import Panel
from .run import Run
from .run_state import RunState

#: the panel is drawn no oftener
PAINT_EVERY_S = 0.2
#: longest time that somebody who waits for the run waits for its panel too
FINISH_S = 10.0


class RunPanel(Panel):
    """Follows a run over its WebSocket; when it has succeeded, leads on to promoting and deploying it."""

    def __init__(self, run: Run, on_change: Callable[[], None] | None = None) -> None:
        super().__init__(run.client)
        #: of the panel that this one is a part of
        self._on_change = on_change
        self.run = run
        self.state = RunState(run._row)
        #: the pipeline, once it was promoted from here
        self._after: DeployPanel | None = None
        self._dirty = threading.Event()
        self._is_stale = False
        self._stream = self.client.runs.watch(run.id, on_state=self._reached)
        self._painter: threading.Thread | None = None

    @property
    def is_final(self) -> bool:
        """See `Panel.is_final`."""
        return self.state.row["status"] in ENDED

    # ---------------------------------------------------------------- following

    def begin(self) -> None:
        """Follow it in two threads: one hears, one draws."""
        if self.state.row["status"] in ENDED:
            self._hear_all()
            self.refresh(last=True)
            return
        display.follow(self)
        self._painter = threading.Thread(target=self._paint, name="pycaret-ops-panel", daemon=True)
        self._painter.start()
        threading.Thread(target=self._hear, name="pycaret-ops-panel", daemon=True).start()

    def finish(self, row: api.Run) -> None:
        """See `display.Follower`: where the run has ended, the panel has heard all of it."""
        if row["id"] != self.run.id:
            return
        painter = self._painter
        if row["status"] in ENDED and painter not in (None, threading.current_thread()):
            painter.join(FINISH_S)
        # what was heard may be older, or the line broken
        self.state.row = row

    def send_last(self, row: api.Run) -> None:
        """See `display.Follower`."""
        if row["id"] == self.run.id:
            self.refresh(last=True, again=True)
            if self.is_final:
                display.unfollow(self)

    def close(self) -> None:
        """Stop following."""
        super().close()
        self._stream.close()
        self._dirty.set()

    def _hear_all(self) -> None:
        for event in self.client.runs.events(self.run.id):
            self.state.take(event)

    def _hear(self) -> None:
        try:
            for event in self._stream:
                if self.state.take(event):
                    self._is_stale = True
                self._dirty.set()
        except OpsError as error:
            self.trouble = error.message
        self._is_stale = True
        self._closed.set()
        self._dirty.set()

    def _paint(self) -> None:
        while True:
            self._dirty.wait()
            is_over = self._closed.is_set()
            self._dirty.clear()
            self._read(must=is_over)
            self.refresh(last=is_over)
            if self._on_change is not None:
                self._on_change()
            if is_over:
                return
            self._closed.wait(PAINT_EVERY_S)

    def _read(self, *, must: bool) -> None:
        if not (self._is_stale or must):
            return
        try:
            self.state.row = self.client.runs.get(self.run.id)
            self.run._row = self.state.row
            self._is_stale = False
        except OpsError as error:
            if must:
                self.trouble = error.message

    def _reached(self, is_there: bool) -> None:
        if is_there:
            self.state.away_since = None
        elif self.state.away_since is None:
            self.state.away_since = datetime.now(UTC)
        self._dirty.set()

    # ---------------------------------------------------------------- doing

    def parts(self) -> Iterable[Panel]:
        """See `Panel.parts`."""
        return () if self._after is None else (self._after,)

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Cancel or promote it."""
        if what == "cancel":
            self.state.is_cancelling = True
            self.run.cancel()
        elif what == "promote":
            self._after = DeployPanel(self.run.promote(str(fields.get("name") or "")))

    # ---------------------------------------------------------------- drawing

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`."""
        state = self.state
        board = rendering.leaderboard(state, self.run.id if live else None)
        inside = (
            f"{self._head(live=live)}{self._heard() if live else ''}{self._away()}{self.troubles()}"
            f"{self._progress()}{self._why()}{'' if live else self._open_end()}{board}{self._next(live=live)}"
        )
        after = self._after.draw(live=live) if self._after is not None else ""
        return self.section(f"Run {self.run.title}", inside, live=live) + after

    def _head(self, *, live: bool) -> str:
        row, state = self.state.row, self.state
        where = "in this kernel" if self.run.is_here else "in a worker kernel"
        if row["executor"] == "notebook" and not self.run.is_here:
            where = "in a notebook's kernel"
        is_over = row["status"] in ENDED
        told = best_model_text(row) if row["status"] == "succeeded" else f"{row['plan']}, {where}"
        free = "" if is_over else '<span data-when="alive"> · the cell is free</span>'
        word = "Cancelling" if state.is_cancelling and not is_over else None
        stop = ""
        if live and not is_over:
            stop = button(
                "Cancelling" if state.is_cancelling else "Cancel run",
                "cancel",
                kind="stop",
                is_off=state.is_cancelling or state.away_since is not None,
                before=icon("stop"),
                once="Cancelling",
                post=f"runs/{self.run.id}/cancel",
            )
        return (
            '<header class="jp-pycaret-head"><h3 class="jp-pycaret-head__title">'
            f"{chip(row['status'], word) if is_over or not live else self._chips(word)}"
            f'<span class="jp-pycaret-clip">{escape(self.run.title)} '
            '<span class="jp-pycaret-muted" style="font-weight: 400">'
            f"· {escape(told)}{free}</span></span></h3>"
            f'<div class="jp-pycaret-head__actions">{self._times(live=live)}{stop}</div></header>'
        )

    def _chips(self, word: str | None) -> str:
        """How it stands and, seen once the kernel is gone, what that means for it."""
        lost = (
            chip("failed", "Ended with its kernel")
            if self.run.is_here
            else chip("paused", "No longer followed")
        )
        return (
            f'<span data-when="alive">{chip(self.state.row["status"], word)}</span>'
            f'<span data-when="gone">{lost}</span>'
        )

    def _heard(self) -> str:
        """What a screen reader is told: how it stands, and every new best."""
        row = self.state.row
        best = best_model_text(row)
        rank = "best" if row["status"] in ENDED else "best so far"
        said = f"{self.run.title} {row['status']}" + (f", {rank}: {best}" if best else "")
        return f'<p class="jp-pycaret-heard" role="status" aria-live="polite">{escape(said)}</p>'

    def _times(self, *, live: bool) -> str:
        row = self.state.row
        ink = 'style="color: var(--jp-pycaret-ink)"'
        if row["started_at"] is None:
            return ""
        if row["status"] in ENDED:
            text = f"<b {ink}>{clock((row['duration_ms'] or 0) / 1000)}</b>"
        else:
            elapsed = (
                datetime.now(UTC) - datetime.fromisoformat(row["started_at"])
            ).total_seconds()
            since = f' data-since="{row["started_at"]}"' if live else ""
            text = f"<b {ink}{since}>{clock(elapsed)}</b> elapsed"
            left = self.state.remaining_s(elapsed)
            if left is not None:
                text += f" · about {clock(left)} left"
        alive = "" if row["status"] in ENDED else ' data-when="alive"'
        return f'<span class="jp-pycaret-muted" style="line-height: 24px"{alive}>{text}</span>'

    def _away(self) -> str:
        since = self.state.away_since
        if since is None or self.state.row["status"] in ENDED:
            return ""
        at = since.astimezone().strftime("%H:%M:%S")
        return notice("warning", f"Connection lost since {at}", "Trying again by itself.")

    def _progress(self) -> str:
        state = self.state
        guessed = ", ".join(self.run.guessed)
        said = f'<span style="font-size: var(--jp-pycaret-font-s)" class="jp-pycaret-muted">{escape(guessed)}</span>'
        if state.row["status"] in ENDED:
            return said if guessed else ""
        share = round(100 * state.done / state.total) if state.total else 0
        text = f"{state.done} of {plural(state.total, 'model')}" if state.total else state.label
        return (
            '<div class="jp-pycaret-overall" style="gap: 4px 16px"><div class="jp-pycaret-progress" '
            'role="progressbar" aria-label="Run progress" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{share}" aria-valuetext="{escape(text)}">'
            f'<div class="jp-pycaret-progress__fill" style="width: {share}%"></div></div>'
            f'<span style="font-size: var(--jp-pycaret-font-s)">{escape(text)}</span>{said}</div>'
        )

    def _why(self) -> str:
        row = self.state.row
        shown = "".join(notice("warning", text) for text in self.state.notes[-3:])
        if row["status"] == "failed":
            shown += notice("failed", row["error"] or "The run failed.")
        return shown

    def _open_end(self) -> str:
        """What a picture of a run that goes on cannot know."""
        row = self.state.row
        if row["status"] in ENDED:
            return ""
        ends = (
            "A run in a notebook's kernel ends with it. " if row["executor"] == "notebook" else ""
        )
        said = f"{ends}“%pcrun show {row['id']}” says how it stands now."
        return f'<p class="jp-pycaret-hint">{escape(said)}</p>'

    def _next(self, *, live: bool) -> str:
        if not live or self.state.row["status"] != "succeeded" or self._after is not None:
            return ""
        return (
            '<form class="jp-pycaret-line" data-do="promote" aria-label="Promote">'
            '<label>Name <input class="jp-pycaret-input" name="name" '
            f'value="{escape(slug_of(self.run.title))}"></label>'
            f"{button('Promote', 'promote', kind='primary')}</form>"
        )
