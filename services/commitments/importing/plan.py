"""Tables of the organisations of the state and of the pillars of the plan: a row is how one of them reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from services.commitments.importing.leads import NamingReport
from services.commitments.plan.model import Pillar, check_organization, check_pillar, from_its_end
from services.commitments.plan.repository import Directory
from shared.aggregate.organizations import Organization
from shared.errors import InvalidInput
from shared.events.commitments import (
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
)
from shared.events.texts import folded_code
from shared.tabular.described import DescribedImport, DescribedMapping, DescribedParser, DescribedRow
from shared.tabular.engine import ImportState
from shared.tabular.report import ImportReport
from shared.tabular.text import folded

_NAMING: Final = ("parent", "successor", "successors")
"""The fields in which an organisation names others."""


class OrganizationMapping(DescribedMapping, frozen=True, kw_only=True):
    """A table of organisations."""

    DESCRIPTION = OrganizationChanged

    kind: Literal["organizations"]


class PillarMapping(DescribedMapping, frozen=True, kw_only=True):
    """A table of pillars."""

    DESCRIPTION = PillarChanged

    kind: Literal["pillars"]


class OrganizationImport(DescribedImport[OrganizationMapping, NamingReport, Organization]):
    """An import of a table of organisations; they name each other by code, or as they are called."""

    BEGINS_WITH = OrganizationRegistered
    MAPPING = OrganizationMapping
    KIND = "organization"
    AGGREGATE = Organization

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        super().__init__(state, file, mapping)
        self._lookup = state.lookup(Directory)
        self._codes: dict[str, str] = {}
        """The codes of the table by how rows may name them, folded."""

    def reported(self, file: str, source: str) -> NamingReport:
        """See `TableImport.reported`."""
        return NamingReport(file=file, source=source)

    def parser(self, columns: Sequence[str]) -> DescribedParser[OrganizationMapping]:
        """See `TableImport.parser`."""
        self._parser = super().parser(columns)
        return self._parser

    def references(self, rows: Sequence[DescribedRow]) -> Mapping[str, set[str]]:
        """Who names whom as the one it belongs to, or goes on in."""
        for row in rows:
            for name in (row.given.get("name"), *row.given.get("aliases", ())):
                if name is not None:
                    self._codes.setdefault(folded(name), row.code)
        self._codes |= {folded_code(row.code): row.code for row in rows}
        named: dict[str, set[str]] = {}
        for row in rows:
            named.setdefault(row.code, set()).update(_named_in(self.meant(row.given)))
        return named

    def meant(self, given: dict[str, Any]) -> dict[str, Any]:
        """See `DescribedImport.meant`."""
        named = {name: given[name] for name in _NAMING if name in given}
        return given | {
            name: tuple(map(self._code_of, value)) if isinstance(value, tuple) else self._code_of(value)
            for name, value in named.items()
        }

    def _code_of(self, spelling: str) -> str:
        columns = self.mapping.code.columns
        made = self._parser.code.of(spelling)[0] if len(columns) == 1 else spelling
        code = self._codes.get(folded_code(made)) or self.state.on_record(self.KIND, made)
        code = code or self._codes.get(folded(spelling))
        if code is not None:
            return code
        known = self._lookup.found.organization_called(spelling)
        return spelling if known is None else known.code

    def complete(self, given: dict[str, Any]) -> OrganizationChanged:
        """See `DescribedImport.complete`."""
        _must_have_name(given)
        return OrganizationChanged(**given)

    def fit(self, present: Organization | None, description: OrganizationChanged) -> OrganizationChanged:
        """See `DescribedImport.fit`; what is said of an end holds from that day on."""
        today = self.state.context.today
        fitted: OrganizationChanged = super().fit(present, from_its_end(description, today))
        return fitted

    def check(self, code: str, description: OrganizationChanged, present: Organization | None) -> None:  # noqa: ARG002
        """See `DescribedImport.check`."""
        check_organization(code, description, self._lookup.found, self.state.context.today)


class PillarImport(DescribedImport[PillarMapping, ImportReport, Pillar]):
    """An import of a table of pillars."""

    BEGINS_WITH = PillarRegistered
    MAPPING = PillarMapping
    KIND = "pillar"
    AGGREGATE = Pillar

    def reported(self, file: str, source: str) -> ImportReport:
        """See `TableImport.reported`."""
        return ImportReport(file=file, source=source)

    def complete(self, given: dict[str, Any]) -> PillarChanged:
        """See `DescribedImport.complete`."""
        _must_have_name(given)
        return PillarChanged(**given)

    def check(self, code: str, description: PillarChanged, present: Pillar | None) -> None:  # noqa: ARG002
        """See `DescribedImport.check`."""
        check_pillar(code, description, self.state.context.today)


def _must_have_name(given: Mapping[str, Any]) -> None:
    if "name" not in given:
        raise InvalidInput("text-required", "What is new to the record needs a name.", pointer="/name")


def _named_in(given: Mapping[str, Any]) -> Iterator[str]:
    for name in _NAMING:
        value = given.get(name)
        yield from value if isinstance(value, tuple) else () if value is None else (value,)
