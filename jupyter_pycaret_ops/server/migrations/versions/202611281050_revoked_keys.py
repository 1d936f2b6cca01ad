"""revoked keys stay listed, and their names can be used again

Revision revoked_keys, after narrowed_lists.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "revoked_keys"
down_revision: str | Sequence[str] | None = "narrowed_lists"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "api_keys"
COLUMNS = ["workspace_id", "name"]
CONSTRAINT = "uq_api_keys_workspace_id_name"
INDEX = "uq_api_keys_workspace_id_name_unrevoked"
UNREVOKED = sa.text("revoked_at IS NULL")

KEYS = sa.table(
    TABLE,
    sa.column("id", sa.String),
    sa.column("name", sa.String),
    sa.column("workspace_id", sa.String),
    sa.column("revoked_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Bring the tables to this revision."""
    # tables that were made without Alembic have the index instead of the constraint already
    constraints = sa.inspect(op.get_bind()).get_unique_constraints(TABLE)
    if any(constraint["name"] == CONSTRAINT for constraint in constraints):
        with op.batch_alter_table(TABLE, schema=None) as batch_op:
            batch_op.drop_constraint(CONSTRAINT, type_="unique")
    op.create_index(
        INDEX,
        TABLE,
        COLUMNS,
        unique=True,
        if_not_exists=True,
        sqlite_where=UNREVOKED,
        postgresql_where=UNREVOKED,
    )


def downgrade() -> None:
    """Take the tables back to the revision before: revoked keys get names that nothing else has."""
    op.drop_index(INDEX, table_name=TABLE, if_exists=True)
    op.execute(
        sa.update(KEYS)
        .where(KEYS.c.revoked_at.is_not(None))
        .values(name=sa.func.substr(KEYS.c.name, 1, 80) + " (revoked " + KEYS.c.id + ")")
    )
    with op.batch_alter_table(TABLE, schema=None) as batch_op:
        batch_op.create_unique_constraint(CONSTRAINT, COLUMNS)
