"""Who may read what on the reporting service; see `shared.identity.access`."""

from __future__ import annotations

from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role

_SEEN = (
    "public items; with a token also internal ones, and reserved ones where concerned or watching over all"
)

_KNOWN = "what is public; with a token also what is internal, and what is reserved where one may know of it"
_ASKED = Access(EVERYONE, anonymous=True, note=_KNOWN, etag=True, log_position=True)

FEED_READERS = frozenset({Role.AUDITOR, Role.ADVISORY, Role.DCI, Role.ADMIN})

ACCESS: AccessTable = {
    ("GET", "/v1/board"): Access(EVERYONE, anonymous=True, note=_SEEN, etag=True, log_position=True),
    ("GET", "/v1/board/changes"): Access(EVERYONE, anonymous=True, note=_SEEN, etag=True, log_position=True),
    ("GET", "/v1/commitments/{id}/timeline"): Access(
        EVERYONE, anonymous=True, note=_SEEN, etag=True, log_position=True
    ),
    ("GET", "/v1/decisions"): _ASKED,
    ("GET", "/v1/decisions/gaps"): _ASKED,
    ("GET", "/v1/meeting-register"): _ASKED,
    ("GET", "/v1/action-items"): _ASKED,
    ("GET", "/v1/events"): Access(FEED_READERS, note="the whole log, as it is stored", log_position=True),
}
