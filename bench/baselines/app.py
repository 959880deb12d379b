"""The baseline service: the three routes that are compared, written the way the FastAPI and SQLAlchemy manuals do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from bench.baselines.identity import CurrentUser, DeliveryUnit, Tokens, User, may_see
from bench.baselines.schemas import Commitment, NewAssessment, NewCommitment, Written
from bench.baselines.tables import AuditRow, Base, CommitmentRow, OrganizationRow, PillarRow, today

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


def create_app(database_url: str, tokens: Tokens) -> FastAPI:
    """The service over the database at a `postgresql+psycopg://` URL, whose tables it makes when they are missing."""
    engine = create_engine(database_url, pool_size=POOL, max_overflow=0)
    Base.metadata.create_all(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> Any:
        yield
        engine.dispose()

    app = FastAPI(title="Baseline", lifespan=lifespan)
    app.state.sessions = sessionmaker(engine, expire_on_commit=False)
    app.state.tokens = tokens
    app.post("/v1/commitments", status_code=201)(register)
    app.post("/v1/commitments/{id}/assessments", status_code=201)(assess)
    app.get("/v1/commitments/{id}")(show)
    return app


def register(
    new: NewCommitment,
    user: DeliveryUnit,
    session: SessionDep,
    response: Response,
    request_id: RequestId = None,
) -> Written:
    """Registers a commitment."""
    if session.get(OrganizationRow, new.lead_organization) is None:
        raise HTTPException(422, "there is no such organization")
    if new.pillar is not None and session.get(PillarRow, new.pillar) is None:
        raise HTTPException(422, "there is no such pillar")
    effective_on = _past_or_today(new.effective_on)
    fields = new.model_dump(mode="json", exclude={"effective_on"})
    row = CommitmentRow(id=uuid4(), version=1, effective_on=effective_on, **fields)
    session.add(row)
    try:
        session.flush()
        audit = _audit(row, "registered", user, request_id, fields | {"effective_on": str(effective_on)})
        session.add(audit)
        session.commit()
    except IntegrityError as error:
        raise HTTPException(409, "the code is taken") from error
    return _written(row, audit, response)


def assess(
    id: str,
    new: NewAssessment,
    user: DeliveryUnit,
    session: SessionDep,
    response: Response,
    if_match: IfMatch = None,
    request_id: RequestId = None,
) -> Written:
    """Records a judgement of how a commitment is going."""
    if if_match is None:
        raise HTTPException(428, "If-Match is required")
    effective_on = _past_or_today(new.effective_on)
    for _ in range(ATTEMPTS):
        row = _find(session, id, user)
        if if_match not in {"*", _etag(row)}:
            raise HTTPException(412, "the commitment has changed since")
        if row.completed_on is not None or row.discarded_on is not None:
            raise HTTPException(409, "the commitment is closed")
        if row.judged_on is None or row.judged_on <= effective_on:
            row.judgement = new.judgement
            row.judgement_reason = new.reason
            row.judged_on = effective_on
            row.rating = new.rating
            row.scale = new.scale
        row.version += 1
        data = new.model_dump(mode="json") | {"effective_on": str(effective_on)}
        audit = _audit(row, "assessed", user, request_id, data)
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
) -> Commitment:
    """A commitment as it stands now."""
    row = _find(session, id, user)
    etag = _etag(row)
    if if_none_match in {"*", etag}:
        raise HTTPException(304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return Commitment.model_validate(row)


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


def _past_or_today(day: date | None) -> date:
    """The day a fact took effect: today unless said otherwise, and never in the future."""
    now = today()
    if day is not None and day > now:
        raise HTTPException(422, "effective_on lies in the future")
    return day or now


def _audit(
    row: CommitmentRow, action: str, user: User, request_id: str | None, data: dict[str, Any]
) -> AuditRow:
    return AuditRow(
        commitment_id=row.id,
        version=row.version,
        action=action,
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
