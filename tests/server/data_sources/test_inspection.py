"""Inspections of sources: kernels of the pool, time limits, and no trace of secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from jupyter_pycaret_ops.common.errors import Unavailable
from jupyter_pycaret_ops.common.protocol import DataSpec
from jupyter_pycaret_ops.server.data_sources.inspection import (
    MAX_INSPECTIONS_PER_USER,
    SourceInspector,
)
from jupyter_pycaret_ops.server.executors.kernel.pool import KernelUnavailable, WorkerPool
from jupyter_pycaret_ops.server.executors.kernel.worker import WorkerDied, WorkerRefused

from ...fakes import in_loop, settle

SECRET = "hunter2-and-more"
SPEC = DataSpec("postgres", {"host": "h", "password": SECRET})


def file_of(content: bytes) -> Callable[[Path], Awaitable[None]]:
    """Return a function that copies an upload to a path."""

    async def fetch(target: Path) -> None:
        target.write_bytes(content)

    return fetch


class FakeWorker:
    """A kernel with a fixed answer that records its requests."""

    def __init__(self, folder: Path, answer: Any) -> None:
        self.scratch = folder
        self.answer = answer
        self.asked: list[dict[str, Any]] = []
        self.files: list[bytes] = []

    async def execute(self, code: str, answer: str, *, within_s: float = 60.0) -> Any:
        assert code == ""
        message = json.loads(eval(answer.removeprefix("_pycaret_ops_agent.inspect_json")))
        self.asked.append(message)
        if "path" in message["data"]["options"]:
            self.files.append(Path(message["data"]["options"]["path"]).read_bytes())
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            await asyncio.Event().wait()
        return json.dumps(self.answer)


class FakePool:
    """A pool with one worker that records what is done with it."""

    def __init__(self, worker: FakeWorker | None) -> None:
        self.worker = worker
        self.fate: list[str] = []

    async def take(self, purpose: str) -> FakeWorker:
        if self.worker is None:
            raise KernelUnavailable("The worker kernel “x” could not be started.")
        self.fate.append(purpose)
        return self.worker

    async def end(self, _worker: FakeWorker) -> None:
        self.fate.append("ended")


class Harness:
    def __init__(self, folder: Path, answer: Any, within_s: float = 5.0) -> None:
        self.worker = FakeWorker(folder, answer)
        self.pool = FakePool(self.worker)
        self.inspector = SourceInspector(cast("WorkerPool", self.pool), within_s)

    async def inspect(self, spec: DataSpec = SPEC, n_rows: int = 5, **more: Any) -> dict[str, Any]:
        return await self.inspector.inspect(
            spec, n_rows, **{"source_id": "s1", "user": "ada", **more}
        )


@in_loop
async def test_kernel_that_has_read_a_secret_is_ended(tmp_path: Path) -> None:
    harness = Harness(tmp_path, {"columns": []})
    assert await harness.inspect() == {"columns": []}
    assert harness.pool.fate == ["inspection", "ended"]
    assert harness.worker.asked[0]["data"]["options"] == {"host": "h", "password": SECRET}
    assert harness.worker.asked[0]["data"]["limits"]["timeout_s"] == 20.0


@in_loop
async def test_kernel_gets_a_copy_of_an_upload_which_is_removed(tmp_path: Path) -> None:
    harness = Harness(tmp_path, {"columns": []})
    await harness.inspect(DataSpec("parquet_upload"), 5, fetch=file_of(b"PAR1..."))
    assert harness.worker.files == [b"PAR1..."]
    assert list(tmp_path.iterdir()) == []


@in_loop
async def test_kernel_that_does_not_answer_is_ended_in_time(tmp_path: Path) -> None:
    harness = Harness(tmp_path, None, within_s=0.05)
    with pytest.raises(Unavailable, match=r"within 0\.05 s"):
        await harness.inspect(DataSpec("parquet_upload"), 5, fetch=file_of(b"x"))
    assert harness.pool.fate == ["inspection", "ended"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [WorkerDied(SECRET), WorkerRefused(SECRET, SECRET)])
def test_message_of_a_failed_kernel_is_not_shown(tmp_path: Path, error: Exception) -> None:
    harness = Harness(tmp_path, error)
    with pytest.raises(Unavailable) as refused:
        asyncio.run(harness.inspect())
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__
    assert harness.pool.fate == ["inspection", "ended"]


@in_loop
async def test_cancelled_caller_leaves_no_kernel(tmp_path: Path) -> None:
    harness = Harness(tmp_path, None)
    looking = asyncio.create_task(harness.inspect())
    while not harness.worker.asked:
        await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert harness.pool.fate == ["inspection", "ended"]


@in_loop
async def test_missing_kernel_is_unavailable(tmp_path: Path) -> None:
    harness = Harness(tmp_path, {})
    harness.pool.worker = None
    with pytest.raises(Unavailable, match="could not be started"):
        await harness.inspect()


# ---------------------------------------------------------------- a host that never answers


async def asked(harness: Harness, count: int) -> None:
    while len(harness.worker.asked) < count:
        await asyncio.sleep(0)


@in_loop
async def test_same_inspections_share_one_kernel(tmp_path: Path) -> None:
    harness = Harness(tmp_path, {"columns": []})
    answers = await asyncio.gather(*(harness.inspect(user=str(n)) for n in range(8)))
    assert answers == [{"columns": []}] * 8
    assert len(harness.worker.asked) == 1
    answers[0]["columns"] = "changed"
    assert await harness.inspect() == {"columns": []}


@in_loop
async def test_slow_sources_of_one_user_do_not_block_another(tmp_path: Path) -> None:
    harness = Harness(tmp_path, None, within_s=3600.0)
    stuck = [asyncio.create_task(harness.inspect(source_id=f"stuck-{n}")) for n in range(8)]
    await asked(harness, MAX_INSPECTIONS_PER_USER)
    await settle(50)
    assert len(harness.worker.asked) == MAX_INSPECTIONS_PER_USER, (
        "the others wait for their own turn"
    )
    harness.worker.answer = {"columns": []}
    assert await harness.inspect(source_id="fine", user="bob") == {"columns": []}
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    assert harness.pool.fate.count("inspection") == harness.pool.fate.count("ended")


@in_loop
async def test_wait_for_a_slot_times_out(tmp_path: Path) -> None:
    harness = Harness(tmp_path, None, within_s=0.05)
    refused = await asyncio.gather(
        *(harness.inspect(source_id=str(n)) for n in range(8)), return_exceptions=True
    )
    assert all(isinstance(each, Unavailable) for each in refused)
    assert any("Too many sources" in str(each) for each in refused)


@in_loop
async def test_shared_inspection_goes_on_while_one_caller_waits(tmp_path: Path) -> None:
    harness = Harness(tmp_path, None)
    first, second = (asyncio.create_task(harness.inspect()) for _ in range(2))
    await asked(harness, 1)
    first.cancel()
    await settle()
    assert harness.pool.fate == ["inspection"]
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert harness.pool.fate == ["inspection", "ended"]
