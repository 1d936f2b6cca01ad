"""training profiles of pipelines

Revision training_profiles, after data_versions.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "training_profiles"
down_revision: str | Sequence[str] | None = "data_versions"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PIPELINES, COLUMN = "pipelines", "training_profile"


def upgrade() -> None:
    """Bring the table to this revision; pipelines of before have no training profile."""
    # tables that were made without Alembic have the column already
    if any(column["name"] == COLUMN for column in sa.inspect(op.get_bind()).get_columns(PIPELINES)):
        return
    with op.batch_alter_table(PIPELINES, schema=None) as batch_op:
        batch_op.add_column(sa.Column(COLUMN, sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Take the table back to the revision before: training profiles go."""
    with op.batch_alter_table(PIPELINES, schema=None) as batch_op:
        batch_op.drop_column(COLUMN)
