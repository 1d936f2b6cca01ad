"""Out-of-fold predictions: what each model has answered for the rows of a fold that it was not fitted on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.protocol import OOF_KIND
from jupyter_pycaret_ops.common.tables.spellings import text_of

from . import portable
from .event_reporter import EventReporter
from .leaderboard import Scored

CONTENT_TYPE = "application/vnd.apache.parquet"


def store(
    reporter: EventReporter,
    model: Scored,
    splits: Sequence[tuple[Any, Any]],
    *,
    rows: Any,
    given: Any,
    labels: list[Any] | None,
    times: Any = None,
) -> None:
    """Store the out-of-fold predictions of a model as the artifact `oof-<model>.parquet`.

    Columns: `row` (its place in the table, from 0), of series `time`, `fold` (from 0), `target`, `prediction`, and of
    labels `probability_<label>` where the model has probabilities. A row that several folds score, or none, is there as
    often.

    `splits` : for each fold the positions to fit on and to score; `rows`, `given` : the place in the table and the
    target of each position, arrays of shape (n_rows,); `labels` : in the order of their codes, None for numbers;
    `times` : the time of each position, array of shape (n_rows,), None where rows have none. Does nothing where pyarrow
    is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        return
    scored = [
        (fold, splits[fold][1], outputs)
        for fold, outputs in enumerate(model.fold_outputs)
        if outputs is not None
    ]
    if not scored:
        return
    places = np.concatenate([positions for _, positions, _ in scored])
    outputs = np.concatenate([values for _, _, values in scored])
    columns: dict[str, Any] = {
        "row": rows[places],
        **({} if times is None else {"time": times[places]}),
        "fold": np.concatenate([np.full(len(at), fold) for fold, at, _ in scored]),
        "target": _column(given[places]),
    }
    if labels is None:
        columns["prediction"] = outputs[:, 0]
    else:
        columns["prediction"] = _column(portable.label_array(labels)[outputs[:, 0].astype(int)])
        for code, label in enumerate(labels[: outputs.shape[1] - 1]):
            columns[f"probability_{text_of(label)}"] = outputs[:, code + 1]
    target = io.BytesIO()
    parquet.write_table(pa.table(columns), target, compression="zstd")
    filename = f"oof-{model.model_id}.parquet"
    reporter.store(filename, OOF_KIND, target.getvalue(), CONTENT_TYPE, model.model_id)


def _column(values: Any) -> Any:
    """Return values that a column of one type holds: labels of several types are texts."""
    if values.dtype != object or len({type(value) for value in values}) == 1:
        return values
    return np.array([text_of(value) for value in values], dtype=object)
