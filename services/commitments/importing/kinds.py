"""The files that the service of commitments takes in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.commitments.importing.decisions import CommitmentImport
from services.commitments.importing.indicators import IndicatorImport
from services.commitments.importing.own_columns import ListImport
from services.commitments.importing.plan import OrganizationImport, PillarImport
from services.commitments.importing.platform_rows import PlatformImport
from services.commitments.importing.reports import ReportImport
from services.commitments.importing.sheets import CaptureSheetImport
from shared.identity.actor import Role
from shared.tabular.engine import ImportState
from shared.tabular.kinds import ImportKind, with_mapping


def _commitments(state: ImportState, file: Path, mapping: Path | None) -> CommitmentImport:
    return CommitmentImport(state, file, mapping) if mapping else ListImport(state, file)


_OF_THEIR_OWN: Final = frozenset({Role.DCI, Role.MINISTRY})

KINDS: Final = (
    ImportKind(
        "commitments",
        "an observation of one commitment on one day",
        _commitments,
        mapped=False,
        roles=_OF_THEIR_OWN,
    ),
    ImportKind(
        "progress-reports",
        "a progress report on one commitment",
        lambda state, file, _: ReportImport(state, file),
        mapped=False,
        roles=_OF_THEIR_OWN,
    ),
    ImportKind("indicators", "an indicator, or one value of one", with_mapping(IndicatorImport)),
    ImportKind(
        "organizations", "an organisation, as it reads from a day on", with_mapping(OrganizationImport)
    ),
    ImportKind("pillars", "a pillar of the plan, as it reads from a day on", with_mapping(PillarImport)),
    ImportKind(
        "capture-sheets",
        "a capture sheet of one initiative",
        lambda state, file, _: CaptureSheetImport(state, file),
        mapped=False,
    ),
    ImportKind(
        "platform-rows",
        "a commitment by the fields of the unit's web platform",
        lambda state, file, _: PlatformImport(state, file),
        mapped=False,
    ),
)
