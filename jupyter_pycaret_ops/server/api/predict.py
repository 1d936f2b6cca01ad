"""Predictions over HTTP: the one route whose speed people count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated

from ...common.errors import Invalid, NotFound
from ...common.task_types import TASK_TYPES
from ..serving.batcher import PredictionResult
from ..serving.endpoint import (
    PUBLIC_BODY_TIMEOUT_S,
    Endpoint,
    Model,
    most_values,
    no_deployment,
    refuse_row_count,
    steps_ahead,
)
from ..store.keys import KEY_PREFIX
from ..threads import IN_THREAD_BYTES
from .base import JsonBodyHandler
from .context import Route
from .json_body import decode, decode_each, refuse_deep, refuse_many
from .schemas import DeploymentSchema, PredictIn, Prediction, PredictOut

HINT = 'Send {"rows": [{column: value, …}, …]} as JSON'


class _Sent(msgspec.Struct, forbid_unknown_fields=True):
    """A `PredictIn` whose rows are not decoded yet."""

    rows: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    horizon: Annotated[int, msgspec.Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET


_decoder = msgspec.json.Decoder(PredictIn)
_row_by_row = msgspec.json.Decoder(_Sent)
_encoder = msgspec.json.Encoder()


class ServingHandler(JsonBodyHandler):
    """Finds the endpoint and lets in whom its access mode lets in."""

    endpoint: Endpoint | None = None
    #: bytes of a body to a public deployment that are reserved
    _reserved = 0

    def body_limit(self) -> int:
        """Return how many bytes a body may have: fewer where anybody may call."""
        if self.endpoint is not None and self.endpoint.is_public:
            return self.endpoint.traffic.public_body_bytes
        return super().body_limit()

    def accept_body(self) -> None:
        """Hold callers of a public deployment to its rate, before their body is read."""
        super().accept_body()
        if self.endpoint is not None and self.endpoint.is_public:
            self.allow_streaming(PUBLIC_BODY_TIMEOUT_S)
            self.endpoint.take_rate(self.request.remote_ip, self.announced_bytes())

    def reserve(self, size: int) -> None:
        """Hold strangers' bodies in memory up to a limit, and those that announced no size to the rate."""
        if self.endpoint is None or not self.endpoint.is_public:
            return
        if self.announced_bytes() is None:
            self.endpoint.take_rate(self.request.remote_ip, size, is_counted=True)
        self.endpoint.reserve_body(self.request.remote_ip, size)
        self._reserved += size

    def release(self) -> None:
        """Let others send as much."""
        reserved, self._reserved = self._reserved, 0
        if reserved and self.endpoint is not None:
            self.endpoint.release_body(self.request.remote_ip, reserved)

    async def identify(self, route: Route) -> None:
        """Set the endpoint, or refuse; what a stranger may not call does not exist for them."""
        self.require_host()
        name = self.path_kwargs["deployment"]
        endpoint = await self._known(name)
        if endpoint is not None and endpoint.is_public:
            # whatever credential comes along, also one that is no longer good
            self.current_user = self._jupyter_current_user = None
            self.set_cors_headers()
            self._count_activity()
            self.endpoint = endpoint
            return
        secret = self.bearer()
        await self.refuse_run_token(secret)
        if secret is not None and secret.startswith(KEY_PREFIX):
            _, grant = await self.key_caller(secret)
            if endpoint is None:
                raise no_deployment(name)
            is_read = self.request.method in ("GET", "HEAD")
            endpoint.check_key(grant, asked=name, is_read=is_read)
        else:
            caller = await self.jupyter_caller(route.action)
            if endpoint is None:
                raise no_deployment(name)
            role = await self.services.identities.role(caller, endpoint.workspace_id)
            endpoint.check_role(role, asked=name, is_read=route.action != "execute")
        self.endpoint = endpoint

    async def _known(self, name: str) -> Endpoint | None:
        try:
            return await self.services.endpoints.get(name)
        except NotFound:
            return None

    async def validated_rows(
        self, decode: Callable[[bytes], Sequence[Any]], *, ignore_extra: bool
    ) -> tuple[list[list[Any]], list[str]]:
        """Return the rows that `decode` makes of the request's body, and warnings; see `Endpoint`."""
        assert self.endpoint is not None
        body = await self.sent_body()
        return await self.endpoint.validated_rows(body, decode, ignore_extra=ignore_extra)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Count the refusal, then say it."""
        if self.endpoint is not None:
            self.endpoint.count_refused(status_code)
        super().write_error(status_code, **kwargs)

    def flag(self, name: str, word: str) -> bool:
        """Whether a query parameter has that word."""
        values = self.request.query_arguments.get(name)
        return values is not None and values[-1].decode("utf-8", "replace").lower() == word


class PredictHandler(ServingHandler):
    """Rows in, predictions out."""

    @allow_unauthenticated
    async def post(self, deployment: str) -> None:
        """Predict the rows of the body."""
        endpoint = self.endpoint
        assert endpoint is not None
        self.require_json()
        ignore_extra = self.flag("extra", "ignore")
        threshold = self._threshold(endpoint)
        rows, warnings = await self.validated_rows(
            partial(rows_of, model=endpoint.model, ignore_extra=ignore_extra),
            ignore_extra=ignore_extra,
        )
        proba = self.flag("proba", "true") or self.flag("proba", "1")
        answer, latency_ms = await endpoint.predict(
            rows, proba=proba, began=self.began, threshold=threshold
        )

        def content() -> bytes:
            return _encoder.encode(
                PredictOut(
                    deployment_id=endpoint.deployment_id,
                    endpoint_slug=endpoint.slug,
                    predictions=_predictions(answer, endpoint),
                    warnings=warnings,
                    latency_ms=round(latency_ms, 3),
                    request_id=self.request_id,
                )
            )

        self.write(await endpoint.encoded(answer, content))

    def _threshold(self, endpoint: Endpoint) -> float | None:
        """Return the threshold of this request, None where it has none."""
        values = self.request.query_arguments.get("threshold")
        if values is None:
            return None
        text = values[-1].decode("utf-8", "replace")
        try:
            threshold = float(text)
        except ValueError:
            raise Invalid(
                f"The threshold “{text}” is no number; give a probability from 0 to 1.",
                errors=[{"loc": ["threshold"], "msg": "is no number"}],
            ) from None
        endpoint.check_threshold(threshold)
        return threshold


class SchemaHandler(ServingHandler):
    """What a deployment takes and gives."""

    @allow_unauthenticated
    async def get(self, deployment: str) -> None:
        """JSON Schema of a row, an example that predicts, the labels."""
        endpoint = self.endpoint
        assert endpoint is not None
        model = endpoint.model
        self.answer(
            DeploymentSchema(
                row=model.validator.json_schema(),
                example=model.schema["example"],
                labels=model.labels,
            )
        )


def rows_of(body: bytes, *, model: Model, ignore_extra: bool) -> Sequence[Any]:
    """Return the rows of a predict body; a large one is bounded first and decoded row by row.

    Raises
    ------
    Invalid
        When the body is no JSON of that shape.
    TooLarge
        When it has more rows or values than the pipeline's columns account for.
    """
    refuse_deep(body)
    sent: PredictIn | _Sent
    if len(body) <= IN_THREAD_BYTES:
        sent = decode(body, _decoder, HINT)
    else:
        refuse_many(body, most_values(len(model.validator.names), ignore_extra=ignore_extra))
        sent = decode(body, _row_by_row, HINT)
    if sent.rows is not msgspec.UNSET and sent.horizon is msgspec.UNSET:
        if isinstance(sent, PredictIn):
            return sent.rows
        refuse_row_count(len(sent.rows))
        return list(decode_each(sent.rows, HINT))
    if sent.rows is not msgspec.UNSET or sent.horizon is msgspec.UNSET:
        raise Invalid(
            'Send either {"rows": [{column: value, …}, …]} or, to a time series, {"horizon": 12}.',
            errors=[{"loc": ["rows"], "msg": "either rows or horizon"}],
        )
    if not TASK_TYPES[model.task].rows_are_steps:
        raise Invalid(
            f"A horizon is for time series; this pipeline does {model.task}. Send rows.",
            errors=[{"loc": ["horizon"], "msg": "is for time series"}],
        )
    return steps_ahead(sent.horizon)


def _predictions(answer: PredictionResult, endpoint: Endpoint) -> list[Prediction]:
    made = [Prediction(index, value) for index, value in enumerate(answer.predictions)]
    if answer.probabilities is not None:
        names = [label_key(label) for label in endpoint.model.labels or []]
        for prediction, shares in zip(made, answer.probabilities, strict=True):
            prediction.probabilities = dict(zip(names, shares, strict=True))
    for name, items in answer.more.items():
        for prediction, item in zip(made, items, strict=True):
            setattr(prediction, name, item)
    return made


def label_key(label: Any) -> str:
    """A label as a key of JSON: booleans as JSON writes them."""
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)
