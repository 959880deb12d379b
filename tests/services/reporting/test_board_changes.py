"""What changed between two boards, against a plain comparison of two replays, and that the sum reconciles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.board import board_as_of
from services.reporting.queries.changes import Change, Changes, Sum, changes_between
from services.reporting.queries.moments import AsOf
from shared.clock import Clock
from shared.events.commitments import (
    ChangeableField,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Evidence,
    LeadReassigned,
    Merged,
    PublicDeadline,
    Registered,
    Reopened,
    VisibilityChanged,
)
from shared.events.retractions import CommitmentFactRetracted, Retraction
from shared.events.vocabulary import DeadlineKind, DiscardReason, Visibility
from tests.services.reporting.histories import Told, changed, collaborating, histories, replayed
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged
from tests.services.reporting.test_two_times import EVERY_TIME, Story, asked_days

SPEECH = date(2012, 5, 21)
JUNE, END = date(2012, 6, 1), date(2012, 12, 31)
numbers = count(1)


def between(stage: Stage, before: AsOf, after: AsOf, scope: Scope = EVERYTHING, **more: Any) -> Changes:
    """What changed."""
    with stage.read_model.reading() as reading:
        return changes_between(reading, stage.store, Clock().day_of, before, after, scope, **more)


# --- for random histories, days and positions -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One log for all the examples, each in streams of its own."""
    with staged(f"sqlite:///{tmp_path_factory.mktemp('changes') / 'bitacora.db'}") as made:
        made.start_worker(capacity=2)
        yield made


def shown(told: Told, on: date) -> dict[str, Any] | None:
    """What a commitment looks like on one side."""
    expected = replayed(told, on) if told else None
    if expected is None:
        return None
    return {
        "state": expected.status or expected.goes_on,
        "public_deadline_on": expected.public_deadline and expected.public_deadline.isoformat(),
        "internal_deadline_on": expected.internal_deadline and expected.internal_deadline.isoformat(),
        "lead_organization": expected.lead,
        "collaborating_organizations": list(collaborating(told, on)),
        "title": expected.title,
        "goal": expected.goal,
        "discard_reason_type": expected.discarded[0],
        "visibility": expected.visibility,
    }


def differences(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    """What of it differs."""
    if before is None or after is None:
        entered, left = after and after["state"], before and before["state"]
        return {"entered": (None, entered)} if after else {"left": (left, None)} if before else {}
    return {what: (before[what], after[what]) for what in before if before[what] != after[what]}


def says(event: Any, what: str, after: Any) -> bool:
    """Whether an event is one that can have made a field what it is on the later side."""
    if isinstance(event, Retraction):
        return True
    match what:
        case "public_deadline_on" | "internal_deadline_on":
            return not isinstance(event, DeadlineRevised) or event.on.isoformat() == after
        case "lead_organization":
            return not isinstance(event, LeadReassigned) or event.lead_organization == after
        case "title" | "goal" | "collaborating_organizations":
            return (
                getattr(event, what) if isinstance(event, Registered) else event.value
            ) == after or isinstance(event, Registered)
        case "visibility":
            return isinstance(event, VisibilityChanged)
        case "discard_reason_type" if after is not None:
            return isinstance(event, Discarded) and event.reason_type == after
        case "state" if after in ("achieved", "discarded", "merged"):
            return isinstance(event, (Completed, Discarded, Merged))
    return True


@settings(EVERY_TIME, max_examples=25)
@given(data=st.data())
def test_what_changed_is_what_two_replays_differ_in_and_the_sum_reconciles(
    telling: Stage, data: st.DataObject
) -> None:
    tag = f"c{next(numbers):05d}"
    story = Story(telling, tag, data.draw(histories(tag)), [])
    for _ in range(4):
        days = sorted((data.draw(asked_days), data.draw(asked_days)))
        positions = sorted((data.draw(story.positions()), data.draw(story.positions())))
        before, after = (AsOf(on, at, None) for on, at in zip(days, positions, strict=True))
        found = between(telling, before, after, beyond=tag, limit=100)
        with telling.read_model.reading() as reading:
            boards = [board_as_of(reading, at, EVERYTHING, {}, limit=1) for at in (before, after)]
        opening, closing = (board.totals for board in boards)
        for total, then, now in (
            (found.sums.registered, opening.registered, closing.registered),
            *(
                (found.sums.by_status[state], opening.by_status[state], closing.by_status[state])
                for state in opening.by_status
            ),
            (found.sums.by_status["merged"], opening.merged, closing.merged),
            (found.sums.by_status["split"], opening.split, closing.split),
        ):
            assert (total.opening, total.closing) == (then, now)
            assert total.opening + total.entered - total.left == total.closing
        expected = {}
        for code in story.codes():
            sides = [shown(story.known(code, at.position), at.on) for at in (before, after)]
            if differing := differences(*sides):
                expected[code] = differing
        told = {one.code: one for one in found.items}
        by_field = {
            code: {
                d.what: (d.before, d.after)
                for d in one.changes
                if d.what not in ("merged_into", "split_into")
            }
            for code, one in told.items()
        }
        assert {code: fields for code, fields in by_field.items() if fields} == expected
        events = {position: event for position, _code, event in story.told}
        for one in told.values():
            for each in one.changes:
                assert each.because is not None
                assert says(events[each.because.position], each.what, each.after), (each, events)


# --- one record, looked at --------------------------------------------------------------------------------------------


def promised(code: str, visibility: Visibility = Visibility.PUBLIC, **more: Any) -> tuple[str, Registered]:
    """A commitment of the speech."""
    named: dict[str, Any] = {"title": f"Title of {code}", "effective_on": SPEECH, "lead_organization": "MOP"}
    return code, Registered(code=code, visibility=visibility, **named | more)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A record that is only read."""
    with staged(f"sqlite:///{tmp_path_factory.mktemp('record') / 'bitacora.db'}") as made:
        made.append(
            promised("A", public_deadline=PublicDeadline(on=date(2012, 8, 1))),
            promised("B", adviser="u-1"),
            promised("C"),
            promised("D"),
            promised("E", Visibility.INTERNAL),
            promised("F", effective_on=date(2012, 7, 1)),
            promised("G"),
        )
        made.append(
            ("B", changed(ChangeableField.ADVISER, "u-2", JUNE)),
            ("B", changed(ChangeableField.COLLABORATING_ORGANIZATIONS, ["MINSAL"], JUNE)),
            (
                "B",
                LeadReassigned(lead_organization="MINVU", previous="MOP", effective_on=JUNE, reason="a law"),
            ),
            ("C", Discarded(reason_type=DiscardReason.TECHNICAL, reason="no", effective_on=JUNE)),
            ("D", Merged(into="E", reason="the same", effective_on=JUNE)),
            ("G", Completed(completed_on=date(2012, 5, 25), evidence=(Evidence(description="e"),))),
            ("G", Reopened(reason="not yet", effective_on=JUNE)),
        )
        made.append(
            (
                "E",
                VisibilityChanged(visibility=Visibility.PUBLIC, previous=Visibility.INTERNAL, reason="told"),
            ),
            ("A", DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=END, effective_on=JUNE, reason="rain")),
            ("C", Corrected(field="title", value="Title of C, mended", reason="typing")),
            ("C", CommitmentFactRetracted(version=2, reason="of another", retracted="commitments.discarded")),
        )
        made.append(promised("H", Visibility.INTERNAL))
        made.append(
            (
                "H",
                VisibilityChanged(
                    visibility=Visibility.PUBLIC,
                    previous=Visibility.INTERNAL,
                    reason="launched",
                    effective_on=JUNE,
                ),
            )
        )
        made.follow()
        yield made


def told_of(
    record: Stage, code: str, *, known: tuple[int, int] | None = None, scope: Scope = EVERYTHING
) -> Change | None:
    """What changed of a commitment from the speech to the end of the year, each side known at a position."""
    known = known or (record.store.head(), record.store.head())
    found = between(record, AsOf(date(2012, 5, 31), known[0], None), AsOf(END, known[1], None), scope)
    return next((one for one in found.items if one.code == code), None)


def fields(found: Change | None) -> dict[str, tuple[Any, Any, str | None]]:
    """The differences, each with the type of its event."""
    assert found is not None
    return {
        one.what: (
            one.before,
            one.after,
            one.because.type.removeprefix("commitments.") if one.because else None,
        )
        for one in found.changes
    }


def test_lead_collaborators_and_adviser_are_told_each_with_its_event_and_reason(record: Stage) -> None:
    found = told_of(record, "B")
    assert fields(found) == {
        "lead_organization": ("MOP", "MINVU", "lead_reassigned"),
        "collaborating_organizations": ([], ["MINSAL"], "changed"),
        "adviser": ("u-1", "u-2", "changed"),
    }
    assert found is not None
    assert {one.because.reason for one in found.changes if one.because} == {"a law", "r"}


def test_who_advises_is_not_for_the_public(record: Stage) -> None:
    assert "adviser" not in fields(told_of(record, "B", scope=PUBLIC))
    assert "adviser" in fields(told_of(record, "B", scope=ministry("MINSAL")))


def test_a_discard_tells_its_kind_of_reason_and_a_reopening_is_the_event_behind_the_state_it_gave_back(
    record: Stage,
) -> None:
    discarded = fields(told_of(record, "C", known=(14, 14)))
    assert discarded["discard_reason_type"] == (None, "technical", "discarded")
    assert discarded["state"] == ("on_time", "discarded", "discarded")
    assert fields(told_of(record, "G"))["state"] == ("achieved", "on_time", "reopened")


def test_a_merger_names_its_successor_to_those_who_may_read_it(record: Stage) -> None:
    assert fields(told_of(record, "D"))["merged_into"] == (None, "E", "merged")
    before_the_publication = (14, 14)
    assert "merged_into" not in fields(told_of(record, "D", known=before_the_publication, scope=PUBLIC))
    assert fields(told_of(record, "D", scope=PUBLIC))["state"] == ("on_time", "merged", "merged")


def test_what_begins_enters_and_what_is_published_enters_for_those_who_could_not_read_it(
    record: Stage,
) -> None:
    assert fields(told_of(record, "F")) == {"entered": (None, "on_time", "registered")}
    known = (14, record.store.head())
    assert fields(told_of(record, "E", known=known)) == {
        "visibility": ("internal", "public", "visibility_changed")
    }
    assert fields(told_of(record, "E", known=known, scope=PUBLIC)) == {
        "entered": (None, "on_time", "visibility_changed")
    }


def test_what_was_published_on_a_day_between_enters_on_that_day_for_the_public(record: Stage) -> None:
    assert fields(told_of(record, "H", scope=PUBLIC)) == {"entered": (None, "on_time", "visibility_changed")}
    assert fields(told_of(record, "H")) == {"visibility": ("internal", "public", "visibility_changed")}


def test_what_was_learned_between_two_positions_is_told_of_one_day(record: Stage) -> None:
    known = (14, record.store.head())
    assert fields(told_of(record, "C", known=known))["title"] == (
        "Title of C",
        "Title of C, mended",
        "corrected",
    )
    assert fields(told_of(record, "C", known=known)).get("state") is None
    revised = told_of(record, "A", known=known)
    assert fields(revised) == {"public_deadline_on": ("2012-08-01", "2012-12-31", "deadline_revised")}


def test_what_is_no_longer_believed_is_told_with_its_retraction(record: Stage) -> None:
    found = between(record, AsOf(END, 14, None), AsOf(END, record.store.head(), None))
    (mended,) = (one for one in found.items if one.code == "C")
    assert fields(mended)["state"] == ("discarded", "on_time", "retracted")
    assert fields(mended)["discard_reason_type"] == ("technical", None, "retracted")


def test_the_sums_name_every_state_and_what_goes_on_in_others(record: Stage) -> None:
    head = record.store.head()
    sums = between(record, AsOf(date(2012, 5, 31), head, None), AsOf(END, head, None)).sums
    assert sums.registered == Sum(opening=7, entered=1, left=0, closing=8)
    assert sums.by_status["on_time"] == Sum(opening=6, entered=2, left=1, closing=7)
    assert sums.by_status["achieved"] == Sum(opening=1, entered=0, left=1, closing=0)
    assert sums.by_status["merged"] == Sum(opening=0, entered=1, left=0, closing=1)
