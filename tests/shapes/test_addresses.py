"""A server below a prefix, and behind a certificate that it made itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from ..live import Home, LiveServer
from .conftest import deploy, key_of, one_of_each, predict, stranger, train


def test_below_a_prefix_as_a_hub_gives_it(home: Home) -> None:
    """The prefix is escaped in the address, as that of a user called a@b is."""
    with LiveServer(home, base_url="/user/a%40b/") as server:
        one_of_each(server, "below-a-prefix")
        assert server.get("/openapi.json")["openapi"].startswith("3.1")
        root = server.url.removesuffix("/user/a%40b")
        outside = requests.get(f"{root}/pycaret/api/v1/healthz", timeout=10)
        assert outside.status_code == 404
        unknown = stranger(server, "GET", "/nowhere")
        assert (unknown.status_code, unknown.json()["reason"]) == (404, "not_found")
        assert not unknown.history


def test_behind_a_self_signed_certificate(home: Home, certificate: Path) -> None:
    """Clients that trust the certificate are served; kernels are reached without one."""
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
