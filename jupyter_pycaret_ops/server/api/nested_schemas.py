"""What stands inside the JSON of rows and answers, said for readers of the OpenAPI document.

Values pass the server as they were stored or told: a kernel of another version may add a field, and
then it is there. So nothing is decoded into these types; clients take theirs from them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta

Json = dict[str, Any]


def _of(name: str) -> Meta:
    """JSON that looks like the shape of that name."""
    return Meta(extra_json_schema={"$ref": f"#/components/schemas/{name}"})


# ---------------------------------------------------------------- data


class ColumnType(TypedDict):
    """A column of a file."""

    name: str
    dtype: Literal["integer", "number", "boolean", "string", "datetime"]
    #: as "How your table is read" calls it; absent where only a full read would tell
    type: NotRequired[str]


class SourceConfig(TypedDict, total=False):
    """Where the data is. Uploads fill the first half, connectors the second; secrets are in neither."""

    filename: str | None
    sha256: str
    size_bytes: int
    rows: int | None
    columns: list[ColumnType] | None
    encoding: str | None
    delimiter: str | None
    dialect: Json | None
    #: fields of the dialect that a person gave
    dialect_fields: Json
    #: whether types are of all rows, and not of the first ones
    types_final: bool

    bucket: str
    key: str
    region: str
    endpoint_url: str
    anonymous: bool
    format: Literal["csv", "parquet"]

    host: str
    port: int
    database: str
    user: str
    schema: str
    table: str
    query: str
    sslmode: str


class PreviewColumn(ColumnType):
    """A column of a preview; the counts are over the rows that were examined."""

    missing: int
    distinct: int
    examined: int


class Suggestion(TypedDict):
    """What the data looks good for, and the sentence behind it."""

    target: str | None
    task: str | None
    reason: str | None
    #: of a series: its column of time
    index: NotRequired[str]


class Preview(TypedDict):
    """Columns, first rows, and what they suggest; `total_rows` is null where only a full read would tell."""

    columns: list[PreviewColumn]
    rows: list[Json]
    total_rows: int | None
    examined_rows: int
    suggestion: Suggestion


# ---------------------------------------------------------------- the engine


class TaskCard(TypedDict):
    """A task; `extra` is the extra of the package that brings it, `sample_sets` are data to try it on."""

    id: str
    name: str
    is_available: bool
    extra: str | None
    default_metric: str | None
    target: Literal["required", "optional", "refused"]
    answers: Literal["labels", "numbers", "clusters", "flags", "steps"]
    rows_are_steps: bool
    sample_sets: list[str]


class ModelParam(TypedDict):
    """A parameter of a model."""

    name: str
    default: Any


class ModelCard(TypedDict):
    """A model; `turbo` ones are tried by a plan that is given none."""

    id: str
    name: str
    is_available: bool
    extra: str | None
    turbo: bool
    params: list[ModelParam]


class MetricCard(TypedDict):
    """A metric."""

    id: str
    name: str
    greater_is_better: bool


class ParamSchema(TypedDict, total=False):
    """The words of JSON Schema that parameters use."""

    type: str | list[str]
    enum: list[str | None]
    anyOf: list[Json]
    minimum: float
    maximum: float
    exclusiveMinimum: float
    exclusiveMaximum: float
    minItems: int
    items: Json


class ParamCard(TypedDict):
    """A parameter of a plan or of the set-up."""

    name: str
    schema: ParamSchema
    default: Any
    description: str
    #: what it is about, for forms: `reading`, `preparation`, `validation`, or empty
    group: NotRequired[str]


class PlanCard(TypedDict):
    """A plan."""

    id: str
    name: str
    description: str
    needs_model: bool
    takes_model_params: bool
    #: set-up parameters with other defaults than elsewhere
    default_setup: NotRequired[dict[str, Any]]
    params: list[ParamCard]


class PlotCard(TypedDict):
    """A kind of plot."""

    id: str
    name: str


# ---------------------------------------------------------------- runs


class Progress(TypedDict):
    """How far a run is; `label` says what happens now."""

    done: int
    total: int
    label: str


class BestModel(TypedDict):
    """The first of a leaderboard."""

    model_id: str
    name: NotRequired[str | None]
    value: float | None


class MetricsSummary(TypedDict, total=False):
    """What a run has found; empty until a model was scored."""

    metric: str | None
    best: BestModel | None
    models: int
    failed: int
    greater_is_better: bool
    #: the leaderboard record of the baseline; on the leaderboard as well where it was included
    baseline: Json | None
    #: metric → value of the best model on the rows that were held out
    holdout: Json | None
    holdout_rows: int | None
    #: whether the best model is ahead by more than the spread of its folds
    beats_baseline: bool | None
    #: `gap`: better, but the hold-out is much worse than the folds
    verdict: Literal["better", "gap", "not_better"] | None
    headline: str | None
    detail: str | None
    #: tells models apart where the run's metric hardly does
    suggested_metric: str | None
    #: of the best model, where one was asked for
    threshold: Threshold | None


class Threshold(TypedDict):
    """From which probability a model of two labels answers the positive one."""

    value: float
    #: the metric, or the costs of both errors, that it was chosen by
    by: Any
    #: in folds that did not choose it, and with 0.5; costs are negative
    score: float
    score_at_half: float


class LeaderboardRecord(TypedDict):
    """One scored model; the mean of each metric stands under the metric's own name."""

    model_id: str
    name: str
    rank: int
    attempt: NotRequired[int]
    std: NotRequired[dict[str, float | None]]
    #: the run's own metric, fold by fold
    folds: NotRequired[list[float | None]]
    seconds: NotRequired[float | None]
    #: true of the model that learns nothing from the columns
    baseline: NotRequired[bool]
    #: whether its pipeline is kept, so that it can be promoted
    kept: NotRequired[bool]
    #: metric → its plain mean, where the record has one that is corrected for having chosen the best of many settings
    uncorrected: NotRequired[dict[str, float | None]]
    threshold: NotRequired[Threshold]


class DataChange(TypedDict):
    """One thing that was done to the data before the first fit."""

    message: str


class Snapshot(TypedDict):
    """All that is needed to do a run again."""

    task: str
    target: str | None
    setup_params: Json
    plan: str
    model_id: str | None
    plan_params: Json
    data_source_id: str | None
    sklearn_dataset: NotRequired[str | None]
    data_sha256: str | None
    data_rows: int | None
    data_changes: list[DataChange]
    seed: int | None
    versions: dict[str, str | None]


# ---------------------------------------------------------------- serving


class FieldSchema(TypedDict, total=False):
    """What a column takes; `examples` are labels that were seen in training."""

    type: str | list[str]
    format: str
    description: str
    examples: list[Any]


class RowSchema(TypedDict):
    """JSON Schema of one row."""

    type: Literal["object"]
    properties: dict[str, FieldSchema]
    required: list[str]


#: that are named by a reference from a row, and by no route
REFERRED = (SourceConfig, Progress, MetricsSummary, LeaderboardRecord, Snapshot, RowSchema)
#: that hold more than their names tell: metrics, what a task adds, facts of a change
OPEN = (LeaderboardRecord, Snapshot, DataChange)

SourceConfigJson = Annotated[Json, _of("SourceConfig")]
ProgressJson = Annotated[Json, _of("Progress")]
MetricsSummaryJson = Annotated[Json, _of("MetricsSummary")]
LeaderboardRecordJson = Annotated[Json, _of("LeaderboardRecord")]
SnapshotJson = Annotated[Json, _of("Snapshot")]
RowSchemaJson = Annotated[Json, _of("RowSchema")]
