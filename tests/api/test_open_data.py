"""Open data: everything that is public and nothing else, in one package that portals understand."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import frictionless
import httpx
import pytest

from shared.events.vocabulary import CommitmentKind
from tests.api.house import House
from tests.api.story import Story, register
from tests.api.test_hidden import secrets

ANYBODY: dict[str, Any] = {"credentials": {}}
WHOLE = "/v1/open-data/bitacora.zip"


@pytest.fixture(scope="module", autouse=True)
async def planned(house: House, story: Story) -> None:
    """An objective and an action that everybody may know of."""
    await register(house, "GOAL-1", visibility="public", kind="strategic_objective", pillar="SECURITY")
    await register(house, "ACT-1", visibility="public", kind="action", parent="GOAL-1")
    await house.settled()


@pytest.fixture(scope="module")
async def whole(house: House, planned: None) -> httpx.Response:
    """The zip, as anybody gets it."""
    return await house.ask("reporting", "GET", WHOLE, **ANYBODY)


def files(answer: httpx.Response) -> dict[str, bytes]:
    """What is in it."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        return {name: found.read(name) for name in found.namelist()}


def local(address: str) -> str:
    """The path and the query of an address of reporting."""
    return address.removeprefix("http://reporting.test")


async def test_the_package_is_valid_and_says_of_which_position_and_under_which_licence_it_is(
    whole: httpx.Response, tmp_path: Path
) -> None:
    with zipfile.ZipFile(io.BytesIO(whole.content)) as found:
        found.extractall(tmp_path)
    report = frictionless.validate(tmp_path / "datapackage.json")
    assert report.valid, report.flatten(["name", "type", "message"])
    package = json.loads((tmp_path / "datapackage.json").read_text("utf-8"))
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    assert str(package["position"]) == whole.headers["log-position"]
    assert package["on"] == "2013-04-30"
    for resource in package["resources"]:
        assert all(one["description"] and one["title"] for one in resource["schema"]["fields"])
        content = (tmp_path / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    rows = {task.name: task.stats.get("rows", 0) for task in report.tasks}
    assert all(rows[name] > 0 for name in ("objectives", "actions", "commitments", "plan")), rows
    assert len(rows) == 13
    path = tmp_path / "data/commitments.csv"
    path.write_bytes(path.read_bytes().replace(b"public", b"2013-13-01"))
    assert not frictionless.validate(tmp_path / "datapackage.json").valid


async def test_objectives_actions_and_commitments_stand_apart(whole: httpx.Response) -> None:
    found = files(whole)
    assert {name.rpartition("/")[2] for name in found} >= {"objectives.csv", "actions.csv", "commitments.csv"}
    assert b"GOAL-1" in found["data/objectives.csv"]
    assert b"ACT-1" in found["data/actions.csv"]
    assert b"OPEN-1" in found["data/commitments.csv"]
    for name in ("objectives", "actions", "commitments"):
        codes = [line.split(b",")[1] for line in found[f"data/{name}.csv"].splitlines()[1:]]
        others = {b"GOAL-1", b"ACT-1", b"OPEN-1"} & {*codes}
        assert len(others) == 1, name
    assert len(CommitmentKind) == 3, "a kind that is new has a table of its own"


async def test_it_is_the_same_for_everybody_and_tells_nothing_hidden(
    house: House, story: Story, whole: httpx.Response
) -> None:
    for path in (WHOLE, "/v1/open-data/datapackage.json", "/v1/open-data/catalog.jsonld"):
        anybody = await house.ask("reporting", "GET", path, **ANYBODY)
        unit = await house.ask("reporting", "GET", path)
        assert (unit.content, unit.headers["etag"]) == (anybody.content, anybody.headers["etag"])
        held = await house.ask("reporting", "GET", path, If_None_Match=unit.headers["etag"])
        assert (held.status_code, held.content) == (304, b"")
    told = b"".join(files(whole).values())
    assert not [secret for secret in secrets(story) if secret in told]
    assert b"INSIDE-1" not in told


async def test_the_description_leads_to_the_very_tables_of_the_zip(
    house: House, whole: httpx.Response
) -> None:
    found = files(whole)
    package = await house.read("reporting", "/v1/open-data/datapackage.json", **ANYBODY)
    assert len(package["resources"]) == len(found) - 1
    for resource in package["resources"]:
        answer = await house.ask("reporting", "GET", local(resource["path"]), **ANYBODY)
        assert answer.status_code == 200, answer.text
        assert answer.content == found[f"data/{resource['name']}.csv"]
        assert [one["name"] for one in resource["schema"]["fields"]] == answer.text.partition("\r\n")[
            0
        ].split(",")


async def test_the_open_data_of_a_past_day_are_those_of_that_day(house: House) -> None:
    asked = f"{WHOLE}?on=2013-03-01&known_at=2013-04-29"
    past = files(await house.ask("reporting", "GET", asked, **ANYBODY))
    assert b"OPEN-1" not in past["data/commitments.csv"]
    assert json.loads(past["datapackage.json"])["on"] == "2013-03-01"


async def test_the_catalogue_names_every_table_in_every_form(house: House) -> None:
    answer = await house.ask("reporting", "GET", "/v1/open-data/catalog.jsonld", **ANYBODY)
    assert answer.headers["content-type"] == "application/ld+json"
    catalogue = answer.json()
    assert catalogue["@type"] == "dcat:Catalog"
    assert catalogue["dct:publisher"]["foaf:name"] == "Ministry of the Presidency"
    assert [one["@type"] for one in catalogue["dcat:dataset"]] == ["dcat:Dataset"] * 14
    for dataset in catalogue["dcat:dataset"][1:]:
        forms = [one["dcat:mediaType"]["@id"] for one in dataset["dcat:distribution"]]
        assert [form.rpartition("/")[2] for form in forms] == [
            "csv",
            "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "jsonl",
        ]
        address = dataset["dcat:distribution"][0]["dcat:downloadURL"]["@id"]
        assert (await house.ask("reporting", "GET", local(address), **ANYBODY)).status_code == 200
