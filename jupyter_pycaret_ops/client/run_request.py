"""A run from one line of words: what was left out is guessed, and the guess is said."""

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
from ..common.task_types import TASK_TYPES, TaskType
from .default_project import Home
from .records import JSON, DataSource, Experiment, JSONs, NewRun
from .request_checks import check
from .resources.runs import Submission

if TYPE_CHECKING:
    from . import Client

#: columns and, where it was chosen, the target → `{target, task, reason}`
Guess = Callable[[Sequence[JSON], str | None], JSON]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks for."""

    plan: str
    target: str | None = None
    task: str | None = None
    model: str | None = None
    project: str | None = None
    experiment: str | None = None
    setup_params: JSON = field(default_factory=dict)
    plan_params: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """The data, as a submission names it: its columns where they are known, and what to call it."""

    name: str
    part: Submission
    columns: Callable[[], JSONs] | None = None
    #: of a sample set, whose task and target are known
    known_task: str | None = None
    #: brings the data to the server, once it is clear that it takes the run; None where it is there
    send: Callable[[], Submission] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was submitted, and what was guessed on the way."""

    run: NewRun
    task: str
    target: str | None
    #: one short sentence each
    guessed: list[str]


def ask(client: Client, question: Question, table: Table, guess: Guess) -> Asked:
    """Submit the run, in the experiment that is named or in one named after the table.

    Raises
    ------
    Invalid
        When something cannot be guessed, or the server refuses the submission.
    """
    home = client.home(project=question.project)
    experiments = client.experiments.list(home.project_id, limit=None)
    named = next((row for row in experiments if row["name"] == question.experiment), None)
    task, target, guessed = _settle(question, table, named, guess)
    if named is not None and named["task"] != task:
        raise Invalid(
            f"The experiment “{named['name']}” is about {named['task']}, not {task}. "
            "Name another one."
        )
    part = table.part
    if table.send is not None:
        names = [str(column["name"]) for column in table.columns()] if table.columns else None
        check(client, question, task, target, names)
        part = table.send()
    experiment = named or _experiment(client, home, experiments, question, table, task, target)
    wanted: Submission = {
        "plan": question.plan,
        "plan_params": question.plan_params,
        "setup_params": question.setup_params,
        "target": target,
        **part,
    }
    if question.model is not None:
        wanted["model_id"] = question.model
    return Asked(client.runs.submit(experiment["id"], **wanted), task, target, guessed)


def _settle(
    question: Question, table: Table, named: Experiment | None, guess: Guess
) -> tuple[str, str | None, list[str]]:
    task = question.task or (named and named["task"]) or None
    target = question.target or (named and named["target"]) or None
    guessed: list[str] = []
    if table.known_task is not None:
        return task or table.known_task, target or SAMPLE_TARGET, guessed
    needs_target = task is None or _kind(task).target != "refused"
    if task is None or (target is None and needs_target):
        if table.columns is None:
            raise Invalid("Say --task and --target: the columns of this data are not known here.")
        columns = table.columns()
        found = guess(columns, target)
        if target is None and (task is None or needs_target):
            target = found["target"]
            guessed.append(f"target guessed: {target}" if target else "no target found")
        if task is None:
            if found["task"] is None:
                raise Invalid(found["reason"])
            task = str(found["task"])
            labels = next((one["distinct"] for one in columns if one["name"] == target), 0)
            more = f", {labels} labels" if _kind(task).answers == "labels" and labels else ""
            guessed.append(f"task guessed: {task}{more}")
    if _kind(task).target == "refused" and question.target is None:
        target = None
    return task, target, guessed


def _kind(task: str) -> TaskType:
    if task not in TASK_TYPES:
        raise Invalid(f"There is no task “{task}”; there are {', '.join(TASK_TYPES)}.")
    return TASK_TYPES[task]


def _experiment(
    client: Client,
    home: Home,
    experiments: Sequence[Experiment],
    question: Question,
    table: Table,
    task: str,
    target: str | None,
) -> Experiment:
    """One named after the table and the target, made where it is missing."""
    name = question.experiment or (f"{table.name} · {target}" if target else table.name)
    for candidate in (name, f"{name} ({task})"):
        found = next((row for row in experiments if row["name"] == candidate[:128]), None)
        if found is None:
            return client.experiments.create(home.project_id, candidate[:128], task, target)
        if found["task"] == task:
            return found
    raise Invalid(f"Name an experiment: “{name}” is about another task.")


def source_table(client: Client, source: DataSource) -> Table:
    """A data source as the data of a run."""

    def columns() -> JSONs:
        seen: JSONs = client.data_sources.preview(source["id"], rows=1)["columns"]
        return seen

    return Table(source["name"], {"data_source_id": source["id"]}, columns)


def file_table(
    client: Client,
    question: Question,
    name: str,
    columns: JSONs | None,
    upload: Callable[[], DataSource],
) -> Table:
    """A file that is not uploaded yet as the data of a run.

    `columns` is what was read of it here; where that is None it has to be uploaded before task and target
    are guessed, and what can be checked without them is checked before.
    """
    sent: list[DataSource] = []

    def send() -> Submission:
        if not sent:
            sent.append(upload())
        return {"data_source_id": sent[0]["id"]}

    def seen() -> JSONs:
        if columns is not None:
            return columns
        if not sent:
            check(client, question, question.task)
            send()
        found: JSONs = client.data_sources.preview(sent[0]["id"], rows=1)["columns"]
        return found

    return Table(name, {}, seen, send=send)


def upload_once(
    client: Client,
    content: str | Path | bytes,
    name: str,
    *,
    filename: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[DataSource, bool]:
    """Upload a table unless the workspace has one of the same bytes; whether it was uploaded.

    Raises
    ------
    Invalid
        When the file cannot be read, or is larger than the server takes.
    """
    workspace = client.home().workspace_id
    try:
        digest, size = _digest(content)
    except OSError as error:
        raise Invalid(f"{content!s} cannot be read: {error.strerror or error}.") from None
    rows = client.data_sources.list(workspace, limit=None)
    for row in rows:
        if row["kind"].endswith("_upload") and row["config"].get("sha256") == digest:
            return row, False
    cap = client.server.about()["upload_cap_bytes"]
    if size > cap:
        raise Invalid(
            f"{name} has {size / 2**20:,.0f} MiB; the server takes up to {cap / 2**20:,.0f} MiB."
        )
    free = unused(name, {row["name"] for row in rows})
    source = client.data_sources.upload(
        workspace, content, free, filename=filename, on_progress=on_progress
    )
    return source, True


def _digest(content: str | Path | bytes) -> tuple[str, int]:
    """SHA-256 and size in bytes."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest(), len(content)
    with Path(content).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return digest, stream.tell()


def sample_table(name: str) -> Table:
    """One of scikit-learn's sets as the data of a run."""
    return Table(name, {"sklearn_dataset": name}, known_task=SAMPLE_SETS[name])


def find_source(client: Client, text: str) -> DataSource:
    """A data source by name or id.

    Raises
    ------
    NotFound
        When there is none.
    """
    rows = client.data_sources.list(client.home().workspace_id, limit=None)
    for row in rows:
        if text in (row["name"], row["id"]):
            return row
    raise NotFound(f"There is no file, frame, data source or sample set “{text}”.")


def unused(name: str, taken: set[str]) -> str:
    """`name`, with a number behind it where it is taken."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def find_run(client: Client, text: str | None = None) -> str:
    """A run's id from the whole of it, its end or its beginning; without a text, the newest run's.

    Raises
    ------
    NotFound, Invalid
        When there is none, or more than one.
    """
    if text is not None and len(text) == 36:
        return text
    rows = client.runs.list(limit=500 if text else 1)
    if text is None:
        if not rows:
            raise NotFound("There is no run yet.")
        return rows[0]["id"]
    ids = [row["id"] for row in rows if row["id"].startswith(text) or row["id"].endswith(text)]
    if not ids:
        raise NotFound(f"There is no run “{text}” among the newest 500.")
    if len(ids) > 1:
        found = [row for row in rows if row["id"] in ids]
        listed = ", ".join(f"{run_name(client, row)} (…{row['id'][-6:]})" for row in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise Invalid(f"“{text}” stands for {listed}{more}; say more of the id.")
    return ids[0]


def run_name(client: Client, row: Any) -> str:
    """What people call a run: its experiment's name and its plan."""
    try:
        experiment = client.experiments.get(row["experiment_id"])["name"]
    except OpsError:
        return str(row["plan"])
    return f"{experiment} {row['plan']}"


def with_names(client: Client, message: str) -> str:
    """A sentence with names in the place of ids, as far as the server knows them."""

    def named(found: re.Match[str]) -> str:
        row_id = found.group()
        lookups: tuple[Callable[[], str], ...] = (
            lambda: run_name(client, client.runs.get(row_id)),
            lambda: client.data_sources.get(row_id)["name"],
            lambda: _version_name(client.pipelines.get(row_id)),
            lambda: client.deployments.get(row_id)["endpoint_slug"],
            lambda: client.experiments.get(row_id)["name"],
            lambda: client.projects.get(row_id)["name"],
            lambda: client.workspaces.get(row_id)["name"],
        )
        for name_of in lookups:
            with contextlib.suppress(OpsError):
                return f"“{name_of()}”"
        return row_id

    return _ID.sub(named, message)


def _version_name(row: Any) -> str:
    return f"{row['name']} v{row['version']}"


_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


# ---------------------------------------------------------------- words


def add_words(parser: argparse.ArgumentParser) -> None:
    """The options of a run, alike in the magic and on the command line."""
    parser.add_argument("plan", metavar="PLAN", help="setup, create, compare, …")
    parser.add_argument("--data", metavar="DATA", help="what to train on")
    parser.add_argument("--target", metavar="COLUMN", help="the column to predict")
    parser.add_argument("--task", choices=list(TASK_TYPES), help="guessed when left out")
    parser.add_argument("--model", metavar="ID", help="the model of a plan that takes one")
    parser.add_argument("--include", metavar="A,B", type=listed, help="exactly these models")
    parser.add_argument("--exclude", metavar="A,B", type=listed, help="all but these models")
    parser.add_argument("--fold", metavar="N", type=int, help="how many folds")
    parser.add_argument("--sort", metavar="METRIC", help="the metric that ranks")
    parser.add_argument(
        "--time-limit", metavar="S", type=float, help="seconds that the run may take"
    )
    parser.add_argument("--project", metavar="P", help="the project, by name")
    parser.add_argument("--experiment", metavar="E", help="the experiment, by name")


def listed(text: str) -> list[str]:
    """`a,b` as a list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def question_of(
    words: argparse.Namespace,
    setup_params: JSON | None = None,
    plan_params: JSON | None = None,
) -> Question:
    """What the words ask for, laid over parameters that were given elsewhere."""
    setup, plan = dict(setup_params or {}), dict(plan_params or {})
    if words.fold is not None:
        setup["fold"] = words.fold
    for name in ("include", "exclude", "sort", "time_limit"):
        value = getattr(words, name)
        if value is not None:
            plan[name] = value
    return Question(
        plan=words.plan,
        target=words.target,
        task=words.task,
        model=words.model,
        project=words.project,
        experiment=words.experiment,
        setup_params=setup,
        plan_params=plan,
    )


def assigned(texts: Sequence[str]) -> JSON:
    """`name=value` as parameters; a value that is JSON is read as such.

    Raises
    ------
    Invalid
        When one is not written so.
    """
    import json

    found: JSON = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise Invalid(f"Write “{text}” as name=value.")
        try:
            found[name.strip()] = json.loads(value)
        except ValueError:
            found[name.strip()] = value
    return found


def best_of(row: Any) -> str:
    """The winner of a run and its score, for people."""
    summary = cast("JSON", row["metrics_summary"]) or {}
    best = summary.get("best") or {}
    if best.get("value") is None:
        return str(best.get("name") or best.get("model_id") or "")
    return f"{best.get('name') or best['model_id']}, {summary.get('metric')} {best['value']:.4f}"
