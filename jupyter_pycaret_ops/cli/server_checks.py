"""What `doctor` asks the servers that run: their version, whether they are well, and what their problems are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from .. import __version__
from ..client.discovery import api_of, running_servers
from ..server.doctor import Finding

#: seconds; a server that takes longer does not answer people either
PATIENCE_S = 5.0
RESTART = "Start Jupyter again; its log says more."


def ask_servers() -> Iterator[Finding]:
    """Ask every Jupyter server of this user on this machine. Nothing is changed by it."""
    servers = running_servers()
    if not servers:
        yield Finding("server", "note", "no Jupyter server of yours runs here: none was asked")
    for server in servers:
        yield from _ask(server)


def _ask(server: dict[str, Any]) -> Iterator[Finding]:
    url = str(server["url"])
    token = server.get("token")
    with httpx.Client(
        base_url=api_of(url),
        headers={"Authorization": f"token {token}"} if token else {},
        timeout=PATIENCE_S,
        trust_env=False,  # no proxy leads to this machine
        verify=False,  # noqa: S501 - its own certificate is rarely one that others trust
    ) as line:
        status, body = _get(line, "/healthz")
        if status == 0:
            yield Finding("server", "bad", f"{url} does not answer: {body['message']}", RESTART)
            return
        if status == 404:
            yield Finding(
                "server",
                "bad",
                f"{url} runs without PyCaret Ops",
                "jupyter server extension enable jupyter_pycaret_ops, then start Jupyter again.",
            )
            return
        if status != 200:
            yield Finding("server", "bad", f"{url} is not well: {_said(status, body)}", RESTART)
            return
        yield from _version(line, url)
        yield from _problems(line, url)


def _version(line: httpx.Client, url: str) -> Iterator[Finding]:
    status, about = _get(line, "/")
    if status != 200:
        yield _refused(url, status, about)
        return
    version = about.get("version")
    if version != __version__:
        yield Finding(
            "server",
            "note",
            f"{url} runs version {version}; {__version__} is installed",
            "Start Jupyter again.",
        )
        return
    yield Finding("server", "ok", f"{url} answers, version {version}")


def _problems(line: httpx.Client, url: str) -> Iterator[Finding]:
    """What it says of its database, its predictions and its environments."""
    status, body = _get(line, "/auth/me")
    if status != 200:
        yield _refused(url, status, body)
        return
    status, body = _get(line, "/v2/health/ready")
    if status not in (200, 404):
        yield Finding(
            "server",
            "bad",
            f"{url} cannot predict now: {_said(status, body)}",
            "The message above names the cause.",
        )
    status, found = _get(line, "/describe/environments")
    for one in found if status == 200 and isinstance(found, list) else ():
        for problem in one.get("problems") or ():
            yield Finding("server", "note", f"environment {one.get('name')}: {problem}")


def _refused(url: str, status: int, body: Any) -> Finding:
    if status in (401, 403):
        return Finding(
            "server",
            "note",
            f"{url} runs, and does not let this command in: it has no token",
            "Look at it in the browser.",
        )
    said = _said(status, body)
    return Finding(
        "server", "bad", f"{url} is not well: {said}", "The message above names the cause."
    )


def _get(line: httpx.Client, path: str) -> tuple[int, Any]:
    """Status and body; 0 and a message where there was no answer."""
    try:
        answer = line.get(path)
    except httpx.TimeoutException:
        return 0, {"message": f"not within {PATIENCE_S:.0f} s"}
    except httpx.HTTPError as error:
        return 0, {"message": str(error) or type(error).__name__}
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, {}


def _said(status: int, body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or f"it answered {status}")
