"""A capture sheet that was brought in goes out again as it was, and what goes out can come in: on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.commitments.importing.leads import NamingReport
from services.commitments.importing.sheets import CaptureSheetImport
from services.reporting.tables.xlsx import MEDIA_TYPE
from shared.clock import Clock
from shared.events.commitments import (
    OrganizationRegistered,
    PillarRegistered,
    TeamMember,
    VisibilityChanged,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind, Visibility
from shared.identity.actor import Role
from shared.tabular.capture_sheet import CaptureSheet, FilledSheet, Step, read_capture_sheets
from shared.tabular.engine import run_import
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import ACTOR, Stage, staged
from tests.support.capture_sheets import in_order, row_of, saved, sheets

NOW = datetime(2013, 4, 30, 15, tzinfo=UTC)
SHEETS = sheets(
    st.just("SHEET"), lead_organization=st.sampled_from(["MINEDUC", "MINSAL"]), pillar=st.none() | st.just("EDUCATION")
)  # fmt: skip


class Office(NamedTuple):
    """A log with a read model, and a folder for workbooks."""

    stage: Stage
    folder: Path

    def enter(self, path: Path) -> NamingReport:
        """Bring a workbook in."""
        return run_import(
            self.stage.store,
            lambda state: CaptureSheetImport(state, path),
            actor=ACTOR,
            clock=Clock(now=lambda: NOW),
        )

    async def download(self, service: Installation, code: str, query: str, **who: Any) -> Path:
        """The sheet of a commitment, as a file."""
        answer = await service.get(f"/v1/commitments/{code}/capture-sheet.xlsx{query}", **who)
        return self.kept(answer, code)

    def kept(self, answer: httpx.Response, name: str) -> Path:
        """A workbook that was answered, as a file."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == MEDIA_TYPE
        path = self.folder / f"{name}.xlsx"
        path.write_bytes(answer.content)
        return path


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A government of two ministries and a pillar."""
    folder = tmp_path_factory.mktemp("office")
    url = (
        f"sqlite:///{folder / 'bitacora.db'}"
        if request.param == "sqlite"
        else str(request.getfixturevalue("module_postgres_url"))
    )
    with staged(url) as stage:
        ministry = OrganizationKind.MINISTRY
        for code in ("MINEDUC", "MINSAL"):
            registered = OrganizationRegistered(code=code, name=f"Ministry {code}", kind=ministry)
            stage.append((code, registered), kind="organization", now=NOW - timedelta(days=900))
        education = PillarRegistered(code="EDUCATION", name="Education")
        stage.append(("EDUCATION", education), kind="pillar", now=NOW - timedelta(days=900))
        stage.start_worker()
        yield Office(stage, folder)


def read(path: Path) -> CaptureSheet:
    """The one sheet of a workbook."""
    (found,) = read_capture_sheets(path)
    assert isinstance(found, FilledSheet)
    assert found.errors == []
    return found.says


@given(filled=st.lists(SHEETS, min_size=1, max_size=12))
@settings(max_examples=4)
def test_a_sheet_that_was_brought_in_goes_out_again_equal_in_all_its_cells(
    office: Office, filled: list[CaptureSheet]
) -> None:
    begun = office.stage.store.head()
    said = [msgspec.structs.replace(one, code=f"S{begun}-{number}") for number, one in enumerate(filled)]
    report = office.enter(saved(office.folder, *said))
    assert (report.errors, report.left_out) == ([], [])
    office.stage.wait()

    async def out() -> None:
        async with Installation(office.folder, office.stage).running() as service:
            for one in said:
                path = await office.download(service, str(one.code), f"?on={one.on}")
                assert in_order(read(path)) == in_order(one)
                assert office.enter(path).events == {}
                # On a later day it says the same, and adds nothing either.
                later = await office.download(service, str(one.code), "?lang=en")
                today = msgspec.structs.replace(one, on=date(2013, 4, 30))
                assert in_order(read(later)) == in_order(today)
                again = office.enter(later)
                assert (again.errors, again.events) == ([], {})

    asyncio.run(out())


LAW = CaptureSheet(
    code="LAW",
    on=date(2012, 5, 21),
    title="Subsidy",
    lead_organization="MINEDUC",
    working_team=(TeamMember(subject="u-1", position="Adviser", institution="DCI"),),
    milestones=(Step("Bill", 2012), Step("Report", 2012)),
)


async def test_it_says_what_the_asker_may_know_of_the_day_and_position_asked_for(office: Office) -> None:
    office.enter(saved(office.folder, LAW))
    before = office.stage.store.head()
    later = msgspec.structs.replace(LAW, on=date(2012, 9, 1), title="Law", milestones=(Step("Bill", 2013),))
    office.enter(saved(office.folder, later))
    published = VisibilityChanged(visibility=Visibility.PUBLIC, previous=Visibility.INTERNAL, reason="It is.")
    version = len(office.stage.store.read_stream(stream_of("commitment", "LAW"))) + 1
    new = msgspec.structs.replace(office.stage.next("LAW", published), version=version)
    office.stage.append_new([new], now=NOW)
    await asyncio.to_thread(office.stage.wait)
    anybody: dict[str, Any] = {"role": None}
    async with Installation(office.folder, office.stage).running() as service:
        there = read(await office.download(service, "LAW", ""))
        assert (there.title, there.working_team) == ("Law", LAW.working_team)
        assert there.milestones == (Step("Report", 2012), Step("Bill", 2013))
        then = read(await office.download(service, "LAW", "?on=2012-05-31"))
        assert (then.title, then.milestones) == ("Subsidy", LAW.milestones)
        known = read(await office.download(service, "LAW", f"?position={before}"))
        assert (known.title, known.milestones) == ("Subsidy", LAW.milestones)
        public = read(await office.download(service, "LAW", "", **anybody))
        assert [one.subject for one in public.working_team] == [None]
        answer = await service.get("/v1/commitments/LAW/capture-sheet.xlsx", **anybody)
        assert answer.headers["cache-control"] == "public, max-age=5"
        held = await service.get(
            "/v1/commitments/LAW/capture-sheet.xlsx", If_None_Match=answer.headers["etag"], **anybody
        )
        assert (held.status_code, held.content) == (304, b"")
        # Whoever has it from there and brings it in takes nobody from the team.
        assert office.enter(office.kept(answer, "public")).events == {}
        for path, why in (
            ("NOTHING/capture-sheet.xlsx", "unknown-commitment"),
            ("LAW/capture-sheet.xlsx?on=2012-05-20", "unknown-commitment"),
        ):
            assert await service.refused(f"/v1/commitments/{path}") == (404, why)
        assert await service.refused(
            f"/v1/commitments/LAW/capture-sheet.xlsx?position={before}", **anybody
        ) == (
            404,
            "unknown-commitment",
        )


async def test_the_blank_form_offers_the_pillars_and_organisations_that_there_are(office: Office) -> None:
    async with Installation(office.folder, office.stage).running() as service:
        answer = await service.get(
            "/v1/capture-sheet.xlsx?lang=en&first_year=2014", role=Role.MINISTRY, organization="MINSAL"
        )
        path = office.kept(answer, "blank")
        book = openpyxl.load_workbook(path)
        assert list(read_capture_sheets(path)) == [None]
        sheet, lists = book.worksheets
        assert [cell.value for cell in sheet[row_of(sheet, "years")]][2:] == [*range(2014, 2020)]
        assert [row[0] for row in lists.iter_rows(min_row=2, min_col=3, values_only=True)] == [
            "MINEDUC",
            "MINSAL",
        ]
        assert lists["A2"].value == "EDUCATION"
        assert await service.refused("/v1/capture-sheet.xlsx?lang=fr") == (422, "request-invalid")
