"""S3, PostgreSQL and Parquet with a live server, its kernels and real services."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_iris

from ...live import Home, LiveServer, socket_events
from ...notebooks import again, same
from ...objects import Bucket
from ...postgres import Cluster

IRIS: pd.DataFrame = load_iris(as_frame=True).frame.rename(
    columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_")
)
IRIS["target"] = IRIS["target"].map({0: "setosa", 1: "versicolor", 2: "virginica"})
CSV = IRIS.to_csv(index=False).encode()
TYPES = ["number", "number", "number", "number", "string"]


@pytest.fixture(scope="module")
def connected() -> Iterator[LiveServer]:
    """A server that may connect to this machine, with all log messages."""
    with LiveServer(
        arguments=("--ServerApp.log_level=DEBUG",), connector_allow_private=True
    ) as live:
        yield live


def register(server: LiveServer, kind: str, config: dict[str, Any], name: str) -> str:
    workspace, _ = server.default_project()
    row = server.post(
        f"/workspaces/{workspace}/data-sources", {"name": name, "kind": kind, "config": config}
    )
    assert row["has_secret"]
    return str(row["id"])


def train(server: LiveServer, source: str, target: str = "target") -> dict[str, Any]:
    experiment = server.experiment(setup_params={"fold": 2, "session_id": 1}, target=target)
    run = server.submit(experiment, plan="create", model_id="rf", data_source_id=source)
    return server.ended(run["id"])


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def upload(server: LiveServer, filename: str, content: bytes, expect: int = 201) -> Any:
    workspace, _ = server.default_project()
    return server.call(
        "POST",
        f"/workspaces/{workspace}/data-sources/upload",
        expect,
        files={"file": (filename, content)},
        data={"name": filename},
    )


@pytest.fixture
def in_postgres(postgres: Cluster, postgres_database: str) -> dict[str, Any]:
    """Return the config of a table with the iris data."""
    from sqlalchemy import create_engine

    engine = create_engine(postgres.url(postgres_database))
    with engine.begin() as connection:
        IRIS.to_sql("iris", connection, index=False)
    engine.dispose()
    return {
        "host": postgres.host,
        "port": postgres.port,
        "database": postgres_database,
        "user": postgres.user,
        "password": postgres.password,
        "table": "iris",
    }


def test_s3_source_is_tested_previewed_and_trained_on(
    connected: LiveServer, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("iris.csv", CSV)
    source = register(connected, "s3", bucket.config("iris.csv"), bucket.name)
    tested = connected.post(f"/data-sources/{source}/test", expect=200)
    assert (tested["ok"], tested["rows"], tested["size_bytes"]) == (True, 150, len(CSV))
    assert [column["dtype"] for column in tested["columns"]] == TYPES
    assert tested["latency_ms"] > 0
    seen = connected.get(f"/data-sources/{source}/preview?rows=2")
    assert (len(seen["rows"]), seen["suggestion"]["target"]) == (2, "target")
    run = train(connected, source)
    assert run["status"] == "succeeded", run["error"]
    assert run["snapshot"]["data_sha256"] == hashlib.sha256(CSV).hexdigest()
    assert run["snapshot"]["data_rows"] == 150
    assert run["leaderboard"][0]["Accuracy"] > 0.9
    # the notebook asks the environment for what it must not hold
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTESTS")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-tests")
    same(run, again(connected, run["id"], tmp_path))


def test_postgres_source_is_tested_previewed_and_trained_on(
    connected: LiveServer,
    in_postgres: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = register(connected, "postgres", in_postgres, in_postgres["database"])
    tested = connected.post(f"/data-sources/{source}/test", expect=200)
    assert (tested["ok"], tested["rows"], tested["size_bytes"]) == (True, 150, None)
    seen = connected.get(f"/data-sources/{source}/preview?rows=1")
    assert [column["dtype"] for column in seen["columns"]] == TYPES
    assert seen["rows"][0]["target"] == "setosa"
    run = train(connected, source)
    assert run["status"] == "succeeded", run["error"]
    assert (len(run["snapshot"]["data_sha256"]), run["snapshot"]["data_rows"]) == (64, 150)
    assert run["leaderboard"][0]["Accuracy"] > 0.9
    monkeypatch.setenv("PGPASSWORD", in_postgres["password"])
    same(run, again(connected, run["id"], tmp_path))


def test_run_with_an_unknown_target_fails_with_the_columns(
    connected: LiveServer, in_postgres: dict[str, Any]
) -> None:
    source = register(connected, "postgres", in_postgres, in_postgres["database"])
    run = train(connected, source, "colour")
    assert (run["status"], run["error_kind"]) == ("failed", "user")
    assert "“colour”" in run["error"]
    assert "“petal_width”" in run["error"]
    assert run["snapshot"]["data_rows"] == 150


def test_parquet_is_uploaded_previewed_and_trained_on(connected: LiveServer) -> None:
    content = parquet(IRIS)
    row = upload(connected, "iris.parquet", content)
    assert row["kind"] == "parquet_upload"
    assert row["config"] == {
        "types_final": False,
        "filename": "iris.parquet",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "rows": 150,
        "columns": [
            {"name": name, "dtype": dtype, "type": "category" if dtype == "string" else "number"}
            for name, dtype in zip(IRIS, TYPES, strict=True)
        ],
        "encoding": None,
        "delimiter": None,
    }
    seen = connected.get(f"/data-sources/{row['id']}/preview?rows=1")
    assert (seen["total_rows"], seen["suggestion"]["target"]) == (150, "target")
    tested = connected.post(f"/data-sources/{row['id']}/test", expect=200)
    assert (tested["ok"], tested["rows"], tested["size_bytes"]) == (True, 150, len(content))
    run = train(connected, row["id"])
    assert run["status"] == "succeeded", run["error"]
    assert run["snapshot"]["data_sha256"] == row["config"]["sha256"]
    experiment = connected.experiment(target="colour")
    body = {"plan": "create", "model_id": "lr", "data_source_id": row["id"]}
    refused = connected.post(f"/experiments/{experiment}/runs", body, 400)
    assert "“colour” is not a column" in refused["message"]


def test_source_in_a_private_network_is_refused_by_default(
    server: LiveServer, bucket: Bucket, in_postgres: dict[str, Any]
) -> None:
    bucket.put("iris.csv", CSV)
    for kind, config in (("s3", bucket.config("iris.csv")), ("postgres", in_postgres)):
        source = register(server, kind, config, f"{kind} {bucket.name}")
        tested = server.post(f"/data-sources/{source}/test", expect=200)
        assert (tested["ok"], tested["columns"], tested["rows"]) == (False, [], None)
        assert "connector_allow_private" in tested["message"]
        refused = server.call("GET", f"/data-sources/{source}/preview", 400)
        assert refused["message"] == tested["message"]
        run = train(server, source)
        assert (run["status"], run["error_kind"]) == ("failed", "user")
        assert run["error"] == tested["message"]
        assert run["attempt"] == 1


# ---------------------------------------------------------------- secrets


class Recorder:
    """Records all answers, events, logs and files of a server."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.recorded: list[tuple[str, bytes]] = []

    def call(self, method: str, path: str, **more: Any) -> Any:
        answer = self.server.http.request(method, self.server.api + path, timeout=120, **more)
        assert answer.status_code != 500
        head = json.dumps(dict(answer.headers)).encode()
        self.recorded.append((f"{method} {path}", head + answer.content))
        if "json" in answer.headers.get("Content-Type", ""):
            return answer.json()
        return None

    def everything_of_run(self, run_id: str) -> None:
        events = socket_events(self.server, run_id)
        self.recorded.append((f"socket of {run_id}", json.dumps(events).encode()))
        parts = ("", "/events?limit=1000", "/fold-metrics", "/plots", "/notebook", "/artifacts")
        for part in parts:
            found = self.call("GET", f"/runs/{run_id}{part}")
            if part == "/artifacts":
                for artifact in found:
                    self.call("GET", f"/artifacts/{artifact['id']}/download")

    def files(self, home: Home) -> None:
        """Record all files of the user: database, log, cache, artifacts, and files of kernels."""
        for folder, _, names in os.walk(home.path):
            for name in names:
                file = Path(folder) / name
                if file.is_file():
                    self.recorded.append((str(file), file.read_bytes()))

    def processes(self) -> None:
        """Arguments and environment of the server and its kernels, as the machine shows them."""
        for process in (self.server.process.pid, *(p.pid for p in self.server.descendants())):
            for what in ("cmdline", "environ"):
                file = Path(f"/proc/{process}/{what}")
                with contextlib.suppress(OSError):  # it has ended
                    self.recorded.append((str(file), file.read_bytes()))


def test_secrets_are_nowhere_in_plain_text(
    home: Home, bucket: Bucket, in_postgres: dict[str, Any]
) -> None:
    bucket.put("iris.csv", CSV)
    key_id, key = "AKIDISTINCTIVE77", "s3cr3t/Distinctive+88"
    wrong = "wr0ng-Distinctive-99"
    password = in_postgres["password"]
    sources = {
        "s3": bucket.config("iris.csv", access_key_id=key_id, secret_access_key=key),
        "s3 gone": bucket.config("gone.csv", access_key_id=key_id, secret_access_key=key),
        "postgres": in_postgres,
        "postgres shut": in_postgres | {"password": wrong},
    }
    with LiveServer(
        home,
        arguments=("--ServerApp.log_level=DEBUG", "--Session.debug=True"),
        connector_allow_private=True,
    ) as server:
        recorder = Recorder(server)
        workspace, project = server.default_project()
        for name, config in sources.items():
            body = {"name": name, "kind": name.split()[0], "config": config}
            row = recorder.call("POST", f"/workspaces/{workspace}/data-sources", json=body)
            # the same name again, an unknown field, a wrong type: refusals repeat nothing
            recorder.call("POST", f"/workspaces/{workspace}/data-sources", json=body)
            for change in ({"colour": "red"}, {"password": [wrong]}, {"secret_access_key": [key]}):
                faulty = {**body, "name": "faulty", "config": config | change}
                recorder.call("POST", f"/workspaces/{workspace}/data-sources", json=faulty)
            source = f"/data-sources/{row['id']}"
            recorder.call("GET", source)
            tested = recorder.call("POST", f"{source}/test")
            assert tested["ok"] is (" " not in name), tested
            recorder.call("GET", f"{source}/preview?rows=5")
            body = {"name": name, "task": "classification", "target": "target"}
            body |= {"data_source_id": row["id"], "setup_params": {"fold": 2}}
            experiment = recorder.call("POST", f"/projects/{project}/experiments", json=body)
            body = {"plan": "create", "model_id": "lr", "data_source_id": row["id"]}
            run = recorder.call("POST", f"/experiments/{experiment['id']}/runs", json=body)
            server.saw(run["id"], "run.started")
            recorder.processes()
            recorder.files(home)
            ended = server.ended(run["id"])
            assert ended["status"] == ("failed" if " " in name else "succeeded"), ended["error"]
            recorder.everything_of_run(run["id"])
            recorder.call("GET", f"/experiments/{experiment['id']}")
        for path in (f"/workspaces/{workspace}/data-sources", "/runs", "/openapi.json", "/"):
            recorder.call("GET", path)
        recorder.files(home)
    recorder.files(home)
    places = [where for where, _ in recorder.recorded]
    assert any(where.endswith("pycaret_ops.db") for where in places)
    assert any("server-" in where for where in places)
    leaks = {
        (secret, where)
        for where, content in recorder.recorded
        for secret in (key_id, key, wrong, password)
        for form in (secret, json.dumps(secret).strip('"'), secret.encode().hex())
        if form.encode() in content
    }
    assert not leaks
    key_file = home.path / "data" / "pycaret_ops" / "secret.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
