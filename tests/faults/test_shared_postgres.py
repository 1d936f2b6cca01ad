"""Two servers with home folders of their own share a PostgreSQL database, the file store and the key file."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest
import requests
from sqlalchemy import create_engine, text

from jupyter_pycaret_ops.server.store.bootstrap import ensure_schema

from ..live import Home, LiveServer, until
from ..live import home as make_home
from ..postgres import Cluster
from .test_lost_processes import LONG, SHORT

ROW = {
    "sepal length (cm)": 5.1,
    "sepal width (cm)": 3.5,
    "petal length (cm)": 1.4,
    "petal width (cm)": 0.2,
}


class Team:
    """Servers on one database, which execute one run each."""

    def __init__(self, url: str, shared: Home, stack: ExitStack, **traits: Any) -> None:
        self.engine = create_engine(url)
        stack.callback(self.engine.dispose)
        self.servers = []
        for _ in range(2):
            server = LiveServer(
                stack.enter_context(make_home()),
                database_url=url,
                artifact_root=shared.path / "artifacts",
                key_file=shared.path / "secret.key",
                concurrent_runs=1,
                spare_kernels=0,
                **traits,
            )
            stack.callback(self._stop, server)
            self.servers.append(server)

    @staticmethod
    def _stop(server: LiveServer) -> None:
        if server.process.poll() is None:
            server.stop()

    def ask(self, query: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(text(query), values).scalar()

    def driver_of(self, run_id: str) -> LiveServer:
        """The server that drives a run."""

        def read() -> str | None:
            holder: str | None = self.ask("select leased_by from runs where id = :id", id=run_id)
            return holder

        pid = int(until(read, "a lease").rsplit(":", 2)[1])
        return next(server for server in self.servers if server.process.pid == pid)

    def other(self, server: LiveServer) -> LiveServer:
        return next(item for item in self.servers if item is not server)


@pytest.fixture
def team(postgres: Cluster, postgres_database: str) -> Iterator[Team]:
    url = postgres.url(postgres_database)
    ensure_schema(url, auto_migrate=True)
    with ExitStack() as stack:
        yield Team(url, stack.enter_context(make_home()), stack)


def started(server: LiveServer, run_id: str) -> int:
    return [event["kind"] for event in server.events(run_id)].count("run.started")


def test_two_servers_share_runs_and_results(team: Team) -> None:
    one, two = team.servers
    experiment = one.experiment(task="regression", target="y")
    long = [one.submit(experiment, **LONG)["id"] for _ in range(2)]
    waiting = two.submit(two.experiment(), **SHORT)["id"]
    drivers = [team.driver_of(run_id) for run_id in long]
    assert drivers[0] is not drivers[1]
    for run_id in long:
        one.saw(run_id, "model.create.started")
        assert started(two, run_id) == 1
    # a cancel through the server that does not drive the run
    asked_of = team.other(drivers[0])
    asked_of.post(f"/runs/{long[0]}/cancel", expect=200)
    assert asked_of.ended(long[0], 30)["status"] == "cancelled"
    # the place that is free now is taken by its server, for a run that the other was given
    assert two.ended(waiting)["status"] == "succeeded"
    assert started(one, waiting) == 1
    drivers[1].post(f"/runs/{long[1]}/cancel", expect=200)
    assert drivers[1].ended(long[1], 30)["status"] == "cancelled"
    # what one has promoted and deployed, both serve
    pipeline = one.post(f"/runs/{waiting}/promote", {"name": "ours"})
    body = {"endpoint_slug": "ours", "auth_mode": "api-key"}
    deployment = two.post(f"/pipelines/{pipeline['id']}/deployments", body)
    for server in team.servers:
        answer = server.post("/deployments/ours/predict", {"rows": [ROW]}, 200)
        assert answer["predictions"][0]["prediction"] == 0
    count = "select inference_count from deployments where id = :id"
    until(lambda: team.ask(count, id=deployment["id"]) == 2, "the counts of both", 10)
    # a key that one has revoked opens the other for five seconds at most
    key = one.post(
        "/api-keys",
        {"name": "k", "workspace_id": pipeline["workspace_id"], "scopes": ["read"]},
    )
    headers = {"Authorization": f"Bearer {key['key']}"}

    def opens() -> int:
        return requests.get(f"{two.api}/workspaces", headers=headers, timeout=10).status_code

    assert opens() == 200
    one.call("DELETE", f"/api-keys/{key['id']}", 204)
    until(lambda: opens() == 401, "the end of the key", 6)


def test_run_of_a_killed_server_is_executed_by_the_other(team: Team) -> None:
    one = team.servers[0]
    run_id = one.submit(one.experiment(task="regression", target="y"), **LONG)["id"]
    driver = team.driver_of(run_id)
    one.saw(run_id, "model.create.started")
    left = team.other(driver)
    kernels = driver.descendants()
    driver.kill()
    killed_at = time.monotonic()
    until(lambda: left.run(run_id)["attempt"] == 2, "the second attempt", 15)
    assert team.driver_of(run_id) is left
    # long before the lease is over: the process is known to be dead
    assert time.monotonic() - killed_at < 15
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert not alive, "kernels of the dead server are left"
    left.post(f"/runs/{run_id}/cancel", expect=200)
    assert left.ended(run_id, 30)["status"] == "cancelled"
    events = left.events(run_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["kind"] for event in events].count("run.started") == 2


def test_server_frozen_longer_than_its_lease_changes_nothing(
    postgres: Cluster, postgres_database: str
) -> None:
    """The other server executes the run; when the first goes on, its kernel is ended."""
    url = postgres.url(postgres_database)
    ensure_schema(url, auto_migrate=True)
    with ExitStack() as stack:
        team = Team(url, stack.enter_context(make_home()), stack, lease_s=3)
        one, _ = team.servers
        run_id = one.submit(one.experiment(task="regression", target="y"), **LONG)["id"]
        driver = team.driver_of(run_id)
        one.saw(run_id, "model.create.started")
        left = team.other(driver)
        os.kill(driver.process.pid, signal.SIGSTOP)
        try:
            until(lambda: left.run(run_id)["attempt"] == 2, "the second attempt", 30)
            assert team.driver_of(run_id) is left
        finally:
            os.kill(driver.process.pid, signal.SIGCONT)
        until(lambda: not driver.kernels(), "the end of the first kernel", 15)
        assert left.run(run_id)["attempt"] == 2
        left.post(f"/runs/{run_id}/cancel", expect=200)
        assert left.ended(run_id, 30)["status"] == "cancelled"
        assert started(left, run_id) == 2
