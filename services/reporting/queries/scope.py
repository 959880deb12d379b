"""Who may see what: that which was open to the asker at the position asked for, and is open to them now."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, exists, false, or_, select, true, union

from services.reporting.queries.moments import believed
from services.reporting.tables import END_OF_LOG, circles, descriptions, disclosures, participants, standings
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role

SEE_EVERYTHING: Final = frozenset(
    {Role.DCI, Role.ADVISORY, Role.DIPRES, Role.AUDITOR, Role.ADMIN, Role.SYSTEM}
)


class Scope(NamedTuple):
    """What an asker may see; `organization` is theirs, where that makes a difference."""

    name: Literal["public", "government", "everything"]
    organization: str | None = None


PUBLIC: Final = Scope("public")
EVERYTHING: Final = Scope("everything")


def scope_of(actor: Actor | None) -> Scope:
    """Everyone sees what is public, government what is internal as well; reserved things only those concerned."""
    if actor is None:
        return PUBLIC
    if actor.role in SEE_EVERYTHING:
        return EVERYTHING
    return Scope("government", actor.organization)


def visible_standings(scope: Scope, position: int) -> ColumnElement[bool]:
    """Whether the asker may see a row of `standings` believed at a position."""
    return _visible(standings, scope, position)


def visible_descriptions(scope: Scope, position: int) -> ColumnElement[bool]:
    """Whether the asker may see a row of `descriptions` believed at a position."""
    return _visible(descriptions, scope, position)


def _visible(table: Table, scope: Scope, position: int) -> ColumnElement[bool]:
    if scope.name == "everything":
        return true()
    open_then: ColumnElement[bool] = table.c.visibility.in_(_open_to(scope))
    if scope.organization is not None:
        concerned = select(participants.c.commitment_id).where(
            participants.c.organization == scope.organization,
            participants.c.believed_from <= position,
            participants.c.believed_to > position,
        )
        open_then = or_(open_then, table.c.commitment_id.in_(concerned))
    return and_(open_then, table.c.commitment_id.in_(_open_now(scope)))


def _open_now(scope: Scope) -> Select[tuple[object]]:
    now = select(descriptions.c.commitment_id).where(
        descriptions.c.believed_to == END_OF_LOG, descriptions.c.visibility.in_(_open_to(scope))
    )
    if scope.organization is None:
        return now
    concerned = select(participants.c.commitment_id).where(
        participants.c.believed_to == END_OF_LOG, participants.c.organization == scope.organization
    )
    return select(union(now, concerned).subquery().c.commitment_id)


def knows_of(scope: Scope, position: int, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the asker may know of a body, a meeting, a decision or an action item, by its id."""
    if scope.name == "everything":
        return true()
    return and_(_open(scope, position, thing), _open(scope, None, thing))


def kept_back(scope: Scope, position: int, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a thing on record, named elsewhere, is one that the asker may not know of.

    What came on record after the position is kept back where it is hidden now: its name may have been there before it.
    """
    if scope.name == "everything":
        return false()
    on_record = exists().where(disclosures.c.thing_id == thing, believed(disclosures, position))
    return or_(~_open(scope, None, thing), and_(on_record, ~_open(scope, position, thing)))


def circled(scope: Scope, position: int, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the asker was and is one of those who know of such a thing while it is reserved."""
    if scope.name == "everything":
        return true()
    return and_(_circled(scope, position, thing), _circled(scope, None, thing))


def _open(scope: Scope, position: int | None, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(_disclosed(scope, position, thing), _circled(scope, position, thing))


def _disclosed(scope: Scope, position: int | None, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    known = disclosures.alias()
    return exists().where(
        known.c.thing_id == thing, _when(known, position), known.c.visibility.in_(_open_to(scope))
    )


def _circled(scope: Scope, position: int | None, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    if scope.organization is None:
        return false()
    known = circles.alias()
    return exists().where(
        known.c.organization == scope.organization, known.c.thing_id == thing, _when(known, position)
    )


def _when(table: FromClause, position: int | None) -> ColumnElement[bool]:
    """The rows believed at a position; at None, those believed now."""
    return table.c.believed_to == END_OF_LOG if position is None else believed(table, position)


def _open_to(scope: Scope) -> list[str]:
    return [Visibility.PUBLIC] if scope.name == "public" else [Visibility.PUBLIC, Visibility.INTERNAL]
