"""The key file: complete, private, and never replaced."""

from __future__ import annotations

import errno
import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Unavailable
from jupyter_pycaret_ops.server.vault import Vault


def test_key_file_is_created_atomically_with_mode_0600_and_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), sync(handle)))
    file = tmp_path / "data" / "secret.key"
    signature = Vault(file).sign("d")
    assert len(file.read_bytes()) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert len(synced) == 2  # the file, and the folder that names it
    assert list(file.parent.iterdir()) == [file]
    assert Vault(file).is_signed("d", signature)


@pytest.mark.parametrize("content", [b"", b"\0", b"short", b"x" * 31])
def test_empty_or_short_key_file_is_refused_and_not_changed(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret.key"
    file.write_bytes(content)
    for use in (lambda vault: vault.sign("d"), lambda vault: vault.encrypt("s")):
        with pytest.raises(Unavailable, match=f"has {len(content)} bytes") as refused:
            use(Vault(file))
        assert str(tmp_path) not in refused.value.message
    assert file.read_bytes() == content


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_key_file_readable_by_others_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    file = tmp_path / "secret.key"
    Vault(file).sign("d")
    assert "chmod 600" not in caplog.text
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        Vault(file).sign("d")
    assert "chmod 600" in caplog.text


def test_full_disk_leaves_no_partial_key_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tmp_path / "secret.key"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="key file is full"):
            Vault(file).sign("d")
    assert list(tmp_path.iterdir()) == []
    assert Vault(file).sign("d")


@pytest.mark.parametrize("what", ["folder", "unreadable"])
def test_unreadable_key_file_is_unavailable_without_its_path(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret.key"
    if what == "folder":
        file.mkdir()
    else:

        def denied(*_: Any, **__: Any) -> Any:
            raise PermissionError(errno.EACCES, "Permission denied", str(file))

        file.write_bytes(b"x" * 32)
        monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(Unavailable, match="cannot be read or created") as refused:
        Vault(file).sign("d")
    assert str(tmp_path) not in refused.value.message
