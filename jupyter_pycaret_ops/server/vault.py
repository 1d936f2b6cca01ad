"""The secret key of the server, which signs pipelines and encrypts the secrets of data sources.

The key is in a file of its own (mode 0600), never in the database. The keys for signing and encryption are
derived from it with HMAC-SHA-256, so neither reveals the other.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ..common.errors import Unavailable
from .settings import make_private_folder

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


log = logging.getLogger("jupyter_pycaret_ops")

KEY_BYTES = 32


class Vault:
    """Signs and encrypts with the key in one file, which is created when first needed."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self._key: bytes | None = None

    def sign(self, digest: str) -> str:
        """Return the HMAC-SHA-256 of a digest, as hex."""
        return hmac.new(self._derived(b"sign"), digest.encode(), hashlib.sha256).hexdigest()

    def is_signed(self, digest: str, signature: str) -> bool:
        """Return whether the digest was signed with this key."""
        return hmac.compare_digest(self.sign(digest), signature)

    def encrypt(self, text: str) -> str:
        """Encrypt a secret with Fernet (AES-128-CBC with HMAC-SHA-256)."""
        return self._fernet().encrypt(text.encode()).decode()

    def decrypt(self, ciphertext: str) -> str:
        """Decrypt a secret.

        Raises
        ------
        Unavailable
            When it was encrypted with another key.
        """
        from cryptography.fernet import InvalidToken

        try:
            plain: bytes = self._fernet().decrypt(ciphertext.encode())
        except InvalidToken:
            raise Unavailable(
                "The secret of this data source was encrypted with another key file. "
                "Register the data source again."
            ) from None
        return plain.decode()

    def _fernet(self) -> Fernet:
        from cryptography.fernet import Fernet

        return Fernet(base64.urlsafe_b64encode(self._derived(b"encrypt")))

    def _derived(self, purpose: bytes) -> bytes:
        if self._key is None:
            self._key = _read_or_create(self._file)
        return hmac.new(self._key, purpose, hashlib.sha256).digest()


def _read_or_create(file: Path) -> bytes:
    """Return the key in `file`, which is created if missing, by one server only if several start at once.

    Raises
    ------
    Unavailable
        When the key is too short, or the file cannot be read or created.
    """
    try:
        make_private_folder(file.parent)
        with contextlib.suppress(FileNotFoundError):
            return _read(file)
        _create(file)
        return _read(file)
    except OSError as error:
        log.warning("the key file cannot be read or created: %s", error)
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Unavailable(
            "The disk of the server's key file is full. Free some space, then try again."
            if is_full
            else "The server's key file cannot be read or created. Check PyCaretOpsApp.key_file and its permissions.",
            retry_after_s=30,
        ) from error


def _read(file: Path) -> bytes:
    """Read the key.

    Raises
    ------
    Unavailable
        When it is shorter than `KEY_BYTES`: signatures with it could be guessed.
    """
    with file.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        key = stream.read()
    if len(key) < KEY_BYTES:
        raise Unavailable(
            f"The server's key file has {len(key)} bytes, but a key has at least {KEY_BYTES}. Restore it from a "
            "backup. Without one, delete it: a new key is created, and pipelines have to be promoted again, "
            "and data sources with secrets registered again.",
            retry_after_s=30,
        )
    if os.name == "posix" and mode & 0o077:
        log.warning(
            "other users can read or change the key file %s; with it they can sign pipelines and decrypt secrets. "
            "Run: chmod 600 %s",
            file,
            file,
        )
    return key


def _create(file: Path) -> None:
    """Create the key file atomically; a file that another server has created meanwhile stays."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):  # another server has created it
            os.link(temporary, file)
        _sync_folder(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Write the entries of the folder to the disk, if the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
