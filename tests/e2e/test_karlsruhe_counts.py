"""The meetings of Karlsruhe, imported, and counted again from the file by code that shares nothing with ours."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.meetings.body.model import Body
from services.meetings.importing.decisions import MeetingImport
from services.meetings.importing.report import MeetingsReport
from services.meetings.meeting.model import Meeting
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.eventlog.verification import verify
from shared.events.meeting_vocabulary import MeetingState
from shared.identity.actor import Actor, Role
from shared.tabular.engine import run_import

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data/karlsruhe"
MEETINGS = DATA / "meetings-2023-2024.jsonl"
MAPPING = ROOT / "docs/examples/karlsruhe.toml"

pytestmark = pytest.mark.skipif(not MEETINGS.exists(), reason="the data folder is not beside this checkout")


# --- straight from the file -----------------------------------------------------------------------------------------


@cache
def meetings_of_the_file() -> list[dict[str, Any]]:
    with MEETINGS.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@cache
def organizations_of_the_file() -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in json.loads((DATA / "organizations.json").read_text(encoding="utf-8"))}


@cache
def outcomes_of_the_mapping() -> dict[str, str | None]:
    results = tomllib.loads(MAPPING.read_text(encoding="utf-8"))["results"]
    outcomes: dict[str, str | None] = dict.fromkeys(results["verbatim"])
    outcomes |= results["values"]
    return outcomes


def name_of_the_body(meeting: dict[str, Any]) -> str:
    (reference,) = meeting["organization"]
    return str(organizations_of_the_file()[reference]["name"])


def items_of_the_file() -> list[dict[str, Any]]:
    return [item for meeting in meetings_of_the_file() for item in meeting["agendaItem"]]


def wordings_of_the_file() -> Counter[str]:
    return Counter(item["result"] for item in items_of_the_file() if "result" in item)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# --- from the record ------------------------------------------------------------------------------------------------


class Council(NamedTuple):
    store: Store
    report: MeetingsReport
    bodies: dict[str, Body]
    meetings: dict[str, Meeting]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def council(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Council]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('council') / 'bitacora.db'}"
    else:
        url = request.getfixturevalue("module_postgres_url")
    store = open_store(url)
    try:
        store.migrate()
        report = enter(store)
        yield Council(store, report, *replayed(store))
    finally:
        store.close()


def enter(store: Store, *, dry_run: bool = False) -> MeetingsReport:
    actor = Actor("import", "DCI", Role.DCI)
    return run_import(
        store,
        lambda state: MeetingImport(state, MEETINGS, MAPPING),
        actor=actor,
        clock=Clock(),
        dry_run=dry_run,
    )


def replayed(store: Store) -> tuple[dict[str, Body], dict[str, Meeting]]:
    things: dict[object, Body | Meeting] = {}
    for position, line in store.read(0, 1_000_000):
        recorded = codec.decode(line, position)
        known = things.get(recorded.stream_id)
        if known is not None:
            known.apply(recorded)
        else:
            begun = Body.begin(recorded) or Meeting.begin(recorded)
            assert begun is not None
            things[recorded.stream_id] = begun
    bodies = {thing.code: thing for thing in things.values() if isinstance(thing, Body)}
    meetings = {
        thing.convocation.event.reference or "": thing
        for thing in things.values()
        if isinstance(thing, Meeting)
    }
    return bodies, meetings


def drafted_items(council: Council) -> Iterator[tuple[str, int, str | None, str]]:
    """Reference of the meeting, number on its agenda, outcome, words."""
    for reference, meeting in council.meetings.items():
        if meeting.latest_draft is None:
            continue
        for item in meeting.latest_draft.event.items:
            assert item.agenda_item is not None
            assert item.outcome_verbatim is not None
            yield reference, item.agenda_item, item.outcome and item.outcome.value, item.outcome_verbatim


# --- the comparison -------------------------------------------------------------------------------------------------


def test_every_meeting_goes_in(council: Council) -> None:
    rows = council.report.rows
    assert (rows.read, rows.imported, rows.failed, council.report.errors) == (305, 305, 0, [])
    assert council.meetings.keys() == {meeting["id"] for meeting in meetings_of_the_file()}


def test_meetings_by_body_and_year_are_those_of_the_file(council: Council) -> None:
    counted = Counter((name_of_the_body(meeting), meeting["start"][:4]) for meeting in meetings_of_the_file())
    recorded = Counter(
        (council.bodies[meeting.body].description.name, f"{meeting.scheduled_at.year}")
        for meeting in council.meetings.values()
    )
    assert recorded == counted
    assert len(council.bodies) == len({name for name, _ in counted}) == 26
    by_code = Counter(meeting.body for meeting in council.meetings.values())
    assert council.report.meetings == by_code


def test_each_meeting_began_at_its_instant_and_stands_under_its_name(council: Council) -> None:
    for told in meetings_of_the_file():
        meeting = council.meetings[told["id"]]
        assert meeting.held is not None
        assert meeting.scheduled_at == meeting.held.event.held_at == instant(told["start"])
        assert (meeting.convocation.event.title or "").split() == told["name"].split()


def test_the_agendas_are_those_of_the_file_item_by_item(council: Council) -> None:
    for told in meetings_of_the_file():
        agenda = council.meetings[told["id"]].agenda
        assert [(item.reference, item.label or "", item.title.split()) for item in agenda] == [
            (item["id"], item["number"], item["name"].split()) for item in told["agendaItem"]
        ]
        assert [item.number for item in agenda] == list(range(1, len(agenda) + 1))
    assert council.report.items.read == len(items_of_the_file()) == 3297


def test_every_result_is_on_record_in_its_own_words_on_its_own_item(council: Council) -> None:
    recorded = {(reference, number): words for reference, number, _, words in drafted_items(council)}
    assert recorded == {
        (meeting["id"], place): item["result"]
        for meeting in meetings_of_the_file()
        for place, item in enumerate(meeting["agendaItem"], 1)
        if "result" in item
    }
    wordings = wordings_of_the_file()
    assert council.report.wordings == wordings
    assert (len(wordings), sum(wordings.values())) == (34, 2326)


def test_the_outcomes_are_what_the_mapping_makes_of_the_wordings(council: Council) -> None:
    outcomes = outcomes_of_the_mapping()
    assert outcomes.keys() == wordings_of_the_file().keys()
    counted: Counter[str | None] = Counter()
    for wording, count in wordings_of_the_file().items():
        counted[outcomes[wording]] += count
    assert Counter(outcome for _, _, outcome, _ in drafted_items(council)) == counted
    assert council.report.outcomes == {name or "(verbatim only)": count for name, count in counted.items()}
    assert council.report.items.verbatim_only == counted[None] == 15


def test_items_without_a_result_have_no_outcome_and_are_counted(council: Council) -> None:
    without = sum("result" not in item for item in items_of_the_file())
    drafted = sum(1 for _ in drafted_items(council))
    assert council.report.items.without_result == len(items_of_the_file()) - drafted == without == 971


def test_meetings_without_any_result_were_held_and_have_no_minutes(council: Council) -> None:
    silent = {
        number: meeting["id"]
        for number, meeting in enumerate(meetings_of_the_file(), 1)
        if not any("result" in item for item in meeting["agendaItem"])
    }
    assert council.report.held_without_results == list(silent)
    states = Counter(meeting.state for meeting in council.meetings.values())
    assert states == {MeetingState.HELD: len(silent), MeetingState.MINUTES_DRAFTED: 305 - len(silent)}
    assert {
        reference for reference, meeting in council.meetings.items() if meeting.state is MeetingState.HELD
    } == set(silent.values())


def test_ends_that_cannot_be_are_reported_and_the_others_are_on_record(council: Council) -> None:
    impossible: list[tuple[int, str, str]] = []
    for number, told in enumerate(meetings_of_the_file(), 1):
        start, end = instant(told["start"]), instant(told["end"])
        meeting = council.meetings[told["id"]]
        if end > start:
            assert meeting.ends_at == end
        else:
            impossible.append((number, "end", "ends-before-start" if end < start else "ends-at-start"))
            assert meeting.ends_at is None
        # The file gives what was planned: nobody is said to have ended anything.
        assert meeting.held is not None
        assert meeting.held.event.ended_at is None
    assert Counter(code for _, _, code in impossible) == {"ends-before-start": 82, "ends-at-start": 1}
    left_out = [(error.line, error.column, error.code) for error in council.report.left_out]
    assert left_out == impossible


def test_the_bodies_decide_that_are_said_to_or_whose_results_say_so(council: Council) -> None:
    said = {
        one["name"]
        for one in organizations_of_the_file().values()
        if one.get("classification") == "Beschließender Ausschuss"
    }
    shown = {
        name_of_the_body(meeting)
        for meeting in meetings_of_the_file()
        if any("beschlossen" in item.get("result", "").lower() for item in meeting["agendaItem"])
    }
    names = {body.description.name for body in council.bodies.values()}
    deciding = {body.description.name for body in council.bodies.values() if body.description.decides}
    assert deciding == (said | shown) & names


def test_nothing_is_claimed_that_the_file_does_not_say(council: Council) -> None:
    assert set(council.report.events) == {
        "meetings.body_registered",
        "meetings.meeting_convened",
        "meetings.meeting_held",
        "meetings.minutes_drafted",
    }
    for meeting in council.meetings.values():
        assert meeting.held is not None
        assert (meeting.held.event.attendance, meeting.held.event.mandatory_absences) == ((), ())
        assert meeting.approval is None
        for draft in meeting.drafts:
            assert not any(item.decisions or item.action_items or item.summary for item in draft.event.items)


def test_a_second_run_adds_nothing_and_a_dry_run_says_so(council: Council) -> None:
    head = council.store.head()
    dry, again = enter(council.store, dry_run=True), enter(council.store)
    assert council.store.head() == head == sum(council.report.events.values())
    for report in (dry, again):
        assert (report.rows.imported, report.rows.unchanged, report.events) == (0, 305, {})
        assert (report.items, report.outcomes, report.left_out) == (
            council.report.items,
            council.report.outcomes,
            council.report.left_out,
        )
    assert verify(council.store).sound
