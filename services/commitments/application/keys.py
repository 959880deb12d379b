"""What is done with API keys: issue one, take it back, list them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.commitments.application.directory import Directory
from services.commitments.domain.api_key import ApiKey, issue_key
from services.commitments.domain.registration import known_organization
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.events.identity import KeyIssued, KeyRevoked
from shared.events.streams import stream_of
from shared.identity.actor import Role
from shared.identity.keys import generate_key


class Issued(NamedTuple):
    """A key just issued; `presented` is what its holder sends, told this once and to nobody again."""

    outcome: Outcome
    key_id: str
    presented: str | None


class KeyList:
    """Every key ever issued, in memory, by following the log."""

    def __init__(self) -> None:
        self._by_stream: dict[UUID, ApiKey] = {}

    @classmethod
    def following(cls, live: LiveLog) -> KeyList:
        """A list that is complete once `live` has started."""
        keys = cls()
        live.subscribe((KeyIssued, KeyRevoked), keys.apply)
        return keys

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event of a key."""
        known = self._by_stream.get(recorded.stream_id)
        if known is not None:
            known.apply(recorded)
        elif (key := ApiKey.begin(recorded)) is not None:
            self._by_stream[key.id] = key

    def all(self) -> list[ApiKey]:
        """All keys, in the order in which they were issued."""
        return list(self._by_stream.values())


class Keys:
    """API keys, for scripts and for other systems."""

    def __init__(self, live: LiveLog, keys: KeyList, directory: Directory) -> None:
        self._live = live
        self._records: Records[ApiKey] = Records(live, ApiKey.begin, name="api-key", capacity=1_000)
        self._keys = keys
        self._directory = directory
        self._clock = live.clock

    @property
    def position(self) -> int:
        """The position of the log that the list reflects."""
        return self._live.position

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def issue(
        self,
        *,
        role: Role,
        organization: str,
        scopes: Collection[str],
        expires_at: datetime,
        description: str | None,
        command: Command,
    ) -> Issued:
        """Issue a key. A repeated request gets the first one's key id and no secret: nobody kept it."""
        new = generate_key()
        known_organization(organization, self._directory.organization_codes, "/organization")
        outcome = await self._records.create(
            stream_of("api-key", new.key_id),
            lambda: issue_key(
                new.key_id,
                new.secret_sha256,
                role=role,
                organization=organization,
                scopes=scopes,
                expires_at=expires_at,
                description=description,
                now=self._clock.now(),
            ),
            command,
        )
        if not outcome.replayed:
            return Issued(outcome, new.key_id, new.presented)
        first = await self._records.get(outcome.stream_id)
        if first is None:
            raise self._records.unknown()
        return Issued(outcome, first.key_id, None)

    async def revoke(self, key_id: str, reason: str, command: Command) -> Outcome:
        """Take a key back; it opens nothing from the moment each process has read so in the log."""
        return await self._records.change(
            stream_of("api-key", key_id), lambda key: key.revoke(reason), command
        )

    def all(self) -> list[ApiKey]:
        """All keys, in the order in which they were issued."""
        return self._keys.all()
