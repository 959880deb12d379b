"""An aggregate is the fold of its events: each evolves it by one assignment, and an unknown one by none."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from shared.aggregate.aggregate import Aggregate, Entry, entry_of, evolves
from shared.aggregate.index import Index
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.commitments import Assessed, Commented, Completed, Discarded, MilestoneSet, Registered
from shared.events.facts import Event, Unknown
from shared.events.vocabulary import DiscardReason
from shared.identity.actor import Actor, Role
from tests.support.ledger import DAY, Ledger, changes, event, opened, process, wrote
from tests.support.scenario import recorded

BEGUN = recorded(opened(), 1)


class Book(Aggregate):
    """What keeps its texts, and by what it was closed."""

    __slots__ = ("closings", "texts")

    BEGINS_WITH = (Registered,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.texts: tuple[str, ...] = ()
        self.closings: tuple[Entry[Event], ...] = ()

    @evolves(Commented)
    def _commented(self, entry: Entry[Commented]) -> None:
        self.texts = (*self.texts, entry.event.text)

    @evolves(Completed, Discarded)
    def _closed(self, entry: Entry[Event]) -> None:
        self.closings = (*self.closings, entry)


class LoudBook(Book):
    """What keeps its texts in capitals."""

    __slots__ = ()

    @evolves(Commented)
    def _commented(self, entry: Entry[Commented]) -> None:
        self.texts = (*self.texts, entry.event.text.upper())


DISCARDED = Discarded(reason_type=DiscardReason.TECHNICAL, reason="x", effective_on=DAY)


def test_each_event_evolves_it_by_the_method_that_is_marked_with_its_type() -> None:
    history = [BEGUN, recorded(wrote("a"), 2), recorded(DISCARDED, 3), recorded(wrote("b"), 4)]
    book = Book.fold(history)
    assert book is not None
    assert (book.texts, [entry.event for entry in book.closings]) == (("a", "b"), [DISCARDED])
    assert (book.version, book.position, book.recorded_at) == (4, 4, history[-1].recorded_at)
    assert (book.id, book.began_at, book.began_position) == (BEGUN.stream_id, BEGUN.recorded_at, 1)


def test_another_version_of_it_may_evolve_in_another_way_and_inherits_the_rest() -> None:
    loud = LoudBook.fold([BEGUN, recorded(wrote("a"), 2), recorded(DISCARDED, 3)])
    assert loud is not None
    assert (loud.texts, len(loud.closings)) == (("A",), 1)
    assert Book.event_types() == LoudBook.event_types() == (Registered, Commented, Completed, Discarded)


def test_an_event_of_another_type_or_an_unknown_one_moves_it_on_and_changes_nothing() -> None:
    unheard_of = replace(recorded(wrote("a"), 3), data=Unknown(type_name="sung_about", raw=b"{}"))
    book = Book.fold([BEGUN, recorded(Assessed(effective_on=DAY, rating="Amber"), 2), unheard_of])
    assert book is not None
    assert (book.version, book.position, book.texts) == (3, 3, ())


def test_nothing_and_what_begins_otherwise_is_none() -> None:
    assert Book.fold([]) is None
    assert Book.fold([recorded(wrote("a"), 1), recorded(wrote("b"), 2)]) is None
    assert Book.begin(recorded(wrote("a"), 1)) is None


def test_of_two_entries_the_one_of_the_later_day_counts_and_on_one_day_the_one_recorded_later() -> None:
    def day_of(instant: datetime) -> date:
        return instant.date()

    march = entry_of(recorded(Commented(text="x", effective_on=date(2012, 3, 1)), 7))
    later_that_day = entry_of(recorded(Commented(text="x", effective_on=date(2012, 3, 1)), 9))
    april = entry_of(recorded(Commented(text="x", effective_on=date(2012, 4, 1)), 8))
    undated = entry_of(recorded(MilestoneSet(number=1, name="x", due_on=DAY), 5))
    assert undated.day(day_of) == undated.recorded_at.date() != DAY
    assert sorted([april, later_that_day, undated, march], key=lambda entry: entry.order(day_of)) == [
        undated,
        march,
        later_that_day,
        april,
    ]


def test_who_recorded_much_is_kept_once() -> None:
    def by_ana(number: int) -> Entry[Any]:
        return entry_of(recorded(wrote("x"), number, Actor(subject="ana", organization="DCI", role=Role.DCI)))

    assert by_ana(1).recorded_by is by_ana(2).recorded_by


async def test_an_index_has_all_of_a_kind_by_their_names_and_in_the_order_in_which_they_began(
    sqlite_url: str,
) -> None:
    changed: list[tuple[UUID, int]] = []
    async with process(sqlite_url) as one:
        before = [await one.open(code) for code in ("B", "A")]
        live = LiveLog(one.store, one.live.clock)
        index: Index[Ledger] = Index(
            live,
            Ledger,
            key=lambda ledger: str(ledger.id),
            changed=lambda ledger: changed.append((ledger.id, ledger.version)),
        )
        await live.start()
        try:
            assert [ledger.id for ledger in index.all()] == before
            await one.live.append(changes(event(wrote("of no ledger"))))
            await one.write(before[0], "a")
            await live.catch_up()
            after = await one.open("C")
            await live.catch_up()
            found = index.get(str(before[0]))
            assert found is not None
            assert (found.texts, found.version) == (["a"], 2)
            assert set(index.keys) == {str(ledger) for ledger in (*before, after)}
            assert index.get("nobody") is None
        finally:
            await live.stop()
    assert changed == [(before[0], 1), (before[1], 1), (before[0], 2), (after, 1)]
