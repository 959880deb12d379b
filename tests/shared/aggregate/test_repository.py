"""Commands on ledgers: each is decided on the newest state, wins or is told so, and is carried out once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from shared.aggregate.command import OnStream, Outcome
from shared.aggregate.repository import BASE_WEIGHT, EVENT_WEIGHT
from shared.errors import CorruptEvent, InvalidInput, KeyReused, NotFound, RuleBroken, StaleVersion
from shared.eventlog.store import FollowerOvertaken
from shared.events.commitments import ProgressReported
from shared.events.facts import Event
from shared.events.streams import stream_of
from tests.support.ledger import (
    ACTOR,
    DAY,
    NOON,
    Ledger,
    Process,
    SettableClock,
    changes,
    command,
    event,
    opened,
    process,
    run_sql,
    writing,
    wrote,
)


async def outcomes(*commands: Any) -> list[Any]:
    """What each of several concurrent commands came to, errors included."""
    return await asyncio.gather(*commands, return_exceptions=True)


async def converged(one: Process, other: Process, ledger: UUID) -> list[str]:
    """What both processes hold once each has seen everything; the log's own fold must say the same."""
    head = one.store.head()
    await one.live.wait_for(head, 15)
    await other.live.wait_for(head, 15)
    found = await one.ledgers.get(ledger)
    assert found is not None
    folded = await one.ledgers.as_it_was(ledger, version=found.version)
    assert await one.texts(ledger) == await other.texts(ledger) == folded.state.texts
    return folded.state.texts


def plain(outcome: Outcome) -> Outcome:
    """What is answered to a request, be it for the first time or again."""
    return outcome._replace(events=(), replayed=False)


async def test_a_ledger_is_begun_once_and_its_code_is_taken_after(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = stream_of("ledger", "L-1")
        results = await outcomes(
            *(p.ledgers.create(ledger, lambda: [opened("L-1")], command()) for p in (one, other, one, other))
        )
        refused = [r for r in results if isinstance(r, RuleBroken)]
        assert [r for r in results if isinstance(r, Outcome)] == [Outcome(ledger, 1, 1, [opened("L-1")])]
        assert [error.code for error in refused] == ["code-taken"] * 3


async def test_what_does_not_exist_cannot_be_changed(log_url: str) -> None:
    async with process(log_url) as one:
        with pytest.raises(NotFound) as raised:
            await one.write(uuid4(), "into nothing")
        assert raised.value.code == "unknown-ledger"
        await one.live.append(changes(event(wrote("of another kind"), 1, stream := uuid4())))
        assert await one.ledgers.get(stream) is None


async def test_of_many_commands_that_state_a_version_one_wins_and_the_others_are_told(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        for version in range(1, 6):
            results = await outcomes(
                *(
                    p.ledgers.change(ledger, writing(f"{version} by {n}"), command(version))
                    for n in range(4)
                    for p in (one, other)
                )
            )
            assert Counter(map(type, results)) == {Outcome: 1, StaleVersion: 7}
            assert {r.current for r in results if isinstance(r, StaleVersion)} == {version + 1}
        assert len(await converged(one, other, ledger)) == 5


async def test_commands_that_state_no_version_all_succeed_in_some_order(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        names = [f"{p} {n}" for p in ("one", "other") for n in range(60)]

        def remember(text: str) -> Any:
            def decide(ledger: Ledger) -> Sequence[Event]:
                assert text not in ledger.texts
                return [wrote(text)]

            return decide

        results = await asyncio.gather(
            *(
                (one if name.startswith("one") else other).ledgers.change(ledger, remember(name), command())
                for name in names
            )
        )
        assert sorted(r.version for r in results) == list(range(2, 122))
        assert sorted(await converged(one, other, ledger)) == sorted(names)
        by_version = {r.version: name for r, name in zip(results, names, strict=True)}
        assert await one.texts(ledger) == [by_version[v] for v in range(2, 122)]


async def test_a_refusal_of_the_domain_is_decided_on_the_newest_state(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()

        def only_once(present: Ledger) -> Sequence[Event]:
            if present.texts:
                raise RuleBroken("written-already", "It holds a text already.")
            return [wrote("the only one")]

        results = await outcomes(
            *(p.ledgers.change(ledger, only_once, command()) for p in (one, other, one, other))
        )
        assert Counter(map(type, results)) == {Outcome: 1, RuleBroken: 3}
        assert await converged(one, other, ledger) == ["the only one"]


async def test_a_decision_for_nothing_records_nothing(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        outcome = await one.ledgers.change(ledger, writing(), command())
        assert (outcome.version, outcome.changed, one.store.head()) == (1, False, 1)


async def test_a_repeated_request_gets_the_first_answer_and_does_nothing(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        first = await one.ledgers.change(ledger, writing("a", "b"), command(1, key="k"))
        await one.write(ledger, "c")
        again = await other.ledgers.change(ledger, writing("a", "b"), command(1, key="k"))
        assert again == first._replace(events=(), replayed=True)
        assert await other.ledgers.last_event(again) == await one.ledgers.last_event(first) == wrote("b")
        with pytest.raises(KeyReused):
            await other.ledgers.change(ledger, writing("x"), command(key="k", fingerprint="different"))
        assert await converged(one, other, ledger) == ["a", "b", "c"]


@pytest.mark.parametrize("expected", [(), (1,)], ids=["on any version", "on a stated version"])
async def test_of_one_request_sent_many_times_at_once_every_copy_gets_the_same_answer(
    log_url: str, expected: tuple[int, ...]
) -> None:
    async with process(log_url) as one, process(log_url) as other:
        for n in range(15):
            ledger = await one.open()
            await other.live.wait_for(one.live.position, 10)
            results = await asyncio.gather(
                *(
                    p.ledgers.change(ledger, writing("once"), command(*expected, key=f"k{n}"))
                    for p in (one, other, one, other)
                )
            )
            assert {plain(r) for r in results} == {Outcome(ledger, 2, one.store.head())}
            assert [r.replayed for r in results].count(False) == 1
            assert await converged(one, other, ledger) == ["once"]


async def test_of_one_creation_sent_many_times_at_once_every_copy_gets_the_same_answer(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        for n in range(10):
            ledger = stream_of("ledger", str(n))
            results = await asyncio.gather(
                *(
                    p.ledgers.create(ledger, lambda: [opened()], command(key=f"k{n}"))
                    for p in (one, other, one, other)
                )
            )
            assert {plain(r) for r in results} == {Outcome(ledger, 1, n + 1)}


async def test_a_follower_position_commits_with_the_events_and_the_slower_process_is_told(
    log_url: str,
) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        cause = one.live.position
        results = await outcomes(
            *(
                p.ledgers.change(ledger, writing("acted"), command(follower=("policy", cause)))
                for p in (one, other, one, other)
            )
        )
        assert Counter(map(type, results)) == {Outcome: 1, FollowerOvertaken: 3}
        assert one.store.follower_position("policy") == cause
        assert await converged(one, other, ledger) == ["acted"]
        nothing = await one.ledgers.change(ledger, writing(), command(follower=("policy", cause + 1)))
        assert (nothing.changed, other.store.follower_position("policy")) == (False, cause + 1)


async def test_a_ledger_as_it_was_at_a_version_and_as_it_was_known_at_a_moment(log_url: str) -> None:
    clock = SettableClock()
    async with process(log_url, now=clock) as one:
        ledger = await one.open()
        noise = await one.open()
        for text in "abc":
            clock.move(60)
            await one.write(ledger, text)
            await one.write(noise, "noise")
        at_version = await one.ledgers.as_it_was(ledger, version=3)
        assert at_version.state.texts == ["a", "b"]
        assert (at_version.moment, at_version.position) == (NOON + timedelta(seconds=120), 5)
        between = NOON + timedelta(seconds=150)
        at_moment = await one.ledgers.as_it_was(ledger, known_at=between)
        assert at_moment.state.texts == ["a", "b"]
        assert (at_moment.moment, at_moment.position) == (between, 6)
        yet_to_come = await one.ledgers.as_it_was(ledger, known_at=NOON + timedelta(days=1))
        assert (yet_to_come.state.texts, yet_to_come.moment) == (["a", "b", "c"], clock())
        for question in (
            {"version": 5},
            {"version": 0},
            {"known_at": NOON - timedelta(seconds=1)},
        ):
            with pytest.raises(NotFound) as missing:
                await one.ledgers.as_it_was(ledger, **question)
            assert missing.value.code == "version-not-found"
        with pytest.raises(InvalidInput) as both:
            await one.ledgers.as_it_was(ledger, version=1, known_at=NOON)
        assert (both.value.code, both.value.pointer) == ("two-past-views", "/query/known_at")


async def test_a_view_of_the_past_reads_only_what_it_shows(log_url: str) -> None:
    """What comes after is spoilt, so that reading it would be noticed."""
    clock = SettableClock()
    async with process(log_url, now=clock) as one:
        ledger = await one.open()
        for n in range(30):
            clock.move(1)
            await one.write(ledger, str(n))
        run_sql(log_url, "UPDATE stored_events SET state = %s WHERE notification_id > 20", b"{")
        assert (await one.ledgers.as_it_was(ledger, version=20)).state.texts[-1] == "18"
        at_moment = await one.ledgers.as_it_was(ledger, known_at=NOON + timedelta(seconds=19))
        assert at_moment.state.texts[-1] == "18"
        for version, moment in ((21, None), (None, NOON + timedelta(seconds=20))):
            with pytest.raises(CorruptEvent):
                await one.ledgers.as_it_was(ledger, version=version, known_at=moment)
        lines = await one.ledgers.lines(ledger, after_version=10, upto_version=20, limit=5)
        assert [position for position, _ in lines] == [11, 12, 13, 14, 15]


async def test_what_is_in_memory_is_not_read_again(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        await one.texts(ledger)
        [(_, line)] = await one.ledgers.lines(ledger, after_version=0, upto_version=1, limit=1)
        run_sql(log_url, "UPDATE stored_events SET state = %s", line[1:])  # the same event by its nonce
        await one.write(ledger, "written on what is in memory")
        assert await one.texts(ledger) == ["written on what is in memory"]
        one.ledgers.forget(ledger)
        with pytest.raises(CorruptEvent):
            await one.texts(ledger)


async def test_memory_is_bounded_in_bytes_and_what_was_dropped_is_read_again(log_url: str) -> None:
    async with process(log_url, cache=5 * (BASE_WEIGHT + 2 * EVENT_WEIGHT)) as one:
        ledgers = [await one.open(str(n)) for n in range(20)]
        for n, ledger in enumerate(ledgers):
            await one.write(ledger, f"text {n}")
            assert one.in_memory(ledgers) <= 6  # of which those with one event weigh less
        assert one.in_memory(ledgers) == 5
        assert await one.texts(ledgers[0]) == ["text 0"]
        assert one.in_memory(ledgers) == 5
        assert not one.live.locks


async def test_a_long_ledger_leaves_room_for_fewer_others(log_url: str) -> None:
    async with process(log_url, cache=20 * (BASE_WEIGHT + 2 * EVENT_WEIGHT)) as one:
        ledgers = [await one.open(str(n)) for n in range(10)]
        for ledger in ledgers:
            await one.texts(ledger)
        assert one.in_memory(ledgers) == 10
        await one.write(ledgers[9], *map(str, range(75)))
        for ledger in ledgers:
            await one.texts(ledger)
        assert one.in_memory(ledgers) < 10
        await one.write(ledgers[9], *map(str, range(100)))
        assert one.in_memory(ledgers) == 1
        assert len(await one.texts(ledgers[9])) == 175
        for ledger in ledgers[:5]:
            await one.texts(ledger)
        assert one.in_memory(ledgers) == 5
        one.ledgers.forget(ledgers[0])
        assert one.in_memory(ledgers) == 4


async def test_what_was_used_last_stays_longest(log_url: str) -> None:
    async with process(log_url, cache=3 * (BASE_WEIGHT + EVENT_WEIGHT)) as one:
        first, second, third, fourth = [await one.open(str(n)) for n in range(4)]
        for ledger in (first, second, third, first, fourth):
            await one.texts(ledger)
        assert [one.in_memory([ledger]) for ledger in (first, second, third, fourth)] == [1, 0, 1, 1]


async def test_a_reader_that_gives_up_does_not_take_the_others_with_it(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await one.write(ledger, "a")
        other.ledgers.forget(ledger)
        first = asyncio.create_task(other.ledgers.get(ledger))
        await asyncio.sleep(0)
        second = asyncio.create_task(other.ledgers.get(ledger))
        await asyncio.sleep(0)
        first.cancel()
        found = await second
        assert first.cancelled()
        assert found is not None
        assert found.texts == ["a"]
        other.ledgers.forget(ledger)
        assert other.in_memory([ledger]) == 0


async def test_a_command_given_up_while_it_is_written_leaves_a_true_state_behind(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        for n in range(20):
            given_up = asyncio.create_task(one.write(ledger, f"{n} given up"))
            for _ in range(n % 5):
                await asyncio.sleep(0)
            given_up.cancel()
            await one.write(ledger, f"{n} kept")
            await asyncio.gather(given_up, return_exceptions=True)
        texts = await converged(one, other, ledger)
        assert [text for text in texts if "kept" in text] == [f"{n} kept" for n in range(20)]
        assert len(set(texts)) == len(texts)
        assert not one.live.locks


async def test_the_recorded_instant_is_the_logs_and_never_falls(log_url: str) -> None:
    clock = SettableClock()
    async with process(log_url, now=clock) as one:
        ledger = await one.open()
        clock.move(-3600)
        await one.write(ledger, "an hour earlier by this clock")
        clock.move(7200)
        await one.write(ledger, "later")
        history = await one.ledgers.history(ledger)
        assert [(r.recorded_at - NOON).total_seconds() for r in history] == [0, 0, 3600]


async def test_a_command_that_also_writes_beside_gets_its_turn_among_many_who_write_there(
    log_url: str,
) -> None:
    async with process(log_url) as one:
        busy = await one.open("busy")
        quiet = await one.open("quiet")
        done = asyncio.Event()

        async def keep_busy(name: int) -> None:
            n = 0
            while not done.is_set():
                n += 1
                await one.write(busy, f"{name} {n}")

        attempts = 0

        async def decide(present: Ledger | None) -> list[Event | OnStream]:
            nonlocal attempts
            attempts += 1
            looked_at = await one.ledgers.get(busy)
            assert looked_at is not None
            version = looked_at.version
            await asyncio.sleep(0.002)  # and reads other things
            return [wrote("here"), OnStream(busy, version + 1, wrote("and there"))]

        async with asyncio.TaskGroup() as tasks:
            for name in range(6):
                tasks.create_task(keep_busy(name))
            for _ in range(10):
                await one.ledgers.write(quiet, decide, command())
            done.set()
        assert (await one.texts(busy)).count("and there") == 10
        assert await one.texts(quiet) == ["here"] * 10
        assert attempts <= 20, "it lost again after it had its turn"


async def test_what_is_refused_is_decided_once_more_on_all_that_other_processes_have_recorded(
    log_url: str,
) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()

        def once_allowed(permission: str) -> Any:
            def decide(present: Ledger) -> Sequence[Event]:
                if permission not in present.texts:
                    raise RuleBroken("not-allowed", "Nobody has allowed it.")
                return [wrote(f"done: {permission}")]

            return decide

        for n in range(20):
            await other.texts(ledger)  # so that it has the state of before in memory
            await one.write(ledger, f"allowed {n}")
            await other.ledgers.change(ledger, once_allowed(f"allowed {n}"), command())
        assert len(await converged(one, other, ledger)) == 40
        with pytest.raises(RuleBroken):
            await other.ledgers.change(ledger, once_allowed("never"), command())


async def test_what_is_refused_on_all_there_is_is_decided_only_once(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await other.live.catch_up()
        decisions = 0

        def refuse(present: Ledger) -> Sequence[Event]:
            nonlocal decisions
            decisions += 1
            raise RuleBroken("never", "It is never so.")

        with pytest.raises(RuleBroken):
            await other.ledgers.change(ledger, refuse, command())
        assert decisions == 1
        await one.write(ledger, "something new")
        with pytest.raises(RuleBroken):
            await other.ledgers.change(ledger, refuse, command())
        assert decisions in {2, 3}  # whether or not it had heard of the text
        with pytest.raises(StaleVersion):
            await other.ledgers.change(ledger, writing("late"), command(1))


async def test_what_was_decided_on_a_stated_version_is_not_decided_on_another(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await other.texts(ledger)
        for version in (2, 3, 4):
            await one.write(ledger, "meanwhile")
            with pytest.raises(StaleVersion) as stale:
                await other.ledgers.change(ledger, writing("late"), command(version - 1))
            assert stale.value.current == version
        assert await converged(one, other, ledger) == ["meanwhile"] * 3


async def test_an_event_that_the_service_has_not_completed_is_never_recorded(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        incomplete = ProgressReported(period="2012", effective_on=DAY, no_change=True)
        with pytest.raises(AssertionError):
            await one.ledgers.change(ledger, lambda _: incomplete, command())
        await one.ledgers.change(ledger, lambda _: replace(incomplete, number=1), command())
        assert one.store.head() == 2


async def test_each_is_found_by_its_code_and_by_its_id_and_not_by_that_of_another_kind(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = stream_of("ledger", "L-1")
        await one.ledgers.create(ledger, lambda: opened("L-1"), command())
        for identifier in ("L-1", str(ledger), str(ledger).upper()):
            assert (await one.ledgers.find(identifier, ACTOR)).id == ledger
        for identifier in ("L-2", "l-1", str(uuid4()), ""):
            with pytest.raises(NotFound):
                await one.ledgers.find(identifier, ACTOR)
