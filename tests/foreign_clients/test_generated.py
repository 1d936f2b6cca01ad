"""A client that is generated from the OpenAPI document of a server, and predictions with it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ..live import LiveServer


@pytest.fixture(scope="module")
def generated(
    server: LiveServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ModuleType, str]]:
    """Generate the package; return it and the output of the generator."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(server.get("/openapi.json")))
    (folder / "config.yml").write_text("post_hooks: []\npackage_name_override: made_client\n")
    made = subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"),
            *("generate", "--path", "openapi.json", "--config", "config.yml"),
            *("--output-path", "made"),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=120,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder / "made"))
        yield importlib.import_module("made_client"), made.stdout
    for name in [name for name in sys.modules if name.partition(".")[0] == "made_client"]:
        del sys.modules[name]


def endpoint(name: str) -> Any:
    return importlib.import_module(f"made_client.api.{name}")


def test_generator_creates_each_route_without_a_warning(
    server: LiveServer, generated: tuple[ModuleType, str]
) -> None:
    package, said = generated
    assert "WARNING" not in said.upper(), said
    document = server.get("/openapi.json")
    operations = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    folder = Path(str(package.__file__)).parent / "api"
    assert {file.stem for file in folder.rglob("*.py")} >= operations


def test_each_array_in_the_document_has_items(server: LiveServer) -> None:
    def look(part: Any, place: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "array" or "array" in (part.get("type") or ()):
                assert "items" in part or "prefixItems" in part, place
            for name, inner in part.items():
                look(inner, f"{place}/{name}")
        elif isinstance(part, list):
            for index, inner in enumerate(part):
                look(inner, f"{place}/{index}")

    look(server.get("/openapi.json"), "")


def test_generated_client_predicts(
    server: LiveServer,
    generated: tuple[ModuleType, str],
    rows: list[dict[str, object]],
    expected: list[str],
) -> None:
    package, _ = generated
    models = importlib.import_module("made_client.models")
    client = package.AuthenticatedClient(base_url=server.api, token=server.token, prefix="token")
    predict = endpoint("serving.post_deployments_deployment_predict")
    answer = predict.sync("coffee", client=client, body=models.PredictIn(rows=rows))
    assert [item.prediction for item in answer.predictions] == expected
    assert answer.endpoint_slug == "coffee"
    refused = predict.sync("coffee", client=client, body=models.PredictIn(rows=[{}]))
    assert refused.reason == "rows"
    promote = endpoint("serving.post_runs_run_id_promote")
    run_id = server.get(f"/pipelines/{server.get('/deployments/coffee')['pipeline_id']}")[
        "origin_run_id"
    ]
    pipeline = promote.sync(run_id, client=client, body=models.PromoteIn(name="coffee"))
    assert (pipeline.name, pipeline.version) == ("coffee", 2)
