"""Collections that another service answers: who asks for them here is shown the way."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from shared.http.routing import Endpoint, Router
from shared.identity.access import EVERYONE, Access


def elsewhere(base_url: str, collections: Mapping[str, str]) -> Router:
    """Routes that lead to the service at a URL; `collections` are their paths there and here, and their tags."""
    router = Router("elsewhere")
    for path, tag in collections.items():
        router.see_other(
            path,
            access=Access(EVERYONE, anonymous=True, note="leads to reporting, which answers"),
            tag=tag,
            name=f"list_{path.rpartition('/')[2].replace('-', '_')}",
            doc="Leads to reporting, which lists them by day and as known at a moment; what is asked goes along.",
        )(_leading_to(base_url.rstrip("/") + path))
    return router


def _leading_to(url: str) -> Endpoint:
    async def lead(request: Request) -> Response:
        query = request.scope["query_string"].decode("latin-1")
        return Response(status_code=303, headers={"Location": f"{url}?{query}" if query else url})

    return lead
