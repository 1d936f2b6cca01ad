"""The state of a run, computed from its events. Pure: events in, state out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from ..client.records import JSON, Event, Run, leaderboard_of
from .leaderboard_cells import order

ENDS = {"run.succeeded": "succeeded", "run.failed": "failed", "run.cancelled": "cancelled"}


@dataclass(slots=True)
class Fitting:
    """A model that is being scored."""

    name: str
    since: str
    fold: int | None = None
    folds: int | None = None


@dataclass(slots=True)
class Failure:
    """A model that failed."""

    name: str
    error: str


@dataclass(slots=True)
class RunState:
    """The state of a run after the events that were applied."""

    row: Run
    fitting: dict[str, Fitting] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    #: messages of warnings
    notes: list[str] = field(default_factory=list)
    scored: int = 0
    done: int = 0
    total: int = 0
    label: str = ""
    #: since when the server cannot be reached
    disconnected_since: datetime | None = None
    is_cancelling: bool = False

    def __post_init__(self) -> None:
        progress = self.row["progress"]
        self.done, self.total = progress.get("done") or 0, progress.get("total") or 0
        self.label = progress.get("label") or ""
        self.scored = len(self.row["leaderboard"])
        self.is_cancelling = self.row["cancel_requested_at"] is not None

    def apply(self, event: Event) -> bool:
        """Apply an event; return whether the run has to be read again from the server."""
        kind, payload = event["kind"], event["payload"]
        if kind == "run.progress":
            self._progress(event, payload)
        elif kind == "model.scored":
            self.fitting.pop(str(payload.get("model_id")), None)
            self._add_score(payload)
            return True
        elif kind == "model.failed":
            model_id = str(payload.get("model_id"))
            self.fitting.pop(model_id, None)
            self.failed[model_id] = Failure(
                str(payload.get("name") or model_id), str(payload.get("error") or event["message"])
            )
        elif kind == "warning":
            self.notes.append(event["message"])
        elif kind == "run.started":
            attempt = payload.get("attempt", self.row.get("attempt"))
            self.row = cast("Run", {**self.row, "status": "running", "attempt": attempt})
            return True
        elif kind == "run.requeued":
            # the next attempt tries all models again
            self.fitting.clear()
            self.failed.clear()
            self.row = cast("Run", {**self.row, "status": "queued"})
            return True
        elif kind == "run.cancel_requested":
            self.is_cancelling = True
        elif kind in ENDS:
            self.fitting.clear()
            self.is_cancelling = False
            self.row = cast("Run", {**self.row, "status": ENDS[kind]})
            return True
        elif kind.startswith("run.") and kind != "run.data_loaded":
            return True
        return False

    def _add_score(self, record: JSON) -> None:
        others = [one for one in leaderboard_of(self.row) if one["model_id"] != record["model_id"]]
        board = order([*others, record], self.metric, greater_is_better=self.greater_is_better)
        ranked = [{**one, "rank": rank} for rank, one in enumerate(board, start=1)]
        self.row = cast("Run", {**self.row, "leaderboard": ranked})

    def _progress(self, event: Event, payload: JSON) -> None:
        self.done = int(payload.get("done") or 0)
        self.total = int(payload.get("total") or 0)
        self.label = str(payload.get("label") or "")
        model_id = payload.get("model_id")
        if model_id is None or payload.get("stage") == "final":
            return
        fitting = self.fitting.setdefault(
            str(model_id), Fitting(self._name(str(model_id)), event["timestamp"])
        )
        fitting.fold, fitting.folds = payload.get("fold"), payload.get("folds")

    def _name(self, model_id: str) -> str:
        # the label begins with the model's name
        return self.label.split(",")[0].split(" · ")[0] or model_id

    @property
    def waiting(self) -> int:
        """The number of models that were not started."""
        return max(0, self.total - self.done - len(self.fitting))

    def remaining_s(self, elapsed_s: float) -> float | None:
        """Estimate the remaining seconds; None before two models have ended."""
        if self.done < 2 or self.total <= self.done:
            return None
        return elapsed_s / self.done * (self.total - self.done)

    @property
    def metric(self) -> str | None:
        """The metric that the leaderboard is ordered by."""
        name: str | None = self.row.get("metric") or self.row["metrics_summary"].get("metric")
        return name

    @property
    def greater_is_better(self) -> bool:
        """Whether more of that metric is better."""
        return bool(self.row.get("greater_is_better", True))
