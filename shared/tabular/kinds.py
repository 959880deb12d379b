"""The kinds of files that can be brought in: each service declares its own, and whoever takes a file asks by name.

A mapping names the kind it is of (`kind = "indicators"`); one that does not is of commitments, as all were once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from shared.errors import Forbidden, InvalidInput
from shared.identity.actor import Role
from shared.tabular.engine import Importer, ImportState
from shared.tabular.mapping import kind_in

USUAL: Final = "commitments"
"""The kind of a mapping that does not name any."""

MakeImporter = Callable[[ImportState, Path, Path | None], Importer[Any, Any]]
"""Begins an import: what the log holds, the file, and the mapping, where the kind has one."""


class ImportKind(NamedTuple):
    """One kind of file: its `name`, what `each` row of it tells of, and how an import of one begins."""

    name: str
    each: str
    make: MakeImporter
    mapped: bool = True
    """Whether it takes a mapping to read the file; else a file may say everything itself."""
    roles: frozenset[Role] = frozenset({Role.DCI})
    """Who may bring one in over HTTP. For others than the unit its import looks whether a row is about their own."""

    def must_admit(self, role: Role) -> None:
        """Forbidden("role-not-allowed") for those who may not bring one in."""
        if role not in self.roles:
            who = ", ".join(one for one in Role if one in self.roles)
            raise Forbidden("role-not-allowed", f"Your role may not bring in {self.name}; these may: {who}.")


def chosen(mapping: Path | None, name: str | None, kinds: Iterable[ImportKind]) -> ImportKind:
    """The kind that is named, by name or else by the mapping.

    InvalidInput: "import-kind-unknown" for one that is none of these, "mapping-missing" where it takes a mapping and
    there is none, "mapping-invalid" where the mapping names another.
    """
    told = None if mapping is None else kind_in(mapping) or USUAL
    if mapping is not None and name not in (None, told):
        raise InvalidInput("mapping-invalid", f"The mapping {mapping.name} is of {told}, and not of {name}.")
    name = name or told
    by_name = {kind.name: kind for kind in kinds}
    if name is None:
        raise InvalidInput("mapping-missing", "Give the mapping of the file, or say what kind of file it is.")
    if name not in by_name:
        known = ", ".join(sorted(by_name))
        raise InvalidInput("import-kind-unknown", f"'{name}' is no kind of import here; there are: {known}.")
    kind = by_name[name]
    if mapping is None and kind.mapped:
        raise InvalidInput("mapping-missing", f"To read {kind.name} takes a mapping.")
    return kind


def with_mapping(importer: Callable[[ImportState, Path, Path], Importer[Any, Any]]) -> MakeImporter:
    """How an import begins that cannot do without a mapping."""

    def make(state: ImportState, file: Path, mapping: Path | None) -> Importer[Any, Any]:
        if mapping is None:
            raise InvalidInput("mapping-missing", f"{file.name} cannot be read without a mapping.")
        return importer(state, file, mapping)

    return make
