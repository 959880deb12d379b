"""Who may do what in this service: the rows of every router, in one table."""

from __future__ import annotations

from services.commitments.api import commitment_facts, commitments, decision_outcomes, indicators, keys, plan
from shared.identity.access import AccessTable

ACCESS: AccessTable = {
    **commitments.ACCESS,
    **commitment_facts.ACCESS,
    **plan.ACCESS,
    **indicators.ACCESS,
    **decision_outcomes.ACCESS,
    **keys.ACCESS,
}
