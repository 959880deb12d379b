"""A request may say what it has seen: it is written only while the log holds no more of that, whoever writes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RuleBroken
from shared.eventlog.appender import Appender
from shared.eventlog.open import open_store
from shared.eventlog.store import Appended, Changes, Outdated, Seen, Store
from shared.events.commitments import Commented, Registered, Reopened
from shared.events.facts import Event
from tests.support.ledger import DAY, NOON, Ledger, changes, command, event, opened, process, run_sql, wrote

MAKE: dict[type[Event], Callable[[], Event]] = {
    Registered: opened,
    Commented: lambda: wrote("something"),
    Reopened: lambda: Reopened(effective_on=DAY, reason="a test"),
}
KINDS = list(MAKE)


def seen(upto: int, *kinds: type[Event]) -> Seen:
    """That everything of these kinds was seen up to a position."""
    return Seen(tuple(kind.TYPE for kind in kinds), upto)


def having(what: Seen, *events: Event) -> Changes:
    """A request that has seen so much, and writes each event in a stream of its own."""
    return msgspec.structs.replace(changes(*map(event, events)), seen=what)


class Asked(NamedTuple):
    """One request of a random batch."""

    kinds: list[type[Event]]
    seen: tuple[int, set[type[Event]]] | None


asked = st.builds(
    Asked,
    st.lists(st.sampled_from(KINDS), max_size=3),
    st.none() | st.tuples(st.integers(0, 12), st.sets(st.sampled_from(KINDS), min_size=1)),
)


def would_write(log: list[type[Event]], batch: Sequence[Asked]) -> list[type[Event]] | None:
    """The log after a batch, or None where one of its requests has not seen everything."""
    log = list(log)
    for request in batch:
        if request.seen is not None:
            upto, kinds = request.seen
            if kinds & set(log[upto:]):
                return None
        log += request.kinds
    return log


@given(batches=st.lists(st.lists(asked, min_size=1, max_size=4), min_size=1, max_size=6))
def test_a_batch_is_written_exactly_when_each_request_has_seen_all_there_is_before_it(
    store: tuple[Store, str], batches: list[list[Asked]]
) -> None:
    log, url = store
    run_sql(url, "DELETE FROM stored_events")
    holds: list[type[Event]] = []
    for batch in batches:
        requests = [
            Changes(
                [event(MAKE[kind]()) for kind in one.kinds],
                seen=None if one.seen is None else seen(one.seen[0], *one.seen[1]),
            )
            for one in batch
        ]
        expected = would_write(holds, batch)
        if expected is None:
            with pytest.raises(Outdated):
                log.append(requests, NOON)
        else:
            log.append(requests, NOON)
            holds = expected
        assert [stored.type for stored in log.read_stored(0, 1000)] == [k.TYPE for k in holds]


async def test_one_who_has_not_seen_all_harms_no_other_request_of_a_batch(log_url: str) -> None:
    with closing(open_store(log_url)) as log:
        log.migrate()
        appender = Appender(log.writer(), lambda: NOON, lambda _changes, _appended: None)
        appender.start()
        try:
            requests = [
                changes(event(wrote("before"))),
                having(seen(0, Registered), opened()),
                having(seen(0, Registered), opened()),
                having(seen(0, Reopened), wrote("it saw what it had to")),
                having(seen(0, Commented)),
                changes(event(wrote("after"))),
            ]
            answers = await asyncio.gather(*map(appender.append, requests), return_exceptions=True)
        finally:
            await appender.close()
        assert [type(a) for a in answers] == [Appended, Appended, Outdated, Appended, Outdated, Appended]
        assert log.head() == 4


async def test_a_fact_that_arrives_while_a_decision_looks_makes_it_look_again(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        mine, theirs = await one.open("L-1"), await other.open("L-2")
        looks: list[list[str]] = []

        async def look() -> None:
            """What the other ledger holds; the first time, something is written there right after."""
            looks.append(await one.texts(theirs))
            if len(looks) == 1:
                await other.write(theirs, "late")
                await one.live.catch_up()

        async def decide(present: Ledger) -> list[Event]:
            await look()
            return [wrote(f"theirs: {looks[-1]}")]

        await one.live.catch_up()
        await one.ledgers.change(mine, decide, command(), considering=(Commented,))
        assert looks == [[], ["late"]]
        assert await one.texts(mine) == ["theirs: ['late']"]


async def test_a_rule_over_all_ledgers_holds_whichever_processes_write_them(log_url: str) -> None:
    """Each text may stand in one ledger only; four tasks in two processes try to write the same ones."""
    async with process(log_url) as one, process(log_url) as other:
        ledgers: list[UUID] = [await one.open(str(n)) for n in range(4)]
        refused = 0

        async def write(place: int, text: str) -> None:
            nonlocal refused
            here = (one, other)[place % 2]

            async def decide(present: Ledger) -> list[Event]:
                held: set[str] = set()
                for ledger in ledgers:
                    held.update(await here.texts(ledger))
                if text in held:
                    raise RuleBroken("taken", "It stands elsewhere.")
                return [wrote(text)]

            try:
                await here.ledgers.change(
                    ledgers[place],
                    decide,
                    command(key=f"{place} {text}"),
                    considering=(Commented,),
                )
            except RuleBroken:
                refused += 1

        await other.live.catch_up()
        for n in range(30):
            await asyncio.gather(*(write(place, f"text {n}") for place in range(4)))
        await one.live.catch_up()
        texts = [text for ledger in ledgers for text in await one.texts(ledger)]
        assert sorted(texts) == sorted(f"text {n}" for n in range(30))
        assert refused == 90
        assert not one.live.locks


async def test_many_who_consider_the_same_get_their_turn_in_the_end(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledgers = [await one.open(str(n)) for n in range(12)]
        await other.live.catch_up()
        await asyncio.gather(
            *(
                (one, other)[n % 2].ledgers.change(
                    ledger, lambda _present: [wrote("here")], command(), considering=(Commented,)
                )
                for n, ledger in enumerate(ledgers)
            )
        )
        await one.live.catch_up()
        assert [await one.texts(ledger) for ledger in ledgers] == [["here"]] * 12
