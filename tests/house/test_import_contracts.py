"""The import contracts of pyproject.toml hold, and each is broken by the import it is there to stop."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS: dict[str, str] = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}

# contract -> the module a violation is planted in, and the import that breaks it
PLANTED = {
    "services-on-shared": ("shared.rules.planted", "services.commitments"),
    "services-independent": ("services.meetings.importing.planted", "services.commitments.importing.planted"),
    "command-line-on-top": ("services.commitments.importing.planted", "services.demo.planted"),
    "shared-layers": ("shared.rules.planted", "shared.aggregate.planted"),
    "rooms-of-commitments": ("services.commitments.plan.model", "services.commitments.key.model"),
    "rooms-of-meetings": ("services.meetings.body.model", "services.meetings.decision.model"),
    "inside-the-room-of-meetings": (
        "services.meetings.meeting.listing",
        "services.meetings.meeting.proposals",
    ),
    "inside-a-room": ("services.commitments.outcome.decisions", "services.commitments.outcome.repository"),
    "inside-reporting": ("services.reporting.datasets", "services.reporting.queries.planted"),
    "pure-core": ("shared.events.planted", "sqlalchemy"),
    "http-at-the-edge": ("services.meetings.importing.planted", "starlette.requests"),
    "settings-at-the-top": ("services.commitments.importing.planted", "shared.settings"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The two packages, source only, with their contracts."""
    for package in ("services", "shared"):
        for source in (ROOT / package).rglob("*.py"):
            target = tmp_path / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def test_every_contract_has_its_planted_violation() -> None:
    assert PLANTED.keys() == CONTRACTS.keys()


def test_the_code_as_it_is_keeps_every_contract(copy: Path) -> None:
    assert broken(copy) == set()


def test_no_module_imports_itself_by_a_detour() -> None:
    """Raises CycleError with the modules of the circle; imports inside functions count."""
    graph = grimp.build_graph("services", "shared", cache_dir=None)
    TopologicalSorter(
        {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    ).prepare()


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_breaks_its_contract_and_no_other(copy: Path, contract: str) -> None:
    where, imported = PLANTED[contract]
    if imported.split(".")[0] in ("services", "shared"):
        module_file(copy, imported)
    with module_file(copy, where).open("a") as source:
        source.write(f"\nimport {imported}\n")
    assert broken(copy) == {CONTRACTS[contract]}


def test_a_module_without_a_layer_is_refused(copy: Path) -> None:
    module_file(copy, "services.meetings.elsewhere")
    assert broken(copy) == {CONTRACTS["rooms-of-meetings"]}


def module_file(root: Path, module: str) -> Path:
    """The file of a module, made empty where there is none, and so with the packages above it."""
    path = root.joinpath(*module.split("."))
    if path.is_dir():
        return path / "__init__.py"
    for package in reversed(path.relative_to(root).parents[:-1]):
        (root / package).mkdir(exist_ok=True)
        (root / package / "__init__.py").touch()
    file = path.with_suffix(".py")
    file.touch()
    return file


def broken(root: Path) -> set[str]:
    """The names of the contracts that the packages under `root` break."""
    ran = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)(?: \[.*)?$", ran.stdout, re.MULTILINE))
    assert verdicts.keys() == set(CONTRACTS.values()), ran.stdout + ran.stderr
    return {name for name, verdict in verdicts.items() if verdict == "BROKEN"}
