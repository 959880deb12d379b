"""The capture sheet: blank, for an initiative to be described in, and of a commitment, filled in."""

from __future__ import annotations

from io import BytesIO
from typing import Annotated, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.commitment_page import capture_sheet_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import names_at
from services.reporting.reading import Reading
from services.reporting.routes.asking import SHOWN, TOLD, Identifier, Question, Reporting, tagged
from services.reporting.tables.xlsx import MEDIA_TYPE
from shared.events.streams import resolve
from shared.events.types import Kind
from shared.http.names import Spelling
from shared.http.routing import Router
from shared.tabular.capture_sheet import (
    BLANK,
    FIRST_YEAR,
    CaptureSheet,
    Choices,
    Lang,
    write_capture_sheets,
)

_NAMES: Final = (Kind.ORGANIZATION, Kind.PILLAR)


class SheetQuery(Question):
    """A question for a capture sheet."""

    lang: Annotated[Lang, Field(description="The language of its labels.")] = "es"
    first_year: Annotated[
        int,
        Field(ge=1900, le=2195, description="The first of the six years of its milestones and costs."),
    ] = FIRST_YEAR


def capture_sheet_routes(reporting: Reporting) -> Router:
    """The routes of the capture sheet."""
    router = Router("capture-sheets", "The form in which an initiative is described, as a spreadsheet.")

    def written(reading: Reading, at: AsOf, query: SheetQuery, says: CaptureSheet) -> bytes:
        names = names_at(reading, at.position, at.on)
        choices = Choices(names.all_of(Kind.PILLAR), names.all_of(Kind.ORGANIZATION))
        target = BytesIO()
        write_capture_sheets(target, [says], query.lang, first_year=query.first_year, choices=choices)
        return target.getvalue()

    @router.get(
        "/v1/capture-sheet.xlsx",
        access=SHOWN,
        answers=None,
        query=SheetQuery,
        media_type=MEDIA_TYPE,
        descriptions={200: "A workbook with one blank sheet; copy the sheet for each further initiative."},
    )
    async def get_blank_capture_sheet(request: Request, query: SheetQuery) -> Response:
        """The capture sheet of initiatives, blank: with the pillars and organisations of a day to choose from.

        Filled in, it is brought in as an import of the kind `capture-sheets`.
        """

        def answer(reading: Reading, at: AsOf, _: Scope) -> bytes:
            return written(reading, at, query, BLANK)

        at, _, found = await reporting.ask(request, query, answer, tells=_NAMES)
        return _workbook(request, found, at, "capture-sheet")

    @router.get(
        "/v1/commitments/{id}/capture-sheet.xlsx",
        access=SHOWN,
        answers=None,
        query=SheetQuery,
        path_types={"id": Identifier},
        media_type=MEDIA_TYPE,
        descriptions={200: "A workbook with the sheet."},
    )
    async def get_capture_sheet(request: Request, identifier: str, query: SheetQuery) -> Response:
        """A commitment as its capture sheet, filled in with what is told of it on a day.

        Brought in again as it is, it adds nothing to the record: what the asker may not know is blank, and a blank
        says nothing. It has the years that something is said of, besides the six.
        """
        spelling: Spelling = request.app.state.spelling
        code = await spelling("commitment", identifier) or identifier
        commitment_id = resolve("commitment", code)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> bytes:
            day_of, store = reporting.clock.day_of, reporting.store
            says = capture_sheet_as_of(reading, store, at, scope, commitment_id, day_of=day_of)
            return written(reading, at, query, says)

        at, _, found = await reporting.ask(request, query, answer, tells=TOLD, rests_on=commitment_id)
        return _workbook(request, found, at, f"capture-sheet-{commitment_id}")

    return router


def _workbook(request: Request, content: bytes, at: AsOf, name: str) -> Response:
    answer = tagged(request, content, at)
    if answer.status_code == 200:
        answer.headers["Content-Type"] = MEDIA_TYPE
        filename = f"{name}-{at.on}-at-{at.position_told}.xlsx"
        answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer
