"""Who may do what in this service: the rows of every router, in one table."""

from __future__ import annotations

from services.meetings.api import action_items, bodies, decisions, meetings, minutes
from shared.identity.access import AccessTable

ACCESS: AccessTable = {
    **bodies.ACCESS,
    **meetings.ACCESS,
    **minutes.ACCESS,
    **decisions.ACCESS,
    **action_items.ACCESS,
}
