"""A verified and loaded pipeline, and its predictions."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any, BinaryIO

from jupyter_pycaret_ops.common.task_types import TASK_TYPES

from ..engine.serving_frame import to_frame


class Model:
    """One pipeline with its input schema."""

    def __init__(self, pipeline: Any, schema: dict[str, Any]) -> None:
        self._pipeline = pipeline
        self._schema = schema
        self._answers = TASK_TYPES[schema["task"]].answers

    @classmethod
    def load(cls, path: str, sha256: str, schema: dict[str, Any]) -> Model:
        """Verify the digest of the pipeline file at `path` and unpickle it.

        The file is read twice and never kept in memory as a whole.

        Raises
        ------
        ValueError
            When the digest differs; then nothing is unpickled.
        """
        with Path(path).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                raise ValueError("the pipeline file does not have the digest that was stored")
            stream.seek(0)
            return cls(_unpickle(stream), schema)

    def predict(self, rows: list[list[Any]], *, proba: bool) -> dict[str, Any]:
        """Predict `rows`, of shape (n_rows, n_columns), with values in the order of the schema.

        Where rows are steps, each begins with the step ahead. In the result `predictions` has shape
        (n_rows,); `probabilities`, None unless requested and known, has shape (n_rows, n_labels) in the
        order of the schema's labels; `more` holds further outputs of shape (n_rows,): `score` of
        anomalies, `time` of steps.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._answers == "steps":
                return self._forecast(rows)
            frame = to_frame(self._schema, rows)
            predictions = self._pipeline.predict(frame)
            probabilities, more = None, {}
            if proba and hasattr(self._pipeline, "predict_proba"):
                probabilities = self._pipeline.predict_proba(frame).tolist()
            if self._answers == "flags":
                more["score"] = self._pipeline.decision_function(frame).tolist()
        return {
            "predictions": predictions.tolist(),
            "probabilities": probabilities,
            "more": more,
        }

    def _forecast(self, rows: list[list[Any]]) -> dict[str, Any]:
        steps = [row[0] for row in rows]
        frame = to_frame(self._schema, [row[1:] for row in rows])
        return {
            "predictions": self._pipeline.predict_steps(steps, frame).tolist(),
            "probabilities": None,
            "more": {"time": self._pipeline.times(steps)},
        }


def _unpickle(stream: BinaryIO) -> Any:
    try:
        import cloudpickle

        return cloudpickle.load(stream)
    except ImportError:
        import pickle

        return pickle.load(stream)  # noqa: S301 - signed by the server, digest checked above
