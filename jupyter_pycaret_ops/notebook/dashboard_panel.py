"""All panels together: upload, runs, the run that was chosen, deployments."""

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
    """Widths of a table's columns; one that has none takes what is left."""
    return "".join(
        [
            "<colgroup>",
            *(f'<col style="width: {one}px">' if one else "<col>" for one in widths),
            "</colgroup>",
        ]
    )


class DeploymentsPanel(Panel):
    """Deployments of the workspace with their counts; one of them opened."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.workspace_id = client.default_project().workspace_id
        self.rows: list[Deployment] = []
        self.opened: DeploymentPanel | None = None
        self._away_since: datetime | None = None
        #: one look after the other: none takes back what a later one has seen
        self._looking = threading.RLock()

    def parts(self) -> Iterable[Panel]:
        """See `Panel.parts`."""
        return () if self.opened is None else (self.opened,)

    def begin(self) -> None:
        """Look at them now and then."""
        threading.Thread(target=self._look, name="pycaret-ops-panel", daemon=True).start()

    def _look(self) -> None:
        while True:
            self.look()
            self.refresh()
            if self._closed.wait(BUSY_S if self.is_busy else IDLE_S):
                return

    @property
    def is_busy(self) -> bool:
        """Whether something changes by itself."""
        return False

    def look(self) -> None:
        """Ask the server."""
        with self._looking:
            self._ask()

    def _ask(self) -> None:
        try:
            self.rows = self.client.deployments.list(self.workspace_id)
            self._away_since = None
            for row in self.rows:
                if self.opened is not None and row["id"] == self.opened.row["id"]:
                    self.opened.row = row
        except OpsError:
            self._away_since = self._away_since or datetime.now(UTC)

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Open one, pause or resume it."""
        verb, _, slug = what.partition(":")
        row = next((one for one in self.rows if one["endpoint_slug"] == slug), None)
        if row is None:
            return
        endpoint = Endpoint(self.client, row)
        if verb == "open":
            same = self.opened is not None and self.opened.deployment.slug == slug
            if self.opened is not None:
                self.opened.close()
            self.opened = None if same else DeploymentPanel(endpoint)
        elif verb == "pause":
            endpoint.pause()
        elif verb == "resume":
            endpoint.resume()
        self.look()

    def after(self, part: Panel) -> None:
        """See `Panel.after`."""
        self.look()

    def away(self) -> str:
        """That the server is not reached, where it is not."""
        if self._away_since is None:
            return ""
        at = self._away_since.astimezone().strftime("%H:%M:%S")
        return notice("warning", f"Connection lost since {at}", "Trying again by itself.")

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`."""
        lines = "".join(self._line(row, live=live) for row in self.rows)
        empty = '<p class="jp-pycaret-muted">Endpoints stand here once a pipeline is deployed.</p>'
        opened = self.opened.draw(live=live) if self.opened is not None else ""
        inside = (
            f'<h3 class="jp-pycaret-head__title">Deployments</h3>{self.away()}{self.troubles()}'
            f'<table class="jp-pycaret-table" aria-label="Deployments">{_columns(104, None, 140, 240, 140)}'
            f"<tbody>{lines}</tbody></table>"
            f"{'' if lines else empty}"
        )
        return self.section("Deployments", inside, live=live) + opened

    @staticmethod
    def _line(row: Deployment, *, live: bool) -> str:
        slug = row["endpoint_slug"]
        turn = ("pause", "Pause") if row["status"] == "active" else ("resume", "Resume")
        does = (
            button("Open", f"open:{slug}", name=f"Open {slug}")
            + button(turn[1], f"{turn[0]}:{slug}", name=f"{turn[1]} {slug}")
            if live
            else ""
        )
        return (
            f'<tr data-key="{row["id"]}"><td>{chip(row["status"])}</td>'
            f'<td><div class="jp-pycaret-clip" title="{escape(slug)}"><b>{escape(slug)}</b></div></td>'
            f"<td class='jp-pycaret-muted'>{escape(ACCESS[row['auth_mode']])}</td>"
            f"<td class='jp-pycaret-num'>{escape(counts(row))}</td>"
            f"<td class='jp-pycaret-num'>{does}</td></tr>"
        )


class Dashboard(DeploymentsPanel):
    """Upload, runs, the run that was chosen, deployments."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.runs: list[RunBrief] = []
        #: what runs are about, by experiment
        self._names: dict[str, str] = {}
        self.upload = UploadPanel(client, on_run=self._choose)
        self.chosen: RunPanel | None = None

    def begin(self) -> None:
        """See `Panel.begin`."""
        self.view.upload_path = f"/workspaces/{self.workspace_id}/data-sources/upload"
        display.follow(self)
        super().begin()

    def finish(self, row: api.Run) -> None:
        """See `display.Follower`."""
        if not self._closed.is_set():
            self.look()

    def send_last(self, row: api.Run) -> None:
        """See `display.Follower`."""
        self.refresh(last=True, again=True)

    def close(self) -> None:
        """See `Panel.close`."""
        super().close()
        display.unfollow(self)

    def parts(self) -> Iterable[Panel]:
        """See `Panel.parts`."""
        yield from super().parts()
        yield self.upload
        if self.chosen is not None:
            yield self.chosen

    @property
    def is_busy(self) -> bool:
        """See `DeploymentsPanel.is_busy`."""
        return any(row["status"] not in ENDED for row in self.runs)

    def _ask(self) -> None:
        super()._ask()
        if self._away_since is None:
            try:
                self.runs = self.client.runs.list(SHOWN_RUNS, workspace_id=self.workspace_id)
                for unknown in {row["experiment_id"] for row in self.runs} - self._names.keys():
                    self._names[unknown] = self.client.experiments.get(unknown)["name"]
            except OpsError:
                self._away_since = datetime.now(UTC)

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Open or stop a run, or what deployments do."""
        verb, _, rest = what.partition(":")
        if verb == "run":
            self._choose(Run(self.client, self.client.runs.get(rest)))
        elif verb == "stop":
            self.client.runs.cancel(rest)
            self.look()
        else:
            super().act(what, fields, buffers)

    def after(self, part: Panel) -> None:
        """See `Panel.after`."""
        if part is not self.upload:  # it tells of its progress often
            self.look()

    def _choose(self, run: Run) -> None:
        if self.chosen is not None:
            self.chosen.close()
        self.chosen = RunPanel(run, on_change=self.refresh)
        self.chosen.begin()
        self.look()

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`."""
        lines = "".join(
            self._run_line(row, self._names.get(row["experiment_id"], ""), live=live)
            for row in self.runs
        )
        empty = '<p class="jp-pycaret-muted">Runs stand here, the newest first.</p>'
        chosen = self.chosen.draw(live=live) if self.chosen is not None else ""
        inside = (
            f'<h3 class="jp-pycaret-head__title">Runs</h3>{self.away()}'
            f'<table class="jp-pycaret-table" aria-label="Runs">{_columns(112, 200, 80, 72, None, 140)}'
            f"<tbody>{lines}</tbody></table>"
            f"{'' if lines else empty}"
        )
        runs = self.section("Runs", inside, live=live)
        return f"{self.upload.draw(live=live)}{runs}{chosen}{super().draw(live=live)}"

    @staticmethod
    def _run_line(row: RunBrief, name: str, *, live: bool) -> str:
        run_id, is_over = row["id"], row["status"] in ENDED
        progress = row["progress"]
        told = best_model_text(row) if is_over else str(progress.get("label") or "")
        if row["error"]:
            told = row["error"]
        does = ""
        if live:
            does = button("Open", f"run:{run_id}", name=f"Open run {run_id[-6:]}")
            if not is_over:
                does += button(
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
            f"<td><div class='jp-pycaret-clip'>{escape(told)}</div></td>"
            f"<td class='jp-pycaret-num'>{does}</td></tr>"
        )
