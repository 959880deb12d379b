"""Who may do what: one row per route, enforced by the route; `docs/access.md` is printed from the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.identity.actor import Role

EVERYONE = frozenset(role for role in Role if role is not Role.SYSTEM)
"""Every role a token or a key can carry."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a route, and what the route asks of a request before it is read.

    `own_organization` names the roles that may only touch what concerns their own organisation: the
    application enforces that, since only it knows whose a thing is. `if_match` says whether the caller states
    the version it decided on (`to_change`: it must where something is there already and becomes another);
    `etag` that an answer carries one and honours `If-None-Match`; `log_position` that an answer says which
    position of the log it reflects.
    """

    roles: frozenset[Role]
    note: str = ""
    anonymous: bool = False
    own_organization: frozenset[Role] = frozenset()
    if_match: Literal["none", "optional", "to_change", "required"] = "none"
    etag: bool = False
    log_position: bool = False

    def __post_init__(self) -> None:
        if not self.own_organization <= self.roles:
            raise ValueError("own_organization narrows roles that may use the route, and names others")

    def admits(self, role: Role) -> bool:
        """Whether an actor in this role may use the route; what anyone may see, every role may."""
        return self.anonymous or role in self.roles


AccessTable = Mapping[tuple[str, str], Access]
"""(METHOD, path template) → who may use it."""


def markdown_table(table: AccessTable) -> str:
    """The table as `docs/access.md` shows it, one line per route in the table's order."""
    lines = ["| Route | Who | Without a token | Notes |", "|---|---|---|---|"]
    for (method, path), row in table.items():
        who = ", ".join(_named(role, row) for role in Role if role in row.roles) or "nobody"
        if row.roles >= EVERYONE and not row.own_organization:
            who = "every role"
        without_token = "yes" if row.anonymous else "no"
        lines.append(f"| `{method} {path}` | {who} | {without_token} | {row.note.replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def _named(role: Role, row: Access) -> str:
    return f"{role} (own organisation)" if role in row.own_organization else str(role)
