"""The import of commitments: observations that others publish as a table, entered into the record as events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.commitments.importing.decisions import CommitmentImport
from services.commitments.importing.mapping import Mapping
from shared.clock import Clock
from shared.eventlog.store import Store
from shared.events.commitments import OrganizationRegistered
from shared.events.facts import Event
from shared.identity.actor import Actor
from shared.tabular.engine import Progress, run_import
from shared.tabular.mapping import read_mapping
from shared.tabular.report import ImportReport


class CommitmentsReport(ImportReport, kw_only=True):
    """What an import of commitments did, beyond what every import tells."""

    organizations_registered: list[str] = msgspec.field(default_factory=list)

    def record(self, event: Event) -> None:
        """Count an event, and name the organisation that is new with it."""
        super().record(event)
        if isinstance(event, OrganizationRegistered):
            self.organizations_registered.append(event.code)

    def details(self) -> Iterator[str]:
        """The organisations that are new to the record."""
        if self.organizations_registered:
            yield f"  new organisations: {', '.join(self.organizations_registered)}"


def import_commitments(
    log: Store | str,
    file: Path,
    mapping: Path,
    *,
    actor: Actor,
    clock: Clock,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> CommitmentsReport:
    """Bring what a table says into the log; what is promised of it, and the errors, are those of `run_import`."""
    meaning = read_mapping(mapping, Mapping)
    report = CommitmentsReport(file=file.name, source=meaning.source, dry_run=dry_run)
    run_import(
        log,
        report,
        lambda state: CommitmentImport(state, file, meaning),
        actor=actor,
        clock=clock,
        progress=progress,
    )
    return report
