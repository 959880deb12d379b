"""`docs/importing.md` says what the mapping files can say, and which codes a report can hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from services.commitments.importing import mapping as sections
from services.commitments.importing.mapping import FIELDS, Mapping
from shared.tabular import mapping as shared_sections
from shared.tabular.mapping import Section, read_mapping

ROOT = Path(__file__).parents[4]
DOCUMENT, _, _ = (
    (ROOT / "docs/importing.md").read_text(encoding="utf-8").partition("\n# Importing meetings\n")
)
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def keys_in(value: Any) -> set[str]:
    match value:
        case dict():
            return set(value).union(*map(keys_in, value.values()))
        case list():
            return set().union(*map(keys_in, value))
        case _:
            return set()


def test_the_annotated_mapping_is_one_that_is_understood(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(EXAMPLE, encoding="utf-8")
    read_mapping(tmp_path / "mapping.toml", Mapping)


def test_every_key_of_a_mapping_is_explained() -> None:
    structs = [one for one in vars(sections).values() if isinstance(one, type) and issubclass(one, Section)]
    keys = {name for struct in structs for name in struct.__struct_fields__}
    shown_in_words = set(re.findall(r"\[(\w+)\]|(\w+) = ", EXAMPLE)[0])
    explained = keys_in(tomllib.loads(EXAMPLE)) | shown_in_words | {"on", "sheets", "internal_deadline"}
    assert len(structs) > 15
    assert keys - explained == set()
    for name in ("on", "sheets", "internal_deadline"):
        assert re.search(rf"{name}( =|\])", EXAMPLE), name


def test_every_field_that_a_mapping_can_give_is_listed() -> None:
    assert {name for name in FIELDS if f"`{name}`" not in DOCUMENT} == set()


def test_every_code_that_the_importer_gives_a_row_is_explained() -> None:
    folders = Path(sections.__file__).parent, Path(shared_sections.__file__).parent
    paths = [path for folder in folders for path in sorted(folder.glob("*.py")) if path.stem != "members"]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text)) - {"utf-8", "utf-8-sig", "utf-16"}
    codes -= {"too-many-conflicts", "import-writer", "api-key", "yyyy-mm-dd"}
    assert len(codes) > 12
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()
