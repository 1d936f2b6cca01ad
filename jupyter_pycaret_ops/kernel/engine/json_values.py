"""Convert values of any type to plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

#: characters kept of objects of other types: a long repr is useless in an event
_MAX_TEXT_LENGTH = 500


def plain(value: Any) -> Any:
    """Return `value` as plain JSON types; NaN, infinities and NA become None.

    Takes numpy scalars and arrays of any shape and dtype, Series, Index, sets and dates too.
    """
    if value is None or isinstance(value, (bool, str)):
        # str() also converts string enums to their values
        return str(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if hasattr(value, "tolist"):  # numpy scalars and arrays, pandas Series and Index
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)[:_MAX_TEXT_LENGTH]
