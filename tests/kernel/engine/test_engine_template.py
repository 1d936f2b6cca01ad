"""The process that forks children: it lets go of its parent, and where it fails children start all the same."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import cloudpickle
import psutil
import pytest

from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine.trials import fork_server
from jupyter_pycaret_ops.kernel.engine.trials.scoring_process import Child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="templates are for Linux only")

SCORER = cloudpickle.dumps(None)


@pytest.fixture
def waiting():
    """A template of this process, as psutil sees it."""
    fork_server.start()
    yield psutil.Process(fork_server._template._pid)
    fork_server.stop()


def begun():
    """A child that is ready."""
    child = Child(SCORER)
    while not child.ready:
        child.answer()
    return child


def test_it_holds_nothing_of_its_parents(waiting):
    targets = set()
    for descriptor in Path(f"/proc/{waiting.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            targets.add(str(descriptor.readlink()).split(":")[0])
    assert targets == {os.devnull, "socket"}
    assert waiting.net_connections() == []


def test_a_child_is_a_fork_of_it_and_leaves_no_zombie(waiting):
    child = begun()
    (fork,) = waiting.children()
    assert fork.pid == child._process.pid
    child.kill()
    assert waiting.children() == []


def test_an_interrupt_of_the_group_passes_it_by(waiting):
    waiting.send_signal(signal.SIGINT)
    child = begun()
    assert child._process.pid in [fork.pid for fork in waiting.children()]
    child.kill()


def test_when_it_was_killed_a_child_starts_by_itself(waiting):
    waiting.kill()
    child = begun()
    assert isinstance(child._process, subprocess.Popen)
    assert not fork_server.is_there()
    child.kill()


def test_when_it_hangs_a_child_starts_by_itself(waiting, monkeypatch):
    fork_server._template._line.settimeout(0.05)
    waiting.suspend()
    child = begun()
    assert isinstance(child._process, subprocess.Popen)
    assert not waiting.is_running()
    child.kill()


def test_one_that_never_answers_is_not_taken(monkeypatch):
    monkeypatch.setattr(fork_server, "ANSWER_S", 0.05)
    monkeypatch.setattr(fork_server, "_forget_parent", lambda kept: signal.pause())
    before = set(psutil.Process().children())
    fork_server.start()
    assert not fork_server.is_there()
    assert set(psutil.Process().children()) <= before


_PARENT = """
import sys
from jupyter_pycaret_ops.kernel.engine.trials import template
from jupyter_pycaret_ops.kernel.engine.trials.scoring_process import Child
import cloudpickle
template.start()
child = Child(cloudpickle.dumps(None))
while not child.ready:
    child.answer()
print(template._template._pid, child._process.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_with_a_killed_parent_and_so_do_its_children():
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    with parent:
        below = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
    assert len(below) == 2
    for process in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.wait(10)
        assert not process.is_running()


def test_a_kernel_that_serves_keeps_none(waiting, tmp_path):
    engine.shutdown_fork_server()
    assert not fork_server.is_there()
    assert not waiting.is_running()
