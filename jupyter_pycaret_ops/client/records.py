"""Types of the records of the API. Fields that a newer server adds are in the objects, too."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

JSON = dict[str, Any]
Role = Literal["viewer", "member", "admin"]
Scope = Literal["predict", "read", "write"]
AuthMode = Literal["workspace", "api-key", "public"]
Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]

#: states that a run never leaves
ENDED = frozenset({"succeeded", "failed", "cancelled"})


class About(TypedDict):
    """Name and version of the server, and links."""

    name: str
    version: str
    api_version: str
    openapi: str
    docs: str
    upload_cap_bytes: int


class SetupStatus(TypedDict):
    """Whether the first workspace exists."""

    is_bootstrapped: bool
    user_count: int
    workspace_count: int


class Membership(TypedDict):
    """A role in a workspace."""

    workspace_id: str
    role: Role


class Me(TypedDict):
    """The user of the credential."""

    id: str
    name: str
    display_name: str
    memberships: list[Membership]


class Record(TypedDict):
    """Fields of all records; times are RFC 3339 in UTC."""

    id: str
    created_at: str
    updated_at: str


class Workspace(Record):
    """A workspace."""

    name: str
    description: str | None
    created_by: str | None


class Member(Record):
    """A member of a workspace."""

    user_id: str
    name: str
    role: Role


class Project(Record):
    """A project."""

    workspace_id: str
    name: str
    description: str | None
    tags: list[str]
    created_by: str | None


class DataSource(Record):
    """A data source, without its secret."""

    workspace_id: str
    name: str
    kind: str
    description: str | None
    config: JSON
    has_secret: bool
    created_by: str | None


class SourceTest(TypedDict):
    """The result of a test of a data source."""

    ok: bool
    message: str
    columns: list[JSON]
    rows: int | None
    size_bytes: int | None
    latency_ms: float


class Experiment(Record):
    """An experiment."""

    project_id: str
    name: str
    task: str
    target: str | None
    setup_params: JSON
    data_source_id: str | None
    description: str | None
    created_by: str | None


class Progress(TypedDict):
    """How far a run is."""

    done: int
    total: int
    label: str


class RunBrief(Record):
    """A run in a list."""

    experiment_id: str
    project_id: str
    workspace_id: str
    status: Status
    plan: str
    model_id: str | None
    executor: str
    attempt: int
    progress: Progress
    queued_at: str
    started_at: str | None
    finished_at: str | None
    duration_ms: float | None
    error: str | None
    error_kind: str | None
    metrics_summary: JSON
    metric: str | None
    greater_is_better: bool
    data_source_id: str | None
    cancel_requested_at: str | None
    created_by: str | None


class Run(RunBrief):
    """A run."""

    leaderboard: list[JSON]
    snapshot: JSON


class NewRun(Run):
    """A submitted run; of a notebook run with its run token, which is in this answer only."""

    run_token: NotRequired[str]


class Event(TypedDict):
    """An event of a run."""

    seq: int
    kind: str
    message: str
    payload: JSON
    duration_ms: float | None
    timestamp: str
    run_id: str
    attempt: int


class FoldMetric(Record):
    """One metric on one fold of one model."""

    run_id: str
    model_id: str
    fold_idx: int
    metric_name: str
    value: float | None


class Artifact(Record):
    """A file that a run created."""

    run_id: str
    kind: str
    filename: str
    model_id: str | None
    sha256: str
    size_bytes: int
    content_type: str


class Plot(TypedDict):
    """A plot of a run."""

    id: str
    artifact_id: str
    model_id: str | None
    size_bytes: int
    created_at: str


class Pipeline(Record):
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
    metrics: JSON
    versions: JSON
    created_by: str | None


class Deployment(Record):
    """A deployment with its usage statistics."""

    workspace_id: str
    pipeline_id: str
    endpoint_slug: str
    status: str
    auth_mode: AuthMode
    #: whether its pipeline is loaded in a kernel that responds; else the next request loads it
    ready: bool
    load_ms: float | None
    inference_count: int
    error_count: int
    last_inference_at: str | None
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    created_by: str | None


class DeploymentSchema(TypedDict):
    """Input and output of a deployment."""

    row: JSON
    example: JSON
    labels: list[Any] | None


class Prediction(TypedDict):
    """The prediction of one row."""

    index: int
    prediction: Any
    probabilities: NotRequired[dict[str, float]]
    #: of an anomaly
    score: NotRequired[float]
    #: of a step of a time series
    time: NotRequired[Any]


class Predictions(TypedDict):
    """The predictions of a deployment."""

    deployment_id: str
    endpoint_slug: str
    predictions: list[Prediction]
    warnings: list[str]
    latency_ms: float
    request_id: str


class ApiKey(Record):
    """An API key, without its secret."""

    name: str
    workspace_id: str
    deployment_id: str | None
    scopes: list[Scope]
    prefix: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    created_by: str | None


class NewApiKey(ApiKey):
    """A new API key with its secret, which is in this answer only."""

    key: str


# aliases, as the type `list` has no name in a class with a method `list`
JSONs = list[JSON]
Members = list[Member]
RunBriefs = list[RunBrief]
Events = list[Event]
FoldMetrics = list[FoldMetric]
Artifacts = list[Artifact]
Plots = list[Plot]
