"""The codes on record, so that two spellings of one code (`EDU-1`, `edu-1`) are never taken by two things.

A trigger keeps them, whichever version of the services appends: the first event of a stream that has a code takes it,
and fails where another stream took it in other capitals. Where old logs have such twins already, both stay, and `code`
is null: neither is meant by a third spelling. What cannot be read takes none; `bitacora verify` tells of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KINDS = {
    "commitments.organization_registered": ("organization", "code"),
    "commitments.pillar_registered": ("pillar", "code"),
    "commitments.registered": ("commitment", "code"),
    "commitments.indicator_defined": ("indicator", "code"),
    "meetings.body_registered": ("body", "code"),
    "meetings.decision_agreed": ("decision", "number"),
}
"""Of the events that begin a stream: what kind of thing it is, and the field with its code."""


def upgrade() -> None:
    """Take the codes that are there, then every new one."""
    connection = op.get_bind()
    op.create_table(
        "codes",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.PrimaryKeyConstraint("kind", "folded", name="codes_pkey"),
    )
    if connection.dialect.name == "sqlite":
        for statement in _sqlite():
            connection.exec_driver_sql(statement)
    else:
        schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
        for statement in _postgres():
            connection.exec_driver_sql(statement.replace("$schema", schema))


def _case(topic: str, of: int) -> str:
    """The kind (0) of what begins with an event of that topic, or the name of the field with its code (1)."""
    cases = " ".join(f"WHEN '{name}' THEN '{found[of]}'" for name, found in KINDS.items())
    return f"CASE {topic} {cases} END"


def _topics() -> str:
    return ", ".join(f"'{topic}'" for topic in KINDS)


def _sqlite() -> tuple[str, ...]:
    def code(row: str) -> str:
        return f"json_extract(CAST({row}state AS TEXT), '$.data.' || {_case(f'{row}topic', 1)})"

    return (
        f"""
        INSERT INTO codes (kind, folded, code)
        SELECT kind, lower(code), CASE count(*) WHEN 1 THEN min(code) END
          FROM (SELECT {_case("topic", 0)} AS kind, {code("")} AS code FROM stored_events
                 WHERE topic IN ({_topics()}) AND originator_version = 1 AND json_valid(CAST(state AS TEXT)))
         WHERE code IS NOT NULL
         GROUP BY kind, lower(code)
        """,
        f"""
        CREATE TRIGGER codes_taken AFTER INSERT ON stored_events
        WHEN new.originator_version = 1 AND new.topic IN ({_topics()}) AND json_valid(CAST(new.state AS TEXT)) BEGIN
            INSERT INTO codes (kind, folded, code)
            VALUES ({_case("new.topic", 0)}, lower({code("new.")}), {code("new.")});
        END
        """,
    )


def _postgres() -> tuple[str, ...]:
    def taken(where: str) -> str:
        return f"""
        INSERT INTO $schema.codes (kind, folded, code)
        SELECT kind, lower(code COLLATE "C"), CASE count(*) WHEN 1 THEN min(code) END
          FROM (SELECT {_case("topic", 0)} AS kind,
                       $schema.bitacora_code_in(state, {_case("topic", 1)}) AS code
                  FROM $schema.stored_events
                 WHERE topic IN ({_topics()}) AND originator_version = 1 {where}) AS begun
         WHERE code IS NOT NULL
         GROUP BY kind, lower(code COLLATE "C")
        """

    return (
        """
        CREATE TEMPORARY TABLE upto ON COMMIT DROP AS
        SELECT coalesce(max(notification_id), 0) AS position FROM $schema.stored_events
        """,
        """
        CREATE FUNCTION $schema.bitacora_code_in(state bytea, field text) RETURNS text LANGUAGE plpgsql AS $body$
        BEGIN
            RETURN convert_from(state, 'UTF8')::json -> 'data' ->> field;
        EXCEPTION WHEN data_exception THEN
            RETURN NULL;
        END
        $body$
        """,
        # Most of them beside running appends; those come to wait for the trigger and the few codes taken meanwhile.
        taken("AND notification_id <= (SELECT position FROM upto)"),
        f"""
        CREATE FUNCTION $schema.bitacora_take_code() RETURNS trigger LANGUAGE plpgsql AS $body$
        DECLARE
            code text := $schema.bitacora_code_in(NEW.state, {_case("NEW.topic", 1)});
        BEGIN
            IF code IS NOT NULL THEN
                INSERT INTO $schema.codes (kind, folded, code)
                VALUES ({_case("NEW.topic", 0)}, lower(code COLLATE "C"), code);
            END IF;
            RETURN NULL;
        END
        $body$
        """,
        "SET LOCAL lock_timeout = '5s'",
        f"""
        CREATE TRIGGER codes_taken AFTER INSERT ON $schema.stored_events FOR EACH ROW
        WHEN (NEW.originator_version = 1 AND NEW.topic IN ({_topics()}))
        EXECUTE FUNCTION $schema.bitacora_take_code()
        """,
        taken("AND notification_id > (SELECT position FROM upto)")
        + " ON CONFLICT (kind, folded) DO UPDATE SET code = NULL",
    )
