"""Pipelines, deployments and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from ..records import JSON, AuthMode, Deployment, DeploymentSchema, Pipeline, Predictions
from ..transport import segment
from .workspaces import Room


class DeploymentChanges(TypedDict, total=False):
    """What can change of a deployment."""

    pipeline_id: str
    status: Literal["active", "paused"]
    auth_mode: AuthMode


class Pipelines(Room):
    """Promoted pipelines, by name and version."""

    def promote(
        self,
        run_id: str,
        name: str,
        description: str | None = None,
        tags: Sequence[str] = (),
        model_id: str | None = None,
    ) -> Pipeline:
        """Keep a run's pipeline under a name; the best model's, unless another is named."""
        body = {"name": name, "description": description, "tags": [*tags], "model_id": model_id}
        row: Pipeline = self._line.post(f"/runs/{segment(run_id)}/promote", body)
        return row

    def list(self, workspace_id: str, limit: int | None = 100) -> list[Pipeline]:
        """Pipelines of a workspace."""
        return self._line.pages(f"/workspaces/{segment(workspace_id)}/pipelines", limit)

    def get(self, pipeline_id: str) -> Pipeline:
        """A pipeline."""
        row: Pipeline = self._line.get(f"/pipelines/{segment(pipeline_id)}")
        return row

    def delete(self, pipeline_id: str) -> None:
        """Delete a pipeline that no deployment refers to."""
        self._line.delete(f"/pipelines/{segment(pipeline_id)}")

    def deploy(
        self, pipeline_id: str, endpoint_slug: str, auth_mode: AuthMode = "workspace"
    ) -> Deployment:
        """Put a pipeline behind an endpoint."""
        body = {"endpoint_slug": endpoint_slug, "auth_mode": auth_mode}
        row: Deployment = self._line.post(f"/pipelines/{segment(pipeline_id)}/deployments", body)
        return row


class Deployments(Room):
    """Endpoints, by id or slug."""

    def list(self, workspace_id: str, limit: int | None = 100) -> list[Deployment]:
        """Deployments of a workspace."""
        return self._line.pages(f"/workspaces/{segment(workspace_id)}/deployments", limit)

    def get(self, deployment: str) -> Deployment:
        """A deployment with its live counts."""
        row: Deployment = self._line.get(f"/deployments/{segment(deployment)}")
        return row

    def update(self, deployment: str, **changes: Unpack[DeploymentChanges]) -> Deployment:
        """Change its pipeline, status or access."""
        row: Deployment = self._line.patch(f"/deployments/{segment(deployment)}", changes)
        return row

    def delete(self, deployment: str) -> None:
        """Delete a deployment."""
        self._line.delete(f"/deployments/{segment(deployment)}")

    def predict(
        self,
        deployment: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        proba: bool = False,
        ignore_extra: bool = False,
    ) -> Predictions:
        """Predict rows, with probabilities if asked for; `ignore_extra` lets unknown columns pass."""
        answer: Predictions = self._line.post(
            f"/deployments/{segment(deployment)}/predict",
            {"rows": [dict(row) for row in rows]},
            proba=proba or None,
            extra="ignore" if ignore_extra else None,
        )
        return answer

    def forecast(self, deployment: str, horizon: int) -> Predictions:
        """The next steps of a time series without exogenous columns."""
        answer: Predictions = self._line.post(
            f"/deployments/{segment(deployment)}/predict", {"horizon": horizon}
        )
        return answer

    def schema(self, deployment: str) -> DeploymentSchema:
        """What a row looks like, an example, and the labels."""
        answer: DeploymentSchema = self._line.get(f"/deployments/{segment(deployment)}/schema")
        return answer

    def invocations(self, deployment: str, body: Mapping[str, Any]) -> JSON:
        """Predict with a body in one of MLflow's forms."""
        answer: JSON = self._line.post(f"/deployments/{segment(deployment)}/invocations", body)
        return answer


class OpenInference(Room):
    """The Open Inference Protocol."""

    def is_live(self) -> bool:
        """Whether the server is there; asks for no credential."""
        return bool(self._line.get("/v2/health/live")["live"])

    def is_ready(self) -> bool:
        """Whether it answers requests; asks for no credential."""
        return bool(self._line.get("/v2/health/ready")["ready"])

    def metadata(self, deployment: str) -> JSON:
        """Inputs and outputs of a deployment."""
        answer: JSON = self._line.get(f"/v2/models/{segment(deployment)}")
        return answer

    def is_model_ready(self, deployment: str) -> bool:
        """Whether a deployment is active."""
        return bool(self._line.get(f"/v2/models/{segment(deployment)}/ready")["ready"])

    def infer(self, deployment: str, body: Mapping[str, Any]) -> JSON:
        """Predict tensors."""
        answer: JSON = self._line.post(f"/v2/models/{segment(deployment)}/infer", body)
        return answer
