"""How figures are printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def ratio(what: str, value: float, floor: str) -> None:
    """One ratio with the floor that it is held against."""
    print(f"  {what}: {value:.3f}   (floor: {floor})", flush=True)


def figure(what: str, value: float | str, unit: str = "") -> None:
    """A figure behind a ratio; it says something about this machine only."""
    shown = value if isinstance(value, str) else f"{value:.3g}"
    print(f"    {what}: {shown} {unit}".rstrip(), flush=True)


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest-rank quantile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
