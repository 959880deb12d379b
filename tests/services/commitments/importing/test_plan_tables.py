"""Tables of organisations and pillars: what their rows become, and what a second run leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from services.commitments.importing.plan import OrganizationImport, PillarImport
from services.commitments.plan.model import Pillar
from shared.aggregate.organizations import Organization
from shared.errors import InvalidInput
from shared.events.commitments import OrganizationChanged, PillarChanged
from shared.events.vocabulary import OrganizationKind
from shared.tabular.described import depths_of
from tests.services.commitments.importing.desk import Desk

ORGANIZATIONS = """
kind = "organizations"
source = "The State's Register"
[code]
columns = ["code"]
[date]
column = "since"
[fields]
name = { column = "name" }
kind = { column = "type", values = { Ministry = "ministry", Service = "service" } }
parent = { column = "of" }
aliases = { column = "also", separator = ";" }
successors = { column = "went on in", separator = ";" }
dissolved_on = { column = "until", formats = ["%d/%m/%Y"] }
"""

PILLARS = """
kind = "pillars"
source = "The Plan"
[code]
columns = ["code"]
[fields]
name = { column = "name" }
rank = { column = "rank" }
description = { column = "about" }
"""

HEADER = "code,name,type,since,of,also,went on in,until\n"


@pytest.fixture
def register(desk: Desk) -> Desk:
    desk.mapping, desk.importer = ORGANIZATIONS, OrganizationImport
    return desk


def enter(desk: Desk, *rows: str) -> Any:
    return desk.enter_text(HEADER + "".join(f"{row}\n" for row in rows))


def on_record(desk: Desk, code: str) -> Organization:
    found = Organization.fold(desk.events(code, "organization"))
    assert found is not None
    return found


def test_rows_are_organisations_whoever_of_them_is_named_before_it_is_described(register: Desk) -> None:
    report = enter(
        register,
        "DGA,Water,Service,1969-10-13,Ministry of Works,,,",
        "MOP,Ministry of Works,Ministry,1967-12-01,,Works;Min. Works,,",
    )
    assert report.errors == []
    assert report.organizations_registered == ["MOP", "DGA"]
    works, water = on_record(register, "MOP").description, on_record(register, "DGA").description
    assert works == OrganizationChanged(
        name="Ministry of Works",
        kind=OrganizationKind.MINISTRY,
        aliases=("Works", "Min. Works"),
        effective_on=date(1967, 12, 1),
    )
    assert (water.parent, water.kind) == ("MOP", OrganizationKind.SERVICE)


def test_a_ministry_that_comes_back_under_its_old_name_is_no_circle(register: Desk) -> None:
    rows = [
        "MHCLG,Housing,Ministry,2010-01-01,,,,",
        "DLUHC,Levelling Up,Ministry,2011-09-19,,,,",
        "MHCLG,Housing,Ministry,2011-09-19,,,DLUHC,19/09/2011",
        "DLUHC,Levelling Up,Ministry,2013-07-05,,,MHCLG,05/07/2013",
    ]
    assert enter(register, *rows).errors == []
    again = enter(register, *rows)
    assert (again.rows.unchanged, again.events) == (4, {})
    assert on_record(register, "MHCLG").described_on(date(2011, 9, 18)).successors == ()
    assert on_record(register, "MHCLG").described_on(date(2012, 1, 1)).successors == ("DLUHC",)


def test_what_a_row_does_not_say_stays_and_so_does_what_a_person_changed(register: Desk) -> None:
    row = "MOP,Ministry of Works,Ministry,2010-01-01,,Works,,"
    enter(register, row)
    by_hand = OrganizationChanged(
        name="Public Works",
        kind=OrganizationKind.MINISTRY,
        aliases=("Works", "OO.PP."),
        effective_on=date(2012, 1, 1),
    )
    register.record(by_hand, "MOP", kind="organization")
    assert enter(register, row).events == {}
    report = enter(register, row, "MOP,Ministry of Infrastructure,Ministry,2013-01-01,,,,")
    assert report.events == {"commitments.organization_changed": 1}
    now = on_record(register, "MOP").description
    assert (now.name, now.aliases) == ("Ministry of Infrastructure", ("Works", "OO.PP."))


def test_without_a_day_a_new_name_holds_from_today_and_an_end_from_its_day(register: Desk) -> None:
    register.mapping = ORGANIZATIONS.replace('[date]\ncolumn = "since"\n', "")
    enter(register, "MOP,Works,Ministry,,,,,", "OLD,Old,Service,,,,MOP,01/03/2012")
    enter(register, "MOP,Public Works,Ministry,,,,,")
    works = on_record(register, "MOP")
    assert (works.described_on(date(2014, 5, 31)).name, works.description.name) == ("Works", "Public Works")
    ended = on_record(register, "OLD").ending_on(date(2012, 3, 1))
    assert ended is not None
    assert ended.successors == ("MOP",)


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("MOP,,Ministry,2010-01-01,,,,", "name", "text-required"),
        ("MOP,Works,Club,2010-01-01,,,,", "type", "value-unknown"),
        ("MOP,Works,Ministry,2010-01-01,Nobody,,,", "of", "unknown-organization"),
        ("MOP,Works,Ministry,2010-01-01,MOP,,,", "code", "organization-cycle"),
        ("MOP,Works,Ministry,2030-01-01,,,,", "since", "date-in-future"),
        ("M P,Works,Ministry,2010-01-01,,,,", "code", "code-malformed"),
        (",Works,Ministry,2010-01-01,,,,", "code", "code-missing"),
        ("MOP,Works,Ministry,soon,,,,", "since", "date-unreadable"),
    ],
)
def test_each_fault_of_a_row_is_found_where_it_is(register: Desk, row: str, column: str, code: str) -> None:
    report = enter(register, row, "MINSAL,Health,Ministry,2010-01-01,,,,")
    assert [(error.column, error.code) for error in report.errors] == [(column, code)]
    assert report.organizations_registered == ["MINSAL"]


def test_a_field_that_an_organisation_does_not_have_is_refused_with_those_it_has(register: Desk) -> None:
    register.mapping = ORGANIZATIONS.replace("aliases =", "colours =")
    with pytest.raises(InvalidInput, match="is not one of name, kind, parent"):
        enter(register)


def test_rows_are_pillars(desk_on_each_engine: Desk) -> None:
    desk = desk_on_each_engine
    desk.mapping, desk.importer = PILLARS, PillarImport
    table = "code,name,rank,about\nSEC,Security,2,Fewer victims\nGROWTH,Growth,1,\n"
    assert desk.enter_text(table).rows.imported == 2
    assert desk.enter_text(table).rows.unchanged == 2
    desk.enter_text(table.replace("Growth", "Growth and jobs"))
    found = [Pillar.fold(desk.events(code, "pillar")) for code in ("SEC", "GROWTH")]
    assert [one and one.description.name for one in found] == ["Security", "Growth and jobs"]
    assert desk.facts(PillarChanged, "GROWTH", "pillar")[0].effective_on == date(2014, 6, 1)


@pytest.mark.parametrize(
    ("references", "order"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, ["c", "b", "a"]),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b c", "a"]),
        ({"a": {"elsewhere"}, "b": {"b"}}, ["a b"]),
    ],
)
def test_those_go_in_first_that_others_name(references: dict[str, set[str]], order: Sequence[str]) -> None:
    depths = depths_of(references)
    levels = sorted({*depths.values()})
    assert [" ".join(sorted(one for one in depths if depths[one] == level)) for level in levels] == order
