"""The baseline service: the three routes that are compared, written the way the FastAPI and SQLAlchemy manuals do.

What may be registered, which is not measured, is judged by the rules of the service itself, so that both hold the same.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import wraps
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from bench.baselines.identity import CurrentUser, DeliveryUnit, Tokens, User, may_see
from bench.baselines.schemas import AssessmentBody, CommitmentBody, CommitmentNow, Written
from bench.baselines.tables import AuditRow, Base, CommitmentRow, OrganizationRow, PillarRow, now, today
from services.commitments.commitment import model
from shared.aggregate.command import Context
from shared.clock import Clock
from shared.errors import BitacoraError, InvalidInput
from shared.events.commitments import Registered
from shared.events.vocabulary import CommitmentKind, Judgement
from shared.identity.actor import Actor

POOL = 20
"""Connections kept open: more than the requests that are ever under way here."""
ATTEMPTS = 10
"""How often a change to whatever version (`If-Match: *`) is tried when others keep changing the row."""


def get_session(request: Request) -> Iterator[Session]:
    """A session for one request."""
    sessions: sessionmaker[Session] = request.app.state.sessions
    with sessions() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]
IfMatch = Annotated[str | None, Header()]
RequestId = Annotated[str | None, Header(alias="x-request-id")]


def create_app(database_url: str, tokens: Tokens, *, session_in_endpoint: bool = False) -> FastAPI:
    """The service over the database at a `postgresql+psycopg://` URL, whose tables it makes when they are missing.

    With `session_in_endpoint` each endpoint opens its session itself, in its own thread, which saves the two trips to
    the thread pool that the framework makes for a dependency that yields.
    """
    engine = create_engine(database_url, pool_size=POOL, max_overflow=0)
    Base.metadata.create_all(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(title="Baseline", lifespan=lifespan)
    app.state.sessions = sessionmaker(engine, expire_on_commit=False)
    app.state.tokens = tokens
    prepared = with_own_session if session_in_endpoint else _as_it_is
    app.post("/v1/commitments", status_code=201)(prepared(register))
    app.post("/v1/commitments/{id}/assessments", status_code=201)(prepared(assess))
    app.get("/v1/commitments/{id}")(prepared(show))
    app.exception_handler(BitacoraError)(refused)
    return app


def with_own_session(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, opening its session itself."""

    @wraps(endpoint)
    def opened(request: Request, **given: Any) -> Any:
        sessions: sessionmaker[Session] = request.app.state.sessions
        with sessions() as session:
            return endpoint(session=session, **given)

    signature = inspect.signature(endpoint, eval_str=True)
    given = [one for one in signature.parameters.values() if one.name != "session"]
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    opened.__dict__["__signature__"] = signature.replace(parameters=[request, *given])
    return opened


def _as_it_is(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    return endpoint


def register(
    body: CommitmentBody,
    user: DeliveryUnit,
    session: SessionDep,
    response: Response,
    request_id: RequestId = None,
) -> Written:
    """Registers a commitment."""
    proposed = _proposed(body)
    model.register(proposed, Context(Actor(*user), Clock()), _known(session, proposed))
    data = body.model_dump(mode="json", exclude={"effective_on", "visibility"})
    row = CommitmentRow(
        id=uuid4(),
        version=1,
        effective_on=proposed.effective_on,
        visibility=proposed.visibility,
        registered_at=(moment := now()),
        updated_at=moment,
        **data,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise HTTPException(409, "the code is taken") from error
    audit = _audit(row, "registered", user, request_id, body.model_dump(mode="json"))
    session.add(audit)
    session.commit()
    return _written(row, audit, response)


def assess(
    id: str,
    body: AssessmentBody,
    user: DeliveryUnit,
    session: SessionDep,
    response: Response,
    if_match: IfMatch = None,
    request_id: RequestId = None,
) -> Written:
    """Records a judgement of how a commitment is going."""
    if if_match is None:
        raise HTTPException(428, "If-Match is required")
    present = today()
    day = body.effective_on or present
    if day > present:
        raise HTTPException(422, "a judgement takes effect no later than today")
    if body.judgement is None and body.rating is None:
        raise HTTPException(422, "a judgement or a rating is required")
    if body.judgement is Judgement.AT_RISK and not (body.reason and body.reason.strip()):
        raise HTTPException(422, "a judgement of at_risk needs a reason")
    for _ in range(ATTEMPTS):
        row = _find(session, id, user)
        if if_match not in {"*", _etag(row)}:
            raise HTTPException(412, "the commitment has changed since")
        if row.closed_on(day):
            raise HTTPException(409, "the commitment is closed")
        if row.judged_on is None or row.judged_on <= day:
            row.judged_on = day
            row.judgement = body.judgement
            row.judgement_reason = body.reason
            row.rating = body.rating
            row.scale = body.scale
        row.version += 1
        row.updated_at = now()
        audit = _audit(
            row, "assessed", user, request_id, body.model_dump(mode="json") | {"effective_on": str(day)}
        )
        session.add(audit)
        try:
            session.commit()
        except StaleDataError:
            session.rollback()  # somebody else was faster: look again
            continue
        return _written(row, audit, response)
    raise HTTPException(503, "others keep changing the commitment", {"Retry-After": "1"})


def show(
    id: str,
    user: CurrentUser,
    session: SessionDep,
    response: Response,
    if_none_match: Annotated[str | None, Header()] = None,
) -> CommitmentNow:
    """A commitment as it stands now."""
    row = _find(session, id, user)
    etag = _etag(row)
    if if_none_match in {"*", etag}:
        raise HTTPException(304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return CommitmentNow.model_validate(row)


async def refused(_: Request, error: Exception) -> JSONResponse:
    """The answer where a rule shared with the real service is broken."""
    assert isinstance(error, BitacoraError)
    return JSONResponse({"detail": error.message}, 422 if isinstance(error, InvalidInput) else 409)


def _proposed(body: CommitmentBody) -> Registered:
    """The registration that a request asks for."""
    decided = {
        "effective_on": body.effective_on or today(),
        "visibility": body.visibility or model.usual_visibility(body.origin.kind if body.origin else None),
    }
    members = body.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return msgspec.convert(members | msgspec.to_builtins(decided), Registered)


def _known(session: Session, proposed: Registered) -> model.Known:
    """What the database holds of the things a registration names."""
    named = {code for _, _, code in model.organizations_named(proposed)}
    found = session.scalars(select(OrganizationRow.code).where(OrganizationRow.code.in_(named)))
    organizations = frozenset(found)
    pillar = proposed.pillar and session.get(PillarRow, proposed.pillar)
    parents = session.scalars(
        select(CommitmentRow).where(CommitmentRow.code.in_({proposed.parent, proposed.split_from} - {None}))
    )
    places = {row.code: model.Place(CommitmentKind(row.kind)) for row in parents}
    return model.Known(organizations, {pillar.code} if pillar else (), places)


def _find(session: Session, id: str, user: User) -> CommitmentRow:
    """The commitment of that UUID or code, or a 404 where there is none the user may know of."""
    try:
        found = session.get(CommitmentRow, UUID(id))
    except ValueError:
        found = session.scalar(select(CommitmentRow).where(CommitmentRow.code == id))
    if found is None or not may_see(
        user, found.visibility, [found.lead_organization, *found.collaborating_organizations]
    ):
        raise HTTPException(404, "there is no such commitment")
    return found


def _audit(
    row: CommitmentRow, action: str, user: User, request_id: str | None, data: dict[str, Any]
) -> AuditRow:
    return AuditRow(
        commitment_id=row.id,
        version=row.version,
        action=action,
        recorded_at=row.updated_at,
        subject=user.subject,
        organization=user.organization,
        role=user.role,
        correlation_id=request_id or str(uuid4()),
        data=data,
    )


def _written(row: CommitmentRow, audit: AuditRow, response: Response) -> Written:
    response.headers["Location"] = f"/v1/commitments/{row.id}"
    response.headers["ETag"] = _etag(row)
    return Written(id=row.id, code=row.code, version=row.version, position=audit.id)


def _etag(row: CommitmentRow) -> str:
    return f'"{row.version}"'
