"""What a PDF says of itself."""

from __future__ import annotations

import re
import zlib

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def opened(pdf: bytes) -> bytes:
    """A PDF with everything in it that was compressed behind it, as it reads."""
    assert pdf.startswith(b"%PDF-")
    inside = [pdf]
    for found in _STREAM.finditer(pdf):
        try:
            inside.append(zlib.decompress(found[1]))
        except zlib.error:  # one that is not compressed stands in the file itself
            continue
    return b"\n".join(inside)
