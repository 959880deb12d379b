"""That opening + what arrived - what left = closing, against a plain walk over the days of a replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, pairwise, product
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.moments import AsOf
from services.reporting.queries.promises import CountBy
from services.reporting.queries.reconciliation import (
    Account,
    By,
    Counted,
    Reconciliation,
    reconciliation_between,
)
from shared.clock import Clock
from shared.events.commitments import (
    Completed,
    Discarded,
    Evidence,
    LeadReassigned,
    Merged,
    PublicDeadline,
    Registered,
    Reopened,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.retractions import CommitmentFactRetracted
from shared.events.vocabulary import DiscardReason, Visibility
from tests.services.reporting.histories import (
    EPOCH,
    SPAN,
    Expected,
    Teller,
    concerned,
    pillars,
    promised,
    replayed,
)
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged
from tests.services.reporting.test_two_times import EVERY_TIME, Story

DAY = timedelta(days=1)
OPEN = {"on_time", "delayed", "needs_attention", "needs_attention_internal_deadline"}
numbers = count(1)


def between(
    stage: Stage, before: AsOf, after: AsOf, asked: Counted, scope: Scope = EVERYTHING, **more: Any
) -> Reconciliation:
    """The reconciliation of two sides."""
    with stage.read_model.reading() as reading:
        return reconciliation_between(
            reading, stage.store, Clock().day_of, before, after, scope, asked, **more
        )


def adds_up(one: Account) -> bool:
    """Whether it does."""
    return one.opening + sum(one.arrived.values()) - sum(one.left.values()) == one.closing


# --- for random histories, days and positions -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One log for all the examples, each in streams of its own."""
    with staged(f"sqlite:///{tmp_path_factory.mktemp('reconciled') / 'bitacora.db'}") as made:
        made.start_worker(capacity=2)
        yield made


class Plainly:
    """The board of each day, as one asker may read it, from a replay of everything."""

    def __init__(self, story: Story, scope: Scope) -> None:
        self._story, self._scope = story, scope
        self._open = (
            {"public", "internal", "reserved"}
            if scope.everything
            else {one.value for one in scope.visibilities}
        )

    def _own(self, code: str, position: int) -> bool:
        return any(one in concerned(self._story.known(code, position)) for one in self._scope.organizations)

    def board(self, on: date, position: int) -> list[Expected]:
        """What is on it."""
        found = []
        for code in self._story.codes():
            known = self._story.known(code, position)
            own = self._own(code, position) and self._own(code, self._story.last)
            expected = replayed(known, on, with_internal=self._scope.everything or own) if known else None
            now = replayed(self._story.known(code, self._story.last), date.max)
            if (
                expected is not None
                and now is not None
                and (self._own(code, position) or expected.visibility in self._open)
                and (self._own(code, self._story.last) or now.visibility in self._open)
            ):
                found.append(expected)
        return found

    def groups(self, on: date, position: int, by: By, count_by: CountBy) -> dict[str, Any]:
        """In which group each commitment or promise is counted, by code."""
        board = self.board(on, position)
        under = pillars(board)
        counted = {one.code: one.status or one.goes_on for one in board}
        if count_by is CountBy.PROMISE:
            counted = {code: one.counted_as for code, one in promised(board).items()}
        return {
            one.code: {
                By.STATE: counted[one.code],
                By.ORIGIN: one.origin,
                By.SPEECH_YEAR: one.speech_year,
                By.ORGANIZATION: one.lead,
                By.PILLAR: under[one.code],
            }[by]
            for one in board
            if one.code in counted and (by is By.STATE or counted[one.code] in OPEN)
        }


_NOWHERE = object()


class Planner(Teller):
    """Makes up histories of a plan: under the first commitment is the second, and under that the third."""

    def _registration(self, code: str) -> Registered:
        made = super()._registration(code)
        head, _, number = code.rpartition("-")
        above = f"{head}-{int(number) - 1}" if number in ("1", "2") else None
        split_from = made.split_from and above
        return msgspec.structs.replace(
            made, pillar=None if above else made.pillar, parent=above, split_from=split_from
        )


class Discreet(Teller):
    """Makes up histories of what is shown on some days and hidden on others, often with nothing else on the day."""

    def _happening(self, code: str) -> Event:
        if self._random.random() < 0.4:
            return super()._happening(code)
        seen = self._one_of([Visibility.PUBLIC, Visibility.RESERVED])
        return shown(seen, Visibility.INTERNAL, self._day())


@settings(EVERY_TIME, max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_every_group_is_what_a_plain_walk_over_the_days_counts_and_adds_up(telling: Stage, seed: int) -> None:
    tag, chance = f"r{next(numbers):05d}", Random(seed)
    teller = chance.choice((Teller, Planner, Discreet, Discreet))(seed, tag)
    story = Story(telling, tag, teller.story(chance.randint(10, 40)), [])
    mine = story.leads()["organization"]
    askers = [EVERYTHING, PUBLIC, ministry(mine[0])]
    # By state, what time alone does is told as well.
    ways = [*product(askers, [By.STATE] * 4, CountBy), *product(askers, By, CountBy)]
    for scope, by, count_by in chance.sample(ways, 12):
        # Mostly a day or none: of what is otherwise on the last of them, nothing else changes between the two.
        first = EPOCH + chance.randint(-1, SPAN + 1) * DAY
        last = first + chance.choice((0, 1, 1, 1, chance.randint(0, SPAN))) * DAY
        now = chance.choice((story.last, chance.randint(story.first, story.last)))
        then = chance.choice((now, now, chance.randint(story.first, now)))
        plainly = Plainly(story, scope)
        boards = [(first, plainly.groups(first, then, by, count_by))]
        boards += [
            (first + n * DAY, plainly.groups(first + n * DAY, now, by, count_by))
            for n in range((last - first).days + 1)
        ]
        expected = [
            (day, code, was.get(code, _NOWHERE), is_.get(code, _NOWHERE))
            for (_, was), (day, is_) in pairwise(boards)
            for code in sorted(was.keys() | is_.keys())
            if was.get(code, _NOWHERE) != is_.get(code, _NOWHERE)
        ]
        sides = AsOf(first, then, None), AsOf(last, now, None)
        found = between(telling, *sides, Counted(by, story.leads(), count_by), scope, limit=10_000)
        told = [
            (
                one.on,
                one.code,
                one.group_before if one.leaves else _NOWHERE,
                one.group_after if one.arrives else _NOWHERE,
            )
            for one in found.items
        ]
        assert told == expected
        assert adds_up(found.totals)
        assert all(adds_up(group) for group in found.groups)
        assert [one.learned for one in found.items] == [one.on == first for one in found.items]
        opening, closing = Counter(boards[0][1].values()), Counter(boards[-1][1].values())
        assert {one.group: (one.opening, one.closing) for one in found.groups} == {
            group: (opening[group], closing[group])
            for group in {one for _, board in boards for one in board.values()}
        }


# --- one record, looked at, on both engines ---------------------------------------------------------------------------

MARCH, APRIL, JUNE, END = (date(2012, month, 1) for month in (3, 4, 6, 12))


def made(code: str, visibility: Visibility = Visibility.PUBLIC, **more: Any) -> tuple[str, Registered]:
    """A commitment that MOP leads."""
    named: dict[str, Any] = {"title": f"Title of {code}", "effective_on": MARCH, "lead_organization": "MOP"}
    return code, Registered(code=code, visibility=visibility, **named | more)


def shown(visibility: Visibility, previous: Visibility, day: date) -> VisibilityChanged:
    """It may be read by others from a day on."""
    return VisibilityChanged(visibility=visibility, previous=previous, reason="told", effective_on=day)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A record that is only read; up to position 16 it knows nothing of what was learned later."""
    url = f"sqlite:///{tmp_path_factory.mktemp('record') / 'bitacora.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with staged(url) as found:
        found.append(
            made("DONE", public_deadline=PublicDeadline(on=date(2012, 5, 1))),
            made("BORN", effective_on=APRIL),
            made("GONE"),
            made("MERGED"),
            made("WHOLE"),
            made("SHOWN", Visibility.INTERNAL),
            made("TAKEN"),
            made("AGAIN"),
            made("WRONG"),
            ("DONE", Completed(completed_on=JUNE, evidence=(Evidence(description="e"),))),
            ("BORN", Discarded(reason_type=DiscardReason.TECHNICAL, reason="no", effective_on=JUNE)),
            ("MERGED", Merged(into="AGAIN", reason="the same", effective_on=JUNE)),
            ("WHOLE", Split(parts=("WHOLE-A", "WHOLE-B"), reason="two", effective_on=JUNE)),
            made("WHOLE-A", effective_on=JUNE, split_from="WHOLE"),
            made("WHOLE-B", effective_on=JUNE, split_from="WHOLE"),
            ("WRONG", Discarded(reason_type=DiscardReason.TECHNICAL, reason="no", effective_on=MARCH)),
        )
        found.append(
            ("SHOWN", shown(Visibility.PUBLIC, Visibility.INTERNAL, JUNE)),
            ("GONE", shown(Visibility.RESERVED, Visibility.PUBLIC, JUNE)),
            ("AGAIN", Completed(completed_on=APRIL, evidence=(Evidence(description="e"),))),
            ("AGAIN", Reopened(reason="not yet", effective_on=JUNE)),
            (
                "TAKEN",
                LeadReassigned(lead_organization="MINVU", previous="MOP", effective_on=JUNE, reason="a law"),
            ),
            ("WRONG", CommitmentFactRetracted(version=2, reason="x", retracted="commitments.discarded")),
            made("LATE"),
        )
        found.follow()
        yield found


def ledger(one: Account) -> dict[str, int]:
    """What arrived and, below nought, what left."""
    left = {f"-{term}": many for term, many in one.left.items() if many}
    return {term: many for term, many in one.arrived.items() if many} | left


def test_each_term_is_told_with_its_event_and_what_began_and_ended_between_is_told_as_both(
    record: Stage,
) -> None:
    head = record.store.head()
    sides = AsOf(MARCH, head, None), AsOf(END, head, None)
    found = between(record, *sides, Counted(By.ORGANIZATION, {}))
    mop, minvu = sorted(found.groups, key=lambda one: one.group == "MINVU")
    assert (mop.opening, mop.closing, minvu.opening, minvu.closing) == (9, 7, 0, 1)
    assert ledger(mop) == {
        "registered": 1,
        "part": 2,
        "reopened": 1,
        "-achieved": 2,
        "-discarded": 1,
        "-merged": 1,
        "-split": 1,
        "-moved": 1,
    }
    assert ledger(minvu) == {"moved": 1}
    assert "moved" not in ledger(found.totals)
    assert all(adds_up(one) for one in (found.totals, mop, minvu))
    events = {(one.code, one.term): one.because.type.split(".")[1] for one in found.items if one.because}
    assert events == {
        ("BORN", "registered"): "registered",
        ("AGAIN", "achieved"): "completed",
        ("DONE", "achieved"): "completed",
        ("BORN", "discarded"): "discarded",
        ("MERGED", "merged"): "merged",
        ("WHOLE", "split"): "split",
        ("WHOLE-A", "part"): "registered",
        ("WHOLE-B", "part"): "registered",
        ("AGAIN", "reopened"): "reopened",
        ("TAKEN", "moved"): "lead_reassigned",
    }
    reasons = {one.code: one.because.reason for one in found.items if one.because}
    assert reasons["TAKEN"] == "a law"
    assert [one.code for one in found.items] == [
        one.code for one in sorted(found.items, key=lambda one: (one.on, one.code))
    ]


def test_by_state_everything_is_counted_and_a_deadline_that_passes_moves_it(record: Stage) -> None:
    head = record.store.head()
    found = between(record, AsOf(MARCH, head, None), AsOf(END, head, None), Counted(By.STATE, {}))
    groups = {one.group: one for one in found.groups}
    assert (found.totals.opening, ledger(found.totals), found.totals.closing) == (
        9,
        {"registered": 1, "part": 2},
        12,
    )
    assert ledger(groups["delayed"]) == {"moved": 1, "-achieved": 1}
    assert ledger(groups["achieved"]) == {"achieved": 2, "-reopened": 1}
    (late,) = (one for one in found.items if one.group_after == "delayed")
    assert (late.code, late.on) == ("DONE", date(2012, 5, 2))


def test_what_is_shown_or_hidden_on_a_day_is_a_term_of_its_own_to_those_to_whom_it_is(record: Stage) -> None:
    head = record.store.head()
    sides = AsOf(MARCH, head, None), AsOf(END, head, None)
    found = between(record, *sides, Counted(By.ORGANIZATION, {}), PUBLIC)
    assert ledger(found.totals)["published"] == 1
    # What may not be read now is on no day of before: it does not leave.
    assert "GONE" not in {one.code for one in found.items}
    (shown_,) = (one for one in found.items if one.code == "SHOWN")
    assert (shown_.term, shown_.on) == ("published", JUNE)
    assert shown_.because is not None
    assert shown_.because.type == "commitments.visibility_changed"


def test_what_is_hidden_for_some_days_leaves_on_the_first_of_them_and_arrives_on_the_first_after(
    tmp_path: Path,
) -> None:
    with staged(f"sqlite:///{tmp_path / 'bitacora.db'}") as stage:
        stage.append(
            made("AWAY"),
            ("AWAY", shown(Visibility.RESERVED, Visibility.PUBLIC, JUNE)),
            ("AWAY", shown(Visibility.PUBLIC, Visibility.RESERVED, END)),
        )
        stage.follow()
        for first, last, terms in (
            (JUNE - DAY, JUNE, {"hidden": JUNE}),
            (JUNE, END - DAY, {}),
            (END - DAY, END, {"published": END}),
            (MARCH, END, {"hidden": JUNE, "published": END}),
        ):
            sides = AsOf(first, 3, None), AsOf(last, 3, None)
            found = between(stage, *sides, Counted(By.ORGANIZATION, {}), PUBLIC)
            assert {one.term.value: one.on for one in found.items} == terms
            assert adds_up(found.totals)


def test_a_deadline_on_the_earlier_day_passes_on_the_day_after_it(record: Stage) -> None:
    head, due = record.store.head(), date(2012, 5, 1)
    for first, last, moved in ((due, due + DAY, 1), (due, due, 0), (due - DAY, due, 0), (due + DAY, END, 0)):
        found = between(record, AsOf(first, head, None), AsOf(last, head, None), Counted(By.STATE, {}))
        late = [one.on for one in found.items if one.group_after == "delayed"]
        assert late == [due + DAY] * moved
        assert adds_up(found.totals)


def test_what_was_learned_of_the_earlier_day_comes_first_and_says_so(record: Stage) -> None:
    head = record.store.head()
    found = between(record, AsOf(APRIL, 16, None), AsOf(APRIL, head, None), Counted(By.ORGANIZATION, {}))
    assert {(one.code, one.term.value, one.learned) for one in found.items} == {
        ("LATE", "registered", True),
        ("WRONG", "retracted", True),
        ("AGAIN", "achieved", True),
    }
    assert {one.code: one.because.type for one in found.items if one.because} == {
        "LATE": "commitments.registered",
        "WRONG": "commitments.retracted",
        "AGAIN": "commitments.completed",
    }


def test_a_promise_that_was_split_is_counted_once_and_stays(record: Stage) -> None:
    head = record.store.head()
    sides = AsOf(MARCH, head, None), AsOf(END, head, None)
    found = between(record, *sides, Counted(By.ORGANIZATION, {}, CountBy.PROMISE))
    terms = {one.code: one.term.value for one in found.items if one.on == JUNE}
    # MERGED stays open in AGAIN, and WHOLE in its parts.
    assert {"WHOLE", "WHOLE-A", "WHOLE-B", "MERGED"}.isdisjoint(terms)
    assert adds_up(found.totals)


def test_filters_pages_and_terms_choose_what_is_counted_and_what_is_listed(record: Stage) -> None:
    head = record.store.head()
    sides = AsOf(MARCH, head, None), AsOf(END, head, None)
    of_minvu = Counted(By.ORIGIN, {"participant": ["MINVU"]})
    found = between(record, *sides, of_minvu)
    assert (found.totals.opening, ledger(found.totals), found.totals.closing) == (0, {"moved": 1}, 1)
    whole = between(record, *sides, Counted(By.STATE, {}), limit=100).items
    first = between(record, *sides, Counted(By.STATE, {}), limit=3)
    rest = between(
        record, *sides, Counted(By.STATE, {}), beyond=(first.items[-1].on, first.items[-1].code), limit=100
    )
    assert (first.items + rest.items, first.more, rest.more) == (whole, True, False)
    split = between(record, *sides, Counted(By.STATE, {}), terms=["split"])
    assert [one.code for one in split.items] == ["WHOLE"]
    assert split.totals.opening == 9
