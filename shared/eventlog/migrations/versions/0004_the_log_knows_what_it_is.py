"""An append that proves that the log is the one its caller has read, and rows that nobody changes or removes.

`bitacora_append` takes what the caller has seen, an event by its position and identity (`codec.identity_of`), and
refuses where the log does not hold it, where the version before one that is to be written is missing, or where a clock
runs ahead. Those of the version before stay beside it. Triggers keep events and codes from being changed or removed,
whoever tries: an owner who has to (`docs/eventlog.md`) disables them first. Which event a follower was moved to is kept
in a table of its own, because version 1 writes into that of the positions without naming columns.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEPT = ("stored_events", "codes")
"""The tables whose rows stay as they are."""


def upgrade() -> None:
    """Add what is new beside what is there."""
    connection = op.get_bind()
    op.create_table(
        "follower_bookmarks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.Text()),
        sa.PrimaryKeyConstraint("name", name="follower_bookmarks_pkey"),
    )
    if connection.dialect.name == "sqlite":
        for statement in _sqlite():
            connection.exec_driver_sql(statement)
    else:
        schema, log = connection.exec_driver_sql(
            "SELECT quote_ident(current_schema()), quote_literal(current_schema() || '.stored_events')"
        ).one()
        for statement in POSTGRES:
            connection.exec_driver_sql(statement.replace("$schema", schema).replace("$log", log))


UNIQUE = {
    "stored_events": (("rowid",), ("originator_id", "originator_version")),
    "codes": (("kind", "folded"),),
}
"""The columns of which no two rows of a table have the same."""


def _sqlite() -> list[str]:
    return [
        *(
            f"""
            CREATE TRIGGER {table}_never_{done} BEFORE {done} ON {table} BEGIN
                SELECT RAISE(ABORT, 'what is on record is never changed or removed');
            END
            """
            for table in KEPT
            for done in ("update", "delete")
        ),
        # REPLACE removes what is in its way without asking the trigger of a DELETE. The words are those in which
        # SQLite itself refuses a second one: services of the version before tell by them what was taken.
        *(
            f"""
            CREATE TRIGGER {table}_never_replace BEFORE INSERT ON {table}
            WHEN {" OR ".join(_is_there(table, columns) for columns in UNIQUE[table])} BEGIN
                SELECT RAISE(ABORT, 'UNIQUE constraint failed: {
                ", ".join(f"{table}.{column}" for column in UNIQUE[table][-1])
            } (what is on record is never changed or removed)');
            END
            """
            for table in KEPT
        ),
    ]


def _is_there(table: str, columns: tuple[str, ...]) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{one} = new.{one}' for one in columns)})"


_CONTINUITY = """
        SELECT s.notification_id, s.recorded_at INTO head, moment
          FROM $schema.stored_events s ORDER BY s.notification_id DESC LIMIT 1;
        head := coalesce(head, 0);
        IF known_position > 0 THEN
            PERFORM FROM $schema.stored_events s
              WHERE s.notification_id = known_position
                AND (position(convert_to('"nonce":"' || known_identity || '"', 'UTF8') IN s.state) > 0
                     OR encode(sha256(s.state), 'hex') = known_identity);
            IF NOT FOUND THEN
                RAISE check_violation USING MESSAGE = 'another log than was read', CONSTRAINT = 'continuity';
            END IF;
        END IF;
        IF clock > clock_timestamp() + tolerance THEN
            RAISE check_violation USING MESSAGE = 'the clock is ahead', CONSTRAINT = 'clock';
        END IF;
        IF moment > greatest(clock, clock_timestamp()) + tolerance THEN
            RAISE check_violation USING MESSAGE = 'the log is ahead of the clock', CONSTRAINT = 'log_clock';
        END IF;
        moment := greatest(moment, clock);
"""
"""How each of the functions begins once it has the lock: what is there, and is it what the caller takes it for."""

POSTGRES = (
    # Not to wait behind a backup, say, with every append behind us.
    "SET LOCAL lock_timeout = '5s'",
    """
    CREATE FUNCTION $schema.bitacora_never() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
        RAISE restrict_violation USING MESSAGE = 'what is on record is never changed or removed';
    END
    $body$
    """,
    *(
        f"""
        CREATE TRIGGER {table}_never BEFORE UPDATE OR DELETE OR TRUNCATE ON $schema.{table}
        FOR EACH STATEMENT EXECUTE FUNCTION $schema.bitacora_never()
        """
        for table in KEPT
    ),
    f"""
    CREATE FUNCTION $schema.bitacora_append(
        streams uuid[], versions bigint[], topics text[], bodies bytea[], clock timestamptz, announce boolean,
        known_position bigint, known_identity text, tolerance interval,
        key_hashes bytea[] DEFAULT '{{}}', fingerprints bytea[] DEFAULT '{{}}', key_streams uuid[] DEFAULT '{{}}',
        key_versions bigint[] DEFAULT '{{}}', follower_names text[] DEFAULT '{{}}',
        follower_positions bigint[] DEFAULT '{{}}', follower_retries boolean[] DEFAULT '{{}}',
        follower_identities text[] DEFAULT '{{}}',
        seen_types text[] DEFAULT '{{}}', seen_upto bigint[] DEFAULT '{{}}', seen_before bigint[] DEFAULT '{{}}',
        OUT head bigint, OUT moment timestamptz
    ) LANGUAGE plpgsql AS $body$
    DECLARE
        moved bigint;
        deleted bigint;
        instant text;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended($log, 563));
        {_CONTINUITY}
        instant := ',"recorded_at":"' || to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '",';
        INSERT INTO $schema.stored_events
            (originator_id, originator_version, topic, state, notification_id, recorded_at)
        SELECT e.stream, e.version, e.topic,
               CASE WHEN clock IS NULL THEN e.body
                    ELSE convert_to('{{"position":' || (head + e.n) || instant, 'UTF8') || substring(e.body FROM 2)
               END,
               head + e.n,
               CASE WHEN clock IS NULL THEN NULL ELSE moment END
          FROM unnest(streams, versions, topics, bodies) WITH ORDINALITY AS e (stream, version, topic, body, n);
        IF known_position IS NOT NULL THEN
            -- The limit makes the planner look each of them up by itself, however large the log was when it planned.
            PERFORM FROM unnest(streams, versions) AS e (stream, version) LEFT JOIN LATERAL (
                SELECT true AS there FROM $schema.stored_events s
                 WHERE s.originator_id = e.stream AND s.originator_version = e.version - 1 LIMIT 1
            ) AS before ON true WHERE e.version > 1 AND before.there IS NULL;
            IF FOUND THEN
                RAISE check_violation USING MESSAGE = 'the version before is missing', CONSTRAINT = 'continuity';
            END IF;
        END IF;
        IF cardinality(key_hashes) > 0 THEN
            INSERT INTO $schema.idempotency_keys (key_hash, fingerprint, stream_id, version)
            SELECT * FROM unnest(key_hashes, fingerprints, key_streams, key_versions);
        END IF;
        IF cardinality(follower_names) > 0 THEN
            INSERT INTO $schema.followers AS f (name, position)
            SELECT g.name, g.position FROM unnest(follower_names, follower_positions, follower_retries)
                AS g (name, position, retry) WHERE NOT g.retry
            ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE f.position < excluded.position;
            GET DIAGNOSTICS moved = ROW_COUNT;
            INSERT INTO $schema.follower_bookmarks (name, position, identity)
            SELECT g.name, g.position, g.identity
              FROM unnest(follower_names, follower_positions, follower_retries, follower_identities)
                AS g (name, position, retry, identity) WHERE NOT g.retry
            ON CONFLICT (name) DO UPDATE SET position = excluded.position, identity = excluded.identity;
            DELETE FROM $schema.dead_letters d
             USING unnest(follower_names, follower_positions, follower_retries) AS g (name, position, retry)
             WHERE g.retry AND d.follower = g.name AND d.position = g.position;
            GET DIAGNOSTICS deleted = ROW_COUNT;
            IF moved + deleted <> cardinality(follower_names) THEN
                RAISE unique_violation USING MESSAGE = 'follower is already further', CONSTRAINT = 'followers_pkey';
            END IF;
        END IF;
        IF cardinality(seen_types) > 0 THEN
            -- What was written above counts too: an earlier request of the transaction may be what was not seen.
            PERFORM FROM unnest(seen_types, seen_upto, seen_before) AS g (type, upto, before), LATERAL (
                SELECT FROM $schema.stored_events s
                 WHERE s.topic = g.type AND s.notification_id > g.upto AND s.notification_id <= head + g.before
                 ORDER BY s.notification_id LIMIT 1
            ) AS more;
            IF FOUND THEN
                RAISE unique_violation USING MESSAGE = 'not everything was seen', CONSTRAINT = 'seen';
            END IF;
        END IF;
        IF announce THEN
            PERFORM pg_notify('bitacora_log', '');
        END IF;
    END
    $body$
    """,
    # The same for one event and nothing else, as most appends are while little is written.
    f"""
    CREATE FUNCTION $schema.bitacora_append(
        stream uuid, version bigint, topic text, body bytea, clock timestamptz, announce boolean,
        known_position bigint, known_identity text, tolerance interval,
        OUT head bigint, OUT moment timestamptz
    ) LANGUAGE plpgsql AS $body$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended($log, 563));
        {_CONTINUITY}
        INSERT INTO $schema.stored_events
            (originator_id, originator_version, topic, state, notification_id, recorded_at)
        VALUES (
            stream, version, topic,
            convert_to(
                '{{"position":' || (head + 1) || ',"recorded_at":"'
                || to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '",',
                'UTF8'
            ) || substring(body FROM 2),
            head + 1, moment
        );
        IF version > 1 AND known_position IS NOT NULL THEN
            PERFORM FROM $schema.stored_events s
              WHERE s.originator_id = stream AND s.originator_version = version - 1;
            IF NOT FOUND THEN
                RAISE check_violation USING MESSAGE = 'the version before is missing', CONSTRAINT = 'continuity';
            END IF;
        END IF;
        IF announce THEN
            PERFORM pg_notify('bitacora_log', '');
        END IF;
    END
    $body$
    """,
)
