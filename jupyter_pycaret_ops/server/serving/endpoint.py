"""A deployment as requests use it: who may call it, how much they may send, prediction, and counts.

Protocols (`api/predict.py`, `api/open_inference.py`, `api/mlflow.py`) only decode and encode; what holds for
all of them is here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...common.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, TooLarge
from ..store.access import KeyGrant, Role
from ..store.deployments import check_threshold
from ..threads import IN_THREAD_BYTES

if TYPE_CHECKING:
    from ..prometheus import Metrics
    from ..threads import ThreadPool
    from .batcher import Batcher, PredictionResult
    from .rate_limit import BufferedBytes, RateLimiter
    from .row_validation import RowValidator
    from .usage_statistics import UsageStatistics

MOST_ROWS = 10_000
#: values of a row that are no columns of the pipeline, as far as they are taken
SPARE_VALUES = 16
#: values of a row where unknown columns are ignored
MOST_IGNORED_VALUES = 400
#: answers with more rows are encoded in a thread
IN_THREAD_ROWS = 1_000
#: a request to a public deployment counts once more for each such piece of its body
RATED_BYTES = 64 * 1024
#: seconds that the body of a request to a public deployment may take to arrive
PUBLIC_BODY_TIMEOUT_S = 30.0
#: status codes of refusals that count as errors of the deployment
COUNTED = frozenset({400, 413, 422, 500, 502, 503})


@dataclass(frozen=True, slots=True)
class Traffic:
    """What all endpoints of a server share: limits for callers, counts, and the thread for large bodies."""

    statistics: UsageStatistics
    metrics: Metrics
    decoding: ThreadPool
    #: requests to public deployments, by deployment and address
    public_rate: RateLimiter
    #: bytes that a body to a public deployment may have
    public_body_bytes: int
    #: bytes of such bodies in memory, by address
    public_buffered: BufferedBytes


@dataclass(frozen=True, slots=True)
class Model:
    """A pipeline to be served, shared by the endpoints that it is deployed to."""

    pipeline_id: str
    name: str
    version: int
    schema: dict[str, Any]
    validator: RowValidator
    task: str
    labels: list[Any] | None
    sha256: str
    signature: str
    size_bytes: int
    storage_key: str
    #: the probability from which the second of two labels is answered; None for what the model answers itself
    threshold: float | None = None

    def __str__(self) -> str:
        return f"The pipeline “{self.name}”, version {self.version},"


@dataclass(slots=True)
class Endpoint:
    """A deployment with its model and its queue."""

    deployment_id: str
    slug: str
    workspace_id: str
    status: str
    auth_mode: str
    model: Model
    batcher: Batcher
    traffic: Traffic
    read_at: float
    #: the deployment's own, None for the pipeline's
    threshold: float | None = None

    @property
    def is_public(self) -> bool:
        """Whether anybody may call it."""
        return self.auth_mode == "public"

    # ---------------------------------------------------------------- who may call it

    def check_key(self, key: KeyGrant, *, asked: str, is_read: bool) -> None:
        """Return when an API key may read the deployment (`is_read`), or predict with it.

        `asked` is the name in the request, the slug or the id.

        Raises
        ------
        NotFound
            When the key is of another workspace, which learns nothing of the deployment.
        Forbidden
        """
        if key.workspace_id != self.workspace_id:
            raise no_deployment(asked)
        if is_read and key.role is not None:
            return
        if not key.predicts(self.workspace_id, self.deployment_id):
            raise Forbidden("This API key does not open this deployment.")
        if self.auth_mode != "api-key":
            raise Forbidden(
                f"The deployment “{self.slug}” takes no API keys; its access is {self.auth_mode}."
            )

    def check_role(self, role: Role | None, *, asked: str, is_read: bool) -> None:
        """Return when a user with that role in the workspace may read the deployment, or predict with it.

        `asked` is the name in the request, the slug or the id.

        Raises
        ------
        NotFound
            When the user is no member.
        Forbidden
            When a viewer predicts.
        """
        if role is None:
            raise no_deployment(asked)
        if role < Role.MEMBER and not is_read:
            raise Forbidden("This needs the role member in the workspace; yours is viewer.")

    # ---------------------------------------------------------------- how much they may send

    def take_rate(
        self, address: str | None, n_bytes: int | None, *, is_counted: bool = False
    ) -> None:
        """Count a request of an address to a public deployment, and `n_bytes` of its body, once announced.

        `is_counted` is for bytes of a request that was counted before.

        Raises
        ------
        RateLimited
            When it is over the rate.
        """
        cost = (0 if is_counted else 1) + (n_bytes or 0) / RATED_BYTES
        wait_s = self.traffic.public_rate.take((self.deployment_id, address), cost)
        if wait_s:
            raise RateLimited(
                "Too many requests from this address. Wait, or ask for an API key.",
                retry_after_s=math.ceil(wait_s),
            )

    def reserve_body(self, address: str | None, n_bytes: int) -> None:
        """Reserve memory for a piece of a body to a public deployment; it is released by `release_body`.

        Raises
        ------
        RateLimited
            When too much of it is in use, by that address or by all.
        """
        if not self.traffic.public_buffered.reserve(address, n_bytes):
            raise RateLimited(
                "Too many large requests at once to public deployments. Wait, or ask for an API key.",
                retry_after_s=1,
            )

    def release_body(self, address: str | None, n_bytes: int) -> None:
        """Release memory that was reserved."""
        self.traffic.public_buffered.release(address, n_bytes)

    # ---------------------------------------------------------------- prediction

    def raise_if_paused(self) -> None:
        """Raise Conflict when the deployment is paused."""
        if self.status != "active":
            raise Conflict(f"The deployment “{self.slug}” is {self.status}. Resume it to predict.")

    async def validated_rows(
        self, body: bytes, decode: Callable[[bytes], Sequence[Any]], *, ignore_extra: bool
    ) -> tuple[list[list[Any]], list[str]]:
        """Return the rows that `decode` makes of a body, shape (n_rows, n_columns), and warnings.

        Columns are in the order of the schema. A large body is decoded and validated in a thread.

        Raises
        ------
        Conflict
            When the deployment is paused.
        Invalid, TooLarge
            When there are no rows, or more than 10,000, or one is not an object.
        RowsInvalid
            When rows do not fit the pipeline's input schema.
        """
        self.raise_if_paused()

        def work() -> tuple[list[list[Any]], list[str]]:
            rows = decode(body)
            refuse_row_count(len(rows))
            return self.model.validator.check(rows, ignore_extra=ignore_extra)

        if len(body) > IN_THREAD_BYTES:
            return await self.traffic.decoding.run(work)
        return work()

    def check_threshold(self, threshold: float) -> None:
        """Raise Invalid where a request cannot have that threshold."""
        check_threshold(threshold, self.model.labels, self.model.schema)

    async def predict(
        self, rows: list[list[Any]], *, proba: bool, began: float, threshold: float | None = None
    ) -> tuple[PredictionResult, float]:
        """Return predictions for validated rows, and the latency in ms since `began`, which is counted.

        `began` is a time of `time.perf_counter()`; `threshold` : of this request, one that was checked, None for the
        deployment's.

        Raises
        ------
        RowsInvalid
            When the pipeline cannot predict these rows.
        Unavailable
            When it cannot predict now.
        """
        cut = self.threshold if threshold is None else threshold
        if cut is None or cut == self.model.threshold:
            answer = await self.batcher.submit(rows, proba=proba)
        else:
            answer = await self.batcher.submit(rows, proba=True)
            answer = _by_threshold(answer, cut, self.model.labels or [], proba=proba)
        latency_ms = (time.perf_counter() - began) * 1000
        self.traffic.statistics.count_answered(self.deployment_id, latency_ms)
        self.traffic.metrics.count_answered(self.slug, latency_ms / 1000)
        return answer, latency_ms

    async def encoded(self, answer: PredictionResult, encode: Callable[[], bytes]) -> bytes:
        """Return what `encode` makes of an answer; a large one is encoded in a thread."""
        if len(answer.predictions) > IN_THREAD_ROWS:
            return await self.traffic.decoding.run(encode)
        return encode()

    def count_refused(self, status_code: int) -> None:
        """Count a refused request, where its status code is an error of the deployment."""
        if status_code in COUNTED:
            self.traffic.statistics.count_refused(self.deployment_id)
            self.traffic.metrics.count_refused(self.slug)


def _by_threshold(
    answer: PredictionResult, threshold: float, labels: Sequence[Any], *, proba: bool
) -> PredictionResult:
    """Return predictions with the labels that a threshold decides; probabilities stay, if they are asked for."""
    shares = answer.probabilities or []
    return replace(
        answer,
        predictions=[labels[share[1] >= threshold] for share in shares],
        probabilities=answer.probabilities if proba else None,
    )


def no_deployment(name: str) -> NotFound:
    """Return the error for a name that is no deployment, or none that the caller may know of."""
    return NotFound(f"There is no deployment named “{name}”.")


def most_values(n_columns: int, *, ignore_extra: bool = False) -> int:
    """Return how many values a body may hold for a pipeline with so many columns."""
    spare = MOST_IGNORED_VALUES if ignore_extra else SPARE_VALUES
    return MOST_ROWS * (n_columns + spare)


def refuse_row_count(count: int) -> None:
    """Raise Invalid when there are no rows, and TooLarge when there are too many to predict at once."""
    if not count:
        raise Invalid(
            "There are no rows to predict.", errors=[{"loc": ["rows"], "msg": "is empty"}]
        )
    if count > MOST_ROWS:
        raise TooLarge(f"{count} rows are too many; send at most {MOST_ROWS:,} at once.")


def steps_ahead(horizon: int) -> list[dict[str, Any]]:
    """Return `horizon` empty rows, the steps of a forecast without other columns.

    Raises
    ------
    TooLarge
        When there are more of them than of rows.
    """
    if horizon > MOST_ROWS:
        raise TooLarge(f"{horizon} steps are too many; forecast at most {MOST_ROWS:,} at once.")
    return [{} for _ in range(horizon)]
