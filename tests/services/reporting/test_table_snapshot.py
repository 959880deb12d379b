"""How tables are made: from one snapshot, whatever is recorded meanwhile; so many at once, each for so long."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import msgspec
import pytest
from starlette.requests import Request

from services.reporting.routes import tables
from services.reporting.routes.board import BoardQuery
from shared.errors import Unavailable
from shared.events.commitments import OrganizationRegistered, Registered, VisibilityChanged
from shared.events.vocabulary import Visibility
from shared.http.context import KEY, RequestContext
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import staged


async def test_a_table_that_takes_too_long_is_given_up_and_lets_the_next_one_be_made() -> None:
    making = tables.Tables(tables.Limits(1, 0.01))
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            async with making.turn():
                await asyncio.Event().wait()
        assert refused.value.code == "table-too-slow"


async def test_no_more_tables_are_made_at_once_than_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "LONGEST_WAIT", 0.01)
    making = tables.Tables(tables.Limits(1, 60))
    async with making.turn():
        with pytest.raises(Unavailable) as refused:
            async with making.turn():
                pass
        assert refused.value.code == "tables-busy"
    async with making.turn():
        pass


def registered(code: str) -> tuple[str, Registered]:
    """A commitment that everybody may know of."""
    return code, Registered(
        code=code,
        title=f"Title of {code}",
        lead_organization="MOP",
        visibility=Visibility.PUBLIC,
        effective_on=date(2012, 5, 21),
    )


async def test_what_is_hidden_or_added_while_a_table_is_read_is_for_the_next_one(
    log_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PAGE", 1)
    with staged(log_url) as stage:
        stage.append(("MOP", OrganizationRegistered(code="MOP", name="Works")), kind="organization")
        stage.append(*(registered(f"C-{number}") for number in range(3)))
        stage.follow()
        async with Installation(tmp_path, stage).running() as running:
            board = tables.listings_in(running.app.router.routes)["board"].route
            asked = Request(
                {
                    "type": "http",
                    "method": "GET",
                    "path": "/v1/board",
                    "headers": [],
                    "query_string": b"",
                    "app": running.app,
                    KEY: RequestContext("c-1", {}, public_url="http://bitacora.test"),
                }
            )
            pages = tables._pages(asked, board.answer, [BoardQuery()])
            read = [await anext(pages)]
            hidden = VisibilityChanged(
                visibility=Visibility.INTERNAL, reason="a mistake", effective_on=date(2012, 6, 1)
            )
            stage.append(("C-2", hidden), registered("C-1-A"))
            stage.follow()
            read += [page async for page in pages]
            codes = [msgspec.json.decode(item)["code"] for page in read for item in page.items]
            assert codes == ["C-0", "C-1", "C-2"]
            assert len({page.headers["Log-Position"] for page in read}) == 1
            after = (await running.get("/v1/exports/board.csv", role=None)).text.splitlines()[1:]
            assert [line.split(",")[1] for line in after] == ["C-0", "C-1", "C-1-A"]
