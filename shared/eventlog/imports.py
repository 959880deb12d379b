"""The imports that were asked for and are yet to be carried out, and what came of them, beside the log.

They are kept in the log's own database, so that one that was accepted is carried out whatever process ends meanwhile.
Of several processes one is at it: it holds a lease, which it renews; when it does not, another takes the import over
and carries it out again from the beginning, which is once (`shared/tabular/engine.py`). What was sent is forgotten when
it ends. All instants are those of the engine's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec
from eventsourcing.persistence import IntegrityError

from shared.errors import KeyReused
from shared.eventlog.store import Store, Where
from shared.identity.actor import Actor, Heir

LEASE: Final = timedelta(seconds=30)
"""For how long a process that does not renew its claim is believed to be at work."""
ATTEMPTS: Final = 3
"""How often an import is begun at most: one that ends the process that carries it out would do so for ever."""


class State(StrEnum):
    """Where an import stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (State.WAITING, State.RUNNING)


class Failure(msgspec.Struct, frozen=True):
    """Why an import could not be carried out, or not to its end."""

    code: str
    detail: str


BROKE_OFF: Final = Failure(
    "import-broke-off",
    f"It was begun {ATTEMPTS} times and broke off each time. What went in before is on record.",
)


class Upload(msgspec.Struct, frozen=True):
    """What was sent: the name of the file to read, all files by name, and the mapping, if there is one."""

    file: str
    files: dict[str, bytes]
    mapping: bytes | None = None


class Asked(NamedTuple):
    """An import as it is asked for, of which service; and under which key, if any, by its hash and fingerprint."""

    service: str
    kind: str
    dry_run: bool
    upload: Upload
    actor: Actor
    key: tuple[bytes, bytes] | None = None


class TooManyOpen(Exception):
    """The caller has as many imports that have not ended as one may have."""


class KeptImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import, without what was sent for it; `report` is JSON."""

    id: UUID
    kind: str
    file: str
    dry_run: bool
    state: State
    asked_by: Heir
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    rows_done: int
    rows_read: int
    failure: Failure | None
    report: bytes | None = None


class Claim(NamedTuple):
    """That one process, and no other, carries an import out."""

    id: UUID
    lease: UUID


class Figures(NamedTuple):
    """How many imports wait and how many are being carried out, and since when the first of those waits."""

    waiting: int
    running: int
    waiting_since: datetime | None


_COLUMNS: Final = (
    "id, kind, file, dry_run, state, asked_by, asked_at, begun_at, ended_at, rows_done, rows_read, failure"
)
_LAST_TURN: Final = (
    "(SELECT max(earlier.begun_at) FROM imports AS earlier "
    "WHERE earlier.service = imports.service AND earlier.person = imports.person)"
)
_FREE: Final = "(state = 'waiting' OR (state = 'running' AND lease_until < ?))"


class Imports:
    """The imports of an installation. Every method blocks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- asking ----------------------------------------------------------------------------------------------------

    def accept(self, asked: Asked, most_open: int) -> tuple[KeptImport, bool]:
        """Keep an import until it is carried out; and whether it was there before, asked for under the same key.

        KeyReused when that was another request; TooManyOpen when so many of the same person's have not ended yet.
        """
        if (earlier := self._under_key(asked)) is not None:
            return earlier, True
        actor = asked.actor
        where = Where(self._store.as_stored).and_("person =", actor.person)
        where.and_("organization =", actor.organization)
        sql = f"SELECT count(*) FROM imports {where} AND state IN ('waiting', 'running')"
        if self._store.rows(sql, where.values)[0][0] >= most_open:
            raise TooManyOpen
        import_id = uuid4()
        values = {
            "id": import_id,
            "service": asked.service,
            "kind": asked.kind,
            "file": asked.upload.file,
            "dry_run": asked.dry_run,
            "upload": msgspec.msgpack.encode(asked.upload),
            "person": actor.person,
            "organization": actor.organization,
            "asked_by": msgspec.json.encode(actor),
            "key_hash": asked.key and asked.key[0],
            "fingerprint": asked.key and asked.key[1],
            "state": State.WAITING.value,
            "asked_at": self._store.engine_time(),
            "attempts": 0,
            "rows_done": 0,
            "rows_read": 0,
        }
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO imports ({', '.join(values)}) VALUES ({marks})"
        try:
            self._touch(sql, list(values.values()))
        except IntegrityError:
            # The same request, sent twice at once.
            if (earlier := self._under_key(asked)) is not None:
                return earlier, True
            raise
        kept = self.get(asked.service, import_id)
        assert kept is not None
        return kept, False

    def _under_key(self, asked: Asked) -> KeptImport | None:
        if asked.key is None:
            return None
        where = Where(self._store.as_stored).and_("key_hash =", asked.key[0])
        rows = self._store.rows(f"SELECT fingerprint, id FROM imports {where}", where.values)
        if not rows:
            return None
        if bytes(rows[0][0]) != asked.key[1]:
            raise KeyReused(
                "idempotency-key-reused", "This Idempotency-Key was used before for a different request."
            )
        return self.get(asked.service, _uuid(rows[0][1]))

    def get(self, service: str, import_id: UUID) -> KeptImport | None:
        """One import of a service, with its report; None when there is none, or it was so long ago."""
        where = Where(self._store.as_stored).and_("id =", import_id).and_("service =", service)
        rows = self._store.rows(f"SELECT {_COLUMNS}, report FROM imports {where}", where.values)
        return self._kept(rows[0]) if rows else None

    def listed(
        self,
        service: str,
        *,
        of: Actor | None = None,
        before: tuple[datetime, UUID] | None = None,
        limit: int,
    ) -> Sequence[KeptImport]:
        """The imports of a service, the latest first, without their reports: all, or those `of` one person."""
        where = Where(self._store.as_stored).and_("service =", service)
        where.and_("person =", of and of.person).and_("organization =", of and of.organization)
        condition, values = str(where), [*where.values]
        if before is not None:
            condition += " AND (asked_at, id) < (?, ?)"
            values += map(self._store.as_stored, before)
        sql = f"SELECT {_COLUMNS}, NULL FROM imports {condition} ORDER BY asked_at DESC, id DESC LIMIT ?"
        return [self._kept(row) for row in self._store.rows(sql, [*values, limit])]

    def cancel(self, import_id: UUID) -> bool:
        """Let nobody begin an import, or go on with it; False when it has ended already."""
        sql = (
            "UPDATE imports SET state = 'cancelled', ended_at = ?, upload = NULL, lease = NULL "
            "WHERE id = ? AND state IN ('waiting', 'running')"
        )
        return self._touch(sql, [self._store.engine_time(), import_id])

    def figures(self, service: str) -> Figures:
        """How things stand."""
        where = Where(self._store.as_stored).and_("service =", service)
        sql = (
            f"SELECT state, count(*), min(asked_at) FROM imports {where} AND state IN ('waiting', 'running') "
            "GROUP BY state"
        )
        found = {state: (count, since) for state, count, since in self._store.rows(sql, where.values)}
        waiting, since = found.get("waiting", (0, None))
        return Figures(waiting, found.get("running", (0, None))[0], since and self._store.as_instant(since))

    # --- carrying out ----------------------------------------------------------------------------------------------

    def claim(self, service: str) -> Claim | None:
        """Take an import that nobody is at; None when there is none. One that always broke off fails.

        People take turns, so that nobody waits for all that somebody else has sent; of each, the first comes first.
        """
        now = self._store.engine_time()
        sql = (
            f"SELECT id, attempts FROM imports WHERE service = ? AND {_FREE} "
            f"ORDER BY {_LAST_TURN} NULLS FIRST, asked_at, id LIMIT 20"
        )
        for stored, attempts in self._store.rows(sql, [service, self._store.as_stored(now)]):
            claim = Claim(_uuid(stored), uuid4())
            taken = self._touch(
                "UPDATE imports SET state = 'running', lease = ?, lease_until = ?, attempts = attempts + 1, "
                f"begun_at = coalesce(begun_at, ?), rows_done = 0, rows_read = 0 WHERE id = ? AND {_FREE}",
                [claim.lease, now + LEASE, now, claim.id, now],
            )
            if not taken:
                continue
            if attempts < ATTEMPTS:
                return claim
            self.finish(claim, failure=BROKE_OFF)
        return None

    def upload(self, claim: Claim) -> Upload | None:
        """What was sent for an import that is being carried out; None when it is no more one's own."""
        where = self._of(claim)
        rows = self._store.rows(f"SELECT upload FROM imports {where}", where.values)
        return msgspec.msgpack.decode(rows[0][0], type=Upload) if rows else None

    def renew(self, claim: Claim, progress: tuple[int, int] | None = None) -> bool:
        """Say that one is still at it, and how many rows are done, of how many; False when it is no more one's own."""
        values: list[Any] = [self._store.engine_time() + LEASE]
        rows = ""
        if progress is not None:
            rows = ", rows_done = ?, rows_read = ?"
            values += progress
        return self._touch(
            f"UPDATE imports SET lease_until = ?{rows} WHERE id = ? AND lease = ?", [*values, *claim]
        )

    def finish(self, claim: Claim, *, report: bytes | None = None, failure: Failure | None = None) -> bool:
        """Keep what came of it, and forget what was sent; False when it is no more one's own."""
        state = State.DONE if failure is None else State.FAILED
        sql = (
            "UPDATE imports SET state = ?, ended_at = ?, report = ?, failure = ?, upload = NULL, lease = NULL "
            "WHERE id = ? AND lease = ?"
        )
        told = None if failure is None else msgspec.json.encode(failure)
        return self._touch(sql, [state.value, self._store.engine_time(), report, told, *claim])

    def give_back(self, claim: Claim, *, counted: bool) -> bool:
        """Let it wait again; `counted` when it broke off, and not because its process was told to stop."""
        attempts = "" if counted else ", attempts = attempts - 1"
        sql = f"UPDATE imports SET state = 'waiting', lease = NULL{attempts} WHERE id = ? AND lease = ?"
        return self._touch(sql, [*claim])

    def prune(self, kept: timedelta) -> int:
        """Forget the imports that ended longer ago than that; how many there were."""
        with self._store.transaction() as execute:
            sql = "DELETE FROM imports WHERE ended_at < ?"
            return execute(sql, [self._store.as_stored(self._store.engine_time() - kept)])

    def _touch(self, sql: str, values: Sequence[Any]) -> bool:
        with self._store.transaction() as execute:
            return execute(sql, list(map(self._store.as_stored, values))) == 1

    def _of(self, claim: Claim) -> Where:
        return Where(self._store.as_stored).and_("id =", claim.id).and_("lease =", claim.lease)

    def _kept(self, row: Sequence[Any]) -> KeptImport:
        (stored, kind, file, dry_run, state, actor, asked, begun, ended, done, read, failure, report) = row
        instant = self._store.as_instant
        return KeptImport(
            id=_uuid(stored),
            kind=kind,
            file=file,
            dry_run=bool(dry_run),
            state=State(state),
            asked_by=msgspec.json.decode(actor, type=Heir),
            asked_at=instant(asked),
            begun_at=begun and instant(begun),
            ended_at=ended and instant(ended),
            rows_done=done,
            rows_read=read,
            failure=None if failure is None else msgspec.json.decode(failure, type=Failure),
            report=None if report is None else bytes(report),
        )


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
