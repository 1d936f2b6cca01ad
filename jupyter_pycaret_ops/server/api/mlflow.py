"""Predictions for MLflow's clients: `/invocations` in the four forms of its scoring server.

The forms are those of https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#inference-server-specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated
from msgspec import UNSET, Raw, Struct, UnsetType

from ...common.errors import Invalid
from ..serving.endpoint import most_values, refuse_row_count
from .json_body import decode, decode_each, refuse_deep, refuse_many
from .predict import ServingHandler
from .schemas import InvocationsOut

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
HINT = f"Send one of {', '.join(FORMS)} as JSON"


#: `Raw` stands for any JSON by itself, and is no part of a union
NULL = Raw(b"null")


class _Split(Struct, forbid_unknown_fields=True):
    """A `SplitFrame` whose rows are not decoded yet."""

    columns: list[str]
    data: list[Raw]
    index: Raw = NULL


class _Sent(Struct, forbid_unknown_fields=True):
    """An `InvocationsIn` whose rows or columns are not decoded yet."""

    dataframe_split: _Split | UnsetType = UNSET
    dataframe_records: list[Raw] | UnsetType = UNSET
    instances: list[Raw] | UnsetType = UNSET
    inputs: dict[str, Raw] | list[Raw] | UnsetType = UNSET
    params: Raw = NULL


_decoder = msgspec.json.Decoder(_Sent)
_column_decoder = msgspec.json.Decoder(list[Any])


class InvocationsHandler(ServingHandler):
    """MLflow's body in, MLflow's answer out."""

    @allow_unauthenticated
    async def post(self, deployment: str) -> None:
        """Predict the rows of a body in one of MLflow's forms; the answer is `{"predictions": […]}`."""
        endpoint = self.endpoint
        assert endpoint is not None
        self.require_json()
        ignore_extra = self.flag("extra", "ignore")
        rows, _ = await self.validated_rows(
            partial(rows_of, names=endpoint.model.validator.names, ignore_extra=ignore_extra),
            ignore_extra=ignore_extra,
        )
        answer, _ = await endpoint.predict(rows, proba=False, began=self.began)
        self.answer(InvocationsOut(answer.predictions))


def rows_of(body: bytes, *, names: Sequence[str], ignore_extra: bool = False) -> list[Any]:
    """Return the rows of a body, each an object; rows without names are in the order of `names`.

    Raises
    ------
    Invalid
        When there is not exactly one form, or its parts do not fit together.
    TooLarge
        When there are more values than rows of these columns can have.
    """
    refuse_deep(body)
    refuse_many(body, most_values(len(names), ignore_extra=ignore_extra))
    sent: _Sent = decode(body, _decoder, HINT)
    forms = [form for form in FORMS if getattr(sent, form) is not UNSET]
    if len(forms) != 1:
        raise Invalid(
            f"Send exactly one of {', '.join(FORMS)}.", errors=[{"loc": [], "msg": "one form"}]
        )
    form = forms[0]
    value = getattr(sent, form)
    if isinstance(value, dict):
        return _from_columns(value)
    raw_rows = value.data if isinstance(value, _Split) else value
    refuse_row_count(len(raw_rows))
    rows = decode_each(raw_rows, HINT)
    if isinstance(value, _Split):
        return [
            _named(value.columns, row, ["dataframe_split", "data", index])
            for index, row in enumerate(rows)
        ]
    if form == "dataframe_records":
        return list(rows)  # whoever checks them names one that is no object
    return [
        row if isinstance(row, dict) else _named(names, row, [form, index])
        for index, row in enumerate(rows)
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


def _from_columns(raw: dict[str, Raw]) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {}
    length: int | None = None
    for name, values in raw.items():
        columns[name] = decode(values, _column_decoder, f"{HINT}: inputs.{name}")
        if length is not None and len(columns[name]) != length:
            raise Invalid(
                "The columns of `inputs` differ in length.",
                errors=[{"loc": ["inputs"], "msg": "columns must be equally long"}],
            )
        length = len(columns[name])
    refuse_row_count(length or 0)
    return [
        {name: values[index] for name, values in columns.items()} for index in range(length or 0)
    ]
