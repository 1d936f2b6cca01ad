"""Clients of MLflow: bodies as its scoring client creates them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from mlflow.utils.proto_json_utils import dump_input_data

from ..live import LiveServer

INVOKE = "/deployments/coffee/invocations"


def invoke(server: LiveServer, body: str, expect: int = 200, path: str = INVOKE) -> Any:
    return server.call(
        "POST", path, expect, data=body.encode(), headers={"Content-Type": "application/json"}
    )


def test_frame_in_the_format_of_mlflow(
    server: LiveServer, rows: list[dict[str, object]], expected: list[str]
) -> None:
    body = dump_input_data(pd.DataFrame(rows))
    assert "dataframe_split" in body
    assert invoke(server, body) == {"predictions": expected}


def test_records(server: LiveServer, rows: list[dict[str, object]], expected: list[str]) -> None:
    body = json.dumps({"dataframe_records": rows, "params": {"any": 1}})
    assert invoke(server, body) == {"predictions": expected}


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_named_tensors_of_rows(
    server: LiveServer, rows: list[dict[str, object]], expected: list[str], key: str
) -> None:
    for value in (rows, [list(row.values()) for row in rows]):
        assert invoke(server, json.dumps({key: value})) == {"predictions": expected}


def test_columns(server: LiveServer, rows: list[dict[str, object]], expected: list[str]) -> None:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    assert invoke(server, json.dumps({"inputs": columns})) == {"predictions": expected}


def test_matrix_in_the_format_of_mlflow(server: LiveServer) -> None:
    example = server.get("/deployments/iris/schema")["example"]
    body = dump_input_data([list(example.values())] * 3, inputs_key="instances")
    answer = invoke(server, body, path="/deployments/iris/invocations")
    assert len(answer["predictions"]) == 3


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 400, "exactly one"),
        ({"instances": [], "inputs": []}, 400, "exactly one"),
        ({"rows": [{}]}, 400, "rows"),
        ({"instances": []}, 400, "no rows"),
        ({"instances": [[1, 2]]}, 400, "2 values for"),
        ({"inputs": {"amount": [1], "size": []}}, 400, "equally long"),
        ({"dataframe_split": {"columns": ["amount"], "data": [[1, 2]]}}, 400, "2 values for 1"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, 400, "twice"),
        ({"dataframe_records": [{"amount": "much"}]}, 422, "amount"),
        ({"dataframe_records": [{}] * 10_001}, 413, "10001"),
    ],
)
def test_invalid_body_is_refused_with_a_message(
    server: LiveServer, body: dict[str, Any], status: int, word: str
) -> None:
    answer = invoke(server, json.dumps(body), status)
    assert word in json.dumps(answer)


def test_other_content_type_is_refused(server: LiveServer) -> None:
    server.call("POST", INVOKE, 415, data=b"a,b\n1,2\n", headers={"Content-Type": "text/csv"})


def test_answered_and_refused_requests_are_counted(
    server: LiveServer, rows: list[dict[str, object]]
) -> None:
    before = server.get("/deployments/coffee")
    invoke(server, json.dumps({"dataframe_records": rows}))
    invoke(server, "[]", 400)
    after = server.get("/deployments/coffee")
    assert after["inference_count"] == before["inference_count"] + 1
    assert after["error_count"] == before["error_count"] + 1
