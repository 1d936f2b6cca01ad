"""Messages between the server and the kernels: plain dataclasses, versioned.

Both sides import this module; it knows nothing but the standard library.
On the wire a run speaks JSON over HTTP (API.md, "The agent's routes") and the serving kernel
speaks MessagePack frames over a unix socket; the shapes are the same either way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

#: path of the API below a server's base URL
API_PREFIX = "/pycaret/api/v1"

#: raised when a message changes its meaning; a kernel with another number is refused
VERSION = 1

#: a kernel is heard of at least this often, and more often where leases are short
HEARTBEAT_S = 5.0
#: signs of life within a lease: one or two may be late on a busy machine
HEARTBEATS_A_LEASE = 6

#: every pickle of a pipeline is stored under this kind
PIPELINE_KIND = "pipeline_pickle"
SCHEMA_KIND = "input_schema"
#: a figure as Plotly JSON, named `plot-<id>.json`
PLOT_KIND = "plot"

JSON: TypeAlias = dict[str, Any]
DataKind: TypeAlias = Literal[
    "csv_upload", "parquet_upload", "s3", "postgres", "sklearn", "inline", "frame"
]
Outcome: TypeAlias = Literal["succeeded", "failed", "cancelled"]
ErrorKind: TypeAlias = Literal["user", "engine", "timeout", "worker_lost", "internal"]


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What a kernel holds to when it reads a table over the network."""

    cap_rows: int = 5_000_000
    cap_bytes: int = 512 * 1024 * 1024
    #: seconds from the first connection to the last row
    timeout_s: float = 600.0
    #: whether addresses that are not public may be connected to
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class DataSpec:
    """Where a run's frame comes from."""

    kind: DataKind
    #: sklearn: `{"name"}` · uploads: `{"encoding", "delimiter", "columns"}` · connectors: the config
    #: with its secrets (this message only ever goes to the run's own kernel) · frame: `{"name"}`
    options: JSON = field(default_factory=dict)
    #: for connectors
    limits: ReadLimits = field(default_factory=ReadLimits)

    @classmethod
    def parse(cls, raw: JSON) -> DataSpec:
        """The message again, from JSON."""
        return cls(**{**raw, "limits": ReadLimits(**raw.get("limits", {}))})


@dataclass(frozen=True, slots=True)
class RunSpec:
    """All that a kernel needs to execute one attempt of a run."""

    run_id: str
    attempt: int
    task: str
    plan: str
    data: DataSpec
    target: str | None = None
    model_id: str | None = None
    setup_params: JSON = field(default_factory=dict)
    plan_params: JSON = field(default_factory=dict)
    #: the metric that ranks this run's leaderboard, and its direction; None where the task has none
    metric: str | None = None
    greater_is_better: bool = True
    #: seconds after which a kernel that has nothing to report gives a sign of life
    heartbeat_s: float = HEARTBEAT_S
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """One event as its sender numbers it; `n` counts 1, 2, 3, … within an attempt."""

    n: int
    kind: str
    message: str
    payload: JSON
    #: RFC 3339, UTC
    timestamp: str
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class EventBatch:
    """What an agent posts; an empty list is a heartbeat."""

    attempt: int
    events: list[AgentEvent]


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Up to which `n` the store has everything, and whether the run was cancelled meanwhile."""

    acknowledged: int
    cancel: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """The last word of an attempt."""

    attempt: int
    outcome: Outcome
    error: str | None = None
    error_kind: ErrorKind | None = None
    leaderboard: list[JSON] = field(default_factory=list)
    metrics_summary: JSON = field(default_factory=dict)
    #: laid over the snapshot taken at submission: seed, versions, data_rows, data_sha256, data_changes,
    #: target
    snapshot: JSON = field(default_factory=dict)
