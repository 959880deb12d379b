"""A decision acts: a follower of the log carries out every decision that was agreed, in order, once."""

from __future__ import annotations

from typing import Final

import structlog

from services.commitments.outcome.decisions import Decisions
from services.commitments.outcome.repository import DecisionOutcomes
from shared.eventlog.envelope import FollowerPosition, Recorded
from shared.eventlog.follower import Follower, names_of
from shared.eventlog.live import LiveLog
from shared.events.meetings import DecisionAgreed

FOLLOWER: Final = "commitments.decisions"
ACTED_ON: Final = names_of((DecisionAgreed,))

log = structlog.get_logger(__name__)


def decisions_policy(live: LiveLog, decisions: Decisions, outcomes: DecisionOutcomes) -> Follower:
    """The follower that carries decisions out, one process at a time for each."""

    async def act(recorded: Recorded, at: FollowerPosition) -> None:
        assert isinstance(recorded.data, DecisionAgreed)
        decision = decisions.decision(recorded.data.number)
        assert decision is not None, "what a follower is given, the process has taken in before"
        outcome = await outcomes.act(decision, at)
        log.info(
            "decision_acted", decision=recorded.data.number, caused=at.position, position=outcome.position
        )

    return Follower(live, FOLLOWER, (DecisionAgreed,), act)
