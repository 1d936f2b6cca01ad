"""The one table of routes: what it names is served, and `/openapi.json` is made from it."""

from __future__ import annotations

import re
from typing import Any

from ...common.protocol import API_PREFIX
from . import (
    agent,
    data_sources,
    downloads,
    meta,
    mlflow,
    open_inference,
    predict,
    runs,
    serving,
    uploads,
    workspaces,
)
from . import (
    nested_schemas as shapes,
)
from . import schemas as s
from .base import RouteHandler, UnknownPathHandler
from .context import Route

W = "write"


def _run_route(method: str, path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(
        method,
        f"/agent/runs/{{run_id}}/{path}",
        None,
        summary,
        action="execute",
        scope=None,
        access="run",
        handler=handler,
        tag="agent",
        **more,
    )


ROUTES: tuple[Route, ...] = (
    # the server
    Route("GET", "/healthz", meta.healthz, "Is it there", access="public", answer=s.Health, tag="server"),
    Route("GET", "", meta.about, "Name and version", answer=s.About, tag="server"),
    Route("GET", "/", meta.about, "Name and version", answer=s.About, tag="server"),
    Route("GET", "/openapi.json", meta.openapi, "This document", answer=dict[str, Any], tag="server"),
    Route("GET", "/setup/status", meta.setup_status, "First use", answer=s.SetupStatus, tag="server"),
    Route("POST", "/setup/bootstrap", meta.bootstrap, "Make the first workspace", action=W, scope=None, body=s.BootstrapIn, answer=s.WorkspaceRow, status=201, errors=(409,), tag="server"),
    Route("GET", "/auth/me", meta.me, "Who is calling", answer=s.Me, tag="server"),
    # keys
    Route("GET", "/api-keys", serving.list_keys, "List keys", query=s.PageQuery, answer=list[s.ApiKeyRow], tag="keys"),
    Route("POST", "/api-keys", serving.create_key, "Make a key", action=W, scope=None, body=s.ApiKeyIn, answer=s.NewApiKeyRow, status=201, errors=(404, 409), tag="keys"),
    Route("DELETE", "/api-keys/{key_id}", serving.delete_key, "Revoke a key", action=W, scope=None, status=204, errors=(404,), tag="keys"),
    # the engine
    Route("GET", "/describe/tasks", meta.tasks, "Tasks", answer=list[shapes.TaskCard], errors=(503,), tag="describe"),
    Route("GET", "/describe/models", meta.models, "Models of a task", query=s.TaskQuery, answer=list[shapes.ModelCard], errors=(503,), tag="describe"),
    Route("GET", "/describe/models/{model_id}", meta.model, "A model", query=s.TaskQuery, answer=shapes.ModelCard, errors=(404, 503), tag="describe"),
    Route("GET", "/describe/metrics", meta.metrics, "Metrics of a task", query=s.TaskQuery, answer=list[shapes.MetricCard], errors=(503,), tag="describe"),
    Route("GET", "/describe/setup-params", meta.setup_params, "Set-up parameters of a task", query=s.TaskQuery, answer=list[shapes.ParamCard], errors=(503,), tag="describe"),
    Route("GET", "/describe/plans", meta.plans, "Plans of a task", query=s.TaskQuery, answer=list[shapes.PlanCard], errors=(503,), tag="describe"),
    Route("GET", "/describe/plots", meta.plots, "Plots of a task", query=s.TaskQuery, answer=list[shapes.PlotCard], errors=(503,), tag="describe"),
    # workspaces
    Route("GET", "/workspaces", workspaces.list_workspaces, "List workspaces", query=s.PageQuery, answer=list[s.WorkspaceRow], tag="workspaces"),
    Route("POST", "/workspaces", workspaces.create_workspace, "Make a workspace", action=W, scope=None, body=s.WorkspaceIn, answer=s.WorkspaceRow, status=201, errors=(409,), tag="workspaces"),
    Route("GET", "/workspaces/{workspace_id}", workspaces.read_workspace, "A workspace", answer=s.WorkspaceRow, errors=(404,), tag="workspaces"),
    Route("PATCH", "/workspaces/{workspace_id}", workspaces.update_workspace, "Change a workspace", action=W, scope=None, body=s.WorkspacePatch, answer=s.WorkspaceRow, errors=(404, 409), tag="workspaces"),
    Route("DELETE", "/workspaces/{workspace_id}", workspaces.delete_workspace, "Delete a workspace", action=W, scope=None, query=s.ForceQuery, status=204, errors=(404, 409), tag="workspaces"),
    Route("GET", "/workspaces/{workspace_id}/members", workspaces.list_members, "List members", query=s.PageQuery, answer=list[s.MemberRow], errors=(404,), tag="workspaces"),
    Route("POST", "/workspaces/{workspace_id}/members", workspaces.add_member, "Invite a member", action=W, scope=None, body=s.MemberIn, answer=s.MemberRow, status=201, errors=(404, 409), tag="workspaces"),
    Route("PATCH", "/workspaces/{workspace_id}/members/{user_id}", workspaces.change_member, "Change a role", action=W, scope=None, body=s.MemberPatch, answer=s.MemberRow, errors=(404, 409), tag="workspaces"),
    Route("DELETE", "/workspaces/{workspace_id}/members/{user_id}", workspaces.remove_member, "Remove a member", action=W, scope=None, status=204, errors=(404, 409), tag="workspaces"),
    # projects and experiments
    Route("GET", "/workspaces/{workspace_id}/projects", workspaces.list_projects, "List projects", query=s.PageQuery, answer=list[s.ProjectRow], errors=(404,), tag="projects"),
    Route("POST", "/workspaces/{workspace_id}/projects", workspaces.create_project, "Make a project", action=W, scope=W, body=s.ProjectIn, answer=s.ProjectRow, status=201, errors=(404, 409), tag="projects"),
    Route("GET", "/projects/{project_id}", workspaces.read_project, "A project", answer=s.ProjectRow, errors=(404,), tag="projects"),
    Route("PATCH", "/projects/{project_id}", workspaces.update_project, "Change a project", action=W, scope=W, body=s.ProjectPatch, answer=s.ProjectRow, errors=(404, 409), tag="projects"),
    Route("DELETE", "/projects/{project_id}", workspaces.delete_project, "Delete a project", action=W, scope=W, status=204, errors=(404, 409), tag="projects"),
    Route("GET", "/projects/{project_id}/experiments", workspaces.list_experiments, "List experiments", query=s.PageQuery, answer=list[s.ExperimentRow], errors=(404,), tag="projects"),
    Route("POST", "/projects/{project_id}/experiments", workspaces.create_experiment, "Make an experiment", action=W, scope=W, body=s.ExperimentIn, answer=s.ExperimentRow, status=201, errors=(404, 409), tag="projects"),
    Route("GET", "/experiments/{experiment_id}", workspaces.read_experiment, "An experiment", answer=s.ExperimentRow, errors=(404,), tag="projects"),
    Route("PATCH", "/experiments/{experiment_id}", workspaces.update_experiment, "Change an experiment", action=W, scope=W, body=s.ExperimentPatch, answer=s.ExperimentRow, errors=(404, 409), tag="projects"),
    Route("DELETE", "/experiments/{experiment_id}", workspaces.delete_experiment, "Delete an experiment", action=W, scope=W, status=204, errors=(404, 409), tag="projects"),
    # data sources
    Route("POST", "/workspaces/{workspace_id}/data-sources/upload", None, "Upload a CSV, Parquet or Excel file", action=W, scope=W, answer=s.DataSourceRow, status=201, handler=uploads.UploadHandler, errors=(404, 409, 413, 503), tag="data"),
    Route("GET", "/workspaces/{workspace_id}/data-sources", data_sources.list_sources, "List data sources", query=s.PageQuery, answer=list[s.DataSourceRow], errors=(404,), tag="data"),
    Route("POST", "/workspaces/{workspace_id}/data-sources", data_sources.register, "Register a connector", action=W, scope=W, body=s.DataSourceIn, answer=s.DataSourceRow, status=201, errors=(404, 409), tag="data"),
    Route("GET", "/data-sources/{source_id}", data_sources.read_source, "A data source", answer=s.DataSourceRow, errors=(404,), tag="data"),
    Route("PATCH", "/data-sources/{source_id}", data_sources.update_source, "Change a data source, its types, or how it is read", action=W, scope=W, body=s.DataSourcePatch, answer=s.DataSourceRow, errors=(404, 409, 503), tag="data"),
    Route("DELETE", "/data-sources/{source_id}", data_sources.delete_source, "Delete a data source", action=W, scope=W, status=204, errors=(404, 409), tag="data"),
    Route("GET", "/data-sources/{source_id}/versions", data_sources.list_versions, "Versions, newest first", query=s.PageQuery, answer=list[s.DataVersionRow], errors=(404,), tag="data"),
    Route("POST", "/data-sources/{source_id}/versions", None, "Upload a new file of the same table", action=W, scope=W, answer=s.NewVersionRow, status=201, handler=uploads.VersionUploadHandler, errors=(404, 413, 503), tag="data"),
    Route("GET", "/data-sources/{source_id}/download", None, "The file as it was uploaded", query=s.VersionQuery, answer=bytes, handler=downloads.SourceDownloadHandler, errors=(404, 416, 503), tag="data"),
    Route("GET", "/data-sources/{source_id}/preview", data_sources.preview, "First rows, and a suggestion", query=s.PreviewQuery, answer=shapes.Preview, errors=(404, 503), tag="data"),
    Route("GET", "/data-sources/{source_id}/profile", data_sources.read_profile, "The profile of all rows", query=s.ProfileQuery, answer=s.ProfileOut, errors=(404, 503), tag="data"),
    Route("POST", "/data-sources/{source_id}/profile", data_sources.make_profile, "Make the profile again", action="execute", scope=W, query=s.ProfileQuery, answer=s.ProfileOut, status=202, errors=(404, 503), tag="data"),
    Route("POST", "/data-sources/{source_id}/test", data_sources.test_source, "Connect now, and say what is seen", action="execute", scope=W, answer=s.SourceTest, errors=(404, 503), tag="data"),
    # runs
    Route("POST", "/experiments/{experiment_id}/runs", runs.submit, "Queue a run", action="execute", scope=W, body=s.RunIn, answer=s.NewRunRow, status=202, errors=(404, 413, 429, 503), tag="runs"),
    Route("GET", "/experiments/{experiment_id}/runs", runs.list_of_experiment, "List runs of an experiment", query=s.ExperimentRunsQuery, answer=list[s.RunBrief], errors=(404,), tag="runs"),
    Route("GET", "/runs", runs.list_all, "List runs", query=s.RunsQuery, answer=list[s.RunBrief], errors=(404,), tag="runs"),
    Route("GET", "/runs/{run_id}", runs.read, "A run", answer=s.RunRow, errors=(404,), tag="runs"),
    Route("DELETE", "/runs/{run_id}", runs.delete, "Delete a run", action=W, scope=W, status=204, errors=(404, 409), tag="runs"),
    Route("POST", "/runs/{run_id}/cancel", runs.cancel, "Cancel a run", action="execute", scope=W, answer=s.RunRow, errors=(404,), tag="runs"),
    Route("POST", "/runs/{run_id}/wait", runs.wait, "Wait for the end", action="read", scope="read", query=s.WaitQuery, answer=s.RunRow, errors=(404,), tag="runs"),
    Route("GET", "/runs/{run_id}/events", runs.events, "Events", query=s.EventsQuery, answer=list[s.EventRow], errors=(404,), tag="runs"),
    Route("GET", "/runs/{run_id}/events/ws", None, "Events over a WebSocket", query=s.EventsQuery, status=101, handler=runs.EventSocket, errors=(404,), tag="runs"),
    Route("GET", "/runs/{run_id}/fold-metrics", runs.fold_metrics, "Metrics by fold", query=s.PageQuery, answer=list[s.FoldMetricRow], errors=(404,), tag="runs"),
    Route("GET", "/runs/{run_id}/artifacts", runs.artifacts, "Files of a run", query=s.PageQuery, answer=list[s.ArtifactRow], errors=(404,), tag="runs"),
    Route("GET", "/artifacts/{artifact_id}/download", None, "A file", answer=bytes, handler=downloads.DownloadHandler, errors=(404, 416), tag="runs"),
    Route("GET", "/runs/{run_id}/plots", runs.plots, "Plots of a run", answer=list[s.PlotRow], errors=(404,), tag="runs"),
    Route("GET", "/runs/{run_id}/plots/{plot_id}", None, "A plot", answer=s.Figure, handler=runs.PlotHandler, errors=(404, 416), tag="runs"),
    Route("GET", "/runs/{run_id}/notebook", None, "The run as a notebook", answer=s.Notebook, handler=runs.NotebookHandler, errors=(404, 409), tag="runs"),
    # pipelines and deployments
    Route("POST", "/runs/{run_id}/models/{model_id}/keep", runs.keep, "Keep a model of a run", action="execute", scope=W, answer=s.RunRow, status=202, also=(200,), errors=(404, 409, 429), tag="runs"),
    Route("POST", "/runs/{run_id}/promote", serving.promote, "Promote a run", action="execute", scope=W, body=s.PromoteIn, answer=s.PipelineRow, status=201, errors=(404,), tag="serving"),
    Route("GET", "/workspaces/{workspace_id}/pipelines", serving.list_pipelines, "List pipelines", query=s.PageQuery, answer=list[s.PipelineRow], errors=(404,), tag="serving"),
    Route("GET", "/pipelines/{pipeline_id}", serving.read_pipeline, "A pipeline", answer=s.PipelineRow, errors=(404,), tag="serving"),
    Route("DELETE", "/pipelines/{pipeline_id}", serving.delete_pipeline, "Delete a pipeline", action=W, scope=W, status=204, errors=(404, 409), tag="serving"),
    Route("POST", "/pipelines/{pipeline_id}/deployments", serving.deploy, "Deploy a pipeline", action="execute", scope=W, body=s.DeploymentIn, answer=s.DeploymentRow, status=201, errors=(404, 409), tag="serving"),
    Route("GET", "/workspaces/{workspace_id}/deployments", serving.list_deployments, "List deployments", query=s.PageQuery, answer=list[s.DeploymentRow], errors=(404,), tag="serving"),
    Route("GET", "/deployments/{deployment}", serving.read_deployment, "A deployment", answer=s.DeploymentRow, errors=(404,), tag="serving"),
    Route("PATCH", "/deployments/{deployment}", serving.update_deployment, "Change a deployment", action="execute", scope=W, body=s.DeploymentPatch, answer=s.DeploymentRow, errors=(404,), tag="serving"),
    Route("DELETE", "/deployments/{deployment}", serving.delete_deployment, "Delete a deployment", action=W, scope=W, status=204, errors=(404,), tag="serving"),
    Route("POST", "/deployments/{deployment}/predict", None, "Predict", action="execute", scope="predict", body=s.PredictIn, answer=s.PredictOut, access="serving", handler=predict.PredictHandler, errors=(404, 409, 413, 422, 503), tag="serving"),
    Route("GET", "/deployments/{deployment}/schema", None, "What it takes and gives", scope="predict", answer=s.DeploymentSchema, access="serving", handler=predict.SchemaHandler, errors=(404,), tag="serving"),
    Route("POST", "/deployments/{deployment}/invocations", None, "Predict, in MLflow's forms", action="execute", scope="predict", body=s.InvocationsIn, answer=s.InvocationsOut, access="serving", handler=mlflow.InvocationsHandler, errors=(404, 409, 413, 422, 503), tag="serving"),
    # the Open Inference Protocol
    Route("GET", "/v2/health/live", open_inference.live, "Is it there", access="public", answer=s.Live, tag="open inference"),
    Route("GET", "/v2/health/ready", None, "Does it answer", access="public", answer=s.Ready, handler=open_inference.HealthHandler, errors=(503,), tag="open inference"),
    Route("GET", "/v2/models/{deployment}", None, "What it takes and gives", scope="predict", answer=s.ModelMetadata, access="serving", handler=open_inference.MetadataHandler, errors=(404,), tag="open inference"),
    Route("GET", "/v2/models/{deployment}/ready", None, "Does it answer", scope="predict", answer=s.Ready, access="serving", handler=open_inference.ReadyHandler, errors=(404, 409, 503), tag="open inference"),
    Route("POST", "/v2/models/{deployment}/infer", None, "Predict tensors", action="execute", scope="predict", body=s.InferIn, answer=s.InferOut, access="serving", handler=open_inference.InferHandler, errors=(404, 409, 413, 422, 503), tag="open inference"),
    # agents
    _run_route("GET", "spec", agent.SpecHandler, "What to run", errors=(409,)),
    _run_route("GET", "data", agent.DataHandler, "What to run it on", errors=(409,)),
    _run_route("GET", "holdout", agent.HoldoutHandler, "What to hold out", errors=(409,)),
    _run_route("POST", "events", agent.EventsHandler, "What happened", errors=(409,)),
    _run_route("PUT", "artifacts/{name}", agent.ArtifactHandler, "A file", errors=(409,)),
    _run_route("POST", "finish", agent.FinishHandler, "How it ended", errors=(409,)),
)  # fmt: skip


def by_path() -> dict[str, dict[str, Route]]:
    """The table grouped by path, then method."""
    grouped: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        grouped.setdefault(route.path, {})[route.method] = route
    return grouped


def pattern(path: str) -> str:
    """A path of the table as Tornado's regular expression."""
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)


def _is_for_people(item: tuple[str, dict[str, Route]]) -> bool:
    return all(route.access != "serving" for route in item[1].values())


def agent_handlers() -> list[tuple[str, Any, dict[str, Any]]]:
    """The agent's routes alone, without a prefix, for the internal listener."""
    return [
        (pattern(path), next(iter(by_method.values())).handler, {"routes": by_method})
        for path, by_method in by_path().items()
        if path.startswith("/agent/")
    ]


def handlers() -> list[tuple[str, Any, dict[str, Any]]]:
    """Handlers for all routes, and for what is none under the prefix; Tornado tries them in this order."""
    made: list[tuple[str, Any, dict[str, Any]]] = []
    # a prediction has its handler at once: behind all others it cost a twentieth of the request
    for path, by_method in sorted(by_path().items(), key=_is_for_people):
        special = next((route.handler for route in by_method.values() if route.handler), None)
        made.append((API_PREFIX + pattern(path), special or RouteHandler, {"routes": by_method}))
    made.append((API_PREFIX + "/.*", UnknownPathHandler, {}))
    return made
