"""Where the server is, and the credential that opens it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx

from ..common.errors import Unavailable
from ..common.protocol import API_PREFIX

URL_VARIABLE, TOKEN_VARIABLE = "PYCARET_OPS_URL", "PYCARET_OPS_TOKEN"
PROBE_S = 3.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
#: a page of Jupyter's, as people copy it from the address bar or the terminal
_PAGE = re.compile(r"/(lab|tree|doc|notebooks|consoles)(/.*)?$")


class NoServer(Unavailable):
    """No server was found, or the one that was found does not have the extension."""

    reason = "no_server"


@dataclass(frozen=True, slots=True)
class Address:
    """An API and the credential for it; `how` says where it was found."""

    api: str
    token: str | None
    how: str


def find(
    url: str | None = None,
    token: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Address:
    """The server that is meant: what was said, then the environment, JupyterHub, this kernel's, a running one.

    Raises
    ------
    NoServer
        When there is none, or there are several and nothing tells which; the message says what to do.
    """
    env = os.environ if environ is None else environ
    if url is None and env.get(URL_VARIABLE):
        url, token = env[URL_VARIABLE], token or env.get(TOKEN_VARIABLE)
        how = f"from {URL_VARIABLE}"
    else:
        how = "as you said"
    if url is not None:
        return _said(url, token, env, how)
    return _of_the_hub(token, env) or _of_this_machine(token, env)


def _said(url: str, token: str | None, env: Mapping[str, str], how: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise NoServer(f"“{url}” is not the address of a server, like http://localhost:8888/.")
    token = token or next(iter(parse_qs(parts.query).get("token", [])), None)
    api = api_of(url)
    token = token or env.get(TOKEN_VARIABLE) or _token_of_running(api)
    return Address(api, token, how)


def api_of(url: str) -> str:
    """The API's address from a server's: its base address, a page of Jupyter's, or the API itself."""
    parts = urlsplit(url)
    path = parts.path
    if API_PREFIX in path:
        path = path[: path.index(API_PREFIX)]
    elif "token=" in parts.query or "/tree/" in path:
        path = _PAGE.sub("", path)
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/") + API_PREFIX, "", ""))


def _of_the_hub(token: str | None, env: Mapping[str, str]) -> Address | None:
    """The single-user server whose environment this process has inherited."""
    service, prefix = env.get("JUPYTERHUB_SERVICE_URL"), env.get("JUPYTERHUB_SERVICE_PREFIX")
    secret = token or env.get("JUPYTERHUB_API_TOKEN")
    if not service or not prefix or not secret:
        return None
    parts = urlsplit(service)
    # what a server listens on is not always an address that one can call
    host = parts.hostname or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    where = f"{host}:{parts.port}" if parts.port else host
    return Address(
        api_of(urlunsplit((parts.scheme, where, prefix, "", ""))), secret, "from JupyterHub"
    )


# ---------------------------------------------------------------- servers of this user, on this machine


def running_servers() -> list[dict[str, Any]]:
    """Return the Jupyter servers of this user that run here, by the notes that they leave.

    Jupyter Server reads them too, but takes 2 s to import.
    """
    import psutil
    from jupyter_core.paths import jupyter_runtime_dir

    found = []
    for note in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            server = json.loads(note.read_text(encoding="utf-8"))
            is_there = psutil.pid_exists(int(server["pid"]))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # it is just being written, or has just gone
        # a server on a unix socket has no address that this client speaks to
        if is_there and str(server.get("url", "")).startswith("http"):
            found.append(server)
    return found


def _token_of_running(api: str) -> str | None:
    parts = urlsplit(api)
    for server in running_servers():
        theirs = urlsplit(api_of(server["url"]))
        here = {parts.hostname, theirs.hostname}
        # a token of this machine is sent nowhere else
        if (len(here) == 1 or here <= LOOPBACK) and (theirs.port, theirs.path) == (
            parts.port,
            parts.path,
        ):
            return server.get("token") or None
    return None


def _of_this_machine(token: str | None, env: Mapping[str, str]) -> Address:
    running = running_servers()
    owner = _owner(running, env)
    if owner is not None:
        secret = token or owner.get("token") or _hub_token(owner, env)
        return Address(api_of(owner["url"]), secret, "this kernel's")
    able = [one for one in running if _has_extension(one)]
    if len(able) == 1:
        return Address(api_of(able[0]["url"]), token or able[0].get("token") or None, "running")
    if able:
        listed = ", ".join(str(one["url"]) for one in able)
        raise NoServer(
            f"Several servers are running ({listed}). Say which one: set {URL_VARIABLE}, or name its address."
        )
    if running:
        raise NoServer(
            "Jupyter runs, but without PyCaret Ops. Install jupyter-pycaret-ops where Jupyter runs, and start "
            "it again."
        )
    raise NoServer(
        f"No Jupyter server of yours is running here. Start one with “jupyter lab”, or set {URL_VARIABLE} and "
        f"{TOKEN_VARIABLE}."
    )


def _hub_token(server: dict[str, Any], env: Mapping[str, str]) -> str | None:
    """The Hub's token for its single-user server, which has none of its own."""
    prefix, base = env.get("JUPYTERHUB_SERVICE_PREFIX"), str(server.get("base_url", ""))
    if not prefix or base.strip("/") != prefix.strip("/"):
        return None
    return env.get("JUPYTERHUB_API_TOKEN") or None


def _owner(running: list[dict[str, Any]], env: Mapping[str, str]) -> dict[str, Any] | None:
    """The server that started this process or, further up, the kernel or terminal that it runs in."""
    parents = _parents(env)
    for server in running:
        if str(server.get("pid")) in parents:
            return server
    terminal = env.get("JUPYTER_SERVER_URL")
    for server in running:
        if terminal and api_of(terminal) == api_of(server["url"]):
            return server
    kernel_id = _kernel_id()
    if kernel_id is None:
        return None
    return next((one for one in running if _owns(one, kernel_id)), None)


def _parents(env: Mapping[str, str]) -> set[str]:
    """Processes that may be the server; in containers, numbers are others inside than outside."""
    return {str(os.getppid()), env.get("JPY_PARENT_PID", "")}


def _kernel_id() -> str | None:
    """This process's kernel id, where it is a kernel."""
    application = sys.modules.get("ipykernel.kernelapp")
    if application is None or not application.IPKernelApp.initialized():
        return None
    name = Path(application.IPKernelApp.instance().connection_file).stem
    return name.removeprefix("kernel-") if name.startswith("kernel-") else None


def _owns(server: dict[str, Any], kernel_id: str) -> bool:
    rows = _probe(server, "api/kernels", server.get("token"))
    return isinstance(rows, list) and any(row.get("id") == kernel_id for row in rows)


def _has_extension(server: dict[str, Any]) -> bool:
    return bool(_probe(server, f"{API_PREFIX[1:]}/healthz") == {"ok": True})


def _probe(server: dict[str, Any], path: str, token: str | None = None) -> Any:
    try:
        answer = httpx.get(
            str(server["url"]).rstrip("/") + "/" + path,
            headers={"Authorization": f"token {token}"} if token else {},
            timeout=PROBE_S,
            trust_env=False,  # no proxy leads to this machine
            verify=False,  # noqa: S501 - its own certificate is rarely one that others trust
        )
        return answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None
