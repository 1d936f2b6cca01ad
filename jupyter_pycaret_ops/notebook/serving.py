"""Pipelines and deployments as objects of the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client import Client
from ..client import records as api
from ..common.errors import NotFound
from . import display
from .dataframes import is_frame, to_records

if TYPE_CHECKING:
    import pandas as pd

#: the server's limit of rows in one request
MAX_ROWS = 10_000


class Pipeline:
    """A promoted pipeline."""

    def __init__(self, client: Client, row: api.Pipeline) -> None:
        self.client = client
        self.row = row

    @property
    def id(self) -> str:
        """The id."""
        return self.row["id"]

    @property
    def name(self) -> str:
        """The name."""
        return self.row["name"]

    @property
    def version(self) -> int:
        """The version, numbered within the name."""
        return self.row["version"]

    def deploy(self, slug: str | None = None, auth: api.AuthMode = "workspace") -> Deployment:
        """Deploy the pipeline and return the deployment; `slug` defaults to the name."""
        deployment = self.client.pipelines.deploy(self.id, slug or self.name, auth)
        return Deployment(self.client, deployment, self.row)

    def __repr__(self) -> str:
        return f"<pipeline {self.name} v{self.version}, {self.row['model_id']}>"

    def _ipython_display_(self) -> None:
        display.show(self)


def find_pipeline(client: Client, text: str) -> Pipeline:
    """Return a pipeline by name (the newest version) or id.

    Raises
    ------
    NotFound
        When there is none.
    """
    rows = client.pipelines.list(client.default_project().workspace_id, limit=None)
    found = next((row for row in rows if text in (row["name"], row["id"])), None)
    if found is None:
        raise NotFound(f"There is no pipeline “{text}”.")
    return Pipeline(client, found)


class Deployment:
    """A deployed pipeline."""

    def __init__(
        self, client: Client, row: api.Deployment, pipeline: api.Pipeline | None = None
    ) -> None:
        self.client = client
        self._row = row
        self._pipeline = pipeline

    @property
    def slug(self) -> str:
        """The endpoint slug."""
        return self._row["endpoint_slug"]

    @property
    def url(self) -> str:
        """The URL that rows are posted to."""
        return f"{self.client.address.api}/deployments/{self.slug}/predict"

    @property
    def row(self) -> api.Deployment:
        """The deployment as the server returns it now, with current counts."""
        self._row = self.client.deployments.get(self.slug)
        return self._row

    @property
    def pipeline(self) -> api.Pipeline:
        """The pipeline that is deployed."""
        if self._pipeline is None or self._pipeline["id"] != self._row["pipeline_id"]:
            self._pipeline = self.client.pipelines.get(self._row["pipeline_id"])
        return self._pipeline

    @property
    def schema(self) -> api.DeploymentSchema:
        """The JSON Schema of a row, an example, and the labels."""
        return self.client.deployments.schema(self.slug)

    def predict(
        self,
        data: pd.DataFrame | list[api.JSON] | api.JSON,
        *,
        proba: bool = False,
        threshold: float | None = None,
    ) -> pd.DataFrame:
        """Predict a DataFrame of shape (n_rows, n_columns), a row or a list of rows; ignore unknown columns.

        Return a DataFrame with n_rows rows and the index of `data`: `prediction`, with `proba` one column
        of probabilities for each label, `score` of anomalies, `time` of steps of a time series. `threshold` : the
        probability from which the last of two labels is answered, in place of the deployment's.
        """
        import pandas as pd

        index: Any = None
        if is_frame(data):
            frame: Any = data
            index, rows = frame.index, to_records(frame)
        else:
            rows = [data] if isinstance(data, dict) else list(data)
        predictions: list[api.Prediction] = []
        for start in range(0, len(rows), MAX_ROWS):
            response = self.client.deployments.predict(
                self.slug,
                rows[start : start + MAX_ROWS],
                proba=proba,
                ignore_extra=True,
                threshold=threshold,
            )
            predictions += response["predictions"]
        return pd.DataFrame([_record(one) for one in predictions], index=index)

    def forecast(self, horizon: int) -> pd.Series[Any]:
        """Return the next `horizon` steps, indexed by time; for time series without exogenous columns."""
        import pandas as pd

        predictions = self.client.deployments.forecast(self.slug, horizon)["predictions"]
        return pd.Series(
            [one["prediction"] for one in predictions],
            index=pd.Index([one["time"] for one in predictions], name="time"),
            name=self.pipeline["name"],
        )

    def pause(self) -> Deployment:
        """Pause the deployment: requests are refused until `resume`."""
        self._row = self.client.deployments.update(self.slug, status="paused")
        return self

    def resume(self) -> Deployment:
        """Resume the paused deployment."""
        self._row = self.client.deployments.update(self.slug, status="active")
        return self

    @property
    def threshold(self) -> float | None:
        """The probability from which the last of two labels is answered; None for what the model answers itself."""
        return self._row["threshold"]

    def set_threshold(self, threshold: float | None) -> Deployment:
        """Set the probability from which the last of two labels is answered; None takes the pipeline's again."""
        self._row = self.client.deployments.update(self.slug, threshold=threshold)
        return self

    def delete(self) -> None:
        """Delete the deployment; the pipeline is kept."""
        self.client.deployments.delete(self.slug)

    def __repr__(self) -> str:
        return f"<deployment {self.slug}, {self._row['status']}, {self.url}>"

    def _ipython_display_(self) -> None:
        display.show(self)


def _record(one: api.Prediction) -> api.JSON:
    row: api.JSON = {"prediction": one["prediction"], **(one.get("probabilities") or {})}
    if "score" in one:
        row["score"] = one["score"]
    if "time" in one:
        row["time"] = one["time"]
    return row
