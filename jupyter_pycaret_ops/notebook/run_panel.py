"""The panel of a run: progress and leaderboard while it runs, its end, and a form to promote it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from ..client import ENDED
from ..client import records as api
from ..client.records import leaderboard_of
from ..client.run_request import best_model_text, result_texts
from ..common.errors import OpsError
from . import display, rendering
from .deploy_panel import DeployPanel
from .markup import button, chip, clock, escape, icon, notice, plural, to_slug
from .panel import Panel
from .run import Run
from .run_state import RunState

#: seconds between two updates of the panel
RENDER_INTERVAL_S = 0.2
#: seconds that code waiting for the run waits for its panel at most
RENDER_TIMEOUT_S = 10.0


class RunPanel(Panel):
    """Follows a run over its WebSocket; offers to promote and deploy it once it has succeeded."""

    def __init__(self, run: Run, on_change: Callable[[], None] | None = None) -> None:
        super().__init__(run.client)
        #: called after each update, for the panel around this one
        self._on_change = on_change
        self.run = run
        self.state = RunState(run._row)
        #: the panel of the pipeline, once it was promoted here
        self._deploy_panel: DeployPanel | None = None
        self._changed = threading.Event()
        self._is_outdated = False
        self._stream = self.client.runs.watch(run.id, on_state=self._connection_changed)
        self._render_thread: threading.Thread | None = None
        #: ids of the models that are being kept
        self._keeping: set[str] = set()

    @property
    def is_final(self) -> bool:
        """See `Panel.is_final`."""
        return self.state.row["status"] in ENDED

    # ---------------------------------------------------------------- following

    def start(self) -> None:
        """Follow the run in two threads: one receives events, one renders."""
        if self.state.row["status"] in ENDED:
            self._read_all_events()
            self.refresh(last=True)
            return
        display.follow(self)
        self._render_thread = threading.Thread(
            target=self._render_loop, name="pycaret-ops-panel", daemon=True
        )
        self._render_thread.start()
        threading.Thread(target=self._follow, name="pycaret-ops-panel", daemon=True).start()

    def finish(self, row: api.Run) -> None:
        """See `display.Follower`: for a run that has ended, wait until all of its events are applied."""
        if row["id"] != self.run.id:
            return
        render_thread = self._render_thread
        if row["status"] in ENDED and render_thread not in (None, threading.current_thread()):
            render_thread.join(RENDER_TIMEOUT_S)
        # the applied events may be older, or the connection lost
        self.state.row = row

    def send_last(self, row: api.Run) -> None:
        """See `display.Follower`."""
        if row["id"] == self.run.id:
            self.refresh(last=True, again=True)
            if self.is_final:
                display.unfollow(self)

    def close(self) -> None:
        """Stop following the run."""
        super().close()
        self._stream.close()
        self._changed.set()

    def _read_all_events(self) -> None:
        for event in self.client.runs.events(self.run.id):
            self.state.apply(event)

    def _follow(self) -> None:
        try:
            for event in self._stream:
                if self.state.apply(event):
                    self._is_outdated = True
                self._changed.set()
        except OpsError as error:
            self.error_message = error.message
        self._is_outdated = True
        self._closed.set()
        self._changed.set()

    def _render_loop(self) -> None:
        while True:
            self._changed.wait()
            is_over = self._closed.is_set()
            self._changed.clear()
            self._refresh_run(force=is_over)
            self.refresh(last=is_over)
            if self._on_change is not None:
                self._on_change()
            if is_over:
                return
            self._closed.wait(RENDER_INTERVAL_S)

    def _refresh_run(self, *, force: bool) -> None:
        if not (self._is_outdated or force):
            return
        try:
            self.state.row = self.client.runs.get(self.run.id)
            self.run._row = self.state.row
            self._is_outdated = False
        except OpsError as error:
            if force:
                self.error_message = error.message

    def _connection_changed(self, is_connected: bool) -> None:
        if is_connected:
            self.state.disconnected_since = None
        elif self.state.disconnected_since is None:
            self.state.disconnected_since = datetime.now(UTC)
        self._changed.set()

    # ---------------------------------------------------------------- actions

    def children(self) -> Iterable[Panel]:
        """See `Panel.children`."""
        return () if self._deploy_panel is None else (self._deploy_panel,)

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Cancel or promote the run, or keep one of its models."""
        action, _, model_id = action.partition(":")
        if action == "cancel":
            self.state.is_cancelling = True
            self.run.cancel()
        elif action == "keep" and model_id not in self._keeping:
            self._keeping.add(model_id)
            # it takes seconds, in which other cells go on
            threading.Thread(
                target=self._keep, args=(model_id,), name="pycaret-ops-panel", daemon=True
            ).start()
        elif action == "promote":
            model = str(fields.get("model") or "") or None
            pipeline = self.run.promote(str(fields.get("name") or ""), model_id=model)
            self._deploy_panel = DeployPanel(pipeline)

    def _keep(self, model_id: str) -> None:
        try:
            self.run.keep(model_id)
            self.state.row = self.client.runs.get(self.run.id)
        except OpsError as error:
            self.error_message = error.message
        self._keeping.discard(model_id)
        self.refresh(last=self.is_final)

    # ---------------------------------------------------------------- drawing

    def render(self, *, live: bool) -> str:
        """See `Panel.render`."""
        state = self.state
        keeping = frozenset(self._keeping) if live and self.is_final else None
        board = rendering.leaderboard(state, self.run.id if live else None, keeping)
        content = (
            f"{self._head(live=live)}{self._announcement() if live else ''}{self._connection_notice()}{self.error_notice()}"
            f"{self._progress()}{self._notices()}{self._result()}{'' if live else self._later_hint()}{board}{self._promote_form(live=live)}"
        )
        deploy_panel = (
            self._deploy_panel.render(live=live) if self._deploy_panel is not None else ""
        )
        return self.section(f"Run {self.run.title}", content, live=live) + deploy_panel

    def _head(self, *, live: bool) -> str:
        row, state = self.state.row, self.state
        where = "in this kernel" if self.run.is_here else "in a worker kernel"
        if row["executor"] == "notebook" and not self.run.is_here:
            where = "in a notebook's kernel"
        is_over = row["status"] in ENDED
        summary = (
            best_model_text(row) if row["status"] == "succeeded" else f"{row['plan']}, {where}"
        )
        hint = "" if is_over else '<span data-when="alive"> · you can run other cells</span>'
        status = "Cancelling" if state.is_cancelling and not is_over else None
        stop = ""
        if live and not is_over:
            stop = button(
                "Cancelling" if state.is_cancelling else "Cancel run",
                "cancel",
                kind="stop",
                is_disabled=state.is_cancelling or state.disconnected_since is not None,
                before=icon("stop"),
                once="Cancelling",
                post=f"runs/{self.run.id}/cancel",
            )
        return (
            '<header class="jp-pycaret-head"><h3 class="jp-pycaret-head__title">'
            f"{chip(row['status'], status) if is_over or not live else self._status_chips(status)}"
            f'<span class="jp-pycaret-clip">{escape(self.run.title)} '
            '<span class="jp-pycaret-muted" style="font-weight: 400">'
            f"· {escape(summary)}{hint}</span></span></h3>"
            f'<div class="jp-pycaret-head__actions">{self._elapsed(live=live)}{stop}</div></header>'
        )

    def _status_chips(self, status: str | None) -> str:
        """Return the status, and the one that the browser shows once the kernel has ended."""
        lost = (
            chip("failed", "Ended with its kernel")
            if self.run.is_here
            else chip("paused", "No longer followed")
        )
        return (
            f'<span data-when="alive">{chip(self.state.row["status"], status)}</span>'
            f'<span data-when="gone">{lost}</span>'
        )

    def _announcement(self) -> str:
        """Return the announcement for screen readers: the status, and each new best model."""
        row = self.state.row
        best = best_model_text(row)
        rank = "best" if row["status"] in ENDED else "best so far"
        announcement = f"{self.run.title} {row['status']}" + (f", {rank}: {best}" if best else "")
        return f'<p class="jp-pycaret-heard" role="status" aria-live="polite">{escape(announcement)}</p>'

    def _elapsed(self, *, live: bool) -> str:
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
            remaining = self.state.remaining_s(elapsed)
            if remaining is not None:
                text += f" · about {clock(remaining)} left"
        alive = "" if row["status"] in ENDED else ' data-when="alive"'
        return f'<span class="jp-pycaret-muted" style="line-height: 24px"{alive}>{text}</span>'

    def _connection_notice(self) -> str:
        since = self.state.disconnected_since
        if since is None or self.state.row["status"] in ENDED:
            return ""
        at = since.astimezone().strftime("%H:%M:%S")
        return notice("warning", f"Connection lost since {at}", "Retrying automatically.")

    def _progress(self) -> str:
        state = self.state
        guesses = ", ".join(self.run.guesses)
        guesses_html = f'<span style="font-size: var(--jp-pycaret-font-s)" class="jp-pycaret-muted">{escape(guesses)}</span>'
        if state.row["status"] in ENDED:
            return guesses_html if guesses else ""
        share = round(100 * state.done / state.total) if state.total else 0
        what = plural(state.total, "setting" if state.row["plan"] == "automl" else "model")
        text = f"{state.done} of {what}" if state.total else state.label
        return (
            '<div class="jp-pycaret-overall" style="gap: 4px 16px"><div class="jp-pycaret-progress" '
            'role="progressbar" aria-label="Run progress" aria-valuemin="0" aria-valuemax="100" '
            f'aria-valuenow="{share}" aria-valuetext="{escape(text)}">'
            f'<div class="jp-pycaret-progress__fill" style="width: {share}%"></div></div>'
            f'<span style="font-size: var(--jp-pycaret-font-s)">{escape(text)}</span>{guesses_html}</div>'
        )

    def _notices(self) -> str:
        row = self.state.row
        notices = "".join(notice("warning", text) for text in self.state.notes[-3:])
        if row["status"] == "failed":
            notices += notice("failed", row["error"] or "The run failed.")
        return notices

    def _later_hint(self) -> str:
        """Return how to see the present state, for the static HTML of a run that goes on."""
        row = self.state.row
        if row["status"] in ENDED:
            return ""
        ends = (
            "A run in a notebook's kernel ends with it. " if row["executor"] == "notebook" else ""
        )
        hint = f"{ends}“%pcrun show {row['id']}” shows the present state."
        return f'<p class="jp-pycaret-hint">{escape(hint)}</p>'

    def _result(self) -> str:
        """Return whether the best model is worth anything, as the server says it."""
        texts = result_texts(self.state.row)
        if not texts:
            return ""
        verdict = self.state.row["metrics_summary"].get("verdict")
        status = "succeeded" if verdict == "better" else "warning"
        return notice(status, texts[0], " ".join(texts[1:]))

    def _model_choice(self) -> str:
        """Return the field for the model to promote, where several are kept."""
        kept = [record for record in leaderboard_of(self.state.row) if record.get("kept")]
        if len(kept) < 2:
            return ""
        options = "".join(
            f'<option value="{escape(str(record["model_id"]))}">{escape(str(record["name"]))}</option>'
            for record in kept
        )
        return f'<label>Model <select class="jp-pycaret-select" name="model">{options}</select></label>'

    def _promote_form(self, *, live: bool) -> str:
        if not live or self.state.row["status"] != "succeeded" or self._deploy_panel is not None:
            return ""
        beaten = self.state.row["metrics_summary"].get("verdict") == "not_better"
        return (
            '<form class="jp-pycaret-line" data-do="promote" aria-label="Promote">'
            '<label>Name <input class="jp-pycaret-input" name="name" '
            f'value="{escape(to_slug(self.run.title))}"></label>{self._model_choice()}'
            f"{button('Promote anyway', 'promote') if beaten else button('Promote', 'promote', kind='primary')}"
            "</form>"
        )
