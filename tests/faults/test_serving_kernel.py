"""A serving kernel that hangs, is stopped or exceeds its memory is ended, and other deployments go on."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import cloudpickle
import psutil
import pytest
import requests

from jupyter_pycaret_ops.server.vault import Vault

from ..live import Home, LiveServer, until

ROW = {
    "sepal length (cm)": 5.1,
    "sepal width (cm)": 3.5,
    "petal length (cm)": 1.4,
    "petal width (cm)": 0.2,
}
MIB = 1 << 20


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    """A server with one working deployment, `good`, and short timeouts."""
    with LiveServer(predict_timeout_s=2.0) as server:
        server.deploy_iris("good", "lr")
        yield server


def predict(server: LiveServer, slug: str) -> requests.Response:
    return server.http.post(
        f"{server.api}/deployments/{slug}/predict", json={"rows": [ROW]}, timeout=120
    )


def serving_kernel(server: LiveServer) -> int:
    def read() -> int | None:
        with closing(sqlite3.connect(server.home.database)) as database:
            row = database.execute(
                "select pid from workers where purpose = 'serving' order by pid desc"
            ).fetchone()
        return int(row[0]) if row and psutil.pid_exists(int(row[0])) else None

    return int(until(read, "the serving kernel"))


def replaced(server: LiveServer, slug: str, content: bytes) -> None:
    """Deploy another version whose file has these bytes, with a valid signature."""
    good = server.get("/deployments/good")
    run_id = server.get(f"/pipelines/{good['pipeline_id']}")["origin_run_id"]
    pipeline = server.post(f"/runs/{run_id}/promote", {"name": slug})
    digest = hashlib.sha256(content).hexdigest()
    vault = Vault(server.home.path / "data" / "pycaret_ops" / "secret.key")
    with closing(sqlite3.connect(server.home.database)) as database, database:
        (key,) = database.execute(
            "select storage_key from pipelines where id = ?", (pipeline["id"],)
        ).fetchone()
        database.execute(
            "update pipelines set sha256 = ?, signature = ?, size_bytes = ? where id = ?",
            (digest, vault.sign(digest), len(content), pipeline["id"]),
        )
    (server.home.artifacts / key).write_bytes(content)
    server.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": slug}, timeout=120)


class Hanging:
    """Unpickling it never returns."""

    def __reduce__(self) -> Any:
        import time

        return time.sleep, (600,)


def test_stopped_serving_kernel_is_replaced_and_the_request_is_answered(live: LiveServer) -> None:
    assert predict(live, "good").status_code == 200
    assert live.get("/deployments/good")["ready"] is True
    pid = serving_kernel(live)
    os.kill(pid, signal.SIGSTOP)
    until(lambda: live.get("/deployments/good")["ready"] is False, "the row's `ready`", 10)
    answer = live.http.get(f"{live.api}/v2/models/good/ready", timeout=30)
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["message"]
    assert predict(live, "good").status_code == 200, "by another kernel"
    until(lambda: not psutil.pid_exists(pid), "the end of the stopped kernel", 10)
    assert live.call("GET", "/v2/models/good/ready", 200) == {"ready": True, "name": "good"}
    assert live.get("/deployments/good")["load_ms"] > 0


def test_pipeline_that_hangs_is_quarantined_alone(live: LiveServer) -> None:
    replaced(live, "hangs", cloudpickle.dumps(Hanging()))
    seen: list[int] = []
    stop = threading.Event()

    def beside() -> None:
        while not stop.is_set():
            seen.append(predict(live, "good").status_code)

    thread = threading.Thread(target=beside)
    thread.start()
    try:
        answers = [predict(live, "hangs") for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    assert {answer.status_code for answer in answers} == {503}
    assert "not loaded in time" in answers[-1].json()["message"]
    assert "“hangs”" in answers[-1].json()["message"]
    assert set(seen) == {200}
    ready = live.http.get(f"{live.api}/v2/models/hangs/ready", timeout=30)
    assert ready.status_code == 503
    assert live.get("/deployments/hangs")["ready"] is False


def test_pipeline_with_a_missing_file_is_unavailable_by_name(live: LiveServer) -> None:
    before = live.home.files()
    replaced(live, "gone", b"no pickle")
    (file,) = live.home.files() - before
    (live.home.artifacts / file).unlink()
    for path in ("/deployments/gone/predict", "/deployments/gone/invocations"):
        body = {"rows": [ROW]} if "predict" in path else {"instances": [ROW]}
        refusal = live.call("POST", path, 503, json=body)
        assert "“gone”, version 1, is lost" in refusal["message"]
    assert "is lost" in live.call("GET", "/v2/models/gone/ready", 503)["error"]


def test_large_pipeline_is_not_loaded_into_the_memory_of_the_server(live: LiveServer) -> None:
    """The kernel reads the file itself: the server neither stops nor grows."""
    good = live.get("/deployments/good")
    with closing(sqlite3.connect(live.home.database)) as database:
        (key,) = database.execute(
            "select storage_key from pipelines where id = ?", (good["pipeline_id"],)
        ).fetchone()
    pipeline = cloudpickle.loads((live.home.artifacts / key).read_bytes())
    pipeline.ballast = os.urandom(200 * MIB)
    content = cloudpickle.dumps(pipeline)
    del pipeline
    process = psutil.Process(live.process.pid)
    before = process.memory_info().rss
    grown: list[int] = []
    slow: list[float] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            grown.append(process.memory_info().rss - before)
            slow.append(requests.get(f"{live.api}/healthz", timeout=30).elapsed.total_seconds())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        replaced(live, "large", content)
        answer = predict(live, "large")
    finally:
        stop.set()
        thread.join()
    assert answer.status_code == 200, answer.text
    assert max(grown) < 64 * MIB
    assert len(slow) > 20, "the server answered all the while"


def test_server_is_not_ready_while_the_database_does_not_answer(live: LiveServer) -> None:
    assert live.call("GET", "/v2/health/ready", 200) == {"ready": True}
    database = live.home.database
    aside = database.with_suffix(".aside")
    database.rename(aside)
    try:
        refusal = until(
            lambda: requests.get(f"{live.api}/v2/health/ready", timeout=30).status_code == 503,
            "the readiness without a database",
            10,
        )
        assert refusal
    finally:
        aside.rename(database)
    until(
        lambda: requests.get(f"{live.api}/v2/health/ready", timeout=30).status_code == 200,
        "the readiness with the database again",
        10,
    )


def test_spare_kernel_becomes_the_serving_kernel(home: Home) -> None:
    """With a spare kernel, the first prediction after a deployment waits for no start of a kernel."""
    with LiveServer(home, spare_kernels=1) as server:

        def spare() -> int | None:
            metrics = server.http.get(f"{server.url}/metrics").text
            if "pycaret_ops_warm_kernels 1.0" not in metrics:
                return None
            with closing(sqlite3.connect(home.database)) as database:
                query = "select pid from workers where purpose = 'spare'"
                rows = database.execute(query).fetchall()
            return int(rows[0][0]) if len(rows) == 1 else None

        run = server.submit(
            server.experiment(setup_params={"fold": 2}),
            plan="create",
            model_id="nb",
            sklearn_dataset="iris",
        )
        assert server.ended(run["id"])["status"] == "succeeded"
        pid = until(spare, "a spare kernel", 120)
        pipeline = server.post(f"/runs/{run['id']}/promote", {"name": "again"})
        deployment = server.post(
            f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": "again"}
        )
        assert deployment["ready"] is True, "deploying waits until it answers"
        row = {
            "sepal length (cm)": 5.1,
            "sepal width (cm)": 3.5,
            "petal length (cm)": 1.4,
            "petal width (cm)": 0.2,
        }
        server.post("/deployments/again/predict", {"rows": [row]}, 200)
        assert serving_kernel(server) == pid
