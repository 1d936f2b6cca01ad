"""The Open Inference Protocol, version 2: deployments as KServe's and Triton's clients know models.

Each column of the pipeline is an input tensor of shape [n] or [n, 1]; one tensor of shape [n, columns] is
taken as all of them in their order. Formats: https://github.com/kserve/open-inference-protocol, and the
binary extension https://docs.nvidia.com/deeplearning/triton-inference-server (“Binary Tensor Data”), which
Triton's client sends unless told not to.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated
from msgspec import Meta, Raw, Struct

from ...common.errors import Invalid, TooLarge
from ...common.task_types import TASK_TYPES
from ..serving.batcher import PredictionResult
from ..serving.endpoint import MOST_ROWS, Endpoint, Model, most_values, steps_ahead
from .base import JsonBodyHandler
from .context import Call
from .json_body import decode, refuse_deep, refuse_many
from .predict import ServingHandler, label_key
from .schemas import (
    Datatype,
    InferOut,
    InferTensor,
    InferWanted,
    Live,
    ModelMetadata,
    Ready,
    TensorMetadata,
)

DATATYPES = {
    "number": "FP64",
    "integer": "INT64",
    "boolean": "BOOL",
    "string": "BYTES",
    "datetime": "BYTES",
}
#: letters of `struct`, little endian
# fmt: off
CODES = {
    "BOOL": "?", "FP16": "e", "FP32": "f", "FP64": "d",
    "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q",
    "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
}
# fmt: on
#: the input of a time series without other columns: how many steps ahead
HORIZON = "horizon"
HEADER_LENGTH = "Inference-Header-Content-Length"


async def live(_call: Call) -> Live:
    """Whether the server answers; asks no database."""
    return Live(live=True)


class HealthHandler(JsonBodyHandler):
    """Whether the server can serve, for anybody who asks."""

    @allow_unauthenticated
    async def get(self) -> None:
        """200 where the database answers, 503 with the reason where it does not."""
        services = await self.extension.ensure_started()
        await services.readiness.check()
        self.answer(Ready(ready=True))

    def error_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """The error under `error` as well."""
        return {**body, "error": body["message"]}


class OpenInferenceHandler(ServingHandler):
    """Says errors where the protocol's clients look for them too."""

    def error_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """The error under `error` as well."""
        return {**body, "error": body["message"]}


class MetadataHandler(OpenInferenceHandler):
    """A deployment as a model of the protocol."""

    @allow_unauthenticated
    async def get(self, deployment: str) -> None:
        """Inputs, outputs and version."""
        endpoint = self.endpoint
        assert endpoint is not None
        self.answer(metadata(endpoint))


class ReadyHandler(OpenInferenceHandler):
    """Whether a deployment answers."""

    @allow_unauthenticated
    async def get(self, deployment: str) -> None:
        """200 where it answers now, 409 where it is paused, 503 with the reason where it cannot answer."""
        assert self.endpoint is not None
        await self.services.endpoints.check(self.endpoint)
        self.answer(Ready(ready=True, name=self.endpoint.slug))


class InferHandler(OpenInferenceHandler):
    """Tensors in, tensors out."""

    @allow_unauthenticated
    async def post(self, deployment: str) -> None:
        """Predict; the output `probabilities` is given where it is asked for."""
        endpoint = self.endpoint
        assert endpoint is not None
        # with binary tensors behind it, the JSON is a part of something else
        self.require_json("application/octet-stream", "application/vnd.inference.binary+json")
        ignore_extra = self.flag("extra", "ignore")
        names = endpoint.model.validator.names
        request = _Sent(inputs=[])

        def read(body: bytes) -> list[dict[str, Any]]:
            nonlocal request
            request, tensors = parse(
                body,
                self.request.headers.get(HEADER_LENGTH),
                most_values(len(names), ignore_extra=ignore_extra),
            )
            return rows_of(tensors, names)

        rows, warnings = await self.validated_rows(read, ignore_extra=ignore_extra)
        outputs = [output.name for output in request.outputs] or ["prediction"]
        answer, _ = await endpoint.predict(rows, proba="probabilities" in outputs, began=self.began)
        self.answer(
            InferOut(
                model_name=endpoint.slug,
                model_version=str(endpoint.model.version),
                id=request.id,
                outputs=[_output(name, answer, endpoint) for name in dict.fromkeys(outputs)],
                parameters={"warnings": warnings} if warnings else {},
            )
        )


def metadata(endpoint: Endpoint) -> ModelMetadata:
    """What a deployment takes and gives."""
    model = endpoint.model
    outputs = [TensorMetadata("prediction", _label_type(model), [-1])]
    if model.labels and model.schema.get("proba"):
        labels = {"labels": [label_key(label) for label in model.labels]}
        outputs.append(TensorMetadata("probabilities", "FP64", [-1, len(model.labels)], labels))
    outputs += [TensorMetadata(name, kind, [-1]) for name, kind in _more(model.task)]
    inputs = [
        TensorMetadata(column["name"], DATATYPES[column["type"]], [-1])
        for column in model.schema["columns"]
    ]
    return ModelMetadata(
        name=endpoint.slug,
        versions=[str(model.version)],
        platform="pycaret",
        inputs=inputs or [TensorMetadata(HORIZON, "INT64", [1])],
        outputs=outputs,
    )


# ---------------------------------------------------------------- tensors in


#: `Raw` stands for any JSON by itself, and is no part of a union
NULL = Raw(b"null")


class _SentTensor(Struct):
    """An `InferTensor` whose values are not decoded yet."""

    name: str
    shape: Annotated[
        list[Annotated[int, Meta(ge=0, le=2**31 - 1)]], Meta(min_length=1, max_length=2)
    ]
    datatype: Datatype
    data: Raw = NULL
    parameters: dict[str, Any] = {}


class _Sent(Struct):
    """An `InferIn` whose tensors' values are not decoded yet."""

    inputs: Annotated[list[_SentTensor], Meta(min_length=1)]
    id: str | None = None
    outputs: list[InferWanted] = []
    parameters: dict[str, Any] = {}


_decoder = msgspec.json.Decoder(_Sent)
_values = msgspec.json.Decoder(list[Any])
HINT = "Send tensors as the Open Inference Protocol has them"


def parse(body: bytes, header_length: str | None, most: int) -> tuple[_Sent, list[InferTensor]]:
    """Return a request, and its tensors with their values flat in `data`.

    Shapes are held against `most` values, and what was sent against its shape, before values are built.

    Raises
    ------
    Invalid
        When it is not of the protocol's form.
    TooLarge
        When a tensor, or all of them, have more values than may be predicted at once.
    """
    binary = memoryview(b"")
    if header_length is not None:
        # at most 12 digits: `int` refuses thousands, and isdigit() alone takes “²”
        if not re.fullmatch("[0-9]{1,12}", header_length) or int(header_length) > len(body):
            raise Invalid(f"The header {HEADER_LENGTH} is not the length of the JSON part.")
        binary = memoryview(body)[int(header_length) :]
        body = body[: int(header_length)]
    refuse_deep(body)
    refuse_many(body, most)
    request: _Sent = decode(body, _decoder, HINT)
    _refuse_shapes(request.inputs, most)
    tensors = []
    at = 0
    for index, sent in enumerate(request.inputs):
        size = sent.parameters.get("binary_data_size")
        count = math.prod(sent.shape)
        if size is not None:
            if type(size) is not int or size < 0 or at + size > len(binary):
                raise _wrong(index, "binary_data_size does not fit the body")
            data = _unpack(index, sent.datatype, binary[at : at + size], count)
            at += size
        elif sent.data == NULL:
            raise _wrong(index, "has no data")
        else:
            data = _flat(decode(sent.data, _values, f"{HINT}: inputs.{index}.data"))
        if len(data) != count:
            raise _wrong(index, f"has {len(data)} values, its shape says {count}")
        tensors.append(InferTensor(sent.name, sent.shape, sent.datatype, data))
    if at != len(binary):
        raise Invalid(f"{len(binary) - at} bytes of the body belong to no tensor.")
    return request, tensors


def _refuse_shapes(tensors: Sequence[_SentTensor], most: int) -> None:
    total = 0
    for index, tensor in enumerate(tensors):
        count = math.prod(tensor.shape)
        total += count
        if tensor.shape[0] > MOST_ROWS or total > most:
            raise TooLarge(
                f"Input {index} brings more rows or values than are predicted at once: at most "
                f"{MOST_ROWS:,} rows and {most:,} values."
            )


def rows_of(tensors: Sequence[InferTensor], names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows from tensors whose data are flat: one tensor a column, or one for all columns.

    Raises
    ------
    Invalid
        When their shapes do not fit together.
    """
    first = tensors[0]
    if not names and len(tensors) == 1 and first.name == HORIZON:
        sent = first.data or []
        if len(sent) != 1 or type(sent[0]) is not int or sent[0] < 1:
            raise _wrong(0, "must be one whole number of steps")
        return steps_ahead(sent[0])
    if len(tensors) == 1 and len(first.shape) == 2 and first.name not in names:
        values, width = first.data or [], first.shape[1]
        if width != len(names):
            raise _wrong(0, f"must have the shape [n, {len(names)}], for {', '.join(names)}")
        return [
            dict(zip(names, values[at : at + width], strict=True))
            for at in range(0, len(values), width)
        ]
    columns: dict[str, list[Any]] = {}
    for index, tensor in enumerate(tensors):
        if len(tensor.shape) not in (1, 2) or tensor.shape[1:] not in ([], [1]):
            raise _wrong(index, "must have the shape [n] or [n, 1]: one tensor for each column")
        if tensor.name in columns:
            raise _wrong(index, "stands twice")
        if tensor.shape[0] != first.shape[0]:
            raise _wrong(index, f"has {tensor.shape[0]} rows, the first one {first.shape[0]}")
        columns[tensor.name] = tensor.data or []
    return [
        {name: values[index] for name, values in columns.items()} for index in range(first.shape[0])
    ]


def _flat(data: list[Any]) -> list[Any]:
    """Values row by row, from a list or a list of lists."""
    if not any(isinstance(item, list) for item in data):
        return data
    return [value for item in data for value in (item if isinstance(item, list) else [item])]


def _unpack(index: int, datatype: str, raw: memoryview, count: int) -> list[Any]:
    """Return the `count` values of a binary tensor; not-a-number stands for a missing value."""
    if datatype == "BYTES":
        return _unpack_texts(index, raw, count)
    form = struct.Struct(f"<{count}{CODES[datatype]}")
    if len(raw) != form.size:
        raise _wrong(
            index, f"has {len(raw)} bytes, and {count} values of {datatype} have {form.size}"
        )
    return [None if value != value else value for value in form.unpack(raw)]


def _unpack_texts(index: int, raw: memoryview, count: int) -> list[str]:
    texts: list[str] = []
    at = 0
    while at < len(raw):
        if len(texts) == count:
            raise _wrong(index, f"has more than the {count} texts that its shape says")
        if at + 4 > len(raw):
            raise _wrong(index, "ends within the length of a text")
        (length,) = struct.unpack_from("<I", raw, at)
        at += 4
        if at + length > len(raw):
            raise _wrong(index, "ends within a text")
        try:
            texts.append(str(raw[at : at + length], "utf-8"))
        except UnicodeDecodeError:
            raise _wrong(index, "holds a text that is not UTF-8") from None
        at += length
    return texts


def _wrong(index: int, why: str) -> Invalid:
    return Invalid(f"Input {index} {why}.", errors=[{"loc": ["inputs", index], "msg": why}])


# ---------------------------------------------------------------- tensors out


def _output(name: str, answer: PredictionResult, endpoint: Endpoint) -> InferTensor:
    count = len(answer.predictions)
    if name == "prediction":
        datatype = _label_type(endpoint.model)
        values = answer.predictions
        if datatype == "BYTES":
            values = [value if isinstance(value, str) else label_key(value) for value in values]
        return InferTensor(name, [count], datatype, values)
    if name in answer.more:
        kind = dict(_more(endpoint.model.task))[name]
        values = answer.more[name]
        return InferTensor(
            name, [count], kind, [str(v) for v in values] if kind == "BYTES" else values
        )
    if name != "probabilities":
        raise Invalid(
            f"The pipeline behind “{endpoint.slug}” has no output “{name}”.",
            errors=[{"loc": ["outputs"], "msg": f"there is no {name}"}],
        )
    if answer.probabilities is None:
        raise Invalid(
            f"The pipeline behind “{endpoint.slug}” gives no probabilities.",
            errors=[{"loc": ["outputs"], "msg": "probabilities are not given"}],
        )
    shares = [share for row in answer.probabilities for share in row]
    return InferTensor(name, [count, len(shares) // max(1, count)], "FP64", shares)


#: what a pipeline answers → outputs beside the prediction, with their datatypes
MORE_OUTPUTS: dict[str, list[tuple[str, Any]]] = {
    "flags": [("score", "FP64")],
    "steps": [("time", "BYTES")],
}
#: what a pipeline answers, where it has no labels → datatype of the prediction
PREDICTION_TYPES = {"clusters": "BYTES", "flags": "INT64"}


def _more(task: str) -> list[tuple[str, Any]]:
    """Outputs of a task beside the prediction."""
    return MORE_OUTPUTS.get(TASK_TYPES[task].answers, [])


def _label_type(model: Model) -> Any:
    """The datatype that holds every label; without labels, predictions are names or numbers."""
    labels = model.labels
    if not labels:
        return PREDICTION_TYPES.get(TASK_TYPES[model.task].answers, "FP64")
    kinds = {type(label) for label in labels}
    if len(kinds) > 1:
        return "BYTES"
    return {bool: "BOOL", int: "INT64", float: "FP64"}.get(kinds.pop(), "BYTES")


__all__ = [
    "HealthHandler",
    "InferHandler",
    "MetadataHandler",
    "ReadyHandler",
    "live",
    "metadata",
    "parse",
]
