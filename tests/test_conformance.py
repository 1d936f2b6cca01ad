"""The black-box conformance tests, run against a server of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .live import LiveServer


def test_the_main_job_conforms(server: LiveServer, shared: Path, tmp_path: Path) -> None:
    """`conformance/test_main.py` passes, every test of it, without a skip."""
    report = tmp_path / "report.xml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(shared / "conformance" / "test_main.py")),
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
    assert int(text.split('tests="')[1].split('"')[0]) >= 50
