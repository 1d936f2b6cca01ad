"""The data about a run that its notebook needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ...common.task_types import TASK_TYPES, TaskType
from ..lifecycle import Status
from ..store import data_sources, events, runs
from ..store.access import Caller
from ..store.models import DataSource, Experiment, Run


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table that a run has read."""

    #: kind and options of its source
    data: dict[str, Any]
    #: how the run has read it: `dialect`, `data_columns`, `text_columns`, `data_sha256`
    recorded: dict[str, Any]
    #: file name of the upload, None without one
    filename: str | None
    #: whether the source has a secret; True for a source that was deleted
    has_secret: bool
    #: rows that came with the submission
    rows: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A run with data from other records; contains no secrets."""

    run: Run
    experiment: str
    #: file name of the upload, None without one
    filename: str | None
    #: whether the source has a secret; True for a source that was deleted
    has_secret: bool
    #: changes of the data, in order
    changes: list[dict[str, Any]]
    #: rows that came with the submission
    rows: list[dict[str, Any]] | None = None
    #: the table that was held out, None where there was none, or the run has not recorded how it was read
    held_out: TableFacts | None = None

    @property
    def table(self) -> TableFacts:
        """The table of the run."""
        return TableFacts(self.run.data, self.snapshot, self.filename, self.has_secret, self.rows)

    @property
    def snapshot(self) -> dict[str, Any]:
        """The snapshot of the run."""
        return self.run.snapshot

    @property
    def versions(self) -> dict[str, str | None]:
        """Package -> version in the environment of the run."""
        return self.snapshot.get("versions") or {}

    @property
    def plan_params(self) -> dict[str, Any]:
        """The parameters of the plan."""
        return self.snapshot.get("plan_params") or {}

    @property
    def task(self) -> str:
        """The id of the task."""
        return str(self.snapshot["task"])

    @property
    def task_type(self) -> TaskType | None:
        """The task type; None when this version does not have the task."""
        return TASK_TYPES.get(self.task)

    @property
    def kind(self) -> TaskType:
        """The task type of a run that was checked to have one."""
        return TASK_TYPES[self.task]

    @property
    def has_target(self) -> bool:
        """Whether a column is predicted."""
        return self.snapshot.get("target") is not None

    def changed(self, kind: str) -> dict[str, Any] | None:
        """Return the first change of that kind, None when there is none."""
        return next((item for item in self.changes if item.get("change") == kind), None)

    def columns(self, kind: str) -> list[str]:
        """Return the columns of the changes of that kind."""
        matching = [item for item in self.changes if item.get("change") == kind]
        return [str(name) for item in matching for name in item["columns"]]


def read_facts(session: Session, caller: Caller, run_id: str) -> Facts:
    """Read the facts about a run that the caller may see."""
    run = runs.read(session, caller, run_id)
    experiment = session.get(Experiment, run.experiment_id) if run.experiment_id else None
    source = session.get(DataSource, run.data_source_id) if run.data_source_id else None
    changes = run.snapshot.get("data_changes") or []
    if run.status != Status.SUCCEEDED:
        # only a run that has succeeded has a complete snapshot; others have the changes in their events
        recorded = events.of_kind(session, run.id, "data.changed", run.attempt)
        changes = [{**event.payload, "message": event.message} for event in recorded]
    filename = None
    if source is not None:
        # a run of before there were versions has read the first one
        version = run.snapshot.get("data_version") or 1
        filename = data_sources.table_of(session, source, version).config.get("filename")
    has_secret = source is None or source.secret is not None
    return Facts(
        run,
        "" if experiment is None else experiment.name,
        filename,
        has_secret,
        list(changes),
        held_out=_held_out(session, run),
    )


def _held_out(session: Session, run: Run) -> TableFacts | None:
    recorded = run.snapshot.get("held_out")
    data = run.data.get("holdout")
    if recorded is None or data is None:
        return None
    source = session.get(DataSource, data["data_source_id"])
    filename = None
    if source is not None:
        version = run.snapshot.get("test_data_version") or 1
        filename = data_sources.table_of(session, source, version).config.get("filename")
    return TableFacts(data, recorded, filename, source is None or source.secret is not None)
