"""The tables: the records of everything the product does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column

from .ids import new_id


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC everywhere; SQLite, which has no zones, keeps them naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: always UTC."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: always aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    """The default of `created_at` and `updated_at`."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        datetime: UtcDateTime,
    }


class Row:
    """What all rows carry."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


def _in(table: str, *, on_delete: str | None = "CASCADE") -> ForeignKey:
    return ForeignKey(f"{table}.id", ondelete=on_delete)


def _made_by() -> Mapped[str | None]:
    return mapped_column(String(36), _in("users", on_delete="SET NULL"), index=True)


class User(Row, Base):
    """A person, as the identity provider names them; the owner where it names nobody."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(255), unique=True)
    display_name: Mapped[str] = mapped_column(String(255))


class Workspace(Row, Base):
    """What a group of people shares; nothing is seen across its border."""

    __tablename__ = "workspaces"

    name: Mapped[str] = mapped_column(String(128), unique=True)
    description: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str | None] = _made_by()


class Member(Row, Base):
    """A user's role in a workspace: viewer, member or admin."""

    __tablename__ = "workspace_members"
    __table_args__ = (UniqueConstraint("workspace_id", "user_id"),)

    workspace_id: Mapped[str] = mapped_column(String(36), _in("workspaces"))
    user_id: Mapped[str] = mapped_column(String(36), _in("users"), index=True)
    role: Mapped[str] = mapped_column(String(16))


class ApiKey(Row, Base):
    """A key for callers from outside; only its hash is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (
        # the name of a revoked key can be used again
        Index(
            "uq_api_keys_workspace_id_name_unrevoked",
            "workspace_id",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_api_keys_workspace_id_id", "workspace_id", "id"),
    )

    name: Mapped[str] = mapped_column(String(128))
    workspace_id: Mapped[str] = mapped_column(String(36), _in("workspaces"))
    deployment_id: Mapped[str | None] = mapped_column(String(36), _in("deployments"), index=True)
    scopes: Mapped[list[Any]]
    prefix: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[str | None] = _made_by()


class Project(Row, Base):
    """A shelf for experiments in a workspace."""

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index("ix_projects_workspace_id_id", "workspace_id", "id"),
    )

    workspace_id: Mapped[str] = mapped_column(String(36), _in("workspaces"))
    name: Mapped[str] = mapped_column(String(128))
    description: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[str | None] = _made_by()


class DataSource(Row, Base):
    """An uploaded table, or the name of one that lives elsewhere."""

    __tablename__ = "data_sources"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name"),
        Index("ix_data_sources_workspace_id_id", "workspace_id", "id"),
    )

    workspace_id: Mapped[str] = mapped_column(String(36), _in("workspaces"))
    name: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(32))
    description: Mapped[str | None] = mapped_column(Text)
    config: Mapped[dict[str, Any]]
    #: encrypted with a key that is not in this database
    secret: Mapped[str | None] = mapped_column(Text)
    storage_key: Mapped[str | None] = mapped_column(String(255))
    #: the newest one, whose kind, config and file are those of this row
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    #: column → type that a person has set, for the runs to come
    types: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by: Mapped[str | None] = _made_by()


class DataVersion(Row, Base):
    """A file of a data source, and how it is read; those of one source are counted from 1."""

    __tablename__ = "data_versions"
    __table_args__ = (UniqueConstraint("data_source_id", "version"),)

    data_source_id: Mapped[str] = mapped_column(String(36), _in("data_sources"))
    version: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(32))
    config: Mapped[dict[str, Any]]
    #: versions that read one file in different ways share it
    storage_key: Mapped[str] = mapped_column(String(255))
    #: against the version before; None for the first
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[str | None] = _made_by()


class Profile(Row, Base):
    """What a kernel found in all rows of a version of a data source."""

    __tablename__ = "profiles"
    __table_args__ = (UniqueConstraint("data_source_id", "version", "target"),)

    data_source_id: Mapped[str] = mapped_column(String(36), _in("data_sources"))
    version: Mapped[int] = mapped_column(Integer)
    #: the column that associations are with; empty where none was asked for
    target: Mapped[str] = mapped_column(Text, default="")
    #: `pending`, `ready` or `failed`
    status: Mapped[str] = mapped_column(String(16))
    content: Mapped[dict[str, Any]]
    error: Mapped[str | None] = mapped_column(Text)


class Experiment(Row, Base):
    """A question asked of data: task, target and set-up; its runs are the attempts at an answer."""

    __tablename__ = "experiments"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("ix_experiments_project_id_id", "project_id", "id"),
    )

    project_id: Mapped[str] = mapped_column(String(36), _in("projects"))
    name: Mapped[str] = mapped_column(String(128))
    task: Mapped[str] = mapped_column(String(32))
    target: Mapped[str | None] = mapped_column(Text)
    setup_params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    data_source_id: Mapped[str | None] = mapped_column(
        String(36), _in("data_sources", on_delete="SET NULL"), index=True
    )
    description: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str | None] = _made_by()


class Run(Row, Base):
    """One plan on one frame."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_workspace_id_id", "workspace_id", "id"),
        Index("ix_runs_workspace_id_status_id", "workspace_id", "status", "id"),
        Index("ix_runs_experiment_id_id", "experiment_id", "id"),
        Index("ix_runs_project_id_id", "project_id", "id"),
        Index("ix_runs_status_pool_id", "status", "pool", "id"),
        Index("ix_runs_data_source_id_status", "data_source_id", "status"),
        # a list that is narrowed costs what it shows, not what it leaves out
        Index("ix_runs_project_id_status_id", "project_id", "status", "id"),
        Index("ix_runs_experiment_id_status_id", "experiment_id", "status", "id"),
        Index("ix_runs_workspace_id_plan_id", "workspace_id", "plan", "id"),
        Index("ix_runs_project_id_plan_id", "project_id", "plan", "id"),
        Index("ix_runs_experiment_id_plan_id", "experiment_id", "plan", "id"),
        Index("ix_runs_data_source_id_id", "data_source_id", "id"),
        Index("ix_runs_origin_run_id_model_id", "origin_run_id", "model_id"),
    )

    #: None of runs that the server makes itself
    experiment_id: Mapped[str | None] = mapped_column(String(36), _in("experiments"))
    #: the run that this one is about, of which it keeps a model
    origin_run_id: Mapped[str | None] = mapped_column(String(36), _in("runs", on_delete="SET NULL"))
    project_id: Mapped[str] = mapped_column(String(36), _in("projects"))
    workspace_id: Mapped[str] = mapped_column(String(36), _in("workspaces"))
    status: Mapped[str] = mapped_column(String(16))
    plan: Mapped[str] = mapped_column(String(32))
    model_id: Mapped[str | None] = mapped_column(String(64))
    executor: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(Integer, default=1)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    queued_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    duration_ms: Mapped[float | None] = mapped_column(Float)
    error: Mapped[str | None] = mapped_column(Text)
    error_kind: Mapped[str | None] = mapped_column(String(16))
    leaderboard: Mapped[list[Any]] = mapped_column(default=list)
    metrics_summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    snapshot: Mapped[dict[str, Any]] = mapped_column(default=dict)
    data_source_id: Mapped[str | None] = mapped_column(
        String(36), _in("data_sources", on_delete="SET NULL")
    )
    #: `{"kind", "options", "storage_key"}`: where the frame comes from
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: the metric that ranks the leaderboard, and its direction
    metric: Mapped[str | None] = mapped_column(String(64))
    greater_is_better: Mapped[bool] = mapped_column(Boolean, default=True)
    #: host and operating system user whose servers may execute this run
    pool: Mapped[str] = mapped_column(String(255))
    token_hash: Mapped[str | None] = mapped_column(String(64))
    #: `seq` of the newest event; counting here is what keeps `seq` without a gap
    last_seq: Mapped[int] = mapped_column(Integer, default=0)
    #: up to which `n` this attempt's events are stored
    last_n: Mapped[int] = mapped_column(Integer, default=0)
    leased_by: Mapped[str | None] = mapped_column(String(255))
    lease_expires_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    created_by: Mapped[str | None] = _made_by()


class Event(Base):
    """What happened in a run, in order and without a gap."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("run_id", "attempt", "n"),)

    run_id: Mapped[str] = mapped_column(String(36), _in("runs"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    attempt: Mapped[int] = mapped_column(Integer)
    #: the sender's own number; the server's events have none
    n: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    duration_ms: Mapped[float | None] = mapped_column(Float)
    timestamp: Mapped[datetime]


class Artifact(Row, Base):
    """A file that a run made."""

    __tablename__ = "artifacts"
    __table_args__ = (UniqueConstraint("run_id", "filename"),)

    run_id: Mapped[str] = mapped_column(String(36), _in("runs"))
    kind: Mapped[str] = mapped_column(String(32))
    filename: Mapped[str] = mapped_column(String(255))
    model_id: Mapped[str | None] = mapped_column(String(64))
    attempt: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    #: HMAC over the digest, by the server that received the file
    signature: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_type: Mapped[str] = mapped_column(String(128))
    storage_key: Mapped[str] = mapped_column(String(255))


class FoldMetric(Row, Base):
    """One value of one metric on one fold of one model."""

    __tablename__ = "fold_metrics"
    __table_args__ = (
        UniqueConstraint("run_id", "model_id", "metric_name", "fold_idx"),
        Index("ix_fold_metrics_run_id_id", "run_id", "id"),
    )

    run_id: Mapped[str] = mapped_column(String(36), _in("runs"))
    model_id: Mapped[str] = mapped_column(String(64))
    fold_idx: Mapped[int] = mapped_column(Integer)
    metric_name: Mapped[str] = mapped_column(String(64))
    value: Mapped[float | None] = mapped_column(Float)


class Pipeline(Row, Base):
    """A fitted pipeline that was chosen to be kept, with a version under its name."""

    __tablename__ = "pipelines"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name", "version"),
        Index("ix_pipelines_workspace_id_id", "workspace_id", "id"),
    )

    workspace_id: Mapped[str] = mapped_column(String(36), _in("workspaces"))
    name: Mapped[str] = mapped_column(String(128))
    version: Mapped[int] = mapped_column(Integer)
    description: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[Any]] = mapped_column(default=list)
    model_id: Mapped[str] = mapped_column(String(64))
    origin_run_id: Mapped[str | None] = mapped_column(
        String(36), _in("runs", on_delete="SET NULL"), index=True
    )
    task: Mapped[str] = mapped_column(String(32))
    labels: Mapped[list[Any] | None]
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    input_schema: Mapped[dict[str, Any]]
    #: how the training rows are distributed; None for pipelines of before, and for forecasts
    training_profile: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    #: the probability from which the second of two labels is answered; None for what the model answers itself
    threshold: Mapped[float | None] = mapped_column(Float)
    sha256: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    storage_key: Mapped[str] = mapped_column(String(255))
    created_by: Mapped[str | None] = _made_by()


class Deployment(Row, Base):
    """A pipeline that answers under a name, with its counts."""

    __tablename__ = "deployments"
    __table_args__ = (Index("ix_deployments_workspace_id_id", "workspace_id", "id"),)

    workspace_id: Mapped[str] = mapped_column(String(36), _in("workspaces"))
    #: NO ACTION: a pipeline in use cannot go, yet a workspace can go with all it holds
    pipeline_id: Mapped[str] = mapped_column(
        String(36), _in("pipelines", on_delete=None), index=True
    )
    endpoint_slug: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[str] = mapped_column(String(16))
    auth_mode: Mapped[str] = mapped_column(String(16))
    #: in place of the pipeline's
    threshold: Mapped[float | None] = mapped_column(Float)
    inference_count: Mapped[int] = mapped_column(BigInteger, default=0)
    error_count: Mapped[int] = mapped_column(BigInteger, default=0)
    last_inference_at: Mapped[datetime | None]
    #: the last 100, in ms, newest last
    recent_latencies_ms: Mapped[list[Any]] = mapped_column(default=list)
    created_by: Mapped[str | None] = _made_by()
    pipeline_threshold: Mapped[float | None] = column_property(
        select(Pipeline.threshold)
        .where(Pipeline.id == pipeline_id)
        .correlate_except(Pipeline)
        .scalar_subquery()
    )


class Worker(Row, Base):
    """A kernel that a server started, so that what a crash leaves can be swept."""

    __tablename__ = "workers"

    server_id: Mapped[str] = mapped_column(String(255), index=True)
    host: Mapped[str] = mapped_column(String(255), index=True)
    kernel_id: Mapped[str] = mapped_column(String(36))
    pid: Mapped[int] = mapped_column(Integer)
    process_group: Mapped[int] = mapped_column(Integer)
    #: seconds since the epoch, as the operating system tells it: pids come round again
    pid_started_at: Mapped[float] = mapped_column(Float)
    purpose: Mapped[str] = mapped_column(String(16))
    run_id: Mapped[str | None] = mapped_column(
        String(36), _in("runs", on_delete="SET NULL"), index=True
    )
