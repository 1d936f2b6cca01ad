"""Records and a pipeline of version 0.1.0, from before its modules moved, go on working.

`tests/data/version_0_1_0` has its database, one stored pipeline, and what it answered then.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import requests

from ..live import ROOT, Home, LiveServer

DATA = ROOT / "tests" / "data" / "version_0_1_0"


@pytest.fixture
def facts(home: Home) -> dict[str, Any]:
    """What was recorded; the user's folders are as that version left them."""
    recorded: dict[str, Any] = json.loads((DATA / "facts.json").read_text(encoding="utf-8"))
    root = home.database.parent
    for stored, name in recorded["files"].items():
        file = home.artifacts / stored
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((DATA / name).read_bytes())
    home.database.write_bytes(gzip.decompress((DATA / "pycaret_ops.db.gz").read_bytes()))
    key = root / "secret.key"
    key.touch(mode=0o600)
    key.write_bytes(bytes.fromhex(recorded["secret_key_hex"]))
    return recorded


def test_database_and_pipeline_of_an_earlier_version_go_on_working(
    home: Home, facts: dict[str, Any]
) -> None:
    with LiveServer(home, owner_name="ada") as server:
        run = server.run(facts["run_id"])
        assert (run["status"], run["leaderboard"][0]["model_id"]) == ("succeeded", "lr")
        assert server.events(run["id"])[-1]["kind"] == "run.succeeded"
        assert server.get(f"/runs/{run['id']}/notebook")["nbformat"] == 4
        answer = server.post("/deployments/iris/predict", {"rows": [facts["row"]]}, 200)
        assert answer["predictions"][0] == facts["prediction"]
        by_key = requests.get(
            f"{server.api}/pipelines/{facts['pipeline_id']}",
            headers={"Authorization": f"Bearer {facts['key']}"},
            timeout=60,
        )
        assert by_key.json()["name"] == "iris"
        (listed,) = server.get("/api-keys")
        assert listed["revoked_at"] is None
        again = server.post(f"/runs/{run['id']}/promote", {"name": "iris"})
        assert again["version"] == 2, "its signature is still good, or it would be refused"
