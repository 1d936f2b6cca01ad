"""Full disks, missing files and locked databases: nothing is lost or partly written."""

from __future__ import annotations

import resource
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from ..live import Home, LiveServer
from .test_lost_processes import LONG

TABLE = b"a,b\n" + b"1234567,7654321\n" * 300_000


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_upload_on_a_full_disk_leaves_no_file(home: Home) -> None:
    with LiveServer(home, spare_kernels=0) as server:
        server.default_project()
        before = home.files()
        limited = psutil.Process(server.process.pid)
        unlimited = limited.rlimit(resource.RLIMIT_FSIZE)
        limited.rlimit(resource.RLIMIT_FSIZE, (1 << 20, unlimited[1]))
        refusal = server.upload("too much", TABLE, expect=503)
        assert refusal["reason"] == "unavailable"
        assert "stored" in refusal["message"] or "full" in refusal["message"]
        assert home.files() == before
        limited.rlimit(resource.RLIMIT_FSIZE, unlimited)
        assert server.upload("too much", TABLE)["config"]["rows"] == 300_000


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_run_on_a_full_disk_waits_with_a_message_and_goes_on_when_there_is_space(
    home: Home,
) -> None:
    with LiveServer(home, spare_kernels=0) as server:
        body = {**LONG, "model_id": "et", "setup_params": {"fold": 2}}
        run = server.submit(server.experiment(task="regression", target="y"), **body)
        server.saw(run["id"], "run.data_loaded")
        limited = psutil.Process(server.process.pid)
        unlimited = limited.rlimit(resource.RLIMIT_FSIZE)
        # space for the database, but not for a hundred trees
        limited.rlimit(resource.RLIMIT_FSIZE, (8 << 20, unlimited[1]))
        waiting = server.saw(run["id"], "run.waiting")
        assert waiting["payload"] == {"for": "space"}
        assert "The disk that holds the artifacts is full" in waiting["message"]
        row = server.run(run["id"])
        assert row["status"] == "running"
        assert "full" in row["progress"]["label"]
        limited.rlimit(resource.RLIMIT_FSIZE, unlimited)
        assert server.ended(run["id"])["status"] == "succeeded"


def test_run_on_a_missing_table_fails_with_a_message(server: LiveServer) -> None:
    before = server.home.files()
    source = server.upload("lost", b"a,b,y\n" + b"1,2,0\n3,4,1\n" * 50)
    (table,) = server.home.files() - before
    (server.home.artifacts / table).unlink()
    run = server.submit(
        server.experiment(target="y"), plan="create", model_id="lr", data_source_id=source["id"]
    )
    row = server.ended(run["id"])
    assert row["status"] == "failed"
    assert row["error"] == "The file is no longer in the file store."
    assert row["attempt"] == 1


def test_locked_database_is_unavailable_and_jupyter_goes_on(home: Home) -> None:
    with LiveServer(home, spare_kernels=0) as server:
        workspace, _ = server.default_project()
        with closing(sqlite3.connect(home.database)) as other:
            other.execute("begin immediate")
            started = time.monotonic()
            with ThreadPoolExecutor(20) as people:  # each waits its turn behind the others
                asked = [
                    people.submit(
                        server.post,
                        f"/workspaces/{workspace}/projects",
                        {"name": f"waits {number}"},
                        503,
                        timeout=60,
                    )
                    for number in range(20)
                ]
                refusals = [item.result() for item in asked]
            assert time.monotonic() - started < 20  # 10 s for all of them, not for each
            assert {refusal["reason"] for refusal in refusals} == {"unavailable"}
            assert all("locked" in refusal["message"] for refusal in refusals)
            # reading goes on, and so does Jupyter
            assert server.get("/workspaces")
            assert server.http.get(f"{server.url}/api/status", timeout=10).status_code == 200
            other.rollback()
        assert (
            server.post(f"/workspaces/{workspace}/projects", {"name": "waits"})["name"] == "waits"
        )


def test_database_file_deleted_while_the_server_runs_is_noticed(home: Home) -> None:
    with LiveServer(home, spare_kernels=0) as server:
        workspace, _ = server.default_project()
        kept = home.path / "kept.db"
        home.database.rename(kept)
        for _ in range(2):
            for method, path, body in (
                ("GET", "/workspaces", None),
                ("POST", "/workspaces", {"name": "w"}),
                ("GET", f"/workspaces/{workspace}", None),
            ):
                refusal = server.call(method, path, 503, json=body)
                assert "removed or replaced" in refusal["message"]
                assert str(home.path) not in refusal["message"]
        assert not home.database.exists()
        assert server.http.get(f"{server.url}/api/status", timeout=10).status_code == 200
        kept.rename(home.database)
        assert [row["id"] for row in server.get("/workspaces")] == [workspace]


def test_upload_that_is_cut_off_leaves_no_file(home: Home) -> None:
    import socket

    from ..live import until

    with LiveServer(home, spare_kernels=0) as server:
        workspace, _ = server.default_project()
        before = home.files()
        head = (
            f"POST /pycaret/api/v1/workspaces/{workspace}/data-sources/upload HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{server.port}\r\nAuthorization: token {server.token}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000000\r\n\r\n"
            '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        )
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head.encode() + TABLE[:4_000_000])
            until(lambda: home.files() != before, "the first part on disk")
        until(lambda: home.files() == before, "nothing of it on disk")
        assert server.get(f"/workspaces/{workspace}/data-sources") == []
        assert Path(home.database).exists()
