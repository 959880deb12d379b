"""Where meetings are kept it is known who may read an indicator, as the indicator itself has it."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import invariant

from services.meetings.application.disclosures import IndicatorCircle
from shared.aggregate.redaction import Readers
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from tests.services.commitments.test_indicator_replay import AnIndicatorsLife

NOBODY_ELSE = Readers(Visibility.RESERVED, (), once_reserved=True)
"""Who may read a commitment that no ministry may: then only who supplies the values may read its indicator."""


class AnIndicatorsReaders(AnIndicatorsLife):
    """Whatever happens to it."""

    @invariant()
    def where_meetings_are_kept_it_is_as_open_and_supplied_by_the_same(self) -> None:
        first, *others = self.story.events
        known = IndicatorCircle.begin(first)
        assert known is not None
        for recorded in others:
            known.apply(recorded)
        assert (known.visibility, known.once_reserved) == (self.thing.visibility, self.thing.once_reserved)
        ministries = (Actor(subject="s", organization=n, role=Role.MINISTRY) for n in ("INE", "INTERIOR"))
        suppliers = {one.organization for one in ministries if self.thing.can_be_read_by(one, NOBODY_ELSE)}
        assert set(known.suppliers()) == suppliers


TestAnIndicatorsReaders = AnIndicatorsReaders.TestCase
TestAnIndicatorsReaders.settings = settings(max_examples=60, stateful_step_count=20)
