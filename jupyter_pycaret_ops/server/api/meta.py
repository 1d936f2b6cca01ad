"""The server itself: health, version, first use, the caller, what the engine offers."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ... import __version__
from ...common.engine_facts import SAMPLE_SETS
from ...common.errors import Forbidden, NotFound
from ...common.task_types import TASK_TYPES
from ..store import users
from ..store.models import User
from .context import Call
from .responses import as_row
from .schemas import About, Health, Me, Membership, SetupStatus, WorkspaceRow

API_VERSION = "1"
#: in the package's repository
DOCS = "docs/README.md"


async def healthz(_call: Call) -> Health:
    """Whether the server answers; asks no database."""
    return Health(ok=True)


async def about(call: Call) -> About:
    """Name and version."""
    return About(
        name="jupyter-pycaret-ops",
        version=__version__,
        api_version=API_VERSION,
        openapi="openapi.json",
        docs=DOCS,
        upload_cap_bytes=call.services.upload_cap_bytes,
    )


async def openapi(call: Call) -> dict[str, Any]:
    """The OpenAPI document of this API."""
    return call.services.openapi_document()


async def setup_status(call: Call) -> SetupStatus:
    """Whether the first workspace was made."""

    def work(session: Session) -> SetupStatus:
        user_count, workspace_count = users.counts(session)
        return SetupStatus(users.is_bootstrapped(session), user_count, workspace_count)

    return await call.services.store.read(work)


async def bootstrap(call: Call) -> WorkspaceRow:
    """Make the first workspace and project."""
    workspace = await call.services.store.write(
        users.bootstrap, call.caller.user_id, call.body.workspace_name, call.body.project_name
    )
    return as_row(workspace, WorkspaceRow)


async def me(call: Call) -> Me:
    """Who the caller is, and where they are a member."""
    key = call.caller.key

    def work(session: Session) -> Me:
        user = session.get(User, call.caller.user_id)
        if user is None:
            raise Forbidden("This user is no longer known. Reload the page.")
        memberships = [
            Membership(row.workspace_id, row.role)  # type: ignore[arg-type]
            for row in users.memberships(session, user.id)
            if key is None or row.workspace_id == key.workspace_id
        ]
        return Me(user.id, user.name, user.display_name, memberships)

    return await call.services.store.read(work)


# ---------------------------------------------------------------- the engine


async def tasks(call: Call) -> list[dict[str, Any]]:
    """Every task, and what is missing where one cannot run."""
    description = await call.services.engine.get()
    is_available = {task["id"]: task["is_available"] for task in description["tasks"]}
    return [
        {
            "id": task.id,
            "name": task.name,
            "is_available": is_available.get(task.id, False),
            "extra": task.extra,
            "default_metric": task.default_metric,
            "target": task.target,
            "answers": task.answers,
            "rows_are_steps": task.rows_are_steps,
            "sample_sets": [name for name, suits in SAMPLE_SETS.items() if suits == task.id],
        }
        for task in TASK_TYPES.values()
    ]


def _part(name: str) -> Any:
    async def endpoint(call: Call) -> list[dict[str, Any]]:
        task = await call.services.engine.task(call.query.task)
        found: list[dict[str, Any]] = task[name]
        return found

    endpoint.__doc__ = f"The {name.replace('_', ' ')} of a task."
    return endpoint


models = _part("models")
metrics = _part("metrics")
setup_params = _part("setup_params")
plans = _part("plans")
plots = _part("plots")


async def model(call: Call) -> dict[str, Any]:
    """One model of a task."""
    task = await call.services.engine.task(call.query.task)
    for item in task["models"]:
        if item["id"] == call.params["model_id"]:
            found: dict[str, Any] = item
            return found
    raise NotFound(f"There is no model “{call.params['model_id']}” for {task['id']}.")
