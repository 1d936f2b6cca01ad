"""The store's tests run on every backend."""

from __future__ import annotations

from ...fakes.fixtures import clock, store, world

__all__ = ["clock", "store", "world"]
