"""Start runs from the notebook: on a DataFrame here or in a worker kernel, on a file or a data source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client import Client, run_request
from ..client.resources.runs import Submission
from ..common.custom_objects import objects_of_notebook
from ..common.engine_facts import SAMPLE_SETS
from ..common.errors import Invalid
from ..common.tables.local_file import columns_of_file
from ..common.tables.suggestion import suggest_for
from ..kernel import agent
from .dataframes import columns_of, frame_summary, is_frame, named_frames, to_parquet
from .own_objects import take_objects
from .run import Run

if TYPE_CHECKING:
    import pandas as pd

    from ..kernel.agent import NotebookObjects


def start(
    client: Client,
    request: run_request.RunRequest,
    data: Any,
    names: Mapping[str, Any],
    *,
    worker: bool = False,
) -> Run:
    """Submit a run and return it; on a DataFrame, execute it in a thread of this kernel.

    `data` is a DataFrame, or the name of one in `names`, of a file, sample set or data source. With
    `worker`, a worker kernel executes the run.
    """
    name, frame = _frame(data, names)
    setup_params, own = take_objects(request.setup_params, names)
    request = replace(request, setup_params=setup_params)
    if frame is not None and not worker:
        return _start_in_this_kernel(client, request, name, frame, own)
    if own is not None:
        raise Invalid(
            f"{' and '.join(objects_of_notebook(setup_params))}: objects of this notebook stay in it. Give a DataFrame, "
            "without --worker."
        )
    table = _server_table(client, request, name, frame)
    submitted = run_request.submit(client, request, table, suggest_for)
    return Run(
        client, submitted.run, title=submitted.target or table.name, guesses=submitted.guesses
    )


def _frame(data: Any, names: Mapping[str, Any]) -> tuple[str, pd.DataFrame | None]:
    if is_frame(data):
        frame_name = next((name for name, value in names.items() if value is data), "frame")
        return frame_name, data
    frames = named_frames(names)
    if data is None:
        if len(frames) != 1:
            listed = f"; there are {', '.join(frames)}" if frames else ""
            raise Invalid(
                f"No data are given. Use --data with a DataFrame, a file or a data source{listed}."
            )
        return next(iter(frames.items()))
    return str(data), frames.get(str(data))


def _start_in_this_kernel(
    client: Client,
    request: run_request.RunRequest,
    name: str,
    frame: pd.DataFrame,
    own: NotebookObjects | None,
) -> Run:
    part: Submission = {
        "executor": "notebook",
        "frame": {"name": name, **frame_summary(frame)},
    }
    table = run_request.Table(name, part, lambda: columns_of(frame))
    submitted = run_request.submit(client, request, table, suggest_for)
    attempt = agent.begin_in_notebook(
        client.address.api,
        submitted.run["id"],
        submitted.run["run_token"],
        # a copy: the next cell may change the DataFrame
        frame.copy(),
        client.ssl_context,
        own,
    )
    return Run(client, submitted.run, attempt, submitted.target or name, submitted.guesses)


def _server_table(
    client: Client, request: run_request.RunRequest, name: str, frame: pd.DataFrame | None
) -> run_request.Table:
    """Return data for a worker kernel: a DataFrame or file, uploaded once, or data that the server has."""
    if frame is not None:
        content = to_parquet(frame)
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
            columns_of_file(name, request.dialect),
            lambda: run_request.upload_once(client, name, Path(name).stem, dialect=request.dialect)[
                0
            ],
        )
    if name in SAMPLE_SETS:
        return run_request.sample_table(name)
    return run_request.source_table(client, run_request.find_source(client, name))
