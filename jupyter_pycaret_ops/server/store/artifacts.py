"""Files that runs made, and the numbers of their folds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...common.errors import NotFound
from ...common.protocol import PLOT_KIND
from .access import Caller, Role, require
from .models import Artifact, FoldMetric, Run
from .paging import Page, PageRequest, newest_first
from .runs import current_attempt
from .runs import read as read_run


def put(
    session: Session,
    run_id: str,
    attempt: int,
    *,
    filename: str,
    kind: str,
    model_id: str | None,
    sha256: str,
    signature: str,
    size_bytes: int,
    content_type: str,
    storage_key: str,
) -> tuple[Artifact, str | None]:
    """Record a file that has arrived whole; returns it and the storage key of what it replaces."""
    current_attempt(session, run_id, attempt)
    artifact = session.scalar(
        select(Artifact).where(Artifact.run_id == run_id, Artifact.filename == filename)
    )
    replaced = None
    if artifact is None:
        artifact = Artifact(run_id=run_id, filename=filename)
        session.add(artifact)
    else:
        replaced = artifact.storage_key
    artifact.kind = kind
    artifact.model_id = model_id
    artifact.attempt = attempt
    artifact.sha256 = sha256
    artifact.signature = signature
    artifact.size_bytes = size_bytes
    artifact.content_type = content_type
    artifact.storage_key = storage_key
    session.flush()
    return artifact, replaced


def list_page(session: Session, caller: Caller, run_id: str, page: PageRequest) -> Page:
    """The files of a run."""
    read_run(session, caller, run_id)
    return newest_first(session, select(Artifact).where(Artifact.run_id == run_id), Artifact, page)


def read(session: Session, caller: Caller, artifact_id: str) -> Artifact:
    """One file's record."""
    artifact = session.get(Artifact, artifact_id)
    if artifact is None:
        raise NotFound("There is no such artifact.")
    run = session.get_one(Run, artifact.run_id)
    require(session, caller, run.workspace_id, Role.VIEWER, "artifact")
    return artifact


def of_run(session: Session, run_id: str, kind: str) -> Sequence[Artifact]:
    """The files of one kind that a run made, oldest first."""
    query = (
        select(Artifact)
        .where(Artifact.run_id == run_id, Artifact.kind == kind)
        .order_by(Artifact.id)
    )
    return list(session.scalars(query))


def plots(session: Session, caller: Caller, run_id: str) -> list[Artifact]:
    """The plots of a run, in the order in which they were drawn."""
    read_run(session, caller, run_id)
    return list(of_run(session, run_id, PLOT_KIND))


def plot(session: Session, caller: Caller, run_id: str, plot_id: str) -> Artifact:
    """One plot of a run.

    Raises
    ------
    NotFound
        When the run has none of that name; the message lists those it has.
    """
    made = plots(session, caller, run_id)
    found = next((item for item in made if plot_id_of(item) == plot_id), None)
    if found is None:
        names = ", ".join(plot_id_of(item) for item in made)
        raise NotFound(
            f"This run has no plot “{plot_id}”; it has: {names}."
            if made
            else "This run has no plots."
        )
    return found


def plot_id_of(artifact: Artifact) -> str:
    """The id that `/describe/plots` gives a plot, from the name of its file."""
    return artifact.filename.removeprefix("plot-").removesuffix(".json")


def fold_metrics(session: Session, caller: Caller, run_id: str, page: PageRequest) -> Page:
    """The fold metrics of a run."""
    read_run(session, caller, run_id)
    query = select(FoldMetric).where(FoldMetric.run_id == run_id)
    return newest_first(session, query, FoldMetric, page)
