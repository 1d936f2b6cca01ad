"""What all panels are: drawn in Python as HTML, shown live by a widget, and left as a picture in the file."""

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
#: pictures in the file follow the panel no faster
PICTURE_EVERY_S = 3.0
#: how servers are found that are the page's own as well
OWN = ("this kernel's", "from JupyterHub")


@cache
def _style() -> str:
    """The style as it stands in each picture, without what only its authors read."""
    text = (STATIC / "panel.css").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


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
        #: tells in which panel something was pressed
        self.id = uuid.uuid4().hex[:12]
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

    def parts(self) -> Iterable[Panel]:
        """The panels that are drawn within this one."""
        return ()

    @property
    def is_final(self) -> bool:
        """Whether what it shows can no longer change."""
        return False

    def after(self, part: Panel) -> None:
        """Something was done in a part."""

    def section(self, name: str, inside: str, *, live: bool, style: str = "") -> str:
        """The frame around a panel; its name is what people and tests find it by."""
        more = f' data-panel="{self.id}"' if live else ""
        more += f' style="{style}"' if style else ""
        return (
            f'<section class="jp-pycaret jp-pycaret-output" aria-label="{escape(name)}"{more}>'
            f"{inside}</section>"
        )

    def take_secret(self) -> str | None:
        """What only the browser is to know, this once: a key that was just made, here or in a part."""
        return next(filter(None, (part.take_secret() for part in self.parts())), None)

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
            view = View(html=self._alive(), is_own=self.client.address.how in OWN)
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
        panel = self._find(str(message.get("panel"))) or self
        panel.do(str(message.get("do")), message.get("fields") or {}, buffers)
        if panel is not self:
            self.after(panel)
        self.refresh()
        secret = self.take_secret()
        if secret is not None:
            # a message, not a trait: the state of a widget may be saved with the notebook
            self.view.send({"secret": secret})

    def _find(self, panel_id: str) -> Panel | None:
        if panel_id == self.id:
            return self
        return next(filter(None, (part._find(panel_id) for part in self.parts())), None)

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

    def refresh(self, *, last: bool = False, again: bool = False) -> None:
        """Draw again; the picture follows now and then, and `last` for certain.

        The picture first: whoever sees the end in the panel and saves has it in the file. `again` sends what
        was sent before, too.
        """
        with self._lock:
            due = time.monotonic() - self._pictured_at > PICTURE_EVERY_S
            if self._picture is not None and (last or due):
                from IPython.display import HTML

                self._pictured_at = time.monotonic()
                self._picture.update(HTML(self._still()))
            if self._view is not None:
                html = self._alive()
                if html != self._view.html:
                    self._view.html = html
                elif again:
                    self._view.send_state("html")

    def close(self) -> None:
        """Stop following, here and in the parts; what was drawn stays."""
        self._closed.set()
        for part in self.parts():
            part.close()

    def troubles(self) -> str:
        """The sentence about what was refused, where there is one."""
        return "" if self.trouble is None else notice("failed", self.trouble)

    def _alive(self) -> str:
        """As the browser shows it, with what it says once the kernel is gone."""
        ended = "The kernel has ended; this is what was seen last."
        return f'<p class="jp-pycaret-gone" data-when="gone">{ended}</p>{self.draw(live=True)}'

    def _still(self) -> str:
        """As it stands in the file; what may have changed since says when it was so."""
        at = datetime.now(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        seen = "" if self.is_final else f'<p class="jp-pycaret-gone">As it was at {at}.</p>'
        return (
            f'<div class="jp-pycaret-picture"><style>{_style()}</style>{seen}{self.draw(live=False)}'
            "</div>"
        )
