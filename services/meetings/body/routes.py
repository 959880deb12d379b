"""The routes of bodies: put, listed and read."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from services.meetings.body.model import Body, usual_visibility, usually_decides
from services.meetings.body.repository import Bodies, Directory
from shared.events.meetings import BodyChanged
from shared.events.vocabulary import Visibility
from shared.http.catalogue import Catalogue, Explained
from shared.http.context import actor_of
from shared.http.description import DescribedResource
from shared.http.requests import request_of
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role

OWN: Final = "reserved ones: ministries only their own"

BODY_REQUEST: Final = request_of(
    BodyChanged,
    name="BodyRequest",
    doc="Everything a body is described by; what is left out is taken back.",
    decides=(
        Annotated[
            bool | None,
            Field(
                description="Whether it takes binding decisions, or only refers; by default bilaterals do and others "
                "do not."
            ),
        ],
        None,
    ),
    visibility=(
        Annotated[
            Visibility | None,
            Field(description="`reserved` for bilaterals, `internal` for others by default."),
        ],
        None,
    ),
)


def _described(body: Any) -> BodyChanged:
    """The description that a request gives, completed by what its kind of body usually is."""
    described: BodyChanged = body.struct(
        decides=usually_decides(body.kind) if body.decides is None else body.decides,
        visibility=body.visibility or usual_visibility(body.kind),
    )
    return described


def body_routes(bodies: Bodies, directory: Directory) -> Router:
    """The routes by which bodies are put, listed and read."""
    router = Router("bodies", "Who meets: committees and bilaterals, with their protocols.")
    described = DescribedResource(
        router,
        "/v1/bodies",
        bodies,
        Body,
        put=Access(
            frozenset({Role.DCI, Role.ADMIN}),
            if_match="to_change",
            note="`If-None-Match: *` only registers what is new",
        ),
        read=Access(EVERYONE, note=OWN, etag=True, log_position=True),
        listed=Access(EVERYONE, note=OWN, log_position=True),
        example="SOCIAL",
    )
    described.write(
        doc="Registers a body, or describes it anew: the whole description replaces the one before.\n\n"
        "A bilateral is `reserved`, and with whom it is stays as it is once it has numbered decisions.",
        request=BODY_REQUEST,
        complete=_described,
    )
    described.all(
        lambda request: sorted(
            (one for one in directory.bodies.all() if one.readers().include(actor_of(request))),
            key=lambda one: one.code,
        ),
        lambda one: [one.code],
        doc="The bodies you may know of, by code.",
    )
    described.one(doc="A body as it is described now.")
    return router


ERRORS: Catalogue = {
    "unknown-body": Explained(404, "Unknown body", "There is no body by this code, or none you may know of."),
    "body-circle-settled": Explained(
        409,
        "Circle of a body settled",
        "Once a body has numbered decisions, its visibility stays as it is, and so do the organisations of a reserved "
        "one; otherwise the gaps in the numbers would tell newcomers of decisions they may not know. Register another.",
    ),
    "body-code-malformed": Explained(
        422,
        "Malformed body code",
        "A body's code has 1 to 40 letters, digits, dots, hyphens or underscores, begins with a letter or digit and "
        "does not look like a UUID. The numbers of its decisions begin with it.",
    ),
    "body-code-taken": Explained(
        409,
        "Body code taken",
        "Another body's code differs from this one by its capitals only: the numbers of their decisions would look "
        "alike.",
    ),
    "bilateral-not-reserved": Explained(
        422,
        "Bilateral not reserved",
        "Bilaterals are `reserved`. Publish meetings or decisions, with a reason.",
    ),
    "bilateral-without-organizations": Explained(
        422, "Bilateral with nobody", "Name in `organizations` the ministries the bilateral is with."
    ),
    "seat-empty": Explained(
        422, "Empty seat", "A mandatory seat names an organisation, an office (`position`), or both."
    ),
    "recipients-unnamed": Explained(
        422,
        "Recipients unnamed",
        "A protocol with `recipients_required` names in `recipients` whom the minutes have to be sent to.",
    ),
    "alias-of-no-position": Explained(
        422, "Alias of no position", "`aliases` are other names of the `position` of a seat: name that, too."
    ),
    "protocol-figure-impossible": Explained(
        422, "Impossible figure in a protocol", "Figures lie between 1 and 1000; leave out what is not asked."
    ),
}
