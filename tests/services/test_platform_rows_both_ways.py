"""The fields of the unit's web platform: a table of them becomes commitments, which go out again as that table."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from services.commitments.importing.leads import NamingReport
from services.commitments.importing.platform_rows import PlatformImport
from services.reporting.queries.commitment_page import PlatformRow
from services.reporting.tables.columns import labels
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.eventlog import codec
from shared.events.commitments import (
    Assessed,
    Commented,
    OrganizationRegistered,
    ProgressReported,
    VisibilityChanged,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind, Visibility
from shared.tabular.engine import run_import
from shared.tabular.platform_rows import COLUMNS
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import ACTOR, Stage, staged

NOW = datetime(2013, 4, 30, 15, tzinfo=UTC)
ON = "2013-03-31"
ROWS = [
    {
        "code": "EDU-2", "on": ON, "title": "Preferential subsidy", "adviser": "u-1", "lead_organization": "MINEDUC",
        "collaborating_organizations": "MINSAL; DIPRES", "responsible_service": "JUNAEB", "goal": "'-15 % of dropouts",
        "internal_deadline_on": "2013-10-31", "instrument": "Bill", "public_deadline_on": "2013-12-31",
        "public_deadline_origin": "May 21 speech", "origin": "may_21_speech", "source": "Speech of 2010",
        "source_on": "2010-05-21", "document_url": "https://example.org/act", "observed_progress": "In the Senate.",
        "stage": "Second reading", "priority": "High", "quote": "We shall, and soon.", "key_words": "schools; subsidy",
        "status": "needs_attention", "comments": "The minister asked for figures.",
    },
    {
        "code": "EDU-3", "on": ON, "title": "Kindergartens", "lead_organization": "MINEDUC", "status": "on_time",
        "public_deadline_on": "2014-12-31",
    },
    {
        "code": "EDU-4", "on": ON, "title": "Scholarships", "lead_organization": "MINEDUC", "status": "achieved",
        "public_deadline_on": "2013-12-31", "goal": "Ten thousand",
    },
    {
        "code": "EDU-5", "on": ON, "title": "A museum", "lead_organization": "MINSAL", "status": "discarded",
        "discard_reason_type": "budgetary", "discard_reason": "There are no funds.",
    },
    {
        "code": "EDU-6", "on": ON, "title": "Roofs", "lead_organization": "MINSAL", "status": "delayed",
        "public_deadline_on": "2012-12-31",
    },
]  # fmt: skip


def table(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    """A CSV of rows, under whatever names they have."""
    text = io.StringIO(newline="")
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, list(names), restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def filled(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows without what is blank in them."""
    return [{name: cell for name, cell in row.items() if cell} for row in rows]


class Unit(NamedTuple):
    """A log, reporting over it, and a folder for tables."""

    stage: Stage
    folder: Path
    service: Installation

    def enter(self, content: str | bytes, name: str = "rows.csv") -> NamingReport:
        """Bring a table in."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run_import(
            self.stage.store,
            lambda state: PlatformImport(state, path),
            actor=ACTOR,
            clock=Clock(now=lambda: NOW),
        )

    async def out(self, query: str = f"?on={ON}", form: str = "csv", **who: Any) -> Any:
        """The rows that go out, or the file of them in another form than CSV."""
        await asyncio.to_thread(self.stage.wait)
        answer = await self.service.get(f"/v1/exports/platform-rows.{form}{query}", **who)
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.text, newline=""))) if form == "csv" else answer.content

    def told(self, code: str, kind: type[Any]) -> list[Any]:
        """The events of a kind that a commitment has."""
        lines = self.stage.store.read_stream(stream_of("commitment", code))
        events = [codec.decode(line, position).data for position, line in lines]
        return [event for event in events if isinstance(event, kind)]


@pytest.fixture
async def unit(log_url: str, tmp_path: Path) -> AsyncIterator[Unit]:
    """A unit with the table brought in."""
    with staged(log_url) as stage:
        for code in ("MINEDUC", "MINSAL", "DIPRES", "JUNAEB"):
            registered = OrganizationRegistered(
                code=code, name=f"Name of {code}", kind=OrganizationKind.MINISTRY
            )
            stage.append((code, registered), kind="organization", now=NOW - timedelta(days=900))
        stage.start_worker()
        async with Installation(tmp_path, stage).running() as service:
            found = Unit(stage, tmp_path, service)
            report = found.enter(table(ROWS))
            assert (report.errors, report.left_out, report.rows.imported) == ([], [], len(ROWS))
            yield found


def test_what_goes_out_has_the_columns_that_come_in_by_any_name_they_have() -> None:
    assert {*PlatformRow.__struct_fields__} == {*COLUMNS}
    for name, words in COLUMNS.items():
        assert {*labels()[name].values()} <= {*words}, name
    called = [word.casefold() for name, words in COLUMNS.items() for word in {name, *words} if word != name]
    assert len({*called}) == len(called)


async def test_a_table_goes_out_as_it_came_in_and_comes_in_again_as_nothing(unit: Unit) -> None:
    assert filled(await unit.out()) == ROWS
    assert unit.enter(table(await unit.out())).events == {}
    for query, form in (("", "xlsx"), ("?lang=es", "xlsx"), ("?lang=en", "csv")):
        later = await unit.out(query, form)
        content = later if form == "xlsx" else table(later)
        again = unit.enter(content, f"later.{form}")
        assert (again.errors, again.events) == ([], {}), (query, form)


async def test_what_a_later_row_says_otherwise_is_recorded(unit: Unit) -> None:
    changed = ROWS[0] | {
        "on": "30/04/2013", "status": "En plazo", "observed_progress": "It is law.", "comments": "Published.",
        "quote": "", "source": "", "stage": "Law",
    }  # fmt: skip
    in_spanish = {COLUMNS[name][0]: cell for name, cell in changed.items()}
    report = unit.enter(table([in_spanish], ";"))
    assert (report.errors, report.left_out) == ([], [])
    (row,) = [row for row in filled(await unit.out("")) if row["code"] == "EDU-2"]
    expected = changed | {
        "on": "2013-04-30",
        "status": "on_time",
        "quote": ROWS[0]["quote"],
        "source": "Speech of 2010",
    }
    assert row == expected
    assert [one.judgement for one in unit.told("EDU-2", Assessed)] == ["at_risk", "on_track"]
    assert [one.period for one in unit.told("EDU-2", ProgressReported)] == ["2013-03", "2013-04"]
    assert [one.text for one in unit.told("EDU-2", Commented)] == [ROWS[0]["comments"], "Published."]
    # Of the day before, nothing is another.
    assert filled(await unit.out()) == ROWS


async def test_outside_government_a_row_has_what_is_public(unit: Unit) -> None:
    published = VisibilityChanged(visibility=Visibility.PUBLIC, previous=Visibility.INTERNAL, reason="It is.")
    version = len(unit.stage.store.read_stream(stream_of("commitment", "EDU-2"))) + 1
    new = msgspec.structs.replace(unit.stage.next("EDU-2", published), version=version)
    unit.stage.append_new([new], now=NOW)
    (row,) = filled(await unit.out(role=None))
    hidden = {"adviser", "internal_deadline_on", "comments", "observed_progress"}
    assert row == {name: cell for name, cell in ROWS[0].items() if name not in hidden}
    assert unit.enter(table([row])).events == {}


async def test_a_table_with_other_columns_or_words_is_refused_with_a_sentence(unit: Unit) -> None:
    for text in ("code,title\nA,B\n", "code,title,lead_organization,colour\nA,B,C,red\n"):
        with pytest.raises(InvalidInput) as refused:
            unit.enter(text)
        assert refused.value.code == "columns-unknown"
    report = unit.enter(table([
        ROWS[1] | {"code": "A", "status": "Soon"},
        ROWS[1] | {"code": "B", "public_deadline_on": "some day"},
        ROWS[1] | {"code": "C", "document_url": "Act 5"},
        ROWS[1] | {"code": "D", "status": "Descartado"},
        ROWS[1] | {"code": "E", "origin": "a dream"},
        ROWS[1] | {"code": "F", "lead_organization": "NOBODY"},
    ]))  # fmt: skip
    assert [(error.line, error.column, error.code) for error in report.errors] == [
        (2, "status", "value-unknown"),
        (3, "public_deadline_on", "date-unreadable"),
        (4, "document_url", "value-unknown"),
        (5, "status", "value-unknown"),
        (6, "origin", "value-unknown"),
        (7, "lead_organization", "unknown-organization"),
    ]


async def test_a_table_without_a_day_is_of_today(unit: Unit) -> None:
    report = unit.enter(
        "Código;Compromiso;Ministerio responsable;Plazo público\nNEW-1;Roads;MINSAL;31/12/2013\n"
    )
    assert report.errors == []
    (row,) = [row for row in filled(await unit.out("")) if row["code"] == "NEW-1"]
    today = date(2013, 4, 30).isoformat()
    # Where the table does not say where the deadline was promised, the platform is not named in its place.
    assert row == {
        "code": "NEW-1",
        "on": today,
        "title": "Roads",
        "lead_organization": "MINSAL",
        "public_deadline_on": "2013-12-31",
        "status": "on_time",
    }
