"""What a task has to provide."""

from __future__ import annotations

from typing import Protocol

from jupyter_pycaret_ops.protocol import RunSpec

from ..contracts import Frame
from ..events import Narrator
from ..limits import Limits
from ..parameters import Param
from ..session import Session


class Task(Protocol):
    """One kind of problem: how its frame is prepared and its experiment set up."""

    @property
    def id(self) -> str:
        """As in a run's specification."""
        ...

    @property
    def default_metric(self) -> str | None:
        """What ranks a leaderboard if nobody says; None where models are not scored."""
        ...

    def setup_params(self) -> list[Param]:
        """What `setup_params` of a run may hold: the engine's that work, and ours."""
        ...

    def open(
        self, spec: RunSpec, frame: Frame, narrator: Narrator, limits: Limits, metric: str | None
    ) -> Session:
        """Prepare `frame` and fit the experiment; raises `PlanFailed` when either cannot be."""
        ...
