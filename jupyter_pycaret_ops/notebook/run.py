"""What `%pcrun` returns: a run, and what follows from it, as objects of the notebook."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..client import ENDED, Client
from ..client import records as api
from ..client.run_request import best_model_text
from ..common.errors import Conflict, NotFound
from ..common.protocol import PIPELINE_KIND
from ..kernel.agent import Attempt
from . import display
from .serving import Pipeline

if TYPE_CHECKING:
    import pandas as pd

#: of a leaderboard's record, what a table does not show
_HIDDEN = ("std", "folds", "attempt")


class Run:
    """A run. Everything it says is asked of the server when you ask, so it is never old."""

    def __init__(
        self,
        client: Client,
        row: api.Run,
        attempt: Attempt | None = None,
        title: str | None = None,
        guessed: list[str] | None = None,
    ) -> None:
        self.client = client
        self._row = row
        self._attempt = attempt
        self._pipeline: Any = None
        #: whether the panels that show it have sent its end
        self._is_settled = False
        #: the experiment's words for it, where they are known
        self.title = title or row["snapshot"].get("target") or row["plan"]
        #: what was guessed when it was submitted
        self.guessed = guessed or []

    @property
    def id(self) -> str:
        """Its id."""
        return self._row["id"]

    @property
    def is_here(self) -> bool:
        """Whether this kernel executes it."""
        return self._attempt is not None

    @property
    def row(self) -> api.Run:
        """All that the server says of it, fresh until it has ended."""
        if self._row["status"] not in ENDED:
            self._row = self.client.runs.get(self.id)
        if self._row["status"] in ENDED and not self._is_settled:
            self._settle()
        return self._row

    def _settle(self) -> None:
        """Return when the panels have sent how it is, as an output of the cell that asks."""
        self._is_settled = self._row["status"] in ENDED
        display.finish(self._row)
        display.send_last(self._row)

    @property
    def status(self) -> str:
        """`queued`, `running`, `succeeded`, `failed` or `cancelled`."""
        return self.row["status"]

    @property
    def error(self) -> str | None:
        """Why it failed."""
        return self.row["error"]

    @property
    def leaderboard(self) -> pd.DataFrame:
        """The models ranked so far, best first."""
        import pandas as pd

        row = self.row
        records = [
            {name: value for name, value in record.items() if name not in _HIDDEN}
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
        """Every metric on every fold: one row for each model and fold."""
        import pandas as pd

        table = pd.DataFrame.from_records(
            [
                (one["model_id"], one["fold_idx"], one["metric_name"], one["value"])
                for one in self.client.runs.fold_metrics(self.id)
            ],
            columns=["model_id", "fold", "metric", "value"],
        )
        return table.pivot(index=["model_id", "fold"], columns="metric", values="value")

    def events(self, after_seq: int = 0) -> list[api.Event]:
        """What has happened so far, in order."""
        return self.client.runs.events(self.id, after_seq)

    def plot(self, name: str) -> Any:
        """A plot of the best model, as a Plotly figure.

        Raises
        ------
        NotFound
            When there is none of that name; the message lists those that there are.
        """
        known = [plot["id"] for plot in self.client.runs.plots(self.id)]
        if name not in known:
            raise NotFound(f"This run has no plot “{name}”; it has {', '.join(known) or 'none'}.")
        from plotly.graph_objects import Figure

        return Figure(self.client.runs.plot(self.id, name), skip_invalid=True)

    # ---------------------------------------------------------------- waiting and stopping

    def cancel(self) -> Run:
        """Stop it, wherever it executes; the kernel goes on."""
        self._row = self.client.runs.cancel(self.id)
        if self._attempt is not None:
            self._attempt.cancel()
        if self._row["status"] in ENDED:
            self._settle()
        return self

    def wait(self, timeout: float | None = None) -> Run:
        """Return when it has ended and its panels have shown the end, or after so many seconds."""
        self._row = self.client.runs.wait(self.id, timeout)
        self._settle()
        return self

    def __await__(self) -> Generator[Any, None, Run]:
        return self._wait_in_thread().__await__()

    async def _wait_in_thread(self) -> Run:
        self._row = await asyncio.to_thread(self.client.runs.wait, self.id)
        await asyncio.to_thread(display.finish, self._row)
        # from here, not from the thread: it is an output of the cell that awaits
        self._is_settled = True
        display.send_last(self._row)
        return self

    # ---------------------------------------------------------------- what comes of it

    @property
    def pipeline(self) -> Any:
        """The best model's pipeline, fitted on all rows, in this kernel.

        It is a pickle: what it was made of is executed here. Only the bytes that the server has signed for
        are loaded.
        """
        if self._pipeline is None:
            self._pipeline = self._load()
        return self._pipeline

    def _load(self) -> Any:
        import cloudpickle

        row = self.row
        if row["status"] not in ENDED:
            raise Conflict(
                f"The run is {row['status']}; its pipeline is there when it has succeeded."
            )
        best = (row["metrics_summary"].get("best") or {}).get("model_id")
        kept = [one for one in self.client.runs.artifacts(self.id) if one["kind"] == PIPELINE_KIND]
        found = next((one for one in kept if best in (None, one["model_id"])), None) or next(
            iter(kept), None
        )
        if found is None:
            raise Conflict(f"The run is {row['status']} and has kept no pipeline.")
        content = self.client.runs.download(found["id"])
        if hashlib.sha256(content).hexdigest() != found["sha256"]:
            raise Conflict("The pipeline arrived changed; it was not loaded.")
        return cloudpickle.loads(content)

    def predict(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Predictions of the best pipeline for rows like those it was trained on, in your labels."""
        import pandas as pd

        values = self.pipeline.predict(frame)
        return pd.Series(
            values, index=frame.index, name=self.row["snapshot"].get("target") or "prediction"
        )

    def promote(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: list[str] | None = None,
        model_id: str | None = None,
    ) -> Pipeline:
        """Keep its pipeline under a name; the best model's, unless another one is named."""
        made = self.client.pipelines.promote(self.id, name, description, tags or (), model_id)
        return Pipeline(self.client, made)

    # ---------------------------------------------------------------- how it looks

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
