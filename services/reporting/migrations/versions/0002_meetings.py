"""Meetings: bodies, meetings, decisions with what became of them, and action items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The tables of the meetings, for which the log is to be read again from its beginning."""
    for table in ("standings", "descriptions", "participants", "names"):
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are our own
    op.execute("UPDATE projection_state SET position = 0")
    op.create_table(
        "disclosures",
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("thing_id", "believed_from", name=op.f("pk_disclosures")),
    )
    op.create_table(
        "circles",
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("concerned", sa.Boolean(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization", "thing_id", "believed_from", name=op.f("pk_circles")),
    )
    op.create_table(
        "bodies",
        sa.Column("body_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("presiding_organization", sa.Text()),
        sa.Column("expected_meetings", sa.Integer()),
        sa.Column("expected_period", sa.Text()),
        sa.Column("days_to_minutes", sa.Integer()),
        sa.Column("agenda_size", sa.Integer()),
        sa.Column("told_time", sa.BigInteger(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("body_id", "believed_from", name=op.f("pk_bodies")),
    )
    op.create_index(op.f("ix_bodies_code"), "bodies", ["code"])
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
        sa.Column("circulated_time", sa.BigInteger()),
        sa.Column("agenda_items", sa.Integer(), nullable=False),
        sa.Column("attendance_told", sa.Boolean(), nullable=False),
        sa.Column("absences", sa.Text(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("meeting_id", "believed_from", name=op.f("pk_meetings")),
    )
    op.create_index(op.f("ix_meetings_body"), "meetings", ["body"])
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("agenda_item", sa.Integer()),
        sa.Column("position_in_item", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("commitments", sa.Text(), nullable=False),
        sa.Column("organizations", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text()),
        sa.Column("amount", sa.Text()),
        sa.Column("currency", sa.Text()),
        sa.Column("fiscal_year", sa.Integer()),
        sa.Column("financing", sa.Text()),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "believed_from", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_agreed_at"), "decisions", ["agreed_at"])
    op.create_table(
        "acknowledgements",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("remarks", sa.Text()),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("told_time", sa.BigInteger(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "believed_from", name=op.f("pk_acknowledgements")),
    )
    op.create_table(
        "budget_lines",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("told_time", sa.BigInteger(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "decision_id", "fiscal_year", "code", "believed_from", name=op.f("pk_budget_lines")
        ),
    )
    op.create_table(
        "errata",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reads", sa.Text(), nullable=False),
        sa.Column("should_read", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("told_time", sa.BigInteger(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "number", "believed_from", name=op.f("pk_errata")),
    )
    op.create_table(
        "outcomes",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("difficulty", sa.Text()),
        sa.Column("remarks", sa.Text()),
        sa.Column("told_time", sa.BigInteger(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "believed_from", name=op.f("pk_outcomes")),
    )
    op.create_table(
        "tasks",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("assigned_on", sa.Date(), nullable=False),
        sa.Column("first_due_on", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("agenda_item", sa.Integer()),
        sa.Column("decision", sa.Text()),
        sa.Column("commitment", sa.Text()),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "believed_from", name=op.f("pk_tasks")),
    )
    op.create_table(
        "action_items",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.Column("owner_organization", sa.Text(), nullable=False),
        sa.Column("owner_at", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("ending", sa.Text()),
        sa.Column("ended_on", sa.Date()),
        sa.Column("ending_at", sa.BigInteger()),
        sa.Column("day_node", sa.Integer(), nullable=False),
        sa.Column("belief_node", sa.BigInteger(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "valid_from", "believed_from", name=op.f("pk_action_items")),
    )
    op.create_index(op.f("ix_action_items_at"), "action_items", ["day_node", "belief_node"])


def downgrade() -> None:
    """A generation is never taken back: rebuild it with the older version."""
    raise NotImplementedError
