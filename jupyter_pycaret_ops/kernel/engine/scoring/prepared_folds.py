"""Folds as they are prepared, kept for the next model that needs the same preparation."""

from __future__ import annotations

from typing import Any

from ..interfaces import Column, Estimator, Frame

#: memory that prepared folds may take; beyond it each model prepares its folds anew
MAX_BYTES = 256 * 2**20
_Fold = tuple[Any, Any]


class PreparedFolds:
    """A cache of prepared folds, one for each process; a copy in another process begins empty."""

    def __init__(self) -> None:
        self._folds: dict[tuple[int, bytes], _Fold] = {}
        self._n_bytes = 0

    def __reduce__(self) -> tuple[type[PreparedFolds], tuple[()]]:
        return PreparedFolds, ()

    def prepared(
        self,
        pipeline: Estimator,
        fold: int,
        features: Frame,
        target: Column,
        positions: tuple[Any, Any],
    ) -> tuple[Estimator, Any, Any]:
        """Return a model, and the features of a fold to fit it on and to predict, as its pipeline prepares them.

        `pipeline` : unfitted; an estimator without a step `prepare` takes the features as they are. `features` :
        DataFrame of shape (n_rows, n_columns), `target` : Series of shape (n_rows,); `positions` : of the rows to train
        on and to predict. The preparation is fitted on the rows to train on only, as `Pipeline.fit` does it.
        """
        train, test = positions
        steps = getattr(pipeline, "steps", None)
        if not steps or steps[0][0] != "prepare":
            return pipeline, features.iloc[train], features.iloc[test]
        before, model = pipeline[:-1], steps[-1][1]
        key = (fold, content_of(before))
        found = self._folds.get(key)
        if found is None:
            fitted = before.fit_transform(features.iloc[train], target.iloc[train])
            found = fitted, before.transform(features.iloc[test])
            n_bytes = sum(int(part.nbytes) for part in found)
            if self._n_bytes + n_bytes <= MAX_BYTES:
                self._folds[key] = found
                self._n_bytes += n_bytes
        return model, *found


def content_of(pipeline: Estimator) -> bytes:
    """Return what is equal for two unfitted pipelines that do the same."""
    import cloudpickle

    return bytes(cloudpickle.dumps(pipeline))
