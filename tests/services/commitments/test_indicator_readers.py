"""Who may read an indicator, as the indicator itself has it and as it is known where meetings are kept."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import invariant

from services.commitments.indicator.model import Indicator
from services.meetings.readers import IndicatorReaders
from shared.aggregate.redaction import Readers
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from shared.rules.visibility import can_read
from tests.services.commitments.stories import DCI
from tests.services.commitments.test_indicator_decisions import INE, INTERIOR
from tests.services.commitments.test_indicator_replay import AnIndicatorsLife

JUSTICE = Actor(subject="j", organization="JUSTICE", role=Role.MINISTRY)
OF_ITS_COMMITMENT = (
    None,
    *(Readers(one, ("JUSTICE",)) for one in Visibility),
)


def may_read(thing: Indicator, actor: Actor, commitment: Readers | None) -> bool:
    """Its source always, others within its own visibility and within that of its commitment."""
    source = thing.facts.definition.source
    if source is not None and source.organization == actor.organization:
        return True
    concerned = commitment.organizations if commitment else ()
    return can_read(actor, thing.visibility, concerned) and (commitment is None or commitment.include(actor))


class AnIndicatorsReaders(AnIndicatorsLife):
    """Whatever happens to it."""

    @invariant()
    def where_meetings_are_kept_it_has_the_same_readers(self) -> None:
        known = IndicatorReaders.fold(self.story.events)
        assert known is not None
        for commitment in OF_ITS_COMMITMENT:
            for readers in (known.readers(commitment), self.thing.readers(commitment)):
                for actor in (DCI, INE, INTERIOR, JUSTICE):
                    assert readers.include(actor) is may_read(self.thing, actor, commitment)


TestAnIndicatorsReaders = AnIndicatorsReaders.TestCase
TestAnIndicatorsReaders.settings = settings(max_examples=60, stateful_step_count=20)
