"""A run begun from the notebook: on a frame of it, here or in a worker kernel; on a file or a source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import Client, run_request
from ..client.resources.runs import Submission
from ..common.engine_facts import SAMPLE_SETS
from ..common.errors import Invalid
from ..common.tables.local_file import columns_of_file
from ..common.tables.suggestion import suggest_for
from ..kernel import agent
from .dataframes import as_parquet, columns_of, described, is_frame, named_frames
from .run import Run

if TYPE_CHECKING:
    import pandas as pd


def start(
    client: Client,
    request: run_request.RunRequest,
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
        return _here(client, request, name, frame)
    table = _elsewhere(client, request, name, frame)
    submitted = run_request.submit(client, request, table, suggest_for)
    return Run(
        client, submitted.run, title=submitted.target or table.name, guessed=submitted.guesses
    )


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


def _here(client: Client, request: run_request.RunRequest, name: str, frame: pd.DataFrame) -> Run:
    part: Submission = {
        "executor": "notebook",
        "frame": {"name": name, **described(frame)},
    }
    table = run_request.Table(name, part, lambda: columns_of(frame))
    submitted = run_request.submit(client, request, table, suggest_for)
    attempt = agent.begin_here(
        client.address.api,
        submitted.run["id"],
        submitted.run["run_token"],
        # the next cell may change it
        frame.copy(),
        client.ssl_context,
    )
    return Run(client, submitted.run, attempt, submitted.target or name, submitted.guesses)


def _elsewhere(
    client: Client, request: run_request.RunRequest, name: str, frame: pd.DataFrame | None
) -> run_request.Table:
    """Data that another kernel reads: a frame or a file, which is uploaded once, or what the server has."""
    if frame is not None:
        content = as_parquet(frame)
        return run_request.file_table(
            client,
            request,
            name,
            columns_of(frame),
            lambda: run_request.upload_once(client, content, name, filename=f"{name}.parquet")[0],
        )
    if Path(name).is_file():
        return run_request.file_table(
            client,
            request,
            Path(name).stem,
            columns_of_file(name),
            lambda: run_request.upload_once(client, name, Path(name).stem)[0],
        )
    if name in SAMPLE_SETS:
        return run_request.sample_table(name)
    return run_request.source_table(client, run_request.find_source(client, name))
