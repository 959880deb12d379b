"""The tables of the read model: what held on which days, as believed at which positions of the log.

A row of `standings` is a rectangle: on the days `valid_from` ≤ day < `valid_to`, as known at the positions
`believed_from` ≤ position < `believed_to`, everything in the row held of the commitment. The rectangles of one
commitment never overlap. `day_node` and `belief_node` file them for searching (see `intervals`). `action_items` is made
likewise, and, without nodes, everything that is said of a decision; the other tables have no days, only positions. No
row is ever deleted; `believed_to` (with its node) is all that changes, once.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
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

# Of meetings: `…_at` is a position of the log; `…_time` an instant, in microseconds since 1970 in UTC, of which the
# reader makes a civil day; lists, and parts of events, are kept as the JSON they are in the event.


def _believed(name: str, *columns: Column[Any]) -> Table:
    return Table(
        name,
        metadata,
        *columns,
        Column("believed_from", BigInteger, primary_key=True, autoincrement=False),
        Column("believed_to", BigInteger, nullable=False),
    )


disclosures = _believed(
    "disclosures",
    Column("thing_id", Uuid, primary_key=True),
    Column("visibility", Text, nullable=False),
)
"""How open a body, a meeting, a decision or an action item is."""

circles = _believed(
    "circles",
    Column("organization", Text, primary_key=True),
    Column("thing_id", Uuid, primary_key=True),
    Column("concerned", Boolean, nullable=False),
)
"""The organisations that know of such a thing while it is reserved; not all of them are `concerned` by it."""

bodies = _believed(
    "bodies",
    Column("body_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("presiding_organization", Text),
    Column("expected_meetings", Integer),
    Column("expected_period", Text),
    Column("days_to_minutes", Integer),
    Column("agenda_size", Integer),
    Column("told_time", BigInteger, nullable=False),
)

meetings = _believed(
    "meetings",
    Column("meeting_id", Uuid, primary_key=True),
    Column("body", Text, nullable=False, index=True),
    Column("title", Text),
    Column("convened_at", BigInteger, nullable=False),
    Column("scheduled_time", BigInteger, nullable=False),
    Column("held_time", BigInteger),
    Column("cancelled_time", BigInteger),
    Column("cancellation", Text),
    Column("circulated_on", Date),
    Column("agenda_items", Integer, nullable=False),
    Column("attendance_told", Boolean, nullable=False),
    Column("absences", Text, nullable=False),
)

decisions = _believed(
    "decisions",
    Column("decision_id", Uuid, primary_key=True),
    Column("number", Text, nullable=False),
    Column("agreed_at", BigInteger, nullable=False, index=True),
    Column("agreed_on", Date, nullable=False),
    Column("body", Text, nullable=False),
    Column("meeting_id", Uuid, nullable=False),
    Column("agenda_item", Integer),
    Column("position_in_item", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("commitments", Text, nullable=False),
    Column("organizations", Text, nullable=False),
    Column("effect", Text),
    Column("amount", Text),
    Column("currency", Text),
    Column("fiscal_year", Integer),
    Column("financing", Text),
)

mentions = _believed(
    "mentions",
    Column("decision_id", Uuid, primary_key=True),
    Column("commitment", Text, primary_key=True, index=True),
    Column("in_effect_only", Boolean, nullable=False),
)
"""The commitments that a decision names: among those it concerns, or only in what it does (`effect`)."""


def _said(name: str, *columns: Column[Any]) -> Table:
    """What is said of a decision, from the day `valid_from` on until something else is; told at position `told_at`."""
    return _believed(
        name,
        Column("decision_id", Uuid, primary_key=True),
        *columns,
        Column("valid_from", Date, primary_key=True),
        Column("valid_to", Date, nullable=False),
        Column("told_at", BigInteger, nullable=False),
        Column("told_time", BigInteger, nullable=False),
    )


acknowledgements = _said(
    "acknowledgements",
    Column("outcome", Text, nullable=False),
    Column("remarks", Text),
    Column("organization", Text, nullable=False),
)
"""What the budget office last said of a decision."""

budget_lines = _said(
    "budget_lines",
    Column("fiscal_year", Integer, primary_key=True, autoincrement=False),
    Column("code", Text, primary_key=True),
    Column("amount", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("reason", Text),
)

errata = _said(
    "errata",
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("reads", Text, nullable=False),
    Column("should_read", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

outcomes = _said(
    "outcomes",
    Column("state", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("difficulty", Text),
    Column("remarks", Text),
)
"""What became of a decision where commitments are kept."""

tasks = _believed(
    "tasks",
    Column("item_id", Uuid, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("assigned_on", Date, nullable=False),
    Column("first_due_on", Date, nullable=False),
    Column("body", Text, nullable=False),
    Column("meeting_id", Uuid, nullable=False),
    Column("agenda_item", Integer),
    Column("decision", Text),
    Column("commitment", Text),
)
"""What an action item asks for, which never changes; `action_items` says how it stood on which days."""

action_items = _believed(
    "action_items",
    Column("item_id", Uuid, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, nullable=False),
    Column("assigned_at", BigInteger, nullable=False),
    Column("owner_organization", Text, nullable=False),
    Column("owner_at", BigInteger, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("ending", Text),
    Column("ended_on", Date),
    Column("ending_at", BigInteger),
    Column("day_node", Integer, nullable=False),
    Column("belief_node", BigInteger, nullable=False),
)
"""Rectangles, like `standings`."""

Index("ix_action_items_at", action_items.c.day_node, action_items.c.belief_node)

VERSION_TABLE: Final = "reporting_version"
"""Where Alembic keeps which migrations a generation has seen."""

ORGANIZATION: Final = "organization"
PILLAR: Final = "pillar"
"""What a row of `names` is the name of."""

BELIEVED: Final = (
    standings,
    descriptions,
    participants,
    names,
    disclosures,
    circles,
    bodies,
    meetings,
    decisions,
    mentions,
    acknowledgements,
    budget_lines,
    errata,
    outcomes,
    tasks,
    action_items,
)
"""The tables whose rows hold for a span of positions."""
