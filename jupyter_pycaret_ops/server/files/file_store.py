"""The file store: files by key, on any file system that fsspec supports.

A file is written under a temporary name and renamed when it is complete, so a key never refers to a part of a
file. All methods block unless they are coroutines; the server calls them in threads of the store.

Errors of the file system (full disk, permissions, no answer, expired credentials) are raised as
`Unavailable`, with a message for users that contains no path.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

from ...common.errors import Unavailable
from ..settings import make_private_folder
from ..threads import ThreadPool
from .storage_errors import translated
from .streams import Writer, reader

log = logging.getLogger("jupyter_pycaret_ops")

_KEY = re.compile(r"[a-z0-9][a-z0-9_./-]*")
CHUNK = 1 << 20
#: seconds for work on a part of a file; work on a whole file may take so many times as long
FILE_WITHIN_S, WHOLE_FILE_TIMES = 30.0, 20
THREADS = 8

P = ParamSpec("P")
T = TypeVar("T")


class FileStore:
    """Files by key; a key is a relative path that the server has generated."""

    def __init__(self, url: str, *, within_s: float = FILE_WITHIN_S) -> None:
        self.url = url
        self._opened: tuple[Any, str] | None = None
        self._within_s = within_s
        # threads of its own: a file system that hangs must not block other work
        self._threads = ThreadPool("store", THREADS)

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work` in a thread of the store and return its result; for work on a part of a file.

        Raises
        ------
        Unavailable
            When it takes longer than `within_s` seconds, for example on a network mount that hangs.
        """
        return await self._in_thread_within(self._within_s, work, *args, **kwargs)

    async def in_thread_whole(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the same as `in_thread`, with more time, for work on whole files."""
        return await self._in_thread_within(
            WHOLE_FILE_TIMES * self._within_s, work, *args, **kwargs
        )

    async def _in_thread_within(
        self, within_s: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            return await self._threads.run_within(within_s, work, *args, **kwargs)
        except TimeoutError:
            raise Unavailable(
                "The file store does not answer. Try again.", retry_after_s=10
            ) from None

    def in_background(self, work: Callable[[], object]) -> None:
        """Call `work` in a thread of the store, without waiting for it."""
        self._threads.submit(work)

    def close(self) -> None:
        """Shut down the threads."""
        self._threads.close()

    def writer(self, key: str) -> Writer:
        """Open a new file for writing; it exists under `key` after `commit`."""
        _check_key(key)
        with translated():
            fs, path = self._path(key)
            for attempt in range(3):
                self._make_folder(fs, path.rsplit("/", 1)[0])
                try:
                    return Writer(fs, path)
                except FileNotFoundError:  # the folder was empty and has just been removed
                    if attempt == 2:
                        raise PermissionError("the folder is removed again and again") from None
        raise AssertionError

    def put(self, key: str, content: bytes) -> None:
        """Store `content` under a key."""
        with self.writer(key) as writer:
            writer.write(content)
            writer.commit()

    def read(self, key: str) -> bytes:
        """Return the content of a file.

        Raises
        ------
        NotFound
            When there is no such file.
        """
        return b"".join(self.chunks(key))

    def chunks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield a file in pieces, from byte `start` to before byte `end`."""
        with self.open(key) as stream:
            stream.seek(start)
            left = None if end is None else end - start
            while left is None or left > 0:
                chunk = stream.read(CHUNK if left is None else min(CHUNK, left))
                if not chunk:
                    return
                if left is not None:
                    left -= len(chunk)
                yield chunk

    def open(self, key: str) -> BinaryIO:
        """Open a file for reading.

        Raises
        ------
        NotFound
            When there is no such file.
        """
        _check_key(key)
        with translated():
            fs, path = self._path(key)
            return reader(fs.open(path, "rb"))

    def size(self, key: str) -> int:
        """Return the size of a file in bytes.

        Raises
        ------
        NotFound
            When there is no such file.
        """
        _check_key(key)
        with translated():
            fs, path = self._path(key)
            return int(fs.size(path))

    def local_path(self, key: str) -> Path | None:
        """Return the local path of a file, or None where the store is not a local folder.

        Raises
        ------
        NotFound
            When there is no such file.
        """
        _check_key(key)
        with translated():
            fs, path = self._path(key)
            if not _is_local(fs):
                return None
            Path(path).stat()
            return Path(path)

    def fetch(self, key: str, target: Path) -> None:
        """Copy a file to a local path.

        Raises
        ------
        NotFound
            When there is no such file.
        """
        with target.open("wb") as copy:
            for chunk in self.chunks(key):
                copy.write(chunk)

    def digest(self, key: str) -> str:
        """Return the SHA-256 of a file as hex; the file is read in pieces.

        Raises
        ------
        NotFound
            When there is no such file.
        """
        sha256 = hashlib.sha256()
        for chunk in self.chunks(key):
            sha256.update(chunk)
        return sha256.hexdigest()

    def copy(self, source: str, target: str) -> None:
        """Copy the file `source` to the key `target`."""
        with self.writer(target) as writer:
            for chunk in self.chunks(source):
                writer.write(chunk)
            writer.commit()

    def delete(self, *keys: str) -> None:
        """Delete files, and the folders that become empty; a missing file is no error.

        A file that cannot be deleted is logged and stays: nothing refers to it any more.
        """
        for key in keys:
            _check_key(key)
            try:
                fs, path = self._path(key)
                with contextlib.suppress(FileNotFoundError):
                    fs.rm_file(path)
                self._remove_empty_folders(fs, path)
            except Exception as error:
                log.warning(
                    "an unused file could not be deleted from the file store, %s: %s", key, error
                )

    def _remove_empty_folders(self, fs: Any, path: str) -> None:
        if not _is_local(fs):
            return  # object stores have no folders
        root = Path(self._filesystem()[1])
        for folder in Path(path).parents:
            if root not in folder.parents:
                return
            try:
                folder.rmdir()
            except OSError:  # not empty
                return

    def _make_folder(self, fs: Any, folder: str) -> None:
        if _is_local(fs):
            make_private_folder(Path(self._filesystem()[1]))
        fs.makedirs(folder, exist_ok=True)

    def sweep(self, older_than_s: float = 24 * 3600.0) -> None:
        """Remove the temporary files of killed servers that are older than `older_than_s` seconds, from a local folder."""
        fs, root = self._filesystem()
        if not _is_local(fs):
            return  # an object store has no incomplete files, or removes them by lifecycle rules
        for part in Path(root).rglob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > older_than_s:
                    part.unlink()

    def _path(self, key: str) -> tuple[Any, str]:
        fs, root = self._filesystem()
        return fs, f"{root.rstrip('/')}/{key}"

    def _filesystem(self) -> tuple[Any, str]:
        if self._opened is None:
            from fsspec.core import url_to_fs

            self._opened = url_to_fs(self.url)
        return self._opened


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"{key!r} is not a key of the file store")


def _is_local(fs: Any) -> bool:
    return "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)
