"""Send HTTP requests on keep-alive connections from another process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any


def requests_bytes(
    method: str, path: str, server: Any, body: bytes = b"", token: str | None = None
) -> str:
    """Return a request as text of HTTP/1.1."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: {token or f'token {server.token}'}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head + body.decode()


def run_load(
    server: Any, requests: list[str], *, connections: int, seconds: float, pause_s: float = 0.0
) -> list[float]:
    """Send requests for `seconds`, and return the latencies in s; all must succeed with status 200."""
    job = {
        "port": server.port,
        "requests": requests,
        "connections": connections,
        "seconds": seconds,
        "pause_s": pause_s,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert result["refused"] == 0, f"{result['refused']} requests were refused: {result['first']}"
    latencies: list[float] = result["latencies"]
    return latencies


async def _connection(
    job: dict[str, Any], request: bytes, result: dict[str, Any], stop_at: float
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", job["port"])
    while time.perf_counter() < stop_at:
        started_at = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if head.split(b" ", 2)[1] == b"200":
            result["latencies"].append(time.perf_counter() - started_at)
        else:
            result["refused"] += 1
            result["first"] = result["first"] or body.decode()
        if job["pause_s"]:
            await asyncio.sleep(job["pause_s"])
    writer.close()


async def _main(job: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"latencies": [], "refused": 0, "first": ""}
    stop_at = time.perf_counter() + job["seconds"]
    texts = job["requests"]
    await asyncio.gather(
        *(
            _connection(job, texts[index % len(texts)].encode(), result, stop_at)
            for index in range(job["connections"])
        )
    )
    return result


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_main(json.load(sys.stdin)))))
