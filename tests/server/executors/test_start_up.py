"""The start of worker kernels: without the configuration of the user, and within a time limit."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from jupyter_pycaret_ops.common.protocol import DataSpec
from jupyter_pycaret_ops.server.data_sources.inspection import SourceInspector
from jupyter_pycaret_ops.server.executors.kernel.pool import (
    KernelUnavailable,
    PoolSettings,
    WorkerPool,
)
from jupyter_pycaret_ops.server.executors.kernel.worker import WorkerRefused, WorkerTimeout

from ...fakes import in_loop

#: what people have in their IPython's start-up folder
START_UPS = {
    "rich": "import rich.pretty; rich.pretty.install()",
    "raising": "raise RuntimeError('from a start-up file')",
    "printing": "print('x' * 100_000)",
    "slow": "import time; time.sleep(300)",
    "warnings": "import warnings; warnings.simplefilter('error')",
    "autoreload": "get_ipython().run_line_magic('load_ext', 'autoreload')\n"
    "get_ipython().run_line_magic('autoreload', '2')",
    "path": "import sys; sys.path[:] = []",
    "locale": "import locale; locale.setlocale(locale.LC_ALL, ''); locale.localeconv = None",
    "formatter": "get_ipython().display_formatter.formatters['text/plain'].for_type(str, lambda *_: 1 / 0)",
    "exit": "import os; os._exit(3)",
}
SPEC = KernelSpec(
    argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    display_name="Test",
    language="python",
)


class OneSpec(KernelSpecManager):
    """Returns the same kernelspec for any name."""

    spec = SPEC

    def get_kernel_spec(self, _name: str) -> KernelSpec:
        return self.spec


async def nothing(*_: Any) -> None:
    pass


@asynccontextmanager
async def pool(
    folder: Path, spec: KernelSpec = SPEC, answer_s: float = 60.0
) -> AsyncIterator[WorkerPool]:
    specs = OneSpec()
    specs.spec = spec
    kernels = WorkerPool(
        PoolSettings("test", folder, spares=0, answer_s=answer_s),
        specs,
        on_started=nothing,
        on_taken=nothing,
        on_ended=nothing,
    )
    try:
        yield kernels
    finally:
        await kernels.close()
        assert not kernels.live
        assert not list(folder.glob("work-*")), "a kernel's folder stayed behind"


def own_profile(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> Path:
    """Make IPython and Python execute `code` at each start; return the file that it creates."""
    mark = folder / "was-executed"
    whole = f"open({str(mark)!r}, 'w').close()\n{code}\n"
    start_up = folder / "ipython" / "profile_default" / "startup"
    start_up.mkdir(parents=True)
    (start_up / "00-mine.py").write_text(whole, encoding="utf-8")
    script = folder / "start.py"
    script.write_text(whole, encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(script))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    return mark


@pytest.mark.parametrize("name", START_UPS)
def test_start_up_files_of_the_user_do_not_run_in_worker_kernels(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = own_profile(tmp_path, monkeypatch, START_UPS[name])

    @in_loop
    async def check() -> None:
        async with pool(tmp_path) as kernels:
            worker = await kernels.take("probe")
            value = {"text": "ä€\u2028", "numbers": [1.5, None, True], "deep": {"a": {}}}
            assert await worker.execute("", repr(value)) == value

    check()
    assert not mark.exists()


def test_answer_is_not_changed_by_formatters(tmp_path: Path) -> None:
    """The configuration of the environment installs a formatter."""

    @in_loop
    async def check() -> None:
        async with pool(tmp_path) as kernels:
            worker = await kernels.take("probe")
            await worker.execute(START_UPS["rich"])
            await worker.execute("print('noise'); _pycaret_ops_agent")
            assert await worker.execute("x = 'a' * 100_000", "x") == "a" * 100_000
            with pytest.raises(WorkerRefused, match="no answer"):
                await worker.execute("get_ipython().payload_manager.write_payload = print", "1")

    check()


STUCK = "import sys, time; print('waiting for /opt/secret/licence.key', file=sys.stderr, flush=True); time.sleep(600)"


def test_kernel_that_never_answers_is_unavailable_with_the_reason(tmp_path: Path) -> None:
    spec = KernelSpec(argv=[sys.executable, "-c", STUCK, "{connection_file}"], language="python")

    @in_loop
    async def check() -> None:
        async with pool(tmp_path, spec, answer_s=2.0) as kernels:
            with pytest.raises(KernelUnavailable) as caught:
                await kernels.take("probe")
            assert not kernels.live
        message = str(caught.value)
        assert "did not answer within 2 s" in message
        assert "waiting for licence.key" in message
        assert "kernel_answer_s" in message
        assert "/opt" not in message
        assert str(Path(sys.executable).parent) not in message

    before = set(psutil.pids())
    check()
    assert not [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid not in before and STUCK in (process.info["cmdline"] or [])
    ]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/no/such/place/python", "-m", "ipykernel_launcher"], "No such file"),
        ([sys.executable, "-c", "raise SystemExit('no licence')"], "no licence"),
        ([sys.executable, "-c", "import nowhere"], "nowhere"),
    ],
)
def test_kernel_that_cannot_start_is_explained_without_paths(
    tmp_path: Path, argv: list[str], expected: str
) -> None:
    @in_loop
    async def check() -> None:
        async with pool(
            tmp_path, KernelSpec(argv=argv, language="python"), answer_s=15.0
        ) as kernels:
            with pytest.raises(KernelUnavailable) as caught:
                await kernels.take("probe")
        assert expected in str(caught.value)
        assert "/no/such" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)

    check()


def test_kernel_that_stops_answering_times_out(tmp_path: Path) -> None:
    @in_loop
    async def check() -> None:
        async with pool(tmp_path) as kernels:
            worker = await kernels.take("probe")
            os.kill(worker.pid, signal.SIGSTOP)
            with contextlib.suppress(ProcessLookupError), pytest.raises(WorkerTimeout):
                await worker.execute("1 + 1", within_s=0.5)

    check()


@in_loop
async def test_worker_kernels_are_not_restarted(tmp_path: Path) -> None:
    """Jupyter's restarter would start a killed kernel again after 3 s."""
    async with pool(tmp_path) as kernels:
        worker = await kernels.take("test")
        manager = kernels._manager.get_kernel(worker.kernel_id)
        assert getattr(manager, "_restarter", None) is None
        os.killpg(worker.process_group, signal.SIGKILL)
        await worker.exited
        manager.start_restarter()
        assert getattr(manager, "_restarter", None) is None
        await kernels.end(worker)


def test_inspection_over_the_memory_limit_is_ended_with_the_figures(tmp_path: Path) -> None:
    """A few kilobytes of Parquet can unpack to gigabytes; here the kernel alone exceeds the limit."""

    @in_loop
    async def check() -> None:
        async with pool(tmp_path) as kernels:
            inspector = SourceInspector(kernels, memory_limit=lambda: 1 << 20)

            async def fetch(_target: Path) -> None:
                await asyncio.Event().wait()  # its kernel is looked at before

            seen = await inspector.inspect(
                DataSpec("parquet_upload"), 5, source_id="s1", user="ada", fetch=fetch
            )
            assert seen["error_kind"] == "user"
            assert "limit of a worker kernel is 1 MiB" in seen["error"]
            assert "worker_memory_bytes" in seen["error"]

    check()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output_of_a_kernel_is_limited(tmp_path: Path, stream: str) -> None:
    flood = f"import sys\nwhile True: sys.{stream}.write('y' * 5000)"
    spec = KernelSpec(argv=[sys.executable, "-u", "-c", flood], language="python")
    sizes: list[int] = []

    @in_loop
    async def check() -> None:
        async with pool(tmp_path, spec, answer_s=4.0) as kernels:
            taking = asyncio.create_task(kernels.take("probe"))
            while not taking.done():
                await asyncio.sleep(0.1)
                sizes.extend(file.stat().st_size for file in tmp_path.glob("work-*/output.log"))
            with pytest.raises(KernelUnavailable, match="did not answer within 4 s"):
                taking.result()

    tracemalloc.start()
    try:
        check()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 << 20
    shrank = [after < before for before, after in itertools.pairwise(sizes)]
    assert any(shrank), "what it wrote is dropped now and then"
