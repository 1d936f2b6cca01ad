"""The notebook interface: `%pcrun`, runs as objects, and panels under cells.

Magic and panels are imported when first used, because they import pandas and widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import display
from .default_client import client, connect

if TYPE_CHECKING:
    from .dashboard_panel import Dashboard, DeploymentsPanel
    from .profile_view import Profile
    from .run import Run
    from .serving import Deployment, Pipeline
    from .upload_panel import UploadPanel

__all__ = [
    "connect",
    "dashboard",
    "deploy",
    "deployments",
    "load",
    "profile",
    "start",
    "upload",
    "watch",
]


def _run_panel(run: Any) -> Any:
    from .run_panel import RunPanel

    return RunPanel(run)


def _deploy_panel(pipeline: Any) -> Any:
    from .deploy_panel import DeployPanel

    return DeployPanel(pipeline)


def _deployment_panel(deployment: Any) -> Any:
    from .deployment_panel import DeploymentPanel

    return DeploymentPanel(deployment)


display.register_panels(Run=_run_panel, Pipeline=_deploy_panel, Deployment=_deployment_panel)


def load(shell: Any) -> None:
    """Add `%pcrun` and its completion to a shell; may be called twice."""
    from .completion import matcher
    from .completion_cache import CompletionCache
    from .magic import PycaretMagics

    completions = CompletionCache(client)
    completions.preload()
    shell.register_magics(PycaretMagics)
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "__name__", "") != "pcrun_matcher"]
    matchers.append(matcher(shell.user_ns, completions))


def start(
    plan: str,
    data: Any,
    *,
    target: str | None = None,
    task: str | None = None,
    model: str | None = None,
    setup: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    project: str | None = None,
    experiment: str | None = None,
    worker: bool = False,
) -> Run:
    """Start a plan as `%pcrun` does; `data` is a DataFrame, or the name of a file, sample set or data source."""
    from ..client.run_request import RunRequest
    from .run_launch import start as start_run

    request = RunRequest(plan, target, task, model, project, experiment, setup or {}, params or {})
    return start_run(client(), request, data, {}, worker=worker)


def watch(run_id: str | None = None) -> Run:
    """Return a run by id, or by the beginning or end of its id; the newest without one."""
    from ..client.run_request import find_run
    from .run import Run

    default = client()
    return Run(default, default.runs.get(find_run(default, run_id)))


def upload() -> UploadPanel:
    """Return a panel to upload a file."""
    from .upload_panel import UploadPanel

    return UploadPanel(client())


def profile(source: str, target: str | None = None, version: int | None = None) -> Profile:
    """Return how a data source is read, given by name or id: types, counts and ranges of its columns.

    With `target`, each column has its association with it, and the notices say what to decide before a run.
    """
    from ..client.run_request import find_source
    from .profile_view import Profile

    default = client()
    found = find_source(default, source)
    return Profile(
        found["name"], default.data_sources.profile(found["id"], target=target, version=version)
    )


def deploy(
    pipeline: str | Pipeline, slug: str | None = None, auth: Any = "workspace"
) -> Deployment:
    """Deploy a pipeline, given as object, name (the newest version) or id; return the deployment."""
    from .serving import Pipeline, find_pipeline

    found = pipeline if isinstance(pipeline, Pipeline) else find_pipeline(client(), pipeline)
    return found.deploy(slug, auth)


def deployments() -> DeploymentsPanel:
    """Return a panel with the deployments of the workspace."""
    from .dashboard_panel import DeploymentsPanel

    return DeploymentsPanel(client())


def dashboard() -> Dashboard:
    """Return a panel with upload, runs and deployments."""
    from .dashboard_panel import Dashboard

    return Dashboard(client())
