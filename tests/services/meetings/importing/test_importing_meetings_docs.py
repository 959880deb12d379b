"""`docs/importing.md` says what a mapping of meetings can say, and which codes its report can hold."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from services.meetings.importing import action_items, body_table
from services.meetings.importing import mapping as sections
from services.meetings.importing import table as registers
from services.meetings.importing.body_table import BodyTableMapping
from services.meetings.importing.kinds import KINDS
from services.meetings.importing.mapping import Mapping
from services.meetings.importing.report import MeetingsReport
from shared.events.commitments import OrganizationRegistered
from shared.events.meeting_vocabulary import ItemOutcome
from shared.tabular import members
from shared.tabular.kinds import chosen
from shared.tabular.mapping import Section, TableMapping, read_mapping
from tests.services.meetings.importing.clerk import Clerk
from tests.services.meetings.importing.test_action_item_tables import ready as with_tasks
from tests.services.meetings.importing.test_meeting_tables import ready

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
_, _, REST = TEXT.partition("\n# Importing meetings\n")
DOCUMENT, _, REGISTERS = REST.partition("\n# Importing registers\n")
REGISTERS, _, _ = REGISTERS.partition("\n# Importing bodies\n")
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_annotated_mapping_is_one_that_is_understood_and_shows_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(EXAMPLE, encoding="utf-8")
    shown, defaults = read_mapping(tmp_path / "mapping.toml", Mapping), Mapping(source="City of …")
    assert shown.meetings == defaults.meetings
    assert shown.agenda == defaults.agenda
    told = {"file": "organizations.json", "transliterate": {"ö": "oe"}, "where": shown.bodies.where}
    assert shown.bodies == msgspec.structs.replace(defaults.bodies, **told)
    assert shown.results.unknown == defaults.results.unknown


def test_every_key_of_a_mapping_is_explained() -> None:
    structs = [one for one in vars(sections).values() if isinstance(one, type) and issubclass(one, Section)]
    keys = {name for struct in structs for name in struct.__struct_fields__}
    assert len(keys) > 20
    assert {key for key in keys if not re.search(rf"\b{key}\b", EXAMPLE)} == set()


def test_every_outcome_is_named() -> None:
    assert {outcome for outcome in ItemOutcome if f"`{outcome}`" not in DOCUMENT} == set()


def test_everything_that_only_this_report_tells_is_explained() -> None:
    own = set(MeetingsReport.__annotations__)
    assert {name for name in own if f"`{name}`" not in DOCUMENT} == set()


def test_every_code_that_the_importer_gives_a_row_is_explained() -> None:
    folder = Path(sections.__file__).parent
    paths = [path for path in sorted(folder.glob("*.py")) if path.stem != "bodies"] + [Path(members.__file__)]
    codes = {
        code
        for path in paths
        for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text(encoding="utf-8"))
    }
    assert len(codes) > 20
    general = {"too-many-conflicts", "file-unreadable", "mapping-invalid", "action-items"}
    assert {code for code in codes - general if f"`{code}`" not in DOCUMENT + REGISTERS} == set()


def test_every_key_of_a_mapping_of_registers_is_explained() -> None:
    structs = {
        one
        for module in (registers, body_table, action_items)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Section) and one.__module__ == module.__name__
    }
    keys = {name for struct in structs for name in struct.__struct_fields__}
    shared = {*TableMapping.__struct_fields__} | {"century_from", "period_day", "table"}
    assert len(keys) > 40
    assert {key for key in keys - shared if not re.search(rf"\b{key}\b", REGISTERS)} == set()
    assert {
        name for name in BodyTableMapping.known_fields() if not re.search(rf"\b{name}\b", REGISTERS)
    } == set()


def test_the_tables_shown_go_in_under_the_mappings_shown_for_them(clerk: Clerk) -> None:
    ready(clerk)
    clerk.record(
        OrganizationRegistered(code="DIPRES", name="DIPRES"), reference="DIPRES", kind="organization"
    )
    shown = re.findall(r"```csv\n(.*?)```.*?```toml\n(.*?)```", REGISTERS, re.DOTALL)
    assert len(shown) == 3
    with_tasks(clerk)
    for table, mapping in shown:
        clerk.mapping = mapping
        path = clerk.folder / "mapping.toml"
        path.write_text(mapping, encoding="utf-8")
        clerk.importer = chosen(path, None, KINDS).make
        report = clerk.enter_table(table)
        assert report.errors == report.left_out == []
        assert report.rows.imported == report.rows.read == table.count("\n") - 1
        assert clerk.enter_table(table).events == {}


def test_the_further_keys_of_a_register_fit_the_mapping_before_them(tmp_path: Path) -> None:
    first, further = re.findall(r"```toml\n(.*?)```", REGISTERS, re.DOTALL)[:2]
    whole = tomllib.loads(first)
    for section, keys in tomllib.loads(further).items():
        whole[section] = whole.get(section, {}) | keys if isinstance(keys, dict) else keys
    assert msgspec.convert(whole, registers.MeetingTableMapping).attendance
