"""The pages that people look at: whole, in both languages, of a day, without a script, and with nothing hidden."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import feedparser
import httpx
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from icalendar import Calendar

from services.reporting.pages import language as languages
from services.reporting.pages.feed import as_xml
from services.reporting.pages.language import WORDS, language
from services.reporting.pages.rules import FACTS, rules_told
from services.reporting.pages.signs import sign_told
from shared.aggregate.indicator_documents import sign_document
from shared.events.types import Kind
from shared.events.vocabulary import Visibility
from shared.languages import LANGUAGES, preferred
from shared.rules.indicator_warnings import DETAILS, WarningCode, WarningSign
from shared.rules.registry import AllOf, AnyOf, Is, rules_for
from shared.rules.sign_texts import STEP, parameters
from tests.services.reporting.installation import Installation
from tests.services.reporting.test_hidden_from_askers import ASKERS, SECRETS, comparable, served, twins_of

FOLDER = Path(languages.__file__).parent
VOID = {"meta", "link", "input", "br", "hr", "img"}
PAGES = (
    "/",
    "/commitments",
    "/commitments/OPEN-1",
    "/commitments/OPEN-3",
    "/commitments/OPEN-5",
    "/indicators",
    "/indicators/OPEN-RATE",
    "/plan",
    "/changes",
    "/meetings",
    "/editions",
    "/downloads",
    "/about",
    "/rules",
    "/pillars/security",
    "/reconciliation",
    "/reconciliation?by=state&term=registered&since=2012-01-01",
)
DAY = "2013-04-21"
BROWSER: dict[str, Any] = {"Accept": "text/html,application/xhtml+xml", **ASKERS["anybody"][0]}


class Seen(HTMLParser):
    """What a page is made of; AssertionError where an element is not closed in the order in which it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """See `HTMLParser`."""
        assert self._open, tag
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """See `HTMLParser`."""
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        """All its text, with single spaces."""
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the whole module."""
    return "asyncio"


@pytest.fixture(scope="module")
async def record(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The reporting service over a story with public and hidden things."""
    folder = tmp_path_factory.mktemp("pages")
    async with served(f"sqlite:///{folder / 'bitacora.db'}", folder, set(Visibility)) as running:
        yield running


async def shown(record: Installation, path: str, **headers: str) -> httpx.Response:
    """A page as a browser gets it."""
    given = {**BROWSER, **headers}
    return await record.get(path if "?on=" in path else asked(path, on=DAY), **given)


def asked(path: str, **query: str) -> str:
    """A page, asked besides."""
    return f"{path}{'&' if '?' in path else '?'}{urlencode(query)}"


@pytest.mark.parametrize("spoken", list(LANGUAGES))
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_whole_and_fit_for_everybody(record: Installation, path: str, spoken: str) -> None:
    answer = await shown(record, asked(path, lang=spoken))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(answer.content) < 100_000
    seen = Seen(answer.text)
    assert seen.all("html") == [{"lang": spoken}]
    assert len(seen.all("h1")) == len(seen.all("main")) == 1
    assert re.search(r"<title>[^<]+ · Bitácora</title>", answer.text)
    levels = [int(tag[1]) for tag, _ in seen.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    ids = [attributes["id"] for _, attributes in seen.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(one.get("role") == "img" and one.get("aria-label") for one in seen.all("svg"))
    assert all("scope" in one for one in seen.all("th"))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_takes_nothing_from_another_host_and_has_no_script(
    record: Installation, path: str
) -> None:
    answer = await shown(record, path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    seen = Seen(answer.text)
    assert seen.all("script") == []
    for _, attributes in seen.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    for tag, name in (("link", "href"), ("form", "action"), ("img", "src")):
        assert all((one[name] or "").startswith("/") for one in seen.all(tag))
    style = await record.get(seen.all("link")[0]["href"] or "")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_says_of_which_day_it_is_as_known_when_and_leads_to_the_same_as_json(
    record: Installation, path: str
) -> None:
    seen = Seen((await shown(record, asked(path, lang="en"))).text)
    assert "As of 21 April 2013, as known on" in seen.words
    (behind,) = [one["href"] for one in seen.all("link") if one.get("type") == "application/json"]
    assert behind is not None
    json = await record.get(behind, **BROWSER)
    assert json.status_code == 200
    body = json.json()
    assert body.get("on", body.get("to")) == DAY


async def test_every_address_on_a_page_leads_somewhere_and_keeps_the_day_and_the_language(
    record: Installation,
) -> None:
    addresses: set[str] = set()
    for path in PAGES:
        for one in Seen((await shown(record, asked(path, lang="en"))).text).all("a"):
            address = one["href"] or ""
            if (
                address.startswith("/")
                and not address.startswith("/v1")
                and not re.search(r"\.(atom|ics)", address)
            ):
                assert "lang=" in address, address
                assert "on=" in address, address
                addresses.add(address.partition("#")[0])
    assert len(addresses) > 20
    for address in addresses:
        assert (await record.get(address, **BROWSER)).status_code == 200, address


async def test_the_numbers_of_the_picture_are_those_of_the_table_and_of_the_board(
    record: Installation,
) -> None:
    text = (await shown(record, "/?lang=en")).text
    board = (await record.get(f"/v1/board?on={DAY}", **BROWSER)).json()["totals"]
    counts = {**board["by_status"], "merged": board["merged"], "split": board["split"]}
    for state, count in counts.items():
        told = re.escape(language("en").word(state))
        in_table = re.search(rf"{told}</span></th><td>([0-9,]+)</td>", text)
        in_picture = re.search(rf"<title>{told}: ([0-9]+)</title>", text)
        found = [0 if one is None else int(one[1]) for one in (in_table, in_picture)]
        assert found == [count, count], state


async def test_the_page_of_a_commitment_tells_each_state_with_the_event_behind_it(
    record: Installation,
) -> None:
    timeline = (await record.get(f"/v1/commitments/OPEN-1/timeline?on={DAY}", **BROWSER)).json()
    seen = Seen((await shown(record, "/commitments/OPEN-1?lang=en")).text)
    for days in timeline["items"]:
        assert language("en").day(days["from_on"]) in seen.words
        if days["because"].get("reason"):
            assert days["because"]["reason"] in seen.words


@pytest.mark.parametrize(
    ("code", "told", "other"),
    [
        ("OPEN-5", "Split into parts", "Merged into another"),
        ("OPEN-2", "Merged into another", "Split into parts"),
    ],
)
async def test_what_was_split_is_never_told_as_merged(
    record: Installation, code: str, told: str, other: str
) -> None:
    text = (await shown(record, f"/commitments/{code}?lang=en")).text
    in_table = re.findall(r"<tr><th scope=\"row\">.*?</th><td>.*?</span> ([^<]+)</span>", text)
    assert in_table[-1] == told
    assert other not in text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("path", [path for path in PAGES if "?" not in path])
async def test_on_the_first_and_the_last_of_all_days_there_is_a_page_as_well(
    record: Installation, path: str, day: str
) -> None:
    answer = await shown(record, f"{path}?on={day}")
    assert answer.status_code == 200 or (day < DAY and answer.status_code == 404)


async def test_pages_speak_spanish_unless_a_browser_or_an_address_asks_for_english(
    record: Installation,
) -> None:
    assert "Cómo va el plan" in (await shown(record, "/")).text
    english = await shown(record, "/", **{"Accept-Language": "en-US,en;q=0.9"})
    assert "How the plan stands" in english.text
    assert "Accept-Language" in english.headers["vary"]
    assert "Cómo va el plan" in (await shown(record, "/?lang=es", **{"Accept-Language": "en"})).text
    assert "21 de abril de 2013" in (await shown(record, "/")).text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "es"),
        ("en", "en"),
        ("fr, en;q=0.5", "en"),
        ("en;q=0.3, es-CL", "es"),
        ("*", "es"),
        (";;q=x,é", "es"),
        ("fr, en; q=0.5", "en"),
        ("en;q=0", "es"),
    ],
)
def test_the_language_is_the_first_there_is_of_those_a_browser_asks_for(header: str, code: str) -> None:
    assert preferred(header) == code


def test_days_and_numbers_are_written_as_they_are_in_chile() -> None:
    assert language("es").day(date(2012, 5, 21)) == "21 de mayo de 2012"
    assert language("es").number(Decimal("1234.5")) == "1.234,5"
    assert language("en").number(Decimal("1234.5")) == "1,234.5"
    # A value is shown as it was recorded, to the last digit.
    assert language("en").number(Decimal("0.12345678901234567")) == "0.12345678901234567"


async def test_the_register_of_meetings_is_paged_through_and_no_body_is_left_out(
    record: Installation,
) -> None:
    bodies = (await record.read(asked("/v1/meeting-register", on=DAY, **{"from": "2013-01-01"}), role=None))[
        "items"
    ]
    first, *others = [one["name"] or one["body"] for one in bodies]
    assert others
    headings = re.findall("<h2>([^<]+)</h2>", (await shown(record, "/meetings")).text)
    assert headings == [first, *others]
    following = (await shown(record, asked("/meetings", after=bodies[0]["body"]))).text
    assert re.findall("<h2>([^<]+)</h2>", following) == others
    assert 'rel="next"' not in following


async def test_the_waterfall_adds_up_and_each_of_its_terms_leads_to_the_commitments_behind_it(
    record: Installation,
) -> None:
    page = "/reconciliation?by=state&since=2012-01-01"
    text = (await shown(record, asked(page, lang="en"))).text
    first, *steps, last = re.findall(r"<title>([^<]+): ([−+]?\d+)</title>", text)
    counts = [int(count.replace("−", "-")) for _, count in (first, *steps)]
    assert sum(counts) == int(last[1])
    board = (await record.get(f"/v1/board?on={DAY}", **BROWSER)).json()["totals"]
    assert int(last[1]) == board["registered"]
    assert steps
    seen = Seen(text)
    for (name, count), link in zip(
        steps, [one["href"] for one in seen.all("a") if "term=" in (one["href"] or "")], strict=True
    ):
        behind = Seen((await record.get((link or "").partition("#")[0], **BROWSER)).text)
        codes = {one["href"] for one in behind.all("a") if "/commitments/" in (one["href"] or "")}
        assert len(codes) == abs(int(count.replace("−", "-"))), name


async def test_the_page_of_a_pillar_counts_what_is_in_it_and_nothing_else(record: Installation) -> None:
    text = (await shown(record, "/pillars/security?lang=en")).text
    board = (await record.get(f"/v1/board?on={DAY}&pillar=security", **BROWSER)).json()
    assert f'<tfoot><tr><th scope="row">All</th><td>{board["totals"]["registered"]}</td>' in text
    within = {item["code"] for item in board["items"]}
    named = {
        (one["href"] or "").partition("?")[0].rpartition("/")[2]
        for one in Seen(text).all("a")
        if (one["href"] or "").startswith("/commitments/")
    }
    assert named <= within


FEEDS = ("/news.atom", "/pillars/security/news.atom", "/commitments/OPEN-1/news.atom")
ATOM = "{http://www.w3.org/2005/Atom}"


CALENDAR = "/deadlines.ics"


@pytest.mark.parametrize("path", FEEDS)
async def test_the_news_keep_every_rule_that_an_atom_feed_has(record: Installation, path: str) -> None:
    answer = await shown(record, path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml")
    feed = ET.fromstring(answer.text)  # noqa: S314 - our own
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    assert entries
    for one in (feed, *entries):
        for name in ("id", "title", "updated"):
            (only,) = one.findall(f"{ATOM}{name}")
            assert only.text
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one.findtext(f"{ATOM}id") or "")
        instant = datetime.fromisoformat(one.findtext(f"{ATOM}updated") or "")
        assert instant.tzinfo is not None
        assert instant.time() == time.min  # a day and no instant
        links = [
            (link.get("rel"), link.get("type"), link.get("hreflang")) for link in one.findall(f"{ATOM}link")
        ]
        assert len(links) == len(set(links))
        assert all((link.get("href") or "").startswith("http://") for link in one.findall(f"{ATOM}link"))
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Bitácora"
    assert [link.get("rel") for link in feed.findall(f"{ATOM}link")] == ["self", "alternate"]
    ids = [one.findtext(f"{ATOM}id") for one in (feed, *entries)]
    assert len(ids) == len(set(ids))
    for one in entries:
        content = one.find(f"{ATOM}content")
        assert content is not None
        assert content.get("type") == "xhtml"
        assert [child.tag for child in content] == ["{http://www.w3.org/1999/xhtml}div"]


@pytest.mark.parametrize("path", FEEDS)
async def test_a_program_reads_the_news_the_latest_first_and_each_leads_to_a_page(
    record: Installation, path: str
) -> None:
    found = feedparser.parse((await shown(record, asked(path, lang="en"))).content)
    assert not found.bozo
    assert found.version == "atom10"
    updated = [one.updated for one in found.entries]
    assert updated == sorted(updated, reverse=True)
    assert found.feed.updated == max(updated)
    for one in found.entries:
        page = await record.get(one.link.removeprefix("http://test"), **BROWSER)
        assert page.status_code == 200, one.link


async def test_the_news_of_a_commitment_tell_each_day_on_which_its_state_became_another(
    record: Installation,
) -> None:
    day = "2014-03-10"
    timeline = (await record.get(f"/v1/commitments/OPEN-1/timeline?on={day}", **BROWSER)).json()
    before, after = timeline["items"][:2]
    assert (before["status"], after["status"]) == ("on_time", "delayed")
    for path in ("/commitments/OPEN-1/news.atom", "/news.atom"):
        text = (await record.get(asked(path, lang="en", on=day), **BROWSER)).text
        assert f"<p>{language('en').day(after['from_on'])}: Delayed</p>" in text
        assert ": Delayed</title>" in text


async def test_an_entry_keeps_its_id_whatever_day_and_language_the_feed_is_asked_for(
    record: Installation,
) -> None:
    def ids(answer: httpx.Response) -> dict[str, str]:
        return {
            one.link.partition("?")[0] + one.title: one.id for one in feedparser.parse(answer.content).entries
        }

    one = ids(await shown(record, "/news.atom?lang=en"))
    later = ids(await record.get("/news.atom?lang=en&on=2013-04-25", **BROWSER))
    assert one.keys() & later.keys()
    assert all(later[name] == one[name] for name in one.keys() & later.keys())
    assert {*ids(await shown(record, "/news.atom?lang=es")).values()} == {*one.values()}


async def test_news_that_a_reader_has_already_are_not_sent_again(record: Installation) -> None:
    answer = await shown(record, "/news.atom")
    again = await shown(record, "/news.atom", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "feeds"),
    [("/about", FEEDS[:1]), ("/pillars/security", FEEDS[:2]), ("/commitments/OPEN-1", (FEEDS[0], FEEDS[2]))],
)
async def test_a_program_finds_the_news_of_a_page_by_itself_and_those_go_on(
    record: Installation, path: str, feeds: tuple[str, ...]
) -> None:
    seen = Seen((await shown(record, f"{path}?lang=es")).text)
    links = [one["href"] for one in seen.all("link") if one.get("type") == "application/atom+xml"]
    assert links == [f"{feed}?lang=es" for feed in feeds]


async def test_a_calendar_program_finds_every_public_deadline_on_its_day(record: Installation) -> None:
    answer = await shown(record, CALENDAR)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    read = Calendar.from_ical(answer.content)
    board = (await record.get(f"/v1/board?on={DAY}&limit=200", **BROWSER)).json()["items"]
    wanted = {
        f"{item['id']}@bitacora": (item["public_deadline_on"], item["public_deadline_revisions"])
        for item in board
        if (item["public_deadline_on"] or "") >= "2012-01-01" and item["status"] not in (None, "discarded")
    }
    assert wanted
    events = read.walk("VEVENT")
    assert {
        str(one["uid"]): (one.decoded("dtstart").isoformat(), one["sequence"]) for one in events
    } == wanted
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT12H" in answer.text
    again = await shown(record, CALENDAR, **{"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_what_no_document_in_xml_may_hold_is_left_out_of_the_news() -> None:
    assert as_xml("a\x0bb\x00c\ud800\ufffe é\n") == "abc é\n"


def _words_in(condition: Any) -> Iterator[str]:
    match condition:
        case Is(field, word):
            yield from (field, str(word))
        case AllOf(conditions) | AnyOf(conditions):
            for one in conditions:
                yield from _words_in(one)


def test_every_line_of_every_rule_is_told_in_words_that_have_no_code_in_them() -> None:
    for kind in Kind:
        for rule in rules_for(kind):
            for line in rule.lines:
                codes = {*_words_in(line.when), *([str(line.verdict)] if line.verdict else [])}
                assert codes <= {*FACTS, *WORDS}, rule.name
    told = [one for _, rules in rules_told(language("es")) for one in rules]
    light = next(one for one in told if one.name == "traffic_light_1")
    assert light.current
    assert ("delayed", "el plazo público pasó hace más de estos días: grace_days") in light.lines


@pytest.mark.parametrize("code", list(WarningCode))
def test_a_warning_sign_is_told_in_spanish_with_the_same_days_and_values(code: WarningCode) -> None:
    day = date(2012, 5, 21)
    values: dict[str, Any] = {
        name: day if name == "on" or name.endswith("_on") else f"<{name}>"
        for name in re.findall(r"\{(\w+)\}", DETAILS[code])
    }
    values |= {name: Decimal("1234.5") for name in ("level", "previous", "value") if name in values}
    values |= (
        {"steps": [{"level": Decimal(5), "on": day, "value": Decimal("4.5")}]} if "steps" in values else {}
    )
    values |= {"fields": ["source", "unit"]} if "fields" in values else {}
    document = sign_document(WarningSign(code, parameters(values), (1,)))
    assert "{" not in document.detail
    assert ("2012-05-21" in document.detail) == (day in values.values() or "steps" in values)
    told = sign_told(document, language("es"))
    for name, value in values.items():
        expected = {"steps": "5 al 21 de mayo de 2012 después de 4,5", "fields": "fuente, unidad"}.get(name)
        match value:
            case date():
                expected = "21 de mayo de 2012"
            case Decimal():
                expected = "1.234,5"
        assert (expected or value) in told, name
    assert "2012-05-21" not in told


def texts() -> Iterator[Any]:
    """Every text of the pages, as its template or its code has it."""
    methods = [
        ("**.html", "jinja2.ext:babel_extract"),
        ("**.atom", "jinja2.ext:babel_extract"),
        ("**.py", "python"),
    ]
    keywords = {"_": None, "N_": None, "text": None, "ngettext": (1, 2)}
    options = {"**.html": {"trimmed": "true"}}
    yield from {found[2] for found in extract_from_dir(FOLDER, methods, options, keywords)}
    for rule in (one for kind in Kind for one in rules_for(kind)):
        yield from (rule.source, *(one.meaning for one in rule.parameters))
    yield from (*DETAILS.values(), STEP)


def _forms(translation: Any) -> tuple[str | None, ...]:
    return translation if isinstance(translation, tuple) else (translation,)


def test_no_text_lacks_a_language_and_none_is_kept_that_is_not_shown() -> None:
    with (FOLDER / "locale/es.po").open("rb") as source:
        catalogue = {message.id: message for message in read_po(source, locale="es") if message.id}
    wanted = set(texts())
    assert len(wanted) > 100
    assert wanted == catalogue.keys()
    for text, message in catalogue.items():
        told = [one or "" for one in _forms(message.string)]
        assert all(told), text
        assert not message.fuzzy, text
        places = set(re.findall(r"%\(\w+\)s", text if isinstance(text, str) else text[1]))
        assert all(set(re.findall(r"%\(\w+\)s", one)) == places for one in told), text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/commitments/NOBODY", 404),
        ("/commitments/HID-1", 404),
        ("/indicators/NOBODY", 404),
        ("/?on=2012-02-30", 422),
        ("/commitments?organization=NOBODY", 422),
        ("/changes?since=2099-01-01&on=2013-01-01", 422),
        ("/?nothing=of-the-kind&lang=xx", 422),
    ],
)
async def test_where_there_is_no_page_a_page_says_so(record: Installation, path: str, status: int) -> None:
    answer = await record.get(path, **BROWSER)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(Seen(answer.text).all("h1")) == 1
    assert answer.headers["cache-control"] == "no-store"


async def test_it_names_the_parameters_that_it_does_not_understand(record: Installation) -> None:
    answer = await record.get("/changes?from=2012-05-21&on=2013-02-30&lang=en&%3Cb%3E=1", **BROWSER)
    assert answer.status_code == 422
    assert "on, from, &lt;b&gt;" in answer.text


async def test_a_page_that_a_proxy_holds_already_is_not_sent_again(record: Installation) -> None:
    answer = await shown(record, "/")
    assert answer.headers["cache-control"] == "public, max-age=5"
    again = await shown(record, "/", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_script_that_asks_for_json_at_the_root_is_told_what_the_service_is(
    record: Installation,
) -> None:
    answer = await record.get("/", Accept="application/json")
    assert answer.json()["openapi"] == "/openapi.json"


@pytest.mark.parametrize("asker", list(ASKERS))
async def test_a_page_is_what_it_would_be_if_nothing_were_hidden_because_nothing_was_there(
    tmp_path: Path, asker: str
) -> None:
    who, seen = ASKERS[asker]
    for name in ("whole", "without"):
        (tmp_path / name).mkdir()
    logs = [f"sqlite:///{tmp_path / name / 'bitacora.db'}" for name in ("whole", "without")]
    secrets = [secret for secret in SECRETS if Visibility.INTERNAL not in seen or secret != b"INS-"]
    hidden = (
        "/commitments/HID-1",
        "/indicators/HID-RATE",
        "/commitments?q=reservado",
        "/commitments?pillar=security",
        "/commitments/HID-1/news.atom",
    )
    async with twins_of(logs, tmp_path, seen) as twins:
        for path in (*PAGES, *FEEDS, CALENDAR, f"{CALENDAR}?pillar=security", *hidden):
            for day in (DAY, "2013-03-12"):
                page = asked(path, on=day, lang="en")
                one, other = [
                    await twin.get(page, X_Request_Id="r", Accept="text/html", **who) for twin in twins
                ]
                assert comparable(one) == comparable(other), page
                assert one.status_code < 500, page
                told = one.content.replace(path.encode(), b"")
                assert one.status_code != 200 or not [secret for secret in secrets if secret in told], page
