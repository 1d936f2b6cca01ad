"""`jupyter pycaret-ops doctor`: what is well, and what to do where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from jupyter_pycaret_ops import doctor
from jupyter_pycaret_ops.app import PyCaretOpsApp
from jupyter_pycaret_ops.errors import Unavailable
from jupyter_pycaret_ops.store.bootstrap import MIGRATE_COMMAND, ensure_schema

from .fakes.backends import POSTGRESQL_ONLY
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


def test_a_task_that_cannot_run_says_which_extra_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def describe(_name: str) -> dict[str, Any]:
        plan, model = {"id": "compare"}, {"id": "lr"}
        absent = {"id": "xgboost", "is_available": False}
        return {
            "versions": {"pycaret": "4.0.0", "sktime": None},
            "tasks": [
                {"id": "good", "is_available": True, "plans": [plan], "models": [model, absent]},
                {"id": "empty", "is_available": True, "plans": [], "models": []},
                {"id": "absent", "is_available": False, "extra": "anomaly"},
            ],
        }

    monkeypatch.setattr(doctor, "_describe", describe)
    found = findings(tmp_path)
    assert found["engine"].said == "pycaret 4.0.0"
    assert (found["good"].verdict, found["good"].said) == ("ok", "1 models; plans: compare")
    assert found["empty"].verdict == "note"
    assert found["absent"].verdict == "note"
    assert found["absent"].remedy == "pip install 'jupyter-pycaret-ops[anomaly]'"


def test_an_engine_that_does_not_answer_is_said_with_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def describe(_name: str) -> dict[str, Any]:
        raise Unavailable("The worker kernel could not import the engine.")

    monkeypatch.setattr(doctor, "_describe", describe)
    found = findings(tmp_path, worker_kernel_name="python3")["engine"]
    assert (found.verdict, found.said) == ("bad", "The worker kernel could not import the engine.")
    assert "“python3”" in found.remedy
    assert "pip install jupyter-pycaret-ops" in found.remedy


@POSTGRESQL_ONLY
@pytest.mark.usefixtures("without_kernel")
def test_on_postgresql_a_database_that_is_behind_is_the_admins_to_migrate(
    tmp_path: Path, empty_url: str
) -> None:
    found = findings(tmp_path, database_url=empty_url)["migrations"]
    assert (found.verdict, found.remedy) == ("bad", f"Run: {MIGRATE_COMMAND}")
    ensure_schema(empty_url, auto_migrate=True)
    assert findings(tmp_path, database_url=empty_url)["migrations"].verdict == "ok"


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
