"""Which bodies the organisations of a source are: by what it says of them, and by the rules of the mapping."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from services.meetings.domain import guards
from services.meetings.domain.body import BodyDescription
from services.meetings.importing.mapping import Bodies
from services.meetings.importing.reading import found_at
from services.meetings.importing.telling import BodyTold
from shared.errors import InvalidInput
from shared.events.meeting_vocabulary import BodyKind
from shared.importing.text import plain


class Organizations:
    """The organisations that a source describes, each as the body it would be on record."""

    def __init__(self, mapping: Bodies, described: Sequence[dict[str, Any]]) -> None:
        self._mapping = mapping
        self._described = {
            reference: one
            for one in described
            if isinstance(reference := found_at(one, mapping.reference), str)
        }
        self._bodies: dict[str, BodyTold] = {}
        self._takers: dict[str, str] = {}

    def body(self, reference: str) -> BodyTold:
        """The body behind a reference; InvalidInput says why there is none, or none that can be told from another."""
        found = self._bodies.get(reference)
        if found is None:
            found = self._told(reference)
            taker = self._takers.setdefault(found.code, reference)
            if taker != reference:
                raise InvalidInput(
                    "body-code-shared",
                    f"'{found.code}' would stand for {taker}, too: give one of them another code in the mapping.",
                )
            self._bodies[reference] = found
        return found

    def _told(self, reference: str) -> BodyTold:
        mapping = self._mapping
        content = self._described.get(reference, {mapping.reference: reference})
        code = name = None
        kind, decides, visibility = mapping.kind, mapping.decides, mapping.visibility
        for rule in mapping.where:
            if found_at(content, rule.member) in rule.values:
                code, name = rule.code or code, rule.name or name
                kind, visibility = rule.kind or kind, rule.visibility or visibility
                decides = decides if rule.decides is None else rule.decides
        code = code or self._code_from(content)
        name = name or _text(found_at(content, mapping.name))
        if code is None or name is None:
            raise InvalidInput(
                "unknown-organization",
                "It is not described, with a code and a name, in the file of organisations or in the mapping.",
            )
        guards.well_formed_body_code(code)
        return BodyTold(code, BodyDescription(name, BodyKind(kind), decides, visibility))

    def _code_from(self, content: dict[str, Any]) -> str | None:
        text = _text(found_at(content, self._mapping.code))
        if text is None:
            return None
        for letters, others in self._mapping.transliterate.items():
            text = text.replace(letters, others)
        bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        return self._mapping.prefix + re.sub(r"[^A-Za-z0-9]+", "-", bare).strip("-")


def _text(value: object) -> str | None:
    return plain(value) or None if isinstance(value, str) else None
