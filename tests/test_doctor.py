"""`jupyter pycaret-ops doctor`: what is well, and what to do where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config import Config

from jupyter_pycaret_ops import doctor
from jupyter_pycaret_ops.app import PyCaretOpsApp
from jupyter_pycaret_ops.store.bootstrap import ensure_schema

from .live import Home


@pytest.fixture
def without_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the one look that takes seconds; the test of the command has it."""
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
    return {finding.what: finding for finding in doctor.examine(PyCaretOpsApp(config=config))}


def test_the_command_looks_at_everything_and_ends(home: Home) -> None:
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
    assert done.stdout.endswith("All is well.\n")


@pytest.mark.usefixtures("without_kernel")
def test_a_fresh_home_is_well(tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert "empty" in found["migrations"].said
    assert list((tmp_path / "artifacts").rglob("*probe*")) == []


@pytest.mark.usefixtures("without_kernel")
def test_each_fault_has_its_remedy(tmp_path: Path) -> None:
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
    assert current["migrations"].said.endswith("the newest")


@pytest.mark.usefixtures("without_kernel")
@pytest.mark.parametrize(
    "url", ["nonsense", "oracle+nothing://x/y", "postgresql+psycopg://u:secret@127.0.0.1:1/x"]
)
def test_a_database_that_does_not_open_is_named_without_its_password(
    tmp_path: Path, url: str
) -> None:
    found = findings(tmp_path, database_url=url)["database"]
    assert found.verdict == "bad"
    assert found.remedy
    assert "secret" not in found.said
