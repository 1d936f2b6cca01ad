"""Folds scored in child processes, several at a time: same numbers, less waiting.

A fold is the unit: the children share even the last and slowest model. A child is a fresh
interpreter, because a fork of a kernel with its threads may hang, and because it can be killed in
the middle of a fit, which makes cancel and time limits exact. It ends with its parent.
"""

from __future__ import annotations

from .pace import Pace
from .parent import go_on

__all__ = ["Pace", "go_on"]
