"""The Open Inference Protocol with the client of Triton, in JSON and in the binary extension."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from ..live import LiveServer

DTYPES = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


@pytest.fixture
def client(server: LiveServer) -> Iterator[triton.InferenceServerClient]:
    made = triton.InferenceServerClient(server.api.removeprefix("http://"))
    yield made
    made.close()


@pytest.fixture
def headers(server: LiveServer) -> dict[str, str]:
    return {"Authorization": f"token {server.token}"}


def tensors(
    metadata: dict[str, Any], rows: list[dict[str, Any]], *, binary: bool
) -> list[triton.InferInput]:
    made = []
    for described in metadata["inputs"]:
        datatype = described["datatype"]
        values = np.array([row[described["name"]] for row in rows], dtype=DTYPES[datatype])
        tensor = triton.InferInput(described["name"], list(values.shape), datatype)
        tensor.set_data_from_numpy(values, binary_data=binary)
        made.append(tensor)
    return made


def test_health_needs_no_credential(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()


@pytest.mark.parametrize("binary", [False, True])
def test_infer(
    client: triton.InferenceServerClient,
    headers: dict[str, str],
    rows: list[dict[str, Any]],
    expected: list[str],
    binary: bool,
) -> None:
    assert client.is_model_ready("coffee", headers=headers)
    metadata = client.get_model_metadata("coffee", headers=headers)
    answer = client.infer(
        "coffee",
        tensors(metadata, rows, binary=binary),
        outputs=[
            triton.InferRequestedOutput(name, binary_data=binary)
            for name in ("prediction", "probabilities")
        ],
        request_id="mine",
        headers=headers,
    )
    found = answer.as_numpy("prediction")
    assert [item.decode() if isinstance(item, bytes) else item for item in found] == expected
    labels = metadata["outputs"][1]["parameters"]["labels"]
    shares = answer.as_numpy("probabilities")
    assert shares.shape == (2, 2)
    assert [labels[place] for place in shares.argmax(axis=1)] == expected
    assert answer.get_response()["id"] == "mine"
    assert answer.get_response()["model_version"] == "1"


@pytest.mark.parametrize("binary", [False, True])
def test_one_tensor_with_all_columns(
    client: triton.InferenceServerClient, headers: dict[str, str], server: LiveServer, binary: bool
) -> None:
    example = server.get("/deployments/iris/schema")["example"]
    expected = server.post("/deployments/iris/predict", {"rows": [example]}, 200)
    matrix = np.array([list(example.values())] * 3, dtype=np.float32)
    tensor = triton.InferInput("input", list(matrix.shape), "FP32")
    tensor.set_data_from_numpy(matrix, binary_data=binary)
    answer = client.infer("iris", [tensor], headers=headers)
    found = answer.as_numpy("prediction").tolist()
    assert found == [expected["predictions"][0]["prediction"]] * 3


def test_missing_value_is_null_or_nan(
    server: LiveServer, client: triton.InferenceServerClient, headers: dict[str, str]
) -> None:
    example = server.get("/deployments/iris/schema")["example"]
    row = {**example, next(iter(example)): None}
    expected = server.post("/deployments/iris/predict", {"rows": [row]}, 200)
    metadata = client.get_model_metadata("iris", headers=headers)
    answer = client.infer("iris", tensors(metadata, [row], binary=True), headers=headers)
    assert answer.as_numpy("prediction")[0] == expected["predictions"][0]["prediction"]


def test_errors_have_the_format_of_the_protocol(
    client: triton.InferenceServerClient, headers: dict[str, str], rows: list[dict[str, Any]]
) -> None:
    metadata = client.get_model_metadata("coffee", headers=headers)
    with pytest.raises(InferenceServerException, match="is missing"):
        client.infer("coffee", tensors(metadata, rows, binary=False)[1:], headers=headers)
    with pytest.raises(InferenceServerException, match="no deployment named"):
        client.get_model_metadata("tea", headers=headers)
    with pytest.raises(InferenceServerException, match="Log in"):
        client.get_model_metadata("coffee")


def tensor(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "shape": [1, 4], "datatype": "FP64", "data": [1, 2, 3, 4], **changes}


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        ([], "inputs"),
        ([tensor(shape=[2, 4])], "its shape says 8"),
        ([tensor(shape=[4, 1])], "must have the shape"),
        ([tensor(shape=[1, 2, 2])], "shape"),
        ([tensor(datatype="COMPLEX")], "datatype"),
        ([tensor(data=None)], "has no data"),
        ([tensor(data=None, parameters={"binary_data_size": 8})], "binary_data_size"),
        ([tensor(parameters={"binary_data_size": "8"})], "binary_data_size"),
        ([tensor(shape=[4]), tensor(shape=[4])], "stands twice"),
        ([tensor(shape=[4]), tensor(name="y", shape=[1], data=[1])], "has 1 rows"),
        ([tensor(name="y", shape=[2, 2]), tensor()], "one tensor for each column"),
    ],
)
def test_invalid_tensor_is_refused_with_a_message(
    server: LiveServer, inputs: list[dict[str, Any]], word: str
) -> None:
    answer = server.post("/v2/models/iris/infer", {"inputs": inputs}, 400)
    assert word in answer["message"]
    assert answer["error"] == answer["message"]


@pytest.mark.parametrize(("length", "word"), [("x", "not the length"), ("99999", "not the length")])
def test_wrong_length_of_the_json_part_is_refused(
    server: LiveServer, length: str, word: str
) -> None:
    answer = server.post(
        "/v2/models/iris/infer",
        {"inputs": [tensor()]},
        400,
        headers={"Inference-Header-Content-Length": length},
    )
    assert word in answer["message"]


def test_paused_deployment_is_not_ready(
    server: LiveServer, client: triton.InferenceServerClient, headers: dict[str, str]
) -> None:
    server.call("PATCH", "/deployments/iris", 200, json={"status": "paused"})
    try:
        assert not client.is_model_ready("iris", headers=headers)
    finally:
        server.call("PATCH", "/deployments/iris", 200, json={"status": "active"})
    assert client.is_model_ready("iris", headers=headers)
