"""p99 of `/healthz` and `GET /api/status`, and the server's memory, while 16 clients without credentials send hostile bodies."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import psutil
import requests

from tests.live import LiveServer

from . import report
from .load import requests_bytes, run_load

SECONDS = 10.0
CLIENTS = 16
DEPLOYMENT = "/deployments/hostile"
#: sizes: the limit of a public deployment, and the limit of JSON bodies elsewhere
SIZES = (1_000_000, 15_900_000)


def bodies(size: int) -> list[tuple[str, bytes, dict[str, str]]]:
    """Return bodies that are cheap to send and expensive to parse, as path, content and headers."""
    tensor = {"name": "x", "shape": [size], "datatype": "INT8", "parameters": {}}
    head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": size}}]}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    infer = DEPLOYMENT.replace("/deployments", "/v2/models") + "/infer"
    nothing = b"[]," * (size // 3) + b"[]"
    numbers = b"1," * (size // 2) + b"1"
    return [
        (infer, head + bytes(size - len(head)), length),
        (
            f"{DEPLOYMENT}/invocations",
            b'{"dataframe_split":{"columns":[],"data":[' + nothing + b"]}}",
            {},
        ),
        (f"{DEPLOYMENT}/invocations", b'{"inputs":[' + numbers + b"]}", {}),
        (f"{DEPLOYMENT}/predict", b'{"rows":[' + nothing + b"]}", {}),
        (f"{DEPLOYMENT}/predict", b'{"rows":' + b"[" * size, {}),
        (f"{DEPLOYMENT}/predict", b'{"rows":[{"' + b'\\"' * (size // 2) + b'":1}]}', {}),
        (f"{DEPLOYMENT}/predict", b'{"rows":[' + b'"",' * (size // 3) + b'""]}', {}),
    ]


ATTACK = """
import pickle, sys, threading, time, collections
import requests
api, seconds, clients = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
bodies = pickle.load(sys.stdin.buffer)
answers = collections.Counter()
stop = time.monotonic() + seconds
def attack(number):
    session = requests.Session()
    while time.monotonic() < stop:
        path, content, headers = bodies[number % len(bodies)]
        number += 1
        try:
            answer = session.post(api + path, data=content, headers={"Content-Type": "application/json", **headers}, timeout=60)
            answers[answer.status_code] += 1
        except requests.RequestException as error:
            answers[type(error).__name__] += 1
threads = [threading.Thread(target=attack, args=(n,)) for n in range(clients)]
for t in threads: t.start()
for t in threads: t.join()
print(dict(answers))
"""


class Attack:
    """Hostile clients in another process; `answers` returns the counts of their responses."""

    def __init__(self, server: LiveServer, size: int, seconds: float) -> None:
        import pickle

        self._process = subprocess.Popen(
            [sys.executable, "-c", ATTACK, server.api, str(seconds), str(CLIENTS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(pickle.dumps(bodies(size)))
        self._process.stdin.close()

    def answers(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.read().decode().strip()
        self._process.wait(60)
        return said


class Memory:
    """Measures the growth of a process's peak resident memory, in MiB."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before = self._process.memory_info().rss
        self._peak = self._before
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def grown(self) -> float:
        self._stop.set()
        self._thread.join()
        return (self._peak - self._before) / 2**20


def run() -> None:
    with LiveServer(concurrent_runs=1, spare_kernels=1) as server:
        server.deploy_iris("hostile", "lr", auth_mode="public")
        healthz = requests_bytes("GET", "/pycaret/api/v1/healthz", server)
        status = requests_bytes("GET", "/api/status", server)
        run_load(server, [healthz, status], connections=2, seconds=2, pause_s=0.01)
        for size in SIZES:
            # one request before the measurement: an allocator keeps memory it has used
            requests.post(server.api + bodies(10_000)[3][0], data=bodies(10_000)[3][1], timeout=60)
            time.sleep(1)
            memory = Memory(server.process.pid)
            attack = Attack(server, size, SECONDS + 1)
            time.sleep(1)
            latencies = {
                name: run_load(server, [request], connections=1, seconds=SECONDS / 2, pause_s=0.01)
                for name, request in (("/healthz", healthz), ("/api/status", status))
            }
            said = attack.answers()
            for name, values in latencies.items():
                p99 = report.quantile(values, 0.99) * 1000
                report.figure(
                    f"{name} beside {size / 1e6:g} MB bodies",
                    f"p50 {report.quantile(values, 0.5) * 1000:.1f} p99 {p99:.1f} "
                    f"max {max(values) * 1000:.1f}",
                    "ms (goal: p99 ≤ 100)",
                )
            report.figure(
                f"memory beside {size / 1e6:g} MB bodies", memory.grown(), "MiB (goal: ≤ 64)"
            )
            report.figure("answers", said)
