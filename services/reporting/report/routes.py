"""The routes of reports: put, listed and read."""

from __future__ import annotations

from typing import Final

from services.reporting.report.model import Report
from services.reporting.report.repository import Reports
from shared.http.catalogue import Catalogue, Explained
from shared.http.description import DescribedResource
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role

_KEEPS: Final = Access(
    frozenset({Role.DCI}), if_match="to_change", note="`If-None-Match: *` only lays down what is new"
)
_LISTED: Final = Access(EVERYONE, log_position=True)
_READ: Final = Access(EVERYONE, etag=True, log_position=True)


def report_routes(reports: Reports) -> Router:
    """Every route of reports."""
    router = Router("reports", "The reports that are owed: of what, to whom, and when.")
    resource = DescribedResource(
        router,
        "/v1/reports",
        reports,
        Report,
        put=_KEEPS,
        read=_READ,
        listed=_LISTED,
        example="MAY-21",
    )
    resource.write(
        doc="Lays down a report that is owed, or describes it anew: the whole description replaces the old one."
    )
    resource.all(
        lambda _: sorted(reports.all.all(), key=lambda one: one.code),
        lambda one: [one.code],
        doc="The reports that are owed, by code; those that have ended stay.",
    )
    resource.one(doc="A report as it is described now.")
    return router


ERRORS: Catalogue = {
    "report-not-found": Explained(404, "No such report", "There is no report by this code or id."),
    "no-such-day": Explained(
        422, "No such day", "`days_of_year` takes a month and a day of it, as in `05-21`."
    ),
    "due-days-unclear": Explained(
        422,
        "Due days unclear",
        "A report is due on days of every year (`days_of_year`), or every 3, 4 or 6 months (`every_months`, with "
        "`days_after`): give one of the two.",
    ),
}
