"""Commands on ledgers: each is decided on the newest state, wins or is told so, and is carried out once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.aggregate.command import OnStream, Outcome
from shared.errors import KeyReused, NotFound, RuleBroken, StaleVersion
from shared.eventlog.store import FollowerOvertaken
from shared.events.facts import Event
from shared.events.streams import stream_of
from tests.support.ledger import (
    NOON,
    Ledger,
    Process,
    SettableClock,
    changes,
    command,
    event,
    opened,
    process,
    writing,
    wrote,
)


async def outcomes(*commands: Any) -> list[Any]:
    """What each of several concurrent commands came to, errors included."""
    return await asyncio.gather(*commands, return_exceptions=True)


async def converged(one: Process, other: Process, ledger: UUID) -> list[str]:
    """What both processes believe once each has seen everything; the log's own fold must say the same."""
    head = one.store.head()
    await one.live.wait_for(head, 15)
    await other.live.wait_for(head, 15)
    folded = Ledger.fold(await one.ledgers.history(ledger))
    assert folded is not None
    assert await one.texts(ledger) == await other.texts(ledger) == folded.texts
    return folded.texts


async def test_a_ledger_is_begun_once_and_its_code_is_taken_after(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = stream_of("ledger", "L-1")
        results = await outcomes(
            *(p.ledgers.create(ledger, lambda: [opened()], command()) for p in (one, other, one, other))
        )
        refused = [r for r in results if isinstance(r, RuleBroken)]
        assert [r for r in results if isinstance(r, Outcome)] == [Outcome(ledger, 1, 1, [opened()])]
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
        assert again == first._replace(replayed=True, events=())
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
            assert {r._replace(replayed=False, events=()) for r in results} == {
                Outcome(ledger, 2, one.store.head())
            }
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
            assert {r._replace(replayed=False, events=()) for r in results} == {Outcome(ledger, 1, n + 1)}


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


async def test_the_state_at_a_version_and_as_known_at_a_position(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        noise = await one.open()
        for text in "abc":
            await one.write(ledger, text)
            await one.write(noise, "noise")
        at_version = await one.ledgers.as_it_was(ledger, version=3)
        assert at_version.state.texts == ["a", "b"]
        for stream, asked in ((ledger, 5), (uuid4(), 1)):
            with pytest.raises(NotFound):
                await one.ledgers.as_it_was(stream, version=asked)


async def test_memory_is_bounded_and_what_was_dropped_is_read_again(log_url: str) -> None:
    async with process(log_url, cache=30_000) as one:
        ledgers = [await one.open(str(n)) for n in range(20)]
        for n, ledger in enumerate(ledgers):
            await one.write(ledger, f"text {n}")
            assert len(one.ledgers._cache) <= 5
        assert await one.texts(ledgers[0]) == ["text 0"]
        assert 1 < len(one.ledgers._cache) <= 5
        assert not one.live.locks
        assert not one.ledgers._loading


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
        assert not other.ledgers._loading


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
            await asyncio.sleep(0.002)  # and reads other things
            assert looked_at is not None
            return [wrote("here"), OnStream(busy, looked_at.version + 1, wrote("and there"))]

        async with asyncio.TaskGroup() as tasks:
            for name in range(6):
                tasks.create_task(keep_busy(name))
            for _ in range(10):
                await one.ledgers.write(quiet, decide, command())
            done.set()
        assert (await one.texts(busy)).count("and there") == 10
        assert await one.texts(quiet) == ["here"] * 10
        assert attempts <= 20, "it lost again after it had its turn"
