"""The upload panel: drop a file, see progress and first rows, start a plan on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..client import Client, run_request
from ..client.records import JSON, DataSource, JSONs, Profile
from ..client.resources.data_sources import PROFILE_WAIT_S
from ..common.errors import Invalid, OpsError, Unavailable
from ..common.tables.suggestion import suggest_for
from .markup import button, escape, icon, number, plural
from .panel import Panel
from .reading_choices import ReadingChoices, note_list, notice_list, type_picker
from .run import Run
from .run_panel import RunPanel

PREVIEWED_ROWS = 5
#: seconds between two looks for the profile
PROFILE_PAUSE_S = 0.5
KINDS = ".csv,.tsv,.txt,.parquet,.pq,.xlsx,.xlsm,.xls"


@dataclass(slots=True)
class Transfer:
    """A file that is being uploaded."""

    name: str
    done: int
    total: int


class UploadPanel(Panel):
    """Uploads a file, previews it and starts a plan on it."""

    def __init__(self, client: Client, on_run: Callable[[Run], None] | None = None) -> None:
        super().__init__(client)
        #: called with the started run, where another panel shows it
        self._on_run = on_run
        self.workspace_id = client.default_project().workspace_id
        self.source: DataSource | None = None
        self.run: RunPanel | None = None
        self._preview: JSON = {}
        self._target: str | None = None
        self._transfer: Transfer | None = None
        self._chunks = bytearray()
        self._choices = ReadingChoices()
        self._profile: Profile | None = None
        self._profile_error: str | None = None
        #: how far the profile is, as text
        self._profile_progress = ""

    def start(self) -> None:
        """Tell the browser where to upload files."""
        self.view.upload_path = f"/workspaces/{self.workspace_id}/data-sources/upload"

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Receive the file, or start the plan."""
        if action == "progress":
            self._transfer = Transfer(fields["name"], int(fields["done"]), int(fields["total"]))
        elif action == "refused":
            self._transfer = None
            raise Invalid(f"{fields['name']} was not taken: {fields['message']}")
        elif action == "uploaded":
            self._set_source(self.client.data_sources.get(fields["id"]))
        elif action == "piece":
            self._add_chunk(fields, buffers)
        elif action == "target":
            self._target = fields["target"]
            self._read_profile()
        elif action.startswith("type:"):
            place = int(action.partition(":")[2])
            column = self._preview["columns"][place]
            kind = str(fields[f"type {place}"])
            self._choices.set_type(column["name"], kind, self._found_type(column))
        elif action.startswith("notice:"):
            self._choices.toggle(self._notices[int(action.partition(":")[2])])
        elif action == "start":
            self._start(fields)

    def _add_chunk(self, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Add a chunk of a file sent through the kernel, where the page belongs to another server."""
        if not fields["start"]:
            self._chunks = bytearray()
        self._chunks += b"".join(buffers)
        self._transfer = Transfer(fields["name"], len(self._chunks), int(fields["total"]))
        if len(self._chunks) >= int(fields["total"]):
            content, self._chunks = bytes(self._chunks), bytearray()
            self._transfer = None
            used_names = {
                row["name"] for row in self.client.data_sources.list(self.workspace_id, None)
            }
            name = run_request.unused_name(
                str(fields["name"]).rpartition(".")[0] or fields["name"], used_names
            )
            self._set_source(
                self.client.data_sources.upload(
                    self.workspace_id, content, name, filename=str(fields["name"])
                )
            )

    def _set_source(self, source: DataSource) -> None:
        self.source, self._transfer, self.run = source, None, None
        self._preview = self.client.data_sources.preview(source["id"], PREVIEWED_ROWS)
        self._target = self._preview["suggestion"]["target"]
        self._choices = ReadingChoices()
        self._read_profile()

    # ---------------------------------------------------------------- profile

    def _read_profile(self) -> None:
        """Let the profile be made, and show it when it is there; nothing waits for it."""
        assert self.source is not None
        self._profile, self._profile_error, self._profile_progress = None, None, ""
        source_id, target = self.source["id"], self._target
        threading.Thread(
            target=self._follow_profile,
            args=(source_id, target),
            name=f"pycaret-ops-profile-{source_id}",
            daemon=True,
        ).start()

    def _follow_profile(self, source_id: str, target: str | None) -> None:
        deadline = time.monotonic() + PROFILE_WAIT_S

        def on_progress(progress: JSON) -> None:
            if progress["label"] != self._profile_progress and self._is_current(source_id, target):
                self._profile_progress = progress["label"]
                self.refresh()

        while self._is_current(source_id, target) and not self._closed.is_set():
            try:
                found = self.client.data_sources.profile(
                    source_id, target=target, wait_s=0, on_progress=on_progress
                )
            except Unavailable as error:  # it is still being made
                if time.monotonic() > deadline:
                    self._profile_error = error.message
                    break
                self._closed.wait(PROFILE_PAUSE_S)
                continue
            except OpsError as error:
                self._profile_error = error.message
                break
            if self._is_current(source_id, target):
                self._profile = found
            break
        if not self._closed.is_set():
            self.refresh()

    def _is_current(self, source_id: str, target: str | None) -> bool:
        return self.source is not None and self.source["id"] == source_id and self._target == target

    @property
    def _notices(self) -> JSONs:
        return [] if self._profile is None else list(self._profile["notices"])

    def _found_type(self, column: JSON) -> str:
        """Return the type of a column: of all rows where the profile is there, else of the first ones."""
        described = [] if self._profile is None else self._profile["columns"]
        found = next((one for one in described if one["name"] == column["name"]), None)
        return str(found["type"] if found is not None else column.get("type") or column["dtype"])

    def _start(self, fields: dict[str, Any]) -> None:
        assert self.source is not None
        target = fields.get("target") or self._target
        request = run_request.RunRequest(
            "compare", target=target, setup_params=self._choices.setup_params(self._notices)
        )
        submitted = run_request.submit(
            self.client, request, run_request.source_table(self.client, self.source), suggest_for
        )
        run = Run(self.client, submitted.run, title=self.source["name"], guesses=submitted.guesses)
        if self._on_run is not None:
            self._on_run(run)
        else:
            self.run = RunPanel(run, on_change=self.refresh)
            self.run.start()

    def children(self) -> Iterable[Panel]:
        """See `Panel.children`."""
        return () if self.run is None else (self.run,)

    # ---------------------------------------------------------------- rendering

    def render(self, *, live: bool) -> str:
        """See `Panel.render`."""
        run = self.run.render(live=live) if self.run is not None else ""
        content = f"{self._dropzone() if live else ''}{self.error_notice()}{self._progress()}{self._preview_table(live=live)}"
        return self.section("Upload data", content, live=live) + run

    @staticmethod
    def _dropzone() -> str:
        return (
            '<div class="jp-pycaret-dropzone" data-drop><p class="jp-pycaret-drop__title">'
            "Drop a CSV, Parquet or Excel file here</p>"
            + button("Upload data", kind="primary", before=icon("upload"), pick="")
            + f'<input type="file" accept="{KINDS}" aria-label="File" hidden></div>'
        )

    def _progress(self) -> str:
        transfer = self._transfer
        if transfer is None:
            return ""
        share = round(100 * transfer.done / transfer.total) if transfer.total else 0
        return (
            f'<div class="jp-pycaret-overall"><div class="jp-pycaret-progress" role="progressbar" '
            f'aria-label="Upload progress" aria-valuenow="{share}" aria-valuemin="0" aria-valuemax="100">'
            f'<div class="jp-pycaret-progress__fill" style="width: {share}%"></div></div>'
            f"<span>{escape(transfer.name)}</span></div>"
        )

    def _preview_table(self, *, live: bool) -> str:
        if self.source is None:
            return ""
        columns: list[JSON] = self._preview["columns"]
        names = [column["name"] for column in columns]
        heads = "".join(
            '<th scope="col"><div class="jp-pycaret-preview__name">'
            f'{escape(column["name"])}</div><div class="jp-pycaret-preview__type">'
            f"{self._type(column, place, live=live)}</div></th>"
            for place, column in enumerate(columns)
        )
        body = "".join(
            f"<tr>{''.join(_cell(row.get(name)) for name in names)}</tr>"
            for row in self._preview["rows"]
        )
        total = self._preview.get("total_rows")
        head = (
            f"<header class='jp-pycaret-head'><h3 class='jp-pycaret-head__title'>"
            f"<span class='jp-pycaret-clip'>{escape(self.source['name'])} <span class='jp-pycaret-muted' "
            f"style='font-weight: 400'>· {plural(total, 'row') if total is not None else 'rows'}, "
            f"{plural(len(names), 'column')}</span></span></h3></header>"
        )
        return (
            f"{head}<div class='jp-pycaret-scroll'><table class='jp-pycaret-table jp-pycaret-preview' "
            f"aria-label='Preview'><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
            f"{self._reading(live=live)}"
            f"{self._form(names) if live and self.run is None else ''}"
        )

    def _type(self, column: JSON, place: int, *, live: bool) -> str:
        found = self._found_type(column)
        chosen = self._choices.types.get(column["name"], found)
        if not live or self.run is not None:
            return escape(chosen)
        return type_picker(column["name"], place, found, chosen)

    def _reading(self, *, live: bool) -> str:
        """Return what was noticed while all rows were read."""
        if self._profile_error is not None:
            return f'<p class="jp-pycaret-hint">No profile: {escape(self._profile_error)}</p>'
        if self._profile is None:
            amount = f" · {escape(self._profile_progress)}" if self._profile_progress else "…"
            return f'<p class="jp-pycaret-hint" role="status">Reading all rows{amount}</p>'
        is_open = live and self.run is None
        return notice_list(self._notices, self._choices, live=is_open) + note_list(
            self._profile["reported"]
        )

    def _form(self, names: list[str]) -> str:
        options = "".join(
            f'<option value="{escape(name)}"{" selected" if name == self._target else ""}>{escape(name)}</option>'
            for name in names
        )
        suggestion = self._preview["suggestion"]
        reason = suggestion["reason"] if self._target == suggestion["target"] else ""
        return (
            '<form class="jp-pycaret-line" data-do="start" aria-label="New run">'
            f'<label>Target <select class="jp-pycaret-select" name="target" data-do="target">{options}'
            f"</select></label>{button('Compare models', 'start', kind='primary')}"
            f'<span class="jp-pycaret-hint">{escape(reason)}</span></form>'
        )


def _cell(value: object) -> str:
    if value is None:
        return '<td class="jp-pycaret-preview__null">–</td>'
    if isinstance(value, float):
        return f'<td class="jp-pycaret-num">{number(value, 4).rstrip("0").rstrip(".")}</td>'
    kind = (
        ' class="jp-pycaret-num"' if isinstance(value, int) and not isinstance(value, bool) else ""
    )
    return f"<td{kind}>{escape(str(value))}</td>"
