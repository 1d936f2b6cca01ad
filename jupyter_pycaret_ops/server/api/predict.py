"""Predictions over HTTP: the one route whose speed people count."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated

from ...common.errors import Forbidden, Invalid, NotFound, RateLimited, TooLarge
from ...common.task_types import TASK_TYPES
from ..serving.batcher import PredictionResult
from ..serving.endpoints import Endpoint, Model, raise_if_paused
from ..store import access
from ..store.access import KeyGrant, Role
from ..store.keys import KEY_PREFIX
from .base import IN_THREAD_BYTES, JsonBodyHandler, refuse_deep
from .bounded_json import (
    MOST_ROWS,
    decode,
    decode_each,
    most_values,
    refuse_many,
)
from .context import Route
from .schemas import DeploymentSchema, PredictIn, Prediction, PredictOut

T = TypeVar("T")
#: above so many rows an answer is written in a thread
IN_THREAD_ROWS = 1_000
#: a request to a public deployment counts once more for each such piece of its body
RATED_BYTES = 64 * 1024
#: seconds that its body may take to arrive
PUBLIC_BODY_TIMEOUT_S = 30.0
#: refusals that count as errors of the deployment
COUNTED = frozenset({400, 413, 422, 500, 502, 503})

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
    #: bytes of a body to a public deployment that are held
    _held = 0

    def body_limit(self) -> int:
        """Return how many bytes a body may have: fewer where anybody may call."""
        if self.endpoint is not None and self.endpoint.auth_mode == "public":
            return self.services.public_body_bytes
        return super().body_limit()

    def accept_body(self) -> None:
        """Hold callers of a public deployment to its rate, before their body is read."""
        super().accept_body()
        if self.endpoint is None or self.endpoint.auth_mode != "public":
            return
        self.allow_streaming(PUBLIC_BODY_TIMEOUT_S)
        self._take_rate(1 + (self.announced_bytes() or 0) / RATED_BYTES)

    def admit(self, size: int) -> None:
        """Hold strangers' bodies in memory up to a limit, and those that announced no size to the rate."""
        if self.endpoint is None or self.endpoint.auth_mode != "public":
            return
        if self.announced_bytes() is None:
            self._take_rate(size / RATED_BYTES)
        if not self.services.public_buffered.reserve(self.request.remote_ip, size):
            raise RateLimited(
                "Too many large requests at once to public deployments. Wait, or ask for an API key.",
                retry_after_s=1,
            )
        self._held += size

    def _take_rate(self, cost: float) -> None:
        assert self.endpoint is not None
        caller = (self.endpoint.deployment_id, self.request.remote_ip)
        wait_s = self.services.public_rate.take(caller, cost)
        if wait_s:
            raise RateLimited(
                "Too many requests from this address. Wait, or ask for an API key.",
                retry_after_s=math.ceil(wait_s),
            )

    def let_go(self) -> None:
        """Let others send as much."""
        held, self._held = self._held, 0
        if held:
            self.services.public_buffered.release(self.request.remote_ip, held)

    async def identify(self, route: Route) -> None:
        """Set the endpoint, or refuse; what a stranger may not call does not exist for them."""
        self.require_host()
        name = self.path_kwargs["deployment"]
        endpoint = await self._known(name)
        if endpoint is not None and endpoint.auth_mode == "public":
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
            self.endpoint = self._opened(grant, endpoint, name)
            return
        caller = await self.jupyter_caller(route.action)
        if endpoint is None:
            raise NotFound(f"There is no deployment named “{name}”.")
        key = (caller.user_id, endpoint.workspace_id)
        now = self.services.clock.monotonic()
        roles = self.services.identities.roles
        known = roles.get(key)
        if known is None or now - known[1] > 5.0:
            role = await self.services.store.read(access.role_in, caller, endpoint.workspace_id)
            known = roles[key] = (role, now)
        if known[0] is None:
            raise NotFound(f"There is no deployment named “{name}”.")
        if known[0] < Role.MEMBER and route.action == "execute":
            raise Forbidden("This needs the role member in the workspace; yours is viewer.")
        self.endpoint = endpoint

    async def _known(self, name: str) -> Endpoint | None:
        try:
            return await self.services.endpoints.get(name)
        except NotFound:
            return None

    def _opened(self, key: KeyGrant, endpoint: Endpoint | None, name: str) -> Endpoint:
        """The endpoint, where the key opens it; a key of another workspace learns nothing of it."""
        if endpoint is None or endpoint.workspace_id != key.workspace_id:
            raise NotFound(f"There is no deployment named “{name}”.")
        if key.role is not None and self.request.method in ("GET", "HEAD"):
            return endpoint
        if not key.predicts(endpoint.workspace_id, endpoint.deployment_id):
            raise Forbidden("This API key does not open this deployment.")
        if endpoint.auth_mode != "api-key":
            raise Forbidden(
                f"The deployment “{endpoint.slug}” takes no API keys; its access is {endpoint.auth_mode}."
            )
        return endpoint

    async def checked_rows(
        self, read: Callable[[bytes], Sequence[Any]], *, ignore_extra: bool
    ) -> tuple[list[list[Any]], list[str]]:
        """Return the rows that `read` makes of the body, in the schema's order, and warnings.

        A large body is read and checked in a thread.

        Raises
        ------
        Conflict
            When the deployment is paused.
        Invalid, TooLarge
            When there are no rows, or more than 10,000, or one is no object.
        RowsInvalid
            When rows do not fit the pipeline's input schema.
        """
        endpoint = self.endpoint
        assert endpoint is not None
        raise_if_paused(endpoint)
        body = await self.sent_body()

        def work() -> tuple[list[list[Any]], list[str]]:
            rows = read(body)
            refuse_row_count(len(rows))
            return endpoint.model.validator.check(rows, ignore_extra=ignore_extra)

        return await self.in_thread(work, when=len(body) > IN_THREAD_BYTES)

    async def predict(
        self, rows: list[list[Any]], *, proba: bool
    ) -> tuple[PredictionResult, float]:
        """Return predictions for checked rows, and the latency in ms, which is counted.

        Raises
        ------
        RowsInvalid
            When the pipeline cannot predict these rows.
        Unavailable
            When it cannot predict now.
        """
        endpoint = self.endpoint
        assert endpoint is not None
        answer = await endpoint.batcher.submit(rows, proba=proba)
        latency_ms = (time.perf_counter() - self.began) * 1000
        self.services.statistics.count_answered(endpoint.deployment_id, latency_ms)
        self.services.metrics.count_answered(endpoint.slug, latency_ms / 1000)
        return answer, latency_ms

    async def in_thread(self, work: Callable[[], T], *, when: bool) -> T:
        """Return what `work` returns, done in a thread where it would hold up other requests."""
        return await self.services.decoding.run(work) if when else work()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Count the refusal, then say it."""
        if self.endpoint is not None and status_code in COUNTED:
            self.services.statistics.count_refused(self.endpoint.deployment_id)
            self.services.metrics.count_refused(self.endpoint.slug)
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
        raise_if_paused(endpoint)
        ignore_extra = self.flag("extra", "ignore")
        rows, warnings = await self.checked_rows(
            partial(rows_of, model=endpoint.model, ignore_extra=ignore_extra),
            ignore_extra=ignore_extra,
        )
        answer, latency_ms = await self.predict(
            rows, proba=self.flag("proba", "true") or self.flag("proba", "1")
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

        self.write(await self.in_thread(content, when=len(answer.predictions) > IN_THREAD_ROWS))


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


def steps_ahead(horizon: int) -> list[Any]:
    """Return rows that say no more than that they are steps.

    Raises
    ------
    TooLarge
        When there are more of them than of rows.
    """
    if horizon > MOST_ROWS:
        raise TooLarge(f"{horizon} steps are too many; forecast at most {MOST_ROWS:,} at once.")
    return [{} for _ in range(horizon)]


def refuse_row_count(count: int) -> None:
    """Raise Invalid when there are no rows, and TooLarge when there are too many to predict at once."""
    if not count:
        raise Invalid(
            "There are no rows to predict.", errors=[{"loc": ["rows"], "msg": "is empty"}]
        )
    if count > MOST_ROWS:
        raise TooLarge(f"{count} rows are too many; send at most {MOST_ROWS:,} at once.")


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
