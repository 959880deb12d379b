"""What the command line says: in Spanish at a Spanish terminal, in English at any other."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services import cli

SERVICES = Path(cli.__file__).parent
PLACES = re.compile(r"\{\w+[^}]*\}|\[/?[a-z]+\]|`[^`]+`")


def texts() -> Iterator[str]:
    """Every text of the command line: what is said, and what each command says it does."""
    for file in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "say"):
                match node.args[0]:
                    case ast.Constant(str(text)):
                        yield text
    for one in (cli.app, cli.mapping_app, cli.followers):
        callbacks = [command.callback for command in one.registered_commands]
        if one.registered_callback is not None:
            callbacks.append(one.registered_callback.callback)
        for callback in callbacks:
            yield str(getdoc(callback))


def test_no_text_of_the_command_line_lacks_spanish_and_none_is_kept_that_is_not_said() -> None:
    with (SERVICES / "locale/es.po").open("rb") as source:
        spanish = {str(one.id): str(one.string) for one in read_po(source, locale="es") if one.id}
    assert set(texts()) == spanish.keys()
    for text, told in spanish.items():
        assert told, text
        assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(told)), text


@pytest.mark.parametrize(
    ("terminal", "told", "refused"),
    [
        ({"LANG": "es_CL.UTF-8"}, "Ningún token lleva el rol", "el rol `system`"),
        ({"LANG": "es_CL.UTF-8", "LC_ALL": "C"}, "No token carries the role", "the role `system`"),
        ({"LANG": "de_DE.UTF-8"}, "No token carries the role", "the role `system`"),
    ],
)
def test_it_speaks_the_language_of_the_terminal(
    tmp_path: Path, terminal: dict[str, str], told: str, refused: str
) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "token", "--role", "system", "--organization", "DCI"],
        env={**others, **terminal, "PYTHONPATH": str(SERVICES.parent), "PYTHONUTF8": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert told in done.stderr
    assert refused in done.stderr
