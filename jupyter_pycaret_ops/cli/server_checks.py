"""Checks of running servers for `doctor`: their version, health and problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from .. import __version__
from ..client.discovery import api_url, running_servers
from ..server.doctor import Finding

#: seconds for an answer of a server
TIMEOUT_S = 5.0
RESTART = "Start Jupyter again, and see its log."


def check_servers() -> Iterator[Finding]:
    """Check all Jupyter servers of this user on this machine; changes nothing."""
    servers = running_servers()
    if not servers:
        yield Finding(
            "server",
            "note",
            "no Jupyter server of yours is running on this machine, so none was checked",
        )
    for server in servers:
        yield from _check(server)


def _check(server: dict[str, Any]) -> Iterator[Finding]:
    url = str(server["url"])
    token = server.get("token")
    with httpx.Client(
        base_url=api_url(url),
        headers={"Authorization": f"token {token}"} if token else {},
        timeout=TIMEOUT_S,
        trust_env=False,  # a proxy cannot reach this machine
        verify=False,  # noqa: S501 - its own certificate is rarely one that others trust
    ) as http:
        status, body = _get(http, "/healthz")
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
            yield Finding(
                "server", "bad", f"{url} does not work: {_message(status, body)}", RESTART
            )
            return
        yield from _version(http, url)
        yield from _problems(http, url)


def _version(http: httpx.Client, url: str) -> Iterator[Finding]:
    status, about = _get(http, "/")
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


def _problems(http: httpx.Client, url: str) -> Iterator[Finding]:
    """Check the database, the predictions and the environments of a server."""
    status, body = _get(http, "/auth/me")
    if status != 200:
        yield _refused(url, status, body)
        return
    status, body = _get(http, "/v2/health/ready")
    if status not in (200, 404):
        yield Finding(
            "server",
            "bad",
            f"{url} cannot predict at present: {_message(status, body)}",
            "See the message.",
        )
    status, environments = _get(http, "/describe/environments")
    for one in environments if status == 200 and isinstance(environments, list) else ():
        for problem in one.get("problems") or ():
            yield Finding("server", "note", f"environment {one.get('name')}: {problem}")


def _refused(url: str, status: int, body: Any) -> Finding:
    if status in (401, 403):
        return Finding(
            "server",
            "note",
            f"{url} is running, but this command has no token for it",
            "Open it in the browser.",
        )
    return Finding(
        "server",
        "bad",
        f"{url} does not work: {_message(status, body)}",
        "See the message.",
    )


def _get(http: httpx.Client, path: str) -> tuple[int, Any]:
    """Return status and body; 0 and a message without an answer."""
    try:
        answer = http.get(path)
    except httpx.TimeoutException:
        return 0, {"message": f"no answer within {TIMEOUT_S:.0f} s"}
    except httpx.HTTPError as error:
        return 0, {"message": str(error) or type(error).__name__}
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, {}


def _message(status: int, body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or f"it answered {status}")
