"""What no linter checks about the files themselves: their names, their length, what they may not mention."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}

# Spelt in two halves, so that this file does not mention them either.
MENTIONS = {
    "a path of one machine": re.compile(r"(?<![\w.}])/(?:" + r"work|root|home/\w+" + r")/[\w.]"),
    "the address of an index": re.compile(r"//[\w.-]*(?:" + "pypi" + "|" + "pythonhosted" + r")[\w.-]*"),
    "an index by option": re.compile(r"(?<!no-emit-)\bindex" + r"-url\b"),
    "a marker of unfinished work": re.compile(r"\b(?:TO" + "DO|FIX" + r"ME|XX" + r"X)\b"),
}


def files() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file())


def sources(*folders: str) -> list[Path]:
    """The Python files under these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def shown(paths: list[Path]) -> list[str]:
    """Paths as a reader of the repository knows them."""
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_file_hides_behind_a_name_that_says_nothing() -> None:
    assert shown([path for path in files() if path.stem.lower() in BANNED_NAMES]) == []


def test_no_private_name_of_a_library_is_used() -> None:
    """Neither imported nor reached for: what a library does not promise may be gone with its next release."""
    private = re.compile(r"^\s*(?:from|import) (?!services|shared|__future__)[\w.]*\b_[a-z]\w*", re.MULTILINE)
    silenced = "noqa: " + "SLF001"
    found = [
        path
        for path in sources("services", "shared", "bench", "docs")
        if private.search(text := path.read_text(encoding="utf-8")) or silenced in text
    ]
    assert shown(found) == []


def test_a_request_is_passed_on_by_name() -> None:
    """A dictionary of attributes is a link that neither a reader nor the type checker sees."""
    found = [path for path in sources("services", "shared") if "vars(" in path.read_text(encoding="utf-8")]
    assert [path for path in shown(found) if not path.endswith("aggregate.py")] == []


def test_every_file_that_the_documents_name_is_there() -> None:
    """ADRs tell of what was there when they were written."""
    named = re.compile(r"`((?:services|shared|tests|docs|deploy|bench)/[\w./-]+\w/?)`")
    gone = [
        f"{shown([path])[0]}: {name}"
        for path in files()
        if path.suffix == ".md" and "adr" not in path.parts
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert gone == []


def test_every_module_says_what_it_is_for() -> None:
    """An empty `__init__` has nothing to say."""
    silent = [
        path
        for path in sources("services", "shared", "bench", "tests")
        if (text := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert shown(silent) == []


@pytest.mark.parametrize("what", MENTIONS)
def test_no_file_mentions_what_is_true_of_one_machine_only(what: str) -> None:
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in MENTIONS[what].finditer(text)]
    assert found == []


def test_the_mentions_looked_for_would_be_found() -> None:
    planted = {
        "a path of one machine": "cd /wo" + "rk/main",
        "the address of an index": "https://py" + "pi.org/simple",
        "an index by option": "pip install --index" + "-url x",
        "a marker of unfinished work": "# TO" + "DO later",
    }
    assert planted.keys() == MENTIONS.keys()
    for what, text in planted.items():
        assert MENTIONS[what].search(text), what


def test_no_test_is_put_aside() -> None:
    """Only the absence of a data set, or of a program of Debian's, may skip a test, and says so."""
    aside = re.compile(r"mark\.(?:skip|xfail)\b|pytest\.(?:skip|xfail)\(|skipif\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources("tests")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if aside.search(line) and not any(word in line.lower() for word in ("data", "of debian"))
    ]
    assert found == []


def test_make_explains_each_of_its_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    helped = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    promised = {"help", "run", "test", "ops-test", "check", "bench", "lock", "docs", "clean"}
    assert promised <= set(re.findall(r"^  make ([\w-]+)", helped, re.MULTILINE))
    assert set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) >= promised


def test_the_lock_is_of_the_dependencies_as_they_stand() -> None:
    """Each dependency of pyproject.toml is pinned with a hash; run `make lock` after changing one."""
    pinned = {
        re.sub(r"[-_.]+", "-", name).lower()
        for name in re.findall(
            r"^([\w.-]+)(?:\[[\w,]+\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE
        )
    }
    named = re.findall(
        r'^ {4}"([\w.-]+)', (ROOT / "pyproject.toml").read_text().partition("[tool.")[0], re.MULTILINE
    )
    wanted = {re.sub(r"[-_.]+", "-", name).lower() for name in named}
    assert len(wanted) > 20
    assert wanted - pinned == set()
