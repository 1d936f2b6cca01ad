"""A Jupyter server in this process with the extension in it, a database of its own and no kernels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import Authorizer, IdentityProvider, User
from pytest_jupyter.jupyter_server import *  # noqa: F403 - its fixtures
from tornado.httputil import HTTPHeaders
from traitlets.config import Config

from jupyter_pycaret_ops.server.api.context import Services
from jupyter_pycaret_ops.server.runs.supervisor import Supervisor

from ...fakes import HandClock
from ...fakes.engine import DESCRIPTION
from ...fakes.records import POOL, World

TOKEN = "the-servers-own-token"
PREFIX = "/a%40b/pycaret/api/v1"
NOBODY = "00000000-0000-7000-8000-000000000000"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A handler that Jupyter would warn of is a failure."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(
                pytest.mark.filterwarnings(
                    "error::jupyter_server.serverapp.JupyterServerAuthWarning"
                )
            )


class NamingProvider(IdentityProvider):
    """Believes the header `X-Person`, as a Hub's provider believes its cookie."""

    def get_user(self, handler: Any) -> User | None:
        name = handler.request.headers.get("X-Person")
        handler._token_authenticated = True
        return User(name, name.capitalize()) if name else None


class RecordingAuthorizer(Authorizer):
    """Remembers what it was asked, and allows what it is told to allow."""

    asked: list[tuple[str, str, str]] = []  # noqa: RUF012 - reset by the fixture
    allowed: frozenset[str] = frozenset({"read", "write", "execute"})

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        self.asked.append((user.username, action, resource))
        return action in self.allowed


@pytest.fixture
def traits(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings of the extension beyond those of every test; parametrised indirectly."""
    return dict(getattr(request, "param", {}))


@pytest.fixture
def server_traits(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The same for the server itself."""
    return dict(getattr(request, "param", {}))


@pytest.fixture
def database_url(url: str) -> str:
    return url


@pytest.fixture
def jp_server_config(
    tmp_path: Path,
    database_url: str,
    traits: dict[str, Any],
    server_traits: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Config:
    async def no_dispatch(_self: Supervisor) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Supervisor, "_dispatch", no_dispatch)
    monkeypatch.setattr(RecordingAuthorizer, "asked", [])
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": {
                    "jupyter_pycaret_ops": True,
                    "jupyter_server_terminals": False,
                },
                "allow_unauthenticated_access": False,
                **server_traits,
            },
            "IdentityProvider": {"token": TOKEN},
            "PyCaretOpsApp": {
                "database_url": database_url,
                "artifact_root": str(tmp_path / "artifacts"),
                "key_file": str(tmp_path / "secret.key"),
                "spare_kernels": 0,
                "profile_uploads": False,
                "owner_name": "ada",
                "pool": POOL,
                **traits,
            },
        }
    )


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cursor(self) -> str | None:
        return self.headers.get("X-Next-Cursor")


class Api:
    """A client of the server under test; it checks what holds for every answer."""

    def __init__(self, client: Any, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    def by(self, **headers: str) -> Api:
        """The same with other headers: `by(Authorization="Bearer …")`, `by(X_Person="bob")`."""
        return Api(self._client, {name.replace("_", "-"): value for name, value in headers.items()})

    def key(self, secret: str) -> Api:
        return self.by(Authorization=f"Bearer {secret}")

    async def call(
        self,
        method: str,
        path: str,
        expect: int | None = None,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        prefix: str = PREFIX,
    ) -> Answer:
        sent = dict(self._headers)
        content = raw
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        response = await self._client.fetch(
            prefix + path,
            method=method,
            body=content,
            headers=sent,
            raise_error=False,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            request_timeout=20,
        )
        answer = Answer(response.code, response.headers, response.body)
        if prefix == PREFIX:
            check_answer(answer)
        if expect is not None:
            assert answer.status == expect, f"{method} {path}: {answer.status} {answer.body!r}"
        return answer

    async def get(self, path: str, expect: int = 200) -> Any:
        return (await self.call("GET", path, expect)).json

    async def post(self, path: str, body: Any = None, expect: int = 201) -> Any:
        return (await self.call("POST", path, expect, body)).json

    async def patch(self, path: str, body: Any, expect: int = 200) -> Any:
        return (await self.call("PATCH", path, expect, body)).json

    async def delete(self, path: str, expect: int = 204) -> None:
        await self.call("DELETE", path, expect)


#: words that have no place in any answer
INSIDE = (b"Traceback", b'File "', b"sqlalchemy", b"sqlite3", b"site-packages", b"/tmp/")


def check_answer(answer: Answer) -> None:
    """What holds for every answer of this API."""
    assert len(answer.headers["X-Request-Id"]) == 36
    assert answer.status != 500, answer.body
    assert answer.status not in (301, 302), "no login page in an API"
    for word in INSIDE:
        assert word not in answer.body, answer.body
    if answer.status == 204:
        assert answer.body == b""
    if answer.status >= 400:
        assert answer.headers["Content-Type"].startswith("application/json")
        # `error` is where clients of the Open Inference Protocol look
        assert set(answer.json) - {"error"} <= {"message", "reason", "errors"}
        assert answer.json.get("error", answer.json["message"]) == answer.json["message"]
        assert answer.json["message"]
        assert " " not in answer.json["reason"]
        for error in answer.json.get("errors", []):
            assert set(error) == {"loc", "msg"}
        if answer.status in (429, 503):
            assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def api(jp_serverapp: Any, http_server_client: Any) -> Api:
    """The owner's client."""
    return Api(http_server_client, {"Authorization": f"token {TOKEN}"})


@pytest.fixture
def stranger(api: Api) -> Api:
    """Somebody without any credential."""
    return api.by()


@pytest.fixture
def extension(jp_serverapp: Any) -> Any:
    (app,) = jp_serverapp.extension_manager.extension_apps["jupyter_pycaret_ops"]
    return app


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(extension: Any, jp_asyncio_loop: Any, clock: HandClock) -> Services:
    """The started rooms, with a canned engine and a clock moved by hand."""
    made: Services = jp_asyncio_loop.run_until_complete(extension.ensure_started())
    made.engine._description = DESCRIPTION
    made.clock = clock
    made.identities._clock = clock
    made.agents._clock = clock
    made.endpoints._monotonic = clock.monotonic
    return made


@pytest.fixture
def world(services: Services, clock: HandClock) -> World:
    """Rows made directly in the store of the server; its `ada` is the server's owner."""
    return World(services.store, clock)


@pytest.fixture
def files(tmp_path: Path) -> Callable[[], list[str]]:
    """What stands in the artifact store."""

    def look() -> list[str]:
        root = tmp_path / "artifacts"
        return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())

    return look
