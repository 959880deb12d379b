"""Tables of others over HTTP: accepted, carried out in the role of whoever asked, answered row by row."""

from __future__ import annotations

import asyncio
import io
import re
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.commitments.importing.reports import COLUMNS
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.open import open_store
from shared.events.streams import stream_of
from shared.identity.actor import Role
from shared.tabular.workbook import MOST_UNPACKED
from tests.services.commitments.installation import Installation, refused
from tests.support.deployment import ROOT
from tests.support.documented import commands_in, curl
from tests.support.ledger import run_sql

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
MAPPING = """
source = "The annual table"
[code]
columns = ["code"]
[title]
column = "title"
renamed = "ignore"
[date]
column = "day"
[lead]
column = "lead"
[rating]
columns = ["rating"]
blank = "nothing"
values = { Green = "on_track" }
[progress]
texts = [{ column = "told" }]
[fields]
goal = { column = "goal" }
"""
HEADER = "code,title,day,lead,rating,told,goal\n"
REPORTS = "code,period,percent,observed_progress\n"
MINISTRY: dict[str, Any] = {"role": Role.MINISTRY, "organization": "INTERIOR"}
REGISTERED = {"title": "Fewer victims", "lead_organization": "INTERIOR", "effective_on": "2012-01-01"}


@asynccontextmanager
async def office(folder: Path, url: str = "", **settings: Any) -> AsyncIterator[Installation]:
    """A service with two ministries and a commitment of each, one of them reserved."""
    async with Installation(folder, url or f"sqlite:///{folder / 'bitacora.db'}", **settings).running() as at:
        for code in ("INTERIOR", "HEALTH"):
            await at.told("PUT", f"/v1/organizations/{code}", {"name": code.title()})
        for code, more in (
            ("seg-1", {}),
            ("sal-1", {"lead_organization": "HEALTH"}),
            ("sal-2", {"lead_organization": "HEALTH", "visibility": "reserved"}),
        ):
            await at.told("POST", "/v1/commitments", REGISTERED | {"code": code} | more)
        yield at


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Installation]:
    async with office(tmp_path) as running:
        yield running


async def send(
    at: Installation,
    table: str | bytes,
    *,
    name: str = "table.csv",
    mapping: str | None = None,
    headers: dict[str, str] | None = None,
    role: Role = Role.DCI,
    organization: str = "DCI",
    subject: str | None = None,
    **parts: str,
) -> httpx.Response:
    """The answer to an import that is asked for."""
    content = table.encode() if isinstance(table, str) else table
    files = {"file": (name, content)}
    if mapping is not None:
        files["mapping"] = ("map.toml", mapping.encode())
    sent = at.credentials(role, organization, subject) | (headers or {})
    return await at.http.post("/v1/imports", files=files, data=parts, headers=sent)


async def ended(at: Installation, answer: httpx.Response, **who: Any) -> dict[str, Any]:
    """An import that was accepted, once it has ended."""
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, Any] = await at.read(answer.headers["location"], **who)
        if found["ended_at"] is not None:
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(found)


def events(at: Installation, code: str) -> list[Recorded]:
    """What is on record of a commitment."""
    store = open_store(at.settings.effective_log_url)
    try:
        return [codec.decode(line, where) for where, line in store.read_stream(stream_of("commitment", code))]
    finally:
        store.close()


def errors(told: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Which rows were refused, at which column, and why."""
    return [(one["line"], one["column"], one["code"]) for one in told["report"]["errors"]]


async def test_a_table_is_brought_in_by_whoever_asked_and_twice_is_once(tmp_path: Path, log_url: str) -> None:
    table = HEADER + "new-1,A bridge,2013-01-31,HEALTH,Green,Begun,\nnew-2,A road,2013-01-31,NOBODY,Green,,\n"
    async with office(tmp_path, log_url) as at:
        answer = await send(at, table, mapping=MAPPING, subject="ana")
        assert answer.json()["state"] == "waiting"
        told = await ended(at, answer)
        assert (told["state"], told["failure"], told["progress"]) == ("done", None, {"done": 2, "of": 2})
        assert told["report"]["rows"] | {"read": 2, "imported": 1, "failed": 1} == told["report"]["rows"]
        assert errors(told) == [(3, "lead", "unknown-organization")]
        recorded = events(at, "new-1")
        assert [one.type.partition(".")[2] for one in recorded] == [
            "registered",
            "assessed",
            "progress_reported",
        ]
        assert {(one.recorded_by.subject, one.correlation_id) for one in recorded} == {
            ("ana", f"import-{told['id']}")
        }
        assert told["report"]["last_position"] == recorded[-1].position
        # The service itself knows what was recorded beside it.
        position = recorded[-1].position
        assert (await at.read(f"/v1/commitments/new-1?wait_for={position}"))["judgement"] == "on_track"
        again = await ended(at, await send(at, table, mapping=MAPPING))
        assert (again["report"]["rows"]["unchanged"], again["report"]["events"]) == (1, {})


async def test_a_dry_run_reports_the_same_and_records_nothing(at: Installation) -> None:
    table = HEADER + "new-1,A bridge,2013-01-31,HEALTH,Green,Begun,\n"
    told = await ended(at, await send(at, table, mapping=MAPPING, dry_run="true"))
    assert (told["dry_run"], told["report"]["rows"]["imported"]) == (True, 1)
    assert told["report"]["events"]["commitments.registered"] == 1
    assert events(at, "new-1") == []


async def test_the_table_and_the_commands_that_the_documents_show_are_taken(
    at: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at.told("POST", "/v1/commitments", REGISTERED | {"code": "SEG-014"})
    (table,) = re.findall(
        r"```csv\n(code,period,percent,.*?)```", (ROOT / "docs/importing.md").read_text(), re.DOTALL
    )
    assert set(table.splitlines()[0].split(",")) == COLUMNS.keys()
    (tmp_path / "reports.csv").write_text(table)
    monkeypatch.chdir(tmp_path)
    token = at.credentials(**MINISTRY)["Authorization"].removeprefix("Bearer ")
    typed = commands_in(ROOT / "docs/clients.md")
    sent, listed = [await at.http.request(**curl(words, {"TOKEN": token}).asked()) for words in typed]
    told = await ended(at, sent, **MINISTRY)
    assert (told["dry_run"], told["report"]["rows"]["imported"], errors(told)) == (True, 1, [])
    assert [one["id"] for one in listed.json()["items"]] == [told["id"]]


# --- ministries ------------------------------------------------------------------------------------------------------


async def test_a_ministry_brings_in_reports_on_its_own_and_learns_nothing_of_others(at: Installation) -> None:
    table = REPORTS + "".join(
        f"{code},2012-Q4,{percent},Said\n"
        for code, percent in (("SEG-1", "62.5"), ("sal-1", "10"), ("sal-2", "10"), ("sal-9", "10"))
    )
    told = await ended(at, await send(at, table, kind="progress-reports", **MINISTRY), **MINISTRY)
    assert errors(told) == [
        (3, "code", "not-your-commitment"),
        (4, "code", "unknown-commitment"),
        (5, "code", "unknown-commitment"),
    ]
    hidden, absent = told["report"]["errors"][1:]
    assert hidden["reason"] == absent["reason"]
    (reported,) = events(at, "seg-1")[1:]
    assert (reported.recorded_by.role, reported.recorded_by.organization) == (Role.MINISTRY, "INTERIOR")
    again = await ended(at, await send(at, table, kind="progress-reports", **MINISTRY), **MINISTRY)
    assert (again["report"]["rows"]["unchanged"], again["report"]["events"]) == (1, {})


async def test_of_a_table_of_observations_a_ministry_enters_what_its_role_may_say(at: Installation) -> None:
    rows = (
        "seg-1,Fewer victims,2013-01-31,INTERIOR,,Six stations are open,",
        "seg-1,Fewer victims,2013-02-28,INTERIOR,Green,Seven,",
        # Whether it could be said of that day at all is not looked at.
        "seg-1,Fewer victims,2013-04-20,INTERIOR,Green,Seven,",
        "seg-1,Fewer victims,2013-03-31,HEALTH,,Eight,",
        "seg-1,Fewer victims,2013-04-01,INTERIOR,,Nine,Fewer",
        "sal-1,Fewer victims,2012-01-01,HEALTH,,,",
        "sal-2,Fewer victims,2012-01-01,HEALTH,,,",
        "new-1,A bridge,2013-01-31,INTERIOR,,Begun,",
    )
    completed = {"completed_on": "2013-04-10", "evidence": [{"description": "Act"}]}
    await at.told("POST", "/v1/commitments/seg-1/completions", completed, If_Match="*")
    table = HEADER + "\n".join(rows)
    told = await ended(at, await send(at, table, mapping=MAPPING, **MINISTRY), **MINISTRY)
    assert errors(told) == [
        (3, "rating", "role-not-allowed"),
        (4, "rating", "role-not-allowed"),
        (5, "lead", "role-not-allowed"),
        (6, "goal", "role-not-allowed"),
        (7, "code", "not-your-commitment"),
        (8, "code", "unknown-commitment"),
        (9, "code", "unknown-commitment"),
    ]
    assert [one.type for one in events(at, "seg-1")[2:]] == ["commitments.progress_reported"]


async def test_what_a_commitment_is_said_to_be_part_of_tells_a_ministry_nothing_of_others(
    at: Installation,
) -> None:
    table = "code,title,lead_organization,effective_on,parent\n" + "".join(
        f"seg-1,Fewer victims,INTERIOR,2013-0{month}-01,{parent}\n"
        for month, parent in enumerate(("SAL-2", "SAL-9", "sal-1"), 2)
    )
    told = await ended(at, await send(at, table, kind="commitments", **MINISTRY), **MINISTRY)
    hidden, absent, seen = told["report"]["errors"]
    assert (hidden["column"], hidden["code"]) == ("parent", "parent-unknown")
    assert (absent["code"], absent["reason"]) == (hidden["code"], hidden["reason"])
    assert seen["code"] == "role-not-allowed"


# --- who may see it --------------------------------------------------------------------------------------------------


async def test_an_import_is_for_whoever_asked_and_for_the_unit(tmp_path: Path) -> None:
    async with office(tmp_path, carry_out_imports=False) as at:
        own = await send(at, REPORTS, kind="progress-reports", subject="ana", **MINISTRY)
        path = own.headers["location"]
        unit = await send(at, REPORTS, kind="progress-reports")
        for who in (
            {"subject": "berta", **MINISTRY},
            {**MINISTRY, "organization": "HEALTH", "subject": "ana"},
        ):
            assert refused(await at.ask("GET", path, **who)) == (404, "unknown-import")
            assert refused(await at.ask("POST", f"{path}/cancellations", {}, **who)) == (
                404,
                "unknown-import",
            )
            assert (await at.read("/v1/imports", **who))["items"] == []
        assert [one["id"] for one in (await at.read("/v1/imports"))["items"]] == [
            unit.json()["id"],
            own.json()["id"],
        ]
        first = await at.read("/v1/imports?limit=1")
        second = await at.ask("GET", first["next"].removeprefix("http://bitacora.test"))
        assert [one["id"] for one in second.json()["items"]] == [own.json()["id"]]
        assert (await at.read(path))["asked_by"]["subject"] == "ana"
        called_off = await at.ask("POST", f"{path}/cancellations", None, subject="ana", **MINISTRY)
        assert (called_off.status_code, called_off.json()["state"]) == (202, "cancelled")
        assert (await at.ask("POST", f"{path}/cancellations", {})).status_code == 202


async def test_other_roles_bring_nothing_in(at: Installation) -> None:
    for role in (Role.DIPRES, Role.ADVISORY, Role.AUDITOR, Role.ADMIN):
        answer = await send(at, REPORTS, kind="progress-reports", role=role)
        assert refused(answer) == (403, "role-not-allowed")


# --- bounds ----------------------------------------------------------------------------------------------------------


async def test_a_request_that_is_sent_twice_is_accepted_once(tmp_path: Path) -> None:
    async with office(tmp_path, carry_out_imports=False) as at:
        key = {"Idempotency-Key": "night"}
        first = await send(at, REPORTS, kind="progress-reports", headers=key)
        # Another boundary, as each try of a client has, and the parts in another order.
        body = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="table.csv"\r\n\r\n'
            + REPORTS.encode()
            + b'\r\n--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nprogress-reports\r\n--b--\r\n'
        )
        sent = at.credentials() | key | {"Content-Type": "multipart/form-data; boundary=b"}
        again = await at.http.post("/v1/imports", content=body, headers=sent)
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        assert again.json() == first.json()
        other = await send(at, REPORTS + "seg-1,2012-Q4,1,\n", kind="progress-reports", headers=key)
        assert refused(other) == (422, "idempotency-key-reused")
        theirs = await send(at, REPORTS, kind="progress-reports", headers=key, **MINISTRY)
        assert theirs.json()["id"] != first.json()["id"]


async def test_so_many_of_one_caller_wait_at_a_time_and_no_more(tmp_path: Path) -> None:
    async with office(tmp_path, carry_out_imports=False, imports_of_caller=1) as at:
        first = await send(at, REPORTS, kind="progress-reports")
        answer = await send(at, REPORTS, kind="progress-reports")
        assert refused(answer) == (429, "too-many-imports")
        assert answer.headers["retry-after"]
        await at.ask("POST", f"{first.headers['location']}/cancellations")
        assert (await send(at, REPORTS, kind="progress-reports")).status_code == 202


async def test_what_cannot_be_accepted_is_refused_at_once_and_says_why(tmp_path: Path) -> None:
    async with office(tmp_path, carry_out_imports=False, import_megabytes=1) as at:
        refusals: tuple[tuple[str, dict[str, Any], tuple[int, str]], ...] = (
            (REPORTS, {}, (422, "mapping-missing")),
            (REPORTS, {"kind": "poems"}, (422, "import-kind-unknown")),
            (REPORTS, {"mapping": "kind = "}, (422, "mapping-invalid")),
            (REPORTS, {"mapping": "kind = " + "[" * 5_000}, (422, "mapping-invalid")),
            (REPORTS, {"kind": "progress-reports", "dry_run": "maybe"}, (422, "request-invalid")),
            (REPORTS, {"kind": "progress-reports", "colour": "red"}, (422, "request-invalid")),
            (REPORTS, {"kind": "progress-reports", "name": "ñ" * 101}, (422, "request-invalid")),
            ("x" * (1 << 20), {"kind": "progress-reports"}, (413, "body-too-large")),
        )
        for table, more, code in refusals:
            assert refused(await send(at, table, **more)) == code, (code, more)
        as_json = await at.ask("POST", "/v1/imports", {"file": REPORTS})
        assert refused(as_json) == (415, "media-type-not-supported")
        assert as_json.headers["accept"] == "multipart/form-data"
        broken = at.credentials() | {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await at.http.post("/v1/imports", content=b"nothing of that kind", headers=broken)
        assert refused(answer) == (400, "malformed-request")
        assert (await at.read("/v1/imports"))["items"] == []


async def test_a_file_that_cannot_be_read_fails_with_the_reason_and_the_next_is_carried_out(
    at: Installation,
) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (MOST_UNPACKED + 1))
    sent = [
        await send(at, "name,what\na,b\n", kind="progress-reports"),
        await send(at, b"PK no workbook", name="table.xlsx", kind="progress-reports"),
        await send(at, bomb.getvalue(), name="bomb.xlsx", kind="progress-reports"),
        await send(at, HEADER, mapping='source = "Half a mapping"'),
        await send(at, REPORTS + "seg-1,2012-Q4,20,Said\n", kind="progress-reports"),
    ]
    told = [await ended(at, one) for one in sent]
    assert [(one["state"], one["failure"] and one["failure"]["code"]) for one in told] == [
        ("failed", "columns-unknown"),
        ("failed", "file-unreadable"),
        ("failed", "file-unreadable"),
        ("failed", "mapping-invalid"),
        ("done", None),
    ]
    assert "unpacks to 300 MB" in told[2]["failure"]["detail"]
    late = await at.ask("POST", f"{sent[-1].headers['location']}/cancellations")
    assert refused(late) == (409, "import-ended")


async def test_readiness_and_metrics_say_how_many_wait(tmp_path: Path) -> None:
    async with office(tmp_path, carry_out_imports=False) as at:
        await send(at, REPORTS, kind="progress-reports")
        ready = await at.ask("GET", "/health/ready", credentials={})
        assert ready.json()["checks"]["imports"]["detail"] == "1 waiting, 0 being carried out"
        metrics = await at.ask("GET", "/metrics", credentials={})
        assert "imports_waiting 1.0" in metrics.text


async def test_a_service_whose_imports_nobody_carries_out_is_not_ready(tmp_path: Path) -> None:
    async with office(tmp_path, carry_out_imports=False) as at:
        await send(at, REPORTS, kind="progress-reports")
        run_sql(
            at.settings.effective_log_url, "UPDATE imports SET asked_at = %s", "2026-01-01T00:00:00.000000Z"
        )
        ready = await at.ask("GET", "/health/ready", credentials={})
        assert (ready.status_code, ready.json()["checks"]["imports"]["reason"]) == (
            503,
            "imports-not-carried-out",
        )
