"""From a row of the table to what it says: one commitment, observed on one day.

Everything that can be wrong with the cells of a row is found here, all of it at once, before the record is looked at.
What needs no look at the record is already an event as the domain is asked for it: a rating, a report, an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, Literal, NamedTuple

from services.commitments.importing.mapping import (
    Deadline,
    Mapping,
    Milestone,
    OwnMilestone,
    State,
)
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Completed,
    Discarded,
    Document,
    Evidence,
    Merged,
    Origin,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
    RisksAssessed,
    Split,
    TeamMember,
)
from shared.events.types import LONGEST_LINE, LONGEST_TEXT
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, ReviewOutcome
from shared.rules.periods import period_with
from shared.tabular.cells import (
    Cells,
    DateReader,
    NoValueReader,
    PercentReader,
    Unreadable,
    amount_text,
)
from shared.tabular.engine import ImportState
from shared.tabular.fields import FieldReader, FieldsReader, column_of, types_of
from shared.tabular.mapping import Given, Section, columns_in
from shared.tabular.tables import CodeReader, DayReader, RowParser, TableRow, attribution
from shared.tabular.text import by_word, folded, plain


class DeadlineCell(NamedTuple):
    """A day, or the prose that stands in its place."""

    on: date | None
    prose: str | None = None


class StateCell(NamedTuple):
    """What has come of it by the row, and the fact that says so; being open is none by itself."""

    state: Literal["achieved", "discarded", "open", "merged", "split"]
    since: date
    closed: Completed | Discarded | Merged | Split | None
    parts: tuple[str, ...]
    """The codes of those that it was split into."""
    with_details: bool
    """Whether the table gave the day, the evidence or the reason, and did not leave them to us."""


class StepCell(NamedTuple):
    """A step on the way: when it is due and when it was reached, as far as the row says."""

    column: str
    due_on: date | None
    completed_column: str | None
    completed_on: date | None


class CommitmentRow(TableRow, frozen=True, kw_only=True):
    """One commitment as one row tells of it."""

    ALIKE = "the same commitment on the same day"

    code: str
    day: date
    title: str
    lead: str
    """A spelling yet."""
    fields: dict[str, Any]
    """What it gives of the registration."""
    assessed: Assessed | None
    deadlines: dict[DeadlineKind, DeadlineCell]
    reported: ProgressReported | None
    reviewed: ProgressReviewed | None = None
    """What became of the report."""
    estimated: BudgetEstimated | None
    risks: RisksAssessed | None
    state: StateCell | None
    milestones: dict[str, StepCell]
    """By name."""
    moment: datetime
    """The day with its hour, if it has one."""
    deadline_origin: str | None = None
    """Where the public deadline was promised."""
    comments: tuple[tuple[str, str], ...] = ()
    """Remarks, each with its column."""

    @property
    def since(self) -> date:
        """The first day on which the row shows the commitment to be there: what was done of it by then counts."""
        days = [self.day]
        if self.state is not None and self.state.closed is not None:
            days.append(self.state.since)
        days += [step.completed_on for step in self.milestones.values() if step.completed_on is not None]
        return min(days)


class Parser(RowParser[Mapping, CommitmentRow]):
    """Parses the rows of one table by one mapping."""

    def __init__(self, mapping: Mapping, columns: Sequence[str], state: ImportState) -> None:
        super().__init__(mapping, columns, state)
        self._code = CodeReader(mapping.code, "commitment", state)
        progress = mapping.progress
        self._percent = PercentReader(mapping.numbers, None if progress is None else progress.scale)
        clock = state.context.clock
        self._day = DayReader(mapping.date, state)
        deadlines = {DeadlineKind.PUBLIC: mapping.deadline, DeadlineKind.INTERNAL: mapping.internal_deadline}
        self._deadlines = {
            kind: (given, DateReader(given, clock)) for kind, given in deadlines.items() if given is not None
        }
        own = () if mapping.milestone is None else (mapping.milestone,)
        given: tuple[Milestone | OwnMilestone, ...] = (*mapping.milestones, *own)
        self._milestones = [
            (one, DateReader(one, clock), None if one.completed is None else DateReader(one.completed, clock))
            for one in given
        ]
        ends = mapping.state
        self._states = by_word({} if ends is None else ends.values)
        self._reason_types = by_word({} if ends is None else ends.reason_types)
        self._state_on = None if ends is None or ends.on is None else DateReader(ends.on, clock)
        self._evidence_url = None
        if ends is not None and ends.evidence_url is not None:
            shown, url = Given(column=ends.evidence_url), types_of(Evidence)["url"]
            self._evidence_url = FieldReader("url", shown, url, mapping.numbers, clock)
        rating = mapping.rating
        self._no_rating = NoValueReader(*() if rating is None else (rating.none,))
        self._ratings = () if rating is None else rating.columns
        self._judgements = by_word({} if rating is None else rating.values)

        def reader(given: dict[str, Any], of: type[Any]) -> FieldsReader:
            return FieldsReader(given, of, mapping.numbers, clock)

        self._registration = reader(mapping.fields, Registered)
        self._parts = [
            (name, of, needed, [(one, reader(_members(one), of)) for one in given])
            for name, of, needed, given in (
                ("working_team", TeamMember, ("position", "institution"), mapping.team),
                ("documents", Document, ("title",), mapping.documents),
            )
        ]
        self._origin = reader(_members(mapping.origin), Origin)
        promised = mapping.deadline
        where = {"origin": promised.origin or mapping.source} if promised is not None else {}
        self._promised = reader(where, PublicDeadline)
        self._reviews = by_word({} if mapping.review is None else mapping.review.values)
        self._rated = by_word({} if mapping.risks is None else mapping.risks.values)
        self._organizations = mapping.codes_by_spelling(mapping.lead)

    def doubts(self) -> Iterator[str]:
        """What the rows parsed so far suggest that the mapping meant otherwise."""
        progress = self.mapping.progress
        if progress is not None and self._percent.doubtful:
            yield (
                f"No number in '{progress.percent}' is above 1, and each is taken as a percentage: if 1 means "
                "finished there, say `scale = 1` under [progress], else `scale = 100`."
            )

    def says_nothing(self, column: str, text: str) -> bool:
        """See `RowParser.says_nothing`."""
        rating = column in self._ratings and self._no_rating.is_blank(text)
        return rating or super().says_nothing(column, text)

    def parsed(self, line: int, cells: Cells, /, **row: Any) -> CommitmentRow:
        """What a row says of its commitment."""
        mapping = self.mapping
        # A row without a day is faulty, and told of everything else that is wrong with it all the same.
        moment = self._day(cells) or datetime.combine(date.min, time())
        day = moment.date()
        code, stream = self._code(cells)
        title = cells.name(
            mapping.title.column, "title-missing", "Nothing in the row says what it is called."
        )
        cells.within(mapping.title.column, title, LONGEST_LINE)
        lead = mapping.lead.code or self._lead(cells, mapping.lead.column or "")
        return CommitmentRow(
            line=line,
            order=day,
            stream=stream,
            code=code,
            day=day,
            title=title,
            lead=lead,
            assessed=self._assessed(cells, day),
            deadlines={
                kind: cell
                for kind, (given, read) in self._deadlines.items()
                if (cell := self._deadline(cells, given, read)) is not None
            },
            reported=self._reported(cells, day),
            estimated=self._estimated(cells, day),
            risks=self._risks(cells, day),
            state=self._state_of(cells, day),
            milestones=(milestones := dict(self._steps(cells))),
            # Where milestones have rows of their own, a day of one commitment has several.
            key=(code, day, *(milestones if mapping.milestone else ())),
            fields=self._fields(cells),
            reviewed=self._reviewed(cells),
            moment=moment,
            deadline_origin=self._promised(cells).get("origin"),
            comments=tuple(
                (column, text)
                for column in mapping.comments
                if (text := cells.prose(column, LONGEST_TEXT)) is not None
            ),
            **row,
        )

    def _fields(self, cells: Cells) -> dict[str, Any]:
        """What the row gives of the registration, parts included."""
        fields = self._registration(cells)
        if "parent" in fields:
            fields["parent"] = self._code.of(fields["parent"])[0]
        made_at, origin = self.mapping.origin, self._origin(cells)
        if "kind" in origin:
            fields["origin"] = Origin(**origin)
        elif made_at is not None and any(cells.said.get(column) for column in columns_in(made_at)):
            reason = "It says where it was promised, and not on what occasion."
            cells.fault(column_of(made_at.kind), "value-missing", reason)
        for name, of, needed, given in self._parts:
            found = [
                part for one, read in given if (part := self._part(cells, one, read, needed)) is not None
            ]
            if found:
                fields[name] = tuple(of(**part) for part in found)
        return fields

    def _part(
        self, cells: Cells, given: Section, read: FieldsReader, needed: Sequence[str]
    ) -> dict[str, Any] | None:
        """One part of a field; None where the row has nothing in its columns, a fault where it lacks what it needs."""
        part, columns = read(cells), [*columns_in(given)]
        if all(cells.said.get(column) is None for column in columns):
            return None
        missing = [name for name in needed if name not in part]
        if missing:
            cells.fault(columns[0], "value-missing", f"What else is in the row is without its {missing[0]}.")
            return None
        return part

    def _reviewed(self, cells: Cells) -> ProgressReviewed | None:
        given = self.mapping.review
        if given is None:
            return None
        word, reason = plain(cells.text(given.column)), cells.prose(given.reason, LONGEST_TEXT)
        if self.no_value.is_blank(word):
            return None
        outcome = self._reviews.get(folded(word))
        if outcome is None:
            cells.fault(given.column, "value-unknown", "It is not among the `values` of the mapping.")
            return None
        if outcome is ReviewOutcome.RETURNED and reason is None:
            reason = f"“{word}”, with no reason given. {attribution(self.mapping.source)}"
        return ProgressReviewed(outcome=outcome, reason=reason)

    def _lead(self, cells: Cells, column: str) -> str:
        spelling = cells.name(column, "lead-missing", "Nothing in the row says who leads it.")
        cells.said[column] = self._organizations.get(folded(spelling), folded(spelling))
        return spelling

    def _assessed(self, cells: Cells, day: date) -> Assessed | None:
        given = self.mapping.rating
        if given is None:
            return None
        column = next((name for name in given.columns if cells.text(name).strip()), given.columns[0])
        rating = cells.text(column).strip()
        reason = cells.prose(given.reason, LONGEST_TEXT)
        judgement = self._judgements.get(folded(rating))
        if judgement is None:
            if not rating and given.blank == "nothing":
                return None
            if not (self._no_rating.is_blank(rating) or self._no_rating.is_prose(rating)):
                cells.fault(column, "rating-unknown", "The rating is not among the values of the mapping.")
                return None
        cells.within(column, rating, LONGEST_LINE)
        if reason is None and judgement is Judgement.AT_RISK:
            reason = f"“{rating}”, with no reason given. {attribution(self.mapping.source, day)}"
        return Assessed(
            effective_on=day, judgement=judgement, reason=reason, rating=rating, scale=given.scale
        )

    def _state_of(self, cells: Cells, day: date) -> StateCell | None:
        given = self.mapping.state
        if given is None:
            return None
        word = plain(cells.text(given.column))
        state = self._states.get(folded(word))
        if state is None:
            if not self.no_value.is_blank(word):
                cells.fault(given.column, "value-unknown", "It is not among the states of the mapping.")
            return None
        told_on = cells.value(given.on.column, self._state_on) if given.on and self._state_on else None
        since = told_on or day
        closed: Completed | Discarded | Merged | Split | None = None
        parts: tuple[str, ...] = ()
        told: str | None = None
        attributed = attribution(self.mapping.source, day)
        if state == "achieved":
            told = cells.prose(given.evidence, LONGEST_TEXT)
            url = None if self._evidence_url is None else self._evidence_url(cells)
            # Nobody is said to have shown more than the table does.
            evidence = Evidence(
                description=told or f"“{word}”, with no evidence given. {attributed}", url=url
            )
            closed = Completed(completed_on=since, evidence=(evidence,))
        elif state == "discarded":
            kind = self._reason_type(cells, given)
            told = cells.prose(given.reason, LONGEST_TEXT)
            if kind is not None:
                reason = told or f"“{word}”, with no reason given. {attributed}"
                closed = Discarded(reason_type=kind, reason=reason, effective_on=since)
        elif state in {"merged", "split"}:
            told = cells.prose(given.reason, LONGEST_TEXT)
            reason = told or f"“{word}”, with no reason given. {attributed}"
            closed, parts = self._goes_on(cells, given, state, reason, since)
        return StateCell(state, since, closed, parts, with_details=told is not None or told_on is not None)

    def _goes_on(
        self, cells: Cells, given: State, state: str, reason: str, since: date
    ) -> tuple[Merged | Split | None, tuple[str, ...]]:
        """In what it goes on."""
        column = given.into if state == "merged" else given.parts
        text = cells.prose(column, LONGEST_TEXT)
        if column is None or text is None:
            cells.fault(column, "value-missing", f"It was {state}: nothing says what it goes on in.")
            return None, ()
        if state == "merged":
            return Merged(into=self._code.of(plain(text))[0], reason=reason, effective_on=since), ()
        named = filter(None, map(plain, text.split(given.separator)))
        parts = tuple(dict.fromkeys(self._code.of(one)[0] for one in named))
        return Split(reason=reason, effective_on=since), parts

    def _steps(self, cells: Cells) -> Iterator[tuple[str, StepCell]]:
        for given, read, reached in self._milestones:
            name: str | None = given.name
            if isinstance(given, OwnMilestone):
                name = cells.prose(given.name, LONGEST_LINE)
            due_on, completed_on, column = cells.value(given.column, read), None, None
            if given.completed is not None and reached is not None:
                column = given.completed.column
                completed_on = cells.value(column, reached)
            if name is not None:
                yield plain(name), StepCell(given.column, due_on, column, completed_on)
            elif due_on is not None or completed_on is not None:
                cells.fault(given.column, "value-missing", "It is the day of a milestone without a name.")

    def _reason_type(self, cells: Cells, given: State) -> DiscardReason | None:
        column = given.reason_type or ""
        kind = self._reason_types.get(folded(cells.text(column)))
        if kind is None:
            cells.fault(
                column, "value-unknown", "It is none of the `reason_types`, which say why it was given up."
            )
        return kind

    def _deadline(self, cells: Cells, given: Deadline, read: DateReader) -> DeadlineCell | None:
        day, text = cells.value(given.column, read), cells.text(given.column)
        if day is None and (self.no_value.is_blank(text) or not self.no_value.is_prose(text)):
            return None
        return DeadlineCell(day, None if day is not None else plain(text))

    def _reported(self, cells: Cells, day: date) -> ProgressReported | None:
        given = self.mapping.progress
        if given is None:
            return None
        texts = [(column.label, cells.prose(column.column, LONGEST_TEXT)) for column in given.texts]
        labelled = [f"{label}: {text}" if label else text for label, text in texts if text is not None]
        observed = "\n\n".join(labelled) or None
        if observed is not None:
            cells.within(given.texts[0].column, observed, LONGEST_TEXT)
        stage = cells.prose(given.stage, LONGEST_LINE)
        percent = None if given.percent is None else cells.value(given.percent, self._percent)
        evidence = cells.prose(given.evidence, LONGEST_TEXT)
        if observed is None and stage is None and percent is None:
            if evidence is not None:
                cells.fault(
                    given.evidence, "value-missing", "It is evidence of a report that reports nothing."
                )
            return None
        return ProgressReported(
            period=period_with(day, given.period),
            effective_on=day,
            observed_progress=observed,
            stage=stage,
            percent=percent,
            evidence=() if evidence is None else (Evidence(description=evidence),),
            source=self.mapping.source,
        )

    def _estimated(self, cells: Cells, day: date) -> BudgetEstimated | None:
        given = self.mapping.budget
        if given is None:
            return None
        begun = day.year if day.month >= given.fiscal_year_begins else day.year - 1
        lines: list[BudgetLine] = []
        for figure in given.figures:
            value = cells.value(figure.column, self.number)
            if value is None:
                continue
            try:
                amount = amount_text(value, given.multiplier)
            except Unreadable as error:
                cells.fault(figure.column, error.code, error.reason)
                continue
            year = begun if figure.year == "fiscal" else figure.year
            lines.append(
                BudgetLine(
                    amount=amount,
                    currency=given.currency,
                    year=year,
                    figure=figure.figure,
                    price_base=figure.price_base,
                )
            )
        if not lines:
            return None
        return BudgetEstimated(effective_on=day, lines=tuple(lines), source=self.mapping.source)

    def _risks(self, cells: Cells, day: date) -> RisksAssessed | None:
        given = self.mapping.risks
        if given is None:
            return None
        ratings: dict[str, int] = {}
        for name, column in given.columns.items():
            rating = self._rated.get(folded(cells.text(column)))
            number = None if rating is not None else cells.value(column, self.number)
            if number is not None and number not in (1, 2, 3, 4):
                cells.fault(column, "risk-out-of-range", "A risk is rated from 1 (low) to 4 (high).")
            elif number is not None:
                rating = int(number)
            if rating is not None:
                ratings[name] = cells.said[column] = rating
        description = cells.prose(given.description, LONGEST_TEXT)
        return RisksAssessed(effective_on=day, description=description, **ratings) if ratings else None


def _members(section: Section | None) -> dict[str, Any]:
    return {} if section is None else {name: getattr(section, name) for name in section.__struct_fields__}
