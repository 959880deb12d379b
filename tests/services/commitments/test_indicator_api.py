"""Indicators over HTTP, on the running service; the story is that of the household victimisation survey."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

VICTIMISATION: dict[str, Any] = {
    "code": "VICTIMISATION",
    "name": "Households that were victims of crime",
    "unit": "%",
    "direction": "decrease",
    "baseline": {"value": 33.6, "on": "2009-12-31", "source": "ENUSC 2009"},
    "source": {"organization": "INE", "independent": True, "name": "ENUSC"},
    "effective_on": "2010-05-21",
}
PATH = "/v1/indicators/VICTIMISATION"
TARGET: dict[str, Any] = {"value": 28.56, "on": "2013-12-31", "effective_on": "2010-05-21"}
SERIES = [("2010", 28.2, "2011-04-15"), ("2011", 31.1, "2012-04-15"), ("2012", 26.3, "2013-03-20")]


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        for code in ("INE", "INTERIOR", "JUSTICE"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code})
        yield running


async def define(service: Installation, **more: Any) -> None:
    await service.told("POST", "/v1/indicators", VICTIMISATION | more)


async def add(service: Installation, what: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await service.told("POST", f"{PATH}/{what}", body, If_Match="*", **more)
    told: dict[str, Any] = answer.json()
    return told


async def tell_the_series(service: Installation) -> None:
    await define(service)
    await add(service, "targets", TARGET)
    for period, value, published_on in SERIES:
        await add(service, "measurements", {"period": period, "value": value, "published_on": published_on})


async def test_the_survey_is_judged_against_the_first_promise_and_against_the_one_that_replaced_it(
    service: Installation,
) -> None:
    await tell_the_series(service)
    revised = {
        "value": 28.56,
        "on": "2014-12-31",
        "reason": "The term ends in 2014",
        "effective_on": "2012-05-21",
    }
    await add(service, "targets", revised)
    shown = await service.read(PATH)
    judged = {
        one["period"]: (one["value"], one["against_original"]["status"], one["against_current"]["status"])
        for one in shown["measurements"]
    }
    assert judged == {
        "2010": (28.2, "met", "met"),
        "2011": (31.1, "behind", "on_the_way"),
        "2012": (26.3, "met", "met"),
    }
    assert (shown["original_target"]["on"], shown["current_target"]["on"]) == ("2013-12-31", "2014-12-31")
    assert shown["original_target"]["change"]["percent"] == -15
    assert shown["latest"]["period"] == "2012"
    assert shown["latest"]["change"] == {"absolute": -7.3, "percent": -21.72619}
    assert shown["measurements"][1]["against_original"] == {
        "status": "behind",
        "value": 31.1,
        "gap": 2.54,
        "planned": 31.081725,
    }
    assert shown["verdict_rule"] == "indicator_verdict_2"
    assert shown["targets"][1]["reason"] == "The term ends in 2014"


async def test_an_indicator_is_read_at_a_version_and_as_it_was_known(service: Installation) -> None:
    await define(service)
    service.now += timedelta(hours=1)
    await add(service, "targets", TARGET)
    before = service.now
    service.now += timedelta(hours=1)
    await add(service, "measurements", {"period": "2010", "value": 28.2})
    now = await service.ask("GET", PATH)
    assert (now.headers["etag"], now.headers["log-position"]) == ('"3"', "6")
    known = await service.read(f"{PATH}?known_at={before:%Y-%m-%dT%H:%M:%SZ}")
    assert known == await service.read(f"{PATH}?version=2")
    assert (known["version"], known["measurements"]) == (2, [])
    assert (await service.ask("GET", PATH, If_None_Match='"3"')).status_code == 304
    assert refused(await service.ask("GET", f"{PATH}?version=9")) == (404, "version-not-found")
    both = await service.ask("GET", f"{PATH}?version=1&known_at=2013-04-30T15:00:00Z")
    assert refused(both) == (422, "two-past-views")
    assert (await service.read(f"{PATH}?wait_for=6"))["version"] == 3
    assert await service.read(f"/v1/indicators/{known['id']}?version=3") == now.json()


async def test_the_history_tells_every_event_with_its_author(service: Installation) -> None:
    await define(service)
    await add(service, "targets", TARGET)
    first = await service.read(f"{PATH}/history?limit=1")
    second = await service.read(first["next"])
    (defined,), (target,) = first["items"], second["items"]
    assert (defined["type"], target["type"]) == ("commitments.indicator_defined", "commitments.target_set")
    assert (target["version"], target["effective_on"]) == (2, "2010-05-21")
    assert target["data"]["value"] == 28.56
    assert target["recorded_by"]["role"] == "dci"
    assert second["next"] is None


async def test_a_change_states_the_version_it_was_decided_on(service: Installation) -> None:
    await define(service)
    assert refused(await service.ask("POST", f"{PATH}/targets", TARGET)) == (428, "if-match-required")
    told = await service.told("POST", f"{PATH}/targets", TARGET, If_Match='"1"')
    assert told.headers["etag"] == '"2"'
    assert set(told.json()) == {"id", "code", "version", "position"}
    stale = await service.ask("POST", f"{PATH}/targets", TARGET | {"value": 1}, If_Match='"1"')
    assert refused(stale) == (412, "stale-version")


async def test_a_repeated_request_is_carried_out_once(service: Installation) -> None:
    await define(service)
    body = {"period": "2010", "value": 28.2}
    first, second = [
        await service.told("POST", f"{PATH}/measurements", body, If_Match="*", Idempotency_Key="one")
        for _ in range(2)
    ]
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json() == first.json()
    other = await service.ask(
        "POST", f"{PATH}/measurements", body | {"value": 1}, If_Match="*", Idempotency_Key="one"
    )
    assert refused(other) == (422, "idempotency-key-reused")
    again = await service.ask("POST", f"{PATH}/measurements", body, If_Match="*")
    assert refused(again) == (409, "measurement-exists")


async def test_a_corrected_value_counts_and_the_one_before_stays(service: Installation) -> None:
    await tell_the_series(service)
    corrected = {"value": 28.4, "reason": "New weights", "published_on": "2011-06-01"}
    await add(service, "measurements/2010/corrections", corrected)
    shown = await service.read(PATH)
    (value,) = [one for one in shown["measurements"] if one["period"] == "2010"]
    assert value["value"] == 28.4
    assert value["corrections"] == [
        corrected | {"previous": 28.2, "position": value["corrections"][0]["position"]}
    ]
    missing = await service.ask("POST", f"{PATH}/measurements/2019/corrections", corrected, If_Match="*")
    assert refused(missing) == (404, "unknown-measurement")
    ambiguous = await service.ask("POST", f"{PATH}/measurements/2010-T1/corrections", corrected, If_Match="*")
    assert refused(ambiguous) == (422, "period-ambiguous")
    assert "2010-Q1" in ambiguous.json()["detail"]
    assert "2010-C1" in ambiguous.json()["detail"]


async def test_a_definition_changes_field_by_field_and_null_takes_a_field_away(service: Installation) -> None:
    await define(service, method="Interviews")
    changes = {"method": None, "source": {"organization": "INTERIOR"}}
    await add(service, "definition-changes", {"changes": changes, "reason": "Taken over"})
    shown = await service.read(PATH)
    assert (shown["method"], shown["source"]["organization"], shown["unit"]) == (None, "INTERIOR", "%")
    assert shown["definition_changes"][0]["changes"] == {
        "method": None,
        "source": {"organization": "INTERIOR", "independent": False, "name": None},
    }
    for bad, pointer in [({"unit": None}, "/changes/unit"), ({"colour": "red"}, "/changes/colour")]:
        answer = await service.ask(
            "POST", f"{PATH}/definition-changes", {"changes": bad, "reason": "r"}, If_Match="*"
        )
        assert (refused(answer), answer.json()["errors"][0]["pointer"]) == ((422, "request-invalid"), pointer)
    same = await service.ask(
        "POST", f"{PATH}/definition-changes", {"changes": {"unit": "%"}, "reason": "r"}, If_Match="*"
    )
    assert refused(same) == (409, "definition-unchanged")


async def test_a_trajectory_bends_the_plan(service: Installation) -> None:
    await tell_the_series(service)
    points = [{"on": "2011-12-31", "value": 33}, {"on": "2012-12-31", "value": 31}]
    await add(service, "trajectory", {"points": points})
    shown = await service.read(PATH)
    assert shown["trajectory"]["points"] == points
    assert shown["measurements"][1]["against_current"]["status"] == "on_the_way"


async def test_warning_signs_name_the_event_they_follow_from(tmp_path: Path, sqlite_url: str) -> None:
    installation = Installation(tmp_path, sqlite_url, indicator_deadline_days=400)
    async with installation.running() as service:
        for code in ("INE", "INTERIOR"):
            await service.told("PUT", f"/v1/organizations/{code}", {"name": code})
        await tell_the_series(service)
        changed = await add(
            service, "definition-changes", {"changes": {"method": "Telephone"}, "reason": "r"}
        )
        supplied = {"period": "2013", "value": 20, "supplied_by": "INTERIOR"}
        measured = await add(service, "measurements", supplied)
        assert [(sign["code"], sign["because"]) for sign in (await service.read(PATH))["warnings"]] == [
            ("definition_changed_near_deadline", changed["position"]),
            ("measured_before_period_ended", measured["position"]),
            ("value_from_deliverer", measured["position"]),
        ]


async def test_the_source_measures_and_another_ministry_does_not(service: Installation) -> None:
    await define(service)
    body = {"period": "2012", "value": 26.3, "published_on": "2013-03-20"}
    source: dict[str, Any] = {"role": Role.MINISTRY, "organization": "INE"}
    other: dict[str, Any] = {"role": Role.MINISTRY, "organization": "INTERIOR"}
    refusal = await service.ask("POST", f"{PATH}/measurements", body, If_Match="*", **other)
    assert refused(refusal) == (403, "not-your-indicator")
    await add(service, "measurements", body, **source)
    (value,) = (await service.read(PATH))["measurements"]
    assert value["supplied_by"] == "INE"
    target = await service.ask("POST", f"{PATH}/targets", TARGET, If_Match="*", **source)
    assert refused(target) == (403, "role-not-allowed")


async def test_nobody_learns_of_an_indicator_that_is_reserved_by_itself_or_through_its_commitment(
    service: Installation,
) -> None:
    commitment = {
        "code": "SC-1",
        "title": "Fewer victims",
        "lead_organization": "INTERIOR",
        "visibility": "reserved",
    }
    await service.told("POST", "/v1/commitments", commitment)
    await define(service, commitment="SC-1")
    stranger: dict[str, Any] = {"role": Role.MINISTRY, "organization": "JUSTICE"}
    body = {"period": "2012", "value": 26.3}
    for answer in (
        await service.ask("GET", PATH, **stranger),
        await service.ask("GET", f"{PATH}/history", **stranger),
        await service.ask("POST", f"{PATH}/measurements", body, If_Match='"99"', **stranger),
    ):
        assert refused(answer) == (404, "unknown-indicator")
    # Whoever supplies the values knows of the indicator, and need not know what it is for.
    for organization, named in (("INE", None), ("INTERIOR", "SC-1")):
        told = await service.read(PATH, role=Role.MINISTRY, organization=organization)
        assert told["commitment"] == named


async def test_a_commitment_shows_its_indicators_to_those_who_may_know_of_them(service: Installation) -> None:
    commitment = {"code": "SC-1", "title": "Fewer victims", "lead_organization": "JUSTICE"}
    told = await service.told("POST", "/v1/commitments", commitment)
    held = told.headers["etag"]
    assert (await service.ask("GET", "/v1/commitments/SC-1", If_None_Match=held)).status_code == 304
    await define(service, commitment="SC-1")
    await define(service, commitment="SC-1", code="HIDDEN", visibility="reserved")
    shown = await service.ask("GET", "/v1/commitments/SC-1", If_None_Match=held)
    assert (shown.status_code, shown.json()["indicators"]) == (200, ["VICTIMISATION", "HIDDEN"])
    for organization, seen in [("INTERIOR", ["VICTIMISATION"]), ("INE", ["VICTIMISATION", "HIDDEN"])]:
        of: dict[str, Any] = {"role": Role.MINISTRY, "organization": organization}
        assert (await service.read("/v1/commitments/SC-1", **of))["indicators"] == seen
    past = await service.read("/v1/commitments/SC-1?version=1")
    assert past["indicators"] == []


async def test_an_indicator_measures_another_commitment_until_it_no_longer_does(
    service: Installation,
) -> None:
    for code in ("SEG-1", "SEG-2"):
        body = {"code": code, "title": code, "lead_organization": "INTERIOR", "effective_on": "2010-05-21"}
        await service.told("POST", "/v1/commitments", body)
    await define(service, commitment="SEG-1")
    also = {"commitment": "seg-2", "reason": "It is promised there, too", "effective_on": "2012-01-01"}
    added = await add(service, "commitments", also)

    async def shown() -> tuple[list[str], list[str]]:
        indicator = await service.read(PATH)
        commitment = await service.read("/v1/commitments/SEG-2")
        return indicator["commitments"], commitment["indicators"]

    assert await shown() == (["SEG-1", "SEG-2"], ["VICTIMISATION"])
    for body, code in (
        (also, "measured-already"),
        (also | {"commitment": "SEG-1"}, "measured-by-definition"),
        (also | {"commitment": "SEG-3"}, "indicator-commitment-unknown"),
    ):
        answer = await service.ask("POST", f"{PATH}/commitments", body, If_Match="*")
        assert refused(answer)[1] == code
    await add(service, "commitments", also | {"measured": False, "effective_on": "2013-01-01"})
    assert await shown() == (["SEG-1"], [])
    await add(service, "retractions", {"version": added["version"] + 1, "reason": "It still is"})
    assert await shown() == (["SEG-1", "SEG-2"], ["VICTIMISATION"])


async def test_an_indicator_is_published_and_withdrawn_with_a_reason(service: Installation) -> None:
    await define(service)
    stranger: dict[str, Any] = {"role": Role.MINISTRY, "organization": "JUSTICE"}
    hide = {"visibility": "reserved", "reason": "Under review"}
    await add(service, "publications", hide)
    assert refused(await service.ask("GET", PATH, **stranger)) == (404, "unknown-indicator")
    again = await service.ask("POST", f"{PATH}/publications", hide, If_Match="*")
    assert refused(again) == (409, "visibility-unchanged")
    await add(service, "publications", {"visibility": "public", "reason": "Reviewed"})
    assert (await service.read(PATH, **stranger))["visibility"] == "public"


async def test_what_an_indicator_names_must_be_on_record(service: Installation) -> None:
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"commitment": "NONE"}, "indicator-commitment-unknown", "/commitment"),
        ({"source": {"organization": "NONE"}}, "unknown-organization", "/source/organization"),
        ({"effective_on": "2013-05-01"}, "date-in-future", "/effective_on"),
        ({"code": "a b"}, "code-malformed", "/code"),
    ]
    for more, code, pointer in wrong:
        answer = await service.ask("POST", "/v1/indicators", VICTIMISATION | more)
        assert (refused(answer), answer.json()["errors"][0]["pointer"]) == ((422, code), pointer)
    await define(service)
    assert refused(await service.ask("POST", "/v1/indicators", VICTIMISATION)) == (409, "code-taken")


EXACT = "0.12345678901234567"
"""More digits than a float holds."""


async def test_values_come_back_digit_for_digit_wherever_they_stand(service: Installation) -> None:
    def exact(text: str) -> bytes:
        return text.replace("EXACT", EXACT).encode()

    bodies = [
        ("/v1/indicators", json.dumps(VICTIMISATION | {"baseline": {"value": 1, "on": "2009-12-31"}})),
        (f"{PATH}/targets", '{"value": EXACT, "on": "2014-12-31"}'),
        (f"{PATH}/trajectory", '{"points": [{"on": "2011-12-31", "value": EXACT}]}'),
        (f"{PATH}/measurements", '{"period": "2011", "value": EXACT}'),
        (f"{PATH}/measurements/2011/corrections", '{"value": 123456789012345.678901234567, "reason": "r"}'),
        (f"{PATH}/measurements/2011/corrections", '{"value": EXACT, "reason": "r"}'),
        (
            f"{PATH}/definition-changes",
            '{"changes": {"baseline": {"value": EXACT, "on": "2009-12-31"}}, "reason": "r"}',
        ),
    ]
    for path, body in bodies:
        answer = await service.ask("POST", path, exact(body), If_Match="*")
        assert answer.status_code == 201, answer.text
    shown = json.loads((await service.ask("GET", PATH)).text, parse_float=Decimal)
    (value,) = shown["measurements"]
    told = [
        shown["baseline"]["value"],
        shown["current_target"]["value"],
        shown["trajectory"]["points"][0]["value"],
        value["value"],
        value["corrections"][1]["value"],
        shown["definition_changes"][0]["changes"]["baseline"]["value"],
    ]
    assert [str(one) for one in told] == [EXACT] * len(told)
    assert str(value["corrections"][0]["value"]) == "123456789012345.678901234567"
    assert value["against_current"]["gap"] == 0
    history = (await service.ask("GET", f"{PATH}/history")).text
    # The last change of the definition tells the baseline alone; a correction tells the value before it, too.
    assert history.count(EXACT) == 6
    # Folded anew from what was stored.
    assert (await service.read(f"{PATH}?version=7"))["version"] == 7


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "1e400", "1e-400", "1e99999999999999999999", "0e-99", "0." + 21 * "1", "1e15000"],
)
async def test_a_number_that_no_reader_could_keep_is_refused(service: Installation, number: str) -> None:
    await define(service)
    for path, body in [
        ("targets", '{"value": NUMBER, "on": "2014-12-31"}'),
        ("measurements", '{"period": "2011", "value": NUMBER}'),
        (
            "definition-changes",
            '{"changes": {"baseline": {"value": NUMBER, "on": "2009-12-31"}}, "reason": "r"}',
        ),
    ]:
        sent = body.replace("NUMBER", number).encode()
        answer = await service.ask("POST", f"{PATH}/{path}", sent, If_Match="*")
        assert answer.status_code in (400, 422), answer.text


async def test_values_are_numbers_and_are_given_back_as_they_came(service: Installation) -> None:
    await define(service)
    for period, value in [("2010", 28.2), ("2011", 0.1), ("2012", 123456789.123456)]:
        await add(service, "measurements", {"period": period, "value": value})
    assert [one["value"] for one in (await service.read(PATH))["measurements"]] == [
        28.2,
        0.1,
        123456789.123456,
    ]
    no_values: list[Any] = ["28.2", True, None, 1e16]
    for wrong in no_values:
        answer = await service.ask(
            "POST", f"{PATH}/measurements", {"period": "2009", "value": wrong}, If_Match="*"
        )
        assert refused(answer) == (422, "request-invalid")
