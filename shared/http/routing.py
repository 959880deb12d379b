"""The one way a route is declared: its path, who may use it, what is asked, what is answered, and who answers.

A declaration is enforced before anything is read of the body, and the OpenAPI document is made from it. FastAPI routes
the request; what a declared route takes is parsed here, by models, because the framework's own parsing costs more than
all the rest of a request (see docs/adr/0018).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache, partial
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from fastapi.routing import APIRoute
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from shared.errors import Forbidden, InvalidValue, NotFound, Unauthenticated, Unavailable
from shared.eventlog.live import LiveLog
from shared.events.facts import Event
from shared.events.texts import composed
from shared.http.body import ABSENT, LARGEST, USUAL, read_body
from shared.http.context import RequestContext, context_of, credentials_required
from shared.http.form import MEDIA_TYPE as MULTIPART
from shared.http.form import Form, read_form
from shared.http.idempotency import parse_idempotency_key
from shared.http.names import Spelling, codes_in, has_names, known_codes, respelled, respelled_json
from shared.http.preconditions import parse_if_match, required_if_match
from shared.http.problems import Fault, RequestProblemError
from shared.http.rate_limits import RateLimits
from shared.http.validation import invalid_request
from shared.identity.access import Access, AccessTable
from shared.identity.actor import Role
from shared.identity.authentication import Authenticator
from shared.identity.caller import READ, WRITE, Caller

_READS = frozenset({"GET", "HEAD"})
_UNDECODED = "\ufffd"
"""What the server puts for bytes of an address that are not UTF-8."""
_NOT_TEXT = re.compile(f"[\x00\ud800-\udfff{_UNDECODED}]")
_NOT_ENCODED = (
    "Percent-encode the address as UTF-8: 'educación' is written 'educaci%C3%B3n', not 'educaci%F3n'."
)
NO_BODY = "The request has no body: send an object."
NO_PARAMETERS = (
    "There is no such parameter: there is none.",
    "There is no such parameter: there are {known}.",
)
_ONCE = frozenset({b"authorization", b"x-api-key", b"content-type", b"if-match", b"idempotency-key"})
_NUMBER = re.compile("-?[0-9]+", re.ASCII)
_PARAMETER = re.compile(r"\{(\w+)\}")

Endpoint = Callable[..., Awaitable[Response]]
"""Takes the request, then each parameter of the path in order, then the query or the body, where one is declared."""

E = TypeVar("E", bound=Endpoint)
Answer = type[msgspec.Struct] | type[BaseModel]


class Query(BaseModel):
    """The query string of a route; an unknown parameter is refused, and so is a number in other than plain digits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_it_is_written(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        return _plain(value, cls.model_fields[info.field_name].annotation)


def _is_of(kind: type, annotation: Any) -> bool:
    return annotation is kind or any(_is_of(kind, inner) for inner in get_args(annotation))


def _plain(value: Any, annotation: Any) -> Any:
    """A number or a flag as everybody writes it: what Python reads besides (`1_0`, `+5`, ` 5`, `on`) is a slip."""
    if isinstance(value, str):
        if _is_of(int, annotation) and _NUMBER.fullmatch(value) is None:
            raise InvalidValue("write a whole number in digits")
        if _is_of(bool, annotation) and value not in ("true", "false"):
            raise InvalidValue("write true or false")
    return value


@dataclass(frozen=True)
class Declaration:
    """Everything that is said of a route."""

    method: str
    path: str
    access: Access
    tag: str
    answers: Mapping[int, Answer | tuple[Answer, ...] | None]
    """What is answered, by status, or the things of which one is; None for what is no JSON document of ours."""
    name: str
    doc: str
    query: type[Query] | None = None
    body: type[BaseModel] | None = None
    body_required: bool = True
    form: type[Form] | None = None
    """What is sent in place of a body of JSON, where files come with it."""
    largest_body: int = USUAL
    """Bytes of a body that the route takes."""
    records: tuple[type[Event], ...] = ()
    """The facts that are recorded by it, where it is a route for them."""
    example: Any = None
    """A body as the document shows it, where the type of the body tells of none."""
    any_query: bool = False
    """Whether the query string is for somebody else to read."""
    path_types: Mapping[str, Any] = field(default_factory=dict)
    media_type: str = "application/json"
    also: Sequence[str] = ()
    """The other media types in which it is answered, for whoever accepts them."""
    descriptions: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.largest_body > LARGEST:
            raise ValueError(f"{self.path} would take a larger body than any route may")

    def parameters(self) -> list[str]:
        """The names of the parameters of the path, in order."""
        return _PARAMETER.findall(self.path)


async def still_admitted(request: Request) -> bool:
    """Whether the credentials of a request that is being answered for long are still valid."""
    authenticator: Authenticator = request.scope["app"].state.authenticator
    try:
        await authenticator.authenticate(context_of(request).headers)
    except Unauthenticated:
        return False
    except Unavailable:
        # Nobody says that they are not: the one who would know does not answer.
        return True
    return True


class DeclaredRoute(APIRoute):
    """A route of FastAPI whose request is checked and parsed by its declaration."""

    def __init__(self, declaration: Declaration, endpoint: Endpoint) -> None:
        self.declaration = declaration
        self.answer = endpoint
        super().__init__(
            declaration.path,
            _guarded(declaration, endpoint),
            methods=[declaration.method],
            name=declaration.name,
            operation_id=declaration.name,
            description=declaration.doc,
            tags=[declaration.tag],
            status_code=min(declaration.answers),
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself: it takes the request and gives a response, so there is nothing to inject."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class Router:
    """The routes of one thing, in the order in which they are tried."""

    def __init__(self, tag: str, about: str = "", **path_types: Any) -> None:
        """`about` tells what the routes of the tag are about; `path_types` are those of parameters of paths."""
        self.tag = tag
        self.tags = {tag: about} if about else {}
        """What the routes of each tag are about."""
        self.routes: list[DeclaredRoute] = []
        self._path_types = path_types

    @property
    def access(self) -> AccessTable:
        """Who may use each route."""
        return {(one.declaration.method, one.declaration.path): one.declaration.access for one in self.routes}

    def get(
        self,
        path: str,
        *,
        access: Access,
        answers: Answer | tuple[Answer, ...] | None,
        query: type[Query] | None = None,
        **more: Any,
    ) -> Callable[[E], E]:
        """Declare a route that reads."""
        return self._declare("GET", path, access=access, answers={200: answers}, query=query, **more)

    def see_other(self, path: str, *, access: Access, **more: Any) -> Callable[[E], E]:
        """Declare a route that leads to where the answer is, with whatever is asked."""
        return self._declare("GET", path, access=access, answers={303: None}, any_query=True, **more)

    def post(
        self,
        path: str,
        *,
        access: Access,
        answers: Answer | Mapping[int, Answer],
        body: type[BaseModel] | None = None,
        **more: Any,
    ) -> Callable[[E], E]:
        """Declare a route that records something."""
        found = answers if isinstance(answers, Mapping) else {201: answers}
        return self._declare("POST", path, access=access, answers=found, body=body, **more)

    def put(
        self,
        path: str,
        *,
        access: Access,
        answers: Mapping[int, Answer],
        body: type[BaseModel],
        **more: Any,
    ) -> Callable[[E], E]:
        """Declare a route that describes something, for the first time or anew."""
        return self._declare("PUT", path, access=access, answers=answers, body=body, **more)

    def _declare(self, method: str, path: str, **declared: Any) -> Callable[[E], E]:
        def declare(endpoint: E) -> E:
            declaration = Declaration(
                method,
                path,
                tag=declared.pop("tag", self.tag),
                name=declared.pop("name", endpoint.__name__),
                doc=declared.pop("doc", None) or endpoint.__doc__ or "",
                path_types=self._path_types | declared.pop("path_types", {}),
                **declared,
            )
            self.routes.append(DeclaredRoute(declaration, endpoint))
            return endpoint

        return declare


def _guarded(declaration: Declaration, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint behind its guard: who asks, may they, and is the request one that it can read."""
    access = declaration.access
    scope_needed = READ if declaration.method in _READS else WRITE
    parse_path = _path_parser(declaration)
    query, body, form = declaration.query, declaration.body, declaration.form
    known, repeatable = _query_names(query)
    admitted = ", ".join(role for role in Role if role in access.roles) or "nobody"
    not_admitted = f"Your role may not do this; these may: {admitted}."
    takes_key = declaration.method == "POST"
    names_things = query is not None and has_names(query)
    largest_body = declaration.largest_body

    def read(document: Any) -> BaseModel:
        assert body is not None
        return _parse_body(document, body, declaration.body_required)

    async def guarded(request: Request) -> Response:
        scope = request.scope
        context = context_of(request)
        headers = context.headers
        if "\x00" in scope["path"]:
            raise NotFound("not-found", "There is no such thing.")
        if _UNDECODED in scope["path"]:
            raise RequestProblemError("malformed-request", _NOT_ENCODED)
        if len(headers) != len(scope["headers"]):
            _refuse_doubled(scope["headers"])
        state = scope["app"].state
        live: LiveLog | None = state.live
        if live is not None:
            live.check()
        if not context.admitted:
            context.caller = await _authenticated(state.authenticator, state.rate_limits, context, scope)
            context.admitted = True
        caller = context.caller
        if caller is not None:
            if not access.admits(caller.actor.role):
                raise Forbidden("role-not-allowed", not_admitted)
            if scope_needed not in caller.scopes:
                raise Forbidden("scope-not-granted", f"This needs the scope {scope_needed}.")
            context.actor = caller.actor
        elif not access.anonymous:
            raise credentials_required()
        if scope["query_string"] and not declaration.any_query:
            _check_query(request, known, repeatable)
        if body is not None:
            _check_media_type(headers)
        elif form is not None:
            _check_form(headers)
        if access.if_match == "required":
            context.expected = required_if_match(_text(headers.get(b"if-match")))
        elif access.if_match != "none" and b"if-match" in headers:
            context.expected = parse_if_match(headers[b"if-match"].decode("latin-1"))
        if takes_key and b"idempotency-key" in headers:
            context.idempotency_key = parse_idempotency_key(headers[b"idempotency-key"])
        arguments = parse_path(request)
        if query is not None:
            asked = _parse_query(request, query, repeatable)
            if names_things and state.spelling is not None:
                asked = await known_codes(asked, state.spelling, state.readable, context.actor)
            arguments.append(asked)
        elif body is not None:
            context.largest_body = largest_body
            parsed = await read_body(request, read)
            spelling: Spelling | None = state.spelling
            if spelling is not None:
                once = context.idempotency_key is not None
                codes = await codes_in(parsed, spelling, own=once)
                if once:
                    context.respelled = partial(respelled_json, model=parsed, codes=codes)
                parsed = respelled(parsed, codes)
            arguments.append(parsed)
        elif form is not None:
            context.largest_body = largest_body
            arguments.append(await read_form(request, form))
        return await endpoint(request, *arguments)

    return guarded


async def _authenticated(
    authenticator: Authenticator, limits: RateLimits | None, context: RequestContext, scope: Scope
) -> Caller | None:
    """Who asks, None for somebody without credentials; refused when they have asked too often."""
    if limits is None:
        return await authenticator.authenticate(context.headers)
    caller = None
    try:
        caller = await authenticator.authenticate(context.headers)
    finally:
        # Whoever tries credentials that do not hold is counted, too.
        told = limits.take(None if caller is None else caller.actor, scope)
        context.answer_headers += [(name.lower().encode(), value.encode()) for name, value in told.items()]
    return caller


def _path_parser(declaration: Declaration) -> Callable[[Request], list[Any]]:
    names = declaration.parameters()
    adapters = {
        name: _path_adapter(declaration.path_types[name])
        for name in names
        if name in declaration.path_types and not _is_any_text(declaration.path_types[name])
    }

    def parse(request: Request) -> list[Any]:
        given = request.path_params
        if not adapters:
            return [given[name] for name in names]
        values = []
        for name in names:
            adapter = adapters.get(name)
            try:
                values.append(given[name] if adapter is None else adapter.validate_python(given[name]))
            except ValidationError as error:
                raise invalid_request(error, ("path", name)) from error
        return values

    return parse


def _path_adapter(annotation: Any) -> TypeAdapter[Any]:
    if _is_of(int, annotation):
        annotation = Annotated[annotation, BeforeValidator(lambda value: _plain(value, int))]
    return TypeAdapter(annotation)


def _is_any_text(annotation: Any) -> bool:
    return annotation is str or (
        bool(get_args(annotation))
        and get_args(annotation)[0] is str
        and not any(getattr(one, "metadata", None) for one in get_args(annotation)[1:])
    )


def _parse_query(request: Request, query: type[Query], repeatable: frozenset[str]) -> Query:
    if not request.scope["query_string"]:
        given: dict[str, Any] = {}
    else:
        asked = request.query_params
        given = {
            name: composed(asked.getlist(name)) if name in repeatable else composed(asked[name])
            for name in asked
        }
    try:
        return query.model_validate(given)
    except ValidationError as error:
        raise invalid_request(error, ("query",)) from error


def _parse_body(document: Any, body: type[BaseModel], required: bool) -> BaseModel:
    if document is ABSENT or document is None:
        if required:
            raise RequestProblemError(
                "request-invalid",
                "Some values of the request are not acceptable.",
                errors=[Fault("", NO_BODY)],
            )
        document = {}
    try:
        return body.model_validate(document)
    except ValidationError as error:
        raise invalid_request(error, ()) from error


def _query_names(query: type[Query] | None) -> tuple[frozenset[str], frozenset[str]]:
    """The parameters that a query reads, and those of them that may be repeated."""
    if query is None:
        return frozenset(), frozenset()
    names = {one.alias or name: one.annotation for name, one in query.model_fields.items()}
    return frozenset(names), frozenset(name for name, annotation in names.items() if _is_list(annotation))


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in {list, set, tuple, frozenset, Sequence} or annotation in {list, set, tuple, frozenset}:
        return True
    return any(_is_list(inner) for inner in get_args(annotation) if inner is not annotation)


def _refuse_doubled(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Two proxies may disagree on which of two values holds, so we take neither."""
    seen = set[bytes]()
    for name, _ in headers:
        if name in seen and name in _ONCE:
            detail = f"Give the header {name.decode('latin-1')} once."
            raise RequestProblemError("malformed-request", detail)
        seen.add(name)


def _check_query(request: Request, known: frozenset[str], repeatable: frozenset[str]) -> None:
    seen = set[str]()
    unknown: list[Fault] = []
    there_is = (
        "There is no such parameter: there are {known}."
        if known
        else "There is no such parameter: there is none."
    )
    names = {"known": ", ".join(sorted(known))}
    for name, value in request.query_params.multi_items():
        pointer = f"/query/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in known:
            unknown.append(Fault(pointer, there_is.format(**names), (there_is,), names))
        elif name in seen and name not in repeatable:
            detail = "Give this parameter once."
            raise RequestProblemError("query-repeated", detail, errors=[Fault(pointer, detail)])
        elif _NOT_TEXT.search(value) is not None:
            detail = _NOT_ENCODED if _UNDECODED in value else "The value holds a character that is not text."
            raise RequestProblemError("text-not-storable", detail, errors=[Fault(pointer, detail)])
        seen.add(name)
    if unknown:
        raise RequestProblemError(
            "query-unknown", "The query names parameters that do not exist here.", errors=unknown[:20]
        )


def _check_media_type(headers: dict[bytes, bytes]) -> None:
    value = headers.get(b"content-type")
    if value is None:
        # Without a body either, it is for validation to say what is missing.
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            raise _unsupported("The body has no Content-Type; send application/json.")
    elif not _is_json(value):
        raise _unsupported("The body must be application/json, in UTF-8.")
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise _unsupported("Compressed bodies are not taken.")


def _check_form(headers: dict[bytes, bytes]) -> None:
    message = Message()
    message["content-type"] = headers.get(b"content-type", b"").decode("latin-1")
    if message.get_content_type() != MULTIPART or not message.get_param("boundary"):
        raise _unsupported(f"Send the parts as {MULTIPART}.", MULTIPART)
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise _unsupported("Compressed bodies are not taken.", MULTIPART)


@lru_cache(maxsize=64)
def _is_json(value: bytes) -> bool:
    message = Message()
    message["content-type"] = value.decode("latin-1")
    kind = message.get_content_type()
    named_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return named_json and (message.get_content_charset() or "utf-8") in {"utf-8", "us-ascii"}


def _unsupported(detail: str, accepted: str = "application/json") -> RequestProblemError:
    return RequestProblemError("media-type-not-supported", detail, headers={"Accept": accepted})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
