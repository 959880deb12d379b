"""Lists as JSON Lines: each item as the list answers it, in a line of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from services.reporting.tables.columns import Output

MEDIA_TYPE: Final = "application/jsonl"


class JsonLines:
    """Writes items into a file, some at a time."""

    def __init__(self, file: Output) -> None:
        self._file = file

    def write(self, items: Iterable[msgspec.Raw]) -> None:
        """Write items."""
        self._file.write(b"".join(bytes(item) + b"\n" for item in items))
