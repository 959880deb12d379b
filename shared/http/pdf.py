"""Pages as PDF, for printing and for keeping."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import sha256
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import Final

from shared import typesetting
from shared.apart import NotMadeError, made_apart
from shared.errors import Unavailable
from shared.http.problems import RequestProblemError

MEDIA_TYPE: Final = "application/pdf"
MEMORY: Final = 1024**3
"""Bytes that the process may have that sets a page."""
KEPT: Final = 32 * 1024**2
"""Bytes of PDFs that are kept, because the same page is set as the same PDF, and takes seconds each time."""

OFFERED: Final = find_spec("weasyprint") is not None
"""Whether the extra is installed; whether it finds Pango, too, is known when a page is set."""


class PdfPress:
    """Sets pages as PDF, one at a time, in a process apart."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is for how long anybody waits, for their turn and for the page to be set."""
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    async def pdf_of(self, page: bytes) -> bytes:
        """A page of HTML as PDF/UA.

        RequestProblemError where this installation sets none; Unavailable where it took too long or too much.
        """
        name = sha256(page).digest()
        try:
            async with asyncio.timeout(self._seconds), self._turn:
                found = self._kept.get(name) or await self._set(page)
        except TimeoutError as error:
            raise Unavailable("pdf-not-made", "It was not set in time: ask again, or for HTML.") from error
        except NotMadeError as error:
            if error.status == typesetting.NOT_INSTALLED:
                raise RequestProblemError("pdf-not-installed", typesetting.EXTRA) from error
            raise Unavailable("pdf-not-made", "It could not be set: ask for HTML, and print that.") from error
        self._keep(name, found)
        return found

    async def _set(self, page: bytes) -> bytes:
        source = TemporaryFile()  # noqa: SIM115 - closed when the PDF is made of it
        source.write(page)
        source.seek(0)
        with await made_apart(typesetting.__name__, source, seconds=self._seconds, memory=MEMORY) as made:
            made.seek(0)
            return made.read()

    def _keep(self, name: bytes, pdf: bytes) -> None:
        self._kept[name] = pdf
        self._kept.move_to_end(name)
        while sum(map(len, self._kept.values())) > KEPT:
            self._kept.popitem(last=False)
