"""What the worker makes of the events of meetings is what a rebuild makes of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from shared.events.commitments import (
    DecisionCarriedOut,
    DecisionUnresolved,
    DecisionWaived,
    Evidence,
    OrganizationRegistered,
)
from shared.events.facts import Event
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest, ItemOutcome
from shared.events.meetings import (
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemPublished,
    ActionItemReassigned,
    AgendaItem,
    AgendaRevised,
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAmended,
    DecisionPublished,
    Effect,
    Ending,
    MeetingPublished,
    MinutesApproved,
    MinutesCirculated,
    MinutesDrafted,
    MinutesItem,
    Referral,
)
from shared.events.retractions import (
    ActionItemFactRetracted,
    DecisionFactRetracted,
    MeetingFactRetracted,
    Retraction,
)
from shared.events.vocabulary import Visibility
from tests.services.reporting.gatherings import (
    Told,
    assigned,
    bilateral,
    circulated,
    convened,
    cost,
    decided,
    held,
    tell,
)
from tests.services.reporting.meeting_histories import Entry, mistakes
from tests.services.reporting.stage import Stage, staged

DAY = date(2012, 3, 1)
NAMING: dict[str, Any] = {"organizations": ("a",), "commitments": ("C-1", "C-2")}
OPENED: dict[str, Any] = {
    "visibility": Visibility.PUBLIC,
    "previous": Visibility.RESERVED,
    "reason": "The law asks for it",
}


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """An empty log and read model."""
    with staged(log_url) as made:
        yield made


def item(*commitments: str) -> AgendaItem:
    """The one item of an agenda."""
    return AgendaItem(number=1, title="An item", commitments=commitments)


def story(seed: int, events: int) -> list[Told]:
    """A body, its meetings, decisions and action items, and whatever happened to them."""
    draw, mistaken = random.Random(seed), random.Random(seed)
    begun = [
        bilateral("BIL", "a", "b"),
        *(convened("BIL", f"M-{n}", DAY + timedelta(days=n), agenda=(item("C-1"),)) for n in range(3)),
        *(
            decided(
                f"BIL-2012-{n:03}",
                DAY,
                budget_impact=cost(),
                organizations=("a",),
                commitments=("C-1",),
                effect=Effect(referral=Referral(to="BIL", body="BIL")),
            )
            for n in range(4)
        ),
        *(assigned(f"T-{n}", "a", DAY, DAY + timedelta(days=20), circle=("b",)) for n in range(4)),
    ]
    told: list[Told] = list(begun)
    kinds = (_of_a_meeting, _of_a_decision, _of_an_action_item)
    for _ in range(events):
        told.append(draw.choice(kinds)(draw))
        if mistaken.random() < 0.1:
            told += _taken_back(mistaken, told)
    for n in range(4):
        number = f"BIL-2012-{n:03}"
        unresolved = DecisionUnresolved(decision=number, code="c", reason="r")
        settled = (DecisionCarriedOut(decision=number, did=()), DecisionWaived(decision=number, remarks="r"))
        outcome = [unresolved, settled[n % 2]] if n else [settled[0]]
        told += [Told("decision-outcome", number, event) for event in outcome]
    return told


_MISTAKEN: dict[type[Event], type[Retraction]] = {
    MinutesCirculated: MeetingFactRetracted,
    DecisionAcknowledged: DecisionFactRetracted,
    BudgetLineTied: DecisionFactRetracted,
    ActionItemCompleted: ActionItemFactRetracted,
    ActionItemExtended: ActionItemFactRetracted,
}


def _taken_back(draw: random.Random, told: list[Told]) -> list[Told]:
    """Something of the thing last spoken of was a mistake, if there is something."""
    kind, code, _ = told[-1]
    story = [Entry(one, 0) for one in told]
    version = draw.choice(mistakes(story, kind, code, *_MISTAKEN) or [None])
    if version is None:
        return []
    event = [one.event for one in told if one[:2] == (kind, code)][version - 1]
    return [Told(kind, code, _MISTAKEN[type(event)](version=version, reason="typo", retracted=event.TYPE))]


def _of_a_meeting(draw: random.Random) -> Told:
    code, sent_on = f"M-{draw.randrange(3)}", draw.choice([None, DAY + timedelta(days=draw.randrange(30))])
    draft, named = draw.choice((1, 1, 2)), draw.sample(("C-1", "C-2"), draw.randint(0, 2))
    took_up = tuple(f"BIL-2012-{n:03}" for n in range(draw.randrange(4)))
    endings = tuple(
        Ending(item=n, title="Again", outcome=outcome, decisions=took_up)
        for n, outcome in enumerate(draw.choices([None, *ItemOutcome], k=2), 1)
    )
    return draw.choice(
        [
            held(code, DAY + timedelta(days=draw.randrange(9))),
            circulated(code, draw.choice("abc"), on=sent_on),
            Told("meeting", code, MeetingPublished(**OPENED, effective_on=sent_on)),
            Told("meeting", code, AgendaRevised(agenda=(item(*named),))),
            Told(
                "meeting", code, MinutesDrafted(draft=draft, items=(MinutesItem(agenda_item=1, summary="s"),))
            ),
            Told("meeting", code, MinutesApproved(draft=draft, digest="0", endings=endings)),
        ]
    )


def _of_a_decision(draw: random.Random) -> Told:
    day = draw.choice([None, DAY + timedelta(days=draw.randrange(30))])
    request = draw.choice(list(BudgetRequest))
    outcome = draw.choice(list(Acknowledgement))
    event = draw.choice(
        [
            DecisionAcknowledged(outcome=outcome, remarks="r", effective_on=day),
            BudgetLineTied(
                fiscal_year=2013, code="24", amount="1", currency="CLP", request=request, effective_on=day
            ),
            DecisionPublished(**OPENED, effective_on=day),
            DecisionAmended(erratum=draw.randrange(3), reads="a", should_read="b", reason="r"),
        ]
    )
    return Told("decision", f"BIL-2012-{draw.randrange(4):03}", event)


def _of_an_action_item(draw: random.Random) -> Told:
    day, owner = DAY + timedelta(days=draw.randrange(30)), draw.choice("ab")
    event = draw.choice(
        [
            ActionItemExtended(due_on=day, previous=day, effective_on=day, reason="r"),
            ActionItemReassigned(owner_organization=owner, previous="a", effective_on=day, reason="r"),
            ActionItemCompleted(completed_on=day, evidence=(Evidence(description="e"),)),
            ActionItemPublished(**OPENED),
        ]
    )
    return Told("action-item", f"T-{draw.randrange(4)}", event)


def test_what_was_followed_step_by_step_is_what_a_rebuild_makes(stage: Stage) -> None:
    stage.start_worker(capacity=2)
    told = story(1, 150)
    for start in range(0, len(told), 7):
        tell(stage, *told[start : start + 7])
    stage.wait()
    stage.stop_workers()
    followed = stage.rows()
    # All but what is told of commitments, indicators and organisations.
    empty = {name for name, rows in followed.items() if not rows}
    elsewhere = (
        "commitment",
        "indicator",
        "warning",
        "progress",
        "cycles",
        "observations",
        "reports",
        "editions",
    )
    assert {name for name in empty if not name.startswith(elsewhere)} == {"names"}
    stage.rebuild()
    assert stage.rows() == followed


def test_a_second_beginning_of_a_stream_and_happenings_before_any_change_nothing(stage: Stage) -> None:
    tell(
        stage,
        Told("decision", "BIL-2012-001", DecisionAcknowledged(outcome=Acknowledgement.AGREED)),
        Told("organization", "MOP", OrganizationRegistered(code="MOP", name="Works")),
        Told("organization", "MOP", bilateral("BIL", "a").event),
        Told("decision", "BIL-2012-001", decided("BIL-2012-001", DAY).event),
    )
    stage.follow()
    rows = stage.rows()
    assert len(rows.pop("names")) == 1
    assert not any(rows.values())
