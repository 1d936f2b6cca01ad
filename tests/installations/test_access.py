"""Access by other ways than the token of the server."""

from __future__ import annotations

from typing import Any

import requests
import websocket
from jupyter_server.auth.security import passwd

from ..live import Home, LiveServer
from .conftest import (
    ROW,
    acting_as,
    configure,
    deploy,
    key_of,
    one_of_each,
    predict,
    stranger,
    train,
)

PASSWORD = "a pass phrase: with 100 % of it"

PEOPLE = """
from jupyter_server.auth import IdentityProvider, User

KNOWN = {
    "token of-ada": User("ada", "Ada", "Ada Lovelace"),
    "token of-grace": User("grace", "Grace", "Grace Hopper"),
}

class People(IdentityProvider):
    async def get_user(self, handler):
        user = KNOWN.get(handler.request.headers.get("Authorization", ""))
        handler._token_authenticated = user is not None
        return user

c.ServerApp.identity_provider_class = People
"""

AUTHORIZER = """
import os
from jupyter_server.auth import Authorizer

class ByFile(Authorizer):
    async def is_authorized(self, handler, user, action, resource):
        with open(os.path.join(os.environ["HOME"], "denied")) as file:
            return f"{resource}:{action}" not in file.read().split()

c.ServerApp.authorizer_class = ByFile
"""


def log_in(server: LiveServer, password: str) -> int:
    """Log in as the browser does: the form's cookie, the form, the session's cookie; its status."""
    server.http.get(f"{server.url}/login", timeout=30)
    answer = server.http.post(
        f"{server.url}/login",
        data={"password": password, "_xsrf": server.http.cookies["_xsrf"]},
        allow_redirects=False,
        timeout=30,
    )
    return answer.status_code


def handshake(server: LiveServer, run_id: str, **more: Any) -> int:
    """Return the status of opening the WebSocket of a run."""
    url = f"{server.api.replace('http', 'ws', 1)}/runs/{run_id}/events/ws"
    try:
        socket = websocket.create_connection(url, timeout=30, **more)
    except websocket.WebSocketBadStatusException as refused:
        return int(refused.status_code)
    socket.close()
    return 101


def made_by(server: LiveServer, deployment: dict[str, Any]) -> str:
    """Return the run of the pipeline of a deployment."""
    return str(server.get(f"/pipelines/{deployment['pipeline_id']}")["origin_run_id"])


def test_password_in_place_of_a_token(home: Home) -> None:
    """The credential is the cookie of the browser, with the XSRF token of Jupyter."""
    hashed = f"--PasswordIdentityProvider.hashed_password={passwd(PASSWORD)}"
    with LiveServer(home, token="", arguments=(hashed,)) as server:
        assert stranger(server, "GET", "/auth/me").status_code == 401
        assert log_in(server, "another") == 401
        assert server.call("GET", "/auth/me", 401)["reason"] == "unauthenticated"
        assert log_in(server, PASSWORD) == 302
        me = server.get("/auth/me")
        refused = server.call("POST", "/workspaces", 403, json={"name": "forged"})
        assert "XSRF" in refused["message"]
        server.http.headers["X-XSRFToken"] = server.http.cookies["_xsrf"]
        run_id = train(server)
        made = deploy(server, run_id, "with-a-password")
        predict(server, "with-a-password")
        # a page of another site has the cookie, and neither the token nor our origin
        there = {"Origin": "https://elsewhere.example", "X-XSRFToken": ""}
        predict(server, "with-a-password", 403, headers=there)
        server.call("GET", "/workspaces", 403, headers=there)
        cookie = "; ".join(f"{item.name}={item.value}" for item in server.http.cookies)
        assert handshake(server, run_id, cookie=cookie, origin="https://elsewhere.example") == 403
        assert handshake(server, run_id, cookie=cookie, origin=server.url) == 101
        # the owner is one person, whichever session is asked
        again = requests.Session()
        server.http, first = again, server.http
        assert log_in(server, PASSWORD) == 302
        assert server.get("/auth/me") == me
        server.http = first
        key = key_of(server, made["workspace_id"], "predict")
        answer = stranger(server, "GET", "/deployments/with-a-password/schema", key=key)
        assert answer.status_code == 403  # this deployment is for members alone


def test_identity_provider_with_two_users(home: Home) -> None:
    """Each user sees their own workspace, and others according to their role."""
    configure(home, PEOPLE)
    with LiveServer(home) as server:
        assert stranger(server, "GET", "/auth/me").status_code == 401
        server.call("GET", "/auth/me", 401)  # the server's own token names nobody
        with acting_as(server, "token of-ada"):
            assert server.get("/auth/me")["memberships"] == []
            assert server.get("/setup/status")["is_bootstrapped"] is False
            body = {"workspace_name": "engines", "project_name": "analytical"}
            workspace = server.post("/setup/bootstrap", body)["id"]
            me = server.get("/auth/me")
            assert (me["name"], me["display_name"]) == ("ada", "Ada Lovelace")
            run_id = train(server)
            deploy(server, run_id, "of-ada")
            predict(server, "of-ada")
        with acting_as(server, "token of-grace"):
            assert server.get("/workspaces") == []
            server.call("GET", f"/runs/{run_id}", 404)
            predict(server, "of-ada", 404)
            server.post("/setup/bootstrap", {"workspace_name": "again"}, 409)
        with acting_as(server, "token of-ada"):
            members = f"/workspaces/{workspace}/members"
            grace = server.post(members, {"name": "grace", "role": "viewer"})
        with acting_as(server, "token of-grace"):
            assert server.run(run_id)["status"] == "succeeded"
            predict(server, "of-ada", 403)
            server.post(f"/runs/{run_id}/cancel", expect=403)
        with acting_as(server, "token of-ada"):
            server.call("PATCH", f"{members}/{grace['user_id']}", 200, json={"role": "member"})
        with acting_as(server, "token of-grace"):
            assert server.get("/auth/me")["memberships"][0]["role"] == "member"
            mine = train(server)
            assert server.run(mine)["created_by"] == grace["user_id"]
            predict(server, "of-ada")


def test_authorizer_that_denies(home: Home) -> None:
    """Its decisions take effect at once; it does not apply to API keys and public deployments."""
    denied = home.path / "denied"
    denied.write_text("")
    configure(home, AUTHORIZER)
    with LiveServer(home) as server:
        run_id = train(server)
        made = deploy(server, run_id, "denied-later", auth_mode="api-key")
        predict(server, "denied-later")
        public = deploy(server, run_id, "open-to-all", auth_mode="public")
        key = key_of(server, made["workspace_id"], "predict")
        experiment = server.experiment()
        denied.write_text("pycaret-ops:execute")
        body = {"plan": "create", "model_id": "lr", "sklearn_dataset": "iris"}
        refused = server.post(f"/experiments/{experiment}/runs", body, 403)
        assert (refused["reason"], "execute" in refused["message"]) == ("forbidden", True)
        predict(server, "denied-later", 403)
        assert server.get(f"/deployments/{public['id']}")["status"] == "active"
        server.experiment()  # writing is not denied
        denied.write_text("pycaret-ops:execute pycaret-ops:read pycaret-ops:write")
        server.call("GET", "/workspaces", 403)
        assert handshake(server, run_id, header=[f"Authorization: token {server.token}"]) == 403
        rows = {"rows": [ROW]}
        by_key = stranger(server, "POST", "/deployments/denied-later/predict", key=key, json=rows)
        assert by_key.status_code == 200, by_key.text
        by_anyone = stranger(server, "POST", "/deployments/open-to-all/predict", json=rows)
        assert by_anyone.status_code == 200, by_anyone.text
        denied.write_text("")
        predict(server, "denied-later")


def test_allow_unauthenticated_access_is_off(home: Home) -> None:
    """Jupyter then refuses handlers that do not opt out; ours do so where API.md says it."""
    closed = "--ServerApp.allow_unauthenticated_access=False"
    with LiveServer(home, arguments=(closed,)) as server:
        made = one_of_each(server, "for-members")
        run_id = made_by(server, made)
        deploy(server, run_id, "for-all", auth_mode="public")
        deploy(server, run_id, "for-keys", auth_mode="api-key")
        key = key_of(server, made["workspace_id"], "predict")
        rows = {"rows": [ROW]}

        def status(method: str, path: str, **more: Any) -> int:
            return stranger(server, method, path, allow_redirects=False, **more).status_code

        for path in ("/healthz", "/v2/health/live", "/v2/health/ready"):
            assert status("GET", path) == 200
        for path in ("", "/", "/openapi.json", "/workspaces", f"/runs/{run_id}"):
            assert status("GET", path) == 401
        assert status("GET", "/nowhere") == 404
        assert status("POST", "/deployments/for-all/predict", json=rows) == 200
        assert status("POST", "/deployments/for-keys/predict", json=rows) == 401
        assert status("POST", "/deployments/for-keys/predict", json=rows, key=key) == 200
        assert status("POST", "/deployments/for-members/predict", json=rows) == 401
        # Jupyter lists the handlers that it had to close; none of them is ours
        listed = [line for line in server.log.read_text().splitlines() if "registered for" in line]
        assert not [line for line in listed if "pycaret" in line]
