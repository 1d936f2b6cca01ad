"""Deployments: pipelines that answer under a name, and their counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import Conflict, Invalid, NotFound
from .access import Caller, Role, require
from .models import Deployment, Pipeline
from .paging import Page, PageRequest, newest_first
from .pipelines import read as read_pipeline

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KEPT_LATENCIES = 100


@dataclass(slots=True)
class Tally:
    """What one server has counted for a deployment since it last wrote it down."""

    answered: int = 0
    refused: int = 0
    last_at: datetime | None = None
    latencies_ms: list[float] = field(default_factory=list)


def check_slug(slug: str) -> None:
    """Raise Invalid unless the whole slug is of the form that API.md gives."""
    if not SLUG.fullmatch(slug) or UUID.fullmatch(slug):
        raise Invalid(
            "The endpoint name must be 3 to 64 lower-case letters, digits and dashes, "
            "begin and end with a letter or digit, and not look like an id.",
            errors=[
                {"loc": ["endpoint_slug"], "msg": "must match [a-z0-9][a-z0-9-]{1,62}[a-z0-9]"}
            ],
        )


def create(
    session: Session,
    caller: Caller,
    pipeline_id: str,
    slug: str,
    auth_mode: str,
    threshold: float | None = None,
) -> Deployment:
    """Deploy a pipeline behind a name."""
    pipeline = read_pipeline(session, caller, pipeline_id, Role.MEMBER)
    check_slug(slug)
    if threshold is not None:
        check_threshold(threshold, pipeline.labels, pipeline.input_schema)
    if session.scalar(select(Deployment.id).where(Deployment.endpoint_slug == slug)) is not None:
        raise Conflict(f"The endpoint name “{slug}” is taken. Choose another one.")
    deployment = Deployment(
        workspace_id=pipeline.workspace_id,
        pipeline_id=pipeline.id,
        endpoint_slug=slug,
        status="active",
        auth_mode=auth_mode,
        threshold=threshold,
        inference_count=0,
        error_count=0,
        recent_latencies_ms=[],
        created_by=caller.user_id,
    )
    session.add(deployment)
    session.flush()
    session.refresh(deployment, ["pipeline_threshold"])
    return deployment


def check_threshold(
    threshold: float, labels: Sequence[Any] | None, input_schema: Mapping[str, Any]
) -> None:
    """Raise Invalid for what is no threshold of a pipeline with these labels and that input schema."""
    if labels is None or len(labels) != 2:
        reason = "it is for pipelines that answer one of two labels"
    elif not input_schema.get("proba"):
        reason = "this pipeline has no probabilities"
    elif not 0 <= threshold <= 1:
        reason = "it is a probability, from 0 to 1"
    else:
        return
    raise Invalid(
        f"The threshold cannot be {threshold:g}: {reason}.",
        errors=[{"loc": ["threshold"], "msg": reason}],
    )


def find(session: Session, name: str) -> Deployment | None:
    """The deployment with that slug or id; no caller asked for."""
    column = Deployment.id if UUID.fullmatch(name) else Deployment.endpoint_slug
    return session.scalar(select(Deployment).where(column == name))


def served(session: Session, name: str) -> tuple[Deployment, Pipeline] | None:
    """The deployment and what it serves; no caller asked for."""
    deployment = find(session, name)
    if deployment is None:
        return None
    return deployment, session.get_one(Pipeline, deployment.pipeline_id)


def read(session: Session, caller: Caller, name: str, least: Role = Role.VIEWER) -> Deployment:
    """The deployment with that slug or id, where the caller has at least that role.

    A slug can be guessed: to a key of another workspace it is one that does not exist.
    """
    deployment = find(session, name)
    is_elsewhere = (
        deployment is not None
        and caller.key is not None
        and caller.key.workspace_id != deployment.workspace_id
    )
    if deployment is None or is_elsewhere:
        raise NotFound("There is no such deployment.")
    require(session, caller, deployment.workspace_id, least, "deployment")
    return deployment


def list_page(session: Session, caller: Caller, workspace_id: str, page: PageRequest) -> Page:
    """The deployments of a workspace."""
    require(session, caller, workspace_id, Role.VIEWER, "workspace")
    query = select(Deployment).where(Deployment.workspace_id == workspace_id)
    return newest_first(session, query, Deployment, page)


def update(session: Session, caller: Caller, name: str, changes: dict[str, Any]) -> Deployment:
    """Change pipeline, status, access or threshold; another pipeline brings its own threshold."""
    deployment = read(session, caller, name, Role.MEMBER)
    pipeline: Pipeline | None = None
    if "pipeline_id" in changes:
        pipeline = session.get(Pipeline, changes["pipeline_id"])
        if pipeline is None or pipeline.workspace_id != deployment.workspace_id:
            raise Invalid(
                "The pipeline is not one of this workspace.",
                errors=[{"loc": ["pipeline_id"], "msg": "no such pipeline in this workspace"}],
            )
        if pipeline.id != deployment.pipeline_id:
            changes = {"threshold": None, **changes}
    if changes.get("threshold") is not None:
        pipeline = pipeline or session.get_one(Pipeline, deployment.pipeline_id)
        check_threshold(changes["threshold"], pipeline.labels, pipeline.input_schema)
    for column, value in changes.items():
        setattr(deployment, column, value)
    session.flush()
    session.refresh(deployment, ["pipeline_threshold"])
    return deployment


def delete(session: Session, caller: Caller, name: str) -> Deployment:
    """Take a deployment down; returns what it was."""
    deployment = read(session, caller, name, Role.MEMBER)
    session.delete(deployment)
    session.flush()
    return deployment


def add_counts(session: Session, tallies: dict[str, Tally]) -> None:
    """Add what a server counted; several servers' counts add up."""
    # in one order, so that servers never wait for each other in a circle
    for deployment_id, tally in sorted(tallies.items()):
        row = session.get(Deployment, deployment_id, with_for_update=True)
        if row is None:
            continue
        row.inference_count += tally.answered
        row.error_count += tally.refused
        if tally.last_at is not None and (
            row.last_inference_at is None or tally.last_at > row.last_inference_at
        ):
            row.last_inference_at = tally.last_at
        if tally.latencies_ms:
            row.recent_latencies_ms = [*row.recent_latencies_ms, *tally.latencies_ms][
                -KEPT_LATENCIES:
            ]
    session.flush()
