"""What all panels are: drawn in Python as HTML, shown live by a widget, and left as a picture in the file."""

from __future__ import annotations

import logging
import threading
import time
import uuid
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Bool, Unicode

from ..client import Client
from ..errors import OpsError
from .marks import notice

log = logging.getLogger("jupyter_pycaret_ops")

STATIC = Path(__file__).parent / "static"
#: pictures in the file follow the panel no faster
PICTURE_EVERY_S = 3.0
#: how servers are found that are the page's own as well
OWN = ("this kernel's", "from JupyterHub")


@cache
def _style() -> str:
    return (STATIC / "panel.css").read_text(encoding="utf-8")


class View(anywidget.AnyWidget):
    """The widget: HTML in, what was pressed out."""

    _esm = STATIC / "panel.js"
    _css = STATIC / "panel.css"
    html = Unicode().tag(sync=True)
    #: whether the kernel calls the server that the page comes from
    is_own = Bool(default_value=False).tag(sync=True)
    upload_path = Unicode().tag(sync=True)


class Panel:
    """A panel under a cell. Subclasses draw, and do what is asked."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._view: View | None = None
        self._picture: Any = None
        self._pictured_at = 0.0
        self._lock = threading.RLock()
        self._closed = threading.Event()
        #: a sentence about what was tried last and refused
        self.trouble: str | None = None

    # ---------------------------------------------------------------- what subclasses say

    def draw(self, *, live: bool) -> str:
        """The panel as HTML; without buttons where it is not live."""
        raise NotImplementedError

    def act(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Do what was asked."""

    def begin(self) -> None:
        """Start to follow what the panel shows; called when it is shown."""

    # ---------------------------------------------------------------- showing

    def show(self) -> None:
        """Show it under the cell that executes."""
        from IPython.display import HTML, DisplayHandle, display

        picture = DisplayHandle(f"pycaret-ops-{uuid.uuid4().hex}")
        picture.display(HTML(self._still()))
        self._picture = picture
        self._pictured_at = time.monotonic()
        display(self.view)
        self.begin()

    def _ipython_display_(self) -> None:
        self.show()

    @property
    def view(self) -> View:
        """The widget; made when it is first needed."""
        if self._view is None:
            view = View(html=self.draw(live=True), is_own=self.client.address.how in OWN)
            panel = weakref.ref(self)

            def heard(_: Any, message: dict[str, Any], buffers: list[memoryview]) -> None:
                found = panel()
                if found is not None:
                    found.hear(message, buffers)

            # the widget is kept by the browser's side; it keeps the panel as long
            view._panel = self
            view.on_msg(heard)
            self._view = view
        return self._view

    def hear(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Something was pressed."""
        self.do(str(message.get("do")), message.get("fields") or {}, buffers)
        self.refresh()

    def do(self, what: str, fields: dict[str, Any], buffers: list[memoryview]) -> None:
        """Do what was asked; where it cannot be done, this panel says why."""
        self.trouble = None
        try:
            self.act(what, fields, buffers)
        except OpsError as error:
            self.trouble = error.message
        except Exception:
            log.exception("a panel could not do %s", what)
            self.trouble = "That did not work; the log of the kernel says more."

    def refresh(self, *, last: bool = False) -> None:
        """Draw again; the picture follows now and then, and `last` for certain."""
        with self._lock:
            if self._view is not None:
                html = self.draw(live=True)
                if html != self._view.html:
                    self._view.html = html
            due = time.monotonic() - self._pictured_at > PICTURE_EVERY_S
            if self._picture is not None and (last or due):
                from IPython.display import HTML

                self._pictured_at = time.monotonic()
                self._picture.update(HTML(self._still()))

    def close(self) -> None:
        """Stop following; what was drawn stays."""
        self._closed.set()

    def troubles(self) -> str:
        """The sentence about what was refused, where there is one."""
        return "" if self.trouble is None else notice("failed", self.trouble)

    def _still(self) -> str:
        return f'<div class="jp-pycaret-picture"><style>{_style()}</style>{self.draw(live=False)}</div>'
