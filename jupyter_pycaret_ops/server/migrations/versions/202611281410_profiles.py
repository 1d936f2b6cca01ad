"""profiles of data sources

Revision profiles, after revoked_keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "profiles"
down_revision: str | Sequence[str] | None = "revoked_keys"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "profiles"


def upgrade() -> None:
    """Bring the tables to this revision."""
    # tables that were made without Alembic have it already
    op.create_table(
        TABLE,
        sa.Column("data_source_id", sa.String(36), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["data_source_id"],
            ["data_sources.id"],
            name="fk_profiles_data_source_id_data_sources",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_profiles"),
        sa.UniqueConstraint("data_source_id", name="uq_profiles_data_source_id"),
        if_not_exists=True,
    )


def downgrade() -> None:
    """Take the tables back to the revision before: profiles are made again on request."""
    op.drop_table(TABLE, if_exists=True)
