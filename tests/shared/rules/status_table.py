"""The status rule as it was published, written out: each kind of commitment on each day that could matter."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from shared.events.vocabulary import Judgement
from shared.rules.traffic_light import Closure, CommitmentOnDay

INTERNAL = date(2012, 3, 31)
PUBLIC = date(2012, 6, 30)
DAYS = tuple(deadline + timedelta(days=n) for deadline in (INTERNAL, PUBLIC) for n in (-1, 0, 1))
"""The eve, the day and the morrow of each deadline."""

REGISTERED_AT, CLOSURE_AT, JUDGEMENT_AT, PUBLIC_AT, INTERNAL_AT = 3, 5, 7, 11, 13


class Case(NamedTuple):
    """A kind of commitment, and its status on each of `DAYS` with the position of the event it follows from."""

    name: str
    facts: CommitmentOnDay
    expected: tuple[tuple[str | None, int], ...]


def _facts(
    closure: Closure | None = None,
    judgement: Judgement | None = None,
    *,
    public: bool = True,
    internal: bool = True,
) -> CommitmentOnDay:
    return CommitmentOnDay(
        registered_at=REGISTERED_AT,
        lead_organization="MOP",
        lead_at=REGISTERED_AT,
        closure=closure,
        closure_at=CLOSURE_AT if closure else None,
        judgement=judgement,
        judgement_at=JUDGEMENT_AT if judgement else None,
        public_deadline=PUBLIC if public else None,
        public_deadline_at=PUBLIC_AT if public else None,
        internal_deadline=INTERNAL if internal else None,
        internal_deadline_at=INTERNAL_AT if internal else None,
    )


_NEW = ("on_time", REGISTERED_AT)
_WELL = ("on_time", JUDGEMENT_AT)
_BEHIND = ("needs_attention_internal_deadline", INTERNAL_AT)
_AT_RISK = ("needs_attention", JUDGEMENT_AT)
_LATE = ("delayed", PUBLIC_AT)
_ON_TRACK, _RISK = Judgement.ON_TRACK, Judgement.AT_RISK

CASES = (
    #                                              internal: eve, day, morrow   public: eve, day, morrow
    Case("judged by nobody", _facts(), (_NEW, _NEW, _BEHIND, _BEHIND, _BEHIND, _LATE)),
    Case("on track", _facts(None, _ON_TRACK), (_WELL, _WELL, _BEHIND, _BEHIND, _BEHIND, _LATE)),
    Case("at risk", _facts(None, _RISK), (_AT_RISK, _AT_RISK, _AT_RISK, _AT_RISK, _AT_RISK, _LATE)),
    Case("only promised in public", _facts(internal=False), (_NEW, _NEW, _NEW, _NEW, _NEW, _LATE)),
    Case("only due inside", _facts(public=False), (_NEW, _NEW, _BEHIND, _BEHIND, _BEHIND, _BEHIND)),
    Case("without deadline", _facts(public=False, internal=False), (_NEW,) * 6),
    Case("at risk without deadline", _facts(None, _RISK, public=False, internal=False), (_AT_RISK,) * 6),
    Case("achieved", _facts(Closure.ACHIEVED, _RISK), (("achieved", CLOSURE_AT),) * 6),
    Case("discarded", _facts(Closure.DISCARDED, _RISK), (("discarded", CLOSURE_AT),) * 6),
    Case("merged", _facts(Closure.MERGED, _RISK), ((None, CLOSURE_AT),) * 6),
)
