"""The closed lists of the meetings: the words that events, requests and answers share (source: DOMAIN §4)."""

from __future__ import annotations

from enum import StrEnum


class BodyKind(StrEnum):
    """What sort of meeting a body holds."""

    COMMITTEE = "committee"
    BILATERAL = "bilateral"
    REGIONAL_BILATERAL = "regional_bilateral"
    STOCKTAKE = "stocktake"


class Cadence(StrEnum):
    """How often a body means to meet."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    ON_DEMAND = "on_demand"


class ProtocolPeriod(StrEnum):
    """The period in which a protocol expects its number of meetings."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class MeetingState(StrEnum):
    """How far a meeting has come; a rescheduled one is where it was, on another day."""

    CONVENED = "convened"
    AGENDA_AGREED = "agenda_agreed"
    HELD = "held"
    MINUTES_DRAFTED = "minutes_drafted"
    CIRCULATED = "circulated"
    APPROVED = "approved"
    CANCELLED = "cancelled"


class Rights(StrEnum):
    """Whether somebody attends with full rights or by invitation for an issue."""

    FULL = "full"
    INVITED = "invited"


class Presence(StrEnum):
    """Whether somebody came, sent somebody, or stayed away."""

    PRESENT = "present"
    REPRESENTED = "represented"
    ABSENT = "absent"


class ItemOutcome(StrEnum):
    """What a meeting did with one item of its agenda."""

    AGREED = "agreed"
    AGREED_WITH_CHANGES = "agreed_with_changes"
    PARTLY_AGREED = "partly_agreed"
    REJECTED = "rejected"
    REFERRED = "referred"
    NOTED = "noted"
    DISCUSSED = "discussed"
    POSTPONED = "postponed"
    WITHDRAWN = "withdrawn"
    SETTLED = "settled"
    ELECTED = "elected"
    NO_VOTE = "no_vote"


class DecisionKind(StrEnum):
    """What a decision does to the commitments it concerns."""

    AGREE_COMMITMENT = "agree_commitment"
    REVISE_DEADLINE = "revise_deadline"
    REVISE_TARGET = "revise_target"
    DISCARD = "discard"
    MERGE = "merge"
    REASSIGN = "reassign"
    REOPEN = "reopen"
    COMPLETE = "complete"
    PUBLISH = "publish"
    BUDGET = "budget"
    ESCALATE = "escalate"
    REFER = "refer"
    OTHER = "other"


class Financing(StrEnum):
    """Where the money for a decision comes from."""

    REALLOCATION = "reallocation"
    INCREASE = "increase"


class Acknowledgement(StrEnum):
    """Whether the budget office agrees that this is what was agreed."""

    AGREED = "agreed"
    DISPUTED = "disputed"


class BudgetRequest(StrEnum):
    """Whether a budget line was in a ministry's first request of the fiscal year or came later."""

    FIRST = "first"
    LATER = "later"
