"""One append as a statement: its parameters, its answer, and its failures as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError
from psycopg_pool import PoolTimeout

from shared.errors import Unavailable
from shared.eventlog import codec
from shared.eventlog.store import (
    Appended,
    Changes,
    DuplicateKey,
    FollowerOvertaken,
    LogNotReady,
    Outdated,
    VersionConflict,
)


def parameters(batch: Sequence[Changes], now: datetime, *, announce: bool) -> tuple[Any, ...]:
    events = [event for changes in batch for event in changes.events]
    keys = [changes.key for changes in batch if changes.key is not None]
    followers = [changes.follower for changes in batch if changes.follower is not None]
    seen = _seen(batch)
    return (
        [event.stream_id for event in events],
        [event.version for event in events],
        [event.data.TYPE for event in events],
        [codec.encode(event) for event in events],
        now,
        [key.key_hash for key in keys],
        [key.fingerprint for key in keys],
        [key.stream_id for key in keys],
        [key.version for key in keys],
        [follower.name for follower in followers],
        [follower.position for follower in followers],
        [name for name, _, _ in seen],
        [upto for _, upto, _ in seen],
        [before for _, _, before in seen],
        announce,
    )


def _seen(batch: Sequence[Changes]) -> list[tuple[str, int, int]]:
    """Each type that a request has seen, up to which position, and how many events of the batch go before its own."""
    seen = []
    before = 0
    for changes in batch:
        if changes.seen is not None:
            seen += [(name, changes.seen.upto, before) for name in changes.seen.types]
        before += len(changes.events)
    return seen


def answers(batch: Sequence[Changes], head: int, moment: datetime) -> Sequence[Appended]:
    moment = moment.astimezone(UTC)
    answers = []
    for changes in batch:
        first = head + 1
        head += len(changes.events)
        answers.append(Appended(first, head, moment))
    return answers


def only_row(row: Any) -> tuple[Any, ...]:
    """The single row a statement always gives."""
    assert row is not None
    return tuple(row.values()) if isinstance(row, dict) else row


@contextmanager
def translated_errors() -> Iterator[None]:
    """Failures of the engine as ours: conflicts by the constraint that was broken, the rest as unavailable."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        match error.diag.constraint_name:
            case "stored_events_pkey" | "stored_events_notification_id_idx":
                raise VersionConflict(str(error)) from error
            case "idempotency_keys_pkey":
                raise DuplicateKey(str(error)) from error
            case "followers_pkey":
                raise FollowerOvertaken(str(error)) from error
            case "seen":
                raise Outdated(str(error)) from error
            case _:
                raise IntegrityError(str(error)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction) as error:
        raise LogNotReady from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise Unavailable("log-unavailable", "The event log did not answer; try again.") from error
