"""Storage that fails under the server: each route says so with 503, and nothing is begun afresh."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.server.api.context import Services

from ...fakes.backends import SQLITE_ONLY
from ...fakes.records import World
from .conftest import Api
from .test_uploads import END, FILE, KIND, NAME

FAILURES = {
    "full": OSError(errno.ENOSPC, "No space left on device", "/tmp/srv"),
    "refuses": PermissionError(errno.EACCES, "Permission denied", "/tmp/srv"),
    "does not answer": ConnectionError("Could not connect to /tmp/srv"),
    "expired": Exception("An error occurred (ExpiredToken) when calling GetObject"),
}


@pytest.fixture
def failing(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Make the artifact store's file system fail from now on."""

    def begin(failure: Exception) -> None:
        fs, _ = services.artifacts._filesystem()

        def fail(*_: Any, **__: Any) -> Any:
            raise failure

        for method in ("open", "mv", "makedirs", "size", "rm_file"):
            monkeypatch.setattr(fs, method, fail)

    return begin


@pytest.mark.parametrize("word", FAILURES)
async def test_store_that_fails_is_503_on_every_route_that_uses_it(
    api: Api,
    world: World,
    services: Services,
    failing: Callable[[Exception], None],
    word: str,
) -> None:
    run = world.running()
    services.artifacts.put("runs/schema", b"{}")
    services.artifacts.put("runs/model", b"abc")
    world.make_artifact(run, "schema.json", kind="input_schema", storage_key="runs/schema")
    file = world.make_artifact(run, storage_key="runs/model")
    plot = world.make_artifact(run, "plot-auc.json", kind="plot", storage_key="runs/schema")
    world.finish(run)
    source = world.make_source(config={"encoding": "utf-8", "delimiter": ",", "columns": []})
    failing(FAILURES[word])
    runs = f"/experiments/{world.experiment.id}/runs"
    for method, path, body in (
        ("POST", f"/runs/{run.id}/promote", {"name": "p"}),
        ("POST", runs, {"plan": "compare", "data_inline": [{"x": 1, "y": 1}]}),
        ("GET", f"/artifacts/{file.id}/download", None),
        ("GET", f"/runs/{run.id}/plots/auc", None),
        ("GET", f"/data-sources/{source.id}/preview", None),
    ):
        answer = await api.call(method, path, 503, body)
        assert word in answer.json["message"], path
        assert answer.json["reason"] == "unavailable"
    upload = f"/workspaces/{world.workspace.id}/data-sources/upload"
    answer = await api.call("POST", upload, 503, raw=FILE + NAME + END, headers=KIND)
    assert word in answer.json["message"]
    assert plot.id
    # the row goes; its file, which nothing refers to any more, may stay
    await api.delete(f"/data-sources/{source.id}")
    assert await api.get(f"/workspaces/{world.workspace.id}/pipelines") == []


async def test_damaged_files_are_503(api: Api, world: World, services: Services) -> None:
    run = world.running()
    services.artifacts.put("runs/schema", b"{no json")
    services.artifacts.put("runs/model", b"ab")
    world.make_artifact(run, "schema.json", kind="input_schema", storage_key="runs/schema")
    file = world.make_artifact(run, storage_key="runs/model", size_bytes=3)
    world.finish(run)
    answer = await api.call("POST", f"/runs/{run.id}/promote", 503, {"name": "p"})
    assert "damaged" in answer.json["message"]
    answer = await api.call("GET", f"/artifacts/{file.id}/download", 503)
    assert "damaged" in answer.json["message"]


@SQLITE_ONLY
@pytest.mark.parametrize("how", ["removed", "emptied", "replaced"])
async def test_database_file_that_is_lost_is_503_and_no_workspace_is_made(
    api: Api, world: World, services: Services, how: str
) -> None:
    await api.get("/workspaces")
    file = Path(str(services.store.url.database))
    if how == "emptied":
        file.write_bytes(b"")
    else:
        file.unlink()
        if how == "replaced":
            file.touch()
    services.identities._by_name.clear()  # as if a new person came
    for _ in range(2):
        for method, path, body in (
            ("GET", "/workspaces", None),
            ("POST", "/workspaces", {"name": "w"}),
            ("GET", "/auth/me", None),
        ):
            answer = await api.call(method, path, 503, body)
            assert "removed or replaced" in answer.json["message"]
    assert not file.exists() or file.stat().st_size == 0
    await api.get("/healthz")
