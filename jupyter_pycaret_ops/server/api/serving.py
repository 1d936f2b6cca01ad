"""Promotion, pipelines, deployments and API keys."""

from __future__ import annotations

from ..serving.promotion import promote as promote_run
from ..store import deployments, keys, pipelines
from ..store.paging import PageRequest
from . import responses
from .context import Call, Listing
from .responses import as_row, listing
from .schemas import ApiKeyRow, DeploymentRow, NewApiKeyRow, PipelineRow


async def promote(call: Call) -> PipelineRow:
    """Keep a run's pipeline under a name; the name's next version."""
    body = call.body
    pipeline = await promote_run(
        call.services.store,
        call.services.artifacts,
        call.caller,
        call.params["run_id"],
        name=body.name,
        description=body.description,
        tags=body.tags,
        model_id=body.model_id,
    )
    return as_row(pipeline, PipelineRow)


async def list_pipelines(call: Call) -> Listing:
    """The pipelines of a workspace."""
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        pipelines.list_page, call.caller, call.params["workspace_id"], page
    )
    return listing(found, PipelineRow)


async def read_pipeline(call: Call) -> PipelineRow:
    """One pipeline."""
    pipeline = await call.services.store.read(
        pipelines.read, call.caller, call.params["pipeline_id"]
    )
    return as_row(pipeline, PipelineRow)


async def delete_pipeline(call: Call) -> None:
    """Delete a pipeline that is not deployed, and its file."""
    key = await call.services.store.write(pipelines.delete, call.caller, call.params["pipeline_id"])
    await call.services.artifacts.in_thread(call.services.artifacts.delete, key)


# ---------------------------------------------------------------- deployments


async def deploy(call: Call) -> DeploymentRow:
    """Put a pipeline behind a name."""
    deployment = await call.services.store.write(
        deployments.create,
        call.caller,
        call.params["pipeline_id"],
        call.body.endpoint_slug,
        call.body.auth_mode,
        call.body.threshold,
    )
    endpoints = call.services.endpoints
    await endpoints.preload(deployment.endpoint_slug)
    return await responses.deployment(deployment, endpoints)


async def list_deployments(call: Call) -> Listing:
    """The deployments of a workspace, with live counts."""
    await call.services.statistics.flush()
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(
        deployments.list_page, call.caller, call.params["workspace_id"], page
    )
    listed = [await responses.deployment(row, call.services.endpoints) for row in found.rows]
    return Listing(listed, found.next_cursor)


async def read_deployment(call: Call) -> DeploymentRow:
    """One deployment, by id or slug, with live counts."""
    await call.services.statistics.flush()
    row = await call.services.store.read(deployments.read, call.caller, call.params["deployment"])
    return await responses.deployment(row, call.services.endpoints)


async def update_deployment(call: Call) -> DeploymentRow:
    """Change a deployment's pipeline, status, access or threshold; in force at once."""
    await call.services.statistics.flush()
    row = await call.services.store.write(
        deployments.update, call.caller, call.params["deployment"], call.body.changes()
    )
    endpoints = call.services.endpoints
    endpoints.evict(row.id)
    await endpoints.preload(row.endpoint_slug)
    return await responses.deployment(row, endpoints)


async def delete_deployment(call: Call) -> None:
    """Take a deployment down."""
    row = await call.services.store.write(
        deployments.delete, call.caller, call.params["deployment"]
    )
    call.services.endpoints.evict(row.id)
    call.services.metrics.forget(row.endpoint_slug)


# ---------------------------------------------------------------- keys


async def list_keys(call: Call) -> Listing:
    """The caller's keys, and all keys of the workspaces that they administer."""
    await call.services.identities.note_use()
    page = PageRequest(call.query.limit, call.query.cursor)
    found = await call.services.store.read(keys.list_page, call.caller, page)
    return listing(found, ApiKeyRow)


async def create_key(call: Call) -> NewApiKeyRow:
    """Make a key; its secret is answered this once."""
    body = call.body
    key, secret = await call.services.store.write(
        keys.create,
        call.caller,
        name=body.name,
        workspace_id=body.workspace_id,
        scopes=body.scopes,
        deployment_id=body.deployment_id,
        expires_at=body.expires_at,
        now=call.services.clock.now(),
    )
    row = as_row(key, ApiKeyRow)
    return NewApiKeyRow(**{name: getattr(row, name) for name in row.__struct_fields__}, key=secret)


async def delete_key(call: Call) -> None:
    """Revoke a key, at once in this server; it stays listed with `revoked_at`."""
    services = call.services
    await services.store.write(
        keys.revoke, call.caller, call.params["key_id"], services.clock.now()
    )
    call.services.identities.forget()
