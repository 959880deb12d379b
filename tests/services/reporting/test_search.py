"""What a search finds, in which order, for whom: the same on both engines, and what a plain look at the texts says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from services.reporting.comparison import compare
from services.reporting.queries.access import Scope
from services.reporting.queries.board import list_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.terms import search_for
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.events.commitments import (
    ChangeableField,
    Corrected,
    Origin,
    ProgressReported,
    ProgressReviewed,
    Registered,
)
from shared.events.meetings import AgendaItem, MinutesApproved, MinutesDrafted, MinutesItem
from shared.events.vocabulary import OriginKind, ReviewOutcome, Visibility
from tests.services.reporting.gatherings import Told, committee, convened, held, tell
from tests.services.reporting.histories import changed
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, staged

FIRST = date(2012, 1, 1)
ANYBODY: dict[str, Any] = {"role": None}


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """An empty log with its read model."""
    with staged(log_url) as made:
        yield made


def promise(code: str, title: str, **more: Any) -> Told:
    """A commitment, public unless it says otherwise."""
    named: dict[str, Any] = {
        "visibility": Visibility.PUBLIC,
        "lead_organization": "MOP",
        "effective_on": FIRST,
    }
    return Told("commitment", code, Registered(**named | {"code": code, "title": title} | more))


# --- against a plain look at the texts -----------------------------------------------------------------------------

FAMILIES = (
    ("educación", "educacion", "Educaciones", "EDUCACIÓN"),
    ("jóvenes", "joven", "Jovenes"),
    ("pública", "publicos", "PÚBLICO"),
    ("hospital", "hospitales", "Hospitales"),
    ("niña", "NIÑAS", "nina"),
    ("región", "regiones", "Region"),
    ("2012",),
)
"""Words of which those of one family are one to whoever searches, and of no two families."""
LITTLE = ("de", "la", "y", "Con")
PLAIN = str.maketrans("áéíóúüñ", "aeiouun")


class Word(NamedTuple):
    """A word of a text: of which family, and how it is written."""

    family: int
    written: str


def sentence(draw: Random, most: int) -> list[Word | str]:
    """Words of families, with little words and signs between them."""
    found: list[Word | str] = []
    for _ in range(draw.randint(1, most)):
        family = draw.randrange(len(FAMILIES))
        found.append(Word(family, draw.choice(FAMILIES[family])))
        found += draw.choice(([], [], [draw.choice(LITTLE)]))
    return found


def written(words: list[Word | str], draw: Random) -> str:
    """A sentence as somebody would write it."""
    return "".join(
        f"{one.written if isinstance(one, Word) else one}{draw.choice((' ', ', ', ' - '))}" for one in words
    )


class Look(NamedTuple):
    """One thing looked for, as a person means it."""

    families: tuple[int, ...] = ()
    beginning: str = ""
    excluded: bool = False

    def is_in(self, words: list[Word]) -> bool:
        """Whether a text has it, by comparing word after word."""
        if self.beginning:
            return any(one.written.lower().translate(PLAIN).startswith(self.beginning) for one in words)
        length = len(self.families)
        return any(
            tuple(one.family for one in words[at : at + length]) == self.families for at in range(len(words))
        )


def question(draw: Random) -> tuple[str, list[Look]]:
    """A search, and what is meant by it."""
    parts, looks = [], []
    for number in range(draw.randint(1, 3)):
        excluded = number > 0 and draw.random() < 0.4
        families = [draw.randrange(len(FAMILIES)) for _ in range(draw.choice((1, 1, 2)))]
        words = [draw.choice(FAMILIES[one]) for one in families]
        if draw.random() < 0.2:
            beginning = words[0].lower().translate(PLAIN)[:4]
            text, look = f"{words[0][:4]}*", Look(beginning=beginning, excluded=excluded)
        elif len(families) == 1:
            text, look = words[0], Look((families[0],), excluded=excluded)
        else:
            text, look = f'"{" de ".join(words)}"', Look(tuple(families), excluded=excluded)
        parts.append(f"-{text}" if excluded else text)
        looks.append(look)
    return " ".join([*parts, draw.choice(LITTLE)]), looks


class Text(NamedTuple):
    """Something said of a commitment: from which day on until which, from which position on until which."""

    code: str
    title: bool
    words: list[Word]
    days: tuple[date, date]
    known: tuple[int, int]
    public: bool = True


class Library:
    """Commitments with random texts, and what was said when, kept by hand."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.draw = Random(seed)
        self.texts: list[Text] = []
        self.registered: dict[str, int] = {}
        self.stage = stage
        for number in range(25):
            self._commitment(f"C-{number:02}")
        for number in range(8):
            self._meeting(f"M-{number}")

    def _said(self, most: int = 6) -> tuple[list[Word], str]:
        words = sentence(self.draw, most)
        return [one for one in words if isinstance(one, Word)], written(words, self.draw)

    def _day(self) -> date:
        return FIRST + timedelta(days=self.draw.randrange(10))

    def _commitment(self, code: str) -> None:
        draw = self.draw
        (title, title_text), (goal, goal_text), (quote, quote_text) = (self._said() for _ in range(3))
        key_words = [self._said(2) for _ in range(draw.randrange(3))]
        origin = Origin(kind=OriginKind.OTHER_SPEECH, quote=quote_text)
        made = promise(
            code, title_text, goal=goal_text, origin=origin, key_words=tuple(text for _, text in key_words)
        )
        at = tell(self.stage, made).last
        self.registered[code] = at
        always = (FIRST, date.max)
        known = {"goal": (at, 2**40), "quote": (at, 2**40)}
        day, (new, new_text) = self._day(), self._said()
        until = date.max
        match draw.randrange(3):
            case 0:
                at_change = tell(
                    self.stage, Told("commitment", code, changed(ChangeableField.TITLE, new_text, day))
                ).last
                self.texts.append(Text(code, True, title, always, (at, at_change)))
                self.texts.append(Text(code, True, title, (FIRST, day), (at_change, 2**40)))
                self.texts.append(Text(code, True, new, (day, until), (at_change, 2**40)))
            case 1:
                self.texts.append(Text(code, True, title, always, (at, 2**40)))
                correction = Corrected(field="goal", value=new_text, reason="It was mistyped")
                at_change = tell(self.stage, Told("commitment", code, correction)).last
                known["goal"] = (at, at_change)
                self.texts.append(Text(code, False, new, always, (at_change, 2**40)))
            case _:
                self.texts.append(Text(code, True, title, always, (at, 2**40)))
        self.texts += [
            Text(code, False, goal, always, known["goal"]),
            Text(code, False, quote, always, known["quote"]),
            *(Text(code, False, words, always, (at, 2**40)) for words, _ in key_words),
        ]
        self._report(code)

    def _report(self, code: str) -> None:
        words, text = self._said(400 if code.endswith("7") else 8)
        day, outcome = self._day(), self.draw.choice(list(ReviewOutcome))
        told = ProgressReported(number=1, period="2011", effective_on=day, observed_progress=text)
        review = ProgressReviewed(report=1, outcome=outcome, reason="It is so")
        at = tell(self.stage, Told("commitment", code, told), Told("commitment", code, review)).last
        if outcome is ReviewOutcome.ACCEPTED:
            self.texts.append(Text(code, False, words, (day, date.max), (at, 2**40)))

    def _meeting(self, code: str) -> None:
        of = self.draw.choice(list(self.registered))
        public, day = self.draw.random() < 0.5, self._day()
        visibility = Visibility.PUBLIC if public else Visibility.RESERVED
        (title, title_text), (summary, summary_text) = self._said(3), self._said()
        agenda = (AgendaItem(number=1, title=title_text, commitments=(of,)),)
        minutes = MinutesDrafted(draft=1, items=(MinutesItem(agenda_item=1, summary=summary_text),))
        tell(
            self.stage,
            convened("SEG", code, day, visibility=visibility, agenda=agenda),
            held(code, day),
            Told("meeting", code, minutes),
        )
        at = tell(self.stage, Told("meeting", code, MinutesApproved(draft=1, digest="0"))).last
        for words in (title, summary):
            self.texts.append(Text(of, False, words, (day, date.max), (at, 2**40), public))

    def expected(self, looks: list[Look], on: date, position: int, scope: Scope) -> list[str]:
        """The codes of what should be found, in their order."""
        told = [
            one
            for one in self.texts
            if one.days[0] <= on < one.days[1]
            and one.known[0] <= position < one.known[1]
            and (one.public or scope is EVERYTHING)
        ]
        found = []
        for code, registered_at in self.registered.items():
            own = [one for one in told if one.code == code]
            titles = [one for one in own if one.title]
            if on < FIRST or registered_at > position:
                continue
            wanted = [look for look in looks if not look.excluded]
            if not all(any(look.is_in(one.words) for one in own) != look.excluded for look in looks):
                continue
            in_title = all(any(look.is_in(one.words) for one in titles) for look in wanted)
            found.append((not in_title, -registered_at, code))
        return [code for *_, code in sorted(found)]


@pytest.mark.parametrize("seed", range(3))
def test_both_engines_find_what_a_plain_look_at_the_texts_finds_in_the_same_order(
    stage: Stage, seed: int
) -> None:
    library = Library(stage, seed)
    stage.follow()
    draw, hits = library.draw, 0
    with stage.read_model.reading() as reading:
        for _ in range(120):
            text, looks = question(draw)
            on, position = library._day(), draw.choice((reading.position, draw.randint(1, reading.position)))
            scope = draw.choice((EVERYTHING, PUBLIC))
            found = list_as_of(
                reading, AsOf(on, position, None), scope, {}, search_for(text), limit=200, count=True
            )
            expected = library.expected(looks, on, position, scope)
            assert [item.code for item in found.items] == expected, (text, on, position)
            assert found.total == len(expected)
            hits += len(expected)
    assert hits > 200


def test_a_read_model_built_anew_finds_the_same(stage: Stage) -> None:
    Library(stage, 9)
    stage.follow()
    followed = stage.rows()
    stage.rebuild()
    assert stage.rows() == followed
    assert compare(stage.store, stage.read_model, Clock()).agrees
    with stage.read_model.reading() as reading:
        at = AsOf(FIRST + timedelta(days=20), reading.position, None)
        assert list_as_of(reading, at, EVERYTHING, {}, search_for("educación"), limit=200).items


def test_a_phrase_is_found_wherever_it_stands_in_a_long_text(stage: Stage) -> None:
    words = [f"palabra{number}" for number in range(1000)]
    tell(stage, promise("LONG", "A title", goal=" ".join(words)), promise("SAME", "Casa " * 400))
    stage.follow()
    with stage.read_model.reading() as reading:
        at = AsOf(FIRST, reading.position, None)

        def codes(text: str) -> list[str | None]:
            return [item.code for item in list_as_of(reading, at, EVERYTHING, {}, search_for(text)).items]

        for start in range(0, 980, 7):
            assert codes(f'"{" ".join(words[start : start + 20])}"') == ["LONG"]
        assert codes('"palabra3 palabra5"') == []
        assert codes('"casa casa casa"') == ["SAME"]


@pytest.mark.parametrize(
    "text", ['"abierta', "de la", "-educación", "*", "e*", "a-b*", " ".join(["x1"] * 30), "!"]
)
def test_a_search_that_says_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        search_for(text)
    assert refused.value.code == "search-unclear"


# --- as a client sees it -------------------------------------------------------------------------------------------


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Path) -> AsyncIterator[Installation]:
    """The service over a few promises of education, one of them for few."""
    tell(
        stage,
        promise("EDU-1", "Más educación pública", goal="Quality"),
        promise("EDU-2", "Schools", goal="Educación, la mejor"),
        promise("EDU-3", "Educaciones", visibility=Visibility.RESERVED),
        promise("EDU-4", "Educacion superior"),
        committee("SEG"),
    )
    stage.follow()
    async with Installation(tmp_path, stage).running() as running:
        yield running


async def codes(reporting: Installation, query: str, **who: Any) -> list[str]:
    """The codes of a list."""
    return [item["code"] for item in (await reporting.read(f"/v1/commitments?{query}", **who))["items"]]


async def test_accents_capitals_and_inflections_make_no_difference_and_titles_come_first(
    reporting: Installation,
) -> None:
    for word in ("educacion", "Educaci%C3%B3n", "EDUCACIONES"):
        assert await codes(reporting, f"q={word}") == ["EDU-4", "EDU-3", "EDU-1", "EDU-2"]
        assert await codes(reporting, f"q={word}", **ANYBODY) == ["EDU-4", "EDU-1", "EDU-2"]
    assert await codes(reporting, "q=educacion%20-superior&participant=MOP".partition("&")[0]) == [
        "EDU-3",
        "EDU-1",
        "EDU-2",
    ]
    assert await codes(reporting, 'q="educacion+publica"') == ["EDU-1"]
    assert await codes(reporting, "q=supe*", **ANYBODY) == ["EDU-4"]
    assert await reporting.refused("/v1/commitments?q=de") == (422, "search-unclear")
    excluding = await reporting.get("/v1/commitments?q=-superior", **ANYBODY)
    assert "What is excluded alone looks for nothing" in excluding.json()["detail"]


async def test_a_code_typed_whole_finds_its_commitment_first_for_whoever_may_read_it(
    reporting: Installation,
) -> None:
    tell(reporting.stage, promise("OTHER", "As in EDU-2 before"), promise("LAW", "Like EDU-3"))
    await asyncio.to_thread(reporting.stage.follow)
    for typed in ("EDU-2", "edu-2", "%20EDU-2%20"):
        assert await codes(reporting, f"q={typed}", **ANYBODY) == ["EDU-2", "OTHER"], typed
    assert await codes(reporting, "q=EDU-3") == ["EDU-3", "LAW"]
    assert await codes(reporting, "q=EDU-3", **ANYBODY) == ["LAW"]
    assert await codes(reporting, "q=EDU-9") == []
    page = await reporting.read("/v1/commitments?q=EDU-2&limit=1", **ANYBODY)
    page = await reporting.read(page["next"], **ANYBODY)
    assert ([item["code"] for item in page["items"]], page["next"]) == (["OTHER"], None)


async def test_pages_of_a_search_go_on_in_its_order(reporting: Installation) -> None:
    found, page = [], await reporting.read("/v1/commitments?q=educacion&limit=1&include=total", **ANYBODY)
    assert page["total"] == 3
    while True:
        found += [item["code"] for item in page["items"]]
        if page["next"] is None:
            break
        page = await reporting.read(page["next"], **ANYBODY)
    assert found == ["EDU-4", "EDU-1", "EDU-2"]


async def test_what_anybody_is_told_may_be_kept_by_a_proxy_for_a_moment(reporting: Installation) -> None:
    for path in ("/v1/commitments?q=educacion", "/v1/commitments/EDU-1", "/v1/board"):
        answer = await reporting.get(path, **ANYBODY)
        assert answer.headers["cache-control"] == "public, max-age=5"
        assert "Authorization" in answer.headers["vary"]
        assert answer.headers["log-position"] == str(answer.json()["position"])
        held_already = await reporting.get(path, If_None_Match=answer.headers["etag"], **ANYBODY)
        assert (held_already.status_code, held_already.content) == (304, b"")
        assert held_already.headers["cache-control"] == "public, max-age=5"
        assert (await reporting.get(path)).headers["cache-control"] == "private, no-cache"
