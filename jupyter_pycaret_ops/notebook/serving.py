"""Pipelines and deployments as objects of the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client import Client
from ..client import records as api
from ..common.errors import NotFound
from . import display
from .dataframes import as_rows, is_frame

if TYPE_CHECKING:
    import pandas as pd

#: the server's most rows in one request
MOST_ROWS = 10_000


class Pipeline:
    """A promoted pipeline."""

    def __init__(self, client: Client, row: api.Pipeline) -> None:
        self.client = client
        self.row = row

    @property
    def id(self) -> str:
        """Its id."""
        return self.row["id"]

    @property
    def name(self) -> str:
        """Its name."""
        return self.row["name"]

    @property
    def version(self) -> int:
        """Its version, which counts within the name."""
        return self.row["version"]

    def deploy(self, slug: str | None = None, auth: api.AuthMode = "workspace") -> Deployment:
        """Put it behind an endpoint, by default of its own name."""
        made = self.client.pipelines.deploy(self.id, slug or self.name, auth)
        return Deployment(self.client, made, self.row)

    def __repr__(self) -> str:
        return f"<pipeline {self.name} v{self.version}, {self.row['model_id']}>"

    def _ipython_display_(self) -> None:
        display.show(self)


def find_pipeline(client: Client, text: str) -> Pipeline:
    """A pipeline by name (the newest version of it) or id.

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
    """An endpoint that predicts."""

    def __init__(
        self, client: Client, row: api.Deployment, pipeline: api.Pipeline | None = None
    ) -> None:
        self.client = client
        self._row = row
        self._pipeline = pipeline

    @property
    def slug(self) -> str:
        """Its name in the address."""
        return self._row["endpoint_slug"]

    @property
    def url(self) -> str:
        """Where rows are posted."""
        return f"{self.client.address.api}/deployments/{self.slug}/predict"

    @property
    def row(self) -> api.Deployment:
        """All that the server says of it, with its live counts."""
        self._row = self.client.deployments.get(self.slug)
        return self._row

    @property
    def pipeline(self) -> api.Pipeline:
        """The pipeline behind it."""
        if self._pipeline is None or self._pipeline["id"] != self._row["pipeline_id"]:
            self._pipeline = self.client.pipelines.get(self._row["pipeline_id"])
        return self._pipeline

    @property
    def schema(self) -> api.DeploymentSchema:
        """What a row looks like, an example, and the labels."""
        return self.client.deployments.schema(self.slug)

    def predict(
        self, data: pd.DataFrame | list[api.JSON] | api.JSON, *, proba: bool = False
    ) -> pd.DataFrame:
        """Predictions for a frame, a row or a list of rows; columns that it does not know are left out.

        One row for each, with the frame's index: `prediction`, with `proba` a column for each label, `score`
        of an anomaly, `time` of a step of a time series.
        """
        import pandas as pd

        index: Any = None
        if is_frame(data):
            frame: Any = data
            index, rows = frame.index, as_rows(frame)
        else:
            rows = [data] if isinstance(data, dict) else list(data)
        answers: list[api.Prediction] = []
        for start in range(0, len(rows), MOST_ROWS):
            answer = self.client.deployments.predict(
                self.slug, rows[start : start + MOST_ROWS], proba=proba, ignore_extra=True
            )
            answers += answer["predictions"]
        return pd.DataFrame([_answered(one) for one in answers], index=index)

    def forecast(self, horizon: int) -> pd.Series[Any]:
        """The next steps of a time series without other columns, by their time."""
        import pandas as pd

        answers = self.client.deployments.forecast(self.slug, horizon)["predictions"]
        return pd.Series(
            [one["prediction"] for one in answers],
            index=pd.Index([one["time"] for one in answers], name="time"),
            name=self.pipeline["name"],
        )

    def pause(self) -> Deployment:
        """Answer nobody for a while."""
        self._row = self.client.deployments.update(self.slug, status="paused")
        return self

    def resume(self) -> Deployment:
        """Answer again."""
        self._row = self.client.deployments.update(self.slug, status="active")
        return self

    def delete(self) -> None:
        """Take the endpoint away; the pipeline stays."""
        self.client.deployments.delete(self.slug)

    def __repr__(self) -> str:
        return f"<deployment {self.slug}, {self._row['status']}, {self.url}>"

    def _ipython_display_(self) -> None:
        display.show(self)


def _answered(one: api.Prediction) -> api.JSON:
    row: api.JSON = {"prediction": one["prediction"], **one.get("probabilities", {})}
    if "score" in one:
        row["score"] = one["score"]
    if "time" in one:
        row["time"] = one["time"]
    return row
