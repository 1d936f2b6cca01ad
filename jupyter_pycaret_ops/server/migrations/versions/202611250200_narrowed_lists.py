"""narrowed lists

Revision narrowed_lists, after baseline.
"""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

revision: str = "narrowed_lists"
down_revision: str | Sequence[str] | None = "baseline"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: a list that is narrowed costs what it shows, not what it leaves out
INDEXES: tuple[tuple[str, str, list[str]], ...] = (
    ("ix_runs_project_id_status_id", "runs", ["project_id", "status", "id"]),
    ("ix_runs_experiment_id_status_id", "runs", ["experiment_id", "status", "id"]),
    ("ix_runs_workspace_id_plan_id", "runs", ["workspace_id", "plan", "id"]),
    ("ix_runs_project_id_plan_id", "runs", ["project_id", "plan", "id"]),
    ("ix_runs_experiment_id_plan_id", "runs", ["experiment_id", "plan", "id"]),
    ("ix_runs_data_source_id_id", "runs", ["data_source_id", "id"]),
    ("ix_fold_metrics_run_id_id", "fold_metrics", ["run_id", "id"]),
)


def upgrade() -> None:
    """Bring the tables to this revision."""
    for name, table, columns in INDEXES:
        # tables that were made without Alembic have them already
        op.create_index(name, table, columns, unique=False, if_not_exists=True)


def downgrade() -> None:
    """Take the tables back to the revision before."""
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table, if_exists=True)
