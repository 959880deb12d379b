"""What an import of commitments did, beyond what every import tells."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.importing.report import ImportReport


class Report(ImportReport, kw_only=True):
    """The whole of it."""

    organizations_registered: list[str] = msgspec.field(default_factory=list)

    def details(self) -> Iterator[str]:
        """The organisations that are new to the record."""
        if self.organizations_registered:
            yield f"  new organisations: {', '.join(self.organizations_registered)}"
