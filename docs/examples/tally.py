"""A projection of another team: how many commitments each organisation was given, kept in a database of its own.

It is written with the `eventsourcing` library alone and follows Bitácora's log, which the settings below name:

    PERSISTENCE_MODULE=shared.eventlog.library BITACORA_LOG_URL=sqlite:///var/bitacora.db TALLY_DB=tally.db \\
        python docs/examples/tally.py

Stopped and started again, it goes on where it was: its position is kept beside its figures, in one transaction.
"""

from __future__ import annotations

import sqlite3
import threading

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import IntegrityError, Tracking, TrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import Environment

from shared.eventlog.library import LogEvent


class TallyView(TrackingRecorder):
    """The figures, and how far the log was read for them, in one SQLite file."""

    def __init__(self, env: Environment) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(env.get("TALLY_DB") or "tally.db", check_same_thread=False)
        self._db.execute("CREATE TABLE IF NOT EXISTS tally (organization TEXT PRIMARY KEY, given INTEGER)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS tracking (application TEXT PRIMARY KEY, position INTEGER)"
        )

    def count(self, organization: str, tracking: Tracking) -> None:
        """One commitment more for an organisation."""
        with self._lock, self._db:
            self._track(tracking)
            self._db.execute(
                "INSERT INTO tally VALUES (?, 1) ON CONFLICT (organization) DO UPDATE SET given = given + 1",
                [organization],
            )

    def insert_tracking(self, tracking: Tracking) -> None:
        """An event that counts nothing was read."""
        with self._lock, self._db:
            self._track(tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """How far the log was read."""
        with self._lock:
            row = self._db.execute(
                "SELECT position FROM tracking WHERE application = ?", [application_name]
            ).fetchone()
        return None if row is None else int(row[0])

    def figures(self) -> dict[str, int]:
        """The commitments that each organisation was given."""
        with self._lock:
            return dict(self._db.execute("SELECT organization, given FROM tally"))

    def _track(self, tracking: Tracking) -> None:
        moved = self._db.execute(
            "INSERT INTO tracking VALUES (?, ?) ON CONFLICT (application) "
            "DO UPDATE SET position = excluded.position WHERE position < excluded.position",
            [tracking.application_name, tracking.notification_id],
        )
        if not moved.rowcount:
            raise IntegrityError(f"position {tracking.notification_id} was counted before")


class Tally(Projection[TallyView]):
    """What the events of the log mean to the figures."""

    topics = ("commitments.registered", "commitments.lead_reassigned")

    @singledispatchmethod
    def process_event(self, domain_event: object, tracking: Tracking) -> None:  # noqa: ARG002 - the library's signature
        """Whatever else comes."""
        self.view.insert_tracking(tracking)

    @process_event.register
    def count(self, domain_event: LogEvent, tracking: Tracking) -> None:
        """A commitment was given to an organisation."""
        self.view.count(domain_event.data["lead_organization"], tracking)


def runner(env: dict[str, str] | None = None) -> ProjectionRunner[Application, TallyView]:
    """The library's runner of the projection over the log."""
    return ProjectionRunner(
        application_class=Application, projection_class=Tally, view_class=TallyView, env=env
    )


if __name__ == "__main__":
    with runner() as running:
        running.run_forever()
