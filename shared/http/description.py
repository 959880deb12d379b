"""What is described as a whole as a resource of the API: put, listed and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.aggregate.description import Described
from shared.aggregate.documents import extended, members_of
from shared.aggregate.repository import DescribedRepository
from shared.events.facts import Event
from shared.http.context import actor_of, context_of
from shared.http.names import Spelling
from shared.http.pagination import page_after
from shared.http.requests import StructRequest, request_of
from shared.http.resource import Now, Paged, caught_up, command_of
from shared.http.responses import encoded, page_of, read_answer, written_answer
from shared.http.routing import Router
from shared.identity.access import Access

A = TypeVar("A", bound=Described[Any])

Include = Annotated[
    list[Literal["total"]] | None, Field(description="`total`: say how many there are in all.")
]


class Listed(Paged):
    """A question for a list."""

    include: Include = None


class DescribedResource(Generic[A]):
    """`PUT` and `GET` of one by its code, and the `GET` of all of them."""

    def __init__(
        self,
        router: Router,
        collection: str,
        repository: DescribedRepository[A],
        described: type[A],
        *,
        put: Access,
        read: Access,
        listed: Access,
        example: str,
    ) -> None:
        self._router = router
        self._path = collection
        self._repository = repository
        self._described = described
        self._put, self._read, self._listed = put, read, listed
        self._path_types = {
            "code": Annotated[str, Field(description="The code, or the UUID.", examples=[example])]
        }
        self.document: type[msgspec.Struct] = extended(
            described.__name__,
            described.CHANGED,
            described.__doc__ or "",
            id=UUID,
            code=Annotated[str, Field(examples=[example])],
            version=int,
            position=int,
        )

    def write(
        self,
        *,
        doc: str,
        request: type[StructRequest[Any]] | None = None,
        complete: Callable[[Any], Event] = lambda body: body.struct(),
    ) -> None:
        """Declare the PUT; `complete` makes the description of a request."""
        written = msgspec.defstruct(
            f"{self._described.__name__}Written",
            [("id", UUID), ("code", str), ("version", int), ("position", int)],
            namespace={"__doc__": "The description was recorded, or stood like this already."},
            kw_only=True,
        )
        body_model = request or request_of(
            self._described.CHANGED,
            name=f"{self._described.__name__}Request",
            doc="The whole description; what is left out is taken back.",
        )

        async def put(request: Request, code: str, body: Any) -> Response:
            spelling: Spelling = request.app.state.spelling
            code = self._repository.spelled(await spelling(self._repository.kind, code) or code)
            command = await command_of(request)
            headers = context_of(request).headers
            outcome = await self._repository.describe(
                code,
                complete(body),
                command,
                only_new=headers.get(b"if-none-match", b"").strip() == b"*",
                blind=b"if-match" not in headers,
            )
            return written_answer(request, outcome, f"{self._path}/{code}", code=code)

        self._router.put(
            f"{self._path}/{{code}}",
            access=self._put,
            body=body_model,
            answers={200: written, 201: written},
            descriptions={200: "Already described like this."},
            name=f"put_{self._repository.kind}",
            doc=doc,
            path_types=self._path_types,
        )(put)

    def one(self, *, doc: str, members: Callable[[A], Mapping[str, Any]] = lambda _: {}) -> None:
        """Declare the GET of one as it is described now."""

        async def get(request: Request, code: str, asked: Now) -> Response:
            await caught_up(request, self._repository.live, asked.wait_for)
            found = await self._repository.find(code, actor_of(request))
            body = encoded(self.as_document(found, **members(found)))
            return read_answer(
                request,
                body,
                version=found.version,
                position=self._repository.reflected(found),
                told=found.position,
                quarantined=found.quarantined,
            )

        self._router.get(
            f"{self._path}/{{code}}",
            access=self._read,
            query=Now,
            answers=self.document,
            name=f"get_{self._repository.kind}",
            doc=doc,
            path_types=self._path_types,
        )(get)

    def all(
        self, things: Callable[[Request], Sequence[A]], key_of: Callable[[A], list[Any]], *, doc: str
    ) -> None:
        """Declare the GET of all of them that the caller may read, in the order of a key."""

        async def get_all(request: Request, asked: Listed) -> Response:
            live = self._repository.live
            await caught_up(request, live, asked.wait_for)
            found = things(request)
            body = page_after(
                request,
                found,
                key_of,
                self.as_document,
                cursor=asked.cursor,
                limit=asked.limit,
                total=bool(asked.include),
            )
            last = max((one.position for one in found), default=0)
            return read_answer(request, body, position=live.position, told=last)

        self._router.get(
            self._path,
            access=self._listed,
            query=Listed,
            answers=page_of(self.document),
            name=f"list_{self._path.rpartition('/')[2]}",
            doc=doc,
        )(get_all)

    def as_document(self, one: A, **more: Any) -> msgspec.Struct:
        """One of them as answers show it."""
        return self.document(
            id=one.id,
            code=one.code,
            **members_of(one.description) | more,
            version=one.version,
            position=one.position,
        )
