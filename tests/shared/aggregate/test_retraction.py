"""What is retracted is not believed: by a fold, by whoever holds a state in memory, in any process, at any moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.aggregate.aggregate import believed
from shared.aggregate.command import Context
from shared.aggregate.index import Index
from shared.aggregate.retraction import Judge, retracting
from shared.errors import BitacoraError, Forbidden, RuleBroken
from shared.eventlog.live import LiveLog
from shared.events.commitments import Commented
from shared.events.facts import Event
from shared.events.retractions import CommitmentFactRetracted
from shared.identity.actor import Actor, Role
from tests.support.ledger import DAY, Ledger, Process, command, opened, process, writing, wrote
from tests.support.scenario import ANA, BEGINNING, on, recorded


def retracted(version: int) -> CommitmentFactRetracted:
    """The event at a version was a mistake."""
    return CommitmentFactRetracted(version=version, reason="typed wrong", retracted=Commented.TYPE)


async def retract(one: Process, ledger: UUID, version: int) -> None:
    """Have one process record a retraction."""
    await one.ledgers.change(ledger, lambda _: retracted(version), command())


@given(st.lists(st.integers(0, 9), max_size=12))
def test_a_fold_is_that_of_the_history_without_what_it_retracts_but_for_its_version(
    choices: list[int],
) -> None:
    """Each number writes a text or, where it names a text that still stands, strikes it out."""
    history, texts = [recorded(opened(), 1)], dict[int, str]()
    for choice in choices:
        version = len(history) + 1
        standing = list(texts)
        if choice < len(standing):
            history.append(recorded(retracted(standing[choice]), version))
            del texts[standing[choice]]
        else:
            history.append(recorded(wrote(f"text {version}"), version))
            texts[version] = f"text {version}"
    folded = Ledger.fold(history)
    assert folded is not None
    assert (folded.texts, folded.version) == (list(texts.values()), len(history))
    assert [one.version for one in believed(history) if isinstance(one.data, Commented)] == list(texts)
    assert {version: one.by for version, one in folded.retracted.items()} == {
        one.data.version: one.version for one in history if isinstance(one.data, CommitmentFactRetracted)
    }


def test_the_number_of_what_is_retracted_is_not_given_again() -> None:
    folded = Ledger.fold([recorded(opened(), 1), recorded(wrote("x"), 2), recorded(retracted(2), 3)])
    assert folded is not None
    assert folded.next_number(CommitmentFactRetracted, 4, "version") == 5


async def test_a_cache_that_holds_the_thing_reads_it_anew_in_both_processes(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await one.write(ledger, "right", "wrong")
        await other.live.catch_up()
        assert await other.texts(ledger) == await one.texts(ledger) == ["right", "wrong"]
        await retract(one, ledger, 3)
        assert await one.texts(ledger) == ["right"]
        await other.live.catch_up()
        assert await other.texts(ledger) == ["right"]
        await other.write(ledger, "after")
        await one.live.catch_up()
        assert await one.texts(ledger) == ["right", "after"]


async def test_what_a_cache_has_let_go_of_does_not_claim_to_tell_of_what_came_later(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        await one.write(ledger, "wrong")
        held = await one.ledgers.get(ledger)
        assert held is not None
        await retract(one, ledger, 2)
        assert one.ledgers.reflected(held) == held.position < one.live.position
        now = await one.ledgers.get(ledger)
        assert now is not None
        assert one.ledgers.reflected(now) == one.live.position


async def test_nobody_reads_a_wrong_state_while_others_write_and_retract(log_url: str) -> None:
    """Every state anybody reads is the fold of the log at its version, whatever is under way."""
    async with process(log_url) as one, process(log_url, cache=1) as other:
        ledger, second = await one.open(), await one.open()
        seen: list[tuple[int, list[str]]] = []

        async def look(at: Process) -> None:
            for _ in range(40):
                found = await at.ledgers.get(random.choice([ledger, second]))
                assert found is not None
                if found.id == ledger:
                    seen.append((found.version, list(found.texts)))
                await asyncio.sleep(0)

        async def write(by: Process, name: str) -> None:
            for number in range(8):
                outcome = await by.ledgers.change(ledger, writing(f"{name}{number}"), command())
                if number % 2:
                    await retract(by, ledger, outcome.version)

        await asyncio.gather(write(one, "a"), write(other, "b"), look(one), look(other))
        history = await one.ledgers.history(ledger)
        for version, texts in seen:
            folded = Ledger.fold(history[:version])
            assert folded is not None
            assert texts == folded.texts
        for at in (one, other):
            await at.live.catch_up()
            assert sorted(await at.texts(ledger)) == [
                f"{name}{number}" for name in "ab" for number in (0, 2, 4, 6)
            ]


async def test_an_index_folds_it_anew_live_and_when_it_starts(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        ledger = await one.open()
        await one.write(ledger, "wrong", "right")
        await retract(one, ledger, 2)
        live = LiveLog(one.store, one.live.clock)
        index: Index[Ledger] = Index(
            live,
            Ledger,
            key=lambda it: str(it.id),
            retracting=CommitmentFactRetracted,
            store=one.store,
        )
        await live.start()
        try:
            await one.write(ledger, "wrong again")
            await live.catch_up()
            assert [it.texts for it in index.all()] == [["right", "wrong again"]]
            await retract(one, ledger, 5)
            await live.catch_up()
            found = index.get(str(ledger))
            assert found is not None
            assert (found.texts, found.version) == (["right"], 6)
            index.drop(found)
            await one.write(ledger, "of no interest")
            await retract(one, ledger, 7)
            await live.catch_up()
            assert [it.texts for it in index.all()] == [["right"]]
        finally:
            await live.stop()


async def test_a_retraction_of_a_state_that_moved_on_is_decided_on_the_newer_one(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await one.write(ledger, "wrong")

        def once(held: Ledger) -> CommitmentFactRetracted:
            if 2 in held.retracted:
                raise RuleBroken("already-retracted", "It was retracted already.")
            return retracted(2)

        results = await asyncio.gather(
            *(at.ledgers.change(ledger, once, command()) for at in (one, other, one, other)),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in results) == ["Outcome", *["RuleBroken"] * 3]
        with pytest.raises(RuleBroken):
            await other.ledgers.change(ledger, once, command())


def refusing(when: Callable[[Ledger, Context], bool], error: BitacoraError) -> Judge:
    """A guard that refuses what it is asked in some circumstances."""

    def judge(ledger: Ledger, proposed: Event, context: Context) -> Event:
        if when(ledger, context):
            raise type(error)(error.code, error.message)  # another each time, as guards do
        return proposed

    return judge


BROKEN = RuleBroken("broken", "It rests on that.")


@pytest.mark.parametrize(
    ("judge", "in_the_way"),
    [
        (refusing(lambda ledger, _: "wrong" not in ledger.texts, BROKEN), True),
        # Refused either way: the guard is stricter than it was, or looks at something else that changed.
        (refusing(lambda _, __: True, BROKEN), False),
        (refusing(lambda _, context: context.today > BEGINNING.date(), BROKEN), False),
        (
            refusing(lambda _, context: context.actor.role is not Role.DCI, Forbidden("no", "Not yours.")),
            False,
        ),
        (refusing(lambda _, __: True, Forbidden("no", "Not yours.")), False),
        (
            refusing(lambda it, on: on.actor.role is Role.DCI and "wrong" not in it.texts, BROKEN),
            True,
        ),
        (lambda ledger, proposed, _: wrote(f"{proposed.text} after {len(ledger.texts)}"), True),
        (refusing(lambda _, __: False, BROKEN), False),
    ],
)
async def test_what_came_later_is_in_the_way_only_where_its_guard_would_come_to_something_else(
    judge: Judge, in_the_way: bool
) -> None:
    told_by = ANA if in_the_way else Actor(subject="clerk", organization="INTERIOR", role=Role.MINISTRY)
    history = [recorded(opened(), 1), recorded(wrote("wrong"), 2), recorded(wrote("later"), 3, told_by)]
    asked = retracting(Ledger, history, retracted(2), on(date(2026, 1, 1)), {Commented: judge})
    if in_the_way:
        with pytest.raises(RuleBroken) as raised:
            await asked
        assert raised.value.code == "retraction-in-the-way"
        assert "Version 3 " in raised.value.message
    else:
        retraction, without = await asked
        assert (retraction.retracted, without.texts) == (Commented.TYPE, ["later"])


async def test_what_a_decision_caused_is_not_retracted_but_settled() -> None:
    caused = replace(recorded(wrote("x"), 2), causation_id=1)
    with pytest.raises(RuleBroken) as raised:
        await retracting(Ledger, [recorded(opened(), 1), caused], retracted(2), on(DAY), {})
    assert raised.value.code == "caused-by-decision"
