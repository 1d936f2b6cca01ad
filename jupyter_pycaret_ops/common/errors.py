"""The errors of this package, independent of HTTP.

Only `api/base.py` maps them to status codes. Messages are for users: they name the object and say what to
do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class FieldError(TypedDict):
    """One error in a body, a query or a row: its location and message."""

    loc: list[str | int]
    msg: str


class OpsError(Exception):
    """Base class of all errors that this package raises deliberately."""

    #: stable identifier for programs
    reason: str = "internal"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        errors: Sequence[FieldError] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason
        self.errors = list(errors) if errors else None


class Invalid(OpsError):
    """The body or query of a request, or a reference in it, is invalid."""

    reason = "validation"


class Unauthenticated(OpsError):
    """The credential is missing or unknown."""

    reason = "unauthenticated"


class Forbidden(OpsError):
    """The caller is authenticated but may not do this."""

    reason = "forbidden"


class NotFound(OpsError):
    """There is no such object, or it is in a workspace that the caller is not a member of."""

    reason = "not_found"


class Conflict(OpsError):
    """The request conflicts with the present state."""

    reason = "conflict"


class Stale(Conflict):
    """A worker without the lease, or of an earlier attempt, reported on a run."""

    reason = "stale"


class TooLarge(OpsError):
    """The request has more bytes or rows than the server accepts."""

    reason = "too_large"


class UnsupportedMedia(OpsError):
    """The content type of the body is not supported by this route."""

    reason = "unsupported_media"


class RowsInvalid(OpsError):
    """Rows do not match the input schema of a deployment."""

    reason = "rows"


class RetryLater(OpsError):
    """The request cannot be handled now; retry after `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: int = 1, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_s = retry_after_s


class RateLimited(RetryLater):
    """The caller exceeded a rate limit."""

    reason = "limit"


class QueueFull(RateLimited):
    """The run queue has reached its cap."""


class Unavailable(RetryLater):
    """The server or a part of it is temporarily unavailable."""

    reason = "unavailable"
