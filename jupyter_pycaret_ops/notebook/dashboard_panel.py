"""The dashboard: upload, runs, the selected run, deployments."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ..client import ENDED, Client
from ..client import records as api
from ..client.records import Deployment, RunBrief
from ..client.run_request import best_model_text
from ..common.errors import OpsError
from . import display
from .deployment_panel import ACCESS, DeploymentPanel, counts
from .markup import button, chip, escape, mark, notice
from .panel import Panel
from .run import Run
from .run_panel import RunPanel
from .serving import Deployment as Endpoint
from .upload_panel import UploadPanel

BUSY_S, IDLE_S = 2.0, 10.0
SHOWN_RUNS = 8


def _columns(*widths: int | None) -> str:
    """Return the column widths of a table in pixels; None takes the remaining width."""
    return "".join(
        [
            "<colgroup>",
            *(f'<col style="width: {width}px">' if width else "<col>" for width in widths),
            "</colgroup>",
        ]
    )


class DeploymentsPanel(Panel):
    """Deployments of the workspace with their usage, and the panel of the selected one."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.workspace_id = client.default_project().workspace_id
        self.rows: list[Deployment] = []
        self.selected: DeploymentPanel | None = None
        self._disconnected_since: datetime | None = None
        #: one fetch at a time, so that an older response does not replace a newer one
        self._fetch_lock = threading.RLock()

    def children(self) -> Iterable[Panel]:
        """See `Panel.children`."""
        return () if self.selected is None else (self.selected,)

    def start(self) -> None:
        """Fetch them from time to time in a thread."""
        threading.Thread(target=self._poll, name="pycaret-ops-panel", daemon=True).start()

    def _poll(self) -> None:
        while True:
            self.fetch()
            self.refresh()
            if self._closed.wait(BUSY_S if self.is_busy else IDLE_S):
                return

    @property
    def is_busy(self) -> bool:
        """Whether the content changes without the user, so that it is fetched more often."""
        return False

    def fetch(self) -> None:
        """Fetch the rows from the server."""
        with self._fetch_lock:
            self._fetch()

    def _fetch(self) -> None:
        try:
            self.rows = self.client.deployments.list(self.workspace_id)
            self._disconnected_since = None
            for row in self.rows:
                if self.selected is not None and row["id"] == self.selected.row["id"]:
                    self.selected.row = row
        except OpsError:
            self._disconnected_since = self._disconnected_since or datetime.now(UTC)

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Open, pause or resume a deployment."""
        subcommand, _, slug = action.partition(":")
        row = next((d for d in self.rows if d["endpoint_slug"] == slug), None)
        if row is None:
            return
        endpoint = Endpoint(self.client, row)
        if subcommand == "open":
            is_selected = self.selected is not None and self.selected.deployment.slug == slug
            if self.selected is not None:
                self.selected.close()
            self.selected = None if is_selected else DeploymentPanel(endpoint)
        elif subcommand == "pause":
            endpoint.pause()
        elif subcommand == "resume":
            endpoint.resume()
        self.fetch()

    def child_changed(self, child: Panel) -> None:
        """See `Panel.child_changed`."""
        self.fetch()

    def connection_notice(self) -> str:
        """Return a notice while the server cannot be reached, else an empty text."""
        if self._disconnected_since is None:
            return ""
        at = self._disconnected_since.astimezone().strftime("%H:%M:%S")
        return notice("warning", f"Connection lost since {at}", "Retrying automatically.")

    def render(self, *, live: bool) -> str:
        """See `Panel.render`."""
        rows = "".join(self._row(row, live=live) for row in self.rows)
        empty = '<p class="jp-pycaret-muted">Deploy a pipeline to see its endpoint here.</p>'
        selected = self.selected.render(live=live) if self.selected is not None else ""
        content = (
            f'<h3 class="jp-pycaret-head__title">Deployments</h3>{self.connection_notice()}{self.error_notice()}'
            f'<table class="jp-pycaret-table" aria-label="Deployments">{_columns(104, None, 140, 240, 140)}'
            f"<tbody>{rows}</tbody></table>"
            f"{'' if rows else empty}"
        )
        return self.section("Deployments", content, live=live) + selected

    @staticmethod
    def _row(row: Deployment, *, live: bool) -> str:
        slug = row["endpoint_slug"]
        toggle = ("pause", "Pause") if row["status"] == "active" else ("resume", "Resume")
        actions = (
            button("Open", f"open:{slug}", name=f"Open {slug}")
            + button(toggle[1], f"{toggle[0]}:{slug}", name=f"{toggle[1]} {slug}")
            if live
            else ""
        )
        return (
            f'<tr data-key="{row["id"]}"><td>{chip(row["status"])}</td>'
            f'<td><div class="jp-pycaret-clip" title="{escape(slug)}"><b>{escape(slug)}</b></div></td>'
            f"<td class='jp-pycaret-muted'>{escape(ACCESS[row['auth_mode']])}</td>"
            f"<td class='jp-pycaret-num'>{escape(counts(row))}</td>"
            f"<td class='jp-pycaret-num'>{actions}</td></tr>"
        )


class Dashboard(DeploymentsPanel):
    """Upload, runs, the selected run, deployments."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.runs: list[RunBrief] = []
        #: experiment id → name
        self._names: dict[str, str] = {}
        self.upload = UploadPanel(client, on_run=self._select_run)
        self.selected_run: RunPanel | None = None

    def start(self) -> None:
        """See `Panel.start`."""
        self.view.upload_path = f"/workspaces/{self.workspace_id}/data-sources/upload"
        display.follow(self)
        super().start()

    def finish(self, row: api.Run) -> None:
        """See `display.Follower`."""
        if not self._closed.is_set():
            self.fetch()

    def send_last(self, row: api.Run) -> None:
        """See `display.Follower`."""
        self.refresh(last=True, again=True)

    def close(self) -> None:
        """See `Panel.close`."""
        super().close()
        display.unfollow(self)

    def children(self) -> Iterable[Panel]:
        """See `Panel.children`."""
        yield from super().children()
        yield self.upload
        if self.selected_run is not None:
            yield self.selected_run

    @property
    def is_busy(self) -> bool:
        """See `DeploymentsPanel.is_busy`."""
        return any(row["status"] not in ENDED for row in self.runs)

    def _fetch(self) -> None:
        super()._fetch()
        if self._disconnected_since is None:
            try:
                self.runs = self.client.runs.list(SHOWN_RUNS, workspace_id=self.workspace_id)
                experiments = {row["experiment_id"] or "" for row in self.runs} - {""}
                for unknown in experiments - self._names.keys():
                    self._names[unknown] = self.client.experiments.get(unknown)["name"]
            except OpsError:
                self._disconnected_since = datetime.now(UTC)

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Open or cancel a run, or act on a deployment."""
        subcommand, _, rest = action.partition(":")
        if subcommand == "run":
            self._select_run(Run(self.client, self.client.runs.get(rest)))
        elif subcommand == "stop":
            self.client.runs.cancel(rest)
            self.fetch()
        else:
            super().perform(action, fields, buffers)

    def child_changed(self, child: Panel) -> None:
        """See `Panel.child_changed`."""
        if child is not self.upload:  # it reports progress often
            self.fetch()

    def _select_run(self, run: Run) -> None:
        if self.selected_run is not None:
            self.selected_run.close()
        self.selected_run = RunPanel(run, on_change=self.refresh)
        self.selected_run.start()
        self.fetch()

    def render(self, *, live: bool) -> str:
        """See `Panel.render`."""
        rows = "".join(
            self._run_row(row, self._names.get(row["experiment_id"] or "", ""), live=live)
            for row in self.runs
        )
        empty = '<p class="jp-pycaret-muted">Start a run to see it here.</p>'
        selected_run = self.selected_run.render(live=live) if self.selected_run is not None else ""
        content = (
            f'<h3 class="jp-pycaret-head__title">Runs</h3>{self.connection_notice()}'
            f'<table class="jp-pycaret-table" aria-label="Runs">{_columns(112, 200, 80, 72, None, 140)}'
            f"<tbody>{rows}</tbody></table>"
            f"{'' if rows else empty}"
        )
        runs = self.section("Runs", content, live=live)
        return f"{self.upload.render(live=live)}{runs}{selected_run}{super().render(live=live)}"

    @staticmethod
    def _run_row(row: RunBrief, name: str, *, live: bool) -> str:
        run_id, is_over = row["id"], row["status"] in ENDED
        progress = row["progress"]
        summary = best_model_text(row) if is_over else str(progress.get("label") or "")
        if row["error"]:
            summary = row["error"]
        actions = ""
        if live:
            actions = button("Open", f"run:{run_id}", name=f"Open run {run_id[-6:]}")
            if not is_over:
                actions += button(
                    "Cancel", f"stop:{run_id}", name=f"Cancel run {run_id[-6:]}", kind="stop",
                    post=f"runs/{run_id}/cancel",
                )  # fmt: skip
        total = progress.get("total")
        done = f"{progress.get('done') or 0} of {total}" if total else ""
        name = escape(name)
        return (
            f'<tr data-key="{run_id}"><td><span class="jp-pycaret-status">{mark(row["status"])}'
            f"{escape(row['status'].capitalize())}</span></td>"
            f"<td><div class='jp-pycaret-clip' title='{name}'>{name}</div></td>"
            f"<td>{escape(row['plan'])}</td><td class='jp-pycaret-num'>{'' if is_over else done}</td>"
            f"<td><div class='jp-pycaret-clip'>{escape(summary)}</div></td>"
            f"<td class='jp-pycaret-num'>{actions}</td></tr>"
        )
