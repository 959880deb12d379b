"""A report that is owed: what it tells of, to whom, and when it is due."""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from shared.aggregate.description import Described
from shared.errors import InvalidInput
from shared.events.editions import ReportChanged, ReportRegistered
from shared.rules import guards
from shared.rules.report_calendar import Schedule


class Report(Described[ReportChanged]):
    """A report of which editions are published."""

    __slots__ = ()

    BEGINS_WITH = (ReportRegistered,)
    CHANGED = ReportChanged


def schedule_of(description: ReportChanged) -> Schedule:
    """On which days a report that is described so is due."""
    return Schedule(
        description.days_of_year,
        description.every_months,
        description.days_after,
        description.in_force_from,
        description.ended_on,
    )


def filters_of(description: ReportChanged) -> dict[str, list[str]]:
    """Of which commitments it tells, by the filters of the board."""
    wanted = {
        "pillar": description.pillars,
        "organization": description.organizations,
        "region": description.regions,
        "kind": description.kinds,
        "origin": description.origins,
        "speech_year": description.speech_years,
    }
    return {name: [str(value) for value in values] for name, values in wanted.items() if values}


def check_report(
    code: str, description: ReportChanged, organizations: Container[str], pillars: Container[str]
) -> None:
    """Hold the description of a report to the rules: what it tells of is on record, and it is due on some day."""
    guards.well_formed_code(code)
    guards.text_given(description.name, "The name", "/name")
    for index, organization in enumerate(description.organizations):
        guards.known_organization(organization, organizations, f"/organizations/{index}")
    for index, pillar in enumerate(description.pillars):
        if pillar not in pillars:
            raise InvalidInput(
                "unknown-pillar", f"There is no pillar '{pillar}'.", pointer=f"/pillars/{index}"
            )
    for index, text in enumerate(description.days_of_year):
        month, day = map(int, text.split("-"))
        try:
            date(2000, month, day)
        except ValueError as error:
            raise InvalidInput(
                "no-such-day", f"No year has a day {text}.", pointer=f"/days_of_year/{index}"
            ) from error
    if bool(description.days_of_year) == (description.every_months is not None):
        raise InvalidInput(
            "due-days-unclear",
            "Say on which days of the year it is due, or every how many months, and not both.",
            pointer="/days_of_year",
        )
    if description.every_months not in (None, 3, 4, 6):
        raise InvalidInput(
            "due-days-unclear", "A report is due every 3, 4 or 6 months.", pointer="/every_months"
        )
    if description.days_after and description.every_months is None:
        raise InvalidInput(
            "due-days-unclear", "Days after a period go with `every_months`.", pointer="/days_after"
        )
    first, last = description.in_force_from, description.ended_on
    if first is not None and last is not None and last < first:
        raise InvalidInput("days-reversed", f"It would end on {last}, before {first}.", pointer="/ended_on")
