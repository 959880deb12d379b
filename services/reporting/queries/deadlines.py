"""The days promised to the public, as a calendar shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from services.reporting.datasets import commitment_states, commitments
from services.reporting.queries.access import Scope
from services.reporting.queries.board import Filters, admitted
from services.reporting.queries.moments import AsOf
from services.reporting.queries.pillars import described
from services.reporting.reading import Reading
from shared.rules.traffic_light import Closure

_row = commitment_states.c


def deadlines_as_of(
    reading: Reading, at: AsOf, scope: Scope, filters: Filters, first: date, *, limit: int
) -> Sequence[Any]:
    """The public deadlines from a day on of what is open or was achieved, in order of days and codes.

    Of each the commitment, its code and title, the day, and how often it had been moved.
    """
    query = (
        select(
            _row.commitment_id, _row.code, commitments.c.title, _row.public_deadline, _row.public_revisions
        )
        .where(
            admitted(reading, at, scope, filters),
            described(at),
            _row.public_deadline >= first,
            _row.closure.is_(None) | (_row.closure == Closure.ACHIEVED),
        )
        .order_by(_row.public_deadline, _row.code)
        .limit(limit)
    )
    return reading.connection.execute(query).all()
