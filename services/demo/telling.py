"""Speaks to the running services as any client would: over HTTP, with a token for each who has something to say.

Every request carries an `Idempotency-Key` of its own, so that a story cut short is taken up where it stopped, and one
told before adds nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import httpx

UNIT = ("dci", "DCI", "unit")
"""The delivery unit: role, organisation, and who it is there."""

Who = tuple[str, str, str]

PATIENCE = 30.0
"""Seconds to wait for what another service is to do."""


class StoryFailed(Exception):
    """A service answered the demonstration with an error."""


class Teller:
    """Clients for each service and each who speaks; `token_for` makes a token from role, organisation and subject."""

    def __init__(self, url: Callable[[str], str], token_for: Callable[[str, str, str], str]) -> None:
        self._url = url
        self._token_for = token_for
        self._clients: dict[Who, httpx.Client] = {}
        self.position = 0
        """The position of the last event the story caused, or met."""

    def post(
        self, service: str, path: str, body: dict[str, Any], *, key: str, who: Who = UNIT
    ) -> dict[str, Any]:
        """Tell one fact, on whatever version there is."""
        return self._send(service, "POST", path, body, {"Idempotency-Key": key, "If-Match": "*"}, who)

    def put(self, service: str, path: str, body: dict[str, Any], *, who: Who = UNIT) -> dict[str, Any]:
        """Describe something that is known by its code."""
        return self._send(service, "PUT", path, body, {"If-Match": "*"}, who)

    def wait_until_there(self, service: str, path: str) -> None:
        """Wait for something that another service does by itself."""
        deadline = time.monotonic() + PATIENCE
        while (answer := self._client(UNIT).get(self._url(service) + path)).status_code != 200:
            if answer.status_code != 404 or time.monotonic() > deadline:
                raise StoryFailed(f"{path} was not there: {answer.status_code} {answer.text}")
            time.sleep(0.02)

    def close(self) -> None:
        """Give back the connections."""
        for client in self._clients.values():
            client.close()

    def _send(
        self,
        service: str,
        method: str,
        path: str,
        body: dict[str, Any],
        headers: dict[str, str] | None,
        who: Who,
    ) -> dict[str, Any]:
        answer = self._client(who).request(
            method, self._url(service) + path, json=plain(body), headers=headers
        )
        if answer.is_error and not _told_before(answer):
            raise StoryFailed(f"{method} {path} was answered with {answer.status_code}: {answer.text}")
        self.position = max(self.position, int(answer.headers.get("Log-Position", 0)))
        told: dict[str, Any] = answer.json()
        return told

    def _client(self, who: Who) -> httpx.Client:
        if who not in self._clients:
            self._clients[who] = httpx.Client(
                headers={"Authorization": f"Bearer {self._token_for(*who)}"}, timeout=PATIENCE
            )
        return self._clients[who]


def _told_before(answer: httpx.Response) -> bool:
    """An import or an older story may have registered the same code; the record then stands as it is."""
    return answer.status_code == 409 and str(answer.json().get("type", "")).endswith("/code-taken")


def given(**fields: Any) -> dict[str, Any]:
    """Only the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def plain(value: Any) -> Any:
    """Days and instants as text, whatever they are nested in."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
