"""The tables of the read model: what held on which days, as believed at which positions of the log.

A row of `standings` is a rectangle: on the days `valid_from` ≤ day < `valid_to`, as known at the positions
`believed_from` ≤ position < `believed_to`, everything in the row held of the commitment. The rectangles of one
commitment never overlap. `day_node` and `belief_node` file them for searching (see `intervals`). The other tables have
no days, only positions. No row is ever deleted; `believed_to` (with its node) is all that changes, once.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

END_OF_DAYS: Final = date.max
"""`valid_to` of what holds until further notice."""

END_OF_LOG: Final = 2**63 - 1
"""`believed_to` of what is believed now."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

projection_state = Table(
    "projection_state",
    metadata,
    Column(
        "id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False
    ),
    Column("generation", Uuid, nullable=False),
    Column("position", BigInteger, nullable=False),
)

standings = Table(
    "standings",
    metadata,
    Column("commitment_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, nullable=False),
    Column("believed_from", BigInteger, primary_key=True, autoincrement=False),
    Column("believed_to", BigInteger, nullable=False),
    Column("day_node", Integer, nullable=False),
    Column("belief_node", BigInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("lead_organization", Text, nullable=False),
    Column("lead_at", BigInteger, nullable=False),
    Column("closure", Text),
    Column("closure_at", BigInteger),
    Column("judgement", Text),
    Column("judgement_at", BigInteger),
    Column("public_deadline", Date),
    Column("public_deadline_at", BigInteger),
    Column("internal_deadline", Date),
    Column("internal_deadline_at", BigInteger),
    Column("merged_into", Text),
    Column("kind", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("pillar", Text),
    Column("region", Text),
    Column("origin", Text),
    Column("result_type", Text),
)

STANDINGS_AT = Index(
    "ix_standings_at",
    standings.c.day_node,
    standings.c.belief_node,
    standings.c.valid_from,
    standings.c.valid_to,
    standings.c.believed_from,
    standings.c.believed_to,
)

descriptions = Table(
    "descriptions",
    metadata,
    Column("commitment_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("parent", Text),
    Column("visibility", Text, nullable=False),
    Column("believed_from", BigInteger, primary_key=True, autoincrement=False),
    Column("believed_to", BigInteger, nullable=False),
)

participants = Table(
    "participants",
    metadata,
    Column("organization", Text, primary_key=True),
    Column("commitment_id", Uuid, primary_key=True),
    Column("believed_from", BigInteger, primary_key=True, autoincrement=False),
    Column("believed_to", BigInteger, nullable=False),
)

names = Table(
    "names",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("believed_from", BigInteger, primary_key=True, autoincrement=False),
    Column("believed_to", BigInteger, nullable=False),
)

BELIEVED: Final = (standings, descriptions, participants, names)
"""The tables whose rows hold for a span of positions."""
