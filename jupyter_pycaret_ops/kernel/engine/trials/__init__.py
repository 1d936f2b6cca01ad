"""Candidates scored fold by fold: in this thread, and in child processes where that is_worthwhile.

A fold is the unit, so that children share even the last and slowest model. A child is a fresh
interpreter, because a fork of a kernel with its threads may hang, and because it can be killed in
the middle of a fit, which makes cancel and time limits exact. It ends with its parent. The numbers are
the same either way.
"""

from __future__ import annotations

from .outcomes import outcomes
from .trial import Candidate, Outcome, Skipped

__all__ = ["Candidate", "Outcome", "Skipped", "outcomes"]
