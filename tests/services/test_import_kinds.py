"""One command takes in every kind of file: its mapping, or whoever brings it, says which it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.commitments.importing.kinds import KINDS as OF_COMMITMENTS
from services.meetings.importing.kinds import KINDS as OF_MEETINGS
from shared.errors import InvalidInput
from shared.tabular.kinds import chosen

KINDS = (*OF_COMMITMENTS, *OF_MEETINGS)


def mapping(folder: Path, text: str) -> Path:
    path = folder / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_two_kinds_have_one_name() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_a_mapping_names_its_kind_and_one_that_does_not_is_of_commitments(tmp_path: Path) -> None:
    assert chosen(mapping(tmp_path, 'kind = "oparl"'), None, KINDS).name == "oparl"
    assert chosen(mapping(tmp_path, 'source = "The table"'), None, KINDS).name == "commitments"


def test_a_file_that_says_everything_itself_is_named_by_whoever_brings_it() -> None:
    assert chosen(None, "bodies", KINDS).name == "bodies"


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [
        ('kind = "poems"', None, "import-kind-unknown"),
        (None, "poems", "import-kind-unknown"),
        (None, None, "mapping-missing"),
        (None, "oparl", "mapping-missing"),
        ('kind = "oparl"', "commitments", "mapping-invalid"),
        ("kind = ", None, "mapping-invalid"),
    ],
)
def test_what_cannot_be_told_is_refused_before_anything_is_read(
    tmp_path: Path, text: str | None, name: str | None, code: str
) -> None:
    given = None if text is None else mapping(tmp_path, text)
    with pytest.raises(InvalidInput) as refused:
        chosen(given, name, KINDS)
    assert refused.value.code == code
