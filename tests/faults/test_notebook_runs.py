"""Notebook runs in a kernel that is restarted, killed, frozen, or whose run is cancelled.

The kernel is a real one of the server, used over its channels as JupyterLab does.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import websocket

from ..live import LiveServer, until

#: what the magic does, without its arguments
BEGIN = """
import os
from sklearn.datasets import load_{data}
from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.kernel import agent
frame = load_{data}(as_frame=True).frame
client = Client()
run = client.runs.submit(
    {experiment!r}, plan="compare", executor="notebook", setup_params={{"fold": 10}},
    plan_params={{"include": {include!r}}}, target="target",
    frame={{"name": "frame", "rows": len(frame), "columns": list(frame.columns)}},
)
attempt = agent.begin_in_notebook(client.address.api, run["id"], run["run_token"], frame)
print(run["id"], run["status"])
"""
#: minutes of work
LONG = ["rf", "et", "gbc", "ada", "rf", "lr"]


class Notebook:
    """A kernel of the server, and a connection to it."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        kernel = server.http.post(f"{server.url}/api/kernels", json={"name": "python3"}).json()
        self.id = kernel["id"]
        self.connect()

    def connect(self) -> None:
        self.socket = websocket.create_connection(
            f"{self.server.url.replace('http', 'ws', 1)}/api/kernels/{self.id}/channels",
            header=[f"Authorization: token {self.server.token}"],
            timeout=120,
        )

    def execute(self, code: str) -> str:
        """What the code prints; an error fails the test."""
        ask = secrets.token_hex(8)
        header = {"msg_id": ask, "msg_type": "execute_request", "session": ask, "username": "ada"}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        request = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
        self.socket.send(json.dumps({**request, "content": content}))
        output = ""
        while True:
            message = json.loads(self.socket.recv())
            if message["parent_header"].get("msg_id") != ask:
                continue
            found = message["content"]
            assert "evalue" not in found, found
            output += found.get("text", "")
            if found.get("execution_state") == "idle":
                return output

    def begin(self, data: str = "breast_cancer", include: list[str] | None = None) -> str:
        code = BEGIN.format(data=data, experiment=self.server.experiment(), include=include or LONG)
        run_id, status = self.execute(code).split()
        assert status == "queued"
        return run_id

    def restart(self) -> None:
        self.server.http.post(f"{self.server.url}/api/kernels/{self.id}/restart")

    def end(self) -> None:
        self.socket.close()
        self.server.http.delete(f"{self.server.url}/api/kernels/{self.id}")


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    """A server with short leases and grace times."""
    with LiveServer(lease_s=4, cancel_grace_s=1) as server:
        yield server


@pytest.fixture
def notebook(live: LiveServer) -> Iterator[Notebook]:
    """A kernel that has imported nothing."""
    notebook = Notebook(live)
    yield notebook
    notebook.end()


@pytest.fixture(scope="module")
def used(live: LiveServer) -> Iterator[Notebook]:
    """A kernel that several tests use one after the other: to import the engine takes longer than most."""
    notebook = Notebook(live)
    yield notebook
    notebook.end()


def test_notebook_run_leaves_cells_and_state_of_the_kernel_alone(notebook: Notebook) -> None:
    state = (
        "import numpy, random, warnings, sys\n"
        "def state():\n"
        "    return (str(numpy.random.get_state()), random.getstate(), list(warnings.filters),\n"
        "            warnings.showwarning, os.getcwd(), sys.stdout, sys.stderr, sorted(os.listdir('.')))\n"
    )
    # what the cell itself imports is the cell's doing
    notebook.execute(
        "import os, sklearn.datasets\nfrom jupyter_pycaret_ops import Client\nClient()"
    )
    notebook.execute(state + "before = state()")
    run_id = notebook.begin("iris", ["lr", "dt"])
    # the cell is free while the plan runs: this one returns long before it ends
    assert notebook.execute("print(attempt.is_finished)") == "False\n"
    row = notebook.server.ended(run_id)
    assert row["status"] == "succeeded", row["error"]
    assert row["executor"] == "notebook"
    assert row["snapshot"]["data_rows"] == 150
    assert {record["model_id"] for record in row["leaderboard"]} == {"lr", "dt"}
    assert "run_token" not in row
    after = notebook.execute(
        "attempt.join(20)\nafter = state()\nprint([a == b for a, b in zip(before, after)])"
    )
    assert after == f"{[True] * 8}\n", notebook.execute(
        "print(set(after[2]) ^ set(before[2]), len(after[2]), len(before[2]))"
    )
    assert notebook.server.post(f"/runs/{run_id}/promote", {"name": secrets.token_hex(4)})


def test_cancel_stops_the_plan_and_not_the_kernel(used: Notebook) -> None:
    run_id = used.begin()
    used.server.saw(run_id, "model.scored")
    used.server.post(f"/runs/{run_id}/cancel", expect=200)
    row = used.server.ended(run_id)
    assert row["status"] == "cancelled"
    assert row["leaderboard"]
    assert used.execute("print(attempt.join(20), frame.shape[0])") == "True 569\n"


def test_cancel_during_the_import_leaves_the_engine_usable(notebook: Notebook) -> None:
    run_id = notebook.begin()
    notebook.server.saw(run_id, "run.started")
    notebook.server.post(f"/runs/{run_id}/cancel", expect=200)
    assert notebook.server.ended(run_id)["status"] == "cancelled"
    again = notebook.begin("iris", ["lr"])
    row = notebook.server.ended(again)
    assert row["status"] == "succeeded", row["error"]


def test_frozen_kernel_is_recorded_as_cancelled_and_refused_afterwards(used: Notebook) -> None:
    """The kernel neither stops nor answers; when it goes on, its requests are refused."""
    run_id = used.begin()
    used.server.saw(run_id, "model.scored")
    kernel = psutil.Process(int(used.execute("print(os.getpid())")))
    kernel.suspend()
    try:
        used.server.post(f"/runs/{run_id}/cancel", expect=200)
        row = used.server.ended(run_id, timeout_s=20)
    finally:
        kernel.resume()
    assert row["status"] == "cancelled"
    last = used.server.events(run_id)[-1]
    assert used.execute("print(attempt.join(30))") == "True\n"
    assert used.server.events(run_id)[-1] == last


def test_restart_of_the_kernel_ends_the_run_at_once(used: Notebook) -> None:
    run_id = used.begin()
    used.server.saw(run_id, "model.scored")
    used.restart()
    row = used.server.ended(run_id, timeout_s=20)
    assert (row["status"], row["error_kind"]) == ("failed", "worker_lost")
    assert "shut down or restarted" in row["error"]
    assert row["leaderboard"]


def test_killed_kernel_ends_the_run_when_its_lease_lapses(notebook: Notebook) -> None:
    run_id = notebook.begin()
    notebook.server.saw(run_id, "run.data_loaded")
    os.kill(int(notebook.execute("print(os.getpid())")), signal.SIGKILL)
    row = notebook.server.ended(run_id, timeout_s=40)
    assert (row["status"], row["error_kind"]) == ("failed", "worker_lost")
    assert row["attempt"] == 1


def test_busy_kernel_renews_the_lease(notebook: Notebook) -> None:
    """Longer than the lease: its posts prolong it."""
    run_id = notebook.begin()
    started = notebook.server.saw(run_id, "run.started")

    def spoke_after_the_lease() -> bool:
        row: dict[str, Any] = notebook.server.run(run_id)
        assert row["status"] == "running", row
        late = notebook.server.events(run_id)[-1]
        return bool(late["timestamp"][:19] > _plus(started["timestamp"], 6))

    until(spoke_after_the_lease, "an event after the first lease")
    assert notebook.server.http.get(f"{notebook.server.url}/api/status").status_code == 200
    notebook.server.post(f"/runs/{run_id}/cancel", expect=200)
    assert notebook.server.ended(run_id)["status"] == "cancelled"


def _plus(timestamp: str, seconds: float) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(timestamp) + timedelta(seconds=seconds)).isoformat()[:19]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"executor": "notebook", "sklearn_dataset": "iris"}, "needs the executor"),
        ({"frame": {"name": "df", "rows": 1, "columns": ["a"]}}, "needs the executor"),
        (
            {"executor": "notebook", "frame": {"name": "df", "rows": 0, "columns": ["target"]}},
            "no row",
        ),
        (
            {"executor": "notebook", "frame": {"name": "df", "rows": 9, "columns": ["a"]}},
            "not a column",
        ),
        ({"executor": "notebook", "frame": {"name": "df", "rows": 9, "columns": []}}, "frame"),
    ],
)
def test_frame_without_executor_notebook_is_refused_and_vice_versa(
    live: LiveServer, body: dict[str, Any], message: str
) -> None:
    path = f"/experiments/{live.experiment(target='target')}/runs"
    answer = live.call("POST", path, 400, json={"plan": "compare", **body})
    assert message in json.dumps(answer)
