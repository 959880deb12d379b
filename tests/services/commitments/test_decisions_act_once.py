"""Each decision acts exactly once, whatever is killed and restarted in between, and however many follow the log."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from services.commitments.outcome.policy import FOLLOWER
from shared.errors import Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store, VersionConflict
from shared.eventlog.verification import verify
from shared.events.commitments import (
    Commented,
    DecisionCarriedOut,
    DecisionUnresolved,
    OrganizationRegistered,
    PublicDeadline,
    Registered,
)
from shared.events.indicators import IndicatorDefined
from shared.events.meeting_vocabulary import DecisionKind
from shared.events.meetings import DecisionAgreed
from shared.events.streams import stream_of
from shared.events.vocabulary import Direction
from shared.identity.actor import Role
from tests.services.commitments.decisions import (
    agreeing,
    aiming,
    body,
    decision,
    giving_up,
    recordable,
    until,
)
from tests.services.commitments.policy_process import Follower
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.xdist_group("processes")

COMMITMENTS = [f"SEG-{n}" for n in range(6)]
FIRST_DAY = date(2010, 5, 21)
LONGEST = 8.0
"""Seconds that killing goes on for at most, on one engine."""


def prepare(store: Store) -> None:
    """What decisions are about: an organisation, the body, six commitments and an indicator."""
    store.migrate()
    events = [
        recordable(
            OrganizationRegistered(code="INTERIOR", name="Interior"), kind="organization", code="INTERIOR"
        ),
        recordable(body()),
        recordable(
            IndicatorDefined(
                code="VICTIMISATION",
                name="Victims",
                unit="%",
                direction=Direction.DECREASE,
                effective_on=FIRST_DAY,
            ),
            kind="indicator",
            code="VICTIMISATION",
        ),
    ]
    events += [
        recordable(
            Registered(
                code=code,
                title=code,
                lead_organization="INTERIOR",
                effective_on=FIRST_DAY,
                public_deadline=PublicDeadline(on=date(2013, 12, 31)),
            ),
            kind="commitment",
            code=code,
        )
        for code in COMMITMENTS
    ]
    store.append([Changes(events)], datetime.now(UTC))


def random_decisions(rng: random.Random, count: int, first: int = 1) -> Iterator[DecisionAgreed]:
    """Decisions of every kind; a fair part of them cannot be carried out."""
    for n in range(first, first + count):
        number = f"BIL-INT-2012-{n:03}"
        some = tuple(rng.sample([*COMMITMENTS, "GONE"], rng.randint(1, 4)))
        day = date(2014, 1, 1) + timedelta(days=rng.randrange(4))
        yield rng.choice(
            (
                decision(
                    DecisionKind.AGREE_COMMITMENT, number, effect=agreeing(f"NEW-{rng.randrange(count)}")
                ),
                decision(DecisionKind.REVISE_DEADLINE, number, commitments=some, effect=until(day)),
                decision(DecisionKind.REVISE_TARGET, number, effect=aiming(str(rng.randint(20, 23)))),
                decision(DecisionKind.ESCALATE, number, commitments=some),
                decision(DecisionKind.BUDGET, number, commitments=some),
                decision(DecisionKind.DISCARD, number, commitments=(f"NEW-{n % 9}",), effect=giving_up()),
            )
        )


class Minutes:
    """What other processes write meanwhile: approved decisions, and comments on the same commitments."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        self.store = store
        self.rng = rng
        self.agreed: dict[str, int] = {}

    def approve(self, decisions: Sequence[DecisionAgreed]) -> None:
        """One transaction."""
        (appended,) = self.store.append([Changes([recordable(one) for one in decisions])], datetime.now(UTC))
        self.agreed |= {one.number: position for position, one in enumerate(decisions, appended.first)}

    def comment(self) -> bool:
        """Somebody writes on one of the commitments; whether they were not overtaken."""
        code = self.rng.choice(COMMITMENTS)
        version = len(self.store.read_stream(stream_of("commitment", code)))
        event = Commented(text="Meanwhile", effective_on=FIRST_DAY)
        changes = Changes([recordable(event, kind="commitment", code=code, version=version + 1)])
        try:
            self.store.append([changes], datetime.now(UTC))
        except VersionConflict:
            return False
        return True

    def all_done(self) -> bool:
        """Whether the follower has come to the end."""
        return self.store.follower_position(FOLLOWER) == max(self.agreed.values())


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the decisions were not carried out in time"
        time.sleep(0.01)


def acts_of(store: Store) -> list[Recorded]:
    """Everything the policy wrote."""
    log = [codec.decode(line, position) for position, line in store.read(0, 1_000_000)]
    return [recorded for recorded in log if recorded.recorded_by.role is Role.SYSTEM]


def check_each_acted_once(store: Store, agreed: dict[str, int]) -> Counter[str]:
    """Every decision has one outcome, and caused what this outcome says and nothing else, all in one transaction."""
    caused: dict[int, list[Recorded]] = defaultdict(list)
    for recorded in acts_of(store):
        assert recorded.causation_id is not None
        caused[recorded.causation_id].append(recorded)
    assert sorted(caused) == sorted(agreed.values())
    kinds: Counter[str] = Counter()
    for number, position in agreed.items():
        *deeds, outcome = caused[position]
        kinds[outcome.type] += 1
        assert (outcome.stream_id, outcome.version) == (stream_of("decision-outcome", number), 1)
        assert [one.position for one in caused[position]] == list(
            range(outcome.position - len(deeds), outcome.position + 1)
        )
        if isinstance(outcome.data, DecisionUnresolved):
            assert deeds == []
            continue
        assert isinstance(outcome.data, DecisionCarriedOut)
        assert [(deed.type, deed.version) for deed in deeds] == [
            (done.type, done.version) for done in outcome.data.did
        ]
        assert all(
            deed.stream_id
            == stream_of(
                *(("commitment", done.commitment) if done.commitment else ("indicator", done.indicator or ""))
            )
            for deed, done in zip(deeds, outcome.data.did, strict=True)
        )
    assert store.follower_position(FOLLOWER) == max(agreed.values())
    assert verify(store).sound
    return kinds


def test_each_decision_acts_once_though_the_follower_is_killed_again_and_again(log_url: str) -> None:
    rng = random.Random(20121107)
    with closing(open_store(log_url)) as store:
        prepare(store)
        minutes = Minutes(store, rng)
        decisions = list(random_decisions(rng, 240))
        kills = killed_at_work = 0
        until_then = time.monotonic() + LONGEST
        while time.monotonic() < until_then and (decisions or not minutes.all_done()):
            batch, decisions = decisions[:20], decisions[20:]
            if batch:
                minutes.approve(batch)
            before = store.follower_position(FOLLOWER)
            followers = [Follower(log_url) for _ in range(rng.choice((1, 1, 2)))]
            for follower in followers:
                follower.begun()
            moment = time.monotonic() + rng.random() * 0.06
            while time.monotonic() < moment:
                minutes.comment()
            for follower in followers:
                follower.kill()
                kills += 1
            after = store.follower_position(FOLLOWER)
            killed_at_work += before < after < max(minutes.agreed.values())
        if decisions:
            minutes.approve(decisions)
        last = Follower(log_url).begun()
        wait_until(minutes.all_done)
        assert last.end() == 0
        assert kills >= 6
        assert killed_at_work >= 2, f"{kills} kills, of which too few hit the follower at work"
        kinds = check_each_acted_once(store, minutes.agreed)
        assert min(kinds.values()) > 20, kinds


def test_each_decision_acts_once_however_many_follow(log_url: str) -> None:
    rng = random.Random(1)
    with closing(open_store(log_url)) as store:
        prepare(store)
        minutes = Minutes(store, rng)
        followers = [Follower(log_url).begun() for _ in range(3)]
        for n in range(30):
            minutes.approve(list(random_decisions(rng, rng.randint(1, 5), first=10 * n + 1)))
            minutes.comment()
        wait_until(minutes.all_done)
        assert [follower.end() for follower in followers] == [0, 0, 0]
        check_each_acted_once(store, minutes.agreed)


def test_the_check_would_notice_a_decision_that_acted_twice_or_never(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        prepare(store)
        minutes = Minutes(store, random.Random(2))
        minutes.approve([decision(DecisionKind.ESCALATE, commitments=("SEG-1",))])
        with pytest.raises(AssertionError):
            check_each_acted_once(store, minutes.agreed)
        follower = Follower(sqlite_url).begun()
        wait_until(minutes.all_done)
        assert follower.end() == 0
        check_each_acted_once(store, minutes.agreed)
        (deed, _) = acts_of(store)
        again = recordable(deed.data, kind="commitment", code="SEG-1", version=deed.version + 1)
        forged = [
            type(again)(
                stream_id=again.stream_id,
                version=again.version,
                recorded_by=deed.recorded_by,
                correlation_id="forged",
                causation_id=deed.causation_id,
                data=again.data,
            )
        ]
        store.append([Changes(forged)], datetime.now(UTC))
        with pytest.raises(AssertionError):
            check_each_acted_once(store, minutes.agreed)


def test_a_target_is_decimal_all_the_way(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        prepare(store)
        minutes = Minutes(store, random.Random(3))
        minutes.approve([decision(DecisionKind.REVISE_TARGET, effect=aiming("28.560001"))])
        follower = Follower(sqlite_url).begun()
        wait_until(minutes.all_done)
        assert follower.end() == 0
        (deed, _) = acts_of(store)
        assert getattr(deed.data, "value", None) == Decimal("28.560001")


def test_a_follower_outlives_the_server_and_goes_on_where_it_was(private_postgres: PostgresServer) -> None:
    with closing(open_store(private_postgres.url)) as store:
        prepare(store)
        minutes = Minutes(store, random.Random(4))
        follower = Follower(private_postgres.url).begun()
        for n in range(3):
            minutes.approve(list(random_decisions(minutes.rng, 40, first=100 * n + 1)))
            time.sleep(0.03)
            private_postgres.kill()
            private_postgres.start()
            wait_until(lambda: can_be_read(store))
        wait_until(minutes.all_done)
        assert follower.end() == 0
        check_each_acted_once(store, minutes.agreed)


def can_be_read(store: Store) -> bool:
    """Whether the server answers again."""
    try:
        store.check_ready()
    except Unavailable:
        return False
    return True
