"""When a run's kernel counts as silent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from jupyter_pycaret_ops.server.runs.watchdog import WatchLimits, trouble_of

from ...fakes import in_loop


@pytest.fixture
def idle_kernel() -> Iterator[Any]:
    """A process group that does nothing."""
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield SimpleNamespace(
            process_group=process.pid, pid_started_at=psutil.Process(process.pid).create_time()
        )
    finally:
        process.kill()
        process.communicate()


@in_loop
async def test_a_pause_of_the_server_is_not_a_kernels_silence(idle_kernel: Any) -> None:
    """After a sleep the first look may come before the pause was noticed: nothing is judged by it."""
    told = iter([0.0, 100.0, 0.0, 0.0, 0.3])
    trouble = await trouble_of(
        idle_kernel,
        WatchLimits(silence_s=0.5),
        elapsed_s=lambda: 0.0,
        silent_s=lambda: next(told, 2.0),
    )
    assert trouble.kind == "silent"
    assert "for 2 s" in trouble.message
