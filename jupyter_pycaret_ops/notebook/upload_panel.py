"""A place under a cell to drop a file: its progress, its first rows, and a plan to start on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..client import Client, run_request
from ..client.records import JSON, DataSource
from ..common.errors import Invalid
from ..common.tables.suggestion import suggest_for
from .markup import button, escape, icon, number, plural
from .panel import Panel
from .run import Run
from .run_panel import RunPanel

PREVIEWED_ROWS = 5
KINDS = ".csv,.tsv,.txt,.parquet"


@dataclass(slots=True)
class Coming:
    """A file on its way."""

    name: str
    done: int
    total: int


class UploadPanel(Panel):
    """Takes a file; then shows what it holds and starts a plan on it."""

    def __init__(self, client: Client, on_run: Callable[[Run], None] | None = None) -> None:
        super().__init__(client)
        #: takes the run that was started, where another panel shows it
        self._on_run = on_run
        self.workspace_id = client.default_project().workspace_id
        self.source: DataSource | None = None
        self.run: RunPanel | None = None
        self._preview: JSON = {}
        self._target: str | None = None
        self._coming: Coming | None = None
        self._pieces = bytearray()

    def begin(self) -> None:
        """Let the browser know where files go."""
        self.view.upload_path = f"/workspaces/{self.workspace_id}/data-sources/upload"

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Take the file, or start the plan."""
        if what == "progress":
            self._coming = Coming(fields["name"], int(fields["done"]), int(fields["total"]))
        elif what == "refused":
            self._coming = None
            raise Invalid(f"{fields['name']} was not taken: {fields['message']}")
        elif what == "uploaded":
            self._take(self.client.data_sources.get(fields["id"]))
        elif what == "piece":
            self._piece(fields, buffers)
        elif what == "target":
            self._target = fields["target"]
        elif what == "start":
            self._start(fields)

    def _piece(self, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """A part of a file that comes through the kernel, where the server is not the page's own."""
        if not fields["start"]:
            self._pieces = bytearray()
        self._pieces += b"".join(buffers)
        self._coming = Coming(fields["name"], len(self._pieces), int(fields["total"]))
        if len(self._pieces) >= int(fields["total"]):
            content, self._pieces = bytes(self._pieces), bytearray()
            self._coming = None
            taken = {row["name"] for row in self.client.data_sources.list(self.workspace_id, None)}
            name = run_request.unused_name(
                str(fields["name"]).rpartition(".")[0] or fields["name"], taken
            )
            self._take(
                self.client.data_sources.upload(
                    self.workspace_id, content, name, filename=str(fields["name"])
                )
            )

    def _take(self, source: DataSource) -> None:
        self.source, self._coming, self.run = source, None, None
        self._preview = self.client.data_sources.preview(source["id"], PREVIEWED_ROWS)
        self._target = self._preview["suggestion"]["target"]

    def _start(self, fields: dict[str, Any]) -> None:
        assert self.source is not None
        target = fields.get("target") or self._target
        request = run_request.RunRequest("compare", target=target)
        submitted = run_request.submit(
            self.client, request, run_request.source_table(self.client, self.source), suggest_for
        )
        run = Run(self.client, submitted.run, title=self.source["name"], guessed=submitted.guesses)
        if self._on_run is not None:
            self._on_run(run)
        else:
            self.run = RunPanel(run, on_change=self.refresh)
            self.run.begin()

    def parts(self) -> Iterable[Panel]:
        """See `Panel.parts`."""
        return () if self.run is None else (self.run,)

    # ---------------------------------------------------------------- drawing

    def draw(self, *, live: bool) -> str:
        """See `Panel.draw`."""
        run = self.run.draw(live=live) if self.run is not None else ""
        inside = f"{self._place() if live else ''}{self.troubles()}{self._progress()}{self._seen(live=live)}"
        return self.section("Upload data", inside, live=live) + run

    @staticmethod
    def _place() -> str:
        return (
            '<div class="jp-pycaret-dropzone" data-drop><p class="jp-pycaret-drop__title">'
            "Drop a CSV or Parquet file here</p>"
            + button("Upload data", kind="primary", before=icon("upload"), pick="")
            + f'<input type="file" accept="{KINDS}" aria-label="File" hidden></div>'
        )

    def _progress(self) -> str:
        coming = self._coming
        if coming is None:
            return ""
        share = round(100 * coming.done / coming.total) if coming.total else 0
        return (
            f'<div class="jp-pycaret-overall"><div class="jp-pycaret-progress" role="progressbar" '
            f'aria-label="Upload progress" aria-valuenow="{share}" aria-valuemin="0" aria-valuemax="100">'
            f'<div class="jp-pycaret-progress__fill" style="width: {share}%"></div></div>'
            f"<span>{escape(coming.name)}</span></div>"
        )

    def _seen(self, *, live: bool) -> str:
        if self.source is None:
            return ""
        columns: list[JSON] = self._preview["columns"]
        names = [column["name"] for column in columns]
        heads = "".join(
            '<th scope="col"><div class="jp-pycaret-preview__name">'
            f'{escape(column["name"])}</div><div class="jp-pycaret-preview__type">{column["dtype"]}</div></th>'
            for column in columns
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
            f"{self._form(names) if live and self.run is None else ''}"
        )

    def _form(self, names: list[str]) -> str:
        options = "".join(
            f'<option value="{escape(name)}"{" selected" if name == self._target else ""}>{escape(name)}</option>'
            for name in names
        )
        suggestion = self._preview["suggestion"]
        why = suggestion["reason"] if self._target == suggestion["target"] else ""
        return (
            '<form class="jp-pycaret-line" data-do="start" aria-label="New run">'
            f'<label>Target <select class="jp-pycaret-select" name="target" data-do="target">{options}'
            f"</select></label>{button('Compare models', 'start', kind='primary')}"
            f'<span class="jp-pycaret-hint">{escape(why)}</span></form>'
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
