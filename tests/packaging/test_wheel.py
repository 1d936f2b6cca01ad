"""The wheel as people get it: built from a copy of the checkout, installed into an empty environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

import jupyter_pycaret_ops

from ..live import ROOT

pytestmark = pytest.mark.timeout(900)

BIN = Path(sys.executable).parent
BUILT_PANEL = Path("jupyter_pycaret_ops/labextension")
PANEL = "share/jupyter/labextensions/jupyter-pycaret-ops"
SERVER_CONFIG = "etc/jupyter/jupyter_server_config.d/jupyter_pycaret_ops.json"


def finished(
    command: list[str | Path], cwd: Path, env: Mapping[str, str], timeout_s: float = 600
) -> str:
    """What a command that must succeed has printed, on both of its streams."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}"
    return done.stdout


def sources() -> list[Path]:
    """Files of the checkout, those that are not committed yet too, as relative paths."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built outside of the checkout; a panel that was built before is taken as it is."""
    folder = tmp_path_factory.mktemp("build")
    copy = folder / "source"
    for file in sources():
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, copy / file)
    if (ROOT / BUILT_PANEL / "static" / "style.js").is_file():
        # an editable install may have put it there, through the link that `make install` made
        not_built = shutil.ignore_patterns("install.json")
        shutil.copytree(ROOT / BUILT_PANEL, copy / BUILT_PANEL, ignore=not_built)
    env = {name: value for name, value in os.environ.items() if name != "SKIP_JUPYTER_BUILDER"}
    env["PATH"] = f"{BIN}{os.pathsep}{env['PATH']}"
    command: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "--no-deps"]
    finished([*command, "--wheel-dir", folder / "dist", copy], folder, env)
    (made,) = (folder / "dist").glob("*.whl")
    return made


@pytest.fixture(scope="module")
def names(wheel: Path) -> frozenset[str]:
    """What is in the wheel; shared data under the place where it will be installed."""
    with zipfile.ZipFile(wheel) as archive:
        listed = archive.namelist()
    assert len(listed) == len(set(listed))
    return frozenset(name.partition(".data/data/")[2] or name for name in listed)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The programs of an environment that holds the wheel and what it needs, and how to call them."""
    folder = tmp_path_factory.mktemp("environment")
    home = folder / "home"
    home.mkdir()
    outside = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "VIRTUAL_ENV", "PYTHON"))
    }
    venv = folder / "venv"
    finished([BIN / "uv", "venv", "--python", sys.executable, venv], folder, outside)
    finished(
        [
            *(BIN / "uv", "pip", "install", "--python", venv / "bin" / "python"),
            *("--prerelease", "if-necessary"),
            *("--constraint", ROOT / "requirements" / "constraints.txt", wheel),
        ],
        folder,
        outside,
    )
    env = {**outside, "HOME": str(home), "PATH": f"{venv / 'bin'}{os.pathsep}{outside['PATH']}"}
    return venv / "bin", env


def test_it_carries_the_version_of_the_code(wheel: Path) -> None:
    assert wheel.name.startswith(f"jupyter_pycaret_ops-{jupyter_pycaret_ops.__version__}-py3-none")


def test_it_holds_every_module_and_nothing_of_the_tests(names: frozenset[str]) -> None:
    modules = {
        file.as_posix()
        for file in sources()
        if file.parts[0] == "jupyter_pycaret_ops" and file.suffix in {".py", ".mako"}
    }
    assert modules
    assert modules <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/", "docs/"))]


def test_it_holds_the_panel_once_and_where_jupyterlab_looks(
    wheel: Path, names: frozenset[str]
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        package = next(
            name for name in archive.namelist() if name.endswith(f"{PANEL}/package.json")
        )
        build = json.loads(archive.read(package))["jupyterlab"]["_build"]
        prefix = package.removesuffix("package.json")
        assert archive.getinfo(prefix + build["load"]).file_size > 1000
        assert json.loads(archive.read(f"{prefix}install.json"))["packageName"] == (
            "jupyter_pycaret_ops"
        )
    assert f"{PANEL}/static/style.js" in names
    assert not [name for name in names if name.startswith(f"{BUILT_PANEL.as_posix()}/")]


def test_it_switches_the_server_extension_on(wheel: Path, names: frozenset[str]) -> None:
    assert SERVER_CONFIG in names
    with zipfile.ZipFile(wheel) as archive:
        config = next(name for name in archive.namelist() if name.endswith(SERVER_CONFIG))
        assert json.loads(archive.read(config)) == {
            "ServerApp": {"jpserver_extensions": {"jupyter_pycaret_ops": True}}
        }


def test_the_server_and_jupyterlab_find_it(installed: tuple[Path, dict[str, str]]) -> None:
    programs, env = installed
    home = Path(env["HOME"])
    server = finished([programs / "jupyter", "server", "extension", "list"], home, env)
    assert "jupyter_pycaret_ops enabled" in plain(server)
    assert f"jupyter_pycaret_ops {jupyter_pycaret_ops.__version__} OK" in plain(server)
    lab = finished([programs / "jupyter", "labextension", "list"], home, env)
    (line,) = [line for line in plain(lab).splitlines() if "jupyter-pycaret-ops v" in line]
    assert "enabled" in line
    assert "OK" in line


def plain(text: str) -> str:
    """Terminal output without its colours, and with single spaces."""
    return re.sub(r"[ \t]+", " ", re.sub(r"\x1b\[[0-9;]*m", "", text))


def test_migrate_makes_a_database(installed: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    programs, env = installed
    database = tmp_path / "new" / "records.db"
    command: list[str | Path] = [programs / "jupyter", "pycaret-ops", "migrate"]
    first = finished([*command, "--url", f"sqlite:///{database}"], tmp_path, env)
    assert "was empty" in first
    with closing(sqlite3.connect(database)) as opened:
        tables = {name for (name,) in opened.execute("select name from sqlite_master")}
    assert {"runs", "events", "deployments", "alembic_version"} <= tables
    second = finished([*command, "--url", f"sqlite:///{database}"], tmp_path, env)
    assert "was current" in second
