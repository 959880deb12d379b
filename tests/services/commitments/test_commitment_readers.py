"""Where meetings are kept it is known who may read a commitment, as the commitment itself has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.meetings.application.disclosures import CommitmentCircle
from shared.events.vocabulary import Visibility
from tests.services.commitments.lives import ASKS, Ask, lives


@given(st.lists(ASKS, max_size=25))
def test_where_meetings_are_kept_it_has_the_same_readers(asks: list[Ask]) -> None:
    live, history = lives(asks)
    readers = CommitmentCircle.begin(history[0])
    assert readers is not None
    for item in history[1:]:
        readers.apply(item)
    assert (readers.visibility, readers.once_reserved) == (live.visibility, live.once_reserved)
    assert readers.organizations() == live.organizations()
    assert live.once_reserved == any(
        getattr(item.data, "visibility", None) is Visibility.RESERVED for item in history
    )
