"""runs that keep a model of another run

Revision kept_models, after training_profiles.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "kept_models"
down_revision: str | Sequence[str] | None = "training_profiles"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RUNS, COLUMN = "runs", "origin_run_id"
INDEX = "ix_runs_origin_run_id_model_id"


def upgrade() -> None:
    """Bring the table to this revision: a run may be about another run, and have no experiment."""
    # tables that were made without Alembic have the column already
    if any(column["name"] == COLUMN for column in sa.inspect(op.get_bind()).get_columns(RUNS)):
        return
    with op.batch_alter_table(RUNS, schema=None) as batch_op:
        batch_op.alter_column("experiment_id", existing_type=sa.String(36), nullable=True)
        batch_op.add_column(sa.Column(COLUMN, sa.String(36), nullable=True))
        batch_op.create_foreign_key(
            "fk_runs_origin_run_id_runs", RUNS, [COLUMN], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index(INDEX, [COLUMN, "model_id"])


def downgrade() -> None:
    """Take the table back to the revision before: runs without an experiment go."""
    op.execute(sa.text("DELETE FROM runs WHERE experiment_id IS NULL"))
    with op.batch_alter_table(RUNS, schema=None) as batch_op:
        batch_op.drop_index(INDEX)
        batch_op.drop_constraint("fk_runs_origin_run_id_runs", type_="foreignkey")
        batch_op.drop_column(COLUMN)
        batch_op.alter_column("experiment_id", existing_type=sa.String(36), nullable=False)
