"""Real processes: identity, members and end of a group, and the sweep of orphaned kernels."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_pycaret_ops.server.executors.kernel import process
from jupyter_pycaret_ops.server.executors.kernel.sweep import OrphanedKernel, sweep
from jupyter_pycaret_ops.server.executors.server_id import ServerId

from ...fakes import in_loop

HOST = "here"
#: a leader that starts two children in its group, says so, and sleeps
FAMILY = (
    "import subprocess, sys\n"
    "kids = [subprocess.Popen(['sleep', '300']) for _ in range(2)]\n"
    "print('ready', flush=True)\n"
    "sys.stdin.read()\n"
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX's")


@pytest.fixture
def start() -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start a process with two children in a group of its own, and kill them at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        leader = subprocess.Popen(
            [sys.executable, "-c", FAMILY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(leader)
        assert leader.stdout is not None
        assert leader.stdout.readline() == "ready\n"
        return leader

    yield begin
    for leader in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGKILL)
        leader.communicate()


def since(leader: subprocess.Popen[str]) -> float:
    moment = process.started_at(leader.pid)
    assert moment is not None
    return moment


def gone(pids: list[int]) -> bool:
    """Return whether the processes have ended; zombies count as ended."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if all(process.started_at(pid) is None for pid in pids):
            return True
        time.sleep(0.01)
    return False


Start = Callable[[], "subprocess.Popen[str]"]


def test_process_is_identified_by_id_and_start_time(start: Start) -> None:
    leader = start()
    moment = since(leader)
    assert process.is_same(leader.pid, moment)
    assert process.is_same(leader.pid, round(moment, 2))
    assert not process.is_same(leader.pid, moment - 1)
    leader.kill()
    assert gone([leader.pid])  # a zombie, until it is reaped
    assert not process.is_same(leader.pid, moment)
    leader.wait()
    assert not process.is_same(leader.pid, moment)


def test_group_members_are_the_leader_and_its_children(start: Start) -> None:
    leader = start()
    moment = since(leader)
    children = [child.pid for child in psutil.Process(leader.pid).children()]
    assert len(children) == 2
    assert sorted(process.group_members(leader.pid, moment)) == sorted([leader.pid, *children])


def test_group_is_killed_even_without_its_leader(start: Start) -> None:
    leader = start()
    moment = since(leader)
    children = [child.pid for child in psutil.Process(leader.pid).children()]
    leader.kill()
    leader.wait()
    assert sorted(process.group_members(leader.pid, moment)) == sorted(children)
    assert process.kill_group(leader.pid, moment) == 2
    assert gone(children)


def test_group_whose_id_was_reused_is_not_killed(start: Start) -> None:
    """The group that was recorded started later than these processes."""
    leader = start()
    assert process.kill_group(leader.pid, since(leader) + 60) == 0
    assert leader.poll() is None


@in_loop
async def test_exit_of_a_child_is_awaited_and_reaped(start: Start) -> None:
    leader = start()

    async def poll() -> int | None:
        return leader.poll()

    waiting = asyncio.create_task(process.wait_for_exit(leader.pid, poll))
    await asyncio.sleep(0)
    assert not waiting.done()
    leader.kill()
    await waiting
    assert leader.returncode == -signal.SIGKILL


# ---------------------------------------------------------------- the sweep


def left_by(
    server: ServerId, leader: subprocess.Popen[str], start_s: float | None = None
) -> OrphanedKernel:
    return OrphanedKernel(
        f"kernel-{leader.pid}", str(server), leader.pid, leader.pid, start_s or since(leader)
    )


@pytest.fixture
def dead() -> ServerId:
    """Return the id of a server of this host that has ended."""
    child = subprocess.Popen(["sleep", "0"])
    child.wait()
    return ServerId(HOST, child.pid, time.time() - 3600)


def alive() -> ServerId:
    current = ServerId.current()
    return ServerId(HOST, current.pid, current.pid_started_at)


def test_sweep_kills_kernels_of_a_dead_server(start: Start, dead: ServerId) -> None:
    first, second = start(), start()
    family = process.group_members(first.pid, since(first))
    leftovers = [left_by(dead, first), left_by(dead, second)]
    assert sweep(leftovers, HOST) == [f"kernel-{first.pid}", f"kernel-{second.pid}"]
    assert len(family) == 3
    assert gone(family)
    assert gone([second.pid])


def test_sweep_does_not_touch_kernels_of_a_live_server(start: Start) -> None:
    leader = start()
    assert sweep([left_by(alive(), leader)], HOST) == []
    assert len(process.group_members(leader.pid, since(leader))) == 3


def test_server_of_another_host_does_not_count_as_dead(start: Start, dead: ServerId) -> None:
    leader = start()
    away = ServerId("elsewhere", dead.pid, dead.pid_started_at)
    assert not away.is_dead(HOST)
    assert sweep([left_by(away, leader)], HOST) == []
    assert leader.poll() is None


def test_sweep_does_not_kill_a_process_whose_id_was_reused(start: Start, dead: ServerId) -> None:
    """The process with the id of the kernel started after the kernel."""
    stranger = start()
    left = left_by(dead, stranger, since(stranger) + 60)
    assert sweep([left], HOST) == [left.kernel_id]
    assert stranger.poll() is None


def test_server_whose_process_id_was_reused_is_dead() -> None:
    current = ServerId.current()
    assert not current.is_dead(current.host)
    assert ServerId(current.host, current.pid, current.pid_started_at - 60).is_dead(current.host)


@pytest.mark.parametrize("host", ["here", "fe80::1", "a:b:c", "node-1.example.org"])
def test_server_id_is_parsed_from_its_text(host: str) -> None:
    server = ServerId(host, 42, 1767323045.12)
    assert ServerId.parse(str(server)) == server


def test_parsed_id_of_this_server_is_alive() -> None:
    """The text has hundredths of a second, as the process table."""
    current = ServerId.current()
    assert not ServerId.parse(str(current)).is_dead(current.host)
    assert Path(f"/proc/{current.pid}").exists() or sys.platform != "linux"
