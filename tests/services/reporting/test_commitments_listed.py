"""The list of commitments and its filters, which the board has as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.reporting.queries.board import FILTERS, board_as_of, list_as_of
from services.reporting.queries.moments import AsOf
from shared.events.commitments import (
    ChangeableField,
    LeadReassigned,
    Origin,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
)
from shared.events.facts import Event
from shared.events.vocabulary import Nature, OriginKind, ReviewOutcome, Visibility
from tests.services.reporting.histories import changed, changed_in
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import EVERYTHING, Stage, staged

FIRST = date(2012, 1, 1)
ANYBODY: dict[str, Any] = {"role": None}


def promised(code: str, **more: Any) -> Registered:
    """A commitment that anybody may know of."""
    named: dict[str, Any] = {"title": f"Title of {code}", "lead_organization": "MOP", "effective_on": FIRST}
    return Registered(**{"code": code, "visibility": Visibility.PUBLIC} | named | more)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """An empty log with its read model."""
    with staged(log_url) as made:
        yield made


# --- against a plain replay ----------------------------------------------------------------------------------------

VALUES: dict[str, tuple[Any, ...]] = {
    "adviser": ("u-1", "u-2", None),
    "responsible_service": ("CARABINEROS", "PDI", None),
    "stage": ("Draft", "In Congress", None),
    "parent": ("P-1", "P-2", None),
    "key_words": (("Educación",), ("educacion", "Calidad"), ()),
    "collaborating_organizations": (("MINSAL",), ("MINSAL", "MINEDUC"), ()),
}
"""What may change, and into what."""
ASKED: dict[str, tuple[str, ...]] = {
    "adviser": ("u-1", "u-2"),
    "responsible_service": ("CARABINEROS", "PDI"),
    "stage": ("Draft", "In Congress"),
    "parent": ("P-1", "P-2"),
    "key_word": ("EDUCACIÓN", "calidad"),
    "participant": ("MINSAL", "MINEDUC", "CARABINEROS", "MOP", "MOPTT"),
    "source": ("Speech of 2011", "Programme"),
    "nature": tuple(Nature),
    "deadline_from": ("2012-01-04", "2012-01-08"),
    "deadline_to": ("2012-01-04", "2012-01-08"),
}


def history(draw: Random) -> list[Event]:
    """A commitment whose classification changes, told out of order."""
    source = draw.choice(("Speech of 2011", "Programme", None))
    due = draw.choice((None, PublicDeadline(on=_day(draw))))
    own = {name: draw.choice(values) for name, values in VALUES.items()}
    nature = draw.choice((None, *Nature))
    origin = Origin(kind=OriginKind.OTHER_SPEECH, source=source)
    told: list[Event] = [promised("C", origin=origin, public_deadline=due, nature=nature, **own)]
    for _ in range(draw.randrange(6)):
        match draw.randrange(4):
            case 0:
                lead = draw.choice(("MOP", "MOPTT"))
                told.append(
                    LeadReassigned(lead_organization=lead, previous="X", effective_on=_day(draw), reason="r")
                )
            case 1:
                number = 1 + sum(isinstance(one, ProgressReported) for one in told)
                stage = draw.choice(VALUES["stage"])
                told.append(
                    ProgressReported(number=number, period="2011", effective_on=_day(draw), stage=stage)
                )
                if draw.random() < 0.5:
                    told.append(
                        ProgressReviewed(report=number, outcome=draw.choice(list(ReviewOutcome)), reason="r")
                    )
            case _:
                field = draw.choice(list(VALUES))
                told.append(changed(ChangeableField(field), draw.choice(VALUES[field]), _day(draw)))
    return told


def _day(draw: Random) -> date:
    return FIRST + timedelta(days=draw.randrange(12))


def classified(told: list[Event], on: date) -> dict[str, set[str]]:
    """What a commitment is filed under on a day, by filter, worked out from all that was told of it."""
    first = told[0]
    assert isinstance(first, Registered)
    assert first.origin is not None
    said: dict[str, list[tuple[date, int, Any]]] = {
        name: [(date.min, 0, getattr(first, name))] for name in (*VALUES, "lead_organization")
    }
    returned = {
        one.report
        for one in told
        if isinstance(one, ProgressReviewed) and one.outcome is ReviewOutcome.RETURNED
    }
    for place, event in enumerate(told):
        match event:
            case LeadReassigned():
                said["lead_organization"].append((event.effective_on, place, event.lead_organization))
            case ProgressReported() if event.stage is not None and event.number not in returned:
                said["stage"].append((event.effective_on, place, event.stage))
            case _ if (change := changed_in(event)) is not None:
                field, value, day = change
                said[field].append((day, place, value))
    now = {
        name: max(one for one in entries if one[0] <= on)[2]
        for name, entries in said.items()
    }  # fmt: skip
    due = first.public_deadline and first.public_deadline.on
    days = {day.isoformat() for day in (FIRST + timedelta(days=n) for n in range(-1, 30))} if due else set()
    plain = str.maketrans("óÓ", "oO")
    return {
        **{name: {now[name]} for name in ("adviser", "responsible_service", "stage", "parent")},
        "key_word": {word.translate(plain).lower() for word in now["key_words"]},
        "participant": {
            now["lead_organization"],
            now["responsible_service"],
            *now["collaborating_organizations"],
        },
        "source": {first.origin.source or ""},
        "nature": {first.nature or ""},
        "deadline_from": {day for day in days if due and day <= due.isoformat()},
        "deadline_to": {day for day in days if due and day >= due.isoformat()},
    }


def test_every_filter_admits_what_a_replay_says_it_should_on_the_board_and_in_the_list(stage: Stage) -> None:
    draw = Random(7)
    stories = {f"C-{number:02}": history(draw) for number in range(40)}
    for code, told in stories.items():
        first, *others = told
        assert isinstance(first, Registered)
        stage.append((code, promised(**_members(first) | {"code": code})), *((code, one) for one in others))
    stage.follow()
    plain = str.maketrans("óÓ", "oO")
    with stage.read_model.reading() as reading:
        for _ in range(60):
            on = _day(draw)
            at = AsOf(on, reading.position, None)
            names = draw.sample(list(ASKED), draw.randint(1, 2))
            filters = {
                name: draw.sample(ASKED[name], 1 if name.startswith("deadline") else draw.randint(1, 2))
                for name in names
            }
            expected = [
                code
                for code, told in sorted(stories.items())
                if all(
                    {value.translate(plain).lower() if name == "key_word" else value for value in values}
                    & classified(told, on)[name]
                    for name, values in filters.items()
                )
            ]
            listed = list_as_of(reading, at, EVERYTHING, filters, limit=200, count=True)
            board = board_as_of(reading, at, EVERYTHING, filters, limit=200)
            assert [item.code for item in listed.items] == expected, (filters, on)
            assert listed.items == board.items
            assert listed.total == board.totals.registered == len(expected)


def _members(event: Registered) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_every_classifying_field_of_a_registration_is_a_filter() -> None:
    assert set(FILTERS) >= {
        *("organization", "participant", "responsible_service", "adviser", "pillar", "parent", "kind"),
        *("result_type", "nature", "scope", "stage", "priority", "key_word", "region", "initiative_type"),
        *("origin", "source", "speech_year", "deadline", "without_deadline", "judgement", "visibility"),
        "discard_reason_type",
    }


# --- as a client sees it -------------------------------------------------------------------------------------------


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Path) -> AsyncIterator[Installation]:
    """The service over three commitments, one of them for few."""
    stage.append(
        ("A-1", promised("A-1", adviser="u-1", stage="Draft", key_words=("Salud pública",))),
        ("A-2", promised("A-2", public_deadline=PublicDeadline(on=date(2013, 1, 1)), adviser="u-2")),
        ("A-3", promised("A-3", visibility=Visibility.RESERVED, adviser="u-1")),
        ("A-1", changed(ChangeableField.ADVISER, "u-2", date(2012, 6, 1))),
    )
    stage.on_record("organization", "MOP")
    stage.follow()
    async with Installation(tmp_path, stage).running() as running:
        yield running


async def codes(reporting: Installation, query: str, **who: Any) -> list[str]:
    """The codes of a list."""
    return [item["code"] for item in (await reporting.read(f"/v1/commitments?{query}", **who))["items"]]


async def test_anybody_is_given_the_list_as_far_as_it_is_public(reporting: Installation) -> None:
    assert await codes(reporting, "", **ANYBODY) == ["A-1", "A-2"]
    assert await codes(reporting, "") == ["A-1", "A-2", "A-3"]
    public = await reporting.read("/v1/commitments?include=total", **ANYBODY)
    assert (public["total"], public["scope"], public["next"]) == (2, "public", None)
    assert {item["adviser"] for item in public["items"]} == {None}


async def test_the_list_is_of_the_day_and_as_known_at_the_moment_asked_for(reporting: Installation) -> None:
    assert await codes(reporting, "adviser=u-1&on=2012-05-31") == ["A-1", "A-3"]
    assert await codes(reporting, "adviser=u-1&on=2012-06-01") == ["A-3"]
    assert await codes(reporting, "adviser=u-1&on=2012-06-01&position=3") == ["A-1", "A-3"]
    assert await codes(reporting, "on=2011-12-31") == []


async def test_pages_follow_one_another_without_gap_or_overlap(reporting: Installation) -> None:
    first = await reporting.read("/v1/commitments?limit=2")
    second = await reporting.read(first["next"])
    assert [item["code"] for page in (first, second) for item in page["items"]] == ["A-1", "A-2", "A-3"]
    assert second["next"] is None


async def test_who_advises_is_no_question_for_somebody_without_a_token(reporting: Installation) -> None:
    for query in ("commitments?adviser=u-1", "board?adviser=u-1", "board?group_by=adviser"):
        assert await reporting.refused(f"/v1/{query}", **ANYBODY) == (422, "people-not-public")
    groups = (await reporting.read("/v1/board?group_by=adviser"))["items"]
    assert [(group["adviser"], group["count"]) for group in groups] == [("u-1", 1), ("u-2", 2)]


async def test_filters_take_days_words_and_key_words(reporting: Installation) -> None:
    assert await codes(reporting, "deadline_from=2013-01-01&deadline_to=2013-01-01", **ANYBODY) == ["A-2"]
    assert await codes(reporting, "deadline_from=2013-01-02", **ANYBODY) == []
    assert await codes(reporting, "without_deadline=true&stage=Draft", **ANYBODY) == ["A-1"]
    assert await codes(reporting, "key_word=salud%20publica", **ANYBODY) == ["A-1"]
    assert await codes(reporting, "participant=MOP&status=on_time,delayed", **ANYBODY) == ["A-1", "A-2"]
    assert await reporting.refused("/v1/commitments?parent=A-3", **ANYBODY) == (422, "filter-value-unknown")
    assert await reporting.refused("/v1/commitments?participant=NOBODY") == (422, "filter-value-unknown")
