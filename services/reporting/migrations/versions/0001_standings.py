"""The first tables of the read model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first tables of the read model."""
    op.create_table(
        "projection_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_projection_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projection_state")),
    )
    op.create_table(
        "standings",
        sa.Column("commitment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.Column("day_node", sa.Integer(), nullable=False),
        sa.Column("belief_node", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("lead_organization", sa.Text(), nullable=False),
        sa.Column("lead_at", sa.BigInteger(), nullable=False),
        sa.Column("closure", sa.Text()),
        sa.Column("closure_at", sa.BigInteger()),
        sa.Column("judgement", sa.Text()),
        sa.Column("judgement_at", sa.BigInteger()),
        sa.Column("public_deadline", sa.Date()),
        sa.Column("public_deadline_at", sa.BigInteger()),
        sa.Column("internal_deadline", sa.Date()),
        sa.Column("internal_deadline_at", sa.BigInteger()),
        sa.Column("merged_into", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("pillar", sa.Text()),
        sa.Column("region", sa.Text()),
        sa.Column("origin", sa.Text()),
        sa.Column("result_type", sa.Text()),
        sa.PrimaryKeyConstraint("commitment_id", "valid_from", "believed_from", name=op.f("pk_standings")),
    )
    op.create_index(
        "ix_standings_at",
        "standings",
        ["day_node", "belief_node", "valid_from", "valid_to", "believed_from", "believed_to"],
    )
    op.create_table(
        "descriptions",
        sa.Column("commitment_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text()),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("commitment_id", "believed_from", name=op.f("pk_descriptions")),
    )
    op.create_index(op.f("ix_descriptions_code"), "descriptions", ["code"])
    op.create_table(
        "participants",
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("commitment_id", sa.Uuid(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organization", "commitment_id", "believed_from", name=op.f("pk_participants")
        ),
    )
    op.create_table(
        "names",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("believed_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("believed_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", "believed_from", name=op.f("pk_names")),
    )


def downgrade() -> None:
    """A generation is never taken back: rebuild it with the older version."""
    raise NotImplementedError
