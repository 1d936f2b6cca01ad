"""Print the results of benchmarks."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def ratio(name: str, value: float, limit: str) -> None:
    """Print a ratio and its limit."""
    print(f"  {name}: {value:.3f}   (limit: {limit})", flush=True)


def figure(name: str, value: float | str, unit: str = "") -> None:
    """Print a measurement behind a ratio; it is valid for this machine only."""
    text = value if isinstance(value, str) else f"{value:.3g}"
    print(f"    {name}: {text} {unit}".rstrip(), flush=True)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
