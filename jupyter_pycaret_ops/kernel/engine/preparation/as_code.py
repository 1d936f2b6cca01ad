"""Estimators as the Python code that makes them, for the notebook of a run."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

_WIDTH = 88


def code_of(value: Any, indent: int = 0) -> str:
    """Return the expression that makes an unfitted estimator, or a plain value: parameters that differ from defaults.

    `indent` : the column in which the expression begins, for lines after the first.
    """
    return _layout(_parse(value), indent)


@dataclass(frozen=True, slots=True)
class _Brackets:
    """An expression in brackets, and the same on one line."""

    opening: str
    items: list[tuple[str, str | _Brackets]]
    closing: str
    line: str


def _parse(value: Any) -> str | _Brackets:
    if hasattr(value, "get_params"):
        return _brackets(f"{type(value).__name__}(", _changed(value), ")")
    if isinstance(value, list):
        return _brackets("[", [("", item) for item in value], "]")
    if isinstance(value, tuple):
        return _brackets("(", [("", item) for item in value], ",)" if len(value) == 1 else ")")
    if isinstance(value, dict):
        return _brackets("{", [(f"{name!r}: ", item) for name, item in value.items()], "}")
    if inspect.isroutine(value):
        return f"np.{value.__name__}" if value.__module__ == "numpy" else str(value.__name__)
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "np.inf" if value > 0 else "-np.inf"
    return repr(value)


def _brackets(opening: str, items: list[tuple[str, Any]], closing: str) -> _Brackets:
    parsed = [(prefix, _parse(item)) for prefix, item in items]
    inner = ", ".join(
        prefix + (item if isinstance(item, str) else item.line) for prefix, item in parsed
    )
    return _Brackets(opening, parsed, closing, f"{opening}{inner}{closing}")


def _changed(value: Any) -> list[tuple[str, Any]]:
    defaults = inspect.signature(type(value)).parameters
    return [
        (f"{name}=", given)
        for name, given in value.get_params(deep=False).items()
        if name not in defaults or not _is_default(given, defaults[name].default)
    ]


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


def _layout(part: str | _Brackets, indent: int) -> str:
    if isinstance(part, str):
        return part
    if indent + len(part.line) <= _WIDTH:
        return part.line
    inner = indent + 4
    lines = "".join(
        f"{' ' * inner}{prefix}{_layout(item, inner)},\n" for prefix, item in part.items
    )
    return f"{part.opening}\n{lines}{' ' * indent}{part.closing.removeprefix(',')}"
