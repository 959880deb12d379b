"""The minutes of a meeting: drafted, circulated, observed upon, approved, sealed.

Where the protocol of the body asks for four eyes, whoever wrote the draft or told who came does not approve it. What
recipients had to say is answered before, and what was accepted is in the text. What is approved stands for ever; a
mistake is put right by an erratum beside it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID, uuid5

from services.meetings.domain import drafting, guards
from services.meetings.domain.body import Body, decision_number
from services.meetings.domain.drafting import Ground
from services.meetings.domain.folding import DayOf, Entry, changed_by
from services.meetings.domain.sealing import SEALED, decisions_in, is_of_the_same_text, seal, texts_of
from services.meetings.domain.state import MeetingRecord, Observation
from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import (
    ActionItemAssigned,
    DecisionAgreed,
    DecisionAmended,
    DecisionsNumbered,
    ErratumAdded,
    MinutesApproved,
    MinutesCirculated,
    MinutesDrafted,
    MinutesItem,
    ObservationAnswered,
    ObservationRaised,
    Recipient,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role


class Approval(NamedTuple):
    """Everything that comes into being when minutes are approved, all of it or nothing."""

    numbered: DecisionsNumbered | None
    """On the body's stream; None when there is no decision to number."""
    decisions: tuple[DecisionAgreed, ...]
    action_items: tuple[tuple[UUID, ActionItemAssigned], ...]
    approved: MinutesApproved


class Minutes(MeetingRecord):
    """A meeting, as far as its minutes go."""

    __slots__ = ()

    def draft_minutes(
        self, items: Sequence[MinutesItem], *, body: Body, day_of: DayOf, organizations: Container[str]
    ) -> MinutesDrafted:
        """The secretariat writes the minutes, or writes them anew."""
        held = self.must_be_held()
        self.must_not_be_sealed()
        drafting.check(items, self._ground(body, day_of(held.said.held_at), organizations))
        latest = self.latest_draft
        if latest is not None and latest.said.items == tuple(items):
            raise RuleBroken("draft-unchanged", "The minutes already read like this.")
        return MinutesDrafted(draft=len(self.drafts) + 1, items=tuple(items))

    @changed_by(MinutesDrafted)
    def _minutes_drafted(self, entry: Entry[MinutesDrafted]) -> None:
        self.drafts = (*self.drafts, entry)

    def circulate(
        self,
        recipients: Sequence[Recipient],
        *,
        organizations: Container[str],
        today: date,
        day_of: DayOf,
        effective_on: date | None = None,
    ) -> MinutesCirculated:
        """The draft goes to those named, or went to them on an earlier day; circulating it again adds to them."""
        draft = self.must_be_drafted()
        self.must_not_be_sealed()
        if not recipients:
            raise InvalidInput("recipients-missing", "Say whom it is sent to.", pointer="/recipients")
        for index, recipient in enumerate(recipients):
            at = f"/recipients/{index}"
            guards.known_organization(recipient.organization, organizations, f"{at}/organization")
            if recipient in recipients[:index]:
                raise InvalidInput("named-twice", "This recipient is named twice.", pointer=at)
        day, held_on = guards.not_after_today(effective_on, today), day_of(self.must_be_held().said.held_at)
        if day < held_on:
            why = f"The meeting was held on {held_on}."
            raise InvalidInput("date-before-meeting", why, pointer="/effective_on")
        sent = self._sent_to(draft.said.draft, day, day_of)
        if self.state is MeetingState.CIRCULATED and set(recipients) <= sent:
            raise RuleBroken("already-circulated", "All of these had been sent this draft by then.")
        return MinutesCirculated(draft=draft.said.draft, recipients=tuple(recipients), effective_on=day)

    def _sent_to(self, draft: int, day: date, day_of: DayOf) -> set[Recipient]:
        """Who had been sent a draft by a day."""
        sent = (one.said for one in self.circulations if one.day(day_of) <= day)
        return {recipient for said in sent if said.draft == draft for recipient in said.recipients}

    @changed_by(MinutesCirculated)
    def _minutes_circulated(self, entry: Entry[MinutesCirculated]) -> None:
        self.circulations = (*self.circulations, entry)

    def observe(self, *, actor: Actor, text: str, agenda_item: int | None = None) -> ObservationRaised:
        """A recipient has something to say of the draft."""
        if actor.role is not Role.DCI and not self.is_recipient(actor.organization):
            raise Forbidden("not-a-recipient", "Only those the minutes were sent to have a say in them.")
        self.must_be_held()
        self.must_not_be_sealed()
        draft = self.must_be_circulated()
        guards.text_given(text, "An observation", "/text")
        self._must_be_told_of(agenda_item, draft.said)
        return ObservationRaised(
            number=len(self.observations) + 1, draft=draft.said.draft, text=text, agenda_item=agenda_item
        )

    @changed_by(ObservationRaised)
    def _observation_raised(self, entry: Entry[ObservationRaised]) -> None:
        self.observations = (*self.observations, Observation(entry))

    def answer_observation(self, *, number: int, accepted: bool, answer: str) -> ObservationAnswered:
        """The secretariat answers an observation, once."""
        if not 1 <= number <= len(self.observations):
            raise NotFound("observation-not-found", f"There is no observation {number}.")
        self.must_not_be_sealed()
        if self.observations[number - 1].answer is not None:
            raise RuleBroken("observation-already-answered", f"Observation {number} was answered already.")
        guards.text_given(answer, "The answer", "/answer")
        return ObservationAnswered(number=number, accepted=accepted, answer=answer)

    @changed_by(ObservationAnswered)
    def _observation_answered(self, entry: Entry[ObservationAnswered]) -> None:
        at = entry.said.number - 1
        answered = self.observations[at]._replace(answer=entry)
        self.observations = (*self.observations[:at], answered, *self.observations[at + 1 :])

    # --- the seal --------------------------------------------------------------------------------------------------

    def approve(self, *, actor: Actor, body: Body, day_of: DayOf) -> Approval:
        """The circulated draft is approved, and what was agreed comes into being.

        An import brings in minutes that were sealed elsewhere, and speaks as `system`: its text has no author here.
        """
        held = self.must_be_held()
        self.must_not_be_sealed()
        draft = self.must_be_circulated()
        told_by = {draft.by.subject, *self.attendance_told_by}
        if body.asks_for_four_eyes and actor.subject in told_by and actor.role is not Role.SYSTEM:
            raise RuleBroken(
                "approver-is-author", "Nobody approves what they wrote or the attendance they told."
            )
        self._must_be_settled(draft.said)
        agreed_on = day_of(held.said.held_at)
        number = body.number_decisions(
            meeting=self.id,
            year=agreed_on.year,
            count=decisions_in(draft.said),
            convened=self.convocation.said,
        )
        decisions: list[DecisionAgreed] = []
        action_items: list[tuple[UUID, ActionItemAssigned]] = []
        for item in draft.said.items:
            before = len(decisions)
            decisions += self._decisions(item, number, before, body, agreed_on)
            own = decisions[before:]
            action_items += self._action_items(item, own, len(action_items), agreed_on)
        approved = MinutesApproved(
            draft=draft.said.draft,
            digest=seal(self.id, self.agenda, held.said, draft.said),
            covers=SEALED,
            decisions=tuple(decision.number for decision in decisions),
            action_items=tuple(stream_id for stream_id, _ in action_items),
        )
        return Approval(number if decisions else None, tuple(decisions), tuple(action_items), approved)

    @changed_by(MinutesApproved)
    def _minutes_approved(self, entry: Entry[MinutesApproved]) -> None:
        self.approval = entry

    def add_erratum(
        self,
        *,
        reads: str,
        should_read: str,
        reason: str,
        agenda_item: int | None = None,
        decision: DecisionAgreed | None = None,
    ) -> list[ErratumAdded | DecisionAmended]:
        """A mistake in the sealed text is put right beside it; one in a decision is noted there, too."""
        draft = self.must_be_drafted()
        if self.approval is None:
            raise RuleBroken(
                "minutes-not-approved", "The minutes are not sealed yet: draft them anew instead."
            )
        guards.text_given(reads, "What it reads", "/reads")
        guards.text_given(should_read, "What it should read", "/should_read")
        guards.reason_given(reason, "An erratum")
        if reads == should_read:
            raise InvalidInput(
                "erratum-changes-nothing", "It already reads like this.", pointer="/should_read"
            )
        if decision is not None and decision.meeting != self.id:
            raise InvalidInput(
                "decision-of-another-meeting", "This meeting took no such decision.", pointer="/decision"
            )
        self._must_be_told_of(agenda_item, draft.said)
        texts = [decision.text] if decision is not None else list(texts_of(draft.said, agenda_item))
        texts += [erratum.said.should_read for erratum in self.errata]
        if not any(reads in text for text in texts):
            raise InvalidInput(
                "erratum-misquotes",
                "The minutes read like this nowhere in the place named.",
                pointer="/reads",
            )
        number = len(self.errata) + 1
        erratum = ErratumAdded(
            number=number,
            reads=reads,
            should_read=should_read,
            reason=reason,
            agenda_item=agenda_item,
            decision=None if decision is None else decision.number,
        )
        last = next(
            (one.said for one in reversed(self.errata) if is_of_the_same_text(one.said, erratum)), None
        )
        if last is not None and (last.reads, last.should_read) == (reads, should_read):
            raise RuleBroken("erratum-already-added", f"Erratum {last.number} says so already.")
        if decision is None:
            return [erratum]
        return [
            erratum,
            DecisionAmended(erratum=number, reads=reads, should_read=should_read, reason=reason),
        ]

    @changed_by(ErratumAdded)
    def _erratum_added(self, entry: Entry[ErratumAdded]) -> None:
        self.errata = (*self.errata, entry)

    # --- what it takes ---------------------------------------------------------------------------------------------

    def _ground(self, body: Body, held_on: date, organizations: Container[str]) -> Ground:
        reserved = self.visibility is Visibility.RESERVED
        return Ground(
            agenda=self.agenda_numbers,
            held_on=held_on,
            decides=body.description.decides,
            organizations=organizations,
            circle=self.circle() if reserved else None,
        )

    def _must_be_settled(self, draft: MinutesDrafted) -> None:
        """Every observation was answered, and what was accepted came after into the text."""
        for observation in self.observations:
            number = observation.entry.said.number
            if observation.answer is None:
                raise RuleBroken("observation-open", f"Observation {number} is not answered yet.")
            if observation.answer.said.accepted and not self._changed_since(observation, draft):
                raise RuleBroken(
                    "accepted-observation-pending",
                    f"Observation {number} was accepted and is not in the text: draft the minutes anew, or correct the "
                    "attendance.",
                )

    def _changed_since(self, observation: Observation, draft: MinutesDrafted) -> bool:
        """Whether what is to be sealed, text or attendance, is another than what was observed upon."""
        raised = observation.entry
        return draft.draft > raised.said.draft or any(
            correction.position > raised.position for correction in self.attendance_corrections
        )

    @staticmethod
    def _must_be_told_of(agenda_item: int | None, draft: MinutesDrafted) -> None:
        if agenda_item is not None and all(item.agenda_item != agenda_item for item in draft.items):
            raise InvalidInput(
                "unknown-agenda-item",
                f"The minutes tell of no item {agenda_item} of the agenda.",
                pointer="/agenda_item",
            )

    def _decisions(
        self, item: MinutesItem, numbered: DecisionsNumbered, before: int, body: Body, agreed_on: date
    ) -> Iterator[DecisionAgreed]:
        for place, drafted in enumerate(item.decisions):
            drafting.must_be_allowed(drafted.kind, decides=body.description.decides)
            yield DecisionAgreed(
                number=decision_number(body.code, numbered.year, numbered.first + before + place),
                body=self.body,
                meeting=self.id,
                agreed_on=agreed_on,
                text=drafted.text,
                kind=drafted.kind,
                visibility=self.visibility,
                position_in_item=place + 1,
                agenda_item=item.agenda_item,
                commitments=drafted.commitments,
                effect=drafted.effect,
                budget_impact=drafted.budget_impact,
                organizations=drafted.organizations or self.organizations,
                circle=self.circle(),
            )

    def _action_items(
        self, item: MinutesItem, own: Sequence[DecisionAgreed], before: int, agreed_on: date
    ) -> Iterator[tuple[UUID, ActionItemAssigned]]:
        for place, task in enumerate(item.action_items):
            number = before + place + 1
            yield (
                uuid5(self.id, f"action-item:{number}"),
                ActionItemAssigned(
                    number=number,
                    text=task.text,
                    owner_organization=task.owner_organization,
                    assigned_on=agreed_on,
                    due_on=task.due_on,
                    body=self.body,
                    meeting=self.id,
                    visibility=self.visibility,
                    owner_subject=task.owner_subject,
                    agenda_item=item.agenda_item,
                    decision=None if task.decision is None else own[task.decision - 1].number,
                    commitment=task.commitment,
                    circle=self.circle(),
                ),
            )
