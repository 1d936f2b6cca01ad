"""Bodies, queries and rows of the API, as types: they decode, check, encode and describe themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ...common.task_types import TASK_TYPES
from .nested_schemas import (
    ColumnType,
    Json,
    LeaderboardRecordJson,
    MetricsSummaryJson,
    ProgressJson,
    RowSchemaJson,
    SnapshotJson,
    SourceConfigJson,
)

Tags = list[Annotated[str, Meta(min_length=1, max_length=64)]]
#: the id of one of `TASK_TYPES`
Task = Annotated[
    str,
    Meta(
        pattern=f"^({'|'.join(TASK_TYPES)})$",
        description="Id of a task, as GET /describe/tasks lists them",
    ),
]
RoleWord = Literal["viewer", "member", "admin"]
Scope = Literal["predict", "read", "write"]
#: a probability
Threshold = Annotated[float, Meta(ge=0, le=1)]
AuthMode = Literal["workspace", "api-key", "public"]
RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
#: types of columns that a person can set
SettableType = Literal["number", "boolean", "category", "text", "date", "duration", "identifier"]
SourceKind = Literal["csv_upload", "parquet_upload", "excel_upload", "s3", "postgres"]
DeploymentStatus = Literal["active", "paused"]
#: values, and characters, of a field that is kept in the records and shown with each row
MOST_KEPT = 20_000
MOST_KEPT_CHARACTERS = 256 * 1024
MOST_COLUMNS = 100_000
MOST_COLUMNS_CHARACTERS = 4 * 1024 * 1024
#: fields of bodies: rows go to a file, columns of a frame are more than other words
BOUNDED_ELSEWHERE = ("data_inline", "columns")
#: a time with its zone
Moment = Annotated[datetime, Meta(tz=True)]
#: trimmed before it is measured, so the bounds are for readers of the document alone
Name = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": 128, "pattern": r"\S"})]


def clean_name(name: str) -> str:
    """A name without surrounding white space, 1 to 128 characters.

    Raises
    ------
    ValueError
        Where it is shorter or longer.
    """
    name = name.strip()
    if not 1 <= len(name) <= 128:
        raise ValueError("a name has 1 to 128 characters")
    if "\x00" in name:
        raise ValueError("a name holds no NUL character")
    return name


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC.

    Raises
    ------
    ValueError
        When its offset leads out of the years 1 to 9999.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time lies within the years 1 to 9999, in UTC") from None


def refuse_large(field: str, value: Any, most: int, most_characters: int) -> None:
    """Refuse JSON that is too much to be kept in the records and shown with each row.

    Raises
    ------
    ValueError
        Where it has more values, or more characters in its texts and names, than that.
    """
    count = characters = 0
    rest = [value]
    while rest:
        item = rest.pop()
        count += 1
        if isinstance(item, str):
            characters += len(item)
        elif isinstance(item, dict):
            rest += item
            rest += item.values()
        elif isinstance(item, list):
            rest += item
        if count + len(rest) > most or characters > most_characters:
            raise ValueError(
                f"{field} is too large: at most {most:,} values and {most_characters:,} characters"
            )


class Body(Struct, forbid_unknown_fields=True):
    """A request's body; names and descriptions are trimmed, and what is to be kept has a bound."""

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            if field not in BOUNDED_ELSEWHERE:
                refuse_large(field, getattr(self, field), MOST_KEPT, MOST_KEPT_CHARACTERS)
        for field in ("name", "workspace_name", "project_name"):
            value = getattr(self, field, None)
            if isinstance(value, str):
                setattr(self, field, clean_name(value))
        description = getattr(self, "description", None)
        if isinstance(description, str):
            setattr(self, "description", description.strip())  # noqa: B010 - not every body has one


class Patch(Body):
    """A body of changes: fields that are not sent stay."""

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not UNSET}


# ---------------------------------------------------------------- queries


class PageQuery(Struct):
    """How much of a list, and after which row."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: str | None = None


class RunsQuery(PageQuery):
    """Which runs."""

    workspace_id: str | None = None
    project_id: str | None = None
    experiment_id: str | None = None
    status: RunStatus | None = None
    plan: str | None = None
    data_source_id: str | None = None


class ExperimentRunsQuery(PageQuery):
    """Which runs of an experiment."""

    status: RunStatus | None = None


class EventsQuery(Struct):
    """Which events of a run."""

    after_seq: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class WaitQuery(Struct):
    """How long to wait."""

    timeout_s: Annotated[float, Meta(ge=0, le=300)] = 30.0


class TaskQuery(Struct):
    """Which task."""

    task: str


class ForceQuery(Struct):
    """Whether to end what stands in the way."""

    force: bool = False


class PreviewQuery(Struct):
    """How many rows."""

    rows: Annotated[int, Meta(ge=1, le=1000)] = 20
    target: str | None = None


class ProfileQuery(Struct):
    """Which version, and the column that others are compared with."""

    target: Annotated[str, Meta(max_length=1000)] | None = None
    version: Annotated[int, Meta(ge=1)] | None = None


class VersionQuery(Struct):
    """Which version; by default the newest."""

    version: Annotated[int, Meta(ge=1)] | None = None


# ---------------------------------------------------------------- bodies


class BootstrapIn(Body):
    """The first workspace."""

    workspace_name: Name
    project_name: Name | None = None


class WorkspaceIn(Body):
    """A new workspace."""

    name: Name
    description: str | None = None


class WorkspacePatch(Patch):
    """Changes of a workspace."""

    name: Name | UnsetType = UNSET
    description: str | UnsetType | None = UNSET


class MemberIn(Body):
    """A person to invite."""

    name: Name
    role: RoleWord


class MemberPatch(Body):
    """A member's new role."""

    role: RoleWord


class ProjectIn(Body):
    """A new project."""

    name: Name
    description: str | None = None
    tags: Tags = msgspec.field(default_factory=list)


class ProjectPatch(Patch):
    """Changes of a project."""

    name: Name | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET


class ExperimentIn(Body):
    """A new experiment."""

    name: Name
    task: Task
    target: str | None = None
    setup_params: Json = msgspec.field(default_factory=dict)
    data_source_id: str | None = None
    description: str | None = None


class ExperimentPatch(Patch):
    """Changes of an experiment."""

    name: Name | UnsetType = UNSET
    task: Task | UnsetType = UNSET
    target: str | UnsetType | None = UNSET
    setup_params: Json | UnsetType = UNSET
    data_source_id: str | UnsetType | None = UNSET
    description: str | UnsetType | None = UNSET


class DataSourceIn(Body):
    """A connector to register."""

    name: Name
    kind: Literal["s3", "postgres"]
    config: Json
    description: str | None = None


class DataSourcePatch(Patch):
    """Changes of a data source; null takes away a type that was set, or a field of the dialect."""

    name: Name | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    types: dict[str, SettableType | None] | UnsetType | None = UNSET
    dialect: Json | UnsetType = UNSET


class FrameIn(Body):
    """A frame that stays where it is."""

    name: Name
    rows: Annotated[int, Meta(ge=0)]
    columns: Annotated[list[str], Meta(min_length=1)]

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_large("columns", self.columns, MOST_COLUMNS, MOST_COLUMNS_CHARACTERS)


class RunIn(Body):
    """A run to queue."""

    plan: str
    model_id: str | None = None
    plan_params: Json = msgspec.field(default_factory=dict)
    target: str | None = None
    setup_params: Json = msgspec.field(default_factory=dict)
    executor: Literal["kernel", "notebook"] = "kernel"
    data_source_id: str | None = None
    data_version: Annotated[int, Meta(ge=1)] | None = None
    sklearn_dataset: str | None = None
    data_inline: list[Json] | None = None
    frame: FrameIn | None = None


class PromoteIn(Body):
    """A name for the run's pipeline."""

    name: Name
    description: str | None = None
    tags: Tags = msgspec.field(default_factory=list)
    model_id: str | None = None


class DeploymentIn(Body):
    """An endpoint for a pipeline."""

    endpoint_slug: str
    auth_mode: AuthMode = "workspace"
    threshold: Threshold | None = None


class DeploymentPatch(Patch):
    """Changes of a deployment."""

    pipeline_id: str | UnsetType = UNSET
    status: DeploymentStatus | UnsetType = UNSET
    auth_mode: AuthMode | UnsetType = UNSET
    #: from which probability the second of two labels is answered; null takes the pipeline's
    threshold: Threshold | UnsetType | None = UNSET


class ApiKeyIn(Body):
    """A key to make."""

    name: Name
    workspace_id: str
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    deployment_id: str | None = None
    expires_at: Moment | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.expires_at is not None:
            self.expires_at = in_utc(self.expires_at)


class PredictIn(Struct, forbid_unknown_fields=True):
    """Rows to predict; for a time series without other columns, how many steps ahead instead."""

    rows: list[Any] | UnsetType = UNSET
    horizon: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class SplitFrame(Struct, forbid_unknown_fields=True):
    """A table as pandas' `to_dict("split")` writes it."""

    columns: list[str]
    data: list[list[Any]]
    index: list[Any] | None = None


class InvocationsIn(Struct, forbid_unknown_fields=True):
    """Rows in one of MLflow's four forms; `params` are taken and not used."""

    dataframe_split: SplitFrame | UnsetType = UNSET
    dataframe_records: list[Json] | UnsetType = UNSET
    instances: list[Any] | UnsetType = UNSET
    inputs: dict[str, list[Any]] | list[Any] | UnsetType = UNSET
    params: Json | None = None


# fmt: off
Datatype = Literal[
    "BOOL", "BYTES", "FP16", "FP32", "FP64",
    "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
]
# fmt: on


class InferTensor(Struct, omit_defaults=True):
    """A tensor of the Open Inference Protocol: one column, or all of them side by side."""

    name: str
    shape: Annotated[
        list[Annotated[int, Meta(ge=0, le=2**31 - 1)]], Meta(min_length=1, max_length=2)
    ]
    datatype: Datatype
    data: list[Any] | None = None
    parameters: Json = {}


class InferWanted(Struct):
    """An output that is asked for."""

    name: Literal["prediction", "probabilities", "score", "time"]
    parameters: Json = {}


class InferIn(Struct):
    """A request of the Open Inference Protocol."""

    inputs: Annotated[list[InferTensor], Meta(min_length=1)]
    id: str | None = None
    outputs: list[InferWanted] = []
    parameters: Json = {}


# ---------------------------------------------------------------- rows


class Row(Struct, kw_only=True):
    """What all rows carry."""

    id: str
    created_at: Moment
    updated_at: Moment


class Health(Struct):
    """The server is there."""

    ok: bool


class About(Struct):
    """What this is, and where its description is."""

    name: str
    version: str
    api_version: str
    openapi: str
    docs: str
    #: the largest file that an upload may hold
    upload_cap_bytes: int


class SetupStatus(Struct):
    """Whether the first workspace was made."""

    is_bootstrapped: bool
    user_count: int
    workspace_count: int


class Membership(Struct):
    """A role in a workspace."""

    workspace_id: str
    role: RoleWord


class Me(Struct):
    """The caller."""

    id: str
    name: str
    display_name: str
    memberships: list[Membership]


class WorkspaceRow(Row, kw_only=True):
    """A workspace."""

    name: str
    description: str | None
    created_by: str | None


class MemberRow(Row, kw_only=True):
    """A member of a workspace."""

    user_id: str
    name: str
    role: RoleWord


class ProjectRow(Row, kw_only=True):
    """A project."""

    workspace_id: str
    name: str
    description: str | None
    tags: list[str]
    created_by: str | None


class DataSourceRow(Row, kw_only=True):
    """A data source; its secret is never answered."""

    workspace_id: str
    name: str
    kind: SourceKind
    description: str | None
    config: SourceConfigJson
    has_secret: bool
    #: the newest, and how many there are
    version: int
    versions: int
    #: column → type that a person has set
    types: dict[str, str]
    created_by: str | None


class ChangesOut(msgspec.Struct, kw_only=True):
    """What a version changes against the one before; `levels` once both have a profile."""

    rows: int | None
    added: list[str]
    removed: list[str]
    types: list[Json]
    levels: list[Json]


class NewVersionRow(DataSourceRow, kw_only=True):
    """A data source with a new version, and what this changes."""

    changes: ChangesOut


class DataVersionRow(Row, kw_only=True):
    """A version of an upload: its file, and how that is read."""

    version: int
    kind: SourceKind
    filename: str | None
    sha256: str
    size_bytes: int
    rows: int | None
    columns: list[ColumnType]
    encoding: str | None
    delimiter: str | None
    dialect: Json | None
    types_final: bool | None
    changes: ChangesOut | None
    created_by: str | None


class Unreadable(msgspec.Struct, kw_only=True):
    """Cells that were not read: how many, and up to five of them with row number and text."""

    count: int
    examples: list[Json]


class ProfileColumn(msgspec.Struct, kw_only=True):
    """One column of a profile; values + missing + unreadable are the rows."""

    name: str
    type: str
    dtype: str
    format: Json | None
    values: int
    missing: int
    missing_words: dict[str, int]
    unreadable: Unreadable
    distinct: int
    min: Any
    max: Any
    mean: Any
    std: float | None
    quantiles: Json
    histogram: Json | None
    top: list[Json]
    hints: list[str]
    association: float | None
    recognised_as: str
    set_by_person: bool
    #: what it is without what a person has set
    detected_type: str | None = None
    alternatives: list[Json]


class ProfileOut(msgspec.Struct, kw_only=True):
    """A profile; without `columns` until `status` is `ready`."""

    status: Literal["pending", "ready", "failed"]
    version: int = 1
    rows: int | None = None
    duplicates: int | None = None
    dialect: Json | None = None
    columns: list[ProfileColumn] = msgspec.field(default_factory=list)
    reported: list[Json] = msgspec.field(default_factory=list)
    notices: list[Json] = msgspec.field(default_factory=list)
    suggestion: Json | None = None
    progress: Json | None = None
    memory_bytes: int | None = None
    error: str | None = None


class SourceTest(msgspec.Struct, kw_only=True):
    """What a source's test has seen; `rows` and `size_bytes` are null where only a full read would tell."""

    ok: bool
    message: str
    columns: list[ColumnType] = msgspec.field(default_factory=list)
    rows: int | None = None
    size_bytes: int | None = None
    latency_ms: float


class ExperimentRow(Row, kw_only=True):
    """An experiment."""

    project_id: str
    name: str
    task: Task
    target: str | None
    setup_params: Json
    data_source_id: str | None
    description: str | None
    created_by: str | None


class RunBrief(Row, kw_only=True):
    """A run in a list."""

    #: None of runs that the server makes itself, such as those that keep a model
    experiment_id: str | None
    #: the run that such a run is about
    origin_run_id: str | None
    project_id: str
    workspace_id: str
    status: RunStatus
    plan: str
    model_id: str | None
    executor: Literal["kernel", "notebook"]
    attempt: int
    progress: ProgressJson
    queued_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_ms: float | None
    error: str | None
    error_kind: str | None
    metrics_summary: MetricsSummaryJson
    #: orders the leaderboard; None where models are not scored
    metric: str | None
    greater_is_better: bool
    data_source_id: str | None
    cancel_requested_at: Moment | None
    created_by: str | None


class RunRow(RunBrief, kw_only=True):
    """A run."""

    leaderboard: list[LeaderboardRecordJson]
    snapshot: SnapshotJson


class NewRunRow(RunRow, kw_only=True):
    """A run that was just queued; where the caller's kernel executes it, with its token, this once."""

    run_token: str | UnsetType = UNSET


class EventRow(Struct):
    """An event of a run."""

    seq: int
    kind: str
    message: str
    payload: Json
    duration_ms: float | None
    timestamp: Moment
    run_id: str
    attempt: int


class FoldMetricRow(Row, kw_only=True):
    """One metric on one fold of one model."""

    run_id: str
    model_id: str
    fold_idx: int
    metric_name: str
    value: float | None


class ArtifactRow(Row, kw_only=True):
    """A file that a run made."""

    run_id: str
    kind: str
    filename: str
    model_id: str | None
    sha256: str
    size_bytes: int
    content_type: str


class PipelineRow(Row, kw_only=True):
    """A promoted pipeline."""

    workspace_id: str
    name: str
    version: int
    description: str | None
    tags: list[str]
    model_id: str
    origin_run_id: str | None
    sha256: str
    size_bytes: int
    task: str
    labels: list[Any] | None
    #: the probability from which the last of two labels is answered; null for what the model answers itself
    threshold: float | None
    metrics: Json
    versions: Json
    created_by: str | None


class DeploymentRow(Row, kw_only=True):
    """A deployment, with its live counts."""

    workspace_id: str
    pipeline_id: str
    endpoint_slug: str
    status: DeploymentStatus
    auth_mode: AuthMode
    #: its own, or the pipeline's
    threshold: float | None
    #: whether its pipeline is loaded, in a kernel that answers now; else the next request loads it
    ready: bool
    load_ms: float | None
    inference_count: int
    error_count: int
    last_inference_at: Moment | None
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    created_by: str | None


class ApiKeyRow(Row, kw_only=True):
    """A key, without its secret."""

    name: str
    workspace_id: str
    deployment_id: str | None
    scopes: list[Scope]
    prefix: str
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None
    created_by: str | None


class NewApiKeyRow(ApiKeyRow, kw_only=True):
    """A key with its secret, this once."""

    key: str


class PlotRow(Struct):
    """A plot of a run; `id` is the one that `/describe/plots` gives."""

    id: str
    artifact_id: str
    model_id: str | None
    size_bytes: int
    created_at: Moment


class Figure(Struct):
    """A figure as Plotly JSON."""

    data: list[Json]
    layout: Json


class Notebook(Struct):
    """A notebook in the format of Jupyter."""

    nbformat: int
    nbformat_minor: int
    metadata: Json
    cells: list[Json]


class Prediction(Struct, omit_defaults=True):
    """One row's prediction."""

    index: int
    prediction: Any
    probabilities: dict[str, float] | None = None
    #: of an anomaly: greater is stranger
    score: float | None = None
    #: of a step of a time series: ISO 8601, or its position where the series has no time
    time: Any = None


class PredictOut(Struct):
    """Predictions."""

    deployment_id: str
    endpoint_slug: str
    predictions: list[Prediction]
    warnings: list[str]
    latency_ms: float
    request_id: str


class DeploymentSchema(Struct):
    """What a deployment takes and gives."""

    row: RowSchemaJson
    example: Json
    labels: list[Any] | None


class InvocationsOut(Struct):
    """Predictions, as MLflow's clients read them."""

    predictions: list[Any]


class Live(Struct):
    """The server is there."""

    live: bool


class Ready(Struct, omit_defaults=True):
    """It answers requests."""

    ready: bool
    name: str | None = None


class TensorMetadata(Struct, omit_defaults=True):
    """What an input or output looks like; -1 stands for the number of rows."""

    name: str
    datatype: str
    shape: list[int]
    parameters: Json = {}


class ModelMetadata(Struct):
    """What a deployment takes and gives, in the words of the Open Inference Protocol."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class InferOut(Struct, omit_defaults=True):
    """An answer of the Open Inference Protocol."""

    model_name: str
    model_version: str
    outputs: list[InferTensor]
    id: str | None = None
    parameters: Json = {}


class ErrorOut(Struct, omit_defaults=True):
    """Why a request was refused."""

    message: str
    reason: str
    errors: list[Json] | None = None
    #: the message again, where clients of the Open Inference Protocol look for it
    error: str | None = None


#: bodies that say more than their required fields would
EXAMPLES: dict[Any, Json] = {
    ApiKeyIn: {
        "name": "dashboard",
        "workspace_id": "0193a0b1-7c55-7d2a-9f3e-5b8c1d2e3f40",
        "scopes": ["read"],
    },
    DataSourceIn: {
        "name": "sales",
        "kind": "postgres",
        "config": {
            "host": "db.example.org",
            "database": "sales",
            "user": "reader",
            "password": "…",
            "table": "orders",
        },
    },
    DeploymentPatch: {"status": "paused"},
    ExperimentPatch: {"target": "species"},
    InferIn: {
        "inputs": [
            {"name": "petal length (cm)", "shape": [1], "datatype": "FP64", "data": [1.4]},
            {"name": "petal width (cm)", "shape": [1], "datatype": "FP64", "data": [0.2]},
        ]
    },
    InvocationsIn: {
        "dataframe_split": {
            "columns": ["petal length (cm)", "petal width (cm)"],
            "data": [[1.4, 0.2]],
        }
    },
    PredictIn: {"rows": [{"petal length (cm)": 1.4, "petal width (cm)": 0.2}]},
    ProjectPatch: {"tags": ["flowers"]},
    RunIn: {"plan": "create", "model_id": "lr", "sklearn_dataset": "iris"},
    WorkspacePatch: {"description": "All that we do."},
}
