"""The base class of panels: rendered as HTML in Python, shown live by a widget, stored as static HTML."""

from __future__ import annotations

import logging
import re
import threading
import time
import uuid
import weakref
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Bool, Unicode

from ..client import Client
from ..common.errors import OpsError
from .markup import escape, notice

log = logging.getLogger("jupyter_pycaret_ops")

STATIC = Path(__file__).parent / "static"
#: seconds between two updates of the static HTML
STATIC_INTERVAL_S = 3.0
#: ways to find a server that is also the server of the page
SAME_SERVER = ("this kernel's", "from JupyterHub")


@cache
def _style() -> str:
    """Return the style sheet for static HTML, without comments and superfluous blanks."""
    text = (STATIC / "panel.css").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


class View(anywidget.AnyWidget):
    """The widget: receives HTML, sends the actions of buttons and forms."""

    _esm = STATIC / "panel.js"
    _css = STATIC / "panel.css"
    html = Unicode().tag(sync=True)
    #: whether the client's server is also the server of the page
    is_own = Bool(default_value=False).tag(sync=True)
    upload_path = Unicode().tag(sync=True)


class Panel:
    """A panel under a cell. Subclasses render it and perform its actions."""

    def __init__(self, client: Client) -> None:
        self.client = client
        #: identifies the panel in messages of the browser
        self.id = uuid.uuid4().hex[:12]
        self._view: View | None = None
        self._static_output: Any = None
        self._static_updated_at = 0.0
        self._lock = threading.RLock()
        self._closed = threading.Event()
        #: message about the last action, if it failed
        self.error_message: str | None = None

    # ---------------------------------------------------------------- for subclasses

    def render(self, *, live: bool) -> str:
        """Return the panel as HTML; without buttons where it is not live."""
        raise NotImplementedError

    def perform(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Perform an action of a button or form; raises `OpsError` when it fails."""

    def start(self) -> None:
        """Start to update the panel; called when it is shown."""

    def children(self) -> Iterable[Panel]:
        """Return the panels inside this one."""
        return ()

    @property
    def is_final(self) -> bool:
        """Whether the content can no longer change."""
        return False

    def child_changed(self, child: Panel) -> None:
        """Handle that an action was performed in a panel inside this one."""

    def section(self, name: str, content: str, *, live: bool, style: str = "") -> str:
        """Return the section element of a panel; `name` is its accessible name."""
        attributes = f' data-panel="{self.id}"' if live else ""
        attributes += f' style="{style}"' if style else ""
        return (
            f'<section class="jp-pycaret jp-pycaret-output" aria-label="{escape(name)}"{attributes}>'
            f"{content}</section>"
        )

    def pop_secret(self) -> str | None:
        """Return a new API key once, of this panel or one inside it; only the browser may have it."""
        return next(filter(None, (child.pop_secret() for child in self.children())), None)

    # ---------------------------------------------------------------- showing

    def show(self) -> None:
        """Show the panel under the executing cell, and start to update it."""
        from IPython.display import HTML, DisplayHandle, display

        static_output = DisplayHandle(f"pycaret-ops-{uuid.uuid4().hex}")
        static_output.display(HTML(self._static_html()))
        self._static_output = static_output
        self._static_updated_at = time.monotonic()
        display(self.view)
        self.start()

    def _ipython_display_(self) -> None:
        self.show()

    @property
    def view(self) -> View:
        """The widget, created when first needed."""
        if self._view is None:
            view = View(html=self._live_html(), is_own=self.client.address.how in SAME_SERVER)
            panel = weakref.ref(self)

            def on_message(_: Any, message: dict[str, Any], buffers: list[memoryview]) -> None:
                this = panel()
                if this is not None:
                    this.handle_message(message, buffers)

            # the front end keeps the widget alive, and the widget keeps the panel alive
            view._panel = self
            view.on_msg(on_message)
            self._view = view
        return self._view

    def handle_message(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Handle a message of the browser: perform the action, render again, and send a new secret."""
        panel = self._find(str(message.get("panel"))) or self
        panel.handle(str(message.get("do")), message.get("fields") or {}, buffers)
        if panel is not self:
            self.child_changed(panel)
        self.refresh()
        secret = self.pop_secret()
        if secret is not None:
            # by a message, not a trait: traits may be saved with the notebook
            self.view.send({"secret": secret})

    def _find(self, panel_id: str) -> Panel | None:
        if panel_id == self.id:
            return self
        return next(filter(None, (child._find(panel_id) for child in self.children())), None)

    def handle(self, action: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Perform an action; if it fails, keep the message for `error_notice`."""
        self.error_message = None
        try:
            self.perform(action, fields, buffers)
        except OpsError as error:
            self.error_message = error.message
        except Exception:
            log.exception("a panel could not perform %s", action)
            self.error_message = "This failed. The kernel's log has details."

    def refresh(self, *, last: bool = False, again: bool = False) -> None:
        """Render again; update the static HTML from time to time, and always when `last`.

        The static HTML is sent first, so that a notebook saved after the panel shows the end has it too.
        `again` sends the HTML even if it is unchanged.
        """
        with self._lock:
            is_due = time.monotonic() - self._static_updated_at > STATIC_INTERVAL_S
            if self._static_output is not None and (last or is_due):
                from IPython.display import HTML

                self._static_updated_at = time.monotonic()
                self._static_output.update(HTML(self._static_html()))
            if self._view is not None:
                html = self._live_html()
                if html != self._view.html:
                    self._view.html = html
                elif again:
                    self._view.send_state("html")

    def close(self) -> None:
        """Stop updates, here and in panels inside; the last content remains."""
        self._closed.set()
        for child in self.children():
            child.close()

    def error_notice(self) -> str:
        """Return the notice about a failed action, or an empty text."""
        return "" if self.error_message is None else notice("failed", self.error_message)

    def _live_html(self) -> str:
        """Return the HTML for the widget, with a notice that it shows once the kernel has ended."""
        ended = "The kernel has ended; this is the last state it sent."
        return f'<p class="jp-pycaret-gone" data-when="gone">{ended}</p>{self.render(live=True)}'

    def _static_html(self) -> str:
        """Return the HTML for the file; with its time if the content may have changed since."""
        at = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        stamp = "" if self.is_final else f'<p class="jp-pycaret-gone">As it was at {at}.</p>'
        return (
            f'<div class="jp-pycaret-picture"><style>{_style()}</style>{stamp}{self.render(live=False)}'
            "</div>"
        )
