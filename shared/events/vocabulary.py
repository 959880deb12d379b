"""The closed lists of the domain: the words that events, requests and answers share (sources: DOMAIN §2 to §4)."""

from __future__ import annotations

from enum import StrEnum


class Judgement(StrEnum):
    """What a person says of the way a commitment is going."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"


class CommitmentKind(StrEnum):
    """The layer of the plan tree a commitment belongs to."""

    STRATEGIC_OBJECTIVE = "strategic_objective"
    ACTION = "action"
    COMMITMENT = "commitment"


class ResultType(StrEnum):
    """What kind of result an objective promises, from the means (input) to the effect on people (outcome)."""

    INPUT = "input"
    PROCESS = "process"
    OUTPUT = "output"
    OUTCOME = "outcome"


class OriginKind(StrEnum):
    """Where a commitment was first made."""

    MAY_21_SPEECH = "may_21_speech"
    OTHER_SPEECH = "other_speech"
    CAMPAIGN_PROGRAMME = "campaign_programme"
    BILATERAL_MEETING = "bilateral_meeting"
    COMMITTEE = "committee"
    REGIONAL_PLAN = "regional_plan"
    OTHER = "other"


class Visibility(StrEnum):
    """Who may know of it: everyone, everyone inside government, or only those concerned."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESERVED = "reserved"


class DeadlineKind(StrEnum):
    """The two deadlines of a commitment: the one promised in public and the unit's own, usually earlier."""

    PUBLIC = "public"
    INTERNAL = "internal"


class DiscardReason(StrEnum):
    """The three reasons for which a commitment may be given up."""

    TECHNICAL = "technical"
    BUDGETARY = "budgetary"
    CHANGE_OF_PRIORITIES = "change_of_priorities"


class ReviewOutcome(StrEnum):
    """What the reviewer of a progress report makes of it."""

    ACCEPTED = "accepted"
    RETURNED = "returned"


class Nature(StrEnum):
    """Whether a commitment needs a law or can be managed within the powers of government."""

    LEGISLATIVE = "legislative"
    MANAGERIAL = "managerial"


class Scope(StrEnum):
    """How far a commitment reaches."""

    NATIONAL = "national"
    REGIONAL = "regional"
    LOCAL = "local"


class BudgetFigure(StrEnum):
    """What a budget figure stands for."""

    ESTIMATE = "estimate"
    BUDGET = "budget"
    FORECAST = "forecast"
    WHOLE_LIFE_COST = "whole_life_cost"
    BENEFITS = "benefits"
    COMMITTED = "committed"
    EXECUTED = "executed"
    PAID = "paid"


class Direction(StrEnum):
    """The direction in which an indicator is meant to move."""

    INCREASE = "increase"
    DECREASE = "decrease"
    MAINTAIN = "maintain"


class Frequency(StrEnum):
    """How often an indicator is measured."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    FOUR_MONTHLY = "four_monthly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    SCHOOL_YEARLY = "school_yearly"
    OTHER = "other"


class Accumulation(StrEnum):
    """What of the values of a window is held against a target: the last of them, or all of them together."""

    LAST = "last"
    SUM = "sum"
    MEAN = "mean"
    MAX = "max"
    MIN = "min"


class RelativeTo(StrEnum):
    """What the value of a target is: one in the indicator's unit, or a change in percent of the baseline."""

    ABSOLUTE = "absolute"
    BASELINE = "baseline"


class OrganizationKind(StrEnum):
    """What an organisation is within the state."""

    MINISTRY = "ministry"
    UNDER_SECRETARIAT = "under_secretariat"
    SERVICE = "service"
    REGIONAL_GOVERNMENT = "regional_government"
    PRESIDENCY = "presidency"
    COORDINATION = "coordination"
    OTHER = "other"
