"""Run requests of the command line and of notebooks: missing values are guessed, and guesses reported."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..common.engine_facts import SAMPLE_SETS, SAMPLE_TARGET
from ..common.errors import Invalid, NotFound, OpsError
from ..common.protocol import HOLDOUT_PARAM
from ..common.tables.dialect import parse_overrides
from ..common.task_types import TASK_TYPES, TaskType
from .default_project import DefaultProject
from .reading_arguments import (
    add_column_arguments,
    add_dialect_arguments,
    column_params_of,
    dialect_of,
    split_list,
)
from .records import JSON, DataSource, Experiment, JSONs, NewRun
from .request_checks import check_request
from .resources.runs import Submission

if TYPE_CHECKING:
    from . import Client

#: (columns, chosen target or None) -> `{target, task, reason}`
Suggest = Callable[[Sequence[JSON], str | None], JSON]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run as it was asked for."""

    plan: str
    target: str | None = None
    task: str | None = None
    model: str | None = None
    project: str | None = None
    experiment: str | None = None
    setup_params: JSON = field(default_factory=dict)
    plan_params: JSON = field(default_factory=dict)
    #: how a file is read, where that is not detected rightly
    dialect: JSON = field(default_factory=dict)
    #: of a data source; None for the newest
    data_version: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The data of a run: its name, its fields of a submission, and a function that returns its columns."""

    name: str
    submission: Submission
    read_columns: Callable[[], JSONs] | None = None
    #: the task of a sample set, whose target is known as well
    task: str | None = None
    #: uploads the data and returns its fields, after the request was checked; None if the server has it
    upload: Callable[[], Submission] | None = None


@dataclass(frozen=True, slots=True)
class SubmittedRun:
    """A submitted run, and what was guessed for it."""

    run: NewRun
    task: str
    target: str | None
    #: a message for each guess
    guesses: list[str]


def submit(client: Client, request: RunRequest, table: Table, suggest: Suggest) -> SubmittedRun:
    """Submit a run in the experiment of the request, by default in one named after the table.

    Raises
    ------
    Invalid
        When something cannot be guessed, or the server refuses the submission.
    """
    project = client.default_project(project=request.project)
    experiments = client.experiments.list(project.project_id, limit=None)
    existing = next((one for one in experiments if one["name"] == request.experiment), None)
    task, target, guesses = _task_and_target(request, table, existing, suggest)
    if existing is not None and existing["task"] != task:
        raise Invalid(
            f"The task of the experiment “{existing['name']}” is {existing['task']}, not {task}. "
            "Choose another experiment."
        )
    data = table.submission
    if table.upload is not None:
        columns = table.read_columns() if table.read_columns else None
        names = None if columns is None else [str(column["name"]) for column in columns]
        check_request(client, request, task, target, names)
        data = table.upload()
    experiment = existing or _find_or_create_experiment(
        client, project, experiments, request, table, task, target
    )
    setup_params = request.setup_params
    if setup_params.get(HOLDOUT_PARAM):
        # people know a data source by its name
        held = find_source(client, str(setup_params[HOLDOUT_PARAM]))
        setup_params = {**setup_params, HOLDOUT_PARAM: held["id"]}
    submission: Submission = {
        "plan": request.plan,
        "plan_params": request.plan_params,
        "setup_params": setup_params,
        "target": target,
        **data,
    }
    if request.model is not None:
        submission["model_id"] = request.model
    if request.data_version is not None:
        submission["data_version"] = request.data_version
    return SubmittedRun(client.runs.submit(experiment["id"], **submission), task, target, guesses)


def _task_and_target(
    request: RunRequest, table: Table, existing: Experiment | None, suggest: Suggest
) -> tuple[str, str | None, list[str]]:
    task = request.task or (existing and existing["task"]) or None
    target = request.target or (existing and existing["target"]) or None
    guesses: list[str] = []
    if table.task is not None:
        return task or table.task, target or SAMPLE_TARGET, guesses
    needs_target = task is None or _task_type(task).target != "refused"
    if task is None or (target is None and needs_target):
        if table.read_columns is None:
            raise Invalid("Set --task and --target: the columns of this data cannot be read here.")
        columns = table.read_columns()
        suggestion = suggest(columns, target)
        if target is None and (task is None or needs_target):
            target = suggestion["target"]
            guesses.append(f"target guessed: {target}" if target else "no target found")
        if task is None:
            if suggestion["task"] is None:
                raise Invalid(suggestion["reason"])
            task = str(suggestion["task"])
            n_labels = next((one["distinct"] for one in columns if one["name"] == target), 0)
            details = (
                f", {n_labels} labels" if _task_type(task).answers == "labels" and n_labels else ""
            )
            guesses.append(f"task guessed: {task}{details}")
    if _task_type(task).target == "refused" and request.target is None:
        target = None
    return task, target, guesses


def _task_type(task: str) -> TaskType:
    if task not in TASK_TYPES:
        raise Invalid(f"There is no task “{task}”; there are {', '.join(TASK_TYPES)}.")
    return TASK_TYPES[task]


def _find_or_create_experiment(
    client: Client,
    project: DefaultProject,
    experiments: Sequence[Experiment],
    request: RunRequest,
    table: Table,
    task: str,
    target: str | None,
) -> Experiment:
    """Return the experiment of the request, by default one named after table and target; create a missing one."""
    name = request.experiment or (f"{table.name} · {target}" if target else table.name)
    for candidate in (name, f"{name} ({task})"):
        found = next((row for row in experiments if row["name"] == candidate[:128]), None)
        if found is None:
            return client.experiments.create(project.project_id, candidate[:128], task, target)
        if found["task"] == task:
            return found
    raise Invalid(f"Choose an experiment: “{name}” has another task.")


def source_table(client: Client, source: DataSource) -> Table:
    """Return a data source as the data of a run."""

    def read_columns() -> JSONs:
        columns: JSONs = client.data_sources.preview(source["id"], rows=1)["columns"]
        return columns

    return Table(source["name"], {"data_source_id": source["id"]}, read_columns)


def file_table(
    client: Client,
    request: RunRequest,
    name: str,
    columns: JSONs | None,
    upload_file: Callable[[], DataSource],
) -> Table:
    """Return a file or frame that is not uploaded yet as the data of a run.

    `columns` were read locally; where they are None, the file is uploaded before task and target are guessed,
    after the request was checked as far as possible without them.
    """
    uploaded: list[DataSource] = []

    def upload() -> Submission:
        if not uploaded:
            uploaded.append(upload_file())
        return {"data_source_id": uploaded[0]["id"]}

    def read_columns() -> JSONs:
        if columns is not None:
            return columns
        if not uploaded:
            check_request(client, request, request.task)
            upload()
        preview: JSON = client.data_sources.preview(uploaded[0]["id"], rows=1)
        return list(preview["columns"])

    return Table(name, {}, read_columns, upload=upload)


def upload_once(
    client: Client,
    content: str | Path | bytes,
    name: str,
    *,
    filename: str | None = None,
    dialect: JSON | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[DataSource, bool]:
    """Upload a file unless the workspace has one with the same bytes; return the source and whether it is new.

    One that is read in another way than `dialect` says is not the same.

    Raises
    ------
    Invalid
        When the file cannot be read, or is larger than the server allows.
    """
    workspace = client.default_project().workspace_id
    try:
        digest, size = _digest(content)
    except OSError as error:
        raise Invalid(f"{content!s} cannot be read: {error.strerror or error}.") from None
    sources = client.data_sources.list(workspace, limit=None)
    for source in sources:
        if (
            source["kind"].endswith("_upload")
            and source["config"].get("sha256") == digest
            and (source["config"].get("dialect_fields") or {}) == parse_overrides(dialect or {})
        ):
            return source, False
    cap = client.server.about()["upload_cap_bytes"]
    if size > cap:
        raise Invalid(
            f"{name} has {size / 2**20:,.0f} MiB; the limit of the server is {cap / 2**20:,.0f} MiB."
        )
    free = unused_name(name, {source["name"] for source in sources})
    source = client.data_sources.upload(
        workspace, content, free, filename=filename, dialect=dialect, on_progress=on_progress
    )
    return source, True


def _digest(content: str | Path | bytes) -> tuple[str, int]:
    """Return the SHA-256 as hex, and the size in bytes."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest(), len(content)
    with Path(content).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return digest, stream.tell()


def sample_table(name: str) -> Table:
    """Return a data set of scikit-learn as the data of a run."""
    return Table(name, {"sklearn_dataset": name}, task=SAMPLE_SETS[name])


def find_source(client: Client, text: str) -> DataSource:
    """Return a data source by name or id.

    Raises
    ------
    NotFound
        When there is none.
    """
    workspace = client.default_project().workspace_id
    for source in client.data_sources.list(workspace, limit=None):
        if text in (source["name"], source["id"]):
            return source
    raise NotFound(f"There is no file, frame, data source or sample set “{text}”.")


def unused_name(name: str, taken: set[str]) -> str:
    """Return `name`, with a number appended when it is taken."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def find_run(client: Client, text: str | None = None) -> str:
    """Return the id of a run from its id, or its beginning or end; without a text, that of the newest run.

    Raises
    ------
    NotFound
        When there is none.
    Invalid
        When there is more than one.
    """
    if text is not None and len(text) == 36:
        return text
    runs = client.runs.list(limit=500 if text else 20)
    if text is None:
        # those that the server made itself are about others
        own = [run for run in runs if run["experiment_id"] is not None] or runs
        if not own:
            raise NotFound("There are no runs yet.")
        return own[0]["id"]
    found = [run for run in runs if run["id"].startswith(text) or run["id"].endswith(text)]
    if not found:
        raise NotFound(f"There is no run “{text}” among the newest 500.")
    if len(found) > 1:
        listed = ", ".join(f"{run_name(client, run)} (…{run['id'][-6:]})" for run in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise Invalid(f"“{text}” matches {listed}{more}. Give more of the id.")
    return found[0]["id"]


def run_name(client: Client, run: Any) -> str:
    """Return the name of a run for users: that of its experiment, and its plan."""
    if run["experiment_id"] is None:
        return f"{run['plan']} {run['model_id']}"
    try:
        experiment = client.experiments.get(run["experiment_id"])["name"]
    except OpsError:
        return str(run["plan"])
    return f"{experiment} {run['plan']}"


def replace_ids(client: Client, message: str) -> str:
    """Return the message with names in place of ids, as far as the server has them."""

    def name_of(match: re.Match[str]) -> str:
        record_id = match.group()
        lookups: tuple[Callable[[], str], ...] = (
            lambda: run_name(client, client.runs.get(record_id)),
            lambda: client.data_sources.get(record_id)["name"],
            lambda: _version_name(client.pipelines.get(record_id)),
            lambda: client.deployments.get(record_id)["endpoint_slug"],
            lambda: client.experiments.get(record_id)["name"],
            lambda: client.projects.get(record_id)["name"],
            lambda: client.workspaces.get(record_id)["name"],
        )
        for lookup in lookups:
            with contextlib.suppress(OpsError):
                return f"“{lookup()}”"
        return record_id

    return _ID.sub(name_of, message)


def _version_name(pipeline: Any) -> str:
    return f"{pipeline['name']} v{pipeline['version']}"


_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


# ---------------------------------------------------------------- arguments


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a run; the magic and the command line share them."""
    parser.add_argument("plan", metavar="PLAN", help="setup, create, compare, …")
    parser.add_argument("--data", metavar="DATA", help="the data to train on")
    parser.add_argument("--target", metavar="COLUMN", help="the column to predict")
    parser.add_argument("--task", choices=list(TASK_TYPES), help="default: guessed from the data")
    parser.add_argument("--model", metavar="ID", help="the model, for plans that need one")
    parser.add_argument(
        "--include", metavar="A,B", type=split_list, help="compare only these models"
    )
    parser.add_argument("--exclude", metavar="A,B", type=split_list, help="leave out these models")
    parser.add_argument("--fold", metavar="N", type=int, help="number of folds")
    parser.add_argument("--sort", metavar="METRIC", help="order models by this metric")
    parser.add_argument(
        "--time-limit", metavar="S", type=float, help="time limit of the run in seconds"
    )
    parser.add_argument("--project", metavar="P", help="name of the project")
    parser.add_argument("--experiment", metavar="E", help="name of the experiment")
    parser.add_argument(
        "--data-version",
        metavar="N",
        type=int,
        help="version of the data source; default: the newest",
    )
    add_column_arguments(parser)
    add_dialect_arguments(parser)


def request_from(
    args: argparse.Namespace,
    setup_params: JSON | None = None,
    plan_params: JSON | None = None,
) -> RunRequest:
    """Return the request of parsed arguments; they override `setup_params` and `plan_params`."""
    setup = {**(setup_params or {}), **column_params_of(args)}
    plan = dict(plan_params or {})
    if args.fold is not None:
        setup["fold"] = args.fold
    for name in ("include", "exclude", "sort", "time_limit"):
        value = getattr(args, name)
        if value is not None:
            plan[name] = value
    return RunRequest(
        plan=args.plan,
        target=args.target,
        task=args.task,
        model=args.model,
        project=args.project,
        experiment=args.experiment,
        setup_params=setup,
        plan_params=plan,
        dialect=dialect_of(args),
        data_version=args.data_version,
    )


def parse_params(texts: Sequence[str]) -> JSON:
    """Parse `name=value` texts; a value is parsed as JSON if possible, else it is a string.

    Raises
    ------
    Invalid
        When a text has no `=`.
    """
    import json

    params: JSON = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise Invalid(f"Write “{text}” as name=value.")
        try:
            params[name.strip()] = json.loads(value)
        except ValueError:
            params[name.strip()] = value
    return params


def result_texts(run: Any) -> list[str]:
    """Return what a run has found, in sentences: whether its best model is worth anything, and the scores behind it."""
    summary = cast("JSON", run["metrics_summary"]) or {}
    if not summary.get("headline"):
        return []
    metric = summary.get("metric")
    scores = []
    holdout = (summary.get("holdout") or {}).get(metric)
    if holdout is not None:
        scores.append(f"hold-out {holdout:.4f} ({summary.get('holdout_rows')} rows)")
    baseline = (summary.get("baseline") or {}).get(metric)
    if baseline is not None:
        scores.append(f"baseline {baseline:.4f}")
    figures = [f"{metric}: {', '.join(scores)}."] if scores else []
    return [text for text in (summary["headline"], summary.get("detail"), *figures) if text]


def best_model_text(run: Any) -> str:
    """Return the best model of a run and its score, as a text for users."""
    summary = cast("JSON", run["metrics_summary"]) or {}
    best = summary.get("best") or {}
    if best.get("value") is None:
        return str(best.get("name") or best.get("model_id") or "")
    return f"{best.get('name') or best['model_id']}, {summary.get('metric')} {best['value']:.4f}"
