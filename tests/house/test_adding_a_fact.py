"""The walk through the house that `docs/adding-a-fact.md` describes is the one that has to be made."""

from __future__ import annotations

import re

from tests.house.test_house import ROOT, files

GUIDE = ROOT / "docs/adding-a-fact.md"
FACT = re.compile(
    r"commitments\.changed|\bcommitments\b[^\n]* import [^\n]*\bChanged\b|^ {4}Changed,$", re.MULTILINE
)
"""The name of the type, or an import of the class."""
SELF = "tests/house/test_adding_a_fact.py"


def named(section: str) -> set[str]:
    """The files that a section of the guide names."""
    text = GUIDE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return {
        name for name in re.findall(r"`([\w./]+)`", text) if re.search(r"\w/|\.md$", name) and name[0] != "/"
    }


def test_every_file_that_knows_of_the_fact_is_on_the_way() -> None:
    found = set()
    for path in files():
        if path.suffix in {".py", ".md", ".json", ".sha256"} and FACT.search(
            path.read_text(encoding="utf-8")
        ):
            found.add(path.relative_to(ROOT).as_posix())
    by_hand, in_tables, made = map(named, ("By hand", "Where tables tell it", "Made by commands"))
    generated = {path for path in found if path.startswith(tuple(made))}
    # The dataset has the column and does not know of the fact.
    on_the_way = (by_hand | in_tables) - {"services/reporting/datasets.py"}
    assert found - generated - {"docs/adding-a-fact.md", SELF} == on_the_way
    assert len(by_hand) <= 9


def test_every_file_on_the_way_is_there() -> None:
    missing = [
        name
        for name in named("By hand") | named("Where tables tell it") | named("Made by commands")
        if not (ROOT / name).exists()
    ]
    assert missing == []
