"""A real JupyterHub: a single-user server, called from outside and from its notebooks."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.common.errors import Forbidden, Unauthenticated

from ..live import Home, free_port, until
from ..notebook.kernel import Kernel

pytest.importorskip("jupyterhub", reason="JupyterHub is not installed")

CONFIG = """
import sys

c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}/"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {{"admin"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--PyCaretOpsApp.spare_kernels=0"]
c.Spawner.environment = {environment!r}
c.ConfigurableHTTPProxy.command = [
    sys.executable, "-c", "from configurable_http_proxy.cli import main; main()"
]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.ConfigurableHTTPProxy.should_start = True
c.JupyterHub.services = [dict(name="tests", api_token="{token}")]
c.JupyterHub.load_roles = [
    dict(
        name="tests",
        services=["tests"],
        scopes=["admin:users", "admin:servers", "tokens", "access:servers"],
    )
]
"""


@dataclass(slots=True)
class Hub:
    """A JupyterHub, as called by its administrator and users."""

    url: str
    token: str

    def call(self, method: str, path: str, **body: Any) -> Any:
        answer = requests.request(
            method,
            f"{self.url}/hub/api{path}",
            headers={"Authorization": f"token {self.token}"},
            json=body or None,
            timeout=30,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def person(self, name: str) -> str:
        """A user; their token."""
        self.call("POST", f"/users/{name}")
        return str(self.call("POST", f"/users/{name}/tokens", note="tests")["token"])


@dataclass(slots=True)
class Server:
    """The single-user server that a kernel is started on."""

    url: str
    token: str
    http: requests.Session


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running_hub() as made:
        yield made


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Start a JupyterHub in folders of its own, with its proxy and single-user servers."""
    home = Home("pco-hub-")
    home.learn()
    token, port = secrets.token_hex(16), free_port()
    environment = {
        name: value
        for name, value in home.env().items()
        if name.startswith(("JUPYTER_", "IPYTHON", "PATH", "PYTHON"))
    }
    config = home.path / "jupyterhub_config.py"
    config.write_text(
        CONFIG.format(
            port=port,
            hub_port=free_port(),
            proxy_port=free_port(),
            folder=home.path,
            environment=environment,
            token=token,
        )
    )
    log = home.path / "hub.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", str(config)],
            cwd=home.path,
            env=home.env(),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    made = Hub(f"http://127.0.0.1:{port}", token)

    def answers() -> bool:
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
        with suppress(requests.ConnectionError):
            return requests.get(f"{made.url}/hub/api/", timeout=5).ok
        return False

    try:
        until(answers, "the Hub's start", 60)
        yield made
    except BaseException:
        sys.stderr.write(log.read_text(errors="replace")[-6000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        home.remove()


def test_single_user_server_belongs_to_its_user(hub: Hub) -> None:
    ada, bob = hub.person("ada"), hub.person("bob")
    hub.call("POST", "/users/ada/server")
    until(lambda: hub.call("GET", "/users/ada")["servers"].get("", {}).get("ready"), "her server")
    address = f"{hub.url}/user/ada/"

    with Client(address, bob) as stranger, pytest.raises((Forbidden, Unauthenticated)):
        stranger.workspaces.list()
    with Client(address, ada) as client:
        assert client.server.is_healthy()
        me = client.server.me()
        (workspace,) = client.workspaces.list()
        assert (me["name"], workspace["name"]) == ("ada", "default")
        assert me["memberships"] == [{"workspace_id": workspace["id"], "role": "admin"}]
        assert client.default_project().workspace_id == workspace["id"]

    http = requests.Session()
    http.headers["Authorization"] = f"token {ada}"
    kernel = Kernel(Server(address.rstrip("/"), ada, http))  # type: ignore[arg-type]
    try:
        kernel.run("import jupyter_pycaret_ops as ops\nclient = ops.Client()")
        assert kernel.value("[client.address.how, client.server.me()['name']]") == [
            "from JupyterHub",
            "ada",
        ]
        assert kernel.run("%load_ext jupyter_pycaret_ops\n%pcrun list").errors == ""
        # as in a terminal of the server
        result = kernel.run(
            "import os, subprocess, sys\n"
            "print(subprocess.run([sys.executable, '-m', 'jupyter_pycaret_ops.cli', 'runs', '--json'], "
            "capture_output=True, text=True).stdout)"
        )
        assert result.text.strip() == "[]"
    finally:
        kernel.end()
    hub.call("DELETE", "/users/ada/server")
