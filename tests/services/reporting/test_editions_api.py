"""Editions: what was published stays as it was, to the letter; what came since is told by comparing."""

from __future__ import annotations

import ast
import asyncio
import csv
import json
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import httpx
import msgspec
import pytest

from services.reporting.edition import template
from services.reporting.edition.comparison import all_checked
from services.reporting.edition.content import EditionSection
from services.reporting.edition.model import kept
from services.reporting.edition.repository import Editions
from services.reporting.report.model import filters_of
from services.reporting.report.repository import Reports
from shared.aggregate.command import Command
from shared.aggregate.few import PillarCodes
from shared.aggregate.heirs import OrganizationsByDay
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.events.commitments import (
    Assessed,
    Completed,
    DeadlineRevised,
    Discarded,
    Evidence,
    Merged,
    OrganizationRegistered,
    Origin,
    PillarRegistered,
    PublicDeadline,
    Registered,
    Split,
    VisibilityChanged,
)
from shared.events.editions import Audience, EditionPublished, ReportChanged, ReportKind, ReportRegistered
from shared.events.vocabulary import (
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    Judgement,
    OriginKind,
    Visibility,
)
from shared.identity.actor import Role
from tests.services.reporting.gatherings import Told, noon, tell
from tests.services.reporting.installation import Installation, credentials
from tests.services.reporting.stage import ACTOR, staged
from tests.services.reporting.test_comparison import tamper
from tests.support.pdf import opened

ANYBODY: dict[str, Any] = {"role": None}
FIXTURES = Path(__file__).parents[2] / "fixtures" / "editions"
FIRST = date(2011, 6, 1)
FORMS = ("json", "csv", "html", "xlsx")
SPEECH = {
    "name": "Account of May 21",
    "kind": "annual_speech",
    "audience": "public",
    "addressed_to": "Congress",
    "days_of_year": ["05-21"],
    "in_force_from": "2011-01-01",
}
CABINET = {
    "name": "Report to the Cabinet",
    "kind": "progress",
    "audience": "government",
    "every_months": 4,
    "days_after": 10,
    "pillars": ["ROADS"],
}
SHEET = "xl/worksheets/sheet1.xml"


def promise(code: str, due: date | None = date(2013, 12, 31), **more: Any) -> Told:
    """A commitment of June 2011, with a goal and the words of the speech."""
    fields: dict[str, Any] = {
        "code": code,
        "title": f"Title of {code}",
        "lead_organization": "MOP",
        "kind": CommitmentKind.ACTION,
        "pillar": "ROADS",
        "visibility": Visibility.PUBLIC,
        "effective_on": FIRST,
        "adviser": "ana",
        "goal": f"Goal of {code}",
        "public_deadline": None if due is None else PublicDeadline(on=due),
        "origin": Origin(
            kind=OriginKind.MAY_21_SPEECH,
            source="Speech of 2011",
            source_on=date(2011, 5, 21),
            quote=f"We will do {code}",
        ),
    }
    return Told("commitment", code, Registered(**fields | more))


def on(code: str, event: Any) -> Told:
    """An event of a commitment."""
    return Told("commitment", code, event)


def revised(code: str, due: date, day: date, previous: date) -> Told:
    """Its public deadline became another one."""
    return on(
        code,
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC,
            on=due,
            effective_on=day,
            reason="The tender failed",
            previous=previous,
        ),
    )


def done(code: str, day: date) -> Told:
    """It was achieved."""
    evidence = (Evidence(description="Opened", url="https://example.org/1"),)
    return on(code, Completed(completed_on=day, evidence=evidence, remarks="In use"))


RECORD = (
    Told("organization", "MOP", OrganizationRegistered(code="MOP", name="Public Works")),
    Told("pillar", "ROADS", PillarRegistered(code="ROADS", name="Roads")),
    promise("FINE", title="=SUM(1) <b>fine</b> & «well»"),
    promise("NODAY", None),
    promise("LATE", date(2012, 6, 30)),
    revised("LATE", date(2012, 12, 31), date(2012, 6, 1), date(2012, 6, 30)),
    promise("LATER", date(2012, 3, 31)),
    promise("GONE"),
    on("GONE", Discarded(reason_type=DiscardReason.BUDGETARY, reason="No funds", effective_on=date(2013, 1, 2))),
    promise("RISK"),
    on("RISK", Assessed(judgement=Judgement.AT_RISK, reason="Held up", effective_on=date(2013, 2, 1))),
    promise("DONE"),
    done("DONE", date(2012, 8, 15)),
    promise("SLOW", date(2012, 6, 30)),
    done("SLOW", date(2012, 8, 15)),
    promise("OLD"),
    on("OLD", Merged(into="FINE", reason="The same", effective_on=date(2012, 1, 1))),
    promise("WHOLE"),
    on("WHOLE", Split(parts=("PART",), reason="Two leads", effective_on=date(2012, 1, 1))),
    promise("PART", split_from="WHOLE", effective_on=date(2012, 1, 1)),
    promise("INSIDE", visibility=Visibility.INTERNAL),
    promise("SECRET", visibility=Visibility.RESERVED),
)  # fmt: skip
SINCE = (
    promise("NEW"),
    promise("OTHER", lead_organization="MOP", visibility=Visibility.PUBLIC, effective_on=date(2013, 4, 30)),
    done("LATER", date(2013, 4, 30)),
    revised("RISK", date(2014, 6, 30), date(2013, 4, 30), date(2013, 12, 31)),
    on("NODAY", VisibilityChanged(visibility=Visibility.RESERVED, reason="A trial")),
    on("INSIDE", VisibilityChanged(visibility=Visibility.PUBLIC, reason="Announced")),
)


class Published(NamedTuple):
    """The service, and how the first edition was answered before anything else was recorded."""

    service: Installation
    before: dict[str, bytes]


async def send(service: Installation, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
    """One request that writes."""
    sent = credentials(service.settings, service.now, Role.DCI)
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await service.http.request(method, path, json=body, headers=sent)


async def sent(service: Installation, method: str, path: str, body: Any, **headers: str) -> Any:
    """One request that writes, and has to."""
    answer = await send(service, method, path, body, **headers)
    assert answer.status_code in {200, 201}, answer.text
    await asyncio.to_thread(service.stage.wait)
    return answer.json()


async def refused(
    service: Installation, method: str, path: str, body: Any, **headers: str
) -> tuple[int, str]:
    """The status, and the name of the error, of one that must be refused."""
    answer = await send(service, method, path, body, **headers)
    return answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]


async def file(service: Installation, path: str, **more: Any) -> bytes:
    """An edition in some form."""
    answer = await service.get(path, **more)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Published]:
    """Three editions: one before what came since, one after, and one for the government."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'bitacora.db'}"
    else:
        url = str(request.getfixturevalue("module_postgres_url"))
    with staged(url) as stage:
        tell(stage, *RECORD, now=noon(date(2013, 4, 1)))
        stage.start_worker()
        stage.wait()
        async with Installation(tmp_path_factory.mktemp("service"), stage).running() as service:
            for code, described in (("MAY-21", SPEECH), ("CABINET", CABINET)):
                await sent(service, "PUT", f"/v1/reports/{code}", described)
            edition = {"report": "may-21", "on": "2013-04-30"}
            await sent(service, "POST", "/v1/editions", edition, Idempotency_Key="first")
            before = {
                form: await file(service, f"/v1/editions/MAY-21-2013-04-30.{form}", **ANYBODY)
                for form in FORMS
            }
            await sent(service, "POST", "/v1/editions", {"report": "CABINET", "on": "2013-04-30"})
            tell(stage, *SINCE, now=noon(date(2013, 4, 30)) + timedelta(hours=4))
            await asyncio.to_thread(stage.wait)
            service.now += timedelta(days=31)
            await sent(
                service,
                "POST",
                "/v1/editions",
                {"report": "MAY-21", "on": "2013-05-31", "due_on": "2013-05-21"},
            )
            yield Published(service, before)


@pytest.mark.parametrize("form", FORMS[:-1])
async def test_an_edition_has_the_bytes_with_which_it_was_published_on_either_engine_and_for_ever(
    published: Published, form: str
) -> None:
    """The file was written by the first version that had editions: later versions must still write it."""
    kept = (FIXTURES / f"edition_1.{form}").read_bytes()
    assert published.before[form] == kept
    again = await file(published.service, f"/v1/editions/MAY-21-2013-04-30.{form}", **ANYBODY)
    assert again == kept


async def test_the_page_of_an_edition_is_in_spanish_where_that_is_asked_for_and_keeps_those_bytes_too(
    published: Published,
) -> None:
    path = "/v1/editions/MAY-21-2013-04-30"
    answer = await published.service.get(f"{path}.html?lang=es", **ANYBODY)
    assert answer.content == (FIXTURES / "edition_1.es.html").read_bytes()
    assert answer.headers["Content-Language"] == "es"
    english = await published.service.get(f"{path}.html", Accept_Language="es", **ANYBODY)
    # An address says the same whoever reads it, so that it can be compared.
    assert english.content == published.before["html"]
    assert english.headers["ETag"] != answer.headers["ETag"]
    page = await published.service.get(f"{path}?lang=es", Accept="text/html", **ANYBODY)
    assert page.content == answer.content


async def test_an_edition_is_had_as_pdf_in_either_language_or_the_refusal_names_what_is_missing(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, path = published.service, "/v1/editions/MAY-21-2013-04-30"
    answer = await service.get(f"{path}.pdf?lang=es", **ANYBODY)
    if answer.status_code == 200:
        assert re.search(rb"/Lang ?\(es\)", opened(answer.content))
        assert answer.headers["Content-Disposition"] == 'inline; filename="MAY-21-2013-04-30.pdf"'
        english = await service.get(path, Accept="application/pdf", **ANYBODY)
        assert english.headers["Content-Type"] == "application/pdf"
        assert re.search(rb"/Lang ?\(en\)", opened(english.content))
    (tmp_path / "weasyprint.py").write_text("raise ImportError('none')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    other = "/v1/editions/MAY-21-2013-05-31.pdf"
    assert await service.refused(other, **ANYBODY) == (501, "pdf-not-installed")
    assert "bitacora[pdf]" in (await service.get(other, **ANYBODY)).json()["detail"]


def test_no_word_of_the_page_of_an_edition_lacks_spanish_and_none_is_kept_that_is_not_said() -> None:
    tree = ast.parse(Path(template.__file__).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    said = {
        str(one.args[0].value)
        for one in calls
        if "say" in (getattr(one.func, "id", ""), getattr(one.func, "attr", ""))
        and isinstance(one.args[0], ast.Constant)
    }
    said |= {*template.HEADINGS.values(), *template.REASONS.values(), *(one.value for one in Audience)}
    one = {"pillars": ("A",), "organizations": ("A",), "regions": ("A",), "speech_years": (2012,)}
    kinds = {"kinds": (CommitmentKind.ACTION,), "origins": (OriginKind.OTHER,)}
    some: Any = {"name": "Some", "kind": ReportKind.PROGRESS, "audience": Audience.PUBLIC, **one, **kinds}
    said |= filters_of(ReportChanged(in_force_from=FIRST, **some)).keys()
    assert set(template.HEADINGS) == set(EditionSection)
    assert said == template.SPANISH.keys()
    assert all(template.SPANISH.values())


async def test_a_spreadsheet_has_the_cells_of_the_csv(published: Published) -> None:
    again = await file(published.service, "/v1/editions/MAY-21-2013-04-30.xlsx")
    was, now = [ZipFile(BytesIO(one)).read(SHEET) for one in (published.before["xlsx"], again)]
    assert was == now
    text = now.decode()
    rows = list(csv.reader(StringIO(published.before["csv"].decode())))
    assert text.count("<row") == len(rows)
    for cell in ("Goal of LATE", "2012-06-30 → 2012-12-31 (The tender failed)", "No funds"):
        assert cell in text, cell
        assert any(cell in row for row in rows), cell


async def test_bad_news_comes_first_each_beside_what_was_promised(published: Published) -> None:
    told = json.loads(published.before["json"])
    assert [(one["section"], one["code"], one["late_days"]) for one in told["items"]] == [
        ("delayed", "LATER", 395),
        ("delayed", "LATE", 120),
        ("discarded", "GONE", None),
        ("needs_attention", "RISK", None),
        ("achieved_late", "SLOW", 46),
        ("achieved", "DONE", 0),
        ("on_time", "FINE", None),
        ("on_time", "NODAY", None),
        ("on_time", "PART", None),
        ("merged", "OLD", None),
        ("split", "WHOLE", None),
    ]
    assert told["totals"]["registered"] == sum(told["totals"].values()) / 2 == len(told["items"])
    by_code = {one["code"]: one for one in told["items"]}
    assert by_code["LATE"]["promised"] == {
        "goal": "Goal of LATE",
        "quote": "We will do LATE",
        "source": "Speech of 2011",
        "source_on": "2011-05-21",
        "first_public_deadline_on": "2012-06-30",
        "public_deadline_on": "2012-12-31",
        "moves": [
            {
                "effective_on": "2012-06-01",
                "from": "2012-06-30",
                "to": "2012-12-31",
                "reason": "The tender failed",
            }
        ],
    }
    assert by_code["GONE"]["discarded"] == {"type": "budgetary", "reason": "No funds"}
    assert by_code["SLOW"]["result"]["text"] == "In use"
    assert b'"ana"' not in published.before["json"]  # of persons it says nothing


async def test_its_digest_is_that_of_its_json_and_stands_in_the_log(published: Published) -> None:
    service = published.service
    listed = (await service.read("/v1/editions?report=MAY-21", **ANYBODY))["items"]
    assert [one["code"] for one in listed] == ["MAY-21-2013-04-30", "MAY-21-2013-05-31"]
    assert [one["recorded_on"] for one in listed] == ["2013-04-30", "2013-05-31"]
    assert listed[0]["sha256"] == sha256(published.before["json"]).hexdigest()
    log = await file(service, "/v1/events?types=reporting.edition_published", role=Role.AUDITOR)
    first = json.loads(log.splitlines()[0])
    assert first["data"]["sha256"] == listed[0]["sha256"]
    assert first["data"]["position"] == len(RECORD) + 2


async def test_its_form_goes_by_accept_and_it_is_known_by_its_tag(published: Published) -> None:
    service, path = published.service, "/v1/editions/MAY-21-2013-04-30"
    for form, media_type in (("csv", "text/csv"), ("html", "text/html"), ("json", "application/json")):
        answer = await service.get(path, Accept=media_type, **ANYBODY)
        assert answer.content == published.before[form]
        assert answer.headers["Content-Type"].startswith(media_type)
        held = await service.get(path, Accept=media_type, If_None_Match=answer.headers["ETag"], **ANYBODY)
        assert held.status_code == 304
    browser = await service.get(path, Accept="text/html,application/xhtml+xml,*/*;q=0.8", **ANYBODY)
    assert browser.content == published.before["html"]
    assert b"<b>" not in browser.content
    assert b"'=SUM(1)" in published.before["csv"]


async def test_what_is_hidden_later_stays_in_the_edition_and_nowhere_else(published: Published) -> None:
    service = published.service
    assert b'"NODAY"' in await file(service, "/v1/editions/MAY-21-2013-04-30", **ANYBODY)
    assert b'"NODAY"' not in await file(service, "/v1/editions/MAY-21-2013-05-31", **ANYBODY)
    assert await service.refused("/v1/commitments/NODAY", **ANYBODY) == (404, "unknown-commitment")
    listed = await service.read("/v1/commitments?position=24", **ANYBODY)
    assert "NODAY" not in [one["code"] for one in listed["items"]]


async def test_an_edition_for_the_government_holds_what_anybody_there_may_read_and_nobody_else_knows_of_it(
    published: Published,
) -> None:
    service, path = published.service, "/v1/editions/CABINET-2013-04-30"
    codes = {
        one["code"] for one in (await service.read(path, role=Role.MINISTRY, organization="MOP"))["items"]
    }
    assert "INSIDE" in codes
    assert "SECRET" not in codes
    absent = "/v1/editions/CABINET-2013-04-29"
    for form in ("", ".csv", "/changes/MAY-21-2013-04-30"):
        hidden, missing = [await service.get(one + form, **ANYBODY) for one in (path, absent)]
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["detail"] == missing.json()["detail"]
    assert [one["code"] for one in (await service.read("/v1/editions", **ANYBODY))["items"]] == [
        "MAY-21-2013-04-30",
        "MAY-21-2013-05-31",
    ]
    assert await service.refused("/v1/editions?report=CABINET", **ANYBODY) == (422, "filter-value-unknown")
    assert {one["report"] for one in (await service.read("/v1/report-calendar", **ANYBODY))["items"]} == {
        "MAY-21"
    }


async def test_two_editions_are_compared_and_whatever_came_moved_or_left_is_explained(
    published: Published,
) -> None:
    service, path = published.service, "/v1/editions/MAY-21-2013-04-30/changes/MAY-21-2013-05-31"
    told = await service.read(path)
    assert [(one["code"], one["what"], one["why"]) for one in told["items"]] == [
        ("INSIDE", "came", "published"),
        ("LATER", "moved", None),
        ("NEW", "came", "registered"),
        ("NODAY", "left", "hidden"),
        ("OTHER", "came", "registered"),
        ("RISK", "changed", None),
    ]
    assert told["sums"] == {"opening": 11, "came": 3, "left": 1, "closing": 13, "moved": 1}
    by_code = {one["code"]: one for one in told["items"]}
    assert by_code["INSIDE"]["because"]["reason"] == "Announced"
    assert by_code["NODAY"]["because"]["reason"] == "A trial"
    moved = by_code["LATER"]["changes"][0]
    assert (moved["what"], moved["before"], moved["after"]) == ("state", "delayed", "achieved_late")
    assert moved["because"]["type"] == "commitments.completed"
    (deadline,) = by_code["RISK"]["changes"]
    assert (deadline["what"], deadline["after"]) == ("public_deadline_on", "2014-06-30")
    assert deadline["because"]["reason"] == "The tender failed"
    # Of what is hidden now the public is told that it left, as both editions say, and nothing of why.
    public = {one["code"]: one for one in (await service.read(path, **ANYBODY))["items"]}
    assert public["NODAY"]["why"] == "hidden"
    assert public["NODAY"]["because"] is None
    assert public["RISK"]["changes"][0]["because"]["recorded_at"] is None
    first = await service.read(f"{path}?limit=2")
    rest = await service.read(first["next"])
    assert [*first["items"], *rest["items"]][:4] == told["items"][:4]


async def test_only_two_editions_of_one_report_compare_and_the_earlier_one_comes_first(
    published: Published,
) -> None:
    for other in (
        "CABINET-2013-04-30/changes/MAY-21-2013-05-31",
        "MAY-21-2013-05-31/changes/MAY-21-2013-04-30",
    ):
        refusal = await published.service.refused(f"/v1/editions/{other}")
        assert refusal == (422, "editions-not-comparable")


async def test_an_edition_still_comes_out_of_the_log_whatever_was_hidden_since(published: Published) -> None:
    for code in ("MAY-21-2013-04-30", "CABINET-2013-04-30", "MAY-21-2013-05-31"):
        anew = await published.service.read(f"/v1/editions/{code}/recomputation", role=Role.AUDITOR)
        assert (anew["same"], anew["differing"]) == (True, []), code
        assert "recomputed" not in anew


async def test_an_edition_can_be_judged_by_another_rule_and_stays_what_it_is(published: Published) -> None:
    path = "/v1/editions/MAY-21-2013-04-30"
    before = await published.service.read(path)
    rule = "traffic_light_1:grace_days=3650"
    anew = await published.service.read(f"{path}/recomputation?rule={rule}", role=Role.AUDITOR)
    assert (anew["status_rule"], anew["recomputed"]["edition"]["status_rule"]) == (rule, rule)
    late = {one["code"] for one in before["items"] if one["section"] == "delayed"}
    assert late == set(anew["differing"])
    assert "delayed" not in {one["section"] for one in anew["recomputed"]["items"]}
    assert anew["recomputed"]["totals"]["registered"] == before["totals"]["registered"]
    own = await published.service.read(f"{path}/recomputation?rule=traffic_light_1", role=Role.AUDITOR)
    assert (own["same"], own["recomputed"]) == (True, before)
    assert await published.service.read(path) == before


async def test_an_edition_that_no_longer_comes_out_of_the_log_is_named_with_what_is_told_otherwise(
    published: Published,
) -> None:
    stage, day_of = published.service.stage, Clock().day_of
    with stage.read_model.reading() as reading:
        checked = list(all_checked(reading, stage.store, day_of))
    assert [(one.code, one.same) for one in checked] == [
        ("MAY-21-2013-04-30", True),
        ("CABINET-2013-04-30", True),
        ("MAY-21-2013-05-31", True),
    ]
    for was, now in (("Goal of SLOW", "Another"), ("Another", "Goal of SLOW")):
        tamper(stage, f"UPDATE {{}}.commitments SET goal = '{now}' WHERE goal = '{was}'")  # noqa: S608
        with stage.read_model.reading() as reading:
            first = next(iter(all_checked(reading, stage.store, day_of)))
        assert first.anew is not None
        assert first.anew.differing == (["SLOW"] if now == "Another" else [])


async def test_what_is_hidden_while_an_edition_is_gathered_makes_it_be_gathered_anew(tmp_path: Path) -> None:
    hidden = VisibilityChanged(visibility=Visibility.RESERVED, reason="A trial")
    described = ReportRegistered(
        code="MAY-21",
        name="Speech",
        kind=ReportKind.ANNUAL_SPEECH,
        audience=Audience.PUBLIC,
        days_of_year=("05-21",),
    )
    with staged(f"sqlite:///{tmp_path / 'bitacora.db'}") as stage:
        tell(stage, promise("SHY"), Told("report", "MAY-21", described))
        live = LiveLog(stage.store, Clock())
        editions = Editions(live, Reports(live, OrganizationsByDay(live), PillarCodes(live)))
        gathered_at = []

        async def freeze(_: ReportChanged, proposed: EditionPublished) -> EditionPublished:
            gathered_at.append(stage.store.head())
            if len(gathered_at) == 1:
                tell(stage, on("SHY", hidden))
            packed, digest = kept(b"{}")
            return msgspec.structs.replace(
                proposed, position=1, status_rule="r", template="t", sha256=digest, content=packed
            )

        await live.start()
        try:
            proposed = EditionPublished(report="MAY-21", on=date(2013, 4, 30))
            await editions.publish(proposed, freeze, Command(actor=ACTOR, correlation_id="c-1"))
        finally:
            await live.stop()
    assert gathered_at == [2, 3]


async def test_the_calendar_says_what_was_published_in_time_late_or_not_at_all(published: Published) -> None:
    told = await published.service.read(
        "/v1/report-calendar?from=2012-01-01&to=2014-12-31&report=may-21", **ANYBODY
    )
    assert [(one["due_on"], one["publication"], one["edition"]) for one in told["items"]] == [
        ("2012-05-21", "missing", None),
        ("2013-05-21", "published", "MAY-21-2013-04-30"),
        ("2014-05-21", "due", None),
    ]
    cabinet = await published.service.read("/v1/report-calendar?report=CABINET")
    assert [(one["due_on"], one["publication"]) for one in cabinet["items"]] == [
        ("2013-01-10", "missing"),
        ("2013-05-10", "published"),
        ("2013-09-10", "due"),
    ]
    earlier = await published.service.read("/v1/report-calendar?report=MAY-21&on=2013-04-29")
    assert [one["publication"] for one in earlier["items"]] == ["due"]


async def test_the_same_request_sent_twice_publishes_once(published: Published) -> None:
    edition = {"report": "may-21", "on": "2013-04-30"}
    again = await send(published.service, "POST", "/v1/editions", edition, Idempotency_Key="first")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["code"] == "MAY-21-2013-04-30"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"report": "NONE", "on": "2013-04-30"}, "unknown-report"),
        ({"report": "MAY-21", "on": "2013-06-30"}, "day-to-come"),
        ({"report": "MAY-21", "on": "2013-04-30", "due_on": "2013-05-22"}, "not-a-due-day"),
        # Nor is it the account of a year after the next, before that of the next was given.
        ({"report": "MAY-21", "on": "2013-04-30", "due_on": "2015-05-21"}, "not-a-due-day"),
        ({"report": "MAY-21", "on": "2013-04-30", "published_on": "2013-04-29"}, "published-on-impossible"),
    ],
)
async def test_an_edition_that_cannot_be_is_refused(published: Published, body: Any, refusal: str) -> None:
    assert await refused(published.service, "POST", "/v1/editions", body) == (422, refusal)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"days_of_year": [], "every_months": None}, "due-days-unclear"),
        ({"every_months": 3}, "due-days-unclear"),
        ({"days_of_year": ["02-30"]}, "no-such-day"),
        ({"pillars": ["NONE"]}, "unknown-pillar"),
        ({"ended_on": "2010-01-01"}, "days-reversed"),
        ({"days_of_year": [], "every_months": 5}, "due-days-unclear"),
    ],
)
async def test_a_report_that_cannot_be_is_refused(published: Published, change: Any, refusal: str) -> None:
    assert await refused(published.service, "PUT", "/v1/reports/OTHER", SPEECH | change) == (422, refusal)


async def test_a_withdrawn_edition_stays_listed_with_its_reason_and_can_be_read(published: Published) -> None:
    """This comes last: it withdraws the edition of the end of May, and publishes another for the same day."""
    service, path = published.service, "/v1/editions/MAY-21-2013-05-31"
    before = await file(service, f"{path}.csv", **ANYBODY)
    reason = {"reason": "The figures of the roads were those of 2011"}
    assert await refused(service, "POST", f"{path}/withdrawals", reason) == (428, "if-match-required")
    assert await refused(service, "POST", f"{path}/withdrawals", {"reason": " "}, If_Match="*") == (
        422,
        "text-required",
    )
    await sent(service, "POST", f"{path}/withdrawals", reason, If_Match='"1"')
    assert await refused(service, "POST", f"{path}/withdrawals", reason, If_Match="*") == (
        409,
        "edition-withdrawn",
    )
    answer = await service.get(f"{path}.csv", **ANYBODY)
    assert answer.content == before
    assert answer.headers["Edition-Withdrawn-On"] == "2013-05-31"
    listed = (await service.read("/v1/editions", **ANYBODY))["items"][-1]
    assert (listed["withdrawn_on"], listed["withdrawn_reason"]) == ("2013-05-31", reason["reason"])
    then = await service.read(f"/v1/editions?position={listed['position']}", **ANYBODY)
    assert then["items"][-1]["withdrawn_on"] is None
    again = await sent(service, "POST", "/v1/editions", {"report": "MAY-21", "on": "2013-05-31"})
    assert again["code"] == "MAY-21-2013-05-31-2"


async def test_an_edition_is_known_by_its_code_in_whatever_capitals(published: Published) -> None:
    path = "/v1/editions/MAY-21-2013-04-30"
    for tail in ("", ".csv", "/changes/MAY-21-2013-05-31"):
        exact = await published.service.get(f"{path}{tail}", **ANYBODY)
        lower = await published.service.get(f"{path}{tail}".lower(), **ANYBODY)
        assert (lower.status_code, lower.content) == (200, exact.content)
    again = await send(
        published.service, "POST", f"{path}/withdrawals".lower(), {"reason": "x"}, If_Match='"9"'
    )
    assert again.status_code == 412


async def test_what_was_published_can_be_asked_for_by_its_report_though_that_is_for_others_now(
    published: Published,
) -> None:
    """This comes last: the account is given to the government alone from now on."""
    service = published.service
    asked = "/v1/editions?report=may-21"
    before = [one["code"] for one in (await service.read(asked, **ANYBODY))["items"]]
    await sent(service, "PUT", "/v1/reports/MAY-21", SPEECH | {"audience": "government"}, If_Match="*")
    assert [one["code"] for one in (await service.read(asked, **ANYBODY))["items"]] == before
    answer = await service.get("/v1/editions?report=none", **ANYBODY)
    assert answer.status_code == 422
