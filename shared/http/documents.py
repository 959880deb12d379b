"""The OpenAPI document: what each route asks and can answer, read off the access table that is enforced."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from shared.http.examples import ID, Examples
from shared.http.form import MEDIA_TYPE as MULTIPART
from shared.http.problems import CHALLENGE, MEDIA_TYPE, Problems, size_of
from shared.http.routing import Answer, Declaration, DeclaredRoute
from shared.http.schemas import Schemas, describe_members
from shared.identity.access import Access

EXAMPLE_ID = ID

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "An error (RFC 9457). `type` leads to an explanation of the code it ends with.",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Where the error is explained; it ends with its code.",
        },
        "title": {"type": "string", "description": "The error in a few words."},
        "status": {
            "type": "integer",
            "minimum": 400,
            "maximum": 599,
            "description": "The HTTP status of the answer.",
        },
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON pointer into the body, or one beginning /query, /path or /header.",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

SECURITY_SCHEMES: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}


def _text(description: str, example: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", **more}, "example": example}


HEADERS: dict[str, Any] = {
    "ETag": _text(
        "The version of the thing answered, followed for ministries by a mark of what of it they are shown; weak when "
        "compressed.",
        '"7"',
    ),
    "Location": _text("Where the thing is.", f"/v1/commitments/{EXAMPLE_ID}"),
    "Log-Position": _text(
        "The position of the log that the answer reflects; who does not see everything is told that of the last event "
        "they may read.",
        "1204",
        pattern="^[0-9]+$",
    ),
    "Quarantined-Events": _text(
        "How many events of it the answer is without: they cannot be read, and were put aside. Left out for none.",
        "1",
        pattern="^[0-9]+$",
    ),
    "X-Request-Id": _text("The id under which this request is found in logs and events.", EXAMPLE_ID),
    "Idempotency-Replayed": _text("The answer was given before, to the same request.", "true", enum=["true"]),
    "Retry-After": _text("Seconds to wait.", "1", pattern="^[0-9]+$"),
    "RateLimit": _text(
        "How many requests are left, and in how many seconds all are again.", '"caller";r=0;t=60'
    ),
    "RateLimit-Policy": _text("How many requests are taken in a window of seconds.", '"caller";q=6000;w=60'),
    "WWW-Authenticate": _text("How to authenticate.", CHALLENGE),
    "Allow": _text("The methods the path knows.", "GET, HEAD"),
}

_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The version the change was decided on, as its ETag, or `*` for whichever is current.",
    "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[0-9]+"(, *(W/)?"[0-9]+")*)$'},
    "example": '"7"',
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag the caller holds: 304 while it is still the current one.",
    "schema": {"type": "string"},
    "example": '"7"',
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A key of the caller's choice: the request is carried out once, however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
    "example": EXAMPLE_ID,
}
_REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Becomes the correlation id of what the request causes: 1 to 128 letters, digits or `._:/+=@-`."
    " Without one, or with anything else, we make one.",
    "schema": {"type": "string"},
    "example": EXAMPLE_ID,
}
_CODES = {412: "stale-version", 409: "rule-broken", 428: "if-match-required", 403: "role-not-allowed"}
_PROBLEM_HEADERS = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    503: ("Retry-After",),
}
_MEANINGS = {
    200: "The answer.",
    201: "It was recorded.",
    202: "It was accepted, and is yet to be carried out.",
    207: "Each has its own status.",
    303: "Reporting answers: ask there.",
}
_WITHOUT_CONTENT = frozenset({303})
PROBLEMS = (400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 500, 503)
_WITH_CODE = {400: "malformed-request", 401: "credentials-required", 404: "not-found", 422: "request-invalid"}


def document_of(app: FastAPI, problems: Problems) -> dict[str, Any]:
    """The OpenAPI document of a service built by `build_app`."""
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=app.description,
        routes=routes,
        tags=app.openapi_tags,
        servers=app.servers,
    )
    components = document.setdefault("components", {})
    schemas = Schemas(components.setdefault("schemas", {}))
    components["securitySchemes"] = SECURITY_SCHEMES
    components["headers"] = HEADERS
    for route in routes:
        if not route.include_in_schema:
            continue
        (method,) = route.methods or {"GET"}
        operation = document["paths"][route.path_format][method.lower()]
        declaration = route.declaration if isinstance(route, DeclaredRoute) else None
        if declaration is not None:
            _declare(operation, declaration, schemas)
        _describe(operation, route, declaration)
        _exemplify(operation, Examples(components))
    # Of the framework's own idea of an error, which no answer of ours is.
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["schemas"]["Problem"] = deepcopy(PROBLEM_SCHEMA)
    describe_members(components["schemas"])
    components["responses"] = {f"Problem{status}": _problem(status, problems) for status in PROBLEMS}
    return document


def _declare(operation: dict[str, Any], declaration: Declaration, schemas: Schemas) -> None:
    """What the framework cannot know of a declared route: its parameters, its body and its answers."""
    operation["parameters"] = [
        schemas.path_parameter(name, declaration.path_types.get(name, str))
        for name in declaration.parameters()
    ]
    if declaration.query is not None:
        operation["parameters"] += schemas.query_parameters(declaration.query)
    asked = declaration.body or declaration.form
    if asked is not None:
        content = {"schema": schemas.reference(asked)}
        if declaration.example is not None:
            content["example"] = declaration.example
        operation["requestBody"] = {
            "description": f"At most {size_of(declaration.largest_body)}.",
            "required": declaration.body_required,
            "content": {"application/json" if declaration.form is None else MULTIPART: content},
        }
    operation["responses"] = {
        str(status): {
            "description": declaration.descriptions.get(status, _MEANINGS[status]),
            **_content(status, answer, declaration, schemas),
        }
        for status, answer in declaration.answers.items()
    }


def _content(
    status: int, answer: Answer | tuple[Answer, ...] | None, declaration: Declaration, schemas: Schemas
) -> dict[str, Any]:
    if status in _WITHOUT_CONTENT:
        return {}
    schema: dict[str, Any]
    if answer is None:
        schema = {"type": "string"}
    elif isinstance(answer, tuple):
        schema = {"anyOf": [schemas.reference(one) for one in answer]}
    else:
        schema = schemas.reference(answer)
    others = {media_type: {"schema": {"type": "string"}} for media_type in declaration.also}
    return {"content": {declaration.media_type: {"schema": schema}, **others}}


def _describe(operation: dict[str, Any], route: APIRoute, declaration: Declaration | None) -> None:
    """What holds for every route of its kind: credentials, conditions, headers, errors."""
    responses: dict[str, Any] = operation["responses"]
    if declaration is None:
        operation["security"] = []
        responses.pop("422", None)
    parameters = operation.setdefault("parameters", [])
    parameters.append(_REQUEST_ID)
    statuses: Iterable[int] = (404, 500) if "{" in route.path else (500,)
    if declaration is not None:
        access = declaration.access
        anonymous: list[dict[str, Any]] = [{}] if access.anonymous else []
        operation["security"] = [*anonymous, {"token": []}, {"api_key": []}]
        parameters.extend(_conditions(access, declaration.method))
        statuses = possible_statuses(declaration)
        if access.etag and declaration.method == "GET":
            responses["304"] = {"description": "The caller holds this version already."}
    for status in statuses:
        responses.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})
    for answered, response in responses.items():
        if "$ref" in response:
            continue
        for content in response.get("content", {}).values():
            if "itemSchema" in content:
                # A keyword of OpenAPI 3.2: in 3.1 a stream is text, and what an item looks like is an extension.
                content["x-item-schema"] = content.pop("itemSchema")
                content["schema"] = {"type": "string"}
        _name_headers(response, answered, declaration)


def _exemplify(operation: dict[str, Any], examples: Examples) -> None:
    """Shows what a request says and what an answer looks like, where the route does not show it itself."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "example" not in content:
            content["example"] = examples.request(content["schema"])
    for response in operation["responses"].values():
        for content in response.get("content", {}).values():
            if "example" not in content and content.get("schema"):
                content["example"] = examples.answer(content["schema"])


def possible_statuses(declaration: Declaration) -> list[int]:
    """The errors a declared route can answer with, whatever its endpoint does."""
    access = declaration.access
    statuses = [400, 401, 403, 404, 422, 429, 500, 503]
    if declaration.method not in {"GET", "HEAD"}:
        statuses += [409, 413]
    if declaration.body is not None or declaration.form is not None:
        statuses.append(415)
    if access.if_match != "none":
        statuses.append(412)
    if access.if_match in {"to_change", "required"}:
        statuses.append(428)
    return sorted(set(statuses))


def _conditions(access: Access, method: str) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    if access.if_match != "none":
        parameters.append({**_IF_MATCH, "required": access.if_match == "required"})
    if access.etag and method == "GET":
        parameters.append(_IF_NONE_MATCH)
    if method == "POST":
        parameters.append(_IDEMPOTENCY_KEY)
    return parameters


def _problem(status: int, problems: Problems) -> dict[str, Any]:
    code = {**_CODES, **_WITH_CODE}.get(status)
    entries = [(name, entry) for name, entry in problems.catalogue.items() if entry.status == status]
    entry = problems.catalogue.get(code or "")
    if entry is None:
        code, entry = entries[0] if entries else (None, None)
    example = {
        "type": problems.base_url + (code or "error"),
        "title": entry.title if entry else "Error",
        "status": status,
        "detail": entry.explanation if entry else "See `type`.",
        "instance": "/v1/commitments",
        "request_id": EXAMPLE_ID,
    }
    names = ["X-Request-Id", *_PROBLEM_HEADERS.get(status, ())]
    return {
        "description": ", ".join(sorted(entry.title for _, entry in entries)) or "Error",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def _name_headers(response: dict[str, Any], status: str, declaration: Declaration | None) -> None:
    names = ["X-Request-Id"]
    if status.startswith("2") and declaration is not None:
        access, method = declaration.access, declaration.method
        if status == "202":
            names += ["Location", "Idempotency-Replayed"]
        elif method not in {"GET", "HEAD"} and status != "207":
            names += ["Log-Position", "ETag"]
            if status == "201":
                names.append("Location")
            if method == "POST":
                names.append("Idempotency-Replayed")
        elif access.etag:
            names += ["ETag", "Quarantined-Events"]
        if access.log_position and "Log-Position" not in names:
            names.append("Log-Position")
    elif status == "304":
        names.append("ETag")
    elif status == "303":
        names.append("Location")
    headers = response.setdefault("headers", {})
    for name in names:
        headers.setdefault(name, {"$ref": f"#/components/headers/{name}"})
