"""The description of the engine: read in a kernel once, and cached on disk."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Invalid, Unavailable
from jupyter_pycaret_ops.server.executors import engine_description as description
from jupyter_pycaret_ops.server.executors.engine_description import EngineDescription
from jupyter_pycaret_ops.server.executors.kernel.pool import KernelUnavailable, PoolSettings
from jupyter_pycaret_ops.server.executors.kernel.worker import WorkerDied, WorkerRefused

from ...fakes import Gate, in_loop
from ...fakes.engine import DESCRIPTION


class FakeWorker:
    """A kernel with fixed descriptions of the engine."""

    def __init__(self, answer: str | Exception, gate: Gate | None) -> None:
        self._answer = answer
        self._gate = gate

    async def execute(self, _code: str, _answer: str, *, within_s: float = 60.0) -> str:
        if self._gate is not None:
            await self._gate()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class FakePool:
    """A pool that counts its kernels."""

    def __init__(self, folder: Path, *answers: str | Exception, gate: Gate | None = None) -> None:
        self.settings = PoolSettings("python3", folder)
        self.answers = list(answers) or [json.dumps(DESCRIPTION)]
        self.gate = gate
        self.taken = 0
        self.given_back = 0
        self.ended = 0

    async def take(self, _purpose: str) -> FakeWorker:
        self.taken += 1
        answer = self.answers[min(self.taken, len(self.answers)) - 1]
        if isinstance(answer, KernelUnavailable):
            raise answer
        return FakeWorker(answer, self.gate)

    def give_back(self, _worker: FakeWorker) -> None:
        self.given_back += 1

    async def end(self, _worker: FakeWorker) -> None:
        self.ended += 1


class FakeSpecs:
    """Kernelspecs: one, of that command."""

    def __init__(self, command: str = sys.executable) -> None:
        self.argv = [command, "-m", "ipykernel_launcher", "-f", "{connection_file}"]

    def get_kernel_spec(self, name: str) -> Any:
        if name != "python3":
            raise KeyError(name)
        return self


def engine(pool: FakePool, folder: Path, specs: FakeSpecs | None = None) -> EngineDescription:
    return EngineDescription(pool, specs or FakeSpecs(), folder / "cache")  # type: ignore[arg-type]


def cached(folder: Path) -> list[Path]:
    return sorted((folder / "cache").glob("*"))


@in_loop
async def test_description_is_read_in_a_kernel_once_and_then_from_the_cache(tmp_path: Path) -> None:
    pool = FakePool(tmp_path)
    first = engine(pool, tmp_path)
    assert await first.get() == DESCRIPTION
    assert await first.get() == DESCRIPTION
    assert await engine(pool, tmp_path).get() == DESCRIPTION
    assert (pool.taken, pool.given_back, pool.ended) == (1, 1, 0)
    assert [file.suffix for file in cached(tmp_path)] == [".json"]


@in_loop
async def test_concurrent_requests_share_one_kernel(tmp_path: Path) -> None:
    pool = FakePool(tmp_path, gate=(gate := Gate()))
    asked = engine(pool, tmp_path)
    waiting = [asyncio.create_task(asked.get()) for _ in range(5)]
    await gate.reached.wait()
    gate.open.set()
    assert await asyncio.gather(*waiting) == [DESCRIPTION] * 5
    assert pool.taken == 1


@in_loop
async def test_other_package_version_is_described_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = FakePool(tmp_path)
    await engine(pool, tmp_path).get()
    monkeypatch.setattr(description.importlib.metadata, "version", lambda _name: "999")
    await engine(pool, tmp_path).get()
    assert pool.taken == 2
    assert len(cached(tmp_path)) == 2


@in_loop
async def test_other_environment_is_not_cached(tmp_path: Path) -> None:
    """The versions installed there are not known here."""
    pool = FakePool(tmp_path)
    for _ in range(2):
        await engine(pool, tmp_path, FakeSpecs("/opt/other/bin/python")).get()
    assert pool.taken == 2
    assert cached(tmp_path) == []


@in_loop
async def test_damaged_cache_is_replaced(tmp_path: Path) -> None:
    pool = FakePool(tmp_path)
    await engine(pool, tmp_path).get()
    cached(tmp_path)[0].write_text('{"tasks": [')
    assert await engine(pool, tmp_path).get() == DESCRIPTION
    assert await engine(pool, tmp_path).get() == DESCRIPTION
    assert pool.taken == 2


@in_loop
async def test_cache_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert await engine(FakePool(tmp_path), tmp_path).get() == DESCRIPTION


@pytest.mark.parametrize(
    ("failure", "ended"),
    [
        (KernelUnavailable("The worker kernel could not be started."), 0),
        (WorkerDied("kernel 7 ended"), 1),
        (WorkerRefused("ModuleNotFoundError: pycaret", ""), 1),
    ],
)
def test_kernel_that_cannot_describe_the_engine_is_unavailable(
    tmp_path: Path, failure: Exception, ended: int
) -> None:
    @in_loop
    async def work() -> None:
        pool = FakePool(tmp_path, failure, json.dumps(DESCRIPTION))
        asked = engine(pool, tmp_path)
        with pytest.raises(Unavailable) as refused:
            await asked.get()
        assert refused.value.retry_after_s >= 1
        assert pool.ended == ended
        assert cached(tmp_path) == []
        assert await asked.get() == DESCRIPTION

    work()


@in_loop
async def test_unknown_task_is_refused_with_the_tasks(tmp_path: Path) -> None:
    asked = engine(FakePool(tmp_path), tmp_path)
    assert (await asked.task("regression"))["id"] == "regression"
    with pytest.raises(Invalid, match=r"classification.*time_series"):
        await asked.task("telepathy")
