"""The codes any service can answer with, what each means, and what to do about it.

`docs/errors.md` is printed from this table and those of the services; the code ends a problem's `type`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Explained(NamedTuple):
    """A code for people: the status it comes with, a title, and what the caller can do."""

    status: int
    title: str
    explanation: str


Catalogue = Mapping[str, Explained]

CODES: dict[str, Explained] = {
    "malformed-request": Explained(
        400,
        "Malformed request",
        "The request cannot be read at all: its body is not JSON, say, or nested deeper than 32 lists and objects.",
    ),
    "if-match-malformed": Explained(
        400, "Malformed If-Match", 'Send `If-Match: "7"` with the version from the ETag you read, or `*`.'
    ),
    "credentials-required": Explained(
        401, "Credentials required", "Send a bearer token, or an API key in `Authorization` or `X-Api-Key`."
    ),
    "credentials-invalid": Explained(
        401, "Invalid credentials", "The token or key is unknown, expired or revoked. Get a new one."
    ),
    "role-not-allowed": Explained(
        403,
        "Role not allowed",
        "Your role may not use this: `detail` and `docs/access.md` say which roles may.",
    ),
    "scope-not-granted": Explained(
        403, "Scope not granted", "The API key was issued without the scope this needs (`read`, `write`)."
    ),
    "not-found": Explained(404, "Not found", "There is nothing here, or nothing you may know of."),
    "version-not-found": Explained(
        404, "No such version", "The record held no such version, or nothing of this at that moment."
    ),
    "method-not-allowed": Explained(
        405, "Method not allowed", "The path exists with other methods: see the `Allow` header."
    ),
    "body-too-large": Explained(
        413,
        "Body too large",
        "`detail` says how much the path takes: 64 kB unless it needs more, and 10 MB at most.",
    ),
    "body-too-complex": Explained(
        422,
        "Body too complex",
        "A body of 64 kB has 10,000 values at most, and 1,000 in one list or object: `detail` says which it exceeds.",
    ),
    "media-type-not-supported": Explained(
        415, "Media type not supported", "Send `Content-Type: application/json`, in UTF-8, not compressed."
    ),
    "request-invalid": Explained(
        422, "Invalid request", "`errors` names each value that is not acceptable, and why."
    ),
    "query-unknown": Explained(
        422,
        "Unknown query parameter",
        "Unknown parameters are refused, not ignored: `errors` lists those there are.",
    ),
    "query-repeated": Explained(422, "Repeated query parameter", "Give the parameter once."),
    "text-not-storable": Explained(
        422,
        "Text not storable",
        "Text holds a NUL character or half of a surrogate pair, or is not percent-encoded as UTF-8.",
    ),
    "two-past-views": Explained(422, "Two past views", "Ask for a version or for a moment, not for both."),
    "known-at-by-day": Explained(
        422,
        "Ask by day",
        "`known_at` takes instants only from those who see everything. As a day, `YYYY-MM-DD`, it means the end of "
        "that day, and of today the present.",
    ),
    "known-at-to-come": Explained(
        422, "Moment to come", "`known_at` lies in the future, and what will be known then nobody knows yet."
    ),
    "cursor-invalid": Explained(
        422, "Invalid cursor", "Use the `next` URL as it was given; cursors cannot be made or changed."
    ),
    "cursor-mismatch": Explained(
        422, "Cursor of another list", "A cursor goes on only with the filters it was given for. Begin again."
    ),
    "idempotency-key-invalid": Explained(
        422, "Invalid idempotency key", "Send 1 to 255 visible ASCII characters, such as a UUID."
    ),
    "not-your-fact": Explained(
        403, "Not your fact", "Whoever is not the unit retracts only what their own organisation recorded."
    ),
    "not-retractable": Explained(
        409,
        "Not retractable",
        "Beginnings, approvals, publications, errata and retractions themselves stand; `detail` says what is done "
        "instead.",
    ),
    "already-retracted": Explained(
        409, "Retracted already", "It was retracted before: what is right is recorded as a new fact."
    ),
    "caused-by-decision": Explained(
        409,
        "Caused by a decision",
        "A decision did this, and it acts once: another decision, or a fact of your own, changes it again.",
    ),
    "retraction-in-the-way": Explained(
        409,
        "Something later rests on it",
        "What was recorded later would not make sense without it: `detail` names the version to retract first.",
    ),
    "version-not-recorded": Explained(
        422, "No such version", "`version` is that of an event in its history: see `/history`."
    ),
    "code-taken": Explained(
        409,
        "Code taken",
        "There is already one by this code, or by one that differs in capitals only; codes are never used again.",
    ),
    "filter-value-unknown": Explained(
        422,
        "Unknown filter value",
        "A filter takes one of the listed values or a code on record, or several separated by commas.",
    ),
    "stale-version": Explained(
        412, "Stale version", "It has changed since the version you stated: read it again and decide again."
    ),
    "idempotency-key-reused": Explained(
        422, "Idempotency key reused", "The key stands for another request: take a new one for a new request."
    ),
    "if-match-required": Explained(
        428, "If-Match required", "Say which version you decided on: the ETag you read, or `*`."
    ),
    "key-lifetime": Explained(422, "Lifetime of a key", "A key expires after now and within 366 days."),
    "unknown-import": Explained(
        404,
        "Unknown import",
        "You asked for no import of this id, or it is forgotten: reports are kept for a while.",
    ),
    "too-many-imports": Explained(
        429,
        "Too many imports",
        "As many of yours as may be have not ended yet. Ask again after `Retry-After` seconds.",
    ),
    "import-ended": Explained(
        409, "Import ended", "It came to its end before: what it recorded is on record."
    ),
    "import-kind-unknown": Explained(
        422,
        "Unknown kind of import",
        "The service takes no tables of this kind: `detail` names those it takes.",
    ),
    "mapping-missing": Explained(
        422,
        "Mapping missing",
        "Send the mapping that says how the table is to be read, or say which kind it is.",
    ),
    "mapping-invalid": Explained(
        422,
        "Mapping invalid",
        "The mapping is no TOML, or of another kind than was asked for: `detail` says which.",
    ),
    "too-many-requests": Explained(
        429,
        "Too many requests",
        "Ask again after `Retry-After` seconds. Where an installation limits how often one may ask, every answer tells "
        "what is left (`RateLimit`: `r` requests, and all of them in `t` seconds) and the quota (`RateLimit-Policy`).",
    ),
    "head-too-large": Explained(
        431, "Head too large", "The address and the headers of a request have 64 kB at most, all together."
    ),
    "internal-error": Explained(
        500,
        "Internal error",
        "The fault is ours; our log tells it under the `request_id`.",
    ),
    "pdf-not-installed": Explained(
        501,
        "No PDF here",
        "This installation was set up without `bitacora[pdf]`. The same page as HTML can be printed.",
    ),
    "pdf-not-made": Explained(
        503,
        "PDF not made",
        "It took more time or memory than one may take. Ask again, or for HTML, and print that.",
    ),
    "unavailable": Explained(503, "Unavailable", "Ask again after `Retry-After` seconds."),
    "position-not-reached": Explained(
        503, "Position not reached", "The position you wait for is not reflected yet. Ask again shortly."
    ),
    "too-many-conflicts": Explained(
        503, "Too many conflicts", "Too many change this at once; nothing was recorded. Ask again shortly."
    ),
    "log-unavailable": Explained(
        503,
        "Log unavailable",
        "The event log did not answer. Where the detail says so, what you sent may have been recorded all the same. "
        "With an idempotency key it is safe to ask again.",
    ),
    "event-unreadable": Explained(
        503,
        "Event unreadable",
        "What you ask for rests on an event whose bytes are damaged. Everything else goes on. Whoever runs the service "
        "finds it with `bitacora verify` and puts it aside with `bitacora quarantine`; then it is answered without it.",
    ),
    "log-disk-full": Explained(
        503,
        "Log disk full",
        "There is no room for the event log; nothing was recorded. Ask again when there is.",
    ),
    "disk-nearly-full": Explained(
        503, "Disk nearly full", "For the operator: there is hardly any room left where the event log is."
    ),
    "log-corrupt": Explained(
        503,
        "Log corrupt",
        "For the operator: an event cannot be read, and the process follows no further; see `bitacora verify`.",
    ),
    "log-not-followed": Explained(
        503,
        "Log not followed",
        "For the operator: the process no longer hears what others write; start it anew.",
    ),
    "log-behind": Explained(
        503, "Behind the log", "For the operator: the process has not heard for too long what others wrote."
    ),
    "follower-ended": Explained(
        503,
        "Follower ended",
        "For the operator: what follows the log in this process has ended; start it anew.",
    ),
    "follower-behind": Explained(
        503,
        "Follower behind",
        "For the operator: decisions wait to be carried out for too long; see whether a process follows them.",
    ),
    "pooler-not-set": Explained(
        503,
        "Pooler not set",
        "For the operator: a pooler stands before the database; set `BITACORA_POSTGRES_POOLER`.",
    ),
    "log-went-back": Explained(
        503,
        "Log went back",
        "The log was restored to an earlier position, or replaced, under the running service, which takes it up anew. "
        "What you recorded last may be gone: read it again, then decide again.",
    ),
    "clock-ahead": Explained(
        503,
        "Clock ahead",
        "The clock of the service is ahead of that of the log's engine by more than is borne; nothing was recorded.",
    ),
    "log-ahead-of-clock": Explained(
        503,
        "Log ahead of clock",
        "The last event on record is of an instant that is still to come; nothing was recorded.",
    ),
    "shutting-down": Explained(503, "Shutting down", "This process is stopping; another will answer."),
    "identity-provider-unavailable": Explained(
        503, "Identity provider unavailable", "Your token cannot be verified just now. Ask again shortly."
    ),
}

BY_STATUS: dict[int, str] = {
    400: "malformed-request",
    401: "credentials-required",
    403: "role-not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "media-type-not-supported",
    422: "request-invalid",
    500: "internal-error",
    503: "unavailable",
}
"""The code of an error that the framework, and not we, raised."""


def markdown_catalogue(catalogue: Catalogue) -> str:
    """The catalogue as `docs/errors.md` shows it: a heading per code, so that `errors.md#<code>` leads there."""
    parts = [
        f"### {code}\n\n**{entry.status} · {entry.title}.** {entry.explanation}\n"
        for code, entry in sorted(catalogue.items(), key=lambda item: (item[1].status, item[0]))
    ]
    return "\n".join(parts)
