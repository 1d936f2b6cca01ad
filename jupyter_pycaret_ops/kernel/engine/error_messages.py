"""Turn what the engine raises into one sentence."""

from __future__ import annotations

from jupyter_pycaret_ops.common.protocol import ErrorKind

_MAX_LENGTH = 300


def describe_error(error: BaseException) -> str:
    """The error in one line, without a traceback."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "There was not enough memory for it."
    if not text:
        return type(error).__name__
    return text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…"


def classify_error(error: BaseException) -> ErrorKind:
    """Whose fault it is: a refused parameter is the caller's, all else the engine's."""
    is_refused = any(c.__name__ == "InvalidParameterError" for c in type(error).__mro__)
    return "user" if is_refused else "engine"
