"""Resources: pipelines, deployments and the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from ..records import (
    JSON,
    AuthMode,
    Deployment,
    DeploymentChanges,
    DeploymentSchema,
    Pipeline,
    Predictions,
)
from ..transport import segment
from .workspaces import Resource


class Pipelines(Resource):
    """Promoted pipelines, by name and version."""

    def promote(
        self,
        run_id: str,
        name: str,
        description: str | None = None,
        tags: Sequence[str] = (),
        model_id: str | None = None,
    ) -> Pipeline:
        """Promote the pipeline of a run under a name; of its best model, unless `model_id` is given."""
        body = {"name": name, "description": description, "tags": [*tags], "model_id": model_id}
        record: Pipeline = self._transport.post(f"/runs/{segment(run_id)}/promote", body)
        return record

    def list(self, workspace_id: str, limit: int | None = 100) -> list[Pipeline]:
        """Return the pipelines of a workspace."""
        return self._transport.list(f"/workspaces/{segment(workspace_id)}/pipelines", limit)

    def get(self, pipeline_id: str) -> Pipeline:
        """Return a pipeline."""
        record: Pipeline = self._transport.get(f"/pipelines/{segment(pipeline_id)}")
        return record

    def delete(self, pipeline_id: str) -> None:
        """Delete a pipeline that no deployment refers to."""
        self._transport.delete(f"/pipelines/{segment(pipeline_id)}")

    def deploy(
        self,
        pipeline_id: str,
        endpoint_slug: str,
        auth_mode: AuthMode = "workspace",
        threshold: float | None = None,
    ) -> Deployment:
        """Deploy a pipeline under an endpoint slug; `threshold` in place of the pipeline's, for two labels."""
        body = {"endpoint_slug": endpoint_slug, "auth_mode": auth_mode, "threshold": threshold}
        record: Deployment = self._transport.post(
            f"/pipelines/{segment(pipeline_id)}/deployments", body
        )
        return record


class Deployments(Resource):
    """Deployments, by id or slug."""

    def list(self, workspace_id: str, limit: int | None = 100) -> list[Deployment]:
        """Return the deployments of a workspace."""
        return self._transport.list(f"/workspaces/{segment(workspace_id)}/deployments", limit)

    def get(self, deployment: str) -> Deployment:
        """Return a deployment with its usage statistics."""
        record: Deployment = self._transport.get(f"/deployments/{segment(deployment)}")
        return record

    def update(self, deployment: str, **changes: Unpack[DeploymentChanges]) -> Deployment:
        """Change the pipeline, status, access or threshold of a deployment."""
        record: Deployment = self._transport.patch(f"/deployments/{segment(deployment)}", changes)
        return record

    def delete(self, deployment: str) -> None:
        """Delete a deployment."""
        self._transport.delete(f"/deployments/{segment(deployment)}")

    def predict(
        self,
        deployment: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        proba: bool = False,
        ignore_extra: bool = False,
        threshold: float | None = None,
    ) -> Predictions:
        """Predict rows.

        `rows` are objects of column and value; with `proba` the result has probabilities, and with
        `ignore_extra` unknown columns are ignored. `threshold` : the probability from which the last of two
        labels is answered, in place of the deployment's.
        """
        answer: Predictions = self._transport.post(
            f"/deployments/{segment(deployment)}/predict",
            {"rows": [dict(row) for row in rows]},
            proba=proba or None,
            extra="ignore" if ignore_extra else None,
            threshold=threshold,
        )
        return answer

    def forecast(self, deployment: str, horizon: int) -> Predictions:
        """Forecast the next `horizon` steps of a time series without exogenous columns."""
        answer: Predictions = self._transport.post(
            f"/deployments/{segment(deployment)}/predict", {"horizon": horizon}
        )
        return answer

    def schema(self, deployment: str) -> DeploymentSchema:
        """Return the JSON Schema of a row, an example, and the labels."""
        answer: DeploymentSchema = self._transport.get(f"/deployments/{segment(deployment)}/schema")
        return answer

    def invocations(self, deployment: str, body: Mapping[str, Any]) -> JSON:
        """Predict with a body in a format of MLflow."""
        answer: JSON = self._transport.post(f"/deployments/{segment(deployment)}/invocations", body)
        return answer


class OpenInference(Resource):
    """The Open Inference Protocol."""

    def is_live(self) -> bool:
        """Return whether the server runs; needs no credential."""
        return bool(self._transport.get("/v2/health/live")["live"])

    def is_ready(self) -> bool:
        """Return whether the server can predict; needs no credential."""
        return bool(self._transport.get("/v2/health/ready")["ready"])

    def metadata(self, deployment: str) -> JSON:
        """Return the inputs and outputs of a deployment."""
        answer: JSON = self._transport.get(f"/v2/models/{segment(deployment)}")
        return answer

    def is_model_ready(self, deployment: str) -> bool:
        """Return whether a deployment is ready."""
        return bool(self._transport.get(f"/v2/models/{segment(deployment)}/ready")["ready"])

    def infer(self, deployment: str, body: Mapping[str, Any]) -> JSON:
        """Predict tensors."""
        answer: JSON = self._transport.post(f"/v2/models/{segment(deployment)}/infer", body)
        return answer
