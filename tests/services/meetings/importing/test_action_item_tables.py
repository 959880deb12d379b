"""Tables in which tasks are followed up: progress, more time, other hands, done, no longer owed."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.meetings.action_item.model import ActionItem
from services.meetings.importing.action_items import ActionItemImport
from shared.events.commitments import OrganizationRegistered
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemProgressed,
    ActionItemReassigned,
)
from shared.events.retractions import ActionItemFactRetracted
from shared.events.streams import stream_of
from shared.events.vocabulary import Visibility
from tests.services.meetings.importing.clerk import Clerk, faults, left_out

MEETING = stream_of("meeting", "SOCIAL/2012-11-07")

MAPPING = """
kind = "action-items"
source = "The Follow-up"
progress = "how far"
reason = "why"
[item]
meeting = "meeting"
number = "no"
[date]
column = "day"
[due_on]
column = "due"
formats = ["%d/%m/%Y"]
[owner]
column = "who"
values = { Works = "MOP", Health = "MINSAL" }
[state]
column = "state"
values = { Done = "done", Dropped = "cancelled", Open = "open" }
on = { column = "done on" }
evidence = "proof"
evidence_url = "link"
reason = "why"
"""

COLUMNS = ("meeting", "no", "day", "due", "who", "how far", "state", "done on", "proof", "link", "why")


@pytest.fixture
def secretary(clerk: Clerk) -> Clerk:
    ready(clerk)
    return clerk


def ready(clerk: Clerk) -> None:
    """Two tasks of one meeting, owed by the works."""
    clerk.mapping, clerk.importer = MAPPING, ActionItemImport
    for code in ("MOP", "MINSAL"):
        clerk.record(OrganizationRegistered(code=code, name=code), reference=code, kind="organization")
    for number in (1, 2):
        assigned = ActionItemAssigned(
            number=number,
            text="Send the plan",
            owner_organization="MOP",
            assigned_on=date(2012, 11, 7),
            due_on=date(2012, 12, 14),
            body="SOCIAL",
            meeting=MEETING,
            visibility=Visibility.INTERNAL,
        )
        clerk.record(assigned, reference=f"task {number}", kind="action_item")


def row(**cells: str) -> str:
    told = {"meeting": "SOCIAL/2012-11-07", "no": "1", "day": "2012-12-20"}
    told |= {name.replace("_", " "): value for name, value in cells.items()}
    assert set(told) <= set(COLUMNS)
    return ",".join(told.get(name, "") for name in COLUMNS) + "\n"


def enter(clerk: Clerk, *rows: str) -> Any:
    return clerk.enter_table(",".join(COLUMNS) + "\n" + "".join(rows))


def facts(clerk: Clerk, number: int = 1) -> list[Any]:
    return clerk.facts(f"task {number}", "action_item")[1:]


def test_a_row_tells_how_far_it_is_and_until_when_it_is_put_off_and_by_whom_it_is_owed(
    secretary: Clerk,
) -> None:
    report = enter(
        secretary,
        row(due="15/01/2013", who="Works", how_far="Half", state="Open", why="Three regions are late"),
        row(no="2", who="Health", due="14/12/2012", why="Theirs"),
    )
    assert (report.errors, report.rows.imported) == ([], 2)
    day = date(2012, 12, 20)
    assert facts(secretary) == [
        ActionItemExtended(
            due_on=date(2013, 1, 15),
            previous=date(2012, 12, 14),
            effective_on=day,
            reason="Three regions are late",
        ),
        ActionItemProgressed(text="Half", effective_on=day),
    ]
    assert facts(secretary, 2) == [
        ActionItemReassigned(owner_organization="MINSAL", previous="MOP", effective_on=day, reason="Theirs")
    ]


def test_a_row_tells_that_it_was_done_or_is_no_longer_owed(clerk_on_each_engine: Clerk) -> None:
    clerk = clerk_on_each_engine
    ready(clerk)
    rows = [
        row(
            state="Done",
            done_on="2012-12-12",
            proof="Table by region",
            link="https://x.cl/t",
            how_far="All of it",
        ),
        row(no="2", state="Dropped"),
    ]
    enter(clerk, *rows)
    completed = facts(clerk)[-1]
    assert isinstance(completed, ActionItemCompleted)
    assert (completed.completed_on, completed.evidence[0].description) == (
        date(2012, 12, 12),
        "Table by region",
    )
    reason = "“Dropped”, with no reason given. According to The Follow-up, as at 2012-12-20."
    assert facts(clerk, 2) == [ActionItemCancelled(reason=reason, effective_on=date(2012, 12, 20))]
    before = clerk.contents()
    later = [one.replace("2012-12-20", "2013-01-20") for one in rows]
    assert enter(clerk, *rows, *later).rows.unchanged == 4
    assert clerk.contents() == before


def test_what_people_said_since_is_left_alone(secretary: Clerk) -> None:
    put_off = row(due="15/01/2013")
    enter(secretary, put_off)
    by_hand = ActionItemExtended(
        due_on=date(2013, 2, 1), previous=date(2013, 1, 15), effective_on=date(2012, 12, 20), reason="Agreed."
    )
    done = ActionItemCompleted(completed_on=date(2012, 12, 28), evidence=())
    secretary.record(by_hand, done, reference="task 1", kind="action_item")
    assert enter(secretary, put_off).events == {}
    report = enter(secretary, row(day="2012-12-30", state="Dropped", how_far="Stuck"))
    assert left_out(report) == [(2, "how far", "action-item-closed"), (2, "state", "state-settled")]
    assert report.events == {}


def test_what_somebody_took_back_is_not_told_again_by_the_same_table(secretary: Clerk) -> None:
    told = row(
        due="15/01/2013", who="Health", how_far="Half", state="Done", done_on="2012-12-21", day="2012-12-22"
    )
    enter(secretary, told)
    for version, fact in reversed([*enumerate(facts(secretary), 2)]):
        taken_back = ActionItemFactRetracted(version=version, reason="Not so.", retracted=fact.TYPE)
        secretary.record(taken_back, reference="task 1", kind="action_item")
    assert enter(secretary, told).events == {}


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"no": "3"}, "no", "unknown-action-item"),
        ({"meeting": ""}, "meeting", "code-missing"),
        ({"state": "Lost"}, "state", "value-unknown"),
        ({"state": "Done", "link": "javascript:alert(1)"}, "link", "value-unknown"),
        ({"due": "01/12/2012"}, "due", "extension-not-later"),
        ({"who": "Nobody"}, "who", "value-unknown"),
        ({"day": "2012-11-01", "how far": "Begun"}, "how far", "date-before-assignment"),
        ({"state": "Done", "done on": "2030-01-01"}, "done on", "date-in-future"),
        ({"due": "soon"}, "due", "date-unreadable"),
    ],
)
def test_each_fault_of_a_row_is_found_where_it_is(
    secretary: Clerk, cells: dict[str, str], column: str, code: str
) -> None:
    assert faults(enter(secretary, row(**cells))) == [(2, column, code)]
    assert facts(secretary) == []


def test_a_row_may_name_its_action_item_by_id(secretary: Clerk) -> None:
    secretary.mapping = MAPPING.replace('meeting = "meeting"\nnumber = "no"', 'id = "no"')
    named = str(stream_of("action_item", "task 2"))
    assert enter(secretary, row(no=named, how_far="Begun")).rows.imported == 1
    found = ActionItem.fold(secretary.events("task 2", "action_item"))
    assert found is not None
    assert [one.event.text for one in found.progress] == ["Begun"]
    unknown = str(uuid5(UUID(int=0), "x"))
    assert faults(enter(secretary, row(no=unknown, how_far="Begun"))) == [(2, "no", "unknown-action-item")]
