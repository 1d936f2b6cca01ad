"""The errors that the client raises: the public import path of `common.errors`."""

from .common.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    OpsError,
    QueueFull,
    RateLimited,
    RetryLater,
    RowsInvalid,
    Stale,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)

__all__ = [
    "Conflict",
    "FieldError",
    "Forbidden",
    "Invalid",
    "NotFound",
    "OpsError",
    "QueueFull",
    "RateLimited",
    "RetryLater",
    "RowsInvalid",
    "Stale",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMedia",
]
