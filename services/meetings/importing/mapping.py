"""The mapping file: where in somebody else's JSON a meeting, its body, its agenda and its results stand.

TOML, read into the structs below; `docs/importing.md` explains every key. A member is named as it stands in the JSON,
with dots to step into an object: `location.description`. The defaults are the members of OParl 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from shared.events.meeting_vocabulary import ItemOutcome
from shared.events.vocabulary import Visibility
from shared.importing.mapping_file import Section, Text, invalid_mapping, read_mapping
from shared.importing.text import plain

Kind = Literal["committee", "stocktake"]
"""The kinds of body that are described without naming the ministries they are with."""


class Meetings(Section, frozen=True):
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


class Where(Section, frozen=True):
    """What differs for the organisations whose member `member` is one of `values`; a later rule wins."""

    member: Text
    values: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    code: Text | None = None
    name: Text | None = None
    kind: Kind | None = None
    decides: bool | None = None
    visibility: Visibility | None = None


class Bodies(Section, frozen=True):
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


class Agenda(Section, frozen=True):
    """The members of the items of an agenda; `order`, if given, sorts them."""

    member: Text = "agendaItem"
    order: str | None = "order"
    title: Text = "name"
    label: str | None = "number"
    reference: str | None = "id"
    public: str | None = "public"


class Results(Section, frozen=True):
    """What the source says came of an item, word for word, and what some of its wordings amount to.

    `verbatim` are wordings that are known and amount to none of our outcomes; `unknown` is about all others.
    """

    member: Text = "result"
    values: dict[str, ItemOutcome] = msgspec.field(default_factory=dict)
    verbatim: tuple[str, ...] = ()
    unknown: Literal["error", "verbatim"] = "error"


class Mapping(Section, frozen=True):
    """The whole file. `source` is how it is named in what is recorded from it."""

    source: Text
    meetings: Meetings = Meetings()
    bodies: Bodies = Bodies()
    agenda: Agenda = Agenda()
    results: Results = Results()

    def members(self) -> Iterator[str]:
        """Every member of a meeting that it asks for, as a report names it."""
        meetings, agenda = self.meetings, self.agenda
        own = (
            meetings.reference,
            meetings.start,
            meetings.end,
            meetings.title,
            *meetings.place,
            meetings.cancelled,
            meetings.deleted,
            self.bodies.member,
            agenda.member,
        )
        of_items = (
            agenda.order,
            agenda.title,
            agenda.label,
            agenda.reference,
            agenda.public,
            self.results.member,
        )
        yield from (member for member in own if member is not None)
        yield from (f"{agenda.member}[].{member}" for member in of_items if member is not None)


def load_mapping(path: Path) -> Mapping:
    """The mapping in a file; InvalidInput("mapping-invalid") says where it cannot be understood."""
    mapping = read_mapping(path, Mapping)
    for problem in _contradictions(mapping):
        raise invalid_mapping(path.name, problem)
    return mapping


def _contradictions(mapping: Mapping) -> Iterator[str]:
    """What no type can say; each in a sentence that names the key."""
    results = mapping.results
    wordings = [plain(wording).casefold() for wording in (*results.values, *results.verbatim)]
    for wording in {wording for wording in wordings if wordings.count(wording) > 1}:
        yield f"`results` has the wording '{wording}' twice"
    for number, rule in enumerate(mapping.bodies.where):
        if all(said is None for said in (rule.code, rule.name, rule.kind, rule.decides, rule.visibility)):
            yield f"`bodies.where[{number}]` changes nothing"
        if rule.code is not None and len(rule.values) > 1:
            yield f"`bodies.where[{number}]` gives one `code` to several organisations"
