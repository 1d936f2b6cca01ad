"""Folds that tell when they begin."""

# ruff: noqa: N803 - X is what scikit-learn calls it, and it is part of the interface
from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any


class TickingSplitter:
    """A cross-validator that calls `tick(fold, folds)` before it hands out each fold.

    The folds are those of `inner`, untouched. Copies tick too; a pickle holds only `inner`, so
    that a stacked model, which keeps its splitter, can be stored and read anywhere.
    """

    def __init__(self, inner: Any, tick: Callable[[int, int], None]) -> None:
        self.inner = inner
        self._tick = tick

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Yield (train, test) positions; `fold` counts from 1."""
        folds = self.get_n_splits(X, y, groups)
        for fold, pair in enumerate(self.inner.split(X, y, groups), start=1):
            self._tick(fold, folds)
            yield pair

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many folds there are."""
        return int(self.inner.get_n_splits(X, y, groups))

    def __deepcopy__(self, memo: dict[int, Any]) -> TickingSplitter:
        # scikit-learn clones estimators with deepcopy, and a reporter cannot be copied
        return TickingSplitter(copy.deepcopy(self.inner, memo), self._tick)

    def __reduce__(self) -> tuple[Any, ...]:
        return (copy.copy, (self.inner,))
