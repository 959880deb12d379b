"""What is said of decisions, and the circulation of minutes, by its own day; which commitments decisions name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_EMPTIED = (
    "standings",
    "descriptions",
    "participants",
    "names",
    "disclosures",
    "circles",
    "bodies",
    "decisions",
    "tasks",
    "action_items",
)
_MADE_ANEW = ("meetings", "acknowledgements", "budget_lines", "errata", "outcomes")


def upgrade() -> None:
    """The tables as they are now, for which the log is to be read again from its beginning."""
    for table in _EMPTIED:
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are our own
    for table in _MADE_ANEW:
        op.drop_table(table)
    op.execute("UPDATE projection_state SET position = 0")
    op.create_table(
        "meetings",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("convened_at", sa.BigInteger(), nullable=False),
        sa.Column("scheduled_time", sa.BigInteger(), nullable=False),
        sa.Column("held_time", sa.BigInteger()),
        sa.Column("cancelled_time", sa.BigInteger()),
        sa.Column("cancellation", sa.Text()),
        sa.Column("circulated_on", sa.Date()),
        sa.Column("agenda_items", sa.Integer(), nullable=False),
        sa.Column("attendance_told", sa.Boolean(), nullable=False),
        sa.Column("absences", sa.Text(), nullable=False),
        *_believed(),
        sa.PrimaryKeyConstraint("meeting_id", "believed_from", name=op.f("pk_meetings")),
    )
    op.create_index(op.f("ix_meetings_body"), "meetings", ["body"])
    op.create_table(
        "mentions",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("in_effect_only", sa.Boolean(), nullable=False),
        *_believed(),
        sa.PrimaryKeyConstraint("decision_id", "commitment", "believed_from", name=op.f("pk_mentions")),
    )
    op.create_index(op.f("ix_mentions_commitment"), "mentions", ["commitment"])
    _said_of_decisions()


def _said_of_decisions() -> None:
    _said(
        "acknowledgements",
        (),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("remarks", sa.Text()),
        sa.Column("organization", sa.Text(), nullable=False),
    )
    _said(
        "budget_lines",
        ("fiscal_year", "code"),
        sa.Column("fiscal_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
    )
    _said(
        "errata",
        ("number",),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reads", sa.Text(), nullable=False),
        sa.Column("should_read", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    _said(
        "outcomes",
        (),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("difficulty", sa.Text()),
        sa.Column("remarks", sa.Text()),
    )


def _said(name: str, key: tuple[str, ...], *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("told_time", sa.BigInteger(), nullable=False),
        *_believed(),
        sa.PrimaryKeyConstraint("decision_id", *key, "valid_from", "believed_from", name=op.f(f"pk_{name}")),
    )


def _believed() -> tuple[sa.Column[object], sa.Column[object]]:
    return (
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """A generation is never taken back: rebuild it with the older version."""
    raise NotImplementedError
