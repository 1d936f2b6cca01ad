"""The artifact store: files under names that we choose, on any file system that fsspec knows.

A file is written under a temporary name and renamed when it is whole, so that a name always stands for
a whole file. Everything here blocks; the server calls it in threads.

What a file system cannot do (a full disk, rights, a store that is away, an expired token) is said here and
nowhere else: every method raises `Unavailable` then, with a sentence for people and no path in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import hashlib
import io
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar, cast

from ...common.errors import NotFound, OpsError, Unavailable
from ..settings import make_private_folder

log = logging.getLogger("jupyter_pycaret_ops")

_KEY = re.compile(r"[a-z0-9][a-z0-9_./-]*")
CHUNK = 1 << 20
#: seconds for a piece of work on a file, and how many times as long for one on a whole file
FILE_WITHIN_S, WHOLE_FILE_TIMES = 30.0, 20
THREADS = 8

P = ParamSpec("P")
T = TypeVar("T")

#: words by which object stores say that a credential is no longer, or not, good
_EXPIRED = re.compile(r"expired|token.{0,20}(invalid|refresh)", re.IGNORECASE)
_DENIED = re.compile(
    r"access ?denied|forbidden|credentials|signaturedoesnotmatch|invalidaccesskey|unauthorized",
    re.IGNORECASE,
)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def _unavailable(error: Exception) -> Unavailable:
    """What a file system that failed means for the caller; the detail goes to the log only."""
    log.warning("the artifact store failed: %s: %s", type(error).__name__, error)
    number, text = getattr(error, "errno", None), f"{type(error).__name__} {error}"
    if number in _NO_SPACE:
        return Unavailable(
            "The disk that holds the artifacts is full. Free some space, then try again.",
            retry_after_s=30,
        )
    if _EXPIRED.search(text):
        return Unavailable(
            "The credentials of the artifact store have expired. Renew them, then try again.",
            retry_after_s=30,
        )
    if number in _NO_RIGHT or isinstance(error, PermissionError) or _DENIED.search(text):
        return Unavailable(
            "The artifact store refuses the server. Check its rights and credentials.",
            retry_after_s=30,
        )
    if isinstance(error, ImportError):
        return Unavailable(
            "The artifact store needs a package that is not installed. "
            "For S3: pip install 'jupyter-pycaret-ops[s3]'.",
            retry_after_s=30,
        )
    return Unavailable("The artifact store does not answer. Try again.", retry_after_s=10)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise Unavailable for whatever a file system raises; a file that is not there is NotFound."""
    try:
        yield
    except OpsError:
        raise
    except FileNotFoundError as error:
        raise NotFound("The file is no longer in the artifact store.") from error
    except Exception as error:
        raise _unavailable(error) from error


class _Reader(io.RawIOBase):
    """A file of the store, read with its errors translated."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _translated():
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        with _translated():
            return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        with _translated():
            return self._stream.read(size)

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            with contextlib.suppress(Exception):
                self._stream.close()
        super().close()


class FileStore:
    """Files by key; a key is a relative path of our own making."""

    def __init__(self, url: str, *, within_s: float = FILE_WITHIN_S) -> None:
        self.url = url
        self._opened: tuple[Any, str] | None = None
        self._within_s = within_s
        # its own: a store that hangs keeps its threads, and nobody else's
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pycaret-ops-store")

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what blocking work on a piece of a file returns, done in a thread of the store.

        Raises
        ------
        Unavailable
            When it takes longer than 30 s: a network mount may never answer.
        """
        return await self._bounded(self._within_s, work, *args, **kwargs)

    async def in_thread_whole(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `in_thread` returns, for work that goes through whole files of gigabytes."""
        return await self._bounded(WHOLE_FILE_TIMES * self._within_s, work, *args, **kwargs)

    async def _bounded(
        self, within_s: float, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        doing = loop.run_in_executor(self._threads, functools.partial(work, *args, **kwargs))
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(doing)
        except TimeoutError:
            # the thread is left to it
            doing.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise Unavailable(
                "The artifact store does not answer. Try again.", retry_after_s=10
            ) from None

    def in_background(self, work: Callable[[], object]) -> None:
        """Do blocking work on files in a thread of the store, without waiting for it."""
        self._threads.submit(work)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def writer(self, key: str) -> Writer:
        """Open a new file for writing; nothing stands under `key` before `commit`."""
        _check(key)
        with _translated():
            fs, path = self._path(key)
            for attempt in range(3):
                self._make_folder(fs, path.rsplit("/", 1)[0])
                try:
                    return Writer(fs, path)
                except FileNotFoundError:  # the folder was empty, and removed just now
                    if attempt == 2:
                        raise PermissionError("a folder does not stay") from None
        raise AssertionError

    def put(self, key: str, content: bytes) -> None:
        """Store a file in one go."""
        with self.writer(key) as writer:
            writer.write(content)
            writer.commit()

    def read(self, key: str) -> bytes:
        """A whole file.

        Raises
        ------
        NotFound
            When there is none.
        """
        return b"".join(self.chunks(key))

    def chunks(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """A file in pieces, from byte `start` up to, not including, `end`."""
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
            When there is none.
        """
        _check(key)
        with _translated():
            fs, path = self._path(key)
            return cast("BinaryIO", io.BufferedReader(_Reader(fs.open(path, "rb"))))

    def size(self, key: str) -> int:
        """Return how many bytes a file has.

        Raises
        ------
        NotFound
            When there is none.
        """
        _check(key)
        with _translated():
            fs, path = self._path(key)
            return int(fs.size(path))

    def local_path(self, key: str) -> Path | None:
        """Return where a file lies on this machine, or None where the store is elsewhere.

        Raises
        ------
        NotFound
            When there is none.
        """
        _check(key)
        with _translated():
            fs, path = self._path(key)
            if not _is_local(fs):
                return None
            Path(path).stat()
            return Path(path)

    def fetch(self, key: str, target: Path) -> None:
        """Copy a file to a path of this machine.

        Raises
        ------
        NotFound
            When there is none.
        """
        with target.open("wb") as copy:
            for chunk in self.chunks(key):
                copy.write(chunk)

    def digest(self, key: str) -> str:
        """Return the SHA-256 of a file as hex, without holding it.

        Raises
        ------
        NotFound
            When there is none.
        """
        found = hashlib.sha256()
        for chunk in self.chunks(key):
            found.update(chunk)
        return found.hexdigest()

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        with self.writer(target) as writer:
            for chunk in self.chunks(source):
                writer.write(chunk)
            writer.commit()

    def delete(self, *keys: str) -> None:
        """Delete files, and folders that are empty then; those that are gone already are fine.

        What cannot be deleted stays and is logged: nothing refers to it any more.
        """
        for key in keys:
            _check(key)
            try:
                fs, path = self._path(key)
                with contextlib.suppress(FileNotFoundError):
                    fs.rm_file(path)
                self._remove_empty_folders(fs, path)
            except Exception as error:
                log.warning("a file of no use stays in the artifact store, %s: %s", key, error)

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
        """Remove parts of files that a killed server has left in a local folder."""
        fs, root = self._filesystem()
        if not _is_local(fs):
            return  # elsewhere a part is no file before it is whole, or lifecycle rules remove it
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


def _check(key: str) -> None:
    if not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"{key!r} is not a key of the artifact store")


def _is_local(fs: Any) -> bool:
    return "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)


class Writer:
    """A file on its way; what is not committed is gone when the writer is left."""

    def __init__(self, fs: Any, path: str) -> None:
        self._fs = fs
        self._path = path
        self._temporary = f"{path}.{secrets.token_hex(6)}.part"
        self._stream: BinaryIO = fs.open(self._temporary, "wb")
        self._open = True

    def write(self, content: bytes) -> None:
        """Append bytes."""
        with _translated():
            self._stream.write(content)

    def commit(self) -> None:
        """Close the file and give it its name."""
        with _translated():
            self._stream.close()
            self._open = False
            try:
                self._fs.mv(self._temporary, self._path)
            except BaseException:
                self._open = True  # `discard` removes it
                raise

    def discard(self) -> None:
        """Leave nothing behind; does nothing after `commit`."""
        if self._open:
            self._open = False
            with contextlib.suppress(Exception):
                self._stream.close()
            try:
                self._fs.rm_file(self._temporary)
            except FileNotFoundError:
                pass
            except Exception as error:
                log.warning("a part of a file stays in the artifact store: %s", error)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()
