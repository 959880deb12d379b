"""Tables with the fields of the unit's web platform, a commitment in each row: they need no mapping.

The mapping is made for the columns that a table has (`shared/tabular/platform_rows.py`). What goes out of reporting can
come in as it is and adds nothing: what a row says again, of a report, a remark or a state, is not said anew.
"""

from __future__ import annotations

from collections.abc import Mapping as Columns
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from services.commitments.importing.decisions import CommitmentImport, ImportedCommitment, RowFacts
from services.commitments.importing.mapping import (
    Deadline,
    MadeAt,
    Mapping,
    ObservedOn,
    Progress,
    State,
    Texts,
    Title,
)
from services.commitments.importing.own_columns import as_meant
from services.commitments.importing.parsing import CommitmentRow, Parser
from shared.errors import InvalidInput
from shared.events.commitments import Assessed, Origin
from shared.events.vocabulary import DiscardReason, Judgement, OriginKind, ReviewOutcome
from shared.rules.traffic_light import Status
from shared.tabular.cells import Cells
from shared.tabular.engine import ImportState
from shared.tabular.fields import column_of
from shared.tabular.mapping import Code, FileLayout, Given, Named
from shared.tabular.platform_rows import COLUMNS
from shared.tabular.reading import Table, read_table
from shared.tabular.tables import attribution
from shared.tabular.text import by_word, folded
from shared.tabular.workbook import text_of

SOURCE: Final = "Web platform"
"""How what is recorded names the table it is from."""
_NEEDED: Final = ("code", "title", "lead_organization")
_DAYS: Final = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")

_STATES: Final = {
    Status.DELAYED: ("Atrasado", "Delayed"),
    Status.NEEDS_ATTENTION: ("Requiere atención", "Needs attention"),
    Status.NEEDS_ATTENTION_INTERNAL_DEADLINE: (
        "Requiere atención por plazo interno",
        "Needs attention for internal deadline",
    ),
    Status.ON_TIME: ("En plazo", "On time for delivery", "On time"),
    Status.ACHIEVED: ("Cumplido", "Completed", "Achieved"),
    Status.DISCARDED: ("Descartado", "Discarded"),
}
_STATUS_OF: Final = by_word({word: status for status, words in _STATES.items() for word in (status, *words)})
_ENDS: Final[dict[Status, Literal["achieved", "discarded", "open", "merged", "split"]]] = {
    Status.ACHIEVED: "achieved",
    Status.DISCARDED: "discarded",
}
_REASONS: Final = {
    DiscardReason.TECHNICAL: ("técnica", "technical"),
    DiscardReason.BUDGETARY: ("presupuestaria", "budgetary"),
    DiscardReason.CHANGE_OF_PRIORITIES: ("cambio de prioridades", "change of priorities"),
}
_ORIGINS: Final = {
    OriginKind.MAY_21_SPEECH: ("discurso del 21 de mayo", "May 21 speech"),
    OriginKind.OTHER_SPEECH: ("otro discurso", "other speech"),
    OriginKind.CAMPAIGN_PROGRAMME: ("programa de gobierno", "campaign programme"),
    OriginKind.BILATERAL_MEETING: ("reunión bilateral", "bilateral meeting"),
    OriginKind.COMMITTEE: ("comité", "committee"),
    OriginKind.REGIONAL_PLAN: ("plan regional", "regional plan"),
    OriginKind.OTHER: ("otro", "other"),
}


class PlatformImport(CommitmentImport):
    """An import of a table of the platform's fields; its rows are of today, where it has no column for the day."""

    def __init__(self, state: ImportState, file: Path) -> None:
        layout, columns = _read_header(file)
        super().__init__(state, file, _mapping(columns, layout, ObservedOn(on=state.context.today)))
        self.status = columns.get("status")
        """The column of the state."""

    def table(self) -> Table:
        """The table, without the apostrophes by which a text in CSV is kept from being a formula."""
        return as_meant(super().table())

    def parser(self, columns: Sequence[str]) -> Parser:
        """See `TableImport.parser`."""
        self._parser = _PlatformParser(self.mapping, columns, self.state)
        return self._parser

    def sourced(self, origin: Origin) -> Origin:
        """An origin as the row has it: the platform itself is no source."""
        return origin

    def facts(self, row: CommitmentRow, lead: str, commitment: ImportedCommitment) -> RowFacts:
        """See `CommitmentImport.facts`."""
        return _PlatformFacts(self, row, lead, commitment)


def _read_header(file: Path) -> tuple[FileLayout, dict[str, str]]:
    """How the table parts its cells, and which of its columns is which field of the platform."""
    fields = by_word({word: name for name, words in COLUMNS.items() for word in (name, *words)})
    for delimiter in (",", ";", "\t"):
        layout = FileLayout(delimiter=delimiter)
        names = read_table(file, layout).columns
        columns = {fields[folded(name)]: name for name in reversed(names) if folded(name) in fields}
        if all(name in columns for name in _NEEDED):
            break
    else:
        needed = ", ".join(f"`{name}` ({', '.join(COLUMNS[name])})" for name in _NEEDED)
        raise InvalidInput("columns-unknown", f"{file.name} lacks one of the columns {needed}.")
    unknown = [name for name in names if folded(name) not in fields and not name.startswith("#")]
    if unknown:
        known = ", ".join(COLUMNS)
        raise InvalidInput(
            "columns-unknown", f"'{unknown[0]}' is no field of the platform; there are: {known}."
        )
    return layout, columns


def _mapping(columns: Columns[str, str], layout: FileLayout, today: ObservedOn) -> Mapping:
    """The mapping for the columns that there are."""

    def given(name: str, values: dict[str, Any] | None = None) -> Given | None:
        column = columns.get(name)
        if column is None:
            return None
        return Given(column=column, separator=";", values=values or {}, formats=_DAYS)

    def deadline(name: str, origin: Given | None = None) -> Deadline | None:
        column = columns.get(name)
        return None if column is None else Deadline(column=column, formats=_DAYS, origin=origin)

    fields = (
        "adviser", "collaborating_organizations", "responsible_service", "goal", "instrument", "stage", "priority",
        "key_words",
    )  # fmt: skip
    made_at: dict[str, Any] = {name: given(name) for name in ("source", "source_on", "quote", "document_url")}
    origin = given("origin", _words(_ORIGINS)) or Given(value=OriginKind.OTHER)
    status, progress = columns.get("status"), columns.get("observed_progress")
    return Mapping(
        source=SOURCE,
        file=layout,
        code=Code(columns=(columns["code"],), slug=False),
        title=Title(column=columns["title"], renamed="change"),
        date=ObservedOn(column=columns["on"], formats=_DAYS) if "on" in columns else today,
        lead=Named(column=columns["lead_organization"]),
        deadline=deadline("public_deadline_on", given("public_deadline_origin")),
        internal_deadline=deadline("internal_deadline_on"),
        state=None if status is None else _state(status, columns),
        progress=None if progress is None else Progress(texts=(Texts(column=progress),), period="month"),
        origin=MadeAt(kind=origin, **made_at) if any(made_at.values()) or "origin" in columns else None,
        comments=(columns["comments"],) if "comments" in columns else (),
        fields={name: one for name in fields if (one := given(name)) is not None},
    )


def _state(column: str, columns: Columns[str, str]) -> State:
    return State(
        column=column,
        values={word: _ENDS.get(status, "open") for word, status in _STATUS_OF.items()},
        # Where nobody says why, the state itself is no reason, and the row is refused.
        reason_type=columns.get("discard_reason_type", column),
        reason_types=_words(_REASONS),
        reason=columns.get("discard_reason"),
    )


def _words(meanings: Columns[Any, tuple[str, ...]]) -> dict[str, Any]:
    """What words stand for, their own codes among them."""
    return {word: meant for meant, words in meanings.items() for word in (str(meant), *words)}


class _PlatformParser(Parser):
    """Parses the rows of such a table; the platform's form does not ask on which kind of occasion it was promised."""

    def parsed(self, line: int, cells: Cells, /, **row: Any) -> CommitmentRow:
        """See `Parser.parsed`: the platform itself is not where a deadline was promised."""
        found = super().parsed(line, cells, **row)
        given = self.mapping.deadline
        told = given is not None and given.origin is not None
        return found if told else msgspec.structs.replace(found, deadline_origin=None)

    def _fields(self, cells: Cells) -> dict[str, Any]:
        fields, told = self._registration(cells), self._origin(cells)
        given = self.mapping.origin
        said = told.keys() - {"kind"} if given is None or column_of(given.kind) is None else told.keys()
        if said:
            fields["origin"] = Origin(**{"kind": OriginKind.OTHER} | told)
        return fields


class _PlatformFacts(RowFacts):
    """The facts of a row that says how the commitment stands: as of a row, where they are news."""

    def _set_right(self, name: str, value: object, column: str) -> None:
        present = self._commitment.registration.origin
        if isinstance(value, Origin) and value.kind is OriginKind.OTHER and present is not None:
            # Nobody said that it was another kind of occasion than the one on record.
            value = msgspec.structs.replace(value, kind=present.kind)
        super()._set_right(name, value, column)

    def _assessed(self) -> None:
        """Somebody's judgement, where the one on record would not give the state that the row says."""
        of = self._of
        assert isinstance(of, PlatformImport)
        if of.status is None:
            return
        word = text_of(self._row.cells[of.status])
        status = _STATUS_OF.get(folded(word))
        at_risk = self._commitment.dated.judgements.on(self._day)[0] is Judgement.AT_RISK
        if status is Status.NEEDS_ATTENTION and not at_risk:
            judgement = Judgement.AT_RISK
        elif status is Status.ON_TIME and at_risk:
            judgement = Judgement.ON_TRACK
        else:
            return
        reason = f"“{word}”, with no reason given. {attribution(SOURCE, self._day)}"
        assessed = Assessed(
            effective_on=self._day, judgement=judgement, reason=reason, rating=word, scale=SOURCE
        )
        self._propose(of.status, assessed, self._commitment.assess)

    def _reported(self) -> None:
        """What was observed, where the last report up to the day says something else."""
        reported = self._row.reported
        standing = [
            report.entry.event
            for report in self._commitment.reports
            if report.entry.event.effective_on <= self._day
            and (report.review is None or report.review.event.outcome is not ReviewOutcome.RETURNED)
        ]
        last = max(standing, key=lambda one: one.effective_on, default=None)
        if reported is None or last is None or last.observed_progress != reported.observed_progress:
            super()._reported()
