"""Where meetings are kept it is known who may read a commitment, as the commitment itself has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.meetings.readers import CommitmentReaders
from shared.aggregate.redaction import Readers
from tests.services.commitments.lives import ASKS, Ask, lives


@given(st.lists(ASKS, max_size=25))
def test_where_meetings_are_kept_it_has_the_same_readers(asks: list[Ask]) -> None:
    live, history = lives(asks)
    known = CommitmentReaders.fold(history)
    assert known is not None
    assert known.readers() == Readers(live.visibility, live.organizations())
