"""The fork server: detached from its parent; when it fails, new interpreters are started."""

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
from jupyter_pycaret_ops.kernel.engine.trials.scoring_process import ScoringProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fork server needs Linux")

SCORER = cloudpickle.dumps(None)


@pytest.fixture
def server():
    """Start the fork server and return its psutil process."""
    fork_server.start()
    yield psutil.Process(fork_server._server._pid)
    fork_server.stop()


def ready_process():
    """Return a scoring process that is ready."""
    child = ScoringProcess(SCORER)
    while not child.is_ready:
        child.receive()
    return child


def test_fork_server_keeps_no_descriptors_of_its_parent(server):
    targets = set()
    for descriptor in Path(f"/proc/{server.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            targets.add(str(descriptor.readlink()).split(":")[0])
    assert targets == {os.devnull, "socket"}
    assert server.net_connections() == []


def test_scoring_process_is_forked_and_leaves_no_zombie(server):
    child = ready_process()
    (fork,) = server.children()
    assert fork.pid == child._process.pid
    child.kill()
    assert server.children() == []


def test_fork_server_ignores_interrupt_of_the_group(server):
    server.send_signal(signal.SIGINT)
    child = ready_process()
    assert child._process.pid in [fork.pid for fork in server.children()]
    child.kill()


def test_killed_fork_server_is_replaced_by_new_interpreter(server):
    server.kill()
    child = ready_process()
    assert isinstance(child._process, subprocess.Popen)
    assert not fork_server.is_running()
    child.kill()


def test_hanging_fork_server_is_replaced_by_new_interpreter(server, monkeypatch):
    fork_server._server._socket.settimeout(0.05)
    server.suspend()
    child = ready_process()
    assert isinstance(child._process, subprocess.Popen)
    assert not server.is_running()
    child.kill()


def test_fork_server_that_never_replies_is_not_used(monkeypatch):
    monkeypatch.setattr(fork_server, "REPLY_TIMEOUT_S", 0.05)
    monkeypatch.setattr(fork_server, "_detach_from_parent", lambda kept: signal.pause())
    before = set(psutil.Process().children())
    fork_server.start()
    assert not fork_server.is_running()
    assert set(psutil.Process().children()) <= before


_PARENT = """
import sys
from jupyter_pycaret_ops.kernel.engine.trials import fork_server
from jupyter_pycaret_ops.kernel.engine.trials.scoring_process import ScoringProcess
import cloudpickle
fork_server.start()
child = ScoringProcess(cloudpickle.dumps(None))
while not child.is_ready:
    child.receive()
print(fork_server._server._pid, child._process.pid, flush=True)
sys.stdin.read()
"""


def test_fork_server_and_forks_end_with_killed_parent():
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


def test_shutdown_fork_server_ends_it(server, tmp_path):
    engine.shutdown_fork_server()
    assert not fork_server.is_running()
    assert not server.is_running()
