"""The file store: errors of the file system become errors for users, without a path."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import NotFound, Unavailable
from jupyter_pycaret_ops.server.files.file_store import THREADS, FileStore


class TokenRetrievalError(Exception):
    """Has the name of an exception of botocore."""


FAILURES: list[tuple[Exception, str]] = [
    (OSError(errno.ENOSPC, "No space left on device", "/srv/secret"), "full"),
    (OSError(errno.EDQUOT, "Disk quota exceeded", "/srv/secret"), "full"),
    (PermissionError(errno.EACCES, "Permission denied", "/srv/secret"), "refuses"),
    (OSError(errno.EROFS, "Read-only file system", "/srv/secret"), "refuses"),
    (PermissionError("Access Denied"), "refuses"),
    (Exception("An error occurred (ExpiredToken) when calling PutObject: /srv/secret"), "expired"),
    (TokenRetrievalError("Token has expired and refresh failed"), "expired"),
    (Exception("Unable to locate credentials"), "refuses"),
    (ConnectionError("Could not connect to the endpoint /srv/secret"), "does not answer"),
    (TimeoutError(), "does not answer"),
    (OSError(errno.EIO, "Input/output error", "/srv/secret"), "does not answer"),
    (RuntimeError("anything else, /srv/secret"), "does not answer"),
    (ModuleNotFoundError("No module named 's3fs'"), "package"),
]


def first_chunk(store: FileStore) -> bytes:
    return next(store.chunks("runs/a"))


USES: dict[str, tuple[str, Callable[[FileStore], Any]]] = {
    "put": ("open", lambda store: store.put("runs/b", b"x")),
    "read": ("open", lambda store: store.read("runs/a")),
    "chunks": ("open", first_chunk),
    "copy": ("open", lambda store: store.copy("runs/a", "pipelines/a")),
    "size": ("size", lambda store: store.size("runs/a")),
    "commit": ("mv", lambda store: store.put("runs/b", b"x")),
    "folder": ("makedirs", lambda store: store.put("runs/b", b"x")),
}


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    made = FileStore(str(tmp_path / "artifacts"))
    made.put("runs/a", b"abc")
    return made


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("failure", "word"), FAILURES)
def test_every_file_system_error_is_unavailable_with_a_message_without_path(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, use: str, failure: Exception, word: str
) -> None:
    method, act = USES[use]
    fs, _ = store._filesystem()

    def fail(*_: Any, **__: Any) -> Any:
        raise failure

    monkeypatch.setattr(fs, method, fail)
    with pytest.raises(Unavailable, match=word) as refused:
        act(store)
    assert "/srv" not in refused.value.message
    assert refused.value.retry_after_s > 0


@pytest.mark.parametrize("method", ["read", "write"])
def test_failure_in_the_middle_of_a_file_is_unavailable(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, method: str
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            def act(*_: Any) -> Any:
                if name == method:
                    raise OSError(errno.EIO, "Input/output error", "/srv/secret")
                return 0

            return act

    fs, _ = store._filesystem()
    monkeypatch.setattr(fs, "open", lambda *_: Broken())
    with pytest.raises(Unavailable):
        store.read("runs/a") if method == "read" else store.put("runs/b", b"x")


def test_failed_put_leaves_no_file(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fs, _ = store._filesystem()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(fs, "mv", full)
        with pytest.raises(Unavailable):
            store.put("runs/b", b"x")
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a"]


def test_url_with_an_unknown_protocol_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        FileStore("nonsense://bucket").put("runs/a", b"x")


def test_missing_file_raises_not_found(store: FileStore) -> None:
    for use in (store.read, store.open, store.size):
        with pytest.raises(NotFound):
            use("runs/none")


def test_failed_delete_is_logged_and_the_other_files_are_deleted(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store.put("runs/b", b"x")
    fs, _ = store._filesystem()
    remove = fs.rm_file

    def fail(path: str) -> None:
        if path.endswith("/a"):
            raise PermissionError(errno.EACCES, "Permission denied")
        remove(path)

    monkeypatch.setattr(fs, "rm_file", fail)
    store.delete("runs/a", "runs/none", "runs/b")
    assert "runs/a" in caplog.text
    with pytest.raises(NotFound):
        store.read("runs/b")
    assert store.read("runs/a") == b"abc"


def test_empty_folders_are_removed_with_their_last_file_except_the_root(tmp_path: Path) -> None:
    root = tmp_path / "artifacts"
    store = FileStore(str(root))
    store.put("runs/one/a", b"x")
    store.put("runs/one/b", b"x")
    store.put("pipelines/p.pkl", b"x")
    store.delete("runs/one/a")
    assert (root / "runs" / "one").is_dir()
    store.delete("runs/one/b")
    assert [folder.name for folder in root.iterdir()] == ["pipelines"]
    store.delete("pipelines/p.pkl")
    assert list(root.iterdir()) == []
    store.put("runs/two/a", b"x")
    assert store.read("runs/two/a") == b"x"


def test_writer_creates_a_folder_again_that_was_just_removed(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fs, _ = store._filesystem()
    make = fs.makedirs
    calls: list[str] = []

    def make_and_lose(path: str, exist_ok: bool) -> None:
        make(path, exist_ok=exist_ok)
        calls.append(path)
        if len(calls) == 1:
            Path(path).rmdir()

    monkeypatch.setattr(fs, "makedirs", make_and_lose)
    store.put("runs/new/a", b"x")
    assert (len(calls), store.read("runs/new/a")) == (2, b"x")


def test_root_folder_is_accessible_by_its_owner_only(store: FileStore, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "artifacts").stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_store_that_hangs_raises_in_time_and_blocks_only_its_own_threads(tmp_path: Path) -> None:
    """A named pipe without a writer simulates a network mount that hangs."""
    store = FileStore(str(tmp_path), within_s=0.2)
    os.mkfifo(tmp_path / "stuck")

    async def check() -> None:
        for _ in range(THREADS + 2):
            with pytest.raises(Unavailable, match="does not answer"):
                await store.in_thread(store.read, "stuck")
        # the default threads are not blocked
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 10) == 1

    try:
        asyncio.run(check())
    finally:
        store.close()
        for _ in range(THREADS):  # unblock them
            with contextlib.suppress(OSError):
                os.close(os.open(tmp_path / "stuck", os.O_WRONLY | os.O_NONBLOCK))
            time.sleep(0.02)
