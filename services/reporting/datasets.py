"""The datasets of the read model, each declared once: what its rows say, by what they are told apart, and who may read.

Every row has system time: it was known at the positions `known_from` ≤ position < `known_to` of the log. A dataset with
valid time says besides on which days a row held: `valid_from` ≤ day < `valid_to`. The rows of one key never overlap: at
one position, on one day, at most one holds. No row is ever deleted; `known_to` is all that changes, once.

From a declaration come the table and its indexes, the statements that write it, the filters and groups of a question,
and the part of an answer that is a row as it lies. Change one, or what a projection makes of events (`PROJECTIONS`),
and the fingerprint is another: another generation of the read model is then built beside the present one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Double,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    event,
    or_,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine

from services.reporting.intervals import path
from shared.events.editions import ReportKind
from shared.events.meeting_vocabulary import BodyKind, DecisionKind
from shared.events.vocabulary import (
    CommitmentKind,
    Direction,
    DiscardReason,
    Frequency,
    Judgement,
    Nature,
    OriginKind,
    ResultType,
    Visibility,
)
from shared.events.vocabulary import Scope as CommitmentScope
from shared.rules.indicator_verdict import IndicatorStatus
from shared.rules.indicator_warnings import WINDOWS, WarningWindows

PROJECTIONS: Final = 9
"""To be raised whenever a projection makes other rows of the same events."""

END_OF_DAYS: Final = date.max
"""`valid_to` of what holds until further notice."""

_LAST_DAY: Final = END_OF_DAYS - timedelta(days=1)
"""On the very last day everything holds that held on its eve: days of facts lie before it."""

END_OF_LOG: Final = 2**63 - 1
"""`known_to` of what is known now."""

LAST_DAY_BIT: Final = date.max.toordinal().bit_length()
LAST_POSITION_BIT: Final = 62
"""What is known now is filed under 2**62, the highest number a position can be filed under."""

ON: Final[Any] = bindparam("on", type_=Date)
POSITION: Final[Any] = bindparam("position", type_=BigInteger)
_DAY_PATH: Final[Any] = bindparam("day_path", expanding=True)
_POSITION_PATH: Final[Any] = bindparam("position_path", expanding=True)
"""The day and the position of a question, where a statement is put together before they are known."""

ORGANIZATION: Final = "organization"
PILLAR: Final = "pillar"
"""What a row of `names` is the name of."""


def bound(on: date, position: int, reached: int) -> dict[str, Any]:
    """The values for a statement about the day `ON` and the position `POSITION`."""
    return {
        "on": min(on, _LAST_DAY),
        "position": position,
        "day_path": _day_path(on),
        "position_path": _position_path(position, reached),
    }


def _day_path(on: date) -> list[int]:
    """Where what holds on a day is filed."""
    return path(min(on, _LAST_DAY).toordinal(), LAST_DAY_BIT)


def _position_path(position: int, reached: int) -> list[int]:
    """Where what is known at a position is filed."""
    return [*path(position, max(reached, position, 1).bit_length()), 1 << LAST_POSITION_BIT]


class DecisionChange(StrEnum):
    """What is recorded of a decision, or of what became of it."""

    AGREED = "agreed"
    PUBLISHED = "published"
    ACKNOWLEDGED = "acknowledged"
    LINE = "line"
    ERRATUM = "erratum"
    OUTCOME = "outcome"
    REFERRAL = "referral"
    RETRACTED = "retracted"


class Type(StrEnum):
    """What a value is; an instant is its published text in UTC, which sorts by time, and JSON is text as well."""

    ID = "id"
    TEXT = "text"
    NUMBER = "number"
    POSITION = "position"
    DAY = "day"
    INSTANT = "instant"
    FLAG = "flag"
    JSON = "json"
    TERMS = "terms"
    """What `terms.filed` makes of a text, to be searched."""


class YesNo(StrEnum):
    """How a question puts the values of a flag."""

    YES = "true"
    NO = "false"


_STORED: Final[dict[Type, TypeEngine[Any] | type[TypeEngine[Any]]]] = {
    Type.ID: Uuid,
    Type.TEXT: Text,
    Type.NUMBER: Integer,
    Type.POSITION: BigInteger,
    Type.DAY: Date,
    Type.INSTANT: Text,
    Type.FLAG: Boolean,
    Type.JSON: Text,
    Type.TERMS: Text().with_variant(TSVECTOR(), "postgresql"),
}

FILED: Final = "filed"
"""With this at the end of its name, SQLite's index of the terms of a dataset."""


class Field(NamedTuple):
    """A column: what it holds, and what a question may do with it."""

    name: str
    value: Type = Type.TEXT
    optional: bool = False
    about: str = ""
    """For readers of the API."""
    filter: str = ""
    """The query parameter that admits rows by this column; without one it is no filter."""
    group: bool = False
    """Whether rows can be counted by it, under the name of the filter."""
    words: type[StrEnum] | None = None
    """The closed list its values are of."""
    names: str = ""
    """What its values are codes of; the dataset `names` knows how organisations and pillars are called."""
    registered: bool = False
    """Whether it is the field of this name of a commitment's registration, as it reads on the day."""
    between: bool = False
    """Whether it is a day by which rows are admitted that lies between two, `…_from` and `…_to`."""
    person: bool = False
    """Whether it names a person, of whom nobody outside government is told."""


def bounds(name: str) -> tuple[str, str]:
    """The query parameters of a filter by days that lie between two."""
    return f"{name}_from", f"{name}_to"


def fields_in(text: str) -> list[Field]:
    """Columns of which there is nothing else to say: `name`, `name: type`, with a `?` where there may be none."""
    found = []
    for part in text.split(","):
        name, _, value = part.strip().rstrip("?").partition(": ")
        found.append(Field(name, Type(value or "text"), part.endswith("?")))
    return found


class Dataset:
    """One table of the read model, declared by its key and its columns (see `fields_in`).

    The key tells rows apart that are known at the same time. `readable`: the key under which `readers` names who may
    read a row that is not open to the asker by its `visibility`; every dataset with it has that column. `within`: the
    column with the code of a commitment, of which the readers of the row, too, have to be readers.
    """

    def __init__(
        self,
        name: str,
        key: str,
        *columns: str | Field,
        valid_time: bool = False,
        by_interval: bool = False,
        readable: str = "",
        within: str = "",
        indexes: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self.name = name
        self.key = tuple(fields_in(key))
        self.fields = tuple(
            field for one in columns for field in (fields_in(one) if isinstance(one, str) else [one])
        )
        self.valid_time = valid_time
        self.by_interval = by_interval
        """Whether rows are looked for by day and position alone, through an interval tree (see `intervals`)."""
        self.readable = readable
        self.within = within
        self.indexes = tuple(indexes)
        self.by_name = {field.name: field for field in (*self.key, *self.fields)}
        self.primary_key: tuple[str, ...] = (
            *(field.name for field in self.key),
            *(("valid_from",) if valid_time else ()),
            "known_from",
        )
        self.closing: tuple[str, ...] = (
            *self.primary_key,
            "known_to",
            *(("known_node",) if by_interval else ()),
        )
        """The columns of what closes a row: first those by which it is found, then those that change."""

    @cached_property
    def filters(self) -> dict[str, Field]:
        """The columns by which rows are admitted, by the query parameter that does."""
        return {field.filter: field for field in self.fields if field.filter}

    def admits(self, values: Mapping[str, Sequence[str]]) -> list[ColumnElement[bool]]:
        """The conditions of such filters; what is no filter of this dataset is passed over."""
        found: list[ColumnElement[bool]] = []
        for name, field in self.filters.items():
            column = self.c[field.name]
            if field.between:
                first, last = bounds(name)
                found += [column >= date.fromisoformat(one) for one in values.get(first, ())]
                found += [column <= date.fromisoformat(one) for one in values.get(last, ())]
            elif wanted := values.get(name):
                found.append(
                    column.in_([one == YesNo.YES for one in wanted] if field.value is Type.FLAG else wanted)
                )
        return found

    def describe(self) -> tuple[Any, ...]:
        """All that decides which rows it has and how they are stored."""
        columns = [(field.name, field.value.value, field.optional) for field in (*self.key, *self.fields)]
        return (self.name, len(self.key), columns, self.valid_time, self.by_interval, self.indexes)

    @cached_property
    def table(self) -> Table:
        """The table, without a schema: a generation's own is put before its name when it is used."""
        return self.table_in(MetaData())

    @property
    def c(self) -> Any:
        """The columns of the table."""
        return self.table.c

    @property
    def index_at(self) -> str:
        """The name of the index by day and position."""
        return f"ix_{self.name}_at"

    def table_in(self, metadata: MetaData) -> Table:
        """A table of this dataset among others."""
        columns: list[Column[Any]] = [self._column(field, key=True) for field in self.key]
        if self.valid_time:
            columns += [
                Column("valid_from", Date, primary_key=True),
                Column("valid_to", Date, nullable=False),
            ]
        columns += [self._column(field) for field in self.fields]
        if self.by_interval:
            columns += [
                Column("valid_node", Integer, nullable=False),
                Column("known_node", BigInteger, nullable=False),
            ]
        columns += [
            Column("known_from", BigInteger, primary_key=True, autoincrement=False),
            Column("known_to", BigInteger, nullable=False),
        ]
        table = Table(self.name, metadata, *columns)
        if self.by_interval:
            days_and_positions = (
                "valid_node",
                "known_node",
                "valid_from",
                "valid_to",
                "known_from",
                "known_to",
            )
            Index(self.index_at, *(table.c[name] for name in days_and_positions))
        for field in self.fields:
            if field.value is Type.TERMS:
                _file_terms(table, field.name)
        for names in self.indexes:
            Index(f"ix_{self.name}_{'_'.join(names)}", *(table.c[name] for name in names))
        return table

    def known_at(self, position: int | None, table: Any = None) -> ColumnElement[bool]:
        """The rows known at a position; at None, those known now."""
        columns = (self.table if table is None else table).c
        if position is None:
            return and_(columns.known_to == END_OF_LOG)
        return and_(columns.known_from <= position, columns.known_to > position)

    def holds(self, on: date, position: int, table: Any = None) -> ColumnElement[bool]:
        """The rows that held on a day, as known at a position: for rows that are found by their key."""
        columns = (self.table if table is None else table).c
        day = on if on is ON else min(on, _LAST_DAY)
        return and_(self.known_at(position, table), columns.valid_from <= day, columns.valid_to > day)

    def valid_at(self, on: date, position: int, reached: int) -> ColumnElement[bool]:
        """The rows that held on a day, as known at a position, found through the interval tree.

        `reached` is how far the generation had followed the log in the very snapshot that is read.
        """
        if on is ON:
            filed = and_(self.c.valid_node.in_(_DAY_PATH), self.c.known_node.in_(_POSITION_PATH))
        else:
            filed = and_(self.c.valid_node.in_(_day_path(on)), self._known_under(position, reached))
        return and_(filed, self.holds(on, position))

    def begins_between(self, eve: date, last: date, position: int, reached: int) -> ColumnElement[bool]:
        """The rows that began to hold after one day and by another, as known at a position.

        Whatever begins between the two and holds beyond the last contains that, and is filed on its path.
        """
        begins = and_(self.known_at(position), self.c.valid_from > eve, self.c.valid_from <= last)
        if not self.by_interval:
            return begins
        within = self.c.valid_node.between(eve.toordinal() + 1, min(last, _LAST_DAY).toordinal())
        beyond = self.c.valid_node.in_(_day_path(last))
        return and_(or_(within, beyond), self._known_under(position, reached), begins)

    def holds_between(self, first: date, last: date, position: int, reached: int) -> ColumnElement[bool]:
        """The rows that held on some day from one to another, as known at a position.

        Whatever holds on the first or the last of them is filed on the path of that, and all else between the two.
        """
        held = and_(self.known_at(position), self.c.valid_from <= last, self.c.valid_to > first)
        if not self.by_interval:
            return held
        within = self.c.valid_node.between(first.toordinal(), min(last, _LAST_DAY).toordinal())
        around = self.c.valid_node.in_(sorted({*_day_path(first), *_day_path(last)}))
        return and_(or_(within, around), self._known_under(position, reached), held)

    def _known_under(self, position: int, reached: int) -> ColumnElement[bool]:
        """Where what is known at a position is filed."""
        in_tree: ColumnElement[bool] = self.c.known_node.in_(_position_path(position, reached))
        return in_tree

    def row(self, **values: Any) -> tuple[Any, ...]:
        """The values of a row, without key and times, by name, in the order of the columns; all, and no others."""
        if len(values) != len(self.fields):
            raise KeyError(f"a row of {self.name} has {', '.join(field.name for field in self.fields)}")
        return tuple(values[field.name] for field in self.fields)

    def value(self, row: Any, name: str) -> Any:
        """What a row has in a column, JSON undone."""
        found, field = getattr(row, name), self.by_name.get(name)
        if found is not None and field is not None and field.value is Type.JSON:
            return msgspec.json.decode(found)
        return found

    def _column(self, field: Field, *, key: bool = False) -> Column[Any]:
        return Column(
            field.name,
            _STORED[field.value],
            primary_key=key,
            nullable=field.optional,
            autoincrement=False if key else "auto",
        )


def _file_terms(table: Table, name: str) -> None:
    """Let a table be searched by its terms: PostgreSQL has an index for that, SQLite a table that is one."""
    Index(f"ix_{table.name}_{name}", table.c[name], postgresql_using="gin").ddl_if(dialect="postgresql")
    index = f"{table.name}_{FILED}"
    stems = f"substr(new.{name}, 1, instr(new.{name}, '|') - 1)"
    words = f"substr(new.{name}, instr(new.{name}, '|') + 1)"
    filing = f"INSERT INTO {index} (rowid, stems, words) VALUES (new.rowid, {stems}, {words})"  # noqa: S608 - our own

    @event.listens_for(table, "after_create")
    def make(_table: Table, connection: Connection, **_: Any) -> None:
        if connection.dialect.name == "sqlite":
            # Terms have blanks between them, and need nothing else done to them. No row is changed in them, or deleted.
            connection.exec_driver_sql(
                f"CREATE VIRTUAL TABLE {index} USING fts5(stems, words, content='', tokenize='ascii')"
            )
            connection.exec_driver_sql(
                f"CREATE TRIGGER {index}_added AFTER INSERT ON {table.name} BEGIN {filing}; END"
            )


_VISIBILITY: Final = Field("visibility", words=Visibility)
_RECORDED: Final = "recorded_on: day, recorded_at: instant, recorded_position: position"

commitment_states: Final = Dataset(
    "commitment_states",
    "commitment_id: id",
    "code, registered_at: position",
    Field("lead_organization", filter="organization", group=True, names=ORGANIZATION,
          about="The code of an organisation that leads"),
    "lead_at: position, closure?, closure_at: position?",
    Field("judgement", optional=True, filter="judgement", group=True, words=Judgement, about="A judgement"),
    "judgement_at: position?",
    Field("public_deadline", Type.DAY, optional=True, filter="deadline", between=True,
          about="Only those whose public deadline is this day or"),
    "public_deadline_at: position?",
    "internal_deadline: day?, internal_deadline_at: position?, merged_into?",
    Field("discard_reason_type", optional=True, filter="discard_reason_type", group=True, words=DiscardReason,
          about="Why it was discarded"),
    "late_days: number?",
    Field("visibility", filter="visibility", group=True, words=Visibility, about="A visibility"),
    Field("origin", optional=True, filter="origin", group=True, words=OriginKind, about="An origin"),
    Field("speech_year", optional=True, filter="speech_year", group=True,
          about="The year of the speech it was made in"),
    Field("kind", filter="kind", group=True, words=CommitmentKind, about="A kind", registered=True),
    Field("pillar", optional=True, filter="pillar", group=True, names=PILLAR,
          about="The code of a pillar, its own or that of the nearest it is part of",
          registered=True),
    Field("region", optional=True, filter="region", group=True, about="A region", registered=True),
    Field("result_type", optional=True, filter="result_type", group=True, words=ResultType,
          about="A type of result", registered=True),
    Field("priority", optional=True, filter="priority", group=True, about="A priority", registered=True),
    Field("nature", optional=True, filter="nature", group=True, words=Nature, about="A nature", registered=True),
    Field("scope", optional=True, filter="scope", group=True, words=CommitmentScope, about="A scope",
          registered=True),
    Field("initiative_type", optional=True, filter="initiative_type", group=True, about="A type of initiative",
          registered=True),
    Field("split_from", optional=True, registered=True),
    Field("without_deadline", Type.FLAG, filter="without_deadline", group=True, words=YesNo,
          about="Whether it has no public deadline"),
    "public_revisions: number, corrected_after_due: number, bill_stage?, bill_stage_at: position?",
    valid_time=True,
    by_interval=True,
    readable="commitment_id",
    indexes=(("merged_into",),),
)  # fmt: skip
"""On which days what held of a commitment; each `…_at` is the position of the event that said so.

`public_revisions`: how often a public deadline that stood had been moved; `late_days`: of one that was achieved, how
many days after the public deadline then in force, 0 where it was no later; `corrected_after_due`: how often the public
deadline was corrected, or a fact of it retracted, when it had passed; `bill_stage`: of one that needs a law, where its
bill was, if the words that were told of it say so (`shared/rules/bill_stage.py`).
"""

commitments: Final = Dataset(
    "commitments",
    "commitment_id: id",
    *("code", _VISIBILITY, "title"),
    Field("parent", optional=True, filter="parent", names="commitment",
          about="The code of the commitment they are part of"),
    "weight?, goal?",
    Field("adviser", optional=True, filter="adviser", group=True, person=True,
          about="The adviser who looks after them, for those inside government"),
    Field("responsible_service", optional=True, filter="responsible_service", group=True, names=ORGANIZATION,
          about="The code of the under-secretariat or service that is responsible"),
    Field("stage", optional=True, filter="stage", group=True, about="A stage, as it was last told"),
    Field("source", optional=True, filter="source", group=True,
          about="Where the promise was made, as it was written"),
    "collaborating_organizations: json, key_words: json",
    valid_time=True,
    readable="commitment_id",
    indexes=(("code",), ("parent",)),
)  # fmt: skip
"""What a commitment is called, who works on it, and who may read it: what holds beside its state and its deadlines."""

PARTICIPANT: Final = Field(
    "participant",
    filter="participant",
    names=ORGANIZATION,
    about="The code of an organisation that leads them, is responsible for them or works on them",
)
KEY_WORD: Final = Field("key_word", filter="key_word", about="A key word, whatever its capitals and accents")

commitment_labels: Final = Dataset(
    "commitment_labels",
    "commitment_id: id, label, value",
    "applies: flag",
    valid_time=True,
    indexes=(("label", "value"),),
)
"""What of a commitment is several things at once, and can be asked for by each: its participants, its key words.

`label` is the filter that admits by the `value`; a key word is filed as `folded`.
"""

TITLE: Final = "title"
commitment_texts: Final = Dataset(
    "commitment_texts",
    "commitment_id: id, part, number: number, chunk: number",
    "terms: terms",
    valid_time=True,
)
"""What is told of a commitment in words, to be searched: its title, goal, quote and key words, and accepted reports.

`part` says which, `number` of which report; a long text is filed in chunks.
"""

LABELS: Final = {field.filter: field for field in (PARTICIPANT, KEY_WORD)}

commitment_details: Final = Dataset(
    "commitment_details",
    "commitment_id: id",
    "first_public_deadline: day?, public_reason?, internal_revisions: number, internal_reason?",
    "discard_reason?, achieved_on: day?, remarks?, evidence: json",
    valid_time=True,
)
"""How often and why its deadlines were moved, and how it ended; without any of it there is no row."""

commitment_progress: Final = Dataset(
    "commitment_progress",
    "commitment_id: id",
    "percent?, percent_unreviewed?, report: number?, reported_on: day?, observed_progress?, evidence: json",
    valid_time=True,
)
"""What its reports say: the percentage done, and the last report that was accepted; none before the first report."""

corrections: Final = Dataset(
    "corrections",
    "thing_id: id, position: position",
    "kind, code, what, before: json?, after: json?, removed: flag, retraction: flag, reason?",
    "recorded_on: day, recorded_at: instant, recorded_by: json",
    _VISIBILITY,
    valid_time=True,
    readable="thing_id",
    indexes=(("kind", "valid_to"),),
)
"""On which days a thing is told otherwise than before since an event: `what` of it, and what was said before.

`removed` are days on which it is not there any more. `kind` is one of `Kind`.
"""

STATE_FACTS: Final = ("closure", "public_deadline", "judgement", "internal_deadline")
"""The columns from which the states of commitments follow."""


MEASURES: Final = "measures"
"""Of an indicator, that it measures a commitment; in `corrections` the code of that follows it."""

readers: Final = Dataset("readers", "organization, thing_id: id", "concerned: flag", indexes=(("thing_id",),))
"""The organisations that may read a thing while it is reserved; not all of them are `concerned` by it."""

publications: Final = Dataset("publications", "thing_id: id", "visibility", valid_time=True)
"""Who may read what is told of a meeting, decision or action item for a day, where not the same may on all days."""

names: Final = Dataset("names", "kind, code", "name, rank: number", valid_time=True)
"""What organisations and pillars are called on which days."""

bodies: Final = Dataset(
    "bodies",
    "body_id: id",
    Field("code", filter="body", names="body", about="The code of a body"),
    "name",
    Field("kind", filter="kind", words=BodyKind, about="A kind of body"),
    "presiding_organization?, expected_meetings: number?, expected_period?, days_to_minutes: number?",
    "agenda_size: number?, recorded_on: day, in_force_from: day?",
    _VISIBILITY,
    readable="body_id",
    indexes=(("code",),),
)

meetings: Final = Dataset(
    "meetings",
    "meeting_id: id",
    "body, title?, convened_at: position, scheduled_at: instant, scheduled_on: day, held_at: instant?",
    "held_on: day?, cancelled_on: day?, cancellation?, circulated_on: day?, agenda_items: number",
    "attendance_recorded: flag, absences: json, recipients_missing: json?",
    _VISIBILITY,
    readable="meeting_id",
    indexes=(("body",),),
)

minutes: Final = Dataset(
    "minutes",
    "meeting_id: id, item: number, commitment",
    "title?, summary?",
    valid_time=True,
    indexes=(("commitment",),),
)
"""What sealed minutes say of the commitments on an agenda, from the day of the meeting on."""

minutes_texts: Final = Dataset(
    "minutes_texts",
    "meeting_id: id, item: number, commitment_id: id, chunk: number",
    "terms: terms",
    valid_time=True,
)
"""The same, to be searched."""

decisions: Final = Dataset(
    "decisions",
    "decision_id: id",
    "number, agreed_at: position, agreed_on: day",
    Field("body", filter="body", names="body", about="The code of a body"),
    "meeting_id: id, agenda_item: number?, position_in_item: number",
    Field("kind", filter="kind", words=DecisionKind, about="A kind of decision"),
    "text, commitments: json, organizations: json, effect: json?",
    "amount?, currency?, fiscal_year: number?, financing?, reallocated_from: json",
    _VISIBILITY,
    readable="decision_id",
    indexes=(("agreed_at",), ("number",)),
)

decision_commitments: Final = Dataset(
    "decision_commitments", "decision_id: id, commitment", "in_effect_only: flag", indexes=(("commitment",),)
)
"""The commitments that a decision names: among those it concerns, or only in what it does (`effect`)."""

acknowledgements: Final = Dataset(
    "acknowledgements", "decision_id: id", _RECORDED, "outcome, remarks?, organization", valid_time=True
)
"""What the budget office says of a decision, by the day it says so."""

budget_lines: Final = Dataset(
    "budget_lines",
    "decision_id: id, fiscal_year: number, code",
    *(_RECORDED, "amount, currency, request, reason?, reallocated_from: json"),
    valid_time=True,
)

budget_gaps: Final = Dataset(
    "budget_gaps",
    "decision_id: id, gap",
    "since_on: day?, because: position?, amount?",
    valid_time=True,
)
"""On which days the lines of a decision fall short of its budget impact, or go beyond it; empty where that is over."""

errata: Final = Dataset(
    "errata", "decision_id: id, number: number", _RECORDED, "reads, should_read, reason", valid_time=True
)

outcomes: Final = Dataset(
    "outcomes",
    "decision_id: id",
    *(_RECORDED, "state, did: json, difficulty: json?, remarks?"),
    valid_time=True,
)
"""What became of it where commitments are kept."""

referrals: Final = Dataset("referrals", "decision_id: id", _RECORDED, "body")
"""The body that a decision refers a matter to."""

taken_up: Final = Dataset("taken_up", "decision_id: id, meeting_id: id", "body, outcome?", valid_time=True)
"""The meetings that took a decision up again, of which body they were, and how that item ended, from their day on."""

decision_changes: Final = Dataset(
    "decision_changes", "decision_id: id, position: position", "what", indexes=(("position",),)
)
"""Everything that was recorded of a decision and of what became of it, one row for each event (`DecisionChange`)."""

action_items: Final = Dataset(
    "action_items",
    "item_id: id",
    "number: number, text, assigned_on: day, first_due_on: day, body, meeting_id: id, agenda_item: number?",
    "decision?, commitment?",
    _VISIBILITY,
    "assigned_at: position",
    Field("owner_organization", filter="owner_organization", names=ORGANIZATION,
          about="The code of an organisation that owes them on that day"),
    "owner_at: position, due_on: day, due_on_at: position, ending?, ended_on: day?, ending_at: position?",
    valid_time=True,
    by_interval=True,
    readable="item_id",
)  # fmt: skip
"""On which days what held of an action item."""

indicators: Final = Dataset(
    "indicators",
    "indicator_id: id",
    *("code, defined_at: position", _VISIBILITY, "name"),
    Field("unit", filter="unit", about="A unit"),
    Field("direction", filter="direction", words=Direction, about="A direction"),
    Field("proxy", Type.FLAG, filter="proxy", words=YesNo, about="Whether it stands for what cannot be measured"),
    Field("frequency", filter="frequency", words=Frequency, about="A frequency"),
    "method?, commitment?",
    Field("source_organization", optional=True, filter="source_organization", names=ORGANIZATION,
          about="The code of an organisation that supplies the values"),
    Field("independent", Type.FLAG, optional=True, filter="independent", words=YesNo,
          about="Whether that is another than who delivers"),
    "source_name?, baseline: json, baseline_unit?, original_target: json, current_target: json, latest: json",
    valid_time=True,
    readable="indicator_id",
    within="commitment",
    indexes=(("code",),),
)  # fmt: skip
"""On which days what held of an indicator: its definition, what was promised first and last, and the latest value."""

indicator_verdicts: Final = Dataset(
    "indicator_verdicts",
    "indicator_id: id, rule",
    Field("verdict", optional=True, filter="verdict", words=IndicatorStatus,
          about="What the latest value says of the target in force"),
    Field("verdict_on_original", optional=True, filter="verdict_on_original", words=IndicatorStatus,
          about="What the latest value says of the target as it was first promised"),
    "current: json, original: json",
    valid_time=True,
)  # fmt: skip
"""What the latest value said on which days, by each version of the rule."""

indicator_facts: Final = Dataset(
    "indicator_facts",
    "indicator_id: id, position: position",
    "type, fact: json",
    valid_time=True,
)
"""What was told of the figures of an indicator and is believed, each event from the day of which it speaks."""

indicator_commitments: Final = Dataset(
    "indicator_commitments",
    "indicator_id: id, commitment",
    "measured: flag",
    valid_time=True,
    indexes=(("commitment",),),
)
"""On which days an indicator measured which commitments."""

warning_signs: Final = Dataset(
    "warning_signs",
    "thing_id: id, sign, because: position, number: number",
    "parameters: json?, events: json",
    valid_time=True,
    indexes=(("because",),),
)
"""On which days something makes a reader look twice at a thing; without `parameters`, nothing does any more.

`because` is the last of the events it follows from, `number` tells apart what follows from the same.
"""

observations: Final = Dataset(
    "observations",
    "meeting_id: id, number: number",
    "raised_on: day, raised_at: position, organization, answered_on: day?",
    indexes=(("raised_at",),),
)
"""What was objected to in the drafts of minutes, and when that was answered."""

progress_reports: Final = Dataset(
    "progress_reports",
    "commitment_id: id, number: number",
    "period, period_ends_on: day, effective_on: day, received_on: day, no_change: flag, observed_progress?, stage?",
    "percent?, organization, reported_at: position",
    Field("outcome", optional=True, about="What the review said"),
    "reviewed_on: day?, review_reason?",
    valid_time=True,
    indexes=(("period",), ("reported_at",), ("commitment_id", "received_on")),
)
"""The reports on a commitment, each from the day on which it was received, and what its review said by then."""

cycles: Final = Dataset(
    "cycles",
    "code",
    "name, frequency, days_to_report: number, organizations: json, pillars: json, kinds: json",
    "in_force_from: day?, ended_on: day?",
)
"""In which cycles is reported, and to what they apply; an empty list is of all."""

reports: Final = Dataset(
    "reports",
    "report_id: id",
    "code, name, addressed_to?",
    Field("kind", words=ReportKind, about="A kind of report"),
    "days_of_year: json, every_months: number?, days_after: number, in_force_from: day?, ended_on: day?",
    _VISIBILITY,
    readable="report_id",
)
"""Which reports are owed, and when; those for the government are `internal`."""

editions: Final = Dataset(
    "editions",
    "edition_id: id",
    *("code", Field("report", filter="report", about="The code of a report")),
    "tells_of: day, due_on: day?, published_on: day, position: position, status_rule, template, sha256",
    "recorded_on: day, recorded_position: position, withdrawn_on: day?, withdrawn_reason?",
    _VISIBILITY,
    readable="edition_id",
    indexes=(("recorded_position",),),
)
"""What was published of which report: of what day, from how much of the log, and whether it still stands."""

DATASETS: Final = (
    commitment_states,
    commitments,
    commitment_labels,
    commitment_texts,
    commitment_details,
    commitment_progress,
    corrections,
    readers,
    publications,
    names,
    bodies,
    meetings,
    minutes,
    minutes_texts,
    decisions,
    decision_commitments,
    acknowledgements,
    budget_lines,
    budget_gaps,
    errata,
    outcomes,
    referrals,
    taken_up,
    decision_changes,
    action_items,
    indicators,
    indicator_verdicts,
    indicator_facts,
    indicator_commitments,
    warning_signs,
    observations,
    progress_reports,
    cycles,
    reports,
    editions,
)


class Schema:
    """The datasets that a read model is made of, and the fingerprint that tells it from one made otherwise.

    `zone` is the time zone in which civil days are counted: some columns are days of instants. `windows` is what counts
    as near in a warning sign.
    """

    def __init__(
        self,
        zone: str,
        datasets: Sequence[Dataset] = DATASETS,
        projections: int = PROJECTIONS,
        windows: WarningWindows = WINDOWS,
    ) -> None:
        self.datasets = tuple(datasets)
        self.windows = windows
        self.metadata = MetaData()
        self.tables = {one.name: one.table_in(self.metadata) for one in self.datasets}
        self.state = Table(
            "projection_state",
            self.metadata,
            Column("id", SmallInteger, primary_key=True, autoincrement=False),
            Column("position", BigInteger, nullable=False),
            Column("identity", Text, nullable=False),
            Column("analyzed_at", BigInteger, nullable=False),
            Column("stopped_because", Text),
            Column("seen_at", Double, nullable=False),
            Column("changed", Text, nullable=False),
        )
        state = [str(column.name) for column in self.state.columns]
        described = [projections, zone, windows, [one.describe() for one in self.datasets], state]
        self.fingerprint = blake2b(msgspec.json.encode(described), digest_size=5).hexdigest()

    def interval_indexes(self) -> list[Index]:
        """The indexes by day and position: the largest, and better made when the rows are there."""
        return [
            index
            for one in self.datasets
            if one.by_interval
            for index in self.tables[one.name].indexes
            if index.name == one.index_at
        ]


projection_state: Final = Table(
    "projection_state",
    MetaData(),
    Column("position", BigInteger),
    Column("identity", Text),
    Column("stopped_because", Text),
    Column("seen_at", Double),
    Column("changed", Text),
)
"""How far a generation has followed the log, what keeps it from going on, when a worker last showed itself, and where
the rows of each dataset changed last.

The third in seconds since 1970 by the database's own clock, the last as a JSON object of positions.
"""
