"""Discovery of the server, from the environment and from running servers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import websocket

from jupyter_pycaret_ops.client import NoServer, discovery
from jupyter_pycaret_ops.client.discovery import api_url, find_server

from ..live import Home, LiveServer

ASK = """
from jupyter_pycaret_ops import Client
client = Client()
print(client.address.api, client.address.how, client.server.me()["name"] != "")
"""


def asked(env: dict[str, str], code: str = ASK) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def local(server: LiveServer) -> str:
    """Return the URL of the API as in the runtime files of Jupyter."""
    return server.api.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize(
    "url",
    [
        "http://h:1/user/ada",
        "http://h:1/user/ada/",
        "http://h:1/user/ada/lab?token=abc",
        "http://h:1/user/ada/lab/tree/x.ipynb",
        "http://h:1/user/ada/pycaret/api/v1",
        "http://h:1/user/ada/pycaret/api/v1/runs",
    ],
)
def test_api_url_is_derived_from_any_page_of_the_server(url: str) -> None:
    assert api_url(url) == "http://h:1/user/ada/pycaret/api/v1"


def test_invalid_address_is_refused() -> None:
    with pytest.raises(NoServer, match="not the address"):
        find_server("localhost:8888")


def test_arguments_override_the_environment() -> None:
    env = {"PYCARET_OPS_URL": "http://env:1", "PYCARET_OPS_TOKEN": "env"}
    assert find_server("http://given:2", "given", env).token == "given"
    found = find_server(environ=env)
    assert (found.api, found.token) == ("http://env:1/pycaret/api/v1", "env")
    assert find_server("http://h:1/lab?token=copied", environ={}).token == "copied"


def test_single_user_server_is_found_by_its_environment() -> None:
    env = {
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/ada/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
        "JUPYTERHUB_API_TOKEN": "hub",
    }
    found = find_server(environ=env)
    assert (found.api, found.token) == ("http://127.0.0.1:8888/user/ada/pycaret/api/v1", "hub")


def test_single_user_server_found_by_its_runtime_file_gets_the_hub_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has no token of its own; the token of the Hub is not sent to other servers."""
    hub_server = {
        "url": "http://localhost:1/user/ada/",
        "base_url": "/user/ada/",
        "token": "",
        "pid": 7,
    }
    monkeypatch.setattr(discovery, "running_servers", lambda: [hub_server])
    env = {"JUPYTERHUB_API_TOKEN": "hub", "JPY_PARENT_PID": "7"}
    assert find_server(environ=env | {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}).token == "hub"
    assert find_server(environ=env | {"JUPYTERHUB_SERVICE_PREFIX": "/user/bob/"}).token is None


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[LiveServer, LiveServer]]:
    """Two servers of the same user."""
    home = Home()
    try:
        with LiveServer(home) as one, LiveServer(home, base_url="/other/") as other:
            yield one, other
    finally:
        home.remove()


def test_single_running_server_is_found(server: LiveServer) -> None:
    done = asked(server.home.env())
    assert done.stdout.split() == [local(server), "running", "True"], done.stderr


def test_two_running_servers_are_ambiguous(two: tuple[LiveServer, LiveServer]) -> None:
    one, other = two
    env = one.home.env()
    done = asked(env)
    assert "NoServer: Several servers are running" in done.stderr
    assert f":{one.port}/" in done.stderr
    assert "/other/" in done.stderr
    for server in two:
        # the token of a server of this user is found by its address
        done = asked(env | {"PYCARET_OPS_URL": server.url})
        assert done.stdout.startswith(server.api), done.stderr
    done = asked(env | {"JUPYTER_SERVER_URL": f"http://localhost:{other.port}/other/"})
    assert "other" in done.stdout


def test_kernel_finds_its_own_server(two: tuple[LiveServer, LiveServer]) -> None:
    # not by its parent alone: in a container each may see other numbers
    code = (
        "from jupyter_pycaret_ops.client import discovery\ndiscovery._parents = lambda env: set()\n"
        + ASK
    )
    for server in two:
        kernel = server.http.post(f"{server.url}/api/kernels", json={"name": "python3"}).json()
        try:
            assert local(server) in executed(server, kernel["id"], code)
        finally:
            server.http.delete(f"{server.url}/api/kernels/{kernel['id']}")


def executed(server: LiveServer, kernel_id: str, code: str) -> str:
    """Return what a kernel prints, or its error."""
    connection = websocket.create_connection(
        f"{server.url.replace('http', 'ws', 1)}/api/kernels/{kernel_id}/channels",
        header=[f"Authorization: token {server.token}"],
        timeout=60,
    )
    header = {"msg_id": "ask", "msg_type": "execute_request", "session": "s", "username": "ada"}
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    request = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
    output = ""
    try:
        connection.send(json.dumps({**request, "content": content}))
        while True:
            message = json.loads(connection.recv())
            if message["parent_header"].get("msg_id") != "ask":
                continue
            output += message["content"].get("text", "") + message["content"].get("evalue", "")
            if message["content"].get("execution_state") == "idle":
                return output
    finally:
        connection.close()


def test_no_running_server_is_raised_with_a_remedy(home: Home) -> None:
    done = asked(home.env())
    assert "NoServer: No Jupyter server of yours is running here. Start one with" in done.stderr
