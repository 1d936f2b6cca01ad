"""Servers with a base URL and with a self-signed certificate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.client import Untrusted

from ..live import Home, LiveServer
from .conftest import deploy, key_of, one_of_each, predict, stranger, train


def test_server_with_an_escaped_base_url(home: Home) -> None:
    """The base URL is escaped, as on a Hub for a user called a@b."""
    with LiveServer(home, base_url="/user/a%40b/") as server:
        one_of_each(server, "below-a-prefix")
        assert server.get("/openapi.json")["openapi"].startswith("3.1")
        root = server.url.removesuffix("/user/a%40b")
        outside = requests.get(f"{root}/pycaret/api/v1/healthz", timeout=10)
        assert outside.status_code == 404
        unknown = stranger(server, "GET", "/nowhere")
        assert (unknown.status_code, unknown.json()["reason"]) == (404, "not_found")
        assert not unknown.history


def command_line(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jupyter_pycaret_ops.cli", *arguments],
        env=server.home.env(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_server_with_a_self_signed_certificate(
    home: Home, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients need to trust the certificate; kernels report without it."""
    with LiveServer(home, certificate=certificate) as server:
        assert server.api.startswith("https://")
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{server.api}/healthz", timeout=10, verify=True)
        made = deploy(server, train(server), "behind-tls", auth_mode="api-key")
        predict(server, "behind-tls")
        body = {"rows": [], "unknown": 1}
        key = key_of(server, made["workspace_id"], "predict")
        path = "/deployments/behind-tls"
        assert stranger(server, "GET", f"{path}/schema", key=key).status_code == 200
        assert stranger(server, "POST", f"{path}/predict", key=key, json=body).status_code == 400
        assert stranger(server, "POST", f"{path}/predict", json=body).status_code == 401
        with Client(server.url, server.token) as client:
            with pytest.raises(Untrusted, match=r"is not trusted \(self-signed certificate\)"):
                client.server.me()
            with pytest.raises(Untrusted):
                list(client.runs.watch("x"))
        for verify in (certificate, str(certificate), False):
            with Client(server.url, server.token, verify=verify) as client:
                assert client.server.me()["name"]
        arguments = ["runs", "--url", server.url, "--token", server.token]
        done = command_line(server, *arguments)
        assert (done.returncode, "PYCARET_OPS_CA" in done.stderr) == (5, True)
        assert command_line(server, *arguments, "--ca", str(certificate)).returncode == 0
        monkeypatch.setenv("PYCARET_OPS_CA", str(certificate))
        with Client(server.url, server.token) as client:
            (run,) = client.runs.list()
            events = [event["kind"] for event in client.runs.watch(run["id"])]
            assert events[-1] == "run.succeeded", "over the WebSocket too"
