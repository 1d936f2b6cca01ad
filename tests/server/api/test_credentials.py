"""Who is let in: tokens, cookies, keys, named people, the authorizer; and what each of them opens."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_pycaret_ops.server.api.base import OpsHandler
from jupyter_pycaret_ops.server.api.context import Services
from jupyter_pycaret_ops.server.api.identity import KEY_FRESH_S
from jupyter_pycaret_ops.server.api.routes import ROUTES, handlers
from jupyter_pycaret_ops.server.store import keys, runs, workspaces

from ...fakes import HandClock
from ...fakes.records import INPUT_SCHEMA, World
from .conftest import NOBODY, PREFIX, Api, NamingProvider, RecordingAuthorizer

USER_ROUTES = [route for route in ROUTES if route.access == "user" and route.path]
NAMED = [{"identity_provider_class": NamingProvider}]
ROWS = {"rows": [INPUT_SCHEMA["example"]]}


def filled(path: str) -> str:
    """A path of the table with an id that nobody has."""
    return re.sub(r"\{\w+\}", NOBODY, path)


# ---------------------------------------------------------------- strangers


async def test_a_stranger_opens_nothing_but_what_is_public(stranger: Api) -> None:
    for route in ROUTES:
        if route.path == "":
            continue
        body = b"{}" if route.method in ("POST", "PUT", "PATCH") else None
        answer = await stranger.call(route.method, filled(route.path), raw=body)
        if route.access == "public":
            assert answer.status == 200, route.path
        else:
            assert answer.status == 401, (route.method, route.path, answer.status)
            assert answer.json["reason"] == "unauthenticated"


async def test_a_wrong_credential_is_401(api: Api) -> None:
    for credential in (
        *("token wrong", "Bearer wrong", "Bearer pck_unknown", "Bearer", "token"),
        *("Basic YWRhOnB3", "Bearer pck_" + "x" * 5000, "Bearer pck_ä"),
    ):
        answer = await api.by(Authorization=credential).call("GET", "/workspaces", 401)
        assert answer.json["reason"] == "unauthenticated"
        assert "x" * 100 not in answer.json["message"]


async def test_a_run_token_opens_only_its_runs_routes(api: Api, world: World) -> None:
    token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
    world.submit()
    run = world.claim(token_hash=keys.digest(token))
    assert run is not None
    agent = api.key(token)
    await agent.call("GET", f"/agent/runs/{run.id}/spec", 200)
    for path in ("/workspaces", f"/runs/{run.id}", "/openapi.json", "/auth/me"):
        await agent.call("GET", path, 403)
    await agent.call("GET", f"/agent/runs/{NOBODY}/spec", 401)
    await api.call("GET", f"/agent/runs/{run.id}/spec", 401)  # nor does Jupyter's token open it


async def test_unknown_run_token_is_401_and_one_of_an_ended_attempt_409(
    api: Api, world: World
) -> None:
    unknown = api.key(keys.new_secret(keys.RUN_TOKEN_PREFIX))
    tokens = [keys.new_secret(keys.RUN_TOKEN_PREFIX) for _ in range(2)]
    world.submit()
    run = world.claim(token_hash=keys.digest(tokens[0]), lease_s=1.0)
    assert run is not None
    base = f"/agent/runs/{run.id}"
    beat = {"attempt": 1, "events": []}
    for method, path, body in (
        ("GET", f"{base}/spec", None),
        ("GET", f"{base}/data", None),
        ("POST", f"{base}/events", beat),
        ("POST", f"{base}/finish", {"attempt": 1, "outcome": "succeeded"}),
        ("PUT", f"{base}/artifacts/a.json", {}),
        ("GET", "/workspaces", None),
        ("GET", f"/runs/{run.id}", None),
        ("POST", "/deployments/none/predict", {}),
    ):
        answer = await unknown.call(method, path, 401, body)
        assert answer.json["reason"] == "unauthenticated"
    # the attempt is lost, and the run goes on with another token
    world.store.write_now(runs.lose_worker, run.id, 1, 2, world.clock.now(), "Lost.")
    again = world.claim(token_hash=keys.digest(tokens[1]))
    assert again is not None
    await api.key(tokens[0]).call("POST", f"{base}/events", 409, beat)
    await api.key(tokens[1]).call("POST", f"{base}/events", 200, {"attempt": 2, "events": []})
    world.finish(again)
    for attempt, token in enumerate(tokens, 1):
        late = {"attempt": attempt, "events": []}
        await api.key(token).call("POST", f"{base}/events", 409, late)
    await unknown.call("POST", f"{base}/events", 401, beat)


# ---------------------------------------------------------------- keys


async def make_key(api: Api, world: World, *scopes: str, **more: Any) -> tuple[dict[str, Any], Api]:
    body = {"name": f"key {world.number()}", "workspace_id": world.workspace.id, "scopes": scopes}
    row = await api.post("/api-keys", {**body, **more})
    return row, api.key(row["key"])


async def test_a_key_is_shown_once(api: Api, world: World) -> None:
    row, _ = await make_key(api, world, "read", expires_at="2030-01-01T00:00:00Z")
    secret = row.pop("key")
    assert secret.startswith(row["prefix"])
    assert await api.get("/api-keys") == [row]
    assert secret.encode() not in (await api.call("GET", "/api-keys", 200)).body


ADMINS = re.compile(r"/workspaces/\{workspace_id\}(/members.*)?")


async def test_what_keys_open(api: Api, world: World) -> None:
    """Every route of the table with every scope: what is outside answers 403."""
    for scope in ("predict", "read", "write"):
        _, key = await make_key(api, world, scope)
        for route in USER_ROUTES:
            opens = route.scope is not None and (
                scope == route.scope or (scope == "write" and route.scope in ("read", "predict"))
            )
            if ADMINS.fullmatch(route.path) and route.method != "GET":
                continue  # what an admin may is beyond every key: the next test
            path = route.path.replace("{workspace_id}", world.workspace.id)
            body = b"{}" if route.method in ("POST", "PATCH") else None
            if route.handler is not None and route.method == "POST":
                continue
            answer = await key.call(route.method, filled(path), raw=body)
            assert (answer.status != 403) is opens, (scope, route.method, route.path, answer.body)


async def test_a_key_of_an_admin_does_not_manage(api: Api, world: World) -> None:
    _, key = await make_key(api, world, "write")
    home = f"/workspaces/{world.workspace.id}"
    for method, path, body in (
        ("PATCH", home, {"name": "w"}),
        ("DELETE", home, None),
        ("POST", f"{home}/members", {"name": "bob", "role": "viewer"}),
        ("PATCH", f"{home}/members/{world.ada.user_id}", {"role": "viewer"}),
        ("DELETE", f"{home}/members/{world.ada.user_id}", None),
        ("DELETE", f"{home}?force=true", None),
    ):
        await key.call(method, path, 403, body)


async def test_a_key_opens_nothing_of_another_workspace(api: Api, world: World) -> None:
    other = await api.post("/workspaces", {"name": "other"})
    project = await api.post(f"/workspaces/{other['id']}/projects", {"name": "p"})
    _, key = await make_key(api, world, "write")
    for path in (f"/workspaces/{other['id']}", f"/projects/{project['id']}"):
        await key.call("GET", path, 403)
    await key.call("PATCH", f"/projects/{project['id']}", 403, {"name": "q"})
    assert [row["id"] for row in await key.get("/workspaces")] == [world.workspace.id]
    assert [row["workspace_id"] for row in (await key.get("/auth/me"))["memberships"]] == [
        world.workspace.id
    ]


async def test_a_key_ends_the_moment_it_expires(api: Api, world: World, clock: HandClock) -> None:
    expires_at = "2026-01-02T04:04:05Z"  # an hour after the clock's beginning
    _, key = await make_key(api, world, "read", expires_at=expires_at)
    clock.advance(3599)
    await key.get("/workspaces")
    clock.advance(1)  # what is remembered of the key is a second old
    await key.call("GET", "/workspaces", 401)


async def test_revoking_works_at_once_here_and_within_seconds_elsewhere(
    api: Api, world: World, clock: HandClock
) -> None:
    row, key = await make_key(api, world, "read")
    await key.get("/workspaces")
    await api.delete(f"/api-keys/{row['id']}")
    await key.call("GET", "/workspaces", 401)
    row, key = await make_key(api, world, "read")
    await key.get("/workspaces")
    world.store.write_now(
        keys.revoke, world.ada, row["id"], world.clock.now()
    )  # as another server does it
    clock.advance(KEY_FRESH_S)
    await key.call("GET", "/workspaces", 401)


async def test_a_key_makes_and_revokes_none(api: Api, world: World) -> None:
    row, key = await make_key(api, world, "write")
    body = {"name": "more", "workspace_id": world.workspace.id, "scopes": ["read"]}
    await key.call("POST", "/api-keys", 403, body)
    await key.call("DELETE", f"/api-keys/{row['id']}", 403)


async def test_a_key_opens_nothing_else_of_jupyter(api: Api, world: World) -> None:
    row, _ = await make_key(api, world, "read", "write", "predict")
    base = PREFIX.removesuffix("/pycaret/api/v1")
    for path in ("/api/contents", "/api/kernels", "/api/sessions", "/api/me"):
        for headers in (
            {"Authorization": f"Bearer {row['key']}"},
            {"Authorization": f"token {row['key']}"},
        ):
            answer = await api.by(**headers).call("GET", path, prefix=base)
            assert answer.status in (302, 401, 403), (path, answer.status)


async def test_use_of_a_key_is_noted(api: Api, world: World, clock: HandClock) -> None:
    _, key = await make_key(api, world, "read")
    clock.advance(60)
    await key.get("/workspaces")
    (row,) = await api.get("/api-keys")
    assert row["last_used_at"].startswith("2026-01-02T03:05:05")


# ---------------------------------------------------------------- predict


@pytest.fixture
def answering(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deployments predict `a` without a kernel."""

    async def predict(_self: Any, _model: Any, rows: list[Any], _proba: bool) -> dict[str, Any]:
        return {"predictions": ["a"] * len(rows), "probabilities": None}

    monkeypatch.setattr(type(services.endpoints), "_predict", predict)


async def test_access_modes_of_a_deployment(
    api: Api, stranger: Api, world: World, answering: None
) -> None:
    slugs = {mode: world.deploy(slug=f"by-{mode}", auth_mode=mode) for mode in MODES}
    _, opens_all = await make_key(api, world, "predict")
    _, opens_one = await make_key(api, world, "predict", deployment_id=slugs["api-key"].id)
    _, reads = await make_key(api, world, "read")
    for who, expected in (
        (api, {"workspace": 200, "api-key": 200, "public": 200}),
        (stranger, {"workspace": 401, "api-key": 401, "public": 200}),
        (opens_all, {"workspace": 403, "api-key": 200, "public": 200}),
        (opens_one, {"workspace": 403, "api-key": 200, "public": 200}),
        (reads, {"workspace": 403, "api-key": 403, "public": 200}),
    ):
        for mode, status in expected.items():
            answer = await who.call("POST", f"/deployments/by-{mode}/predict", status, ROWS)
            if status == 200:
                assert answer.json["predictions"] == [{"index": 0, "prediction": "a"}]
                assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    other = world.deploy(slug="another", auth_mode="api-key")
    await opens_one.call("POST", "/deployments/another/predict", 403, ROWS)
    await opens_all.call("POST", f"/deployments/{other.id}/predict", 200, ROWS)


MODES = ("workspace", "api-key", "public")


async def test_public_deployment_answers_whatever_credential_the_caller_carries(
    api: Api, world: World, clock: HandClock, answering: None
) -> None:
    world.deploy(slug="open", auth_mode="public")
    revoked, revoked_key = await make_key(api, world, "read")
    await api.delete(f"/api-keys/{revoked['id']}")
    _, expired_key = await make_key(api, world, "predict", expires_at="2026-01-02T04:04:05Z")
    other = await api.post("/workspaces", {"name": "other"})
    _, others_key = await make_key(api, world, "predict", workspace_id=other["id"])
    token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
    world.submit()
    world.claim(token_hash=keys.digest(token))
    clock.advance(3600)
    for who in (
        *(revoked_key, expired_key, others_key, api.key(token)),
        api.key(keys.new_secret(keys.RUN_TOKEN_PREFIX)),
        *(api.key(secret) for secret in ("pck_unknown", "pck_", "pcr_", "nonsense", "\xff")),
        *(api.by(Authorization=text) for text in ("token wrong", "Basic YTpi", "nonsense", "")),
        api.by(Cookie="username-localhost=nonsense"),
    ):
        await who.call("POST", "/deployments/open/predict", 200, ROWS)
        await who.call("GET", "/deployments/open/schema", 200)
        await who.call("GET", "/v2/models/open", 200)


async def test_key_of_another_workspace_learns_nothing_of_a_slug(
    api: Api, world: World, answering: None
) -> None:
    for mode in ("workspace", "api-key"):
        world.deploy(slug=f"by-{mode}", auth_mode=mode)
    other = await api.post("/workspaces", {"name": "other"})
    for scope in ("predict", "read", "write"):
        _, key = await make_key(api, world, scope, workspace_id=other["id"])
        for method, path, body in (
            ("POST", "/deployments/{}/predict", ROWS),
            ("POST", "/deployments/{}/invocations", {"instances": []}),
            ("GET", "/deployments/{}/schema", None),
            ("GET", "/deployments/{}", None),
            ("PATCH", "/deployments/{}", {"status": "paused"}),
            ("DELETE", "/deployments/{}", None),
            ("GET", "/v2/models/{}", None),
            ("GET", "/v2/models/{}/ready", None),
            ("POST", "/v2/models/{}/infer", {"inputs": []}),
        ):
            unknown = await key.call(method, path.format("none"), None, body)
            for mode in ("workspace", "api-key"):
                answer = await key.call(method, path.format(f"by-{mode}"), None, body)
                assert answer.status == unknown.status, (scope, path, answer.body)
                told = answer.json["message"].replace(f"by-{mode}", "none")
                assert told == unknown.json["message"]
        with_scope = await key.call("GET", "/deployments/by-api-key/schema")
        assert with_scope.status == 404


async def test_host_is_checked_for_every_caller(api: Api, world: World, answering: None) -> None:
    """A name that an attacker leads to this server must not open what a browser's page may ask for."""
    world.deploy(slug="open", auth_mode="public")
    world.deploy(slug="keyed", auth_mode="api-key")
    _, key = await make_key(api, world, "predict")
    _, reader = await make_key(api, world, "read")
    evil = {"Host": "evil.example"}
    for who, method, path, body in (
        (api, "GET", "/workspaces", None),
        (api.by(), "POST", "/deployments/open/predict", ROWS),
        (api.by(), "GET", "/deployments/open/schema", None),
        (api.by(), "POST", "/v2/models/open/infer", {}),
        (key, "POST", "/deployments/keyed/predict", ROWS),
        (key, "POST", "/deployments/open/predict", ROWS),
        (reader, "GET", "/workspaces", None),
    ):
        refused = await who.call(method, path, 403, body, headers=evil)
        assert "host name" in refused.json["message"]
        assert (await who.call(method, path, None, body)).status != 403
    await api.call("GET", "/healthz", 200, headers=evil)


@pytest.mark.parametrize("server_traits", [{"allow_remote_access": True}], indirect=True)
async def test_any_host_is_served_where_jupyter_allows_it(
    api: Api, world: World, answering: None
) -> None:
    world.deploy(slug="open", auth_mode="public")
    path = "/deployments/open/predict"
    await api.by().call("POST", path, 200, ROWS, headers={"Host": "models.example"})


# ---------------------------------------------------------------- other sites

SITE = "https://app.example"


@pytest.mark.parametrize(
    ("server_traits", "allowed"),
    [
        ({}, None),
        ({"allow_origin": SITE}, SITE),
        ({"allow_origin": "*"}, "*"),
        ({"allow_origin_pat": "https://.*[.]example"}, SITE),
        ({"allow_origin_pat": "https://other[.]example"}, None),
    ],
    indirect=["server_traits"],
)
async def test_cors_is_as_jupyters_own_handlers_have_it(
    api: Api, world: World, answering: None, allowed: str | None
) -> None:
    world.deploy(slug="open", auth_mode="public")
    _, key = await make_key(api, world, "predict", "read")
    base = PREFIX.removesuffix("/pycaret/api/v1")
    from_site = {"Origin": SITE}
    allow = "Access-Control-Allow-Origin"
    for asked in ({}, {"Access-Control-Request-Headers": "authorization, content-type"}):
        preflight = from_site | asked | {"Access-Control-Request-Method": "POST"}
        theirs = await api.by().call("OPTIONS", "/api/contents", headers=preflight, prefix=base)
        for path in ("/workspaces", "/deployments/open/predict", "/v2/models/open/infer"):
            ours = await api.by().call("OPTIONS", path, 204, headers=preflight)
            for name in (allow, "Access-Control-Allow-Headers", "Access-Control-Allow-Credentials"):
                assert ours.headers.get(name) == theirs.headers.get(name), (asked, path, name)
            assert "POST" in ours.headers["Access-Control-Allow-Methods"]
    # answers, and errors: a page that may read the one may read the other
    for who, method, path, body, status in (
        (api.by(), "POST", "/deployments/open/predict", ROWS, 200),
        (api.by(), "POST", "/deployments/open/predict", {"rows": []}, 400),
        (api.by(), "GET", "/workspaces", None, 401),
        (api.by(), "GET", "/nowhere", None, 404),
        (api.by(), "PUT", "/workspaces", None, 405),
        (api.key("pck_unknown"), "GET", "/workspaces", None, 401),
    ):
        answer = await who.call(method, path, status, body, headers=from_site)
        assert answer.headers.get(allow) == allowed, (path, status)
    theirs = await api.call("GET", "/api/contents", 200, headers=from_site, prefix=base)
    for who, method, path, body, status in (
        (api, "GET", "/workspaces", None, 200),
        (key, "GET", "/workspaces", None, 200),
        (api, "GET", f"/runs/{NOBODY}", None, 404),
        (key, "GET", f"/runs/{NOBODY}", None, 404),
        (key, "POST", "/workspaces", {"name": "w"}, 403),
        (key, "POST", "/deployments/open/predict", {"rows": []}, 400),
    ):
        answer = await who.call(method, path, status, body, headers=from_site)
        if "open" not in path:  # there a credential changes nothing
            assert answer.headers.get(allow) == theirs.headers.get(allow), (path, status)
        if answer.headers.get(allow):
            assert "X-Next-Cursor" in answer.headers["Access-Control-Expose-Headers"]


async def test_origin_that_is_no_url_is_another_site(api: Api, world: World) -> None:
    browser = api.by(**await with_cookie(api))
    run = world.submit()
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    for origin in ("http://[", "http://[::1", "null"):
        elsewhere = {"Origin": origin}
        await browser.call("GET", "/workspaces", 403, headers=elsewhere)
        socket = f"/runs/{run.id}/events/ws"
        await browser.call("GET", socket, 403, headers=elsewhere | upgrade)


async def test_bad_rows_are_refused_and_counted(
    api: Api, world: World, services: Services, answering: None
) -> None:
    world.deploy(slug="iris")
    path = "/deployments/iris/predict"
    good = INPUT_SCHEMA["example"]
    many = {"rows": [{}] * 10_001}
    for status, body in (
        (400, {"rows": []}),
        (400, {}),
        (400, {"rows": [1]}),
        (400, {"rows": {}}),
        (400, {"rows": [good], "colour": 1}),
        (413, many),
        (422, {"rows": [{}]}),
        (422, {"rows": [{**good, "weight": 1}]}),
        (422, {"rows": [{**good, "length": "1.5"}]}),
    ):
        await api.call("POST", path, status, body)
    nan = b'{"rows": [{"length": NaN}]}'
    await api.call("POST", path, 400, raw=nan, headers={"Content-Type": "application/json"})
    await api.call("POST", f"{path}?extra=ignore", 200, {"rows": [{**good, "weight": 1}]})
    unseen = await api.post(path, {"rows": [{**good, "colour": "blue"}]}, 200)
    assert "blue" in unseen["warnings"][0]
    row = await api.get("/deployments/iris")
    assert (row["inference_count"], row["error_count"]) == (2, 10)
    assert row["p50_latency_ms"] > 0
    await api.patch("/deployments/iris", {"status": "paused"})
    await api.call("POST", path, 409, ROWS)
    await api.patch("/deployments/iris", {"status": "active"})
    await api.call("POST", path, 200, ROWS)


async def test_a_deployments_schema_and_its_example_fit(
    api: Api, world: World, answering: None
) -> None:
    world.deploy(slug="iris")
    schema = await api.get("/deployments/iris/schema")
    assert schema["labels"] == ["a", "b"]
    assert set(schema["row"]["required"]) == set(schema["example"])
    await api.post("/deployments/iris/predict", {"rows": [schema["example"]]}, 200)


# ---------------------------------------------------------------- cookies


async def with_cookie(api: Api) -> dict[str, str]:
    """The headers of a browser that has logged in."""
    base = PREFIX.removesuffix("/pycaret/api/v1")
    answer = await api.call("GET", "/api/me", 200, prefix=base)
    cookies = [line.partition(";")[0] for line in answer.headers.get_list("Set-Cookie")]
    login = next(cookie for cookie in cookies if cookie.startswith("username-"))
    return {"Cookie": f"{login}; _xsrf=2|0a0b0c0d|{'ab' * 16}|1700000000"}


XSRF = f"2|0a0b0c0d|{'ab' * 16}|1700000000"


async def test_a_cookie_reads_and_writes_only_with_its_xsrf_token(
    api: Api, world: World, answering: None
) -> None:
    cookie = await with_cookie(api)
    browser = api.by(**cookie)
    await browser.get("/workspaces")
    for method, path, body in (
        ("POST", "/workspaces", {"name": "w"}),
        ("PATCH", f"/projects/{world.project.id}", {"name": "p"}),
        ("DELETE", f"/projects/{world.project.id}", None),
    ):
        refused = await browser.call(method, path, 403, body)
        assert "XSRF" in refused.json["message"]
    await browser.call("POST", "/workspaces", 201, {"name": "w"}, headers={"X-XSRFToken": XSRF})


async def test_a_cookie_alone_never_opens_predict_to_another_site(
    api: Api, world: World, answering: None
) -> None:
    world.deploy(slug="ours")
    world.deploy(slug="open", auth_mode="public")
    cookie = await with_cookie(api)
    browser = api.by(**cookie)
    elsewhere = {"Origin": "https://evil.example", "X-XSRFToken": XSRF}
    await browser.call("POST", "/deployments/ours/predict", 403, ROWS)
    await browser.call("POST", "/deployments/ours/predict", 403, ROWS, headers=elsewhere)
    await browser.call("GET", "/workspaces", 403, headers={"Origin": "https://evil.example"})
    own = {"X-XSRFToken": XSRF}
    await browser.call("POST", "/deployments/ours/predict", 200, ROWS, headers=own)
    # without a cookie there is nothing that XSRF could protect
    await api.call("POST", "/deployments/ours/predict", 200, ROWS)
    await api.by().call("POST", "/deployments/open/predict", 200, ROWS)


async def test_a_key_beside_a_cookie_is_judged_as_a_key(api: Api, world: World) -> None:
    row, _ = await make_key(api, world, "read")
    cookie = await with_cookie(api)
    both = api.by(**cookie, Authorization=f"Bearer {row['key']}")
    await both.get("/workspaces")
    await both.call("POST", "/workspaces", 403, {"name": "w"})


async def test_no_answer_sets_a_cookie_or_may_be_kept(api: Api) -> None:
    answer = await api.call("GET", "/workspaces", 200)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


# ---------------------------------------------------------------- named people


@pytest.mark.parametrize("server_traits", NAMED, indirect=True)
async def test_on_a_hub_first_use_is_the_users_whose_server_it_is(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else is let in finds nothing, and makes nothing by looking."""
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    ada, bob = api.by(X_Person="ada"), api.by(X_Person="bob")
    assert await bob.get("/workspaces") == []
    (workspace,) = await ada.get("/workspaces")
    assert workspace["name"] == "default"
    me = await ada.get("/auth/me")
    assert me["memberships"] == [{"workspace_id": workspace["id"], "role": "admin"}]
    assert await bob.get("/workspaces") == []


@pytest.mark.parametrize("server_traits", NAMED, indirect=True)
async def test_named_people_are_users_and_see_only_what_is_theirs(api: Api) -> None:
    ada, bob, eve = (api.by(X_Person=name) for name in ("ada", "bob", "eve"))
    await api.by().call("GET", "/auth/me", 401)
    assert (await ada.get("/auth/me"))["memberships"] == []
    assert (await ada.get("/auth/me"))["display_name"] == "Ada"
    lab = await ada.post("/setup/bootstrap", {"workspace_name": "lab"})
    home = f"/workspaces/{lab['id']}"
    await bob.call("GET", home, 404)
    await bob.call("POST", "/setup/bootstrap", 409, {"workspace_name": "mine"})
    await bob.post("/workspaces", {"name": "bobs"})
    await ada.post(f"{home}/members", {"name": "bob", "role": "viewer"})
    await bob.get(home)
    await bob.call("POST", f"{home}/projects", 403, {"name": "p"})
    for path in (home, f"{home}/projects", f"{home}/members", f"/runs?workspace_id={lab['id']}"):
        await eve.call("GET", path, 404)
    member = (await ada.get(f"{home}/members"))[0]
    await ada.patch(f"{home}/members/{member['user_id']}", {"role": "member"})
    await bob.post(f"{home}/projects", {"name": "p"})
    await bob.delete(f"{home}/members/{member['user_id']}")
    await bob.call("GET", home, 404)


@pytest.mark.parametrize("server_traits", NAMED, indirect=True)
async def test_a_deployment_of_others_is_not_found(api: Api, world: World, answering: None) -> None:
    world.deploy(slug="iris")
    vic = world.person("vic", "viewer")
    assert vic.name == "vic"
    await api.by(X_Person="ada").call("POST", "/deployments/iris/predict", 200, ROWS)
    await api.by(X_Person="eve").call("POST", "/deployments/iris/predict", 404, ROWS)
    await api.by(X_Person="vic").call("POST", "/deployments/iris/predict", 403, ROWS)
    await api.by(X_Person="vic").call("GET", "/deployments/iris/schema", 200)


@pytest.mark.parametrize("server_traits", NAMED, indirect=True)
async def test_who_was_sent_away_predicts_no_more(api: Api, world: World, answering: None) -> None:
    world.deploy(slug="iris")
    mia = world.person("mia", "member")
    hers = api.by(X_Person="mia")
    await hers.call("POST", "/deployments/iris/predict", 200, ROWS)
    await api.by(X_Person="ada").delete(f"/workspaces/{world.workspace.id}/members/{mia.user_id}")
    await hers.call("POST", "/deployments/iris/predict", 404, ROWS)
    world.store.write_now(
        workspaces.add_member, world.ada, world.workspace.id, name="mia", role="member"
    )


# ---------------------------------------------------------------- the authorizer


@pytest.mark.parametrize(
    "server_traits", [{"authorizer_class": RecordingAuthorizer}], indirect=True
)
async def test_jupyters_authorizer_is_asked_for_every_route(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With our resource, the action of the table, and the owner; its no is a 403."""
    monkeypatch.setattr(RecordingAuthorizer, "allowed", frozenset())
    for route in ROUTES:
        if route.access not in ("user", "serving") or not route.path:
            continue
        RecordingAuthorizer.asked.clear()
        body = b"{}" if route.method in ("POST", "PATCH") else None
        answer = await api.call(route.method, filled(route.path), 403, raw=body)
        assert RecordingAuthorizer.asked == [("ada", route.action, "pycaret-ops")], route.path
        assert answer.json["reason"] == "forbidden"


@pytest.mark.parametrize(
    "server_traits", [{"authorizer_class": RecordingAuthorizer}], indirect=True
)
async def test_who_may_only_read_reads(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecordingAuthorizer, "allowed", frozenset({"read"}))
    (workspace,) = await api.get("/workspaces")
    await api.call("POST", "/workspaces", 403, {"name": "w"})
    await api.call("POST", f"/experiments/{NOBODY}/runs", 403, {"plan": "compare"})
    await api.get(f"/workspaces/{workspace['id']}/members")


def test_no_route_that_changes_something_is_a_read() -> None:
    reads = {
        route.path
        for route in ROUTES
        if route.action == "read" and route.method not in ("GET", "HEAD")
    }
    assert reads <= {"/runs/{run_id}/wait"}


def test_every_method_of_every_handler_says_that_it_checks_for_itself() -> None:
    """Our own `prepare` resolves callers: Jupyter must be told so, for each method that is there."""
    from tornado.web import RequestHandler

    for _, handler, _ in handlers():
        assert issubclass(handler, OpsHandler)
        for name in RequestHandler.SUPPORTED_METHODS:
            method = getattr(handler, name.lower())
            if method is not RequestHandler._unimplemented_method and name != "HEAD":
                assert getattr(method, "__allow_unauthenticated", False), (handler, name)
            elif name == "HEAD":
                assert method is RequestHandler._unimplemented_method or getattr(
                    method, "__allow_unauthenticated", False
                )
