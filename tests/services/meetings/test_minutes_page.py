"""Minutes as a page and as PDF: what was said and settled, in either language, for those who may read it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.meetings.meeting import minutes_page
from services.meetings.meeting.minutes_page import WORDS
from shared.events.meeting_vocabulary import DecisionKind, Financing, ItemOutcome, Presence
from shared.events.vocabulary import DeadlineKind
from shared.identity.actor import Role
from tests.services.meetings.installation import HELD, Installation, item, refused, task

pytestmark = pytest.mark.anyio

HEALTH: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
EDUCATION: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINEDUC"}
FOLDER = Path(minutes_page.__file__).parent
BUDGET = {
    "text": "Twelve thousand million <more>",
    "kind": "budget",
    "commitments": ["SAL-1"],
    "budget_impact": {"amount": "12000", "currency": "CLP", "fiscal_year": 2013, "financing": "increase"},
}


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


async def page(service: Installation, meeting: str, **more: Any) -> str:
    """The minutes of a meeting as a page."""
    answer = await service.ask("GET", f"{meeting}/minutes.html", **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer.text


async def test_sealed_minutes_are_a_page_in_spanish_or_english_with_their_seal(service: Installation) -> None:
    meeting, done = await service.approved(
        await service.bilateral(), item(BUDGET, action_items=[task(decision=1)])
    )
    await service.post(f"{meeting}/errata", {"reads": "more", "should_read": "less", "reason": "A slip"})
    spanish = await page(service, meeting)
    for told in (
        '<html lang="es">',
        "<h1>Acta: Bilateral with Health, 14 de agosto de 2012</h1>",
        "<dt>BIL-MINSAL-2012-001",
        "Twelve thousand million &lt;more&gt;",
        "Presupuesto de 2013: 12.000 CLP, adicional",
        "Representado",
        "dice «more» y debe decir «less»",
        done["digest"],
    ):
        assert told in spanish, told
    english = await page(service, f"{meeting}", Accept_Language="en-GB")
    assert "<h1>Minutes: Bilateral with Health, 14 August 2012</h1>" in english
    assert "Budget of 2013: 12,000 CLP, added" in english
    asked = await service.ask("GET", f"{meeting}/minutes.html?lang=en", Accept_Language="es")
    assert asked.text == english
    held = await service.ask("GET", f"{meeting}/minutes.html?lang=en", If_None_Match=asked.headers["ETag"])
    assert held.status_code == 304
    assert refused(await service.ask("GET", f"{meeting}/minutes.html?lang=fr")) == (422, "request-invalid")


async def test_a_draft_says_so_and_is_nobodys_who_may_not_read_drafts(service: Installation) -> None:
    meeting = await service.convened(await service.bilateral())
    assert refused(await service.ask("GET", f"{meeting}/minutes.html")) == (404, "no-minutes")
    await service.post(f"{meeting}/attendance", HELD)
    await service.post(f"{meeting}/minutes", {"items": [item(BUDGET)]})
    assert "Borrador 1: esta acta no está aprobada." in await page(service, meeting)
    for reader, code in ((HEALTH, "no-minutes"), (EDUCATION, "unknown-meeting")):
        assert refused(await service.ask("GET", f"{meeting}/minutes.html", **reader)) == (404, code)


async def test_minutes_are_had_as_pdf_or_the_refusal_names_what_is_missing(
    service: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, _ = await service.approved(await service.bilateral(), item(BUDGET))
    answer = await service.ask("GET", f"{meeting}/minutes.pdf")
    if answer.status_code == 200:
        assert answer.content.startswith(b"%PDF")
        assert answer.headers["Content-Type"] == "application/pdf"
        again = await service.ask("GET", f"{meeting}/minutes.pdf", If_None_Match=answer.headers["ETag"])
        assert again.status_code == 304
    (tmp_path / "weasyprint.py").write_text("raise ImportError('none')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    missing = await service.ask("GET", f"{meeting}/minutes.pdf?lang=en")
    assert refused(missing) == (501, "pdf-not-installed")
    assert "bitacora[pdf]" in missing.json()["detail"]


def texts() -> Iterator[str]:
    """Every text of the page."""
    methods = [("templates/minutes.html", "jinja2.ext:babel_extract"), ("minutes_page.py", "python")]
    for _, _, text, *_ in extract_from_dir(FOLDER, methods, keywords={"_": None, "N_": None}):
        assert isinstance(text, str)
        yield text


def test_no_text_of_minutes_lacks_spanish_and_every_code_has_its_word() -> None:
    with (FOLDER / "locale/es.po").open("rb") as source:
        catalogue = {str(one.id): str(one.string) for one in read_po(source, locale="es") if one.id}
    assert set(texts()) == catalogue.keys()
    for text, told in catalogue.items():
        assert sorted(re.findall(r"%\(\w+\)s", text)) == sorted(re.findall(r"%\(\w+\)s", told)), text
        assert told
    for codes in (ItemOutcome, Presence, DecisionKind, Financing, DeadlineKind):
        assert {one.value for one in codes} <= WORDS.keys()
