"""Start of `jupyter server` with the extension, over without."""

from __future__ import annotations

import subprocess
import sys
import time

import requests

from tests.live import Home, free_port

from . import report

ROUNDS = 7


def start(home: Home, *, extension: bool) -> float:
    """Seconds from the process's start to the first answer of Jupyter's own API."""
    port = free_port()
    config = home.path / f"config-{extension}.py"
    config.write_text(f"c.ServerApp.jpserver_extensions = {{'jupyter_pycaret_ops': {extension}}}\n")
    started_at = time.perf_counter()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
            f"--config={config}",
            f"--ServerApp.port={port}",
            "--IdentityProvider.token=x",
        ],
        env=home.env(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while True:
        try:
            if requests.get(f"http://127.0.0.1:{port}/api/status?token=x", timeout=5).ok:
                break
        except requests.ConnectionError:
            time.sleep(0.005)
    seconds = time.perf_counter() - started_at
    process.terminate()
    process.wait(30)
    return seconds


def run() -> None:
    home = Home()
    try:
        start(home, extension=False)
        start(home, extension=True)
        without, with_it = [], []
        for _ in range(ROUNDS):
            without.append(start(home, extension=False))
            with_it.append(start(home, extension=True))
    finally:
        home.remove()
    report.ratio("with / without", report.median(with_it) / report.median(without), "≤ 1.15")
    report.figure("without", report.median(without), "s")
    report.figure("with", report.median(with_it), "s")
