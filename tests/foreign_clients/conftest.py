"""A server with two deployments, for clients of other projects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ..live import ROOT, LiveServer


@pytest.fixture(scope="package")
def server() -> Iterator[LiveServer]:
    """A server with the deployments `coffee` (all column types, text labels) and `iris` (numbers)."""
    with LiveServer(concurrent_runs=1) as live:
        live.deploy_iris("iris", "nb")
        table = (ROOT / "examples" / "coffee_orders.csv").read_bytes()
        run = live.submit(
            live.experiment(target="reordered", setup_params={"fold": 3}),
            plan="create",
            model_id="dt",
            data_source_id=live.upload("coffee", table)["id"],
        )
        assert live.ended(run["id"])["status"] == "succeeded"
        pipeline = live.post(f"/runs/{run['id']}/promote", {"name": "coffee"})
        live.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": "coffee"})
        yield live


@pytest.fixture(scope="package")
def rows(server: LiveServer) -> list[dict[str, object]]:
    """Return two valid rows of `coffee`."""
    example = server.get("/deployments/coffee/schema")["example"]
    return [example, {**example, "amount": 1.5, "wait_minutes": 30}]


@pytest.fixture(scope="package")
def expected(server: LiveServer, rows: list[dict[str, object]]) -> list[str]:
    """Return the predictions of the native route."""
    answer = server.post("/deployments/coffee/predict", {"rows": rows}, 200)
    return [item["prediction"] for item in answer["predictions"]]
