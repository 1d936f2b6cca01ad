"""thresholds of pipelines and deployments

Revision thresholds, after kept_models.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "thresholds"
down_revision: str | Sequence[str] | None = "kept_models"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES, COLUMN = ("pipelines", "deployments"), "threshold"


def upgrade() -> None:
    """Bring the tables to this revision: from which probability the second of two labels is answered."""
    for table in TABLES:
        # tables that were made without Alembic have the column already
        if any(column["name"] == COLUMN for column in sa.inspect(op.get_bind()).get_columns(table)):
            continue
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column(COLUMN, sa.Float(), nullable=True))


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(COLUMN)
