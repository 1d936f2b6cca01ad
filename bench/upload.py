"""Upload of a 60 MB file, over `sha256sum` of it; and what the server's memory grows by."""

from __future__ import annotations

import secrets
import subprocess
import threading
import time
from pathlib import Path

import psutil
import requests

from tests.live import LiveServer

from . import report

ROUNDS = 5
SIZE = 60 * 10**6


def make(path: Path) -> None:
    line = b",".join(b"%d.%06d" % (i, i * 7919 % 1_000_000) for i in range(20)) + b"\n"
    with path.open("wb") as stream:
        stream.write(b",".join(b"c%d" % i for i in range(20)) + b"\n")
        written = 0
        while written < SIZE:
            written += stream.write(line * 1000)


def upload(server: LiveServer, path: Path, url: str) -> float:
    """Seconds; curl sends, for Python's clients are slower than the server."""
    started_at = time.perf_counter()
    done = subprocess.run(
        [
            *("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"),
            *("-H", f"Authorization: token {server.token}", "-H", "Expect:"),
            *("-F", f"name=big-{secrets.token_hex(4)}", "-F", f"file=@{path}", url),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - started_at
    assert done.stdout == "201", done.stdout
    return seconds


def run() -> None:
    with LiveServer(spare_kernels=0) as server:
        path = server.home.path / "big.csv"
        make(path)
        workspace, _ = server.default_project()
        url = f"{server.api}/workspaces/{workspace}/data-sources/upload"
        upload(server, path, url)
        for source in requests.get(
            url.removesuffix("/upload"), headers=dict(server.http.headers), timeout=30
        ).json():
            server.call("DELETE", f"/data-sources/{source['id']}", 204)
        process = psutil.Process(server.process.pid)
        before = process.memory_info().rss
        peak = [before]
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.01):
                peak[0] = max(peak[0], process.memory_info().rss)

        watching = threading.Thread(target=watch)
        watching.start()
        uploads, digests = [], []
        for _ in range(ROUNDS):
            uploads.append(upload(server, path, url))
            started_at = time.perf_counter()
            subprocess.run(["sha256sum", str(path)], check=True, capture_output=True)
            digests.append(time.perf_counter() - started_at)
        stop.set()
        watching.join()
        megabytes = path.stat().st_size / 1e6
    report.ratio(
        "upload MB/s / sha256sum MB/s", report.median(digests) / report.median(uploads), "≥ 0.4"
    )
    report.figure("upload", megabytes / report.median(uploads), "MB/s")
    report.figure("sha256sum", megabytes / report.median(digests), "MB/s")
    report.figure("memory grows by", (peak[0] - before) / 2**20, "MiB (limit: < 16)")
