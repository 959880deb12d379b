"""What was recorded by mistake is retracted: it stays in the history, and is not believed from then on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

WRONG = {"reason": "Typed wrong"}
EVIDENCE = {"evidence": [{"description": "Law 20.595"}]}
INTERIOR: dict[str, Any] = {"role": Role.MINISTRY, "organization": "INTERIOR"}
HEALTH: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}
DIPRES: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
numbers = count(1)


class Thing(NamedTuple):
    """A commitment or an indicator of one test."""

    service: Installation
    path: str

    async def tell(self, fact: str, body: Any, **by: Any) -> int:
        """Record a fact; the version it brought the thing to."""
        return int(
            (await self.service.told("POST", f"{self.path}/{fact}", body, If_Match="*", **by)).json()[
                "version"
            ]
        )

    async def retract(self, version: int, **by: Any) -> Any:
        """Ask for the fact of a version to be retracted."""
        body = {"version": version, **WRONG}
        return await self.service.ask("POST", f"{self.path}/retractions", body, If_Match="*", **by)

    async def gone(self, version: int, **by: Any) -> int:
        """Retract the fact of a version; the version of the retraction."""
        answer = await self.retract(version, **by)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["version"])

    async def now(self, query: str = "") -> Any:
        """What it is."""
        return await self.service.read(f"{self.path}{query}")


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """With the organisations that the facts name."""
    folder: Path = tmp_path_factory.mktemp("retractions")
    async with Installation(folder, f"sqlite:///{folder / 'log.db'}").running() as running:
        for code in ("INTERIOR", "HEALTH", "DIPRES"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code.title()})
        yield running


async def register(service: Installation, **more: Any) -> Thing:
    body = {
        "code": f"SEG-{next(numbers)}",
        "title": "Burglary",
        "lead_organization": "INTERIOR",
        "effective_on": "2012-01-01",
        "public_deadline": {"on": "2013-12-31"},
        **more,
    }
    await service.told("POST", "/v1/commitments", body)
    return Thing(service, f"/v1/commitments/{body['code']}")


@pytest.fixture
async def it(service: Installation) -> Thing:
    """A commitment of which nothing is told yet."""
    return await register(service)


@pytest.fixture
async def indicator(service: Installation) -> Thing:
    """An indicator without a target."""
    code = f"RATE-{next(numbers)}"
    body = {
        "code": code,
        "name": "Households that were victims",
        "unit": "%",
        "direction": "decrease",
        "effective_on": "2010-05-21",
        "baseline": {"value": 33.6, "on": "2009-12-31"},
        "source": {"organization": "INTERIOR"},
    }
    await service.told("POST", "/v1/indicators", body)
    return Thing(service, f"/v1/indicators/{code}")


async def test_a_completion_on_the_wrong_day_is_taken_back_and_stays_in_every_view_of_before(
    it: Thing,
) -> None:
    done = await it.tell("completions", {"completed_on": "2013-02-01", **EVIDENCE})
    before = await it.now()
    retraction = await it.gone(done)
    now = await it.now()
    assert (before["status"], now["status"], now["closing"]) == ("achieved", "on_time", None)
    assert now["version"] == retraction == done + 1
    assert await it.now(f"?version={done}") == before
    history = (await it.now("/history"))["items"]
    assert [(one["type"], one["retracted_by"]) for one in history] == [
        ("commitments.registered", None),
        ("commitments.completed", retraction),
        ("commitments.retracted", None),
    ]
    assert history[2]["data"] == {"version": done, **WRONG, "retracted": "commitments.completed"}


async def test_what_is_recorded_again_after_a_retraction_is_the_fact(it: Thing) -> None:
    await it.gone(await it.tell("completions", {"completed_on": "2013-02-01", **EVIDENCE}))
    await it.tell("completions", {"completed_on": "2013-03-01", **EVIDENCE})
    now = await it.now()
    assert (now["status"], now["closing"]["completed_on"]) == ("achieved", "2013-03-01")


async def test_the_original_target_is_not_the_typing_error(indicator: Thing) -> None:
    wrong = await indicator.tell(
        "targets", {"value": 2.856, "on": "2013-12-31", "effective_on": "2010-05-21"}
    )
    right = {"value": 28.56, "on": "2013-12-31", "effective_on": "2010-05-21"}
    await indicator.gone(wrong)
    await indicator.tell("targets", right)
    now = await indicator.now()
    assert [(one["number"], one["value"]) for one in now["targets"]] == [(2, 28.56)]
    assert now["original_target"] == now["current_target"] == now["targets"][0]


async def test_the_original_target_is_not_the_typing_error_even_where_it_was_revised_first(
    indicator: Thing,
) -> None:
    wrong = await indicator.tell(
        "targets", {"value": 2.856, "on": "2013-12-31", "effective_on": "2010-05-21"}
    )
    mended = {"value": 28.56, "on": "2013-12-31", "effective_on": "2010-05-21", "reason": "A comma"}
    await indicator.tell("targets", mended)
    await indicator.gone(wrong)
    now = await indicator.now()
    assert (now["original_target"]["number"], now["original_target"]["value"]) == (2, 28.56)


async def test_a_measurement_under_the_wrong_period_is_retracted_and_the_period_is_free_again(
    indicator: Thing,
) -> None:
    wrong = await indicator.tell("measurements", {"period": "2010", "value": 31.1})
    await indicator.gone(wrong)
    await indicator.tell("measurements", {"period": "2010", "value": 28.2})
    await indicator.tell("measurements", {"period": "2011", "value": 31.1})
    values = {one["period"]: one["value"] for one in (await indicator.now())["measurements"]}
    assert values == {"2010": 28.2, "2011": 31.1}


async def test_a_definition_changed_by_mistake_is_as_it_was_and_later_changes_are_judged_without_it(
    indicator: Thing,
) -> None:
    unit = await indicator.tell(
        "definition-changes", {"changes": {"unit": "persons"}, "reason": "New survey"}
    )
    await indicator.tell(
        "definition-changes", {"changes": {"method": "By telephone"}, "reason": "New survey"}
    )
    back = await indicator.tell("definition-changes", {"changes": {"unit": "%"}, "reason": "As before"})
    assert refused(await indicator.retract(unit)) == (409, "retraction-in-the-way")
    await indicator.gone(back)
    await indicator.gone(unit)
    assert ((await indicator.now())["unit"], (await indicator.now())["method"]) == ("%", "By telephone")


REPORT = {"period": "2012", "effective_on": "2012-12-31", "observed_progress": "Two of five", "percent": 40}
REVIEW = {"outcome": "accepted"}
IN_THE_WAY: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    (
        "a completion under a later reopening",
        [
            ("completions", {"completed_on": "2013-02-01", **EVIDENCE}),
            ("reopenings", {"reason": "Struck down"}),
        ],
    ),
    ("a report under its review", [("progress-reports", REPORT), ("progress-reports/1/reviews", REVIEW)]),
    (
        "a milestone under its completion",
        [
            ("milestones", {"name": "Bill", "due_on": "2013-12-01"}),
            ("milestones/1/completions", {"completed_on": "2013-04-01"}),
        ],
    ),
    (
        "a milestone that was planned anew",
        [
            ("milestones", {"name": "Bill", "due_on": "2013-12-01"}),
            ("milestones", {"name": "Law", "due_on": "2013-12-01", "number": 1, "reason": "Passed"}),
        ],
    ),
    (
        "a revision that a later one takes back",
        [
            ("deadline-revisions", {"deadline": "public", "on": "2014-06-30", "reason": "x"}),
            ("deadline-revisions", {"deadline": "public", "on": "2013-12-31", "reason": "x"}),
        ],
    ),
    (
        "a reassignment that a later one takes back",
        [
            ("reassignments", {"lead_organization": "HEALTH", "reason": "x"}),
            ("reassignments", {"lead_organization": "INTERIOR", "reason": "x"}),
        ],
    ),
    (
        "a change that a later one takes back",
        [
            ("changes", {"field": "priority", "value": "high", "reason": "x"}),
            ("changes", {"field": "priority", "value": None, "reason": "x"}),
        ],
    ),
]


@pytest.mark.parametrize(("facts"), [facts for _, facts in IN_THE_WAY], ids=[name for name, _ in IN_THE_WAY])
async def test_what_something_later_rests_on_is_refused_naming_it(
    it: Thing, facts: list[tuple[str, dict[str, Any]]]
) -> None:
    author = {"role": Role.MINISTRY, "organization": "INTERIOR"}
    versions = [
        await it.tell(fact, body, **(author if fact == "progress-reports" else {})) for fact, body in facts
    ]
    first, second = versions
    answer = await it.retract(first)
    assert refused(answer) == (409, "retraction-in-the-way")
    assert f"Version {second} " in answer.json()["detail"]
    await it.gone(second)
    await it.gone(first)


async def test_numbers_are_never_given_again(it: Thing) -> None:
    first, second = [
        await it.tell("progress-reports", {**REPORT, "period": period}) for period in ("2011", "2012")
    ]
    await it.gone(second)
    await it.tell("progress-reports", REPORT)
    reports = (await it.now())["progress_reports"]
    assert [one["number"] for one in reports] == [1, 3]
    await it.gone(first)
    assert [one["number"] for one in (await it.now())["progress_reports"]] == [3]
    missing = await it.service.ask("POST", f"{it.path}/progress-reports/2/reviews", REVIEW, If_Match="*")
    assert refused(missing) == (404, "report-not-found")
    milestones = [await it.tell("milestones", {"name": name, "due_on": "2013-12-01"}) for name in ("A", "B")]
    await it.gone(milestones[1])
    await it.tell("milestones", {"name": "C", "due_on": "2013-12-01"})
    assert [one["number"] for one in (await it.now())["milestones"]] == [1, 3]


async def test_a_guard_that_looks_at_today_or_at_permissions_is_not_asked_again(it: Thing) -> None:
    lead = await it.tell(
        "reassignments", {"lead_organization": "HEALTH", "reason": "x", "effective_on": "2012-06-01"}
    )
    await it.tell("comments", {"text": "We are at it"}, **HEALTH)
    await it.tell("milestones", {"name": "Bill", "due_on": "2013-12-01"})
    await it.gone(lead)
    now = await it.now()
    assert (now["lead_organization"], len(now["comments"])) == ("INTERIOR", 1)


async def test_what_stood_already_against_a_rule_stands_in_nobodys_way(
    service: Installation, it: Thing
) -> None:
    other = await register(service)
    comment = await it.tell("comments", {"text": "x"})
    await it.tell("mergers", {"into": other.path.rpartition("/")[2], "reason": "The same"})
    await other.tell("completions", EVIDENCE)
    await it.gone(comment)
    assert (await it.now())["comments"] == []


@pytest.mark.parametrize(
    ("fact", "body", "code"),
    [
        ("publications", {"visibility": "public", "reason": "Speech"}, "not-retractable"),
        ("comments", {"text": "x"}, None),
    ],
)
async def test_a_publication_stands(it: Thing, fact: str, body: dict[str, Any], code: str | None) -> None:
    answer = await it.retract(await it.tell(fact, body))
    assert (None if answer.status_code == 201 else refused(answer)[1]) == code


async def test_a_registration_a_retraction_and_what_is_retracted_stand(it: Thing) -> None:
    comment = await it.tell("comments", {"text": "x"})
    retraction = await it.gone(comment)
    for version, code in (
        (1, "not-retractable"),
        (retraction, "not-retractable"),
        (comment, "already-retracted"),
    ):
        assert refused(await it.retract(version)) == (409, code)
    assert refused(await it.retract(99)) == (422, "version-not-recorded")


async def test_a_ministry_and_the_budget_office_retract_what_they_recorded_themselves(it: Thing) -> None:
    theirs = await it.tell("comments", {"text": "x"}, **INTERIOR)
    budget = await it.tell("budget-estimates", {"lines": [{"amount": "1", "currency": "CLP"}]}, **DIPRES)
    judged = await it.tell("assessments", {"judgement": "on_track"})
    for version, by in ((judged, INTERIOR), (budget, INTERIOR), (theirs, DIPRES)):
        assert refused(await it.retract(version, **by)) == (403, "not-your-fact")
    await it.gone(theirs, **INTERIOR)
    await it.gone(budget, **DIPRES)
    await it.gone(judged)


async def test_what_one_may_not_read_is_not_there(service: Installation) -> None:
    hidden = await register(service, visibility="reserved")
    for version in (1, 2, 99):
        assert refused(await hidden.retract(version, **HEALTH)) == (404, "unknown-commitment")


async def test_a_retraction_needs_the_version_it_was_decided_on_and_is_done_once(it: Thing) -> None:
    comment = await it.tell("comments", {"text": "x"})
    body, path = {"version": comment, **WRONG}, f"{it.path}/retractions"
    assert (await it.service.ask("POST", path, body)).status_code == 428
    assert (await it.service.ask("POST", path, body, If_Match='"1"')).status_code == 412
    once: dict[str, Any] = {"If_Match": f'"{comment}"', "Idempotency_Key": f"once-{it.path}"}
    first, again = [await it.service.ask("POST", path, body, **once) for _ in range(2)]
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_what_became_part_of_its_own_part_meanwhile_is_refused(service: Installation) -> None:
    one, other, third = [await register(service) for _ in range(3)]
    codes = [thing.path.rpartition("/")[2] for thing in (one, other, third)]
    await one.tell("corrections", {"field": "parent", "value": codes[1], "reason": "x"})
    away = await one.tell("corrections", {"field": "parent", "value": codes[2], "reason": "x"})
    await other.tell("corrections", {"field": "parent", "value": codes[0], "reason": "x"})
    assert refused(await one.retract(away)) == (409, "parent-is-descendant")


async def test_what_would_go_on_in_what_came_from_it_is_refused(service: Installation) -> None:
    one, other = [await register(service) for _ in range(2)]
    codes = [thing.path.rpartition("/")[2] for thing in (one, other)]
    await one.tell("mergers", {"into": codes[1], "reason": "x", "effective_on": "2012-02-01"})
    reopened = await one.tell("reopenings", {"reason": "x", "effective_on": "2012-03-01"})
    await other.tell("mergers", {"into": codes[0], "reason": "x", "effective_on": "2012-04-01"})
    assert refused(await one.retract(reopened)) == (409, "merger-in-a-circle")


async def test_a_retraction_has_a_reason(it: Thing) -> None:
    blank = {"version": 1, "reason": " "}
    answer = await it.service.ask("POST", f"{it.path}/retractions", blank, If_Match="*")
    assert refused(answer) == (422, "reason-required")


async def test_a_wrong_correction_is_taken_back_though_the_right_one_after_it_then_says_nothing_new(
    it: Thing,
) -> None:
    wrong = await it.tell("corrections", {"field": "effective_on", "value": "2013-01-01", **WRONG})
    right = await it.tell("corrections", {"field": "effective_on", "value": "2012-01-01", **WRONG})
    await it.tell("assessments", {"judgement": "at_risk", "reason": "Late", "effective_on": "2012-06-01"})
    assert refused(await it.retract(right)) == (409, "retraction-in-the-way")
    before = await it.now()
    await it.gone(wrong)
    now = await it.now()
    assert (now["effective_on"], now["status"]) == (before["effective_on"], before["status"])
    await it.gone(right)
    assert (await it.now())["effective_on"] == "2012-01-01"
