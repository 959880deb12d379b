"""The routes by which a service takes tables of others: a file is accepted, carried out later, and asked after.

Those who have no shell on the server bring in what `bitacora import` brings in; each row is decided as at the routes,
in the role of whoever asked (`shared/tabular/worker.py`, `docs/importing.md`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from pydantic import BeforeValidator, Field, field_validator, model_validator
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import NotFound, RuleBroken
from shared.eventlog.codec import instant_text
from shared.eventlog.imports import Asked, KeptImport, State, TooManyOpen, Upload
from shared.http.context import actor_of
from shared.http.form import File, Form, SentFile
from shared.http.idempotency import idempotency_of
from shared.http.pagination import decode_cursor
from shared.http.problems import RequestProblemError
from shared.http.requests import RequestModel
from shared.http.resource import Now, Paged, caught_up
from shared.http.responses import JSON, InstantText, encoded, location_of, page, page_of, read_answer
from shared.http.routing import Router
from shared.identity.access import Access
from shared.identity.actor import Actor, Role
from shared.rules.visibility import reads_everything
from shared.tabular.carrying_out import MAPPING
from shared.tabular.kinds import ImportKind, chosen
from shared.tabular.worker import ImportWorker

PATH: Final = "/v1/imports"
_OWN: Final = "one's own; the unit, all"


def _flag(value: Any) -> bool:
    # Generated clients of Python write `True`.
    word = value.lower() if isinstance(value, str) else ""
    if word not in ("true", "false"):
        raise ValueError("write true or false")
    return word == "true"


def _text(value: Any) -> Any:
    """The text of a part, be it sent as a file."""
    return value.content.decode("utf-8") if isinstance(value, SentFile) else value


class ImportForm(Form):
    """A table of others, and how it is to be read."""

    file: Annotated[
        File, Field(description="The table, as its name says: `.csv`, `.xlsx`, `.json`, `.jsonl`.")
    ]
    mapping: Annotated[
        str | None,
        BeforeValidator(_text),
        Field(description="The mapping, TOML: a text, or a file of its own.", max_length=200_000),
    ] = None
    kind: Annotated[
        str | None,
        Field(description="Which kind of table it is, where no mapping says so.", max_length=60),
    ] = None
    dry_run: Annotated[
        bool, BeforeValidator(_flag), Field(description="Whether to record nothing, and to report the same.")
    ] = False
    beside: Annotated[
        tuple[File, ...], Field(description="Files that the mapping asks for by name, beside the table.")
    ] = ()

    @field_validator("beside", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        return given if isinstance(given, list) else [given]

    @model_validator(mode="after")
    def _names_differ(self) -> ImportForm:
        names = [self.file.name, *(one.name for one in self.beside)]
        if len({*names}) < len(names):
            raise ValueError("two of the files have the same name")
        return self

    def upload(self) -> Upload:
        """What is kept of it until it is carried out."""
        files = {one.name: one.content for one in (self.file, *self.beside)}
        return Upload(self.file.name, files, None if self.mapping is None else self.mapping.encode())


class ImportCancellation(RequestModel):
    """An import is called off: there is nothing more to say."""


class ImportProgress(msgspec.Struct, kw_only=True):
    """How far an import has come."""

    done: Annotated[int, msgspec.Meta(description="Rows that are settled, one way or another.")]
    of: Annotated[int, msgspec.Meta(description="Rows that were read; 0 until the file is.")]


class ImportFailure(msgspec.Struct, kw_only=True):
    """Why an import could not be carried out, or not to its end."""

    code: Annotated[str, msgspec.Meta(description="The name of the cause: see `docs/importing.md`.")]
    detail: str


class ImportSummary(msgspec.Struct, kw_only=True):
    """An import that was asked for, and where it stands."""

    id: UUID
    kind: Annotated[str, msgspec.Meta(description="Which kind of table it is.", examples=["commitments"])]
    file: Annotated[str, msgspec.Meta(description="The name of the file.", examples=["reports.csv"])]
    dry_run: Annotated[bool, msgspec.Meta(description="Whether it records nothing.")]
    state: Annotated[
        State,
        msgspec.Meta(
            description="`done` also where rows were refused: the report says which. `failed`: it could not be read, "
            "or not be carried out to its end."
        ),
    ]
    asked_by: Annotated[Actor, msgspec.Meta(description="Who asked for it, and recorded what it recorded.")]
    asked_at: Annotated[InstantText, msgspec.Meta(description="When it was asked for.")]
    begun_at: Annotated[InstantText | None, msgspec.Meta(description="When it was begun.")]
    ended_at: Annotated[InstantText | None, msgspec.Meta(description="When it ended.")]
    progress: Annotated[ImportProgress, msgspec.Meta(description="How far it has come.")]
    failure: Annotated[
        ImportFailure | None,
        msgspec.Meta(description="Why it could not be carried out; null where it could."),
    ]


class ImportDocument(ImportSummary, kw_only=True):
    """An import that was asked for, where it stands, and what became of its rows."""

    report: Annotated[
        dict[str, Any] | None,
        msgspec.Meta(description="The report, once it is done: see `docs/importing.md`."),
    ]


def recordable(routers: Iterable[Router]) -> Mapping[Role, Sequence[str]]:
    """Which types of event each role may record at the routes."""
    return {
        role: sorted(
            {
                event.TYPE
                for router in routers
                for route in router.routes
                if role in route.declaration.access.roles
                for event in route.declaration.records
            }
        )
        for role in Role
    }


def import_routes(
    worker: ImportWorker,
    kinds: Sequence[ImportKind],
    *,
    largest: int,
    most_open: int,
    example: Mapping[str, Any],
) -> Router:
    """The routes of a service that takes files of these kinds, of so many bytes at most.

    A person may have `most_open` that have not ended, whatever credentials they use. `example` is a form
    whose import would be carried out.
    """
    imports, service, live = worker.imports, worker.service, worker.live
    router = Router(
        "imports",
        "Tables of others: sent as a file, carried out by the service, answered with a report on each row.",
        id=Annotated[UUID, Field(description="The UUID of the import.")],
    )
    roles = frozenset(role for kind in kinds for role in kind.roles)

    async def own(request: Request, import_id: UUID) -> KeptImport:
        found = await asyncio.to_thread(imports.get, service, import_id)
        actor = actor_of(request)
        if found is None or not (actor.role is Role.DCI or _is_of(found, actor)):
            raise NotFound("unknown-import", "There is no such import, or no more.")
        return found

    @router.post(
        PATH,
        access=Access(roles, note="each row is for those who may record what it says; " + _by_kind(kinds)),
        form=ImportForm,
        example=example,
        answers={202: ImportDocument},
        largest_body=largest,
    )
    async def request_import(request: Request, form: ImportForm) -> Response:
        """Take a table of others, to be brought in by the service as `bitacora import` does.

        Each row is recorded by whoever asked, in their role, or refused for itself. `Location` is where to ask how far
        it is, and for the report. The same table brought in twice adds nothing.
        """
        actor = actor_of(request)
        upload = form.upload()
        kind = await asyncio.to_thread(_kind_of, upload, form.kind, kinds)
        kind.must_admit(actor.role)
        once = await idempotency_of(request)
        asked = Asked(
            service,
            kind.name,
            form.dry_run,
            upload,
            actor,
            None if once is None else (once.key_hash, once.fingerprint),
        )
        try:
            kept, replayed = await asyncio.to_thread(imports.accept, asked, most_open)
        except TooManyOpen as error:
            raise RequestProblemError(
                "too-many-imports",
                f"{most_open} of your imports have not ended yet: wait for one of them.",
                headers={"Retry-After": "10"},
            ) from error
        worker.wake()
        headers = {"Location": location_of(request, f"{PATH}/{kept.id}")}
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(encoded(_document(kept)), 202, headers, JSON)

    @router.get(
        PATH,
        access=Access(roles, note=_OWN, log_position=True),
        query=Paged,
        answers=page_of(ImportSummary),
    )
    async def list_imports(request: Request, asked: Paged) -> Response:
        """The imports that one asked for, the latest first; to the unit, those of all."""
        await caught_up(request, live, asked.wait_for)
        actor = actor_of(request)
        key = decode_cursor(request, asked.cursor, datetime, UUID)
        found = await asyncio.to_thread(
            lambda: imports.listed(
                service,
                of=None if actor.role is Role.DCI else actor,
                before=None if key is None else (key[0], key[1]),
                limit=asked.limit + 1,
            )
        )
        shown = found[: asked.limit]
        following = [instant_text(shown[-1].asked_at), str(shown[-1].id)] if len(found) > len(shown) else None
        body = page(map(_summary, shown), following, request)
        return read_answer(request, body, position=live.position)

    @router.get(
        f"{PATH}/{{id}}",
        access=Access(roles, note=_OWN, etag=True, log_position=True),
        query=Now,
        answers=ImportDocument,
    )
    async def get_import(request: Request, import_id: UUID, asked: Now) -> Response:
        """How far an import is and, once it is done, its report."""
        await caught_up(request, live, asked.wait_for)
        kept = await own(request, import_id)
        body = encoded(_document(kept))
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        position = live.position if reads_everything(actor_of(request)) else _last_recorded(kept)
        return read_answer(request, body, etag=tag, position=position)

    @router.post(
        f"{PATH}/{{id}}/cancellations",
        access=Access(roles, note=_OWN),
        body=ImportCancellation,
        body_required=False,
        answers={202: ImportDocument},
    )
    async def cancel_import(request: Request, import_id: UUID, _: ImportCancellation) -> Response:
        """Let nobody begin an import, or go on with it; what it has recorded stays on record.

        Said twice, it is done once.
        """
        kept = await own(request, import_id)
        if kept.state is not State.CANCELLED and not await asyncio.to_thread(imports.cancel, kept.id):
            raise RuleBroken("import-ended", "It has ended: there is nothing left to call off.")
        headers = {"Location": location_of(request, f"{PATH}/{kept.id}")}
        return Response(encoded(_document(await own(request, import_id))), 202, headers, JSON)

    return router


def _kind_of(upload: Upload, name: str | None, kinds: Sequence[ImportKind]) -> ImportKind:
    if upload.mapping is None:
        return chosen(None, name, kinds)
    with TemporaryDirectory(prefix="bitacora-") as folder:
        mapping = Path(folder) / MAPPING
        mapping.write_bytes(upload.mapping)
        return chosen(mapping, name, kinds)


def _by_kind(kinds: Sequence[ImportKind]) -> str:
    others = {
        role: [kind.name for kind in kinds if role in kind.roles] for role in Role if role is not Role.DCI
    }
    return "; ".join(
        ["the unit: " + ", ".join(kind.name for kind in kinds)]
        + [f"{role}: {', '.join(names)}" for role, names in others.items() if names]
    )


def _is_of(kept: KeptImport, actor: Actor) -> bool:
    return (kept.asked_by.person, kept.asked_by.organization) == (actor.person, actor.organization)


class _Positions(msgspec.Struct):
    last_position: int | None = None


def _last_recorded(kept: KeptImport) -> int:
    """The position of the last event that an import recorded; 0 for none."""
    if kept.report is None:
        return 0
    return msgspec.json.decode(kept.report, type=_Positions).last_position or 0


def _told(kept: KeptImport) -> dict[str, Any]:
    return {
        "id": kept.id,
        "kind": kept.kind,
        "file": kept.file,
        "dry_run": kept.dry_run,
        "state": kept.state,
        "asked_by": kept.asked_by.as_recorded(),
        "asked_at": instant_text(kept.asked_at),
        "begun_at": kept.begun_at and instant_text(kept.begun_at),
        "ended_at": kept.ended_at and instant_text(kept.ended_at),
        "progress": ImportProgress(done=kept.rows_done, of=kept.rows_read),
        "failure": kept.failure and ImportFailure(code=kept.failure.code, detail=kept.failure.detail),
    }


def _summary(kept: KeptImport) -> ImportSummary:
    return ImportSummary(**_told(kept))


def _document(kept: KeptImport) -> ImportDocument:
    # The report goes out as it lies.
    report: Any = None if kept.report is None else msgspec.Raw(kept.report)
    return ImportDocument(**_told(kept), report=report)
