"""An index by type, the age of idempotency keys, what followers have set aside, and the append that knows of it.

`bitacora_append` is the only way in. It takes an advisory lock that is held until the commit, so positions are given
out in the order in which transactions become visible: no reader can pass over a gap that is filled later. It reads the
last row for the next position and for the clock, and writes the stamp in front of each body (see `codec.stamp`).

Its parameters are its signature: the function of version 1 stays beside it, for the processes that go on calling that.
On SQLite the statements of version 1 name no columns, so its table of keys becomes a view that takes their rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new beside what is there."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    instant = sa.Text() if sqlite else sa.TIMESTAMP(timezone=True)
    op.create_table(
        "dead_letters",
        sa.Column("follower", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("set_aside_at", instant, nullable=False),
        sa.Column("retry", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("follower", "position", name="dead_letters_pkey"),
    )
    if sqlite:
        for statement in SQLITE:
            connection.exec_driver_sql(statement)
    else:
        schema, log = connection.exec_driver_sql(
            "SELECT quote_ident(current_schema()), quote_literal(current_schema() || '.stored_events')"
        ).one()
        for statement in POSTGRES:
            connection.exec_driver_sql(statement.replace("$schema", schema).replace("$log", log))
        # Beside running appends, which a common index would make wait; and without one that was given up half-way.
        with op.get_context().autocommit_block():
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS stored_events_topic_idx")
            op.execute(
                "CREATE INDEX CONCURRENTLY stored_events_topic_idx ON stored_events (topic, notification_id)"
            )


SQLITE = (
    "CREATE INDEX stored_events_topic_idx ON stored_events (topic)",
    "ALTER TABLE idempotency_keys RENAME TO dated_idempotency_keys",
    "ALTER TABLE dated_idempotency_keys ADD COLUMN created_at TEXT",
    "UPDATE dated_idempotency_keys SET created_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
    "CREATE INDEX idempotency_keys_created_at_idx ON dated_idempotency_keys (created_at)",
    "CREATE VIEW idempotency_keys AS SELECT key_hash, fingerprint, stream_id, version FROM dated_idempotency_keys",
    """
    CREATE TRIGGER idempotency_keys_insert INSTEAD OF INSERT ON idempotency_keys BEGIN
        INSERT INTO dated_idempotency_keys (key_hash, fingerprint, stream_id, version, created_at)
        VALUES (
            new.key_hash, new.fingerprint, new.stream_id, new.version, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
        );
    END
    """,
)

POSTGRES = (
    # Not to wait behind a backup, say, with every append of a request with a key behind us.
    "SET LOCAL lock_timeout = '5s'",
    "ALTER TABLE idempotency_keys ADD COLUMN created_at timestamptz NOT NULL DEFAULT now()",
    "CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at)",
    """
    CREATE FUNCTION $schema.bitacora_append(
        streams uuid[], versions bigint[], topics text[], bodies bytea[], clock timestamptz, announce boolean,
        key_hashes bytea[] DEFAULT '{}', fingerprints bytea[] DEFAULT '{}', key_streams uuid[] DEFAULT '{}',
        key_versions bigint[] DEFAULT '{}', follower_names text[] DEFAULT '{}',
        follower_positions bigint[] DEFAULT '{}', follower_retries boolean[] DEFAULT '{}',
        seen_types text[] DEFAULT '{}', seen_upto bigint[] DEFAULT '{}', seen_before bigint[] DEFAULT '{}',
        OUT head bigint, OUT moment timestamptz
    ) LANGUAGE plpgsql AS $body$
    DECLARE
        moved bigint;
        deleted bigint;
        instant text;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended($log, 563));
        SELECT s.notification_id, greatest(s.recorded_at, clock) INTO head, moment
          FROM $schema.stored_events s ORDER BY s.notification_id DESC LIMIT 1;
        head := coalesce(head, 0);
        moment := coalesce(moment, clock);
        instant := ',"recorded_at":"' || to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '",';
        INSERT INTO $schema.stored_events
            (originator_id, originator_version, topic, state, notification_id, recorded_at)
        SELECT e.stream, e.version, e.topic,
               CASE WHEN clock IS NULL THEN e.body
                    ELSE convert_to('{"position":' || (head + e.n) || instant, 'UTF8') || substring(e.body FROM 2)
               END,
               head + e.n,
               CASE WHEN clock IS NULL THEN NULL ELSE moment END
          FROM unnest(streams, versions, topics, bodies) WITH ORDINALITY AS e (stream, version, topic, body, n);
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
    # The same for one event and nothing else, as most appends are while little is written: without arrays it takes a
    # third less of the server's time and half of ours.
    """
    CREATE FUNCTION $schema.bitacora_append(
        stream uuid, version bigint, topic text, body bytea, clock timestamptz, announce boolean,
        OUT head bigint, OUT moment timestamptz
    ) LANGUAGE plpgsql AS $body$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended($log, 563));
        SELECT s.notification_id, greatest(s.recorded_at, clock) INTO head, moment
          FROM $schema.stored_events s ORDER BY s.notification_id DESC LIMIT 1;
        head := coalesce(head, 0);
        moment := coalesce(moment, clock);
        INSERT INTO $schema.stored_events
            (originator_id, originator_version, topic, state, notification_id, recorded_at)
        VALUES (
            stream, version, topic,
            convert_to(
                '{"position":' || (head + 1) || ',"recorded_at":"'
                || to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '",',
                'UTF8'
            ) || substring(body FROM 2),
            head + 1, moment
        );
        IF announce THEN
            PERFORM pg_notify('bitacora_log', '');
        END IF;
    END
    $body$
    """,
)
