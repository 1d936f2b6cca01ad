"""The profile of a CSV file of 20 mixed columns, over pandas.read_csv of it, and its memory over that frame's."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import report

N_ROWS = 1_000_000
ROUNDS = 3
_WORDS = (
    "the of order customer late paid window happy return item shipped broken new small large "
    "support called again never blue"
)


def mixed_table(n_rows: int) -> pd.DataFrame:
    """Return a table with the columns of a shop: most of them in a spelling that pandas does not read."""
    random = np.random.default_rng(1)
    start = pd.Timestamp("2015-01-01")
    days = start + pd.to_timedelta(random.integers(0, 3650, n_rows), unit="D")
    times = start + pd.to_timedelta(random.integers(0, 3650 * 86400, n_rows), unit="s")
    words = np.array(_WORDS.split())
    income = np.round(random.gamma(3, 20_000, n_rows), 2).astype(str)

    def any_of(levels: list[str]) -> Any:
        return np.array(levels)[random.integers(0, len(levels), n_rows)]

    return pd.DataFrame(
        {
            "customer_id": [f"C{number:08d}" for number in random.permutation(n_rows)],
            "age": random.integers(18, 95, n_rows),
            "quantity": random.integers(0, 100_000, n_rows),
            "score": random.normal(0, 1, n_rows),
            "height": np.round(random.normal(170, 10, n_rows), 1),
            "rate": random.random(n_rows),
            "price": [f"{x:.2f}".replace(".", ",") for x in random.gamma(2, 400, n_rows)],
            "amount": [f"${x:,.2f}" for x in random.gamma(2, 900, n_rows)],
            "share": [f"{x} %" for x in random.integers(0, 101, n_rows)],
            "ordered": days.strftime("%Y-%m-%d"),
            "updated": times.strftime("%Y-%m-%d %H:%M:%S"),
            "shipped": days.strftime("%m/%d/%Y"),
            "country": any_of(["CH", "DE", "FR", "US", "GB", "IT"]),
            "city": any_of([f"City {number}" for number in range(300)]),
            "segment": any_of(["small", "medium", "large"]),
            "active": any_of(["true", "false"]),
            "subscribed": any_of(["yes", "no"]),
            "comment": [" ".join(w) for w in words[random.integers(0, len(words), (n_rows, 8))]],
            "income": np.where(random.random(n_rows) < 0.05, "n/a", income),
            "visits": np.where(
                random.random(n_rows) < 0.1, "", random.integers(0, 500, n_rows).astype(str)
            ),
        }
    )


def run(n_rows: int = N_ROWS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        mixed_table(n_rows).to_csv(path, index=False)
        rounds = [
            {how: _measured(how, path) for how in ("pandas", "profile")} for _ in range(ROUNDS)
        ]
        steps = _measured("steps", path)
    seconds = {
        how: report.median([found[how]["seconds"] for found in rounds])
        for how in ("pandas", "profile")
    }
    peak = report.median([found["profile"]["peak"] for found in rounds])
    frame = rounds[0]["pandas"]["frame"]
    report.ratio("profile / read_csv", seconds["profile"] / seconds["pandas"], "≤ 3")
    report.ratio("memory of the profile / of the frame", peak / frame, "≤ 1.5")
    report.figure("rows", f"{n_rows:,}")
    report.figure("read_csv", seconds["pandas"], "s")
    report.figure("profile", seconds["profile"], "s")
    report.figure("frame", frame / 2**20, "MiB")
    report.figure(
        "memory of read_csv / of the frame",
        report.median([found["pandas"]["peak"] for found in rounds]) / frame,
    )
    for name in ("reading", "profiling"):
        report.figure(f"{name} alone", steps[f"{name}_seconds"], "s")
        report.figure(f"{name}: memory / of the frame", steps[f"{name}_peak"] / steps["frame"])


def _measured(how: str, path: Path) -> dict[str, float]:
    """Return the figures of a process of its own that does one thing."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.table_profile", how, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


# ---------------------------------------------------------------- in the process that is measured


def _status(field: str) -> int:
    """Return bytes of a line of `/proc/self/status`: VmRSS, or VmHWM, the highest so far."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def _timed(action: Any) -> tuple[Any, float]:
    started_at = time.perf_counter()
    result = action()
    return result, time.perf_counter() - started_at


def main(how: str, path: str) -> dict[str, float]:
    from jupyter_pycaret_ops.common.tables.csv_scan import CsvScan
    from jupyter_pycaret_ops.kernel import agent
    from jupyter_pycaret_ops.kernel.reading import delimited_frame
    from jupyter_pycaret_ops.kernel.reading.columns import ReadingSettings
    from jupyter_pycaret_ops.kernel.reading.profiling import profile

    # what is imported when first needed, and the dialect, belong to the idle process
    pd.read_csv(path, nrows=100)
    scan = CsvScan()
    with Path(path).open("rb") as stream:
        head = stream.read(1 << 20)
    scan.feed(head[: head.rfind(b"\n") + 1])
    facts = scan.facts()
    options = {"dialect": facts.dialect.to_json(), "columns": facts.detection.names, "path": path}
    profile(pd.read_csv(path, nrows=10_000), ReadingSettings())
    idle = _status("VmRSS")
    if how == "pandas":
        frame, seconds = _timed(lambda: pd.read_csv(path))
        return {
            "seconds": seconds,
            "peak": _status("VmHWM") - idle,
            "frame": int(frame.memory_usage(deep=True).sum()),
        }
    if how == "profile":
        message = json.dumps({"data": {"kind": "csv_upload", "options": options}})
        answer, seconds = _timed(lambda: agent.profile_json(message))
        assert "columns" in json.loads(answer), answer
        return {"seconds": seconds, "peak": _status("VmHWM") - idle}
    frame, reading_seconds = _timed(
        lambda: delimited_frame(Path(path).read_bytes(), options["dialect"], options["columns"])
    )
    reading_peak = _status("VmHWM") - idle
    Path("/proc/self/clear_refs").write_text("5")  # the highest so far begins here
    _, seconds = _timed(lambda: profile(frame, ReadingSettings()))
    return {
        "frame": int(frame.memory_usage(deep=True).sum()),
        "reading_seconds": reading_seconds,
        "reading_peak": reading_peak,
        "profiling_seconds": seconds,
        "profiling_peak": _status("VmHWM") - idle,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
