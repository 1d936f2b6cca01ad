"""A run begun from the notebook: on a frame of it, here or in a worker kernel; on a file or a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import Client
from ..client import run_request as words
from ..client.resources.runs import Submission
from ..common.engine_facts import SAMPLE_SETS
from ..common.errors import Invalid
from ..common.tables.inference import suggest_for
from ..common.tables.local_file import columns_of_file
from ..kernel import agent
from .dataframes import as_parquet, columns_of, described, is_frame, named_frames
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
    table = _elsewhere(client, question, name, frame)
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


def _elsewhere(
    client: Client, question: words.Question, name: str, frame: pd.DataFrame | None
) -> words.Table:
    """Data that another kernel reads: a frame or a file, which is uploaded once, or what the server has."""
    if frame is not None:
        content = as_parquet(frame)
        return words.file_table(
            client,
            question,
            name,
            columns_of(frame),
            lambda: words.upload_once(client, content, name, filename=f"{name}.parquet")[0],
        )
    if Path(name).is_file():
        return words.file_table(
            client,
            question,
            Path(name).stem,
            columns_of_file(name),
            lambda: words.upload_once(client, name, Path(name).stem)[0],
        )
    if name in SAMPLE_SETS:
        return words.sample_table(name)
    return words.source_table(client, words.find_source(client, name))
