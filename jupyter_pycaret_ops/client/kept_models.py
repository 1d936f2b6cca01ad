"""Keep a model of a run that has ended, and promote any model of its leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..common.errors import Conflict
from .records import Pipeline, Run

if TYPE_CHECKING:
    from . import Client


def keep_model(client: Client, run_id: str, model_id: str) -> Run:
    """Fit a model of the leaderboard on all rows, and return the run that did so once it has ended.

    Raises
    ------
    NotFound
        When the run has not scored the model.
    Conflict
        While the run has not ended, when its table is gone, or when the model could not be fitted.
    """
    run = client.runs.keep(run_id, model_id)
    if run["status"] != "succeeded":
        run = client.runs.wait(run["id"])
    if run["status"] != "succeeded":
        raise Conflict(f"{model_id} was not kept: {run['error'] or run['status']}")
    return run


def promote_model(
    client: Client,
    run_id: str,
    name: str,
    description: str | None = None,
    tags: Sequence[str] = (),
    model_id: str | None = None,
) -> Pipeline:
    """Promote the best model of a run, or `model_id`, which is kept before where it is not."""
    if model_id is not None:
        keep_model(client, run_id, model_id)
    return client.pipelines.promote(run_id, name, description, tags, model_id)
