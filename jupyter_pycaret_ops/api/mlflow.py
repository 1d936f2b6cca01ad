"""Predictions for MLflow's clients: `/invocations` in the four forms of its scoring server.

The forms are those of https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#inference-server-specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from msgspec import UNSET

from ..errors import Invalid, UnsupportedMedia
from .base import decode_body
from .predict import ServingHandler, refuse_large
from .schemas import InvocationsIn, InvocationsOut, SplitFrame

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


class InvocationsHandler(ServingHandler):
    """MLflow's body in, MLflow's answer out."""

    @allow_unauthenticated
    async def post(self, deployment: str) -> None:
        """Predict the rows of a body in one of MLflow's forms; the answer is `{"predictions": […]}`."""
        endpoint = self.endpoint
        assert endpoint is not None
        kind = self.request.headers.get("Content-Type", "application/json").partition(";")[0]
        if kind.strip().lower() not in ("application/json", ""):
            raise UnsupportedMedia("Send JSON, with the header Content-Type: application/json.")
        refuse_large(self.request.body)
        rows = rows_of(decode_body(self.request.body, InvocationsIn), endpoint.model.checker.names)
        answer, _, _ = await self.predict(
            rows, proba=False, ignore_extra=self.flag("extra", "ignore")
        )
        self.answer(InvocationsOut(answer.predictions))


def rows_of(body: InvocationsIn, names: Sequence[str]) -> list[Any]:
    """The rows of a body, each an object of column and value; rows without names are in the order of `names`.

    Raises
    ------
    Invalid
        When there is not exactly one form, or its parts do not fit together.
    """
    sent = [form for form in FORMS if getattr(body, form) is not UNSET]
    if len(sent) != 1:
        raise Invalid(
            f"Send exactly one of {', '.join(FORMS)}.", errors=[{"loc": [], "msg": "one form"}]
        )
    form = sent[0]
    value = getattr(body, form)
    if isinstance(value, SplitFrame):
        return [
            _named(value.columns, row, ["dataframe_split", "data", index])
            for index, row in enumerate(value.data)
        ]
    if isinstance(value, dict):
        return _from_columns(value)
    return [
        row if isinstance(row, dict) else _named(names, row, [form, index])
        for index, row in enumerate(value)
    ]


def _named(names: Sequence[str], row: Any, loc: list[str | int]) -> dict[str, Any]:
    values = (
        row if isinstance(row, list) else [row]
    )  # a table of one column may leave the brackets out
    if len(values) != len(names):
        raise Invalid(
            f"Row {loc[-1]} has {len(values)} values for {len(names)} columns ({', '.join(names)}).",
            errors=[{"loc": loc, "msg": f"must have {len(names)} values"}],
        )
    row_by_name = dict(zip(names, values, strict=True))
    if len(row_by_name) != len(names):
        raise Invalid(
            "A column stands twice.", errors=[{"loc": loc[:1], "msg": "names a column twice"}]
        )
    return row_by_name


def _from_columns(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise Invalid(
            "The columns of `inputs` differ in length.",
            errors=[{"loc": ["inputs"], "msg": "columns must be equally long"}],
        )
    return [
        {name: values[index] for name, values in columns.items()}
        for index in range(lengths.pop() if lengths else 0)
    ]
