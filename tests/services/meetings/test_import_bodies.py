"""The bodies of the source go in from a file, with a bilateral for each ministry on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from services.meetings.body.model import Body
from services.meetings.importing.bodies import BodyImport
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store
from shared.events.commitments import OrganizationChanged, OrganizationRegistered
from shared.events.meeting_vocabulary import BodyKind, ProtocolPeriod
from shared.events.meetings import DecisionsNumbered, ExpectedMeetings, Seat
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind, Visibility
from shared.tabular.engine import run_import
from shared.tabular.report import ImportReport
from tests.services.meetings.installation import SETUP, prepare

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "bodies.toml"
CLOCK = Clock(now=lambda: datetime(2012, 11, 21, tzinfo=UTC))


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    prepare(sqlite_url)
    opened = open_store(sqlite_url)
    register(opened, "MDS", "Social Development", OrganizationKind.MINISTRY)
    register(opened, "HACIENDA", "Finance", OrganizationKind.MINISTRY)
    yield opened
    opened.close()


def register(store: Store, code: str, name: str, kind: OrganizationKind, *, version: int = 1) -> None:
    event = (
        OrganizationRegistered(code=code, name=name, kind=kind)
        if version == 1
        else OrganizationChanged(name=name, kind=kind, dissolved_on=date(2011, 10, 13))
    )
    new = NewEvent(
        stream_id=stream_of("organization", code),
        version=version,
        recorded_by=SETUP,
        correlation_id="c",
        data=event,
    )
    store.append([Changes([new])], CLOCK.now())


def body(store: Store, code: str) -> Body:
    (position, line), *_ = store.read_stream(stream_of("body", code))
    found = Body.begin(codec.decode(line, position))
    assert found is not None
    return found


def import_bodies(store: Store, file: Path, *, dry_run: bool = False) -> ImportReport:
    return run_import(store, lambda state: BodyImport(state, file), actor=SETUP, clock=CLOCK, dry_run=dry_run)


def test_the_example_brings_in_four_committees_and_a_bilateral_for_each_ministry(store: Store) -> None:
    report = import_bodies(store, EXAMPLE)
    assert report.errors == []
    # Segpres, Health, Education, Interior, Social Development and Finance are the ministries on record.
    assert (report.rows.read, report.rows.imported) == (10, 10)
    assert report.events == {"meetings.body_registered": 10}
    social, bilateral = body(store, "SOCIAL"), body(store, "BIL-MINSAL")
    assert (social.description.decides, social.description.visibility) == (False, Visibility.INTERNAL)
    assert social.description.protocol is not None
    assert social.description.protocol.expected_meetings == ExpectedMeetings(
        count=1, period=ProtocolPeriod.MONTH
    )
    assert (bilateral.description.kind, bilateral.description.decides) == (BodyKind.BILATERAL, True)
    assert bilateral.description.visibility is Visibility.RESERVED
    assert bilateral.description.organizations == ("MINSAL",)
    assert Seat(position="President") in bilateral.description.mandatory_attendance


def test_running_it_again_adds_nothing_and_a_dry_run_writes_nothing(store: Store) -> None:
    before = store.head()
    dry = import_bodies(store, EXAMPLE, dry_run=True)
    assert (dry.rows.imported, dry.last_position, store.head()) == (10, None, before)
    first = import_bodies(store, EXAMPLE)
    assert (first.first_position, first.last_position) == (before + 1, before + 10)
    again = import_bodies(store, EXAMPLE)
    assert (again.rows.unchanged, again.rows.imported, store.head()) == (10, 0, before + 10)


def test_a_ministry_that_is_gone_gets_no_bilateral(store: Store) -> None:
    register(store, "MDS", "Social Development", OrganizationKind.MINISTRY, version=2)
    report = import_bodies(store, EXAMPLE)
    assert report.rows.read == 9
    assert store.read_stream(stream_of("body", "BIL-MDS")) == []


def test_a_body_that_cannot_go_in_is_reported_and_the_others_go_in(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "bodies.toml"
    file.write_text(
        'source = "A note"\n'
        '[[bodies]]\ncode = "A"\nname = "First"\npresiding_organization = "NOBODY"\n'
        '[[bodies]]\ncode = "B"\nname = "Second"\n'
        '[[bodies]]\ncode = "C"\nname = "Third"\nkind = "bilateral"\n'
    )
    report = import_bodies(store, file)
    assert [(error.line, error.value, error.code) for error in report.errors] == [
        (1, "A", "unknown-organization"),
        (3, "C", "bilateral-without-organizations"),
    ]
    assert (report.rows.imported, report.rows.failed) == (1, 2)
    assert "refused" in report.summary()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_body_whose_code_differs_from_another_by_capitals_only_is_that_other_one(
    store: Store, tmp_path: Path, dry_run: bool
) -> None:
    file = tmp_path / "bodies.toml"
    file.write_text(
        'source = "A note"\n[[bodies]]\ncode = "Works"\nname = "One"\n[[bodies]]\ncode = "WORKS"\nname = "Two"\n'
    )
    report = import_bodies(store, file, dry_run=dry_run)
    assert [(error.value, error.code) for error in report.errors] == [("WORKS", "body-twice")]
    file.write_text('source = "A note"\n[[bodies]]\ncode = "works"\nname = "Three"\n')
    later = import_bodies(store, file, dry_run=dry_run)
    assert (later.errors, later.rows.imported) == ([], 1)
    kinds = [codec.decode(line, position).type for position, line in store.read(0, 100)]
    of_bodies = [kind for kind in kinds if kind.startswith("meetings.")]
    assert of_bodies == ([] if dry_run else ["meetings.body_registered", "meetings.body_changed"])


def test_a_body_that_a_file_describes_twice_goes_in_once_so_that_a_second_run_adds_nothing(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "bodies.toml"
    file.write_text(
        'source = "A note"\n[[bodies]]\ncode = "BIL-MDS"\nname = "First"\n[bilaterals]\norganizations = ["MDS"]\n'
    )
    report = import_bodies(store, file)
    assert [(error.line, error.value, error.code) for error in report.errors] == [
        (2, "BIL-MDS", "body-twice")
    ]
    assert body(store, "BIL-MDS").description.name == "First"
    assert import_bodies(store, file).events == {}


def test_who_knows_of_a_body_that_has_numbered_decisions_is_not_changed_by_a_file(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "bodies.toml"
    text = 'source = "x"\n[bilaterals]\norganizations = ["MDS"]\n'
    file.write_text(text)
    import_bodies(store, file)
    numbered = DecisionsNumbered(meeting=uuid4(), year=2012, first=1, last=1)
    stream = stream_of("body", "BIL-MDS")
    store.append(
        [
            Changes(
                [NewEvent(stream_id=stream, version=2, recorded_by=SETUP, correlation_id="c", data=numbered)]
            )
        ],
        CLOCK.now(),
    )
    assert import_bodies(store, file).rows.unchanged == 1
    file.write_text(
        'source = "x"\n[[bodies]]\ncode = "BIL-MDS"\nname = "Bilateral with Social Development"\n'
        'kind = "bilateral"\norganizations = ["MDS", "HACIENDA"]\n'
    )
    report = import_bodies(store, file)
    assert [(error.value, error.code) for error in report.errors] == [("BIL-MDS", "body-circle-settled")]
    assert len(store.read_stream(stream)) == 2


@pytest.mark.parametrize(
    "text",
    ['source = "x"\n[[bodies]]\ncode = "A"\nname = "A"\ncadance = "weekly"\n', "not toml", "[[bodies]]\n"],
)
def test_a_file_that_cannot_be_understood_is_refused_whole(store: Store, tmp_path: Path, text: str) -> None:
    file = tmp_path / "bodies.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        import_bodies(store, file)
    assert refused.value.code == "mapping-invalid"


@pytest.mark.parametrize("seat", ['organisation = "DIPRES"', 'position = ""'])
def test_a_seat_with_a_misspelt_member_or_an_empty_one_is_refused(
    store: Store, tmp_path: Path, seat: str
) -> None:
    file = tmp_path / "bodies.toml"
    file.write_text(
        f'source = "x"\n[[bodies]]\ncode = "A"\nname = "A"\nmandatory_attendance = [{{ {seat} }}]\n'
    )
    with pytest.raises(InvalidInput, match=r"`bodies\[0\]\.mandatory_attendance\[0\]`"):
        import_bodies(store, file)
