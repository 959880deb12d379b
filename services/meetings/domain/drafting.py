"""What the minutes of a meeting may hold: items, decisions of the kinds the body may take, and tasks somebody owes."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from services.meetings.domain import guards
from shared.errors import InvalidInput, RuleBroken
from shared.events.meeting_vocabulary import DecisionKind
from shared.events.meetings import DraftActionItem, DraftDecision, Effect, MinutesItem

EFFECT_OF: Final[dict[DecisionKind, str]] = {
    DecisionKind.AGREE_COMMITMENT: "commitment",
    DecisionKind.REVISE_DEADLINE: "deadline",
    DecisionKind.REVISE_TARGET: "target",
    DecisionKind.DISCARD: "discard",
    DecisionKind.ESCALATE: "referral",
    DecisionKind.REFER: "referral",
}
"""The member of the effect that a kind of decision may have."""

_NEEDS_EFFECT = frozenset(EFFECT_OF) - {DecisionKind.ESCALATE, DecisionKind.REFER}
_NEEDS_COMMITMENTS = frozenset({DecisionKind.REVISE_DEADLINE, DecisionKind.DISCARD, DecisionKind.ESCALATE})


class Ground(NamedTuple):
    """What a draft is held against: its meeting's agenda, day and circle, what its body may do, and who exists."""

    agenda: Container[int]
    held_on: date
    decides: bool
    organizations: Container[str]
    circle: Container[str] | None
    """The only organisations a decision may concern; None where the meeting is known to all of government."""


def check(items: Sequence[MinutesItem], ground: Ground) -> None:
    """Holds minutes to the rules; raises the first that is broken."""
    if not items:
        raise InvalidInput("minutes-empty", "Minutes tell of at least one item.", pointer="/items")
    seen: set[int] = set()
    for index, item in enumerate(items):
        at = f"/items/{index}"
        _check_item(item, at, ground)
        if item.agenda_item is not None:
            if item.agenda_item in seen:
                raise InvalidInput(
                    "agenda-item-twice",
                    f"Item {item.agenda_item} of the agenda is told of twice.",
                    pointer=f"{at}/agenda_item",
                )
            seen.add(item.agenda_item)
        for place, decision in enumerate(item.decisions):
            check_decision(decision, f"{at}/decisions/{place}", ground)
        for place, task in enumerate(item.action_items):
            _check_task(task, len(item.decisions), f"{at}/action_items/{place}", ground)


def _check_item(item: MinutesItem, at: str, ground: Ground) -> None:
    if item.agenda_item is None:
        guards.text_given(item.title, "The title of an item that was not on the agenda", f"{at}/title")
    elif item.agenda_item not in ground.agenda:
        raise InvalidInput(
            "unknown-agenda-item",
            f"There is no item {item.agenda_item} on the agenda.",
            pointer=f"{at}/agenda_item",
        )
    if not ((item.summary and item.summary.strip()) or item.outcome or item.outcome_verbatim):
        raise InvalidInput(
            "item-says-nothing", "Say what was said or what came of it.", pointer=f"{at}/summary"
        )


def check_decision(decision: DraftDecision, at: str, ground: Ground) -> None:
    """Holds one decision to the rules."""
    guards.text_given(decision.text, "The text of a decision", f"{at}/text")
    must_be_allowed(decision.kind, decides=ground.decides)
    if decision.kind in _NEEDS_COMMITMENTS and not decision.commitments:
        raise InvalidInput(
            "decision-without-commitment",
            f"A decision of the kind {decision.kind} names the commitments it concerns.",
            pointer=f"{at}/commitments",
        )
    if len(set(decision.commitments)) < len(decision.commitments):
        raise InvalidInput("named-twice", "A commitment is named twice.", pointer=f"{at}/commitments")
    if decision.kind is DecisionKind.BUDGET and decision.budget_impact is None:
        raise InvalidInput(
            "budget-impact-required",
            "A budget decision says how much, in which fiscal year, and how it is financed.",
            pointer=f"{at}/budget_impact",
        )
    if (impact := decision.budget_impact) is not None:
        guards.positive_amount(impact.amount, f"{at}/budget_impact/amount")
        guards.currency(impact.currency, f"{at}/budget_impact/currency")
        guards.fiscal_year(impact.fiscal_year, f"{at}/budget_impact/fiscal_year")
    _check_effect(decision, f"{at}/effect", ground)
    guards.known_organizations(decision.organizations, ground.organizations, f"{at}/organizations")
    if ground.circle is not None:
        for index, organization in enumerate(decision.organizations):
            _inside(organization, ground.circle, f"{at}/organizations/{index}")


def must_be_allowed(kind: DecisionKind, *, decides: bool) -> None:
    """A body that does not decide can only refer."""
    if not decides and kind is not DecisionKind.REFER:
        raise RuleBroken(
            "body-only-refers", f"This body takes no binding decisions: it refers, and cannot {kind}."
        )


def _check_effect(decision: DraftDecision, at: str, ground: Ground) -> None:
    wanted = EFFECT_OF.get(decision.kind)
    effect = decision.effect
    given = set(_members(effect)) if effect is not None else set[str]()
    if given - {wanted}:
        raise InvalidInput(
            "effect-of-another-kind",
            f"A decision of the kind {decision.kind} has "
            + (f"the effect '{wanted}' and no other." if wanted else "no effect of its own."),
            pointer=at,
        )
    if decision.kind in _NEEDS_EFFECT and not given:
        raise InvalidInput(
            "effect-required",
            f"A decision of the kind {decision.kind} says what it does: give '{wanted}'.",
            pointer=f"{at}/{wanted}",
        )
    if effect is None:
        return
    if (agreed := effect.commitment) is not None:
        guards.text_given(agreed.title, "The title", f"{at}/commitment/title")
        place = f"{at}/commitment"
        guards.known_organization(
            agreed.lead_organization, ground.organizations, f"{place}/lead_organization"
        )
        guards.known_organizations(
            agreed.collaborating_organizations, ground.organizations, f"{place}/collaborating_organizations"
        )
        if agreed.responsible_service is not None:
            guards.known_organization(
                agreed.responsible_service, ground.organizations, f"{place}/responsible_service"
            )
    if effect.target is not None:
        guards.amount(effect.target.value, f"{at}/target/value")
    if effect.discard is not None:
        guards.reason_given(effect.discard.reason, "Giving a commitment up", f"{at}/discard/reason")
    if effect.referral is not None:
        guards.text_given(effect.referral.to, "Whom it goes to", f"{at}/referral/to")


def _members(effect: Effect) -> Iterator[str]:
    return (name for name in effect.__struct_fields__ if getattr(effect, name) is not None)


def _inside(organization: str, circle: Container[str], pointer: str) -> None:
    if organization not in circle:
        raise InvalidInput(
            "organization-outside-circle",
            f"'{organization}' may not know of this meeting: the decisions of a reserved meeting concern those it is "
            "with.",
            pointer=pointer,
        )


def _check_task(task: DraftActionItem, decisions: int, at: str, ground: Ground) -> None:
    guards.text_given(task.text, "The text of an action item", f"{at}/text")
    guards.known_organization(task.owner_organization, ground.organizations, f"{at}/owner_organization")
    if task.due_on < ground.held_on:
        raise InvalidInput(
            "due-before-meeting",
            f"It would be due before the meeting, on {ground.held_on}, that asks for it.",
            pointer=f"{at}/due_on",
        )
    if task.decision is not None and not 1 <= task.decision <= decisions:
        raise InvalidInput(
            "unknown-decision-of-item",
            "Count the decisions of the same item from 1.",
            pointer=f"{at}/decision",
        )
