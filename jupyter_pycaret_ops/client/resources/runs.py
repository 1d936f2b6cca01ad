"""Resources: descriptions of the engine, experiments and runs."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from ..event_stream import FIRST_PAUSE_S, LONGEST_PAUSE_S, EventStream
from ..records import (
    ENDED,
    JSON,
    Artifacts,
    Events,
    Experiment,
    ExperimentChanges,
    FoldMetrics,
    JSONs,
    NewRun,
    Plots,
    Run,
    RunBrief,
    RunBriefs,
)
from ..transport import Unreachable, segment
from .workspaces import Resource

#: seconds that one request waits for the end of a run
WAIT_S = 20.0
#: seconds that `wait` goes on while the server does not answer
PATIENCE_S = 120.0


class Submission(TypedDict, total=False):
    """Fields of a submission; `plan` and one kind of data are required."""

    plan: str
    model_id: str | None
    plan_params: Mapping[str, Any]
    target: str | None
    setup_params: Mapping[str, Any]
    executor: Literal["kernel", "notebook"]
    data_source_id: str
    data_version: int
    sklearn_dataset: str
    data_inline: Sequence[JSON]
    frame: JSON


class RunFilter(TypedDict, total=False):
    """Filters for a list of runs."""

    workspace_id: str
    project_id: str
    experiment_id: str
    status: str
    plan: str
    data_source_id: str


class Describe(Resource):
    """Descriptions of what the engine in the worker kernel offers."""

    def tasks(self) -> JSONs:
        """Return the tasks, and the extras that missing ones need."""
        return self._get("tasks")

    def models(self, task: str) -> JSONs:
        """Return the models of a task."""
        return self._get("models", task)

    def model(self, model_id: str, task: str) -> JSON:
        """Return a model with its parameters."""
        record: JSON = self._transport.get(f"/describe/models/{segment(model_id)}", task=task)
        return record

    def metrics(self, task: str) -> JSONs:
        """Return the metrics of a task."""
        return self._get("metrics", task)

    def setup_params(self, task: str) -> JSONs:
        """Return the set-up parameters of a task."""
        return self._get("setup-params", task)

    def plans(self, task: str) -> JSONs:
        """Return the plans of a task with their parameters."""
        return self._get("plans", task)

    def plots(self, task: str) -> JSONs:
        """Return the plots that a run of the task creates."""
        return self._get("plots", task)

    def _get(self, what: str, task: str | None = None) -> JSONs:
        records: JSONs = self._transport.get(f"/describe/{what}", task=task)
        return records


class Experiments(Resource):
    """Experiments: a task, a target and set-up parameters."""

    def list(self, project_id: str, limit: int | None = 100) -> list[Experiment]:
        """Return the experiments of a project."""
        return self._transport.list(f"/projects/{segment(project_id)}/experiments", limit)

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
        """Create an experiment."""
        body = {
            "name": name,
            "task": task,
            "target": target,
            "setup_params": dict(setup_params or {}),
            "data_source_id": data_source_id,
            "description": description,
        }
        record: Experiment = self._transport.post(
            f"/projects/{segment(project_id)}/experiments", body
        )
        return record

    def get(self, experiment_id: str) -> Experiment:
        """Return an experiment."""
        record: Experiment = self._transport.get(f"/experiments/{segment(experiment_id)}")
        return record

    def update(self, experiment_id: str, **changes: Unpack[ExperimentChanges]) -> Experiment:
        """Change an experiment."""
        record: Experiment = self._transport.patch(
            f"/experiments/{segment(experiment_id)}", changes
        )
        return record

    def delete(self, experiment_id: str) -> None:
        """Delete an experiment with its runs."""
        self._transport.delete(f"/experiments/{segment(experiment_id)}")


class Runs(Resource):
    """Runs of plans."""

    def submit(self, experiment_id: str, **submission: Unpack[Submission]) -> NewRun:
        """Submit a run to an experiment."""
        path = f"/experiments/{segment(experiment_id)}/runs"
        record: NewRun = self._transport.post(path, submission)
        return record

    def list(self, limit: int | None = 100, **filters: Unpack[RunFilter]) -> list[RunBrief]:
        """Return runs, newest first, without leaderboard and snapshot."""
        return self._transport.list("/runs", limit, **filters)

    def of_experiment(
        self, experiment_id: str, limit: int | None = 100, status: str | None = None
    ) -> RunBriefs:
        """Return the runs of an experiment, newest first."""
        path = f"/experiments/{segment(experiment_id)}/runs"
        return self._transport.list(path, limit, status=status)

    def get(self, run_id: str) -> Run:
        """Return a run."""
        record: Run = self._transport.get(f"/runs/{segment(run_id)}")
        return record

    def delete(self, run_id: str) -> None:
        """Delete a run that has ended."""
        self._transport.delete(f"/runs/{segment(run_id)}")

    def cancel(self, run_id: str) -> Run:
        """Cancel a run; does nothing when it has ended."""
        record: Run = self._transport.post(f"/runs/{segment(run_id)}/cancel")
        return record

    def keep(self, run_id: str, model_id: str) -> Run:
        """Fit a model of the leaderboard on all rows; return the run that does, or has done so before."""
        path = f"/runs/{segment(run_id)}/models/{segment(model_id)}/keep"
        record: Run = self._transport.post(path)
        return record

    def wait(self, run_id: str, timeout_s: float | None = None) -> Run:
        """Return the run when it has ended, or after `timeout_s` seconds; without a timeout, wait as long as it takes.

        A server that does not answer for less than two minutes is tried again.
        """
        path = f"/runs/{segment(run_id)}/wait"
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        answered_at, pause = time.monotonic(), FIRST_PAUSE_S
        while True:
            left = WAIT_S if deadline is None else max(0.0, deadline - time.monotonic())
            each = min(WAIT_S, left)
            try:
                record: Run = self._transport.post(path, within_s=each + 30.0, timeout_s=each)
                answered_at, pause = time.monotonic(), FIRST_PAUSE_S
                if record["status"] in ENDED or (deadline is not None and left <= WAIT_S):
                    return record
            except Unreachable:
                if time.monotonic() - answered_at > PATIENCE_S or (
                    deadline is not None and left <= 0
                ):
                    raise
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)

    def events(self, run_id: str, after_seq: int = 0, limit: int | None = None) -> Events:
        """Return the events after a `seq` in order, at most `limit`; without a limit all."""
        path = f"/runs/{segment(run_id)}/events"
        found: Events = []
        while limit is None or len(found) < limit:
            most = 1000 if limit is None else min(1000, limit - len(found))
            page = self._transport.get(path, after_seq=after_seq, limit=most)
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
        """Iterate over events as they happen, to the end of the run; see `EventStream`."""
        return EventStream(self._transport, run_id, after_seq, on_state)

    def fold_metrics(self, run_id: str, limit: int | None = None) -> FoldMetrics:
        """Return each metric on each fold of each model."""
        return self._transport.list(f"/runs/{segment(run_id)}/fold-metrics", limit)

    def artifacts(self, run_id: str, limit: int | None = None) -> Artifacts:
        """Return the artifacts of a run."""
        return self._transport.list(f"/runs/{segment(run_id)}/artifacts", limit)

    def download(self, artifact_id: str) -> bytes:
        """Return the content of an artifact."""
        target = io.BytesIO()
        self._transport.download(f"/artifacts/{segment(artifact_id)}/download", target)
        return target.getvalue()

    def plots(self, run_id: str) -> Plots:
        """Return the plots of the best model of a run."""
        records: Plots = self._transport.get(f"/runs/{segment(run_id)}/plots")
        return records

    def plot(self, run_id: str, plot_id: str) -> JSON:
        """Return a plot as Plotly JSON."""
        figure: JSON = self._transport.get(f"/runs/{segment(run_id)}/plots/{segment(plot_id)}")
        return figure

    def notebook(self, run_id: str) -> JSON:
        """Return a notebook that repeats the run with plain PyCaret."""
        notebook: JSON = self._transport.get(f"/runs/{segment(run_id)}/notebook")
        return notebook
