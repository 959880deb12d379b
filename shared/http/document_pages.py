"""`/docs`: the OpenAPI document for people, by Swagger UI, with nothing fetched from anywhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.http.preconditions import not_modified

# The styles that Swagger UI writes into elements are its only need beyond files of ours.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
_FILES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
"""What is taken from the package that carries Swagger UI, as it lies there."""
_START: Final = b"""window.addEventListener("load", () => SwaggerUIBundle({
  url: "openapi.json", dom_id: "#documents", deepLinking: true, filter: true, validatorUrl: null,
}));
"""
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="documents"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""


def document_pages(title: str) -> Sequence[Route]:
    """The page and the files it is made of; their addresses are relative, so that they hold behind any proxy."""
    package = files("fastapi_swagger") / "resources"
    contents = {name: (package / name).read_bytes() for name in _FILES}
    contents["start.js"] = _START
    types = {**_FILES, "start.js": "text/javascript"}
    tags = {name: f'"{hashlib.sha256(content).hexdigest()[:24]}"' for name, content in contents.items()}
    page = _PAGE.format(title=escape(title))

    async def docs(_: Request) -> Response:
        return Response(page, headers=_HEADERS, media_type="text/html")

    def file_of(name: str) -> Route:
        headers = {"ETag": tags[name], "Cache-Control": "public, max-age=3600", **_HEADERS}

        async def file(request: Request) -> Response:
            held = not_modified(request, tags[name])
            return held or Response(contents[name], headers=headers, media_type=types[name])

        return Route(f"/docs/{name}", file, methods=["GET"], include_in_schema=False)

    return [Route("/docs", docs, methods=["GET"], include_in_schema=False), *map(file_of, contents)]
