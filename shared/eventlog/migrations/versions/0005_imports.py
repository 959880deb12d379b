"""Imports that were asked for over HTTP: what was sent, until it is carried out, and what came of it.

They are no part of the record: the events that they lead to are. `lease` and `lease_until` say which process is at one,
and until when it is believed to be.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table beside what is there."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    instant = sa.Text() if sqlite else sa.DateTime(timezone=True)
    identity = sa.Text() if sqlite else sa.Uuid()
    op.create_table(
        "imports",
        sa.Column("id", identity, nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("upload", sa.LargeBinary()),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.LargeBinary(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary()),
        sa.Column("fingerprint", sa.LargeBinary()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("begun_at", instant),
        sa.Column("ended_at", instant),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", identity),
        sa.Column("lease_until", instant),
        sa.Column("rows_done", sa.BigInteger(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.LargeBinary()),
        sa.Column("failure", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name="imports_pkey"),
        sa.UniqueConstraint("key_hash", name="imports_key"),
    )
    op.create_index("imports_by_state", "imports", ["service", "state", "asked_at"])
    op.create_index("imports_by_time", "imports", ["service", "asked_at", "id"])
