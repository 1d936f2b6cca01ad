"""The walk-through of the README, word for word, in one shell."""

from __future__ import annotations

import json
import re
import subprocess

from ..live import ROOT, LiveServer

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_walk_through_of_the_readme_works_as_it_stands(server: LiveServer) -> None:
    """Every block of it is pasted, in order; the last answers are a prediction and a live count."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(blocks) == 9
    script = "\n".join(f"{block}\necho; echo '=== end of block'" for block in blocks)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=server.home.env(),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    answers = [part.strip() for part in done.stdout.split("=== end of block")]
    watched, cancelled, predicted, keyed = answers[4], answers[5], answers[7], answers[8]
    assert watched.splitlines()[0] == "succeeded"
    assert "run.succeeded" in watched
    assert cancelled.splitlines()[-1] == "cancelled"
    prediction = json.loads(predicted)["predictions"][0]
    assert prediction["prediction"] in {"yes", "no"}
    assert set(prediction["probabilities"]) == {"yes", "no"}
    decoder = json.JSONDecoder()
    by_key, end = decoder.raw_decode(keyed)
    assert by_key["predictions"][0]["prediction"] == prediction["prediction"]
    row, _ = decoder.raw_decode(keyed[end:].lstrip())
    assert row["inference_count"] == 2
    assert row["p50_latency_ms"] > 0
