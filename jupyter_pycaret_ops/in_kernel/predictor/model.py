"""A pipeline that has been checked and loaded, and what it answers."""

from __future__ import annotations

import hashlib
import warnings
from typing import Any

from ..engine.serving_frame import to_frame


class Model:
    """One pipeline with its input schema."""

    def __init__(self, pipeline: Any, schema: dict[str, Any]) -> None:
        self._pipeline = pipeline
        self._schema = schema

    @classmethod
    def load(cls, content: bytes, sha256: str, schema: dict[str, Any]) -> Model:
        """Unpickle a pipeline whose bytes are the ones that were signed for.

        Raises
        ------
        ValueError
            When the digest differs: nothing is unpickled then.
        """
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError("the pipeline's bytes are not the ones that were stored")
        return cls(_unpickle(content), schema)

    def predict(self, rows: list[list[Any]], *, proba: bool) -> dict[str, Any]:
        """Predictions, and probabilities in the order of the schema's labels, for rows in schema order.

        `rows` has shape (n_rows, n_columns); `predictions` has n_rows items and `probabilities`,
        where asked for and known, shape (n_rows, n_labels).
        """
        frame = to_frame(self._schema, rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predictions = self._pipeline.predict(frame)
            probabilities = None
            if proba and hasattr(self._pipeline, "predict_proba"):
                probabilities = self._pipeline.predict_proba(frame).tolist()
        return {"predictions": predictions.tolist(), "probabilities": probabilities}


def _unpickle(content: bytes) -> Any:
    try:
        import cloudpickle

        return cloudpickle.loads(content)
    except ImportError:
        import pickle

        return pickle.loads(content)  # noqa: S301 - signed by the server, digest checked above
