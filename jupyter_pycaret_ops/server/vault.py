"""The server's secret key: signs what it stores, encrypts what it must give back.

The key is a file of its own (mode 0600) beside the data, never in the database. Signing and encrypting
keys are derived from it with HMAC-SHA-256, so that neither use reveals anything to the other.
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
    """Signatures and ciphertexts under one key file; the file is made when first needed."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self._key: bytes | None = None

    def sign(self, digest: str) -> str:
        """HMAC-SHA-256 over a digest, as hex."""
        return hmac.new(self._derived(b"sign"), digest.encode(), hashlib.sha256).hexdigest()

    def is_signed(self, digest: str, signature: str) -> bool:
        """Whether this server, or one with its key, signed that digest."""
        return hmac.compare_digest(self.sign(digest), signature)

    def encrypt(self, text: str) -> str:
        """Ciphertext of a secret (Fernet: AES-128-CBC with HMAC-SHA-256)."""
        return self._fernet().encrypt(text.encode()).decode()

    def decrypt(self, ciphertext: str) -> str:
        """The secret again.

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
            self._key = _read_or_make(self._file)
        return hmac.new(self._key, purpose, hashlib.sha256).digest()


def _read_or_make(file: Path) -> bytes:
    """The key in `file`; two servers that make it at once agree on one.

    Raises
    ------
    Unavailable
        When the file holds no whole key, cannot be read, or cannot be made.
    """
    try:
        make_private_folder(file.parent)
        with contextlib.suppress(FileNotFoundError):
            return _read(file)
        _make(file)
        return _read(file)
    except OSError as error:
        log.warning("the key file cannot be read or made: %s", error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Unavailable(
            "The disk that should hold the server's key file is full. Free some space, then try again."
            if full
            else "The server's key file cannot be read or made. Check PyCaretOpsApp.key_file and the rights on it.",
            retry_after_s=30,
        ) from error


def _read(file: Path) -> bytes:
    """The key, of which something was there to be read.

    Raises
    ------
    Unavailable
        When it is shorter than a key: whatever made it so would make signatures that anybody can guess.
    """
    with file.open("rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        key = stream.read()
    if len(key) < KEY_BYTES:
        raise Unavailable(
            f"The server's key file holds {len(key)} bytes, fewer than a key has ({KEY_BYTES}). Restore it "
            "from a backup. If there is none, delete it: a new one is made, and then pipelines are to be "
            "promoted and data sources with secrets to be registered again.",
            retry_after_s=30,
        )
    if os.name == "posix" and mode & 0o077:
        log.warning(
            "the key file %s can be read or changed by other users; whoever reads it can sign pipelines and "
            "decrypt secrets. Close it: chmod 600 %s",
            file,
            file,
        )
    return key


def _make(file: Path) -> None:
    """Make the key file, whole or not at all; one that another server has made meanwhile stays."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):  # another server was first
            os.link(temporary, file)
        _sync_folder(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Have the folder's entries on the disk, where folders can be opened for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
