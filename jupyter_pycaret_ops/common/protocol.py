"""Messages between the server and kernels: plain, versioned dataclasses.

Both sides import this module; it imports only the standard library. Agents of runs send JSON over HTTP
(API.md, "The agent's routes"), serving kernels MessagePack frames over a Unix socket, with the same fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

#: path of the API below a server's base URL
API_PREFIX = "/pycaret/api/v1"

#: increased when the meaning of a message changes; kernels with another version are refused
VERSION = 1

#: maximum seconds between two heartbeats of a kernel; fewer where leases are short
HEARTBEAT_S = 5.0
#: heartbeats within a lease: one or two may be late on a busy machine
HEARTBEATS_A_LEASE = 6

#: artifact kind of pickled pipelines
PIPELINE_KIND = "pipeline_pickle"
SCHEMA_KIND = "input_schema"
#: how the values that a pipeline was fitted on are distributed
TRAINING_PROFILE_KIND = "training_profile"
#: what a model has answered for the rows of folds that it was not fitted on, named `oof-<model>.parquet`
OOF_KIND = "oof_predictions"
#: a figure as Plotly JSON, named `plot-<id>.json`
PLOT_KIND = "plot"

#: the plan of a run that the server makes itself, to fit a model of another run's leaderboard on all rows
KEEP_PLAN = "keep"

#: the set-up parameter that names the data source to hold out
HOLDOUT_PARAM = "test_data_source_id"

#: fields of a leaderboard record that are not metrics
RECORD_FIELDS = frozenset(
    {
        *("model_id", "name", "rank", "std", "folds", "fold_metrics", "seconds", "params"),
        *("attempt", "kept", "baseline", "uncorrected", "threshold"),
    }
)

JSON: TypeAlias = dict[str, Any]
DataKind: TypeAlias = Literal[
    "csv_upload", "parquet_upload", "excel_upload", "s3", "postgres", "sklearn", "inline", "frame"
]
Outcome: TypeAlias = Literal["succeeded", "failed", "cancelled"]
ErrorKind: TypeAlias = Literal["user", "engine", "timeout", "worker_lost", "internal"]


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of a kernel for reading a table over the network."""

    cap_rows: int = 5_000_000
    cap_bytes: int = 512 * 1024 * 1024
    #: seconds from the first connection to the last row
    timeout_s: float = 600.0
    #: whether addresses that are not public may be connected to
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class DataSpec:
    """The source of a run's data."""

    kind: DataKind
    #: sklearn: `{"name"}` · uploads: `{"encoding", "delimiter", "columns"}` · connectors: the config
    #: with its secrets (this message is sent only to the run's own kernel) · frame: `{"name"}`
    options: JSON = field(default_factory=dict)
    #: for connectors
    limits: ReadLimits = field(default_factory=ReadLimits)

    @classmethod
    def parse(cls, raw: JSON) -> DataSpec:
        """Return the message from its JSON form."""
        return cls(**{**raw, "limits": ReadLimits(**raw.get("limits", {}))})


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What a kernel needs to execute one attempt of a run."""

    run_id: str
    attempt: int
    task: str
    plan: str
    data: DataSpec
    target: str | None = None
    model_id: str | None = None
    setup_params: JSON = field(default_factory=dict)
    plan_params: JSON = field(default_factory=dict)
    #: the metric that orders the leaderboard, and its direction; None where the task has none
    metric: str | None = None
    greater_is_better: bool = True
    #: a table of its own to hold out; a kernel that has loaded it writes its `rows` there
    holdout: DataSpec | None = None
    #: seconds without events after which the kernel sends a heartbeat
    heartbeat_s: float = HEARTBEAT_S
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """One event; `n` counts 1, 2, 3, … within an attempt."""

    n: int
    kind: str
    message: str
    payload: JSON
    #: RFC 3339, UTC
    timestamp: str
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The events that an agent posts; an empty list is a heartbeat."""

    attempt: int
    events: list[AgentEvent]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The last `n` up to which all events are stored, and whether the run was cancelled."""

    acknowledged: int
    cancel: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """The outcome of an attempt."""

    attempt: int
    outcome: Outcome
    error: str | None = None
    error_kind: ErrorKind | None = None
    leaderboard: list[JSON] = field(default_factory=list)
    metrics_summary: JSON = field(default_factory=dict)
    #: merged into the snapshot of the submission: seed, versions, data_rows, data_sha256, data_changes,
    #: target
    snapshot: JSON = field(default_factory=dict)
