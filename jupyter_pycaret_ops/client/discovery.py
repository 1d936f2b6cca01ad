"""Discovery of the server and of a credential for it."""

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
#: a page of Jupyter, as it is copied from the address bar or the terminal
_PAGE = re.compile(r"/(lab|tree|doc|notebooks|consoles)(/.*)?$")


class NoServer(Unavailable):
    """No server was found, or the one that was found does not have the extension."""

    reason = "no_server"


@dataclass(frozen=True, slots=True)
class Address:
    """The URL of an API and the credential for it; `how` is where they were found."""

    api: str
    token: str | None
    how: str


def find_server(
    url: str | None = None,
    token: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Address:
    """Return the address of the server: `url`, else from the environment, JupyterHub, this kernel's, a running one.

    Raises
    ------
    NoServer
        When there is none, or when there are several; the message says what to do.
    """
    env = os.environ if environ is None else environ
    if url is None and env.get(URL_VARIABLE):
        url, token = env[URL_VARIABLE], token or env.get(TOKEN_VARIABLE)
        how = f"from {URL_VARIABLE}"
    else:
        how = "as you said"
    if url is not None:
        return _given_address(url, token, env, how)
    return _from_hub(token, env) or _from_this_machine(token, env)


def _given_address(url: str, token: str | None, env: Mapping[str, str], how: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise NoServer(f"“{url}” is not the address of a server, like http://localhost:8888/.")
    token = token or next(iter(parse_qs(parts.query).get("token", [])), None)
    api = api_url(url)
    token = token or env.get(TOKEN_VARIABLE) or _token_of_running(api)
    return Address(api, token, how)


def api_url(url: str) -> str:
    """Return the URL of the API from that of a server, of a page of Jupyter, or of the API itself."""
    parts = urlsplit(url)
    path = parts.path
    if API_PREFIX in path:
        path = path[: path.index(API_PREFIX)]
    elif "token=" in parts.query or "/tree/" in path:
        path = _PAGE.sub("", path)
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/") + API_PREFIX, "", ""))


def _from_hub(token: str | None, env: Mapping[str, str]) -> Address | None:
    """Return the single-user server whose environment this process has inherited, if any."""
    service, prefix = env.get("JUPYTERHUB_SERVICE_URL"), env.get("JUPYTERHUB_SERVICE_PREFIX")
    secret = token or env.get("JUPYTERHUB_API_TOKEN")
    if not service or not prefix or not secret:
        return None
    parts = urlsplit(service)
    # the address that a server listens on cannot always be called
    host = parts.hostname or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    where = f"{host}:{parts.port}" if parts.port else host
    return Address(
        api_url(urlunsplit((parts.scheme, where, prefix, "", ""))), secret, "from JupyterHub"
    )


# ---------------------------------------------------------------- servers of this user, on this machine


def running_servers() -> list[dict[str, Any]]:
    """Return the Jupyter servers of this user on this machine, from their runtime files.

    `jupyter_server.serverapp.list_running_servers` does the same, but takes 2 s to import.
    """
    import psutil
    from jupyter_core.paths import jupyter_runtime_dir

    servers = []
    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            server = json.loads(file.read_text(encoding="utf-8"))
            is_running = psutil.pid_exists(int(server["pid"]))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # it is being written, or was removed
        # this client cannot connect to a server on a unix socket
        if is_running and str(server.get("url", "")).startswith("http"):
            servers.append(server)
    return servers


def _token_of_running(api: str) -> str | None:
    parts = urlsplit(api)
    for server in running_servers():
        running = urlsplit(api_url(server["url"]))
        hosts = {parts.hostname, running.hostname}
        # a token of this machine must not be sent to another one
        if (len(hosts) == 1 or hosts <= LOOPBACK) and (running.port, running.path) == (
            parts.port,
            parts.path,
        ):
            return server.get("token") or None
    return None


def _from_this_machine(token: str | None, env: Mapping[str, str]) -> Address:
    running = running_servers()
    owner = _owner(running, env)
    if owner is not None:
        secret = token or owner.get("token") or _hub_token(owner, env)
        return Address(api_url(owner["url"]), secret, "this kernel's")
    with_extension = [one for one in running if _has_extension(one)]
    if len(with_extension) == 1:
        return Address(
            api_url(with_extension[0]["url"]),
            token or with_extension[0].get("token") or None,
            "running",
        )
    if with_extension:
        listed = ", ".join(str(one["url"]) for one in with_extension)
        raise NoServer(
            f"Several servers are running ({listed}). Choose one: set {URL_VARIABLE}, or pass its address."
        )
    if running:
        raise NoServer(
            "Jupyter is running, but without PyCaret Ops. Install jupyter-pycaret-ops in the environment of "
            "Jupyter, and start Jupyter again."
        )
    raise NoServer(
        f"No Jupyter server of yours is running here. Start one with “jupyter lab”, or set {URL_VARIABLE} and "
        f"{TOKEN_VARIABLE}."
    )


def _hub_token(server: dict[str, Any], env: Mapping[str, str]) -> str | None:
    """Return the Hub's token for its single-user server, which has no other."""
    prefix, base = env.get("JUPYTERHUB_SERVICE_PREFIX"), str(server.get("base_url", ""))
    if not prefix or base.strip("/") != prefix.strip("/"):
        return None
    return env.get("JUPYTERHUB_API_TOKEN") or None


def _owner(running: list[dict[str, Any]], env: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the server that started this process, or the kernel or terminal that it runs in."""
    parents = _parents(env)
    for server in running:
        if str(server.get("pid")) in parents:
            return server
    terminal = env.get("JUPYTER_SERVER_URL")
    for server in running:
        if terminal and api_url(terminal) == api_url(server["url"]):
            return server
    kernel_id = _kernel_id()
    if kernel_id is None:
        return None
    return next((one for one in running if _owns(one, kernel_id)), None)


def _parents(env: Mapping[str, str]) -> set[str]:
    """Return the ids of processes that may be the server; in containers they differ from those outside."""
    return {str(os.getppid()), env.get("JPY_PARENT_PID", "")}


def _kernel_id() -> str | None:
    """Return the id of the kernel that this process is, None where it is not a kernel."""
    application = sys.modules.get("ipykernel.kernelapp")
    if application is None or not application.IPKernelApp.initialized():
        return None
    name = Path(application.IPKernelApp.instance().connection_file).stem
    return name.removeprefix("kernel-") if name.startswith("kernel-") else None


def _owns(server: dict[str, Any], kernel_id: str) -> bool:
    kernels = _probe(server, "api/kernels", server.get("token"))
    return isinstance(kernels, list) and any(one.get("id") == kernel_id for one in kernels)


def _has_extension(server: dict[str, Any]) -> bool:
    return bool(_probe(server, f"{API_PREFIX[1:]}/healthz") == {"ok": True})


def _probe(server: dict[str, Any], path: str, token: str | None = None) -> Any:
    try:
        answer = httpx.get(
            str(server["url"]).rstrip("/") + "/" + path,
            headers={"Authorization": f"token {token}"} if token else {},
            timeout=PROBE_S,
            trust_env=False,  # a proxy cannot reach this machine
            verify=False,  # noqa: S501 - its own certificate is rarely one that others trust
        )
        return answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None
