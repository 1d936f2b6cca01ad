"""The same server in other shapes: where people put it, how they log in, who says who they are."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jupyter_server.auth import passwd

from jupyter_pycaret_ops.api.routes import ROUTES

from ..live import Home, LiveServer, socket_events
from ..live import home as make_home

ROW = {
    "sepal length (cm)": 5.1,
    "sepal width (cm)": 3.5,
    "petal length (cm)": 1.4,
    "petal width (cm)": 0.2,
}
#: believes the header `X-Person`, as a Hub's provider believes its cookie
PEOPLE = """
from jupyter_server.auth import IdentityProvider, User

class Naming(IdentityProvider):
    def get_user(self, handler):
        name = handler.request.headers.get("X-Person")
        handler._token_authenticated = True
        return User(name, name.capitalize()) if name else None

c.ServerApp.identity_provider_class = Naming
"""
DENYING = """
from jupyter_server.auth import Authorizer

class Denying(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "pycaret-ops"

c.ServerApp.authorizer_class = Denying
"""


def configured(home: Home, text: str) -> Home:
    (home.path / "config" / "jupyter_server_config.py").write_text(text)
    return home


def predicted(server: LiveServer, slug: str) -> Any:
    answer = server.post(f"/deployments/{slug}/predict", {"rows": [ROW]}, 200)
    return answer["predictions"][0]["prediction"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and self-signed certificate of 127.0.0.1 in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def spaced() -> Iterator[Home]:
    with make_home("pco test with spaces ") as made:
        yield made


def test_behind_a_prefix_with_tls_in_a_folder_with_spaces_and_nothing_unauthenticated(
    spaced: Home, certificate: Path
) -> None:
    with LiveServer(
        spaced,
        base_url="/user/ada%40lab/",
        certificate=certificate,
        arguments=("--ServerApp.allow_unauthenticated_access=False",),
    ) as server:
        deployment = server.deploy_iris("shaped", auth_mode="public")
        assert predicted(server, "shaped") == 0
        pipeline = server.get(f"/pipelines/{deployment['pipeline_id']}")
        seen = socket_events(server, pipeline["origin_run_id"])
        assert [event["seq"] for event in seen[:-1]] == list(range(1, len(seen)))
        assert seen[-1] == {"kind": "run.closed", "status": "succeeded"}
        # callers that are not Jupyter's come through all the same
        body = {"rows": [ROW]}
        stranger = requests.post(
            f"{server.api}/deployments/shaped/predict",
            json=body,
            verify=str(certificate),
            timeout=30,
        )
        assert stranger.status_code == 200
        refused = requests.get(f"{server.api}/workspaces", verify=str(certificate), timeout=30)
        assert (refused.status_code, refused.json()["reason"]) == (401, "unauthenticated")


def log_in(server: LiveServer, password: str) -> int:
    """Log in as a browser does; further calls of `server` carry the cookie and its XSRF token."""
    server.http.get(f"{server.url}/login", timeout=30)
    xsrf = server.http.cookies["_xsrf"]
    answer = server.http.post(
        f"{server.url}/login", data={"password": password, "_xsrf": xsrf}, timeout=30
    )
    server.http.headers["X-XSRFToken"] = server.http.cookies["_xsrf"]
    return answer.status_code


def test_with_a_password_and_a_second_server_of_the_same_user_on_the_same_files(
    home: Home,
) -> None:
    hashed = passwd("opensesame", algorithm="sha1")
    password = (f"--PasswordIdentityProvider.hashed_password={hashed}",)
    with (
        LiveServer(home, token="", arguments=password) as first,
        LiveServer(home) as second,
    ):
        assert log_in(first, "wrong") == 401
        first.call("GET", "/workspaces", 401)
        assert log_in(first, "opensesame") == 200
        first.deploy_iris("shaped")
        assert predicted(first, "shaped") == 0
        # whoever logs in by password or by token is the same owner
        assert first.get("/auth/me")["id"] == second.get("/auth/me")["id"]
        assert predicted(second, "shaped") == 0
        run = second.submit(
            second.experiment(setup_params={"fold": 3}),
            plan="create",
            model_id="lr",
            sklearn_dataset="iris",
        )
        assert first.ended(run["id"])["status"] == "succeeded"
        kinds = [event["kind"] for event in first.events(run["id"])]
        assert kinds.count("run.started") == 1


def test_with_a_provider_that_names_two_people(home: Home) -> None:
    with LiveServer(configured(home, PEOPLE)) as server:
        server.call("GET", "/auth/me", 401)
        server.http.headers["X-Person"] = "bob"
        assert server.get("/auth/me")["memberships"] == []
        server.http.headers["X-Person"] = "ada"
        lab = server.post("/setup/bootstrap", {"workspace_name": "lab", "project_name": "p"})
        server.deploy_iris("shaped")
        assert predicted(server, "shaped") == 0
        server.http.headers["X-Person"] = "bob"
        assert server.get("/runs") == []
        server.call("GET", f"/workspaces/{lab['id']}", 404)
        server.post("/deployments/shaped/predict", {"rows": [ROW]}, 404)
        server.http.headers["X-Person"] = "ada"
        server.post(f"/workspaces/{lab['id']}/members", {"name": "bob", "role": "member"})
        server.http.headers["X-Person"] = "bob"
        assert predicted(server, "shaped") == 0
        run = server.get("/runs")[0]
        assert run["created_by"] != server.get("/auth/me")["id"]


def test_with_an_authorizer_that_denies_nothing_of_ours_answers(home: Home) -> None:
    with LiveServer(configured(home, DENYING)) as server:
        assert server.http.get(f"{server.url}/api/contents", timeout=30).status_code == 200
        nobody = "00000000-0000-7000-8000-000000000000"
        for route in ROUTES:
            if route.access in ("user", "serving"):
                path = route.path.replace("{", "").replace("}", "").replace("_id", nobody)
                body = {} if route.method in ("POST", "PATCH", "PUT") else None
                refused = server.call(route.method, path, 403, json=body)
                assert refused["reason"] == "forbidden", route.path
