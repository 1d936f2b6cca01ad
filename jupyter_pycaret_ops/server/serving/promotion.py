"""Promotion: the fitted pipeline of a run, copied and stored under a name and a version."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from ...common.errors import Invalid, Unavailable
from ...common.protocol import (
    PIPELINE_KIND,
    RECORD_FIELDS,
    SCHEMA_KIND,
    TRAINING_PROFILE_KIND,
)
from ..files.file_store import FileStore
from ..lifecycle import Status
from ..store import artifacts as artifact_rows
from ..store import kept_models, pipelines, runs
from ..store.access import Caller, Role
from ..store.ids import new_id
from ..store.models import Artifact, Pipeline, Run
from ..store.session import Store


async def promote(
    store: Store,
    artifacts: FileStore,
    caller: Caller,
    run_id: str,
    *,
    name: str,
    description: str | None,
    tags: list[str],
    model_id: str | None,
) -> Pipeline:
    """Promote the best model of a run, or another one whose pipeline is kept; return the pipeline.

    The pipeline has its own copy of the file, so the run may be deleted afterwards.

    Raises
    ------
    Invalid
        Unless the pipeline of that model is kept: by the run when it succeeded, or since.
    Unavailable
        When the files of the run cannot be read.
    """

    def read(session: Session) -> tuple[Run, Artifact, Artifact, Artifact | None]:
        run = runs.read(session, caller, run_id, Role.MEMBER)
        keeper = run if model_id is None else kept_models.keeper(session, run, model_id) or run
        if keeper.status != Status.SUCCEEDED:
            raise Invalid(_not_kept_yet(run, keeper))
        stored = artifact_rows.of_run(session, keeper.id, PIPELINE_KIND)
        schemas = artifact_rows.of_run(session, keeper.id, SCHEMA_KIND)
        if not stored or not schemas:
            raise Invalid(f"The run kept no pipeline: its plan was {run.plan}.")
        profiles = artifact_rows.of_run(session, keeper.id, TRAINING_PROFILE_KIND)
        profile = profiles[-1] if profiles else None
        return run, _choose(run, stored, model_id), schemas[-1], profile

    run, artifact, schema_file, profile_file = await store.read(read)
    schema = await _read_json(artifacts, schema_file, "input schema")
    profile = profile_file and await _read_json(artifacts, profile_file, "training profile")
    storage_key = f"pipelines/{new_id()}.pkl"
    await artifacts.in_thread_whole(artifacts.copy, artifact.storage_key, storage_key)
    try:
        return await store.write(
            pipelines.create,
            caller,
            run.workspace_id,
            {
                "name": name,
                "description": description,
                "tags": tags,
                "model_id": artifact.model_id or run.model_id or "",
                "origin_run_id": run.id,
                "task": run.snapshot["task"],
                "labels": schema.get("labels"),
                "metrics": _metrics(run, artifact.model_id),
                "versions": run.snapshot.get("versions") or {},
                "input_schema": schema,
                "threshold": (_record(run, artifact.model_id).get("threshold") or {}).get("value"),
                "training_profile": profile,
                "sha256": artifact.sha256,
                "signature": artifact.signature,
                "size_bytes": artifact.size_bytes,
                "storage_key": storage_key,
            },
        )
    except BaseException:
        await asyncio.shield(artifacts.in_thread(artifacts.delete, storage_key))
        raise


def _not_kept_yet(run: Run, keeper: Run) -> str:
    if keeper is not run:
        return f"The model is being kept: run {keeper.id} is {keeper.status}. Wait for its end."
    return (
        f"The run is {run.status}; only a run that has succeeded can be promoted, and models of others that were kept "
        "since."
    )


async def _read_json(artifacts: FileStore, file: Artifact, what: str) -> dict[str, Any]:
    content = await artifacts.in_thread(artifacts.read, file.storage_key)
    try:
        found: dict[str, Any] = json.loads(content)
    except ValueError as error:
        raise Unavailable(
            f"The run's {what} is damaged in the file store. Restore the file, or run again.",
            retry_after_s=60,
        ) from error
    return found


def _choose(run: Run, stored: Sequence[Artifact], model_id: str | None) -> Artifact:
    by_model: dict[str | None, Artifact] = {item.model_id: item for item in stored}
    if model_id is None:
        best = (run.metrics_summary.get("best") or {}).get("model_id")
        return by_model.get(best, stored[0])
    if model_id not in by_model:
        names = ", ".join(str(name) for name in by_model)
        raise Invalid(
            f"The run kept no pipeline of “{model_id}”, only of {names}. "
            f"POST runs/{run.id}/models/{model_id}/keep fits it on all rows and keeps it.",
            errors=[{"loc": ["model_id"], "msg": "the run kept no pipeline of this model"}],
        )
    return by_model[model_id]


def _record(run: Run, model_id: str | None) -> dict[str, Any]:
    return next((one for one in run.leaderboard if one.get("model_id") == model_id), {})


def _metrics(run: Run, model_id: str | None) -> dict[str, Any]:
    record = _record(run, model_id)
    return {key: value for key, value in record.items() if key not in RECORD_FIELDS}
