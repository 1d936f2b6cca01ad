"""Fixtures for runs to reproduce, with a real store."""

from __future__ import annotations

from ...fakes.fixtures import clock, store, world

__all__ = ["clock", "store", "world"]
