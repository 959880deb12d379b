"""Finding, in an ordinary index, the intervals that contain a point: an interval tree laid over whole numbers.

The numbers are thought of as a binary tree without pointers: the number with the most trailing zero bits is the root of
any stretch. Every half-open interval is filed under one number, its *fork*: the highest one inside it. An interval that
contains a point is filed either at the point or above it, so looking under the few numbers on the `path` from the point
to the root finds them all, however many others there are. This needs nothing of the engine but an index on integers.
"""

from __future__ import annotations


def fork(start: int, end: int) -> int:
    """The number under which the interval `start` ≤ n < `end` is filed; the interval must not be empty."""
    last = end - 1
    if start == last:
        return start
    bit = (start ^ last).bit_length() - 1
    return (last >> bit) << bit


def path(point: int, bits: int) -> list[int]:
    """The numbers under which an interval that contains `point` can be filed, if it ends below 2**`bits`."""
    return [((point >> (bit + 1)) << (bit + 1)) | (1 << bit) for bit in range(bits)]
