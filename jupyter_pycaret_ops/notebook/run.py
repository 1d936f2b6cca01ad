"""The run object that `%pcrun` returns: state, results and next steps."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..client import ENDED, Client
from ..client import records as api
from ..client.kept_models import keep_model, promote_model
from ..client.run_request import best_model_text
from ..common.errors import Conflict, NotFound
from ..common.protocol import OOF_KIND, PIPELINE_KIND
from ..kernel.agent import Attempt
from . import display
from .serving import Pipeline

if TYPE_CHECKING:
    import pandas as pd

#: fields of a leaderboard record that the DataFrame leaves out
_HIDDEN_FIELDS = ("std", "folds", "attempt", "uncorrected", "threshold")


class Run:
    """A run. Its attributes are read from the server on access, so they are up to date."""

    def __init__(
        self,
        client: Client,
        row: api.Run,
        attempt: Attempt | None = None,
        title: str | None = None,
        guesses: list[str] | None = None,
    ) -> None:
        self.client = client
        self._row = row
        self._attempt = attempt
        self._pipeline: Any = None
        #: whether panels have sent its end as output
        self._is_final_sent = False
        #: title of its panel
        self.title = title or row["snapshot"].get("target") or row["plan"]
        #: what was guessed at submission, for display
        self.guesses = guesses or []

    @property
    def id(self) -> str:
        """The id."""
        return self._row["id"]

    @property
    def is_here(self) -> bool:
        """Whether this kernel executes it."""
        return self._attempt is not None

    @property
    def row(self) -> api.Run:
        """The run as the server returns it, read again until it has ended."""
        if self._row["status"] not in ENDED:
            self._row = self.client.runs.get(self.id)
        if self._row["status"] in ENDED and not self._is_final_sent:
            self._send_final()
        return self._row

    def _send_final(self) -> None:
        """Wait until panels show the end, and send them as output of the executing cell."""
        self._is_final_sent = self._row["status"] in ENDED
        display.finish(self._row)
        display.send_last(self._row)

    @property
    def status(self) -> str:
        """`queued`, `running`, `succeeded`, `failed` or `cancelled`."""
        return self.row["status"]

    @property
    def error(self) -> str | None:
        """The error message of a failed run."""
        return self.row["error"]

    @property
    def leaderboard(self) -> pd.DataFrame:
        """The models scored so far, best first: DataFrame of shape (n_models, n_fields), indexed by rank."""
        import pandas as pd

        row = self.row
        records = [
            {name: value for name, value in record.items() if name not in _HIDDEN_FIELDS}
            for record in row["leaderboard"]
        ]
        table = pd.DataFrame.from_records(records)
        if not records:
            return table
        metric = row["metrics_summary"].get("metric")
        first = [name for name in ("rank", "model_id", "name", metric) if name in table]
        rest = [name for name in table if name not in first]
        return table[first + rest].set_index("rank")

    @property
    def fold_metrics(self) -> pd.DataFrame:
        """Metrics by fold: DataFrame of shape (n_models * n_folds, n_metrics)."""
        import pandas as pd

        table = pd.DataFrame.from_records(
            [
                (value["model_id"], value["fold_idx"], value["metric_name"], value["value"])
                for value in self.client.runs.fold_metrics(self.id)
            ],
            columns=["model_id", "fold", "metric", "value"],
        )
        return table.pivot(index=["model_id", "fold"], columns="metric", values="value")

    def oof(self, model_id: str | None = None) -> pd.DataFrame:
        """Return the out-of-fold predictions of a model, by default of the best one.

        DataFrame of shape (n_predictions, n_columns): `row`, the place in the table from 0, `fold`, `target`,
        `prediction` and, of labels, `probability_<label>`.

        Raises
        ------
        NotFound
            When there are none of that model.
        """
        import pandas as pd

        best = self.row["metrics_summary"].get("best")
        if model_id is None and best:
            model_id = best["model_id"]
        stored = {
            artifact["model_id"]: artifact["id"]
            for artifact in self.client.runs.artifacts(self.id)
            if artifact["kind"] == OOF_KIND
        }
        if model_id not in stored:
            names = ", ".join(str(name) for name in stored) or "no model"
            raise NotFound(
                f"There are no out-of-fold predictions of “{model_id}”; there are those of {names}."
            )
        return pd.read_parquet(io.BytesIO(self.client.runs.download(stored[model_id])))

    def events(self, after_seq: int = 0) -> list[api.Event]:
        """Return the events after `after_seq`, in order."""
        return self.client.runs.events(self.id, after_seq)

    def plot(self, name: str) -> Any:
        """Return a plot of the best model as a Plotly figure.

        Raises
        ------
        NotFound
            When there is no plot of that name; the message lists the existing ones.
        """
        known = [plot["id"] for plot in self.client.runs.plots(self.id)]
        if name not in known:
            raise NotFound(f"This run has no plot “{name}”; it has {', '.join(known) or 'none'}.")
        from plotly.graph_objects import Figure

        return Figure(self.client.runs.plot(self.id, name), skip_invalid=True)

    # ---------------------------------------------------------------- waiting and stopping

    def cancel(self) -> Run:
        """Cancel the run, wherever it executes; the kernel keeps running."""
        self._row = self.client.runs.cancel(self.id)
        if self._attempt is not None:
            self._attempt.cancel()
        if self._row["status"] in ENDED:
            self._send_final()
        return self

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until the run has ended and its panels show the end, at most `timeout` seconds; return the run."""
        self._row = self.client.runs.wait(self.id, timeout)
        self._send_final()
        return self

    def __await__(self) -> Generator[Any, None, Run]:
        return self._wait_in_thread().__await__()

    async def _wait_in_thread(self) -> Run:
        self._row = await asyncio.to_thread(self.client.runs.wait, self.id)
        await asyncio.to_thread(display.finish, self._row)
        # here, not in the thread: it must be output of the awaiting cell
        self._is_final_sent = True
        display.send_last(self._row)
        return self

    # ---------------------------------------------------------------- results

    @property
    def pipeline(self) -> Any:
        """The best model's pipeline, fitted on all rows, loaded in this kernel.

        It is a pickle, so loading it executes code; it is loaded only if it has the digest that the server
        has stored.
        """
        if self._pipeline is None:
            self._pipeline = self._load()
        return self._pipeline

    def _load(self) -> Any:
        import cloudpickle

        row = self.row
        if row["status"] not in ENDED:
            raise Conflict(
                f"The run is {row['status']}; its pipeline is available once it has succeeded."
            )
        first = row["metrics_summary"].get("best")
        best = first["model_id"] if first else None
        artifacts = [a for a in self.client.runs.artifacts(self.id) if a["kind"] == PIPELINE_KIND]
        artifact = next((a for a in artifacts if best in (None, a["model_id"])), None) or next(
            iter(artifacts), None
        )
        if artifact is None:
            raise Conflict(f"The run is {row['status']} and has no pipeline.")
        content = self.client.runs.download(artifact["id"])
        if hashlib.sha256(content).hexdigest() != artifact["sha256"]:
            raise Conflict("The pipeline was changed in transit and was not loaded.")
        return cloudpickle.loads(content)

    def predict(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Predict `frame`, DataFrame of shape (n_rows, n_columns), with the best pipeline.

        Return a Series of shape (n_rows,) with its index, in your labels.
        """
        import pandas as pd

        values = self.pipeline.predict(frame)
        return pd.Series(
            values, index=frame.index, name=self.row["snapshot"].get("target") or "prediction"
        )

    def keep(self, model_id: str) -> Run:
        """Fit a model of the leaderboard on all rows and keep it; return the run that did so.

        Raises
        ------
        NotFound
            When the run has not scored the model.
        Conflict
            While the run has not ended, when its table is gone, or when the model could not be fitted.
        """
        return Run(self.client, keep_model(self.client, self.id, model_id))

    def promote(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: list[str] | None = None,
        model_id: str | None = None,
    ) -> Pipeline:
        """Promote the pipeline of the best model, or of `model_id`, and return it.

        A model that is not kept is fitted on all rows first, which this waits for.
        """
        pipeline = promote_model(self.client, self.id, name, description, tags or (), model_id)
        return Pipeline(self.client, pipeline)

    # ---------------------------------------------------------------- display

    def __repr__(self) -> str:
        row = self._row
        parts = [f"run {row['id']}", row["status"], best_model_text(row)]
        if row["error"]:
            parts.append(row["error"])
        return f"<{', '.join(part for part in parts if part)}>"

    def _ipython_display_(self) -> None:
        if self._row["status"] not in ENDED:
            self._row = self.client.runs.get(self.id)
        display.show(self)
