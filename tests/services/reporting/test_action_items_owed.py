"""Action items on any day: the state in SQL against the rule, what the list tells, and to whom, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.action_items import (
    ActionItem,
    ActionItemFilters,
    ActionItems,
    action_items_as_of,
)
from services.reporting.queries.moments import AsOf
from shared.events.commitments import Evidence, Registered
from shared.events.facts import Event
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemProgressed,
    ActionItemPublished,
    ActionItemReassigned,
    DecisionPublished,
    MeetingPublished,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import Visibility
from shared.rules.action_item_state import ActionItemFacts, ActionItemState, action_item_verdict
from tests.services.reporting.gatherings import (
    Told,
    assigned,
    bilateral,
    committee,
    convened,
    decided,
    meeting_id,
    tell,
)
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

numbers = count(1)
EVERY_TIME = settings(
    max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
EPOCH = date(2012, 1, 1)
SPAN = 30
days = st.integers(-1, SPAN).map(lambda n: EPOCH + timedelta(days=n))
asked_days = st.integers(-2, SPAN + 1).map(lambda n: EPOCH + timedelta(days=n))
DONE = (Evidence(description="Sent"),)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One log for all the examples of a test; the worker keeps one view in memory."""
    with staged(log_url) as made:
        made.start_worker(capacity=1)
        yield made


def happenings(tag: str) -> st.SearchStrategy[Event]:
    """Anything that can happen to an action item, on any day, in any order."""
    owners = st.sampled_from(["a", "b"]).map(lambda name: f"{tag}-{name}")
    reasons = st.just("r")
    return st.one_of(
        st.builds(ActionItemExtended, due_on=days, previous=days, effective_on=days, reason=reasons),
        st.builds(
            ActionItemReassigned,
            owner_organization=owners,
            previous=owners,
            effective_on=days,
            reason=reasons,
        ),
        st.builds(ActionItemCompleted, completed_on=days, evidence=st.just(DONE)),
        st.builds(ActionItemCancelled, effective_on=days, reason=reasons),
        st.builds(ActionItemProgressed, text=st.just("t"), effective_on=days),
    )


def listed(stage: Stage, at: AsOf, scope: Scope = EVERYTHING, **filters: Any) -> ActionItems:
    """What is owed on a day."""
    with stage.read_model.reading() as reading:
        return action_items_as_of(reading, at, scope, ActionItemFilters(**filters), limit=200, count=True)


@EVERY_TIME
@given(data=st.data())
def test_the_list_says_on_every_day_what_the_rule_says(stage: Stage, data: st.DataObject) -> None:
    tag = f"t{next(numbers):05d}"
    first = assigned(tag, f"{tag}-a", data.draw(days), data.draw(days), body=tag)
    events = [first.event, *data.draw(st.lists(happenings(tag), max_size=8))]
    appended = tell(stage, *(Told("action-item", tag, event) for event in events))
    told = list(enumerate(events, start=appended.first))
    stage.wait()
    positions = [told[0][0] - 1, *(position for position, _ in told)]
    for position in {positions[-1], positions[int(data.draw(st.floats(0, 0.99)) * len(positions))]}:
        facts = _facts([one for one in told if one[0] <= position])
        for day in data.draw(st.sets(asked_days, min_size=1, max_size=8)):
            facts_then = None if facts is None else facts.on_day(day)
            found = listed(stage, AsOf(day, position, None), body=(tag,))
            if facts_then is None:
                assert (found.items, set(found.by_state.values() if found.by_state else ())) == ([], {0})
                continue
            verdict = action_item_verdict(facts_then, day)
            (item,) = found.items
            assert (item.state, item.state_because) == (verdict.state, verdict.because)
            assert (item.owner_organization, item.due_on, item.ended_on) == (
                facts_then.owner_organization,
                facts_then.due_on,
                facts_then.ended_on,
            )
            assert found.by_state == {state: int(state == verdict.state) for state in ActionItemState}


def _facts(told: Sequence[tuple[int, Event]]) -> ActionItemFacts | None:
    if not told:
        return None
    position, event = told[0]
    assert isinstance(event, ActionItemAssigned)
    facts = ActionItemFacts(event, position)
    for position, event in told[1:]:
        facts.apply(event, position)
    return facts


# --- a plain story -------------------------------------------------------------------------------------------------

RESERVED: dict[str, Any] = {"visibility": Visibility.RESERVED, "body": "BIL", "meeting": "M-2"}
HIDDEN = Registered(
    code="HID-1",
    title="Hidden",
    lead_organization="b",
    visibility=Visibility.RESERVED,
    effective_on=EPOCH,
)


def day(number: int) -> date:
    """A day of January 2012."""
    return date(2012, 1, number)


STORY = (
    Told("commitment", "HID-1", HIDDEN),
    committee("SEG"),
    bilateral("BIL", "a"),
    convened("SEG", "M-1", day(2)),
    convened("BIL", "M-2", day(2), visibility=Visibility.RESERVED, organizations=("a",)),
    decided("BIL-2012-001", day(2), meeting="M-2", visibility=Visibility.RESERVED, organizations=("a",)),
    assigned("T-1", "a", day(2), day(20), commitment="HID-1"),
    assigned("T-2", "a", day(2), day(10), circle=("a",), decision="BIL-2012-001", **RESERVED),
    # A task of the bilateral for a ministry that was not there.
    assigned("T-3", "c", day(2), day(10), circle=("a",), decision="BIL-2012-001", number=2, **RESERVED),
)


Owed = Callable[..., list[ActionItem]]


def asking(stage: Stage) -> Owed:
    """Lists what somebody may know to be owed on a day of January."""

    def ask(asker: str | None = None, on: int = 15, **filters: Any) -> list[ActionItem]:
        scope = EVERYTHING if asker is None else ministry(asker) if asker else PUBLIC
        found = listed(stage, AsOf(day(on), stage.store.head(), None), scope, **filters)
        assert found.by_state is not None
        assert sum(found.by_state.values()) == len(found.items)
        return found.items

    return ask


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def owed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owed]:
    """The story, on each engine in turn: to be read only."""
    url = f"sqlite:///{tmp_path_factory.mktemp('owed') / 'bitacora.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with staged(url) as made:
        tell(made, *STORY)
        made.follow()
        yield asking(made)


@pytest.fixture
def growing(sqlite_url: str) -> Iterator[Stage]:
    """A story that goes on."""
    with staged(sqlite_url) as made:
        tell(made, *STORY)
        made.follow()
        made.start_worker()
        yield made


def texts(items: Sequence[ActionItem]) -> list[str]:
    """Which action items these are."""
    return [item.text.removeprefix("Task ") for item in items]


def test_the_list_goes_by_the_day_things_are_due_and_by_what_is_asked(owed: Owed) -> None:
    assert texts(owed()) == ["T-2", "T-3", "T-1"]
    assert texts(owed(state=["overdue"])) == ["T-2", "T-3"]
    assert texts(owed(on=10, state=["overdue"])) == []
    assert texts(owed(on=1)) == []
    assert texts(owed(owner_organization=["a"])) == ["T-2", "T-1"]
    assert texts(owed(due_before=day(20))) == ["T-2", "T-3"]
    assert texts(owed(due_after=day(10))) == ["T-1"]
    assert texts(owed(commitment=["HID-1"])) == ["T-1"]
    assert texts(owed(decision=["BIL-2012-001"], body=["BIL"])) == ["T-2", "T-3"]


def test_whoever_owes_a_reserved_task_knows_of_it_and_of_nothing_else(owed: Owed) -> None:
    (task,) = (item for item in owed("c") if item.text == "Task T-3")
    assert (task.number, task.body, task.meeting, task.agenda_item, task.decision) == (None,) * 5
    assert texts(owed("c", body=["BIL"])) == texts(owed("c", decision=["BIL-2012-001"])) == []
    (task,) = (item for item in owed("a") if item.text == "Task T-3")
    assert (task.number, task.body, task.meeting, task.decision) == (
        2,
        "BIL",
        meeting_id("M-2"),
        "BIL-2012-001",
    )


def test_hidden_tasks_and_commitments_are_not_listed_counted_or_found(owed: Owed) -> None:
    assert texts(owed("")) == []
    assert texts(owed("d")) == ["T-1"]
    (task,) = owed("d")
    assert task.commitment is None
    assert owed("d", commitment=["HID-1"]) == []
    assert [item.commitment for item in owed("a", commitment=["HID-1"])] == ["HID-1"]


def test_a_task_handed_on_is_known_to_the_one_who_owes_it_now(growing: Stage) -> None:
    stage, owed = growing, asking(growing)
    before = stage.store.head()
    handed_on = ActionItemReassigned(
        owner_organization="d", previous="c", effective_on=day(12), reason="New portfolio"
    )
    tell(stage, Told("action-item", "T-3", handed_on))
    stage.wait()
    assert texts(owed("d")) == ["T-3", "T-1"]
    assert texts(owed("c")) == ["T-1"]
    # It is not theirs any more, so that they do not learn of it from what was known before, either.
    then = AsOf(day(15), before, None)
    for asker in ("c", "d"):
        assert texts(listed(stage, then, ministry(asker)).items) == ["T-1"]
    assert texts(owed(on=11, owner_organization=["c"])) == ["T-3"]


def test_who_owed_a_task_before_learns_no_more_of_it_from_what_was_known_then(growing: Stage) -> None:
    stage, owed = growing, asking(growing)
    before = stage.store.head()
    (task,) = owed("a", commitment=["HID-1"])
    assert (task.text, task.commitment) == ("Task T-1", "HID-1")
    handed_on = ActionItemReassigned(
        owner_organization="d", previous="a", effective_on=day(12), reason="New portfolio"
    )
    tell(stage, Told("action-item", "T-1", handed_on))
    stage.wait()
    # The task is known inside government; the commitment it serves, to those who have to do with either.
    then = AsOf(day(15), before, None)
    (task,) = (one for one in listed(stage, then, ministry("a")).items if one.text == "Task T-1")
    assert task.commitment is None
    assert listed(stage, then, ministry("a"), commitment=("HID-1",)).items == []
    assert [item.commitment for item in owed("d", commitment=["HID-1"])] == ["HID-1"]


def test_a_published_meeting_opens_its_tasks_and_a_decision_kept_back_stays_hidden(growing: Stage) -> None:
    stage, owed = growing, asking(growing)
    opened: dict[str, Any] = {
        "visibility": Visibility.PUBLIC,
        "previous": Visibility.RESERVED,
        "reason": "The law asks for it",
    }
    tell(
        stage,
        Told("meeting", "M-2", MeetingPublished(**opened)),
        Told("action-item", "T-2", ActionItemPublished(**opened)),
        Told("action-item", "T-3", ActionItemPublished(**opened)),
    )
    stage.wait()
    shown = owed("")
    assert [(item.text, item.body, item.meeting, item.decision) for item in shown] == [
        ("Task T-2", "BIL", meeting_id("M-2"), None),
        ("Task T-3", "BIL", meeting_id("M-2"), None),
    ]
    assert owed("", decision=["BIL-2012-001"]) == []
    tell(stage, Told("decision", "BIL-2012-001", DecisionPublished(**opened)))
    stage.wait()
    assert texts(owed("", decision=["BIL-2012-001"])) == ["T-2", "T-3"]


def test_pages_follow_one_another_by_day_and_by_assignment(growing: Stage) -> None:
    stage = growing
    at, seen, after = AsOf(day(15), stage.store.head(), None), [], None
    while True:
        with stage.read_model.reading() as reading:
            page = action_items_as_of(reading, at, EVERYTHING, ActionItemFilters(), after=after, limit=1)
        seen += page.items
        after = page.next
        if after is None:
            break
    assert texts(seen) == ["T-2", "T-3", "T-1"]
    assert [item.id for item in seen] == [stream_of("action-item", code) for code in texts(seen)]
