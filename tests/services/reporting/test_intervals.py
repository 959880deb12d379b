"""The interval tree finds every interval that contains a point."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.intervals import fork, path

BITS = 12
ends = st.lists(st.integers(1, 2**BITS), min_size=2, max_size=2, unique=True).map(sorted)


@given(ends)
def test_an_interval_is_filed_inside_itself(interval: list[int]) -> None:
    start, end = interval
    assert start <= fork(start, end) < end


@given(ends, st.data())
def test_an_interval_is_filed_on_the_path_of_every_point_in_it(
    interval: list[int], data: st.DataObject
) -> None:
    start, end = interval
    point = data.draw(st.integers(start, end - 1))
    assert fork(start, end) in path(point, BITS)


@given(st.integers(1, 2**BITS - 1), st.integers(1, 2**40))
def test_what_has_no_end_is_filed_at_the_top(point: int, start: int) -> None:
    assert fork(start, 2**63 - 1) == 2**62
    assert len(path(point, BITS)) == BITS


@given(ends, ends)
def test_an_interval_that_meets_a_stretch_is_filed_within_it_or_on_the_path_of_one_of_its_ends(
    interval: list[int], stretch: list[int]
) -> None:
    (start, end), (first, last) = interval, stretch
    filed = fork(start, end)
    around = {*path(first, BITS), *path(last, BITS)}
    if start <= last and end > first:
        assert first <= filed <= last or filed in around
