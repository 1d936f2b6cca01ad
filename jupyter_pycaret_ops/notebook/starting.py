"""A run begun from the notebook: on a frame of it, here or in a worker kernel; on a file or a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..client import asking as words
from ..client.work import Submission
from ..errors import Invalid
from ..in_kernel import agent
from ..tables.inference import suggest_for
from .frames import as_parquet, columns_of, described, is_frame, named_frames
from .run import Run

if TYPE_CHECKING:
    import pandas as pd


def start(
    client: Client,
    question: words.Question,
    data: Any,
    names: Mapping[str, Any],
    *,
    worker: bool = False,
) -> Run:
    """Submit a run and, on a frame, execute it in a thread of this kernel.

    `data` is a frame, or the name of one, of a file, of a sample set or of a data source.
    """
    name, frame = _frame(data, names)
    if frame is not None and not worker:
        return _here(client, question, name, frame)
    table = _uploaded(client, name, frame) if frame is not None else _elsewhere(client, name)
    asked = words.ask(client, question, table, suggest_for)
    return Run(client, asked.run, title=asked.target or table.name, guessed=asked.guessed)


def _frame(data: Any, names: Mapping[str, Any]) -> tuple[str, pd.DataFrame | None]:
    if is_frame(data):
        found = next((name for name, value in names.items() if value is data), "frame")
        return found, data
    frames = named_frames(names)
    if data is None:
        if len(frames) != 1:
            listed = f"; there are {', '.join(frames)}" if frames else ""
            raise Invalid(f"Say what to train on: --data NAME, a file or a data source{listed}.")
        return next(iter(frames.items()))
    return str(data), frames.get(str(data))


def _here(client: Client, question: words.Question, name: str, frame: pd.DataFrame) -> Run:
    part: Submission = {
        "executor": "notebook",
        "frame": {"name": name, **described(frame)},
    }
    table = words.Table(name, part, lambda: columns_of(frame))
    asked = words.ask(client, question, table, suggest_for)
    attempt = agent.begin_here(
        client.address.api,
        asked.run["id"],
        asked.run["run_token"],
        # the next cell may change it
        frame.copy(),
        client.trust,
    )
    return Run(client, asked.run, attempt, asked.target or name, asked.guessed)


def _uploaded(client: Client, name: str, frame: pd.DataFrame) -> words.Table:
    workspace = client.home().workspace_id
    taken = {row["name"] for row in client.data_sources.list(workspace, limit=None)}
    source = client.data_sources.upload(
        workspace, as_parquet(frame), words.unused(name, taken), filename=f"{name}.parquet"
    )
    return words.source_table(client, source)


def _elsewhere(client: Client, name: str) -> words.Table:
    if Path(name).is_file():
        workspace = client.home().workspace_id
        taken = {row["name"] for row in client.data_sources.list(workspace, limit=None)}
        source = client.data_sources.upload(workspace, name, words.unused(Path(name).stem, taken))
        return words.source_table(client, source)
    if name in words.SKLEARN_SETS:
        return words.sample_table(name)
    return words.source_table(client, words.find_source(client, name))
