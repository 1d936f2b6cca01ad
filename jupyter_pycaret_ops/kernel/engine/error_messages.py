"""Describe errors of the engine in one sentence."""

from __future__ import annotations

from jupyter_pycaret_ops.common.protocol import ErrorKind

_MAX_LENGTH = 300


def describe_error(error: BaseException) -> str:
    """Return the message of an error in one line of at most 300 characters."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "There was not enough memory for it."
    if not text:
        return type(error).__name__
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"


def classify_error(error: BaseException) -> ErrorKind:
    """Return `"user"` for a parameter that scikit-learn refused, else `"engine"`."""
    is_refused = any(c.__name__ == "InvalidParameterError" for c in type(error).__mro__)
    return "user" if is_refused else "engine"
