"""versions of data sources

Revision data_versions, after profiles.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "data_versions"
down_revision: str | Sequence[str] | None = "profiles"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SOURCES, VERSIONS, PROFILES = "data_sources", "data_versions", "profiles"


def _moments() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _of_source(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["data_source_id"],
        ["data_sources.id"],
        name=f"fk_{table}_data_source_id_data_sources",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    """Bring the tables to this revision: files of before are version 1; profiles are made again on request."""
    # tables that were made without Alembic have all of it already
    if any(
        column["name"] == "version" for column in sa.inspect(op.get_bind()).get_columns(SOURCES)
    ):
        return
    with op.batch_alter_table(SOURCES, schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("types", sa.JSON(none_as_null=True), nullable=True))
    op.execute("UPDATE data_sources SET types = '{}'")
    with op.batch_alter_table(SOURCES, schema=None) as batch_op:
        batch_op.alter_column("types", existing_type=sa.JSON(none_as_null=True), nullable=False)
    op.create_table(
        VERSIONS,
        sa.Column("data_source_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("config", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("storage_key", sa.String(255), nullable=False),
        sa.Column("changes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_by", sa.String(36), nullable=True),
        *_moments(),
        _of_source(VERSIONS),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
            name="fk_data_versions_created_by_users",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_data_versions"),
        sa.UniqueConstraint(
            "data_source_id", "version", name="uq_data_versions_data_source_id_version"
        ),
    )
    op.create_index("ix_data_versions_created_by", VERSIONS, ["created_by"])
    op.execute(
        "INSERT INTO data_versions (data_source_id, version, id, created_at, updated_at, kind, config, "
        "storage_key, created_by) SELECT id, 1, id, created_at, updated_at, kind, config, storage_key, "
        "created_by FROM data_sources WHERE storage_key IS NOT NULL"
    )
    op.drop_table(PROFILES)
    op.create_table(
        PROFILES,
        sa.Column("data_source_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        *_moments(),
        _of_source(PROFILES),
        sa.PrimaryKeyConstraint("id", name="pk_profiles"),
        sa.UniqueConstraint(
            "data_source_id",
            "version",
            "target",
            name="uq_profiles_data_source_id_version_target",
        ),
    )


def downgrade() -> None:
    """Take the tables back to the revision before: the newest version of each source stays, and its file."""
    op.drop_table(PROFILES)
    op.create_table(
        PROFILES,
        sa.Column("data_source_id", sa.String(36), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        *_moments(),
        _of_source(PROFILES),
        sa.PrimaryKeyConstraint("id", name="pk_profiles"),
        sa.UniqueConstraint("data_source_id", name="uq_profiles_data_source_id"),
    )
    op.drop_table(VERSIONS)
    with op.batch_alter_table(SOURCES, schema=None) as batch_op:
        batch_op.drop_column("types")
        batch_op.drop_column("version")
