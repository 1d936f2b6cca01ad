"""The server's secret key: signs what it stores, encrypts what it must give back.

The key is a file of its own (mode 0600) beside the data, never in the database. Signing and encrypting
keys are derived from it with HMAC-SHA-256, so that neither use reveals anything to the other.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import Unavailable

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


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
    """The key in `file`; two servers that make it at once agree on one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        return file.read_bytes()
    temporary = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(secrets.token_bytes(32))
    try:
        os.link(temporary, file)  # fails where another server was first
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return file.read_bytes()
