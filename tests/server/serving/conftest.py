"""Fixtures for serving, with a real store and without a kernel."""

from __future__ import annotations

from ...fakes.fixtures import clock, store, world

__all__ = ["clock", "store", "world"]
