"""The black-box conformance tests, run against a server of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..live import LiveServer


@pytest.mark.parametrize(("suite", "fewest"), [("test_main.py", 50), ("test_engine.py", 18)])
@pytest.mark.timeout(900)
def test_it_conforms(
    server: LiveServer, shared: Path, tmp_path: Path, suite: str, fewest: int
) -> None:
    """Each suite passes, every test of it, without a skip."""
    report = tmp_path / "report.xml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(shared / "conformance" / suite)),
            *("-q", "-p", "no:cacheprovider", f"--rootdir={shared}", f"--junitxml={report}"),
        ],
        env={**os.environ, "PYCARET_OPS_URL": server.url, "PYCARET_OPS_TOKEN": server.token},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    text = report.read_text()
    assert 'skipped="0"' in text
    assert int(text.split('tests="')[1].split('"')[0]) >= fewest
