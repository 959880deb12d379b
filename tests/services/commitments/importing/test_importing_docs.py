"""`docs/importing.md` says what the mapping files can say, and which codes a report can hold; its examples run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from services.commitments.importing import indicator_mapping
from services.commitments.importing import mapping as sections
from services.commitments.importing.indicator_mapping import FIELDS as INDICATOR_FIELDS
from services.commitments.importing.kinds import KINDS
from services.commitments.importing.mapping import FIELDS, Mapping
from services.commitments.importing.plan import OrganizationMapping, PillarMapping
from shared.tabular import mapping as shared_sections
from shared.tabular.kinds import chosen
from shared.tabular.mapping import Section, read_mapping
from tests.services.commitments.importing.desk import Desk

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
DOCUMENT, *OTHERS = re.split(r"^# Importing (?=\w+$)", TEXT, flags=re.MULTILINE)
PAGES = {page.split("\n", 1)[0]: page for page in OTHERS}
"""The part on each other kind of file, by its heading."""
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def keys_in(value: Any) -> set[str]:
    match value:
        case dict():
            return set(value).union(*map(keys_in, value.values()))
        case list():
            return set().union(*map(keys_in, value))
        case _:
            return set()


def keys_of(module: ModuleType) -> set[str]:
    """The keys of the sections that a module declares, or takes from another."""
    structs = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Section)]
    return {name for struct in structs for name in struct.__struct_fields__}


def examples(page: str) -> list[tuple[str, str]]:
    """The tables on a page, each with the mapping that follows it."""
    return re.findall(r"```csv\n(.*?)```.*?```toml\n(.*?)```", PAGES[page], re.DOTALL)


def test_the_annotated_mapping_is_one_that_is_understood(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(EXAMPLE, encoding="utf-8")
    read_mapping(tmp_path / "mapping.toml", Mapping)


def test_every_key_of_a_mapping_is_explained() -> None:
    shown_in_words = set(re.findall(r"\[(\w+)\]|(\w+) = ", EXAMPLE)[0])
    explained = keys_in(tomllib.loads(EXAMPLE)) | shown_in_words | {"on", "sheets", "internal_deadline"}
    keys = keys_of(sections)
    assert len(keys) > 40
    assert keys - explained == set()
    for name in ("on", "sheets", "internal_deadline"):
        assert re.search(rf"{name}( =|\])", EXAMPLE), name


def test_every_key_of_a_mapping_of_indicators_is_explained() -> None:
    page = PAGES["indicators"]
    keys = keys_of(indicator_mapping) | {*INDICATOR_FIELDS}
    assert len(keys) > 40
    assert {key for key in keys if not re.search(rf"\b{key}\b", page + DOCUMENT)} == set()


@pytest.mark.parametrize("page", ["indicators", "organisations"])
def test_the_tables_of_a_page_go_in_under_the_mappings_shown_for_them(desk: Desk, page: str) -> None:
    shown = examples(page)
    assert shown
    for table, mapping in shown:
        # What is shown as a form only is no column.
        desk.mapping = re.sub(r'^\w+ = \{ column = "…" \}.*\n', "", mapping, flags=re.MULTILINE)
        path = desk.folder / "mapping.toml"
        path.write_text(desk.mapping, encoding="utf-8")
        desk.importer = chosen(path, None, KINDS).make
        report = desk.enter_text(table)
        assert report.errors == report.left_out == []
        assert report.rows.imported == report.rows.read == table.count("\n") - 1
        assert desk.enter_text(table).events == {}


def test_every_field_that_a_mapping_can_give_is_listed() -> None:
    assert {name for name in FIELDS if f"`{name}`" not in DOCUMENT} == set()
    described = {*OrganizationMapping.known_fields(), *PillarMapping.known_fields()}
    assert {name for name in described if not re.search(rf"\b{name}\b", PAGES["organisations"])} == set()


def test_every_code_that_the_importer_gives_a_row_is_explained() -> None:
    folders = Path(sections.__file__).parent, Path(shared_sections.__file__).parent
    paths = [path for folder in folders for path in sorted(folder.glob("*.py")) if path.stem != "members"]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text)) - {"utf-8", "utf-8-sig", "utf-16"}
    codes -= {"too-many-conflicts", "import-writer", "api-key", "target-unchanged", "yyyy-mm-dd"}
    assert len(codes) > 12
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()
