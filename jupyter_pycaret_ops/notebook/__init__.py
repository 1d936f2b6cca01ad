"""In the notebook: `%pcrun`, the run as an object, and panels under cells.

The magic and the panels are imported when they are asked for: they bring pandas and widgets with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import display
from .default_client import client, connect

if TYPE_CHECKING:
    from .dashboard_panel import Dashboard, DeploymentsPanel
    from .run import Run
    from .serving import Deployment, Pipeline
    from .upload_panel import UploadPanel

__all__ = ["connect", "dashboard", "deploy", "deployments", "load", "start", "upload", "watch"]


def _run_panel(run: Any) -> Any:
    from .run_panel import RunPanel

    return RunPanel(run)


def _deploy_panel(pipeline: Any) -> Any:
    from .deploy_panel import DeployPanel

    return DeployPanel(pipeline)


def _deployment_panel(deployment: Any) -> Any:
    from .deployment_panel import DeploymentPanel

    return DeploymentPanel(deployment)


display.drawn_by(Run=_run_panel, Pipeline=_deploy_panel, Deployment=_deployment_panel)


def load(shell: Any) -> None:
    """Add `%pcrun` and its completion to a shell; twice does no harm."""
    from .completion import matcher
    from .completion_cache import CompletionCache
    from .magic import PycaretMagics

    completions = CompletionCache(client)
    completions.begin()
    shell.register_magics(PycaretMagics)
    known = shell.Completer.custom_matchers
    known[:] = [one for one in known if getattr(one, "__name__", "") != "pcrun_matcher"]
    known.append(matcher(shell.user_ns, completions))


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
    """What `%pcrun` does, as a call: `data` is a frame, or the name of a file, sample set or source."""
    from ..client.run_request import RunRequest
    from .run_launch import start as begin

    request = RunRequest(plan, target, task, model, project, experiment, setup or {}, params or {})
    return begin(client(), request, data, {}, worker=worker)


def watch(run_id: str | None = None) -> Run:
    """A run by id, or by the beginning or end of it; the newest without one. Its panel is how it looks."""
    from ..client.run_request import find_run
    from .run import Run

    caller = client()
    return Run(caller, caller.runs.get(find_run(caller, run_id)))


def upload() -> UploadPanel:
    """A place to drop a file."""
    from .upload_panel import UploadPanel

    return UploadPanel(client())


def deploy(
    pipeline: str | Pipeline, slug: str | None = None, auth: Any = "workspace"
) -> Deployment:
    """Deploy a pipeline, given by object, name (the newest version) or id."""
    from .serving import Pipeline, find_pipeline

    known = pipeline if isinstance(pipeline, Pipeline) else find_pipeline(client(), pipeline)
    return known.deploy(slug, auth)


def deployments() -> DeploymentsPanel:
    """The deployments of the workspace, with their counts."""
    from .dashboard_panel import DeploymentsPanel

    return DeploymentsPanel(client())


def dashboard() -> Dashboard:
    """Upload, runs and deployments in one place."""
    from .dashboard_panel import Dashboard

    return Dashboard(client())
