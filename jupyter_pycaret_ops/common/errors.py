"""The errors of the product, without any HTTP in them.

Rooms raise these; `api/base.py` alone knows which status code each becomes.
Every message is written for the person who reads it: it names the thing and the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class FieldError(TypedDict):
    """One fault in a body, a query or a row: where it is, and what is wrong with it."""

    loc: list[str | int]
    msg: str


class OpsError(Exception):
    """Root of everything this package raises on purpose."""

    #: a stable word that a program can test
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
    """The request's body, query or a reference in it cannot be accepted."""

    reason = "validation"


class Unauthenticated(OpsError):
    """No credential, or one that nobody knows."""

    reason = "unauthenticated"


class Forbidden(OpsError):
    """The caller is known and may not do this."""

    reason = "forbidden"


class NotFound(OpsError):
    """No such row, or one in a workspace that the caller is not in."""

    reason = "not_found"


class Conflict(OpsError):
    """The request does not go with the present state."""

    reason = "conflict"


class Stale(Conflict):
    """A late worker, or one of an earlier attempt, spoke for a run it no longer holds."""

    reason = "stale"


class TooLarge(OpsError):
    """More bytes or rows than the server takes."""

    reason = "too_large"


class UnsupportedMedia(OpsError):
    """The body is of a kind this route does not read."""

    reason = "unsupported_media"


class RowsInvalid(OpsError):
    """Rows that do not fit a deployment's input schema."""

    reason = "rows"


class RetryLater(OpsError):
    """Not now; `retry_after_s` says when to try again."""

    def __init__(self, message: str, *, retry_after_s: int = 1, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_s = retry_after_s


class RateLimited(RetryLater):
    """The caller makes more requests than they may."""

    reason = "limit"


class QueueFull(RateLimited):
    """The queue of runs has reached its cap."""


class Unavailable(RetryLater):
    """Not able to serve at the moment."""

    reason = "unavailable"
