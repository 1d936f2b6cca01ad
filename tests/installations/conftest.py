"""Checks that each kind of installation must pass, and helpers to create the installations."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ..live import Home, LiveServer, socket_events

ROW = {
    "sepal length (cm)": 5.1,
    "sepal width (cm)": 3.5,
    "petal length (cm)": 1.4,
    "petal width (cm)": 0.2,
}


def train(server: LiveServer) -> str:
    """Submit a run, watch it over the WebSocket to its end, and return its id."""
    run = server.submit(
        server.experiment(setup_params={"fold": 3, "session_id": 1}),
        plan="create",
        model_id="lr",
        sklearn_dataset="iris",
    )
    seen = socket_events(server, run["id"])
    assert seen[-1] == {"kind": "run.closed", "status": "succeeded"}, seen[-2:]
    assert [item["seq"] for item in seen[:-1]] == list(range(1, len(seen)))
    assert server.run(run["id"])["leaderboard"][0]["model_id"] == "lr"
    return str(run["id"])


def deploy(server: LiveServer, run_id: str, slug: str, **more: Any) -> dict[str, Any]:
    """Promote and deploy the pipeline of a run."""
    pipeline = server.post(f"/runs/{run_id}/promote", {"name": slug})
    body = {"endpoint_slug": slug, **more}
    made: dict[str, Any] = server.post(f"/pipelines/{pipeline['id']}/deployments", body)
    return made


def predict(server: LiveServer, slug: str, expect: int = 200, **more: Any) -> Any:
    """Predict with the credential of `server.http`."""
    answer = server.post(f"/deployments/{slug}/predict", {"rows": [ROW]}, expect, **more)
    if expect == 200:
        assert answer["predictions"] == [{"index": 0, "prediction": 0}]
    return answer


def stranger(
    server: LiveServer, method: str, path: str, *, key: str | None = None, **more: Any
) -> requests.Response:
    """Send a request without cookies, with an API key or without credential."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return requests.request(
        method, server.api + path, headers=headers, verify=server.http.verify, timeout=60, **more
    )


def key_of(server: LiveServer, workspace: str, *scopes: str) -> str:
    """Create an API key with the credential of `server.http`."""
    body = {"name": f"key {'-'.join(scopes)}", "workspace_id": workspace, "scopes": list(scopes)}
    return str(server.post("/api-keys", body)["key"])


def one_of_each(server: LiveServer, slug: str) -> dict[str, Any]:
    """Watch a run, predict with its pipeline, and return the deployment."""
    made = deploy(server, train(server), slug)
    predict(server, slug)
    return made


@contextmanager
def acting_as(server: LiveServer, authorization: str) -> Iterator[LiveServer]:
    """Return the server with another credential."""
    own_http = server.http
    server.http = requests.Session()
    server.http.verify = own_http.verify
    server.http.headers["Authorization"] = authorization
    try:
        yield server
    finally:
        server.http.close()
        server.http = own_http


def configure(home: Home, text: str) -> None:
    """Write the configuration file of the servers of a home folder."""
    (home.path / "config" / "jupyter_server_config.py").write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a self-signed certificate for this machine, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a notebook server")])
    now = datetime.datetime.now(datetime.UTC)
    here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(here), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file
