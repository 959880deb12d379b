"""The mapping file: where in somebody else's JSON a meeting, its body, its agenda and its results stand.

TOML, read into the structs below; `docs/importing.md` explains every key. A member is named as it stands in the JSON,
with dots to step into an object: `location.description`. The defaults are the members of OParl 1.1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from shared.events.meeting_vocabulary import ItemOutcome
from shared.events.vocabulary import Visibility
from shared.tabular.mapping import Section, Text
from shared.tabular.text import folded

Kind = Literal["committee", "stocktake"]
"""The kinds of body that are described without naming the ministries they are with."""


class Meetings(Section, frozen=True, kw_only=True):
    """The members of a meeting. Of what it is made of, the standard says more than most sources keep to.

    `end_is` says whether the end given is the one planned or the one that came about. `held` says which meetings of
    the past took place: all that are not cancelled, or those with at least one result.
    """

    reference: Text = "id"
    start: Text = "start"
    end: str | None = "end"
    end_is: Literal["planned", "actual"] = "planned"
    title: str | None = "name"
    place: tuple[Text, ...] = ("location.description",)
    cancelled: str | None = "cancelled"
    deleted: str | None = "deleted"
    held: Literal["past", "with_results"] = "past"


class Where(Section, frozen=True, kw_only=True):
    """What differs for the organisations whose member `member` is one of `values`; a later rule wins."""

    member: Text
    values: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    code: Text | None = None
    name: Text | None = None
    kind: Kind | None = None
    decides: bool | None = None
    visibility: Visibility | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A rule without an effect, or with one that can be meant for a single organisation only."""
        if all(value is None for value in (self.code, self.name, self.kind, self.decides, self.visibility)):
            yield "", " changes nothing"
        if self.code is not None and len(self.values) > 1:
            yield "", " gives one `code` to several organisations"


class Bodies(Section, frozen=True, kw_only=True):
    """Which body a meeting is of, and how an organisation of the source is described as a body.

    `member` holds the reference of the organisation; `file`, beside the file of meetings, describes organisations.
    """

    member: Text = "organization"
    file: Text | None = None
    reference: Text = "id"
    code: Text = "shortName"
    name: Text = "name"
    prefix: str = ""
    transliterate: dict[str, str] = msgspec.field(default_factory=dict)
    kind: Kind = "committee"
    decides: bool = False
    visibility: Visibility = Visibility.INTERNAL
    where: tuple[Where, ...] = ()

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A file that stands elsewhere: a mapping from outside must not have us read what is ours."""
        if self.file is not None and (re.search(r"[/\\]", self.file) or self.file in {".", ".."}):
            yield "file", " is the name of a file beside the meetings, without folders"


class Agenda(Section, frozen=True, kw_only=True):
    """The members of the items of an agenda; `order`, if given, sorts them."""

    member: Text = "agendaItem"
    order: str | None = "order"
    title: Text = "name"
    label: str | None = "number"
    reference: str | None = "id"
    public: str | None = "public"


class Results(Section, frozen=True, kw_only=True):
    """What the source says came of an item, word for word, and what some of its wordings amount to.

    `verbatim` are wordings that are known and amount to none of our outcomes; `unknown` is about all others.
    """

    member: Text = "result"
    values: dict[str, ItemOutcome] = msgspec.field(default_factory=dict)
    verbatim: tuple[str, ...] = ()
    unknown: Literal["error", "verbatim"] = "error"

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Wordings that stand there twice."""
        wordings = Counter(map(folded, (*self.values, *self.verbatim)))
        yield from (("", f" has the wording '{word}' twice") for word, count in wordings.items() if count > 1)


class Mapping(Section, frozen=True, kw_only=True):
    """The whole file. `source` is how it is named in what is recorded from it."""

    source: Text
    kind: Literal["oparl"] = "oparl"
    meetings: Meetings = Meetings()
    bodies: Bodies = Bodies()
    agenda: Agenda = Agenda()
    results: Results = Results()

    def members(self) -> Iterator[str]:
        """Every member of a meeting that it asks for, as a report names it."""
        asked, agenda, items = self.meetings, self.agenda, f"{self.agenda.member}[]."
        own = (
            asked.reference,
            asked.start,
            asked.end,
            asked.title,
            *asked.place,
            asked.cancelled,
            asked.deleted,
        )
        of_items = (agenda.order, agenda.title, agenda.label, agenda.reference, agenda.public)
        yield from (member for member in (*own, self.bodies.member, agenda.member) if member is not None)
        yield from (items + member for member in (*of_items, self.results.member) if member is not None)
