"""The errors of the domain and of the log; `shared/http/problems.py` alone knows how they look over HTTP.

    BitacoraError
    ├── InvalidInput          a value cannot be what it claims to be; `pointer` says which one
    │   └── KeyReused         an idempotency key came back with another request
    ├── Unauthenticated       nobody, or nobody we can verify, is asking
    ├── Forbidden             the actor is known and may not do this
    ├── NotFound              there is no such thing, or none this actor may know of
    ├── RuleBroken            the record as it stands does not allow this
    ├── StaleVersion          the caller decided on an older version than the current one
    ├── PreconditionRequired  the caller must say which version it decided on
    └── Unavailable           the log or the read model cannot answer now; asking again may help
        └── NotReady          a service cannot do its work as it should; its `code` and sentence are for readiness
            └── FellBehind    because it, or what it stands on, has not kept up with the log

    CorruptEvent (not a BitacoraError: nobody asked for it)  stored bytes are not an event; reading stops there

`code` is the stable, kebab-case name of the broken rule (`commitment-closed`). Codes are public: they end the
`type` URI of the problem document, and `docs/errors.md` explains each.
"""

from __future__ import annotations

from datetime import datetime


class BitacoraError(Exception):
    """Something a caller can understand and act upon: a stable code and a sentence written for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidInput(BitacoraError):
    """A value is not acceptable whatever the state of the record; `pointer` is a JSON pointer into the request."""

    def __init__(self, code: str, message: str, *, pointer: str = "") -> None:
        super().__init__(code, message)
        self.pointer = pointer


class InvalidValue(ValueError):
    """A value is not what its type asks for: a sentence, another to go with it, and what stands in their places.

    Kept apart, so that they can be said in the language of whoever sent the value.
    """

    def __init__(self, text: str, then: str = "", /, **values: object) -> None:
        super().__init__((text + then).format(**values))
        self.texts = (text, *([then] if then else []))
        self.values = values


class KeyReused(InvalidInput):
    """An `Idempotency-Key` was used before for a different request."""


class Unauthenticated(BitacoraError):
    """No credentials, or none that can be verified."""


class Forbidden(BitacoraError):
    """The actor's role or organisation does not allow this."""


class NotFound(BitacoraError):
    """Nothing by that name that this actor may know of."""


class RuleBroken(BitacoraError):
    """A rule of the domain, in the present state of the record, forbids this."""


class StaleVersion(BitacoraError):
    """The stated version is no longer the current one; `current` is."""

    def __init__(self, code: str, message: str, *, current: int | None = None) -> None:
        super().__init__(code, message)
        self.current = current


class PreconditionRequired(BitacoraError):
    """A change to an existing thing must state the version it was decided on."""


def version_unstated() -> PreconditionRequired:
    """The refusal of a change that does not say on which version it was decided."""
    return PreconditionRequired(
        "if-match-required", "Send If-Match with the ETag of the version you decided on, or *."
    )


class Unavailable(BitacoraError):
    """The storage did not answer; nothing was acknowledged. `retry_after` is in seconds."""

    def __init__(self, code: str, message: str, *, retry_after: int = 1) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


def shutting_down() -> Unavailable:
    """The refusal of whoever asks a process that is about to end."""
    return Unavailable("shutting-down", "The service is stopping; try again.")


class NotReady(Unavailable):
    """Why a service should not be sent requests, for whoever runs it; docs/eventlog.md says what each code asks for."""


class FellBehind(NotReady):
    """`behind` events have not been acted on; the log learned the first of them at `since`."""

    def __init__(self, code: str, message: str, *, behind: int, since: datetime) -> None:
        super().__init__(code, message)
        self.behind = behind
        self.since = since


class CorruptEvent(Exception):
    """Stored bytes that are not an event of the published language; names the position, and stops the reader."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"the event at position {position} cannot be read: {reason}")
        self.position = position
        self.reason = reason
