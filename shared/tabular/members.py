"""What stands at the members of one JSON object: a text, an instant, a flag, a list; and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from shared.tabular.cells import Unreadable
from shared.tabular.report import RowError
from shared.tabular.text import plain

LONGEST_LINE: Final = 500
"""Characters of a title, a place, a wording: the limit of the API."""


def found_at(content: dict[str, Any], member: str) -> Any:
    """What stands at a member, stepping into an object at each dot; None when there is nothing."""
    value: Any = content
    for name in member.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def members_in(content: dict[str, Any], before: str = "") -> Iterator[str]:
    """Every member there is in an object, as a mapping names it; those of the objects in a list with `[]`."""
    for name, value in content.items():
        yield before + name
        if isinstance(value, dict):
            yield from members_in(value, f"{before}{name}.")
        for one in value if isinstance(value, list) else ():
            if isinstance(one, dict):
                yield from members_in(one, f"{before}{name}[].")


class Members:
    """The members of an object, read one by one.

    What is wrong with them gathers in `errors`, and in `left_out` what can be done without; objects within share both.
    """

    def __init__(
        self, line: int, content: dict[str, Any], within: str = "", of: Members | None = None
    ) -> None:
        self._line = line
        self._content = content
        self._within = within
        self.errors: list[RowError] = [] if of is None else of.errors
        self.left_out: list[RowError] = [] if of is None else of.left_out

    def at(self, member: str) -> Any:
        """Whatever stands there."""
        return found_at(self._content, member)

    def fault(self, member: str | None, value: object, code: str, reason: str) -> None:
        """Note that something is wrong with a member."""
        self.errors.append(self._error(member, value, code, reason))

    def leave_out(self, member: str | None, value: object, code: str, reason: str) -> None:
        """Note that a member is done without."""
        self.left_out.append(self._error(member, value, code, reason))

    def _error(self, member: str | None, value: object, code: str, reason: str) -> RowError:
        where = None if member is None else self._within + member
        return RowError(self._line, where, None if value is None else str(value), code, reason)

    def text(self, member: str | None) -> str | None:
        """The text there, in one line; None when there is none or a blank one."""
        value = None if member is None else self.at(member)
        if value is None:
            return None
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            self.fault(member, None, "no-text", "It is no text.")
            return None
        text = plain(str(value))
        if "\0" in text:
            self.fault(member, None, "text-not-storable", "There is a NUL character in it.")
            return None
        if len(text) > LONGEST_LINE:
            reason = f"It has {len(text)} characters; {LONGEST_LINE} are the limit."
            self.fault(member, text, "text-too-long", reason)
            return None
        return text or None

    def required(self, member: str) -> str | None:
        """The text there; None, and a fault, when there is none."""
        before = len(self.errors)
        text = self.text(member)
        if text is None and len(self.errors) == before:
            self.fault(member, None, "value-missing", "There is nothing.")
        return text

    def flag(self, member: str | None) -> bool:
        """Whether the source says so; what it does not say is not so."""
        value = None if member is None else self.at(member)
        if value is not None and not isinstance(value, bool):
            self.fault(member, value, "no-flag", "It is neither true nor false.")
        return value is True

    def objects(self, member: str, order: str | None) -> Iterator[Members]:
        """The members of each object in the list there, sorted by a whole number that each has, or as they stand."""
        listed = self.at(member)
        if listed is None:
            return
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            self.fault(member, None, "no-list", "It is no list of objects.")
            return
        found = [
            Members(self._line, content, f"{self._within}{member}[{place}].", self)
            for place, content in enumerate(listed)
        ]
        yield from found if order is None else self._sorted(found, order)

    @staticmethod
    def _sorted(found: list[Members], order: str) -> list[Members]:
        numbers = [members.at(order) for members in found]
        if all(number is None for number in numbers):
            return found
        for members, number in zip(found, numbers, strict=True):
            if not isinstance(number, int) or isinstance(number, bool):
                members.fault(order, number, "no-number", "It is no whole number to sort by.")
                return found
        return [found[place] for place in sorted(range(len(found)), key=numbers.__getitem__)]


def instant(text: str) -> datetime:
    """The instant that a time with its offset means, in UTC; Unreadable when it means none, or several."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("no-instant", "It is no day with a time, as in 2024-05-31T16:30:00+02:00.") from None
    raise Unreadable("no-offset", "It has no offset, so it could be any of several instants.")
