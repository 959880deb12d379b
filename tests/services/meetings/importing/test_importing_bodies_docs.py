"""`docs/importing.md` says what a file of bodies can say, and why a body is refused."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum
from pathlib import Path

import pytest

from services.meetings.body import model as rules
from services.meetings.importing import bodies as sections
from services.meetings.importing.bodies import BilateralSection, BodiesFile, BodySection
from shared.events.meeting_vocabulary import BodyKind, Cadence, ProtocolPeriod
from shared.events.meetings import ExpectedMeetings, Protocol, Seat
from shared.events.vocabulary import Visibility
from shared.tabular.mapping import read_mapping

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
_, _, DOCUMENT = TEXT.partition("\n# Importing bodies\n")
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_annotated_file_is_one_that_is_understood_and_names_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "bodies.toml").write_text(EXAMPLE, encoding="utf-8")
    shown = read_mapping(tmp_path / "bodies.toml", BodiesFile)
    (body,) = shown.bodies
    body.description()
    assert body.kind == BodySection(code="A", name="A").kind
    defaults = BilateralSection()
    assert shown.bilaterals is not None
    assert (shown.bilaterals.code, shown.bilaterals.name, shown.bilaterals.kind) == (
        defaults.code,
        defaults.name,
        defaults.kind,
    )


def test_every_key_is_explained() -> None:
    structs = (BodiesFile, BodySection, BilateralSection, Seat, Protocol, ExpectedMeetings)
    keys = {name for struct in structs for name in struct.__struct_fields__}
    assert len(keys) > 18
    assert {key for key in keys if not re.search(rf"\b{key}\b", EXAMPLE)} == set()


def test_every_key_of_the_bilaterals_is_shown_under_them() -> None:
    _, _, bilaterals = EXAMPLE.partition("\n[bilaterals]")
    assert set(re.findall(r"^(\w+) =", bilaterals, re.MULTILINE)) == set(BilateralSection.__struct_fields__)


@pytest.mark.parametrize("words", [BodyKind, Cadence, ProtocolPeriod, Visibility])
def test_every_word_that_a_key_takes_is_named(words: type[StrEnum]) -> None:
    assert {word.value for word in words if not re.search(rf"\b{word}\b", EXAMPLE)} == set()


def test_every_code_for_which_a_body_is_refused_is_explained() -> None:
    text = inspect.getsource(sections) + inspect.getsource(rules)
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text)) | {
        # The guards that a description of a body is held to.
        "body-code-malformed",
        "text-required",
        "unknown-organization",
    }
    elsewhere = {"too-many-conflicts", "not-a-bilateral", "meeting-of-another-circle"}
    assert len(codes) > 8
    assert {code for code in codes - elsewhere if f"`{code}`" not in DOCUMENT} == set()


def test_an_empty_installation_is_told_what_comes_first() -> None:
    (typed, *_) = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    assert typed.index("bitacora migrate") < typed.index("bitacora import-bodies")
