"""What the records know of a run that is to be done again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...common.task_types import TASK_TYPES, TaskType
from ..lifecycle import Status
from ..store import events, runs
from ..store.access import Caller
from ..store.models import DataSource, Experiment, Run


@dataclass(frozen=True, slots=True)
class Facts:
    """A run, and what stands in other rows than its own; no secret is among them."""

    run: Run
    experiment: str
    #: what the upload's file was called, where the source still is
    filename: str | None
    #: whether the source is read with a secret, as one that is gone may have been
    has_secret: bool
    #: the decisions about the frame, in order
    changes: list[dict[str, Any]]
    #: rows that came with the submission
    rows: list[dict[str, Any]] | None = None

    @property
    def snapshot(self) -> dict[str, Any]:
        """What the run was made with."""
        return self.run.snapshot

    @property
    def versions(self) -> dict[str, str | None]:
        """Package → version, as installed where the run was done."""
        return self.snapshot.get("versions") or {}

    @property
    def plan_params(self) -> dict[str, Any]:
        """What the plan was given."""
        return self.snapshot.get("plan_params") or {}

    @property
    def task(self) -> str:
        """The kind of problem."""
        return str(self.snapshot["task"])

    @property
    def task_type(self) -> TaskType | None:
        """The task's descriptor; None where this version does not know the task."""
        return TASK_TYPES.get(self.task)

    @property
    def kind(self) -> TaskType:
        """The task's descriptor, of a run that was checked to have one."""
        return TASK_TYPES[self.task]

    @property
    def has_target(self) -> bool:
        """Whether a column is predicted."""
        return self.snapshot.get("target") is not None

    def changed(self, kind: str) -> dict[str, Any] | None:
        """The decision of that kind, or None where none was taken."""
        return next((item for item in self.changes if item.get("change") == kind), None)

    def columns(self, kind: str) -> list[str]:
        """The columns that decisions of that kind were about."""
        told = [item for item in self.changes if item.get("change") == kind]
        return [str(name) for item in told for name in item["columns"]]


def read_facts(session: Session, caller: Caller, run_id: str) -> Facts:
    """The facts of a run that the caller may see."""
    run = runs.read(session, caller, run_id)
    experiment = session.get_one(Experiment, run.experiment_id)
    source = session.get(DataSource, run.data_source_id) if run.data_source_id else None
    changes = run.snapshot.get("data_changes") or []
    if run.status != Status.SUCCEEDED:
        # only a success hands in a whole snapshot; what was done until then stands in the events
        told = events.of_kind(session, run.id, "data.changed", run.attempt)
        changes = [{**event.payload, "message": event.message} for event in told]
    filename = source.config.get("filename") if source is not None else None
    has_secret = source is None or source.secret is not None
    return Facts(run, experiment.name, filename, has_secret, list(changes))
