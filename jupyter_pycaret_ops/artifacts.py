"""The artifact store: files under names that we choose, on any file system that fsspec knows.

A file is written under a temporary name and renamed when it is whole, so that a name always stands for
a whole file. Everything here blocks; the server calls it in threads.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .errors import NotFound

_KEY = re.compile(r"[a-z0-9][a-z0-9_./-]*")
CHUNK = 1 << 20


class ArtifactStore:
    """Files by key; a key is a relative path of our own making."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: tuple[Any, str] | None = None

    def writer(self, key: str) -> Writer:
        """Open a new file for writing; nothing stands under `key` before `commit`."""
        fs, path = self._path(key)
        fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        return Writer(fs, path)

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
        fs, path = self._path(key)
        try:
            stream: BinaryIO = fs.open(path, "rb")
        except FileNotFoundError:
            raise NotFound("The file is no longer in the artifact store.") from None
        return stream

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        with self.writer(target) as writer:
            for chunk in self.chunks(source):
                writer.write(chunk)
            writer.commit()

    def delete(self, *keys: str) -> None:
        """Delete files; those that are gone already are fine."""
        for key in keys:
            fs, path = self._path(key)
            with contextlib.suppress(FileNotFoundError):
                fs.rm_file(path)

    def sweep(self, older_than_s: float = 24 * 3600.0) -> None:
        """Remove parts of files that a killed server has left in a local folder."""
        fs, root = self._filesystem()
        if "file" not in fs.protocol:
            return  # elsewhere a part is no file before it is whole, or lifecycle rules remove it
        for part in Path(root).rglob("*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > older_than_s:
                    part.unlink()

    def _path(self, key: str) -> tuple[Any, str]:
        if not _KEY.fullmatch(key) or ".." in key:
            raise ValueError(f"{key!r} is not a key of the artifact store")
        fs, root = self._filesystem()
        return fs, f"{root.rstrip('/')}/{key}"

    def _filesystem(self) -> tuple[Any, str]:
        if self._opened is None:
            from fsspec.core import url_to_fs

            self._opened = url_to_fs(self.url)
        return self._opened


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
        self._stream.write(content)

    def commit(self) -> None:
        """Close the file and give it its name."""
        self._stream.close()
        self._open = False
        self._fs.mv(self._temporary, self._path)

    def discard(self) -> None:
        """Leave nothing behind; does nothing after `commit`."""
        if self._open:
            self._open = False
            with contextlib.suppress(Exception):
                self._stream.close()
            with contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(self._temporary)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()
