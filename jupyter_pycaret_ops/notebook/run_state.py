"""What a run's events add up to, for who watches it. Pure: events in, state out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..client.records import JSON, Event, Run

#: of a record, what is no metric
NO_METRIC = frozenset(
    {"model_id", "name", "rank", "std", "folds", "fold_metrics", "seconds", "attempt"}
)


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
    """A run as far as it was heard of."""

    row: Run
    fitting: dict[str, Fitting] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    #: what is done to the frame, and warnings
    notes: list[str] = field(default_factory=list)
    scored: int = 0
    done: int = 0
    total: int = 0
    label: str = ""
    #: since when the server is not reached
    away_since: datetime | None = None
    is_cancelling: bool = False

    def __post_init__(self) -> None:
        progress = self.row["progress"]
        self.done, self.total = progress.get("done") or 0, progress.get("total") or 0
        self.label = progress.get("label") or ""
        self.scored = len(self.row["leaderboard"])
        self.is_cancelling = self.row["cancel_requested_at"] is not None

    def take(self, event: Event) -> bool:
        """Take an event in; whether the row has changed beyond what the event says."""
        kind, payload = event["kind"], event["payload"]
        if kind == "run.progress":
            self._progress(event, payload)
        elif kind == "model.scored":
            self.fitting.pop(str(payload.get("model_id")), None)
            return True
        elif kind == "model.failed":
            model_id = str(payload.get("model_id"))
            self.fitting.pop(model_id, None)
            self.failed[model_id] = Failure(
                str(payload.get("name") or model_id), str(payload.get("error") or event["message"])
            )
        elif kind == "warning":
            self.notes.append(event["message"])
        elif kind == "run.requeued":
            self.fitting.clear()
            self.failed.clear()
            return True
        elif kind == "run.cancel_requested":
            self.is_cancelling = True
        elif kind.startswith("run.") and kind != "run.data_loaded":
            return True
        return False

    def _progress(self, event: Event, payload: JSON) -> None:
        self.done = int(payload.get("done") or 0)
        self.total = int(payload.get("total") or 0)
        self.label = str(payload.get("label") or "")
        model_id = payload.get("model_id")
        if model_id is None or payload.get("stage") == "final":
            return
        found = self.fitting.setdefault(
            str(model_id), Fitting(self._name(str(model_id)), event["timestamp"])
        )
        found.fold, found.folds = payload.get("fold"), payload.get("folds")

    def _name(self, model_id: str) -> str:
        # the label begins with the model's name
        return self.label.split(",")[0].split(" · ")[0] or model_id

    @property
    def waiting(self) -> int:
        """Models that have not begun."""
        return max(0, self.total - self.done - len(self.fitting))

    def remaining_s(self, elapsed_s: float) -> float | None:
        """About how long it still takes, from the second scored model on."""
        if self.done < 2 or self.total <= self.done:
            return None
        return elapsed_s / self.done * (self.total - self.done)

    @property
    def metric(self) -> str | None:
        """The metric that ranks."""
        name: str | None = self.row["metrics_summary"].get("metric")
        return name
