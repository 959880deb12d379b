"""Pages as PDF: set apart, within bounds, of nothing but themselves; and what is said where none can be made."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import psutil
import pytest

from shared.errors import Unavailable
from shared.http.pdf import PdfPress
from shared.http.problems import RequestProblemError
from tests.support.pdf import opened

pytestmark = pytest.mark.anyio

PAGE = b'<!doctype html><html lang="es"><title>Acta</title><h1>Acta</h1><p>Se acord\xc3\xb3</p></html>'
LONG_ENOUGH = 300


def planted(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """In place of the library that sets pages, a module of this source."""
    (folder / "weasyprint.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)


async def pdf_of(page: bytes) -> bytes:
    """A page as PDF; skips where Pango is not on the machine."""
    try:
        return await PdfPress(LONG_ENOUGH).pdf_of(page)
    except RequestProblemError:
        pytest.skip("there is no Pango of Debian here")


async def test_a_page_is_set_as_a_tagged_pdf_that_says_its_title_and_its_language() -> None:
    pdf = opened(await pdf_of(PAGE))
    for mark in (
        rb"/Lang ?\(es\)",
        rb"/Marked true",
        rb"/DisplayDocTitle true",
        rb"/StructTreeRoot",
        rb"pdfuaid:part",
    ):
        assert re.search(mark, pdf), mark


async def test_nothing_is_fetched_for_a_page_from_elsewhere_or_from_this_machine(tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    picture = tmp_path / "secret.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"/>', encoding="utf-8")
    plain = await pdf_of(
        b'<html lang="en"><title>t</title><p><img alt="x" width=9 src="nothing:"></p></html>'
    )
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for address in (f"http://127.0.0.1:{port}/a.png", picture.as_uri()):
            page = f'<html lang="en"><title>t</title><style>@import "{address}";</style>'
            page += (
                f'<link rel=stylesheet href="{address}"><p><img alt="x" width=9 src="{address}"></p></html>'
            )
            assert len(await pdf_of(page.encode())) == pytest.approx(len(plain), abs=200)
    assert asked == []


async def test_the_same_page_is_set_once_also_when_it_is_asked_for_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made"
    planted(tmp_path, monkeypatch, f"open({str(made)!r}, 'a').write('x')\nprint('%PDF')\nraise SystemExit(0)")
    press = PdfPress(LONG_ENOUGH)
    first, second = await asyncio.gather(press.pdf_of(PAGE), press.pdf_of(PAGE))
    assert first == second == await press.pdf_of(PAGE) == b"%PDF\n"
    assert made.read_text(encoding="utf-8") == "x"
    await press.pdf_of(PAGE + b" ")
    assert made.read_text(encoding="utf-8") == "xx"


@pytest.mark.parametrize("source", ["raise ImportError('none')", "raise OSError('cannot load libpango')"])
async def test_where_the_extra_or_its_library_is_missing_the_refusal_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    planted(tmp_path, monkeypatch, source)
    with pytest.raises(RequestProblemError, match=re.escape("bitacora[pdf]")) as refused:
        await PdfPress(LONG_ENOUGH).pdf_of(PAGE)
    assert refused.value.code == "pdf-not-installed"


async def test_what_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive = tmp_path / "pid"
    source = f"import os, time\nopen({str(alive)!r}, 'w').write(str(os.getpid()))\ntime.sleep(3600)"
    planted(tmp_path, monkeypatch, source)
    with pytest.raises(Unavailable) as refused:
        await PdfPress(1).pdf_of(PAGE)
    assert refused.value.code == "pdf-not-made"
    assert not alive.exists() or not psutil.pid_exists(int(alive.read_text(encoding="utf-8")))


async def test_what_takes_too_much_memory_is_not_made_and_the_next_page_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(
        tmp_path,
        monkeypatch,
        "if not __import__('sys').stdin.buffer.read(1): raise SystemExit(0)\nbytearray(2**31)",
    )
    press = PdfPress(LONG_ENOUGH)
    with pytest.raises(Unavailable) as refused:
        await press.pdf_of(PAGE)
    assert refused.value.code == "pdf-not-made"
    assert await press.pdf_of(b"") == b""
