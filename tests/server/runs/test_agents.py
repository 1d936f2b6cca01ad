"""The agent's routes: repeated batches, ended attempts and run tokens."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Invalid, Stale, Unauthenticated
from jupyter_pycaret_ops.common.protocol import Acknowledgement, DataSpec, Finish, ReadLimits
from jupyter_pycaret_ops.server.executors.notebook import NotebookExecutor
from jupyter_pycaret_ops.server.files.file_store import FileStore
from jupyter_pycaret_ops.server.runs.agents import Agents, ArtifactMetadata
from jupyter_pycaret_ops.server.runs.fanout import Fanout
from jupyter_pycaret_ops.server.store import artifacts as artifact_rows
from jupyter_pycaret_ops.server.store import keys, runs
from jupyter_pycaret_ops.server.store.models import Artifact, Run
from jupyter_pycaret_ops.server.store.paging import PageRequest
from jupyter_pycaret_ops.server.vault import Vault

from ...fakes import in_loop
from ...fakes.records import POOL, World, said, scored

LIMITS = ReadLimits(cap_rows=7, cap_bytes=8, timeout_s=9.0, allow_private=True)


class Harness:
    """The agent's routes, with a running run."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder / "artifacts"
        self.artifacts = FileStore(str(self.folder))
        self.vault = Vault(folder / "secret.key")
        self.ended: list[tuple[str, int]] = []
        self.agents = Agents(
            world.store,
            self.artifacts,
            self.vault,
            Fanout(),
            world.clock,
            notebook=NotebookExecutor(
                world.store, world.clock, pool=POOL, lease_s=60.0, grace_s=5.0
            ),
            limits=LIMITS,
            lease_s=60.0,
            on_ended=lambda run_id, attempt: self.ended.append((run_id, attempt)),
        )

    def begin(self, **more: Any) -> tuple[Run, str]:
        """A claimed run and its token."""
        token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
        self.world.submit(**more)
        run = self.world.claim(token_hash=keys.digest(token))
        assert run is not None
        return run, token

    def files(self) -> list[str]:
        return [file.name for file in self.folder.rglob("*") if file.is_file()]


@pytest.fixture
def harness(world: World, tmp_path: Path) -> Harness:
    return Harness(world, tmp_path)


@in_loop
async def test_batch_whose_acknowledgement_was_lost_is_stored_once(harness: Harness) -> None:
    run, _ = harness.begin()
    batch = [said(1), scored(2, "lr", Accuracy=0.9)]
    for _ in range(3):  # committed each time, and the answer never arrived
        answer = await harness.agents.take_events(run.id, 1, batch)
        assert answer == Acknowledgement(2, False)
    assert await harness.agents.take_events(run.id, 1, [*batch, said(3)]) == Acknowledgement(
        3, False
    )
    assert [event.n for event in harness.world.events(run.id)] == [None, None, 1, 2, 3]
    assert len(harness.world.run(run.id).leaderboard) == 1


@in_loop
async def test_heartbeat_is_answered_with_a_cancel(harness: Harness) -> None:
    run, _ = harness.begin()
    assert await harness.agents.take_events(run.id, 1, []) == Acknowledgement(0, False)
    await harness.world.store.write(
        runs.request_cancel, harness.world.ada, run.id, harness.world.clock.now()
    )
    assert await harness.agents.take_events(run.id, 1, []) == Acknowledgement(0, True)


@in_loop
async def test_token_belongs_to_one_run_and_one_attempt(harness: Harness) -> None:
    run, token = harness.begin()
    other, _ = harness.begin()
    assert await harness.agents.authenticate(run.id, token) == 1
    assert await harness.agents.authenticate(run.id, token) == 1
    with pytest.raises(Unauthenticated):
        await harness.agents.authenticate(other.id, token)
    with pytest.raises(Unauthenticated):
        await harness.agents.authenticate(run.id, token + "x")
    with pytest.raises(Unauthenticated):
        await harness.agents.authenticate(run.id, "no run token")


@in_loop
async def test_token_of_an_ended_attempt_is_refused(harness: Harness) -> None:
    run, token = harness.begin()
    await harness.agents.authenticate(run.id, token)
    await harness.agents.finish(run.id, Finish(1, "succeeded"))
    assert harness.ended == [(run.id, 1)]
    with pytest.raises(Stale):
        await harness.agents.authenticate(run.id, token)


@in_loop
async def test_attempt_that_another_server_has_requeued_is_refused(harness: Harness) -> None:
    """The token may still be cached here; each request is checked against the database."""
    run, token = harness.begin()
    await harness.agents.authenticate(run.id, token)
    await harness.world.store.write(
        runs.lose_worker, run.id, 1, 2, harness.world.clock.now(), "Lost."
    )
    again = harness.world.claim()
    assert again is not None
    head = ArtifactMetadata("m.pkl", "pipeline_pickle", "x/y", "0" * 64, 1, "lr")
    for word in (
        harness.agents.spec(run.id, 1),
        harness.agents.data_key(run.id, 1),
        harness.agents.take_events(run.id, 1, [said(1)]),
        harness.agents.take_events(run.id, 1, []),
        harness.agents.record_artifact(run.id, head, "runs/x", 3),
        harness.agents.finish(run.id, Finish(1, "succeeded")),
    ):
        with pytest.raises(Stale):
            await word
    assert harness.world.run(run.id).status == "running"
    assert harness.ended == []


@in_loop
async def test_second_finish_of_an_attempt_is_stale(harness: Harness) -> None:
    run, _ = harness.begin()
    last = Finish(1, "failed", "too little data", "user")
    ended = await harness.agents.finish(run.id, last)
    assert (ended.status, ended.error, ended.error_kind) == ("failed", "too little data", "user")
    with pytest.raises(Stale):
        await harness.agents.finish(run.id, last)
    assert harness.world.kinds(run.id)[-1] == "run.failed"
    assert harness.ended == [(run.id, 1)]


@in_loop
async def test_failure_without_a_message_gets_a_default_one(harness: Harness) -> None:
    run, _ = harness.begin()
    ended = await harness.agents.finish(run.id, Finish(1, "failed"))
    assert ended.error
    assert ended.error_kind == "engine"


@in_loop
async def test_finish_stores_leaderboard_summary_and_snapshot(harness: Harness) -> None:
    run, _ = harness.begin()
    last = Finish(
        1,
        "succeeded",
        leaderboard=[{"model_id": "lr", "rank": 1, "Accuracy": 0.91234}],
        metrics_summary={"metric": "Accuracy", "best": {"model_id": "lr", "value": 0.91234}},
        snapshot={"seed": 7},
    )
    ended = await harness.agents.finish(run.id, last)
    assert ended.leaderboard == [{"model_id": "lr", "rank": 1, "Accuracy": 0.91234, "attempt": 1}]
    assert ended.snapshot == {"task": "classification", "target": "y", "seed": 7}
    assert harness.world.events(run.id)[-1].message == "Done: lr, Accuracy 0.9123"


@in_loop
async def test_spec_is_complete_and_only_it_has_the_secret(harness: Harness) -> None:
    secret = harness.vault.encrypt(json.dumps({"password": "hunter2"}))
    source = harness.world.make_source(
        kind="postgres", config={"host": "h"}, secret=secret, storage_key=None
    )
    run, _ = harness.begin(
        data={"kind": "postgres", "options": {"host": "h"}, "storage_key": None},
        data_source_id=source.id,
    )
    spec = await harness.agents.spec(run.id, 1)
    assert (spec.run_id, spec.attempt, spec.task, spec.target) == (run.id, 1, "classification", "y")
    assert spec.data.options == {"host": "h", "password": "hunter2"}
    assert DataSpec.parse(json.loads(json.dumps(asdict(spec.data)))) == spec.data
    assert spec.data.limits == LIMITS
    row = harness.world.run(run.id)
    assert "hunter2" not in json.dumps([row.data, row.snapshot])
    with pytest.raises(Invalid, match="does not store the data"):
        await harness.agents.data_key(run.id, 1)


@in_loop
async def test_spec_of_an_upload_has_its_dialect_and_the_names_of_its_columns(
    harness: Harness,
) -> None:
    dialect = {"encoding": "cp1252", "delimiter": ";", "skip_rows": 2}
    columns = [{"name": "größe", "dtype": "number"}, {"name": "column_2", "dtype": "string"}]
    source = harness.world.make_source(config={"dialect": dialect, "columns": columns})
    data = {"kind": "csv_upload", "options": {"encoding": "cp1252"}, "storage_key": "sources/1"}
    run, _ = harness.begin(data=data, data_source_id=source.id)
    spec = await harness.agents.spec(run.id, 1)
    assert spec.data.options == {
        "encoding": "cp1252",
        "dialect": dialect,
        "columns": ["größe", "column_2"],
    }


@in_loop
async def test_spec_of_an_upload_from_before_dialects_is_as_it_was(harness: Harness) -> None:
    columns = [{"name": "a", "dtype": "number"}]
    config = {"encoding": "latin-1", "delimiter": ";", "columns": columns}
    source = harness.world.make_source(config=config)
    options = {"encoding": "latin-1", "delimiter": ";"}
    data = {"kind": "csv_upload", "options": options, "storage_key": "sources/1"}
    run, _ = harness.begin(data=data, data_source_id=source.id)
    assert (await harness.agents.spec(run.id, 1)).data.options == options


@in_loop
async def test_run_fails_with_a_message_when_its_secret_cannot_be_decrypted(
    harness: Harness,
) -> None:
    """The key file was replaced: no repeating brings the secret back."""
    stranger = Vault(harness.folder.parent / "another.key")
    source = harness.world.make_source(
        kind="postgres", config={}, secret=stranger.encrypt("{}"), storage_key=None
    )
    run, _ = harness.begin(
        data={"kind": "postgres", "options": {}, "storage_key": None}, data_source_id=source.id
    )
    with pytest.raises(Stale):
        await harness.agents.spec(run.id, 1)
    row = harness.world.run(run.id)
    assert (row.status, row.error_kind) == ("failed", "user")
    assert "another key file" in (row.error or "")
    assert harness.ended == [(run.id, 1)]


# ---------------------------------------------------------------- artifacts


async def send(harness: Harness, run: Run, content: bytes, filename: str = "model.pkl") -> Artifact:
    head = ArtifactMetadata(
        filename,
        "pipeline_pickle",
        "application/octet-stream",
        hashlib.sha256(content).hexdigest(),
        run.attempt,
        "lr",
    )
    key, writer = harness.agents.artifact_writer(run.id, head)
    with writer:
        writer.write(content)
        writer.commit()
    return await harness.agents.record_artifact(run.id, head, key, len(content))


@in_loop
async def test_artifact_sent_twice_is_stored_once_and_signed(harness: Harness) -> None:
    run, _ = harness.begin()
    first = await send(harness, run, b"one")
    second = await send(harness, run, b"two")
    assert first.id == second.id
    assert len(harness.files()) == 1
    assert harness.artifacts.read(second.storage_key) == b"two"
    assert harness.vault.is_signed(second.sha256, second.signature)
    page = harness.world.store.read_now(
        artifact_rows.list_page, harness.world.ada, run.id, PageRequest()
    )
    assert [(row.filename, row.size_bytes) for row in page.rows] == [("model.pkl", 3)]


@pytest.mark.parametrize(
    "filename", ["", "../x", "a/b", "/etc/passwd", ".hidden", "a b", "x" * 300, "a\n", "ä.pkl"]
)
def test_artifact_with_an_invalid_name_is_refused(harness: Harness, filename: str) -> None:
    head = ArtifactMetadata(filename, "file", "x/y", "0" * 64, 1, None)
    with pytest.raises(Invalid, match="not a valid name"):
        harness.agents.artifact_writer("run", head)
    assert harness.files() == []
