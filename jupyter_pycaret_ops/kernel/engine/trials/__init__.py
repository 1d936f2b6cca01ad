"""Score candidates fold by fold, in this thread or in several processes.

`ParallelismPolicy` decides which. The unit of work is a fold, so that even the last and slowest model
is shared among processes. A scoring process is a fresh interpreter or a fork of the fork server: a fork
of a kernel with threads may deadlock. It can be killed in the middle of a fit, which makes cancels and
time limits exact, and it ends with its parent. The scores are the same either way.
"""

from __future__ import annotations

from .outcomes import Scoring, iter_outcomes
from .trial import Candidate, Outcome, Pruned, Skipped

__all__ = ["Candidate", "Outcome", "Pruned", "Scoring", "Skipped", "iter_outcomes"]
