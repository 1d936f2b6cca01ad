"""What the engine offers, data sources, experiments and runs."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, TypedDict, Unpack

from ..event_stream import FIRST_PAUSE_S, LONGEST_PAUSE_S, EventStream
from ..records import (
    ENDED,
    JSON,
    Artifacts,
    DataSource,
    Events,
    Experiment,
    FoldMetrics,
    JSONs,
    NewRun,
    Plots,
    Run,
    RunBrief,
    RunBriefs,
    SourceTest,
)
from ..transport import Unreachable, segment
from .workspaces import Room

#: how long one request waits for the end of a run
WAIT_S = 20.0
#: how long a wait goes on when the server is not there
PATIENCE_S = 120.0


class ExperimentChanges(TypedDict, total=False):
    """What can change of an experiment."""

    name: str
    task: str
    target: str | None
    setup_params: JSON
    data_source_id: str | None
    description: str | None


class Submission(TypedDict, total=False):
    """A run to submit. `plan` and one kind of data are needed."""

    plan: str
    model_id: str | None
    plan_params: Mapping[str, Any]
    target: str | None
    setup_params: Mapping[str, Any]
    executor: Literal["kernel", "notebook"]
    data_source_id: str
    sklearn_dataset: str
    data_inline: Sequence[JSON]
    frame: JSON


class RunFilter(TypedDict, total=False):
    """What a list of runs is narrowed to."""

    workspace_id: str
    project_id: str
    experiment_id: str
    status: str
    plan: str
    data_source_id: str


class Describe(Room):
    """What the engine in the worker kernel offers."""

    def tasks(self) -> JSONs:
        """Tasks, and which extra brings one that is not installed."""
        return self._asked("tasks")

    def models(self, task: str) -> JSONs:
        """Models of a task."""
        return self._asked("models", task)

    def model(self, model_id: str, task: str) -> JSON:
        """A model with its parameters."""
        row: JSON = self._line.get(f"/describe/models/{segment(model_id)}", task=task)
        return row

    def metrics(self, task: str) -> JSONs:
        """Metrics of a task."""
        return self._asked("metrics", task)

    def setup_params(self, task: str) -> JSONs:
        """Set-up parameters of a task."""
        return self._asked("setup-params", task)

    def plans(self, task: str) -> JSONs:
        """Plans of a task with their parameters."""
        return self._asked("plans", task)

    def plots(self, task: str) -> JSONs:
        """Plots that a run of the task makes."""
        return self._asked("plots", task)

    def _asked(self, what: str, task: str | None = None) -> JSONs:
        rows: JSONs = self._line.get(f"/describe/{what}", task=task)
        return rows


class DataSources(Room):
    """Tables: uploaded, in S3, in Postgres."""

    def list(self, workspace_id: str, limit: int | None = 100) -> list[DataSource]:
        """Data sources of a workspace."""
        return self._line.pages(f"/workspaces/{segment(workspace_id)}/data-sources", limit)

    def upload(
        self,
        workspace_id: str,
        file: str | Path | bytes | IO[bytes],
        name: str | None = None,
        *,
        filename: str | None = None,
        description: str | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> DataSource:
        """Upload a CSV or Parquet file, given by path, open, or as its bytes.

        `name` is by default the file's, without its ending. `on_progress` hears of bytes sent and in all.
        """
        path = f"/workspaces/{segment(workspace_id)}/data-sources/upload"
        if isinstance(file, (str, Path)):
            with Path(file).open("rb") as opened:
                return self.upload(
                    workspace_id,
                    opened,
                    name,
                    filename=filename or Path(file).name,
                    description=description,
                    on_progress=on_progress,
                )
        source = io.BytesIO(file) if isinstance(file, bytes) else file
        label = filename or "table.csv"
        fields = {"name": name or Path(label).stem}
        if description is not None:
            fields["description"] = description
        row: DataSource = self._line.upload(path, source, label, fields, on_progress)
        return row

    def register(
        self,
        workspace_id: str,
        name: str,
        kind: Literal["s3", "postgres"],
        config: Mapping[str, Any],
        description: str | None = None,
    ) -> DataSource:
        """Register an object in S3, or a table or query in Postgres."""
        body = {"name": name, "kind": kind, "config": dict(config), "description": description}
        row: DataSource = self._line.post(f"/workspaces/{segment(workspace_id)}/data-sources", body)
        return row

    def get(self, source_id: str) -> DataSource:
        """A data source."""
        row: DataSource = self._line.get(f"/data-sources/{segment(source_id)}")
        return row

    def delete(self, source_id: str) -> None:
        """Delete a data source, and the file of an upload."""
        self._line.delete(f"/data-sources/{segment(source_id)}")

    def preview(self, source_id: str, rows: int = 20) -> JSON:
        """Columns with types, first rows, and a suggestion of target and task."""
        seen: JSON = self._line.get(f"/data-sources/{segment(source_id)}/preview", rows=rows)
        return seen

    def test(self, source_id: str) -> SourceTest:
        """Connect now, and say what is seen."""
        seen: SourceTest = self._line.post(f"/data-sources/{segment(source_id)}/test")
        return seen


class Experiments(Room):
    """Questions that are asked of data."""

    def list(self, project_id: str, limit: int | None = 100) -> list[Experiment]:
        """Experiments of a project."""
        return self._line.pages(f"/projects/{segment(project_id)}/experiments", limit)

    def create(
        self,
        project_id: str,
        name: str,
        task: str,
        target: str | None = None,
        setup_params: Mapping[str, Any] | None = None,
        data_source_id: str | None = None,
        description: str | None = None,
    ) -> Experiment:
        """Make an experiment."""
        body = {
            "name": name,
            "task": task,
            "target": target,
            "setup_params": dict(setup_params or {}),
            "data_source_id": data_source_id,
            "description": description,
        }
        row: Experiment = self._line.post(f"/projects/{segment(project_id)}/experiments", body)
        return row

    def get(self, experiment_id: str) -> Experiment:
        """An experiment."""
        row: Experiment = self._line.get(f"/experiments/{segment(experiment_id)}")
        return row

    def update(self, experiment_id: str, **changes: Unpack[ExperimentChanges]) -> Experiment:
        """Change an experiment."""
        row: Experiment = self._line.patch(f"/experiments/{segment(experiment_id)}", changes)
        return row

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment with its runs."""
        self._line.delete(f"/experiments/{segment(experiment_id)}")


class Runs(Room):
    """Plans that were, are or will be executed."""

    def submit(self, experiment_id: str, **wanted: Unpack[Submission]) -> NewRun:
        """Queue a run."""
        path = f"/experiments/{segment(experiment_id)}/runs"
        row: NewRun = self._line.post(path, wanted)
        return row

    def list(self, limit: int | None = 100, **narrow: Unpack[RunFilter]) -> list[RunBrief]:
        """Runs, newest first, without leaderboard and snapshot."""
        return self._line.pages("/runs", limit, **narrow)

    def of_experiment(
        self, experiment_id: str, limit: int | None = 100, status: str | None = None
    ) -> RunBriefs:
        """Runs of an experiment."""
        path = f"/experiments/{segment(experiment_id)}/runs"
        return self._line.pages(path, limit, status=status)

    def get(self, run_id: str) -> Run:
        """A run."""
        row: Run = self._line.get(f"/runs/{segment(run_id)}")
        return row

    def delete(self, run_id: str) -> None:
        """Delete a run that has ended."""
        self._line.delete(f"/runs/{segment(run_id)}")

    def cancel(self, run_id: str) -> Run:
        """Cancel a run; nothing changes where it has ended."""
        row: Run = self._line.post(f"/runs/{segment(run_id)}/cancel")
        return row

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run:
        """The run when it has ended, or when the time is up; without a time, however long it takes.

        A server that is away for less than two minutes is waited for.
        """
        path = f"/runs/{segment(run_id)}/wait"
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        heard, pause = time.monotonic(), FIRST_PAUSE_S
        while True:
            left = WAIT_S if deadline is None else max(0.0, deadline - time.monotonic())
            each = min(WAIT_S, left)
            try:
                row: Run = self._line.post(path, within_s=each + 30.0, timeout_s=each)
                heard, pause = time.monotonic(), FIRST_PAUSE_S
                if row["status"] in ENDED or (deadline is not None and left <= WAIT_S):
                    return row
            except Unreachable:
                if time.monotonic() - heard > PATIENCE_S or (deadline is not None and left <= 0):
                    raise
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)

    def events(self, run_id: str, after_seq: int = 0, limit: int | None = None) -> Events:
        """Events after a `seq`, in order; all of them without a limit."""
        path = f"/runs/{segment(run_id)}/events"
        found: Events = []
        while limit is None or len(found) < limit:
            most = 1000 if limit is None else min(1000, limit - len(found))
            page = self._line.get(path, after_seq=after_seq, limit=most)
            found += page
            if len(page) < most:
                break
            after_seq = page[-1]["seq"]
        return found

    def watch(
        self,
        run_id: str,
        after_seq: int = 0,
        on_state: Callable[[bool], None] | None = None,
    ) -> EventStream:
        """Events as they happen, to the end of the run; see `EventStream`."""
        return EventStream(self._line, run_id, after_seq, on_state)

    def fold_metrics(self, run_id: str, limit: int | None = None) -> FoldMetrics:
        """Each metric on each fold of each model."""
        return self._line.pages(f"/runs/{segment(run_id)}/fold-metrics", limit)

    def artifacts(self, run_id: str, limit: int | None = None) -> Artifacts:
        """Files that the run made."""
        return self._line.pages(f"/runs/{segment(run_id)}/artifacts", limit)

    def download(self, artifact_id: str) -> bytes:
        """The bytes of such a file."""
        target = io.BytesIO()
        self._line.download(f"/artifacts/{segment(artifact_id)}/download", target)
        return target.getvalue()

    def plots(self, run_id: str) -> Plots:
        """Plots of the run's best model."""
        rows: Plots = self._line.get(f"/runs/{segment(run_id)}/plots")
        return rows

    def plot(self, run_id: str, plot_id: str) -> JSON:
        """A plot as Plotly JSON."""
        figure: JSON = self._line.get(f"/runs/{segment(run_id)}/plots/{segment(plot_id)}")
        return figure

    def notebook(self, run_id: str) -> JSON:
        """A notebook that does this run again with plain PyCaret."""
        made: JSON = self._line.get(f"/runs/{segment(run_id)}/notebook")
        return made
