"""The read model against a plain replay of the log, for random histories, days and positions, on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import count, pairwise
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.board import Board, Item, board_as_of, grouped_board_as_of
from services.reporting.queries.corrected import CorrectedSince
from services.reporting.queries.corrections import corrected_since
from services.reporting.queries.moments import AsOf
from services.reporting.queries.plan import Node, profile_as_of, tree_as_of
from services.reporting.queries.promises import CountBy
from services.reporting.queries.timeline import timeline_as_of
from services.reporting.reading import Reading
from services.reporting.routes.asking import TOLD
from shared.clock import Clock
from shared.errors import NotFound
from shared.events.commitments import Corrected
from shared.events.facts import Event
from shared.events.retractions import Retraction
from shared.events.streams import stream_of
from tests.services.reporting.histories import (
    COMMITMENTS,
    EPOCH,
    MINISTRIES,
    SPAN,
    Expected,
    Otherwise,
    Teller,
    concerned,
    histories,
    otherwise,
    pillars,
    promised,
    replayed,
)
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

timeline = partial(timeline_as_of, day_of=Clock().day_of)

numbers = count(1)
asked_days = st.integers(-1, SPAN + 2).map(lambda n: EPOCH + timedelta(days=n))
fractions = st.floats(0, 1, allow_nan=False)
EVERY_TIME = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One log for all the examples of a test, each in streams of its own; the worker keeps two views in memory."""
    with staged(log_url) as made:
        made.start_worker(capacity=2)
        yield made


class Story:
    """One random history, told to the log in batches."""

    def __init__(self, stage: Stage, tag: str, events: list[tuple[str, Event]], cuts: list[float]) -> None:
        self.stage = stage
        self.tag = tag
        self.told: list[tuple[int, str, Event]] = []
        edges = sorted({0, len(events), *(int(cut * len(events)) for cut in cuts)})
        for start, end in pairwise(edges):
            appended = stage.append(*events[start:end])
            self.told += [(appended.first + n, *pair) for n, pair in enumerate(events[start:end])]
        self.first, self.last = self.told[0][0], self.told[-1][0]
        stage.wait(self.last)

    def positions(self) -> st.SearchStrategy[int]:
        """Positions before, within and at the end of the story."""
        return st.integers(0, len(self.told)).map(lambda told: self.last - told)

    def known(self, code: str, position: int) -> list[tuple[int, Event]]:
        """What is known of a commitment at a position."""
        return [(at, event) for at, told_of, event in self.told if told_of == code and at <= position]

    def expected(self, on: date, position: int) -> list[Expected]:
        """What should be on the board."""
        found = (replayed(self.known(code, position), on) for code in self.codes())
        return [expected for expected in found if expected is not None]

    def codes(self) -> list[str]:
        """The codes it may speak of."""
        return [f"{self.tag}-{number}" for number in range(COMMITMENTS)]

    def leads(self) -> dict[str, list[str]]:
        """The filter that leaves only this story's commitments."""
        return {"organization": [f"{self.tag}-{name}" for name in MINISTRIES]}


def as_expected(item: Item) -> Expected:
    """An item of the board, in the terms of the replay."""
    assert item.code is not None
    assert item.title is not None
    assert item.status_because is not None
    return Expected(
        code=item.code,
        title=item.title,
        status=item.status,
        because=item.status_because.position,
        judgement=item.judgement,
        public_deadline=item.public_deadline_on,
        internal_deadline=item.internal_deadline_on,
        lead=item.lead_organization,
        pillar=item.pillar,
        parent=item.parent,
        kind=item.kind,
        origin=item.origin,
        result_type=item.result_type,
        visibility=item.visibility,
        merged_into=item.merged_into,
        priority=item.priority,
        speech_year=item.speech_year,
        split_from=item.split_from,
        region=item.region,
        late_days=item.late_days,
        first_public_deadline=item.first_public_deadline_on,
        public_revisions=item.public_deadline_revisions,
        internal_revisions=item.internal_deadline_revisions,
        public_reason=item.public_deadline_reason,
        internal_reason=item.internal_deadline_reason,
        discarded=(item.discard_reason_type, item.discard_reason),
        goal=item.goal,
        result=None if item.result is None else msgspec.structs.astuple(item.result),
        percent=item.percent,
        percent_unreviewed=item.percent_unreviewed,
    )


def test_a_fact_taken_back_after_another_of_the_same_is_told_as_explained_otherwise(stage: Stage) -> None:
    """The story is one that was found: two judgements alike, of which the later one is taken back."""
    tag = f"t{next(numbers):05d}"
    story = Story(stage, tag, Teller(19882258, tag).story(30), [])
    for position in range(1, stage.store.head() + 1):
        at = AsOf(date(2012, 1, 9), position, None)
        with stage.read_model.reading() as reading:
            board = board_as_of(reading, at, EVERYTHING, story.leads(), limit=200)
        for found in board.items:
            assert told_otherwise(found) == otherwise(story.known(found.code, position), at.on)


@EVERY_TIME
@given(data=st.data())
def test_the_board_says_what_a_replay_of_the_log_says(stage: Stage, data: st.DataObject) -> None:
    tag = f"t{next(numbers):05d}"
    story = Story(stage, tag, data.draw(histories(tag)), data.draw(st.lists(fractions, max_size=3)))
    for on, position in data.draw(st.lists(st.tuples(asked_days, story.positions()), min_size=4, max_size=8)):
        at = AsOf(on, position, None)
        expected = story.expected(on, position)
        with stage.read_model.reading() as reading:
            board = board_as_of(reading, at, EVERYTHING, story.leads(), limit=200)
            grouped = grouped_board_as_of(reading, at, EVERYTHING, story.leads(), ["pillar", "status"])
        existing = {code for code in story.codes() if story.known(code, position)}
        under = pillars(expected)
        shown = [
            one._replace(
                pillar=under[one.code],
                parent=one.parent if one.parent in existing else None,
                merged_into=one.merged_into if one.merged_into in existing else None,
                split_from=one.split_from if one.split_from in existing else None,
                goes_on=None,
            )
            for one in expected
        ]
        assert [as_expected(item) for item in board.items] == shown
        for found in board.items:
            assert told_otherwise(found) == otherwise(story.known(found.code, position), on)
        assert board.totals == grouped.totals
        assert board.totals.registered == len(expected)
        terms = (*board.totals.by_status.values(), board.totals.merged, board.totals.split)
        assert board.totals.registered == sum(terms)
        late = [one for one in expected if one.status == "delayed" or (one.late_days or 0) > 0]
        assert board.totals.late == len(late)
        assert board.totals.rescheduled == sum(one.public_revisions > 0 for one in expected)
        assert board.totals.without_deadline == sum(one.public_deadline is None for one in expected)
        assert [item.without_deadline for item in board.items] == [
            one.public_deadline is None for one in expected
        ]
        counted = {(group["pillar"], group["status"]): group["count"] for group in grouped.items}
        listed = [(under[one.code], one.status or one.goes_on) for one in expected]
        assert counted == {key: listed.count(key) for key in listed}


STATE_FACTS = ("closure", "public_deadline", "judgement", "internal_deadline")


def told_otherwise(item: Item) -> Otherwise | None:
    """What an item says of what it was told otherwise before, in the terms of the replay."""
    found = item.corrected
    # What reads as before, and is only explained by another event, is told, and is not otherwise.
    if found is None or found.what not in STATE_FACTS or found.before == found.after:
        return None
    before = date.fromisoformat(found.before) if found.before and "deadline" in found.what else found.before
    return Otherwise(found.what, before, found.position)


@EVERY_TIME
@given(data=st.data())
def test_no_answer_about_a_past_day_is_taken_back_without_that_answer_saying_so(
    stage: Stage, data: st.DataObject
) -> None:
    tag = f"t{next(numbers):05d}"
    story = Story(stage, tag, data.draw(histories(tag)), [])
    taken_back = [(at, of) for at, of, event in story.told if isinstance(event, Corrected | Retraction)]
    asked = [
        (one, data.draw(asked_days))
        for one in (data.draw(st.lists(st.sampled_from(taken_back), max_size=3)) if taken_back else ())
    ]
    scope = data.draw(st.sampled_from([EVERYTHING, PUBLIC, ministry(story.leads()["organization"][0])]))

    def answers(on: date, position: int) -> Answers:
        at = AsOf(on, position, None)
        with stage.read_model.reading() as reading:
            board = board_as_of(reading, at, scope, story.leads(), limit=200)
            return Answers(
                {item.code: item for item in board.items},
                [
                    grouped_board_as_of(reading, at, scope, story.leads(), ["organization", "pillar"]),
                    board_as_of(reading, at, scope, story.leads(), count_by=CountBy.PROMISE).totals,
                    tree_as_of(reading, at, scope),
                    profile_as_of(reading, at, scope),
                ],
                corrected_since(reading, at, scope, TOLD),
            )

    for (position, code), on in asked:
        before, after = answers(on, position - 1), answers(on, position)
        for one in before.items.keys() & after.items.keys():
            item = after.items[one]
            says = [] if item.corrected is None else [item.corrected.position, *item.corrected.others]
            # What it has from another may be told otherwise with that: a pillar says so.
            told = [item.pillar for item in (before.items[one], item)]
            if one == code:
                told = [without_word_of_it(item) for item in (before.items[one], item)]
            if told[0] != told[1]:
                assert position in says
        if before.items.keys() != after.items.keys() or without_word_of_it(
            before.others
        ) != without_word_of_it(after.others):
            assert after.since.last_position == position


WORDS_OF_IT = frozenset({"corrected", "corrected_after_due", "public_deadline_corrected_after_due"})


def without_word_of_it(answer: Any) -> Any:
    """An answer, as JSON has it, without what it says of corrections."""
    told = msgspec.to_builtins(answer)
    if isinstance(told, dict):
        return {name: without_word_of_it(one) for name, one in told.items() if name not in WORDS_OF_IT}
    return [without_word_of_it(one) for one in told] if isinstance(told, list) else told


class Answers(NamedTuple):
    """What is said of a day: items by their codes, all other answers, and what of it is told otherwise."""

    items: dict[str | None, Item]
    others: list[Any]
    since: CorrectedSince


@EVERY_TIME
@given(data=st.data())
def test_the_timeline_says_on_every_day_what_a_replay_says(stage: Stage, data: st.DataObject) -> None:
    tag = f"t{next(numbers):05d}"
    story = Story(stage, tag, data.draw(histories(tag)), [])
    position = data.draw(story.positions())
    for code in story.codes():
        known = story.known(code, position)
        with stage.read_model.reading() as reading:
            at = AsOf(data.draw(asked_days), position, None)
            if not known:
                with pytest.raises(NotFound):
                    timeline(reading, stage.store, at, EVERYTHING, stream_of("commitment", code))
                continue
            found = timeline(reading, stage.store, at, EVERYTHING, stream_of("commitment", code))
        for number in range(-2, SPAN + 4):
            day = EPOCH + timedelta(days=number)
            spans = [
                span
                for span in found.spans
                if span.from_on <= day and (span.until_on is None or day < span.until_on)
            ]
            expected = replayed(known, day)
            if expected is None:
                assert spans == []
            else:
                assert [(span.status, span.continues_as, span.because.position) for span in spans] == [
                    (expected.status, expected.goes_on, expected.because)
                ]
        today = replayed(known, at.on)
        assert (found.registered, found.status) == (today is not None, today and today.status)


@EVERY_TIME
@given(data=st.data())
def test_the_board_hides_what_was_hidden_then_or_is_hidden_now(stage: Stage, data: st.DataObject) -> None:
    tag = f"t{next(numbers):05d}"
    story = Story(stage, tag, data.draw(histories(tag)), [])
    on, position = data.draw(asked_days), data.draw(story.positions())
    asker = data.draw(st.sampled_from([None, *story.leads()["organization"]]))
    scope = PUBLIC if asker is None else ministry(asker)
    open_to_asker = {"public"} if asker is None else {"public", "internal"}

    def visible(code: str, known_at: int) -> bool:
        known = story.known(code, known_at)
        expected = replayed(known, date.max)
        return expected is not None and (expected.visibility in open_to_asker or asker in concerned(known))

    seen = {code for code in story.codes() if visible(code, position) and visible(code, story.last)}
    with stage.read_model.reading() as reading:
        at = AsOf(on, position, None)
        board = board_as_of(reading, at, scope, story.leads(), limit=200)
        for code in story.codes():
            if code not in seen:
                with pytest.raises(NotFound):
                    timeline(reading, stage.store, at, scope, stream_of("commitment", code))
    expected = [
        one
        for one in story.expected(on, position)
        if one.code in seen
        and (one.visibility in open_to_asker or asker in concerned(story.known(one.code, position)))
    ]
    assert [item.code for item in board.items] == [one.code for one in expected]
    assert board.totals.registered == len(expected)
    assert all({item.merged_into, item.split_from, *item.split_into} <= {None, *seen} for item in board.items)


@EVERY_TIME
@given(data=st.data())
def test_promises_stand_as_a_replay_of_what_the_asker_may_read_follows_them(
    stage: Stage, data: st.DataObject
) -> None:
    tag = f"t{next(numbers):05d}"
    story = Story(stage, tag, data.draw(histories(tag)), [])
    on, position = data.draw(asked_days), data.draw(story.positions())
    scope = data.draw(st.sampled_from([EVERYTHING, PUBLIC, ministry(story.leads()["organization"][0])]))

    def board(count_by: CountBy, **more: list[str]) -> Board:
        with stage.read_model.reading() as reading:
            filters = story.leads() | more
            return board_as_of(
                reading, AsOf(on, position, None), scope, filters, limit=200, count_by=count_by
            )

    def told(code: str) -> Expected:
        own = all(
            any(one in concerned(story.known(code, known)) for one in scope.organizations)
            for known in (position, story.last)
        )
        found = replayed(story.known(code, position), on, with_internal=scope.everything or own)
        assert found is not None
        return found

    expected = promised([told(item.code) for item in board(CountBy.COMMITMENT).items])
    found = board(CountBy.PROMISE)
    assert [
        (item.code, item.status, item.continues_as, item.partly_discarded, item.speech_year)
        for item in found.items
    ] == [
        (
            code,
            *((None, one.counted_as) if one.counted_as in ("merged", "split") else (one.counted_as, None)),
            one.partly_discarded,
            one.first.speech_year,
        )
        for code, one in sorted(expected.items())
    ]
    words = [one.counted_as for one in expected.values()]
    counted = {**found.totals.by_status, "merged": found.totals.merged, "split": found.totals.split}
    assert counted == {word: words.count(word) for word in counted}
    with stage.read_model.reading() as reading:
        groups = grouped_board_as_of(
            reading,
            AsOf(on, position, None),
            scope,
            story.leads(),
            ["speech_year", "status"],
            count_by=CountBy.PROMISE,
        ).items
    years = [(one.first.speech_year, one.counted_as) for one in expected.values()]
    assert {(group["speech_year"], group["status"]): group["count"] for group in groups} == {
        key: years.count(key) for key in years
    }
    delayed = board(CountBy.PROMISE, status=["delayed"], speech_year=["2010", "2012"])
    assert [item.code for item in delayed.items] == [
        code
        for code, one in sorted(expected.items())
        if one.counted_as == "delayed" and one.first.speech_year in ("2010", "2012")
    ]


@settings(EVERY_TIME, max_examples=30)
@given(data=st.data())
def test_board_tree_and_profile_agree_on_the_pillar_of_all_that_the_asker_may_read(
    stage: Stage, data: st.DataObject
) -> None:
    tag = f"t{next(numbers):05d}"
    story = Story(stage, tag, data.draw(histories(tag)), [])
    asked = st.tuples(
        asked_days, story.positions(), st.sampled_from([EVERYTHING, PUBLIC, ministry(f"{tag}-a")])
    )
    for on, position, scope in data.draw(st.lists(asked, min_size=3, max_size=3)):
        with stage.read_model.reading() as reading:
            assert_one_pillar(reading, story, AsOf(on, position, None), scope)


def assert_one_pillar(reading: Reading, story: Story, at: AsOf, scope: Scope) -> None:
    """Every answer of a day has all that the asker may read under the same pillar as a replay."""
    listed = board_as_of(reading, at, scope, story.leads(), limit=200).items
    there = [replayed(story.known(item.code, at.position), at.on) for item in listed]
    under = pillars([one for one in there if one is not None])
    assert {item.code: item.pillar for item in listed} == under
    for count_by in CountBy:
        counted = list(under)
        if count_by is CountBy.PROMISE:
            counted = sorted(promised([one for one in there if one is not None]))
        groups = grouped_board_as_of(reading, at, scope, story.leads(), ["pillar"], count_by=count_by).items
        words = [under[code] for code in counted]
        assert {group["pillar"]: group["count"] for group in groups} == {
            word: words.count(word) for word in words
        }
        for some in (["health"], ["education", "health"]):
            found = board_as_of(
                reading, at, scope, story.leads() | {"pillar": some}, limit=200, count_by=count_by
            )
            assert [item.code for item in found.items] == [code for code in counted if under[code] in some]
            assert found.totals.registered == len(found.items)
    # Everything that other examples told is in the plan as well.
    _totals, branches = tree_as_of(reading, at, scope)
    in_tree = {node.code: node.pillar for branch in branches for node in nodes_in(branch.items)}
    assert {code: in_tree[code] for code in under} == under
    _whole, rows = profile_as_of(reading, at, scope)
    board = grouped_board_as_of(
        reading, at, scope, {"kind": ["strategic_objective"]}, ["pillar", "status"]
    ).items
    counts: Counter[str | None] = Counter()
    for group in board:
        counts[group["pillar"]] += 0 if group["status"] in ("merged", "split") else group["count"]
    assert {row.pillar: row.total for row in rows} == +counts


def nodes_in(items: list[Node]) -> Iterator[Node]:
    """All the nodes of a part of the tree."""
    for node in items:
        yield node
        yield from nodes_in(node.items)


@settings(EVERY_TIME, max_examples=3)
@given(data=st.data())
def test_what_was_followed_step_by_step_is_what_a_rebuild_makes(stage: Stage, data: st.DataObject) -> None:
    for _ in range(5):
        stage.stop_workers()
        stage.start_worker(capacity=data.draw(st.integers(1, 4)))
        tag = f"t{next(numbers):05d}"
        Story(stage, tag, data.draw(histories(tag)), data.draw(st.lists(fractions, max_size=5)))
    stage.stop_workers()
    followed = stage.rows()
    stage.rebuild()
    assert stage.rows() == followed
