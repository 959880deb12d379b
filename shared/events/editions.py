"""The reports that a government owes, and their editions: each a report as it was published, kept whole."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from shared.events.facts import COMPUTED, Event
from shared.events.record import Position
from shared.events.types import (
    CivilDay,
    Items,
    Line,
    OrganizationCode,
    PillarCode,
    Plain,
    Reason,
    ReportCode,
    Word,
    Year,
)
from shared.events.vocabulary import CommitmentKind, OriginKind


class ReportKind(StrEnum):
    """What a government gives account by."""

    ANNUAL_SPEECH = "annual_speech"
    PILLARS = "pillars"
    RECONSTRUCTION = "reconstruction"
    MINISTERIAL_ACCOUNT = "ministerial_account"
    GOVERNORSHIP_ACCOUNT = "governorship_account"
    PROGRESS = "progress"


class Audience(StrEnum):
    """For whose eyes a report is: it holds what anybody may read, or what anybody in government may."""

    PUBLIC = "public"
    GOVERNMENT = "government"


DayOfYear = Annotated[str, Plain(), StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A month and a day of it, of every year."""

Months = Annotated[int, Field(strict=True, json_schema_extra={"enum": [3, 4, 6]})]


class ReportChanged(Event, frozen=True, kw_only=True):
    """A report is described anew; the fields give its whole description.

    It is due on days of every year, or every so many months: then some days after the last of each period.
    """

    TYPE: ClassVar[str] = "reporting.report_changed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "name": "Account of May 21",
        "kind": "annual_speech",
        "audience": "public",
        "addressed_to": "Congress",
        "days_of_year": ["05-21"],
        "in_force_from": "2011-01-01",
    }

    name: Annotated[Line, Field(examples=["Account of May 21"])]
    kind: ReportKind
    audience: Audience
    addressed_to: Annotated[
        Line | None,
        Field(description="Who is given account: Congress, the President, …", examples=["Congress"]),
    ] = None
    pillars: Annotated[
        Items[PillarCode],
        Field(description="It tells of the commitments of these pillars; of those of all by default."),
    ] = ()
    organizations: Annotated[
        Items[OrganizationCode],
        Field(description="Of those that these organisations lead; of those of all by default."),
    ] = ()
    regions: Annotated[
        Items[Word],
        Field(description="Of those of these regions; of those of all by default.", examples=[["Biobío"]]),
    ] = ()
    kinds: Annotated[
        Items[CommitmentKind],
        Field(description="Of those of these kinds; of those of all by default.", examples=[["action"]]),
    ] = ()
    origins: Annotated[
        Items[OriginKind],
        Field(
            description="Of those first made there; of those of all by default.",
            examples=[["may_21_speech"]],
        ),
    ] = ()
    speech_years: Annotated[
        Items[Year],
        Field(description="Of those of the speeches of these years; of those of all by default."),
    ] = ()
    days_of_year: Annotated[
        Items[DayOfYear],
        Field(description="The days of every year on which it is due.", examples=[["02-27", "08-27"]]),
    ] = ()
    every_months: Annotated[
        Months | None,
        Field(description="After how many months it is due again, counted from January.", examples=[3]),
    ] = None
    days_after: Annotated[
        int,
        Field(
            ge=0,
            le=366,
            strict=True,
            description="With `every_months`: days from the end of a period until it is due.",
            examples=[20],
        ),
    ] = 0
    in_force_from: Annotated[
        CivilDay | None, Field(description="The first day on which it may be due.", examples=["2010-03-11"])
    ] = None
    ended_on: Annotated[
        CivilDay | None,
        Field(description="The last day on which it may be; none by default.", examples=["2014-03-10"]),
    ] = None


class ReportRegistered(ReportChanged, frozen=True, kw_only=True):
    """A report that is owed entered the record."""

    TYPE: ClassVar[str] = "reporting.report_registered"

    code: Annotated[ReportCode, Field(examples=["MAY-21"])]


class EditionPublished(Event, frozen=True, kw_only=True):
    """A report was published as it stood on a day: what it said is kept here, to the letter.

    `content` is the edition as JSON, compressed (zlib) and in Base64; `sha256` is that of the JSON.
    """

    TYPE: ClassVar[str] = "reporting.edition_published"
    LASTING: ClassVar[str] = "What was published was; it is withdrawn, with a reason, and stays listed."
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"report": "MAY-21", "on": "2012-05-21"}

    report: Annotated[
        ReportCode, Field(description="The code of the report it is an edition of.", examples=["MAY-21"])
    ]
    on: Annotated[CivilDay, Field(description="The day it tells of.")]
    due_on: Annotated[
        CivilDay | None,
        Field(description="The day on which it was due; that nearest to the day it tells of by default."),
    ] = None
    published_on: Annotated[
        CivilDay | None,
        Field(description="The day it was published, where it was recorded later."),
    ] = None
    code: ReportCode = COMPUTED
    audience: Audience = COMPUTED
    position: Annotated[Position, Field(description="How much of the log it takes into account.")] = COMPUTED
    status_rule: Annotated[Word, Field(description="The version of the rule its states follow.")] = COMPUTED
    template: Annotated[Word, Field(description="The version of what it says and how it is set.")] = COMPUTED
    sha256: Annotated[Word, Field(description="Of its content, in hexadecimal.")] = COMPUTED
    content: Annotated[str, Plain()] = COMPUTED


class EditionWithdrawn(Event, frozen=True, kw_only=True):
    """An edition no longer stands for what it says; it stays listed, with the reason, and can still be read."""

    TYPE: ClassVar[str] = "reporting.edition_withdrawn"
    LASTING: ClassVar[str] = "Whoever withdrew an edition by mistake publishes another one."

    reason: Reason


EVENTS: tuple[type[Event], ...] = (ReportRegistered, ReportChanged, EditionPublished, EditionWithdrawn)
