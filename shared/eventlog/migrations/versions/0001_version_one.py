"""The tables and the append function of version 1, made where they are missing and taken over where they are there."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make what is missing."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        statements = list(SQLITE)
    else:
        schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
        statements = [*POSTGRES, APPEND_1.replace("$schema", schema)]
    for statement in statements:
        connection.exec_driver_sql(statement)


SQLITE = (
    """
    CREATE TABLE IF NOT EXISTS stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        recorded_at TEXT,
        UNIQUE (originator_id, originator_version)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS idempotency_keys (
        key_hash BLOB PRIMARY KEY,
        fingerprint BLOB NOT NULL,
        stream_id TEXT NOT NULL,
        version INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE TABLE IF NOT EXISTS followers (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
)

POSTGRES = (
    """
    CREATE TABLE IF NOT EXISTS stored_events (
        originator_id uuid NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        notification_id bigserial NOT NULL,
        recorded_at timestamptz,
        PRIMARY KEY (originator_id, originator_version)
    )
    """,
    "CREATE UNIQUE INDEX IF NOT EXISTS stored_events_notification_id_idx ON stored_events (notification_id)",
    """
    CREATE TABLE IF NOT EXISTS idempotency_keys (
        key_hash bytea PRIMARY KEY,
        fingerprint bytea NOT NULL,
        stream_id uuid NOT NULL,
        version bigint NOT NULL
    )
    """,
    "CREATE TABLE IF NOT EXISTS followers (name text PRIMARY KEY, position bigint NOT NULL)",
)

APPEND_1 = """
CREATE OR REPLACE FUNCTION $schema.bitacora_append(
    streams uuid[], versions bigint[], topics text[], bodies bytea[], clock timestamptz,
    key_hashes bytea[], fingerprints bytea[], key_streams uuid[], key_versions bigint[],
    follower_names text[], follower_positions bigint[],
    seen_types text[], seen_upto bigint[], seen_before bigint[], announce boolean,
    OUT head bigint, OUT moment timestamptz
) LANGUAGE plpgsql SET search_path = $schema AS $body$
DECLARE
    moved bigint;
    instant text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || '.stored_events', 563));
    SELECT s.notification_id, greatest(s.recorded_at, clock) INTO head, moment
      FROM stored_events s ORDER BY s.notification_id DESC LIMIT 1;
    head := coalesce(head, 0);
    moment := coalesce(moment, clock);
    instant := to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    INSERT INTO stored_events (originator_id, originator_version, topic, state, notification_id, recorded_at)
    SELECT e.stream, e.version, e.topic,
           CASE WHEN clock IS NULL THEN e.body
                ELSE convert_to('{"position":' || (head + e.n) || ',"recorded_at":"' || instant || '",', 'UTF8')
                     || substring(e.body FROM 2)
           END,
           head + e.n,
           CASE WHEN clock IS NULL THEN NULL ELSE moment END
      FROM unnest(streams, versions, topics, bodies) WITH ORDINALITY AS e (stream, version, topic, body, n);
    IF cardinality(key_hashes) > 0 THEN
        INSERT INTO idempotency_keys (key_hash, fingerprint, stream_id, version)
        SELECT * FROM unnest(key_hashes, fingerprints, key_streams, key_versions);
    END IF;
    IF cardinality(follower_names) > 0 THEN
        INSERT INTO followers AS f (name, position)
        SELECT * FROM unnest(follower_names, follower_positions)
        ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE f.position < excluded.position;
        GET DIAGNOSTICS moved = ROW_COUNT;
        IF moved <> cardinality(follower_names) THEN
            RAISE unique_violation USING MESSAGE = 'follower is already further', CONSTRAINT = 'followers_pkey';
        END IF;
    END IF;
    IF cardinality(seen_types) > 0 THEN
        -- What was written above counts too: an earlier request of the transaction may be what was not seen. The
        -- order makes the planner walk the few positions in question, however many it expects there.
        PERFORM FROM unnest(seen_types, seen_upto, seen_before) AS g (type, upto, before), LATERAL (
            SELECT FROM stored_events s
             WHERE s.notification_id > g.upto AND s.notification_id <= head + g.before AND s.topic = g.type
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
"""
