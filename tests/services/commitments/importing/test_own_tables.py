"""Tables with columns of our own need no mapping: progress reports, and a list of commitments as it goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from services.commitments.importing.kinds import KINDS
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.eventlog.envelope import NewEvent
from shared.eventlog.imports import Asked, Imports, State, Upload
from shared.eventlog.store import Changes
from shared.events.commitments import (
    Completed,
    DeadlineRevised,
    LeadReassigned,
    OrganizationRegistered,
    ProgressReported,
    PublicDeadline,
    Registered,
)
from shared.events.retractions import CommitmentFactRetracted
from shared.events.streams import stream_of
from shared.identity.actor import Actor, Role
from shared.tabular.carrying_out import carry_out
from shared.tabular.engine import run_import
from shared.tabular.kinds import chosen
from shared.tabular.report import ImportReport
from tests.services.commitments.importing.desk import Desk, desk_at

CODE = "SEG-1"
HEADER = "code,title,lead_organization,public_deadline_on,goal,collaborating_organizations,status,late_days\n"
AS_IT_IS = "SEG-1,Fewer victims,WORKS,2014-12-31,Fewer,HEALTH; DCI,delayed,12\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with one commitment on record."""
    with desk_at(tmp_path, f"sqlite:///{tmp_path / 'bitacora.db'}") as desk:
        registered = Registered(
            code=CODE,
            title="Fewer victims",
            lead_organization="WORKS",
            effective_on=date(2013, 1, 1),
            public_deadline=PublicDeadline(on=date(2014, 12, 31)),
            goal="Fewer",
            collaborating_organizations=("HEALTH", "DCI"),
        )
        for kind, code, event in (
            *(
                ("organization", name, OrganizationRegistered(code=name, name=name))
                for name in ("WORKS", "HEALTH", "DCI")
            ),
            ("commitment", CODE, registered),
        ):
            new = NewEvent(
                stream_id=stream_of(kind, code),
                version=1,
                recorded_by=desk.actor,
                correlation_id="by hand",
                data=event,
            )
            desk.store.append([Changes([new])], desk.now)
        yield desk


def enter(desk: Desk, kind: str, table: str | Path, name: str = "table.csv", **more: Any) -> ImportReport:
    """Bring in a table without a mapping."""
    file = table if isinstance(table, Path) else desk.folder / name
    if isinstance(table, str):
        file.write_text(table, encoding="utf-8")
    found = chosen(None, kind, KINDS)
    report: ImportReport = run_import(
        desk.store,
        lambda state: found.make(state, file, None),
        actor=desk.actor,
        clock=Clock(now=lambda: desk.now),
        **more,
    )
    return report


def errors(report: ImportReport) -> list[tuple[int, str | None, str]]:
    return [(one.line, one.column, one.code) for one in report.errors]


def test_a_list_tells_what_each_is_part_of(desk: Desk) -> None:
    table = "code,title,lead_organization,kind,parent,effective_on\n"
    table += "SEG-2,Cameras,WORKS,commitment,SEG-1,2013-06-01\n"
    assert errors(enter(desk, "commitments", table)) == []
    (registered,) = desk.facts(Registered, "SEG-2")
    assert registered.parent == "SEG-1"


def data(desk: Desk) -> list[Any]:
    return [one.data for one in desk.events(CODE)[1:]]


# --- commitments -----------------------------------------------------------------------------------------------------


def test_a_list_of_commitments_brought_in_as_it_went_out_changes_nothing(desk: Desk) -> None:
    report = enter(desk, "commitments", HEADER + AS_IT_IS)
    assert (report.rows.unchanged, report.errors, report.left_out, data(desk)) == (1, [], [], [])


def test_the_apostrophe_that_keeps_a_text_from_being_a_formula_is_no_part_of_it(desk: Desk) -> None:
    table = "code,title,lead_organization,goal\nSEG-2,'=Fewer,WORKS,'-15 %\nSEG-3,'Fewer',WORKS,'\n"
    enter(desk, "commitments", table)
    told = [(one.title, one.goal) for code in ("SEG-2", "SEG-3") for one in desk.facts(Registered, code)]
    assert told == [("=Fewer", "-15 %"), ("'Fewer'", "'")]
    exact = '{"code": "SEG-4", "title": "\'=Fewer", "lead_organization": "WORKS"}\n'
    enter(desk, "commitments", exact, "table.jsonl")
    (registered,) = desk.facts(Registered, "SEG-4")
    assert registered.title == "'=Fewer"


def test_what_somebody_changed_in_it_is_another_from_today_or_from_the_day_of_the_row(desk: Desk) -> None:
    changed = AS_IT_IS.replace("Fewer,HEALTH", "Much fewer,HEALTH").replace("2014-12-31", "30/06/2015")
    enter(desk, "commitments", HEADER + changed)
    told, revised = data(desk)
    assert (told.field, told.value, told.effective_on) == ("goal", "Much fewer", date(2014, 6, 1))
    assert isinstance(revised, DeadlineRevised)
    assert (revised.on, revised.effective_on) == (date(2015, 6, 30), date(2014, 6, 1))
    enter(
        desk,
        "commitments",
        "code;title;lead_organization;effective_on\nSEG-1;Fewer victims;HEALTH;2014-02-01\n",
    )
    assert [(one.lead_organization, one.effective_on) for one in desk.facts(LeadReassigned, CODE)] == [
        ("HEALTH", date(2014, 2, 1))
    ]


def test_a_row_with_a_new_code_is_registered(desk: Desk) -> None:
    enter(desk, "commitments", HEADER + AS_IT_IS.replace("SEG-1", "SEG-2"))
    (registered,) = desk.facts(Registered, "SEG-2")
    assert (registered.effective_on, registered.collaborating_organizations) == (
        date(2014, 6, 1),
        ("HEALTH", "DCI"),
    )


def test_json_lines_go_in_as_they_come_out(desk: Desk) -> None:
    line = (
        '{"code": "SEG-1", "title": "Fewer victims", "lead_organization": "WORKS", "goal": "Fewer", '
        '"collaborating_organizations": ["HEALTH", "DCI"]}\n'
    )
    report = enter(desk, "commitments", line, "table.jsonl")
    assert (report.rows.unchanged, report.errors, data(desk)) == (1, [], [])


@pytest.mark.parametrize("kind", ["commitments", "progress-reports"])
def test_a_table_with_other_columns_is_not_guessed_at(desk: Desk, kind: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        enter(desk, kind, "name,what\na,b\n")
    assert refused.value.code == "columns-unknown"
    with pytest.raises(InvalidInput, match="colour"):
        enter(desk, "progress-reports", "code,period,colour\nSEG-1,2013,red\n")


# --- progress reports ------------------------------------------------------------------------------------------------


def test_a_row_is_a_report_with_all_that_a_report_can_say(desk: Desk) -> None:
    enter(
        desk,
        "progress-reports",
        "código;periodo;porcentaje;avance observado;etapa;sin cambios;evidencia;enlace a la evidencia;fuente;"
        "fecha de la fuente;fecha;recibido el\n"
        'seg-1;2013-Q4;"62,5";Five of eight;Building;no;Acts;https://example.org/a;Quarterly;05/01/2014;;08/01/2014\n',
    )
    (reported,) = data(desk)
    assert isinstance(reported, ProgressReported)
    assert (reported.period, str(reported.percent), reported.stage) == ("2013-Q4", "62.5", "Building")
    assert [(one.description, one.url) for one in reported.evidence] == [("Acts", "https://example.org/a")]
    assert (reported.source_on, reported.effective_on, reported.received_on) == (
        date(2014, 1, 5),
        date(2013, 12, 31),
        date(2014, 1, 8),
    )


def test_reports_go_in_by_their_periods_and_what_is_on_record_is_known(desk: Desk) -> None:
    table = "code,period,percent,no_change\nSEG-1,2013-Q4,40,\nSEG-1,2013-Q3,30,\nSEG-1,2014-Q1,,true\n"
    assert enter(desk, "progress-reports", table).rows.imported == 3
    assert [one.period for one in data(desk)] == ["2013-Q3", "2013-Q4", "2014-Q1"]
    again = enter(desk, "progress-reports", table + "SEG-1,2014-Q1,50,\n")
    assert (again.rows.unchanged, again.rows.imported, again.rows.failed) == (3, 0, 1)
    corrected = enter(desk, "progress-reports", table.replace(",40,", ",45,"))
    assert (corrected.rows.unchanged, corrected.rows.imported) == (2, 1)


def test_a_report_that_somebody_took_back_is_not_told_again(desk: Desk) -> None:
    table = "code,period,percent,effective_on\nSEG-1,2013-Q1,10,2013-04-01\n"
    enter(desk, "progress-reports", table)
    (version,) = (one.version for one in desk.events(CODE) if isinstance(one.data, ProgressReported))
    desk.record(
        CommitmentFactRetracted(version=version, reason="Not so.", retracted=ProgressReported.TYPE), CODE
    )
    assert enter(desk, "progress-reports", table).events == {}


def test_everything_that_is_wrong_with_a_row_is_said_with_its_column(desk: Desk) -> None:
    rows = (
        ",2013-Q4,10,,,",
        "SEG-1,,10,,,",
        "SEG-1,2013-T4,10,,,",
        "SEG-1,2013-Q4,much,perhaps,,",
        "SEG-1,2013-Q4,10,,,https://example.org",
        "SEG-1,2013-Q4,10,,31 of May,",
        "SEG-1,2015-Q4,10,,,",
        "SEG-1,2013-Q4,,,,",
        "SEG-9,2013-Q4,10,,,",
        "SEG-1,2013-Q2,10",
    )
    header = "code,period,percent,no_change,source_on,evidence_url\n"
    report = enter(desk, "progress-reports", header + "\n".join(rows))
    assert errors(report) == [
        (2, "code", "code-missing"),
        (3, "period", "value-missing"),
        (4, "period", "period-malformed"),
        (5, "percent", "number-unreadable"),
        (5, "no_change", "value-unknown"),
        (6, "evidence_url", "value-missing"),
        (7, "source_on", "date-unreadable"),
        (8, "period", "period-to-come"),
        (9, "code", "nothing-reported"),
        (10, "code", "unknown-commitment"),
        (11, None, "row-unreadable"),
    ]
    assert data(desk) == []


def test_texts_of_a_report_are_those_that_the_route_takes(desk: Desk) -> None:
    rows = (
        "SEG-1,2013-Q1,A\0B,,,",
        "SEG-1,2013-Q2,Said,,Acts,javascript:alert(1)",
        f"SEG-1,2013-Q3,Said,{'x' * 501},,",
        "SEG-1,2013-Q4,#DIV/0!,,,",
        "SEG-1,2014-Q1,One\u200b,Build\u202eing,Acts,https://example.org/a",
    )
    report = enter(
        desk,
        "progress-reports",
        "code,period,observed_progress,source,evidence,evidence_url\n" + "\n".join(rows),
    )
    assert errors(report) == [
        (2, "observed_progress", "text-not-storable"),
        (3, "evidence_url", "value-unknown"),
        (4, "source", "text-too-long"),
        (5, "observed_progress", "cell-error"),
    ]
    (reported,) = data(desk)
    # As in every table: what nobody sees goes out of a line, and a text of lines is kept as it is published.
    assert (reported.observed_progress, reported.source) == ("One\u200b", "Building")


def test_a_formula_whose_result_was_never_stored_is_no_blank(desk: Desk) -> None:
    book = openpyxl.Workbook()
    for cells in (
        ["code", "period", "percent", "observed_progress"],
        [CODE, "2013-Q4", "=5/8", "Five of eight"],
    ):
        book.active.append(cells)
    book.save(desk.folder / "table.xlsx")
    report = enter(desk, "progress-reports", desk.folder / "table.xlsx")
    assert (errors(report), data(desk)) == ([(2, "percent", "cell-error")], [])


def test_a_workbook_says_the_same(desk: Desk) -> None:
    book = openpyxl.Workbook()
    for cells in (
        ["code", "period", "percent", "no_change", "source_on"],
        [CODE, "2013-Q4", 0.625, False, datetime(2014, 1, 5)],  # noqa: DTZ001 - as a workbook has it
    ):
        book.active.append(cells)
    book.active["C2"].number_format = "0.0%"
    book.save(desk.folder / "table.xlsx")
    enter(desk, "progress-reports", desk.folder / "table.xlsx")
    (reported,) = data(desk)
    assert (str(reported.percent), reported.source_on) == ("62.5", date(2014, 1, 5))


# --- carried out for others ------------------------------------------------------------------------------------------


def carried(desk: Desk, table: str, during: Callable[[Imports], object] = lambda _: None, **more: Any) -> Any:
    """What comes of progress reports that the unit sends; something may happen once they are claimed."""
    imports = Imports(desk.store)
    upload = Upload("table.csv", {"table.csv": table.encode()})
    kept, _ = imports.accept(Asked("commitments", "progress-reports", False, upload, desk.actor), 10)
    claim = imports.claim("commitments")
    assert claim is not None
    during(imports)
    given: dict[str, Any] = {"clock": Clock(now=lambda: desk.now), "may_record": {}, "seconds": 60.0} | more
    carry_out(desk.store, KINDS, "commitments", claim, **given)
    return imports.get("commitments", kept.id)


def test_one_whose_time_is_over_is_ended_and_says_so(desk: Desk) -> None:
    ended = carried(desk, "code,period,percent\nSEG-1,2013-Q4,40\n", seconds=-1.0)
    assert (ended.state, ended.failure.code) == (State.FAILED, "import-took-too-long")
    assert data(desk) == []


def test_one_that_was_called_off_meanwhile_records_nothing(desk: Desk) -> None:
    table = "code,period,percent\nSEG-1,2013-Q4,40\n"
    ended = carried(desk, table, lambda imports: imports.cancel(imports.listed("commitments", limit=1)[0].id))
    assert (ended.state, ended.report) == (State.CANCELLED, None)
    assert data(desk) == []


def test_a_role_that_may_record_nothing_records_nothing(desk: Desk) -> None:
    desk.actor = Actor("ana", "WORKS", Role.MINISTRY)
    table = "code,period,percent\nSEG-1,2013-Q4,40\n"
    assert b'"role-not-allowed"' in carried(desk, table).report
    assert b'"imported":1' in carried(desk, table, may_record={Role.MINISTRY: [ProgressReported.TYPE]}).report
    assert not desk.facts(Completed, CODE)
