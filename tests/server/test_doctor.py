"""`jupyter pycaret-ops doctor`: its findings and remedies."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from traitlets.config import Config

from jupyter_pycaret_ops import __version__
from jupyter_pycaret_ops.cli import server_checks
from jupyter_pycaret_ops.common.errors import Unavailable
from jupyter_pycaret_ops.server import doctor
from jupyter_pycaret_ops.server.app import PyCaretOpsApp
from jupyter_pycaret_ops.server.store.bootstrap import MIGRATE_COMMAND, ensure_schema
from jupyter_pycaret_ops.server.store.models import Experiment, Run, utc_now

from ..fakes.backends import POSTGRESQL_ONLY
from ..live import Home, LiveServer

PROGRAM = [sys.executable, "-m", "jupyter_pycaret_ops.cli"]


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the slow check of the engine, which the test of the command has."""
    monkeypatch.setattr(doctor, "_engine", lambda _name: iter(()))


def findings(tmp_path: Path, **traits: object) -> dict[str, doctor.Finding]:
    config = Config()
    config.PyCaretOpsApp.update(
        {
            "database_url": f"sqlite:///{tmp_path / 'ops.db'}",
            "artifact_root": str(tmp_path / "artifacts"),
            "key_file": str(tmp_path / "secret.key"),
            **traits,
        }
    )
    return {finding.what: finding for finding in doctor.check_all(PyCaretOpsApp(config=config))}


def test_command_checks_everything_and_exits_with_0(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "pycaret-ops", "doctor"],
        env=home.env(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines() if "  " in line}
    assert {told[what] for what in ("database", "migrations", "artifacts", "engine")} == {"ok"}
    assert {told[task] for task in ("classification", "regression")} == {"ok"}
    assert {"clustering", "anomaly", "time_series"} <= set(told)
    assert "Traceback" not in done.stderr
    assert done.stdout.endswith("Everything works.\n")


def below(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return the files of a folder, with mode and time of the last change."""
    return {
        file: (file.lstat().st_mode, file.lstat().st_mtime_ns)
        for file in (folder, *folder.rglob("*"))
    }


def test_command_changes_nothing_in_an_empty_home_folder(tmp_path: Path) -> None:
    """No folder, key or database is created, with an environment that sets no folders."""
    home = tmp_path / "home"
    home.mkdir()
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "IPYTHON", "XDG", "MPL"))
    }
    before = below(home)
    done = subprocess.run(
        [*PROGRAM, "doctor", "--json"],
        env=clean | {"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert below(home) == before
    told = json.loads(done.stdout)
    assert told["is_well"] is True
    found = {finding["what"]: finding for finding in told["findings"]}
    assert found["server"]["verdict"] == "note"
    assert "none was checked" in found["server"]["said"]
    assert "is created when" in found["database"]["said"]
    assert found["engine"]["verdict"] == "ok"
    assert done.stderr == ""


@pytest.mark.usefixtures("without_kernel")
def test_empty_folder_has_no_findings_and_is_not_changed(tmp_path: Path) -> None:
    before = below(tmp_path)
    found = findings(tmp_path)
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert "empty" in found["migrations"].message
    assert below(tmp_path) == before


@pytest.mark.usefixtures("without_kernel")
def test_database_is_read_and_not_changed(tmp_path: Path) -> None:
    ensure_schema(f"sqlite:///{tmp_path / 'ops.db'}", auto_migrate=True)
    before = below(tmp_path)
    found = findings(tmp_path)
    assert found["migrations"].message.endswith("the newest")
    assert found["runs"].verdict == "ok"
    assert below(tmp_path) == before


@pytest.mark.usefixtures("without_kernel")
def test_runs_without_a_server_are_found(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ops.db'}"
    ensure_schema(url, auto_migrate=True)
    now = utc_now()
    ids = {"experiment_id": "e", "project_id": "p", "workspace_id": "w"}
    common = {**ids, "plan": "compare", "executor": "kernel", "queued_at": now}
    rows = [
        {"status": "queued", "pool": "elsewhere/ada"},
        {"status": "running", "pool": "elsewhere/ada", "leased_by": "elsewhere:7",
         "lease_expires_at": now - timedelta(hours=1)},
        {"status": "running", "pool": "here/ada", "leased_by": "here:8",
         "lease_expires_at": now + timedelta(hours=1)},
        {"status": "failed", "pool": "elsewhere/ada"},
        {"status": "queued", "pool": "elsewhere/ada", "executor": "notebook"},
    ]  # fmt: skip
    engine = create_engine(url)
    with Session(engine) as session, session.begin():
        session.add(Experiment(id="e", project_id="p", name="coffee", task="classification"))
        session.add_all([Run(**common | row) for row in rows])
    engine.dispose()
    config = Config()
    config.PyCaretOpsApp.update({"database_url": url, "pool": "here/ada"})
    found = [
        finding
        for finding in doctor.check_all(PyCaretOpsApp(config=config))
        if finding.what == "runs" and finding.verdict == "bad"
    ]
    waiting, silent = sorted(
        (finding.message for finding in found), key=lambda text: "silent" in text
    )
    assert silent.startswith("run coffee compare (…")
    assert "is running, but its server elsewhere:7 is silent since" in silent
    assert "waits for a server of elsewhere/ada; this one is of here/ada" in waiting
    assert {finding.remedy for finding in found} == {
        "Start a Jupyter server with this database. It requeues or ends the run."
    }


def test_remedy_on_a_shared_database_is_to_start_its_server_or_to_cancel() -> None:
    assert "requeues" in doctor._remedy("a/ada", "a/ada", is_sqlite=False)
    remedy = doctor._remedy("a/ada", "b/ada", is_sqlite=False)
    assert "server of a/ada" in remedy
    assert "jupyter pycaret-ops cancel" in remedy


def test_running_servers_are_checked(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    note = {"url": f"{server.url}/", "token": server.token}
    monkeypatch.setattr(server_checks, "running_servers", lambda: [note])
    (found,) = server_checks.check_servers()
    assert (found.verdict, found.what) == ("ok", "server")
    assert f"version {__version__}" in found.message

    monkeypatch.setattr(server_checks, "__version__", "0.0.1")
    (found,) = server_checks.check_servers()
    assert found.verdict == "note"
    assert "0.0.1 is installed" in found.message

    monkeypatch.setattr(server_checks, "__version__", __version__)
    monkeypatch.setattr(server_checks, "running_servers", lambda: [note | {"token": "wrong"}])
    *_, found = server_checks.check_servers()
    assert found.verdict == "note"
    assert "has no token" in found.message


def answering(answers: dict[str, tuple[int, object]]) -> Iterator[str]:
    """Start a server with these answers; others are 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path.partition("/api/v1")[2], (404, {}))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


ABOUT = {"version": __version__}
BLOCKED = {"message": "The database is behind: run jupyter pycaret-ops migrate."}


@pytest.mark.parametrize(
    ("answers", "verdict", "word"),
    [
        ({}, "bad", "runs without PyCaret Ops"),
        ({"/healthz": (503, {"message": "Starting."})}, "bad", "Starting."),
        ({"/healthz": (200, {}), "/": (200, ABOUT), "/auth/me": (503, BLOCKED)}, "bad", "migrate"),
        (
            {
                "/healthz": (200, {}),
                "/": (200, ABOUT),
                "/auth/me": (200, {}),
                "/v2/health/ready": (503, {"message": "The pipeline of “iris” is lost."}),
            },
            "bad",
            "“iris” is lost",
        ),
        (
            {
                "/healthz": (200, {}),
                "/": (200, ABOUT),
                "/auth/me": (200, {}),
                "/v2/health/ready": (200, {}),
                "/describe/environments": (200, [{"name": "gpu", "problems": ["no pandas"]}]),
            },
            "note",
            "environment gpu: no pandas",
        ),
    ],
)
def test_problems_of_a_running_server_are_found(
    answers: dict[str, tuple[int, object]],
    verdict: str,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with contextmanager(answering)(answers) as url:
        monkeypatch.setattr(server_checks, "running_servers", lambda: [{"url": url, "token": "t"}])
        *_, found = server_checks.check_servers()
    assert found.verdict == verdict
    assert word in found.message


def test_server_that_does_not_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_checks, "TIMEOUT_S", 0.2)
    with socket.create_server(
        ("127.0.0.1", 0)
    ) as silent:  # it accepts connections and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(server_checks, "running_servers", lambda: [{"url": url, "token": ""}])
        (found,) = server_checks.check_servers()
    assert found.verdict == "bad"
    assert "does not answer" in found.message


@pytest.mark.usefixtures("without_kernel")
def test_each_problem_has_a_remedy(tmp_path: Path) -> None:
    ensure_schema(f"sqlite:///{tmp_path / 'current.db'}", auto_migrate=True)
    (tmp_path / "a file").write_text("")
    (tmp_path / "secret.key").write_bytes(b"k" * 32)
    (tmp_path / "secret.key").chmod(0o644)
    found = findings(
        tmp_path,
        auto_migrate=False,
        artifact_root=str(tmp_path / "a file" / "below"),
        worker_kernel_name="no-such-kernel",
    )
    for what, word in {
        "migrations": "jupyter pycaret-ops migrate",
        "artifacts": "artifact_root",
        "key file": "chmod 600",
        "kernelspec": "worker_kernel_name",
    }.items():
        assert found[what].verdict == "bad", found[what]
        assert word in found[what].remedy
    current = findings(tmp_path, database_url=f"sqlite:///{tmp_path / 'current.db'}")
    assert current["migrations"].message.endswith("the newest")


def test_unavailable_task_has_its_extra_as_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def describe(_name: str) -> dict[str, Any]:
        plan, model = {"id": "compare"}, {"id": "lr"}
        absent = {"id": "xgboost", "is_available": False}
        return {
            "versions": {"pycaret": "4.0.0", "sktime": None},
            "tasks": [
                {"id": "good", "is_available": True, "plans": [plan], "models": [model, absent]},
                {"id": "empty", "is_available": True, "plans": [], "models": []},
                {"id": "absent", "is_available": False, "extra": "anomaly"},
            ],
        }

    monkeypatch.setattr(doctor, "_describe", describe)
    found = findings(tmp_path)
    assert found["engine"].message == "pycaret 4.0.0"
    assert (found["good"].verdict, found["good"].message) == ("ok", "1 models; plans: compare")
    assert found["empty"].verdict == "note"
    assert found["absent"].verdict == "note"
    assert found["absent"].remedy == "pip install 'jupyter-pycaret-ops[anomaly]'"


def test_engine_that_cannot_be_described_names_its_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def describe(_name: str) -> dict[str, Any]:
        raise Unavailable("The worker kernel could not import the engine.")

    monkeypatch.setattr(doctor, "_describe", describe)
    found = findings(tmp_path, worker_kernel_name="python3")["engine"]
    assert (found.verdict, found.message) == (
        "bad",
        "The worker kernel could not import the engine.",
    )
    assert "“python3”" in found.remedy
    assert "pip install jupyter-pycaret-ops" in found.remedy


@POSTGRESQL_ONLY
@pytest.mark.usefixtures("without_kernel")
def test_outdated_postgresql_database_has_migrate_as_remedy(tmp_path: Path, empty_url: str) -> None:
    found = findings(tmp_path, database_url=empty_url)["migrations"]
    assert (found.verdict, found.remedy) == ("bad", f"Run: {MIGRATE_COMMAND}")
    ensure_schema(empty_url, auto_migrate=True)
    assert findings(tmp_path, database_url=empty_url)["migrations"].verdict == "ok"


@pytest.mark.usefixtures("without_kernel")
@pytest.mark.parametrize(
    "url", ["nonsense", "oracle+nothing://x/y", "postgresql+psycopg://u:secret@127.0.0.1:1/x"]
)
def test_database_that_cannot_be_opened_is_shown_without_password(tmp_path: Path, url: str) -> None:
    found = findings(tmp_path, database_url=url)["database"]
    assert found.verdict == "bad"
    assert found.remedy
    assert "secret" not in found.message
