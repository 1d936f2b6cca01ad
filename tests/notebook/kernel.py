"""A kernel of a server, used over its channels as JupyterLab does."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import websocket

from ..live import LiveServer


@dataclass
class Output:
    """The output of a cell."""

    text: str = ""
    errors: str = ""
    #: name and message of the exception that ended it
    raised: tuple[str, str] | None = None
    data: list[dict[str, Any]] = field(default_factory=list)
    traceback: str = ""

    @property
    def html(self) -> str:
        """The last HTML that was displayed."""
        return next(one["text/html"] for one in reversed(self.data) if "text/html" in one)


class Kernel:
    """A kernel; executes one cell at a time."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        made = server.http.post(f"{server.url}/api/kernels", json={"name": "python3"}).json()
        self.id = made["id"]
        self.line = websocket.create_connection(
            f"{server.url.replace('http', 'ws', 1)}/api/kernels/{self.id}/channels",
            header=[f"Authorization: token {server.token}"],
            timeout=120,
        )

    def _fetch(self, kind: str, content: dict[str, Any]) -> str:
        ask = secrets.token_hex(8)
        header = {
            "msg_id": ask,
            "msg_type": kind,
            "session": "s",
            "username": "ada",
            "version": "5.4",
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
        self.line.send(json.dumps({**message, "content": content}))
        return ask

    def run(self, code: str) -> Output:
        """Execute a cell."""
        ask = self._fetch(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "allow_stdin": False},
        )
        out = Output()
        while True:
            message = json.loads(self.line.recv())
            if message["parent_header"].get("msg_id") != ask:
                continue
            found = message["content"]
            kind = message["header"]["msg_type"]
            if kind == "stream":
                if found["name"] == "stdout":
                    out.text += found["text"]
                else:
                    out.errors += found["text"]
            elif kind in ("display_data", "execute_result"):
                out.data.append(found["data"])
            elif kind == "error":
                out.raised = (found["ename"], found["evalue"])
                out.traceback = "\n".join(found["traceback"])
            elif kind == "status" and found["execution_state"] == "idle":
                return out

    def value(self, expression: str) -> Any:
        """Return the value of an expression, converted by JSON."""
        out = self.run(f"import json\nprint(json.dumps({expression}))")
        assert out.text, out
        return json.loads(out.text.splitlines()[-1])

    def complete(self, code: str) -> list[str]:
        """Return the completions at the end of a cell."""
        ask = self._fetch("complete_request", {"code": code, "cursor_pos": len(code)})
        while True:
            message = json.loads(self.line.recv())
            if (
                message["parent_header"].get("msg_id") == ask
                and message["header"]["msg_type"] == "complete_reply"
            ):
                found: list[str] = message["content"]["matches"]
                return found

    def end(self) -> None:
        """Shut it down."""
        self.line.close()
        self.server.http.delete(f"{self.server.url}/api/kernels/{self.id}")
