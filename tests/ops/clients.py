"""Clients of the services who write and read without a break, and keep a ledger of what they were told."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from bisect import bisect_left, bisect_right
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

import httpx

from shared.eventlog import codec
from shared.eventlog.open import open_store
from shared.eventlog.verification import verify
from shared.events.commitments import Commented, Registered
from shared.events.meetings import BodyRegistered
from shared.identity.actor import Role
from shared.identity.development import issue_development_token
from tests.ops.fleet import Fleet, Member
from tests.ops.programs import OpsFailed, until

CODES = tuple(f"C-{number}" for number in range(8))
WRITERS = {"commitments": 8, "meetings": 2}
READERS = 2
READS = (
    "/v1/board?group_by=status",
    "/v1/board/changes?from=2012-01-01&to=2013-12-31",
    "/v1/commitments?limit=50",
    f"/v1/commitments/{CODES[0]}",
    f"/v1/commitments/{CODES[0]}/timeline",
    "/v1/exports/board.csv",
    "/v1/tree",
    "/v1/plan-profile",
)
REQUEST = 30.0
"""Seconds after which a client gives a request up."""
BEHIND = {"log-behind", "follower-behind", "follower-ended", "read-model-behind", "worker-absent"}
PAUSE = 0.02
AGAIN = 0.1
"""Seconds between two requests of a client, and before it repeats one that was not carried out."""


class Told(NamedTuple):
    """What a client was told of something that it wrote, and when (`time.time`)."""

    position: int
    at: float


class Seen(NamedTuple):
    """A request to a process, or a look at its readiness: when it was answered (`time.monotonic`), and whether well."""

    began: float
    ended: float
    well: bool
    why: frozenset[str] = frozenset()
    """The reasons of readiness that is red, and the code of a request that was refused."""


class Clients:
    """Writers and readers in a thread of their own; `told` and `bodies` are what was acknowledged."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.told: dict[str, Told] = {}
        """The text of each comment."""
        self.bodies: dict[str, Told] = {}
        """The code of each body."""
        self.requests: dict[str, list[Seen]] = {member.name: [] for member in fleet.members}
        self.looks: dict[str, list[Seen]] = {member.name: [] for member in fleet.members}
        self.latest_on_board = 0.0
        """The longest that something written was waited for on the board, while all ran."""
        self._numbers = count()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._given_up = False
        self._token = ""

    # --- beginning and ending --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to write and to read."""
        self._token = issue_development_token(
            self.fleet.folder / "development.key", role=Role.DCI, organization="DCI", now=datetime.now(UTC)
        )
        self._done.clear()
        self._thread = threading.Thread(target=self._run, name="clients", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let every request come to its answer, and end; what a client found wrong is raised."""
        self._done.set()
        if self._thread is not None:
            self._thread.join(180)
            if self._thread.is_alive():
                raise OpsFailed("a client never had its answer")
            self._thread = None
        self.must_be_content()

    def give_up(self) -> None:
        """End without waiting for answers."""
        self._done.set()
        self._given_up = True
        if self._thread is not None:
            self._thread.join(REQUEST + 10)

    def must_be_content(self) -> None:
        """Raise what a client found wrong."""
        if self._failure is not None:
            raise OpsFailed(f"a client: {self._failure!r}") from self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as failure:  # noqa: BLE001 - handed to whoever asks
            self._failure = failure

    async def _work(self) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._token}"}, timeout=REQUEST, limits=limits
        ) as self._http:
            await self._begin()
            async with asyncio.TaskGroup() as tasks:
                for kind, number in WRITERS.items():
                    for one in range(number):
                        tasks.create_task(self._write(kind, random.Random(one)))
                for one in range(READERS):
                    tasks.create_task(self._read(random.Random(one)))
                for member in self.fleet.members:
                    if member.kind != "worker":
                        tasks.create_task(self._look(member))

    async def _begin(self) -> None:
        """An organisation and its commitments, unless they are on record."""
        url = self.fleet.of("commitments")[0].url
        await self._http.put(f"{url}/v1/organizations/INTERIOR", json={"name": "Interior"})
        for code in CODES:
            body = {
                "code": code,
                "title": "A promise",
                "lead_organization": "INTERIOR",
                "effective_on": "2012-05-21",
                "no_deadline_reason": "a test",
            }
            made = await self._http.post(f"{url}/v1/commitments", json=body)
            if made.status_code not in (201, 409):
                raise OpsFailed(f"{made.status_code}: {made.text}")

    # --- what they do ----------------------------------------------------------------------------------------------

    async def _write(self, kind: str, rng: random.Random) -> None:
        while not self._done.is_set():
            if kind == "commitments":
                await self.comment(f"comment {next(self._numbers)}", rng)
            else:
                await self.register(f"B-{next(self._numbers)}", rng)
            await asyncio.sleep(PAUSE)

    async def comment(self, text: str, rng: random.Random) -> None:
        """Write a comment, and put down what was told of it."""
        path = f"/v1/commitments/{rng.choice(CODES)}/comments"
        answer = await self._uptoanswered("commitments", "POST", path, {"text": text}, rng)
        self.told[text] = Told(answer.json()["position"], time.time())

    async def register(self, code: str, rng: random.Random) -> None:
        """Register a body, and put down what was told of it."""
        body = {"name": f"Committee {code}", "kind": "committee"}
        answer = await self._uptoanswered("meetings", "PUT", f"/v1/bodies/{code}", body, rng)
        self.bodies[code] = Told(int(answer.headers["log-position"]), time.time())

    async def _uptoanswered(
        self, kind: str, method: str, path: str, body: object, rng: random.Random
    ) -> httpx.Response:
        """The same request under one key, to one process or the other, until it is said what became of it."""
        headers = {"Idempotency-Key": uuid4().hex} | ({"If-Match": "*"} if method == "POST" else {})
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and not self._given_up:
            member = rng.choice(self.fleet.of(kind))
            answer = await self._ask(member, method, path, json=body, headers=headers)
            if answer is not None and answer.status_code in (200, 201):
                return answer
            if answer is not None and answer.status_code != 503:
                raise OpsFailed(f"{member.name} answered {answer.status_code}: {answer.text}")
            await asyncio.sleep(AGAIN)
        raise OpsFailed(f"{method} {path} was never answered")

    async def _ask(self, member: Member, method: str, path: str, **how: Any) -> httpx.Response | None:
        """One request; None where nobody answers."""
        began = time.monotonic()
        answer, why = None, "nobody answered"
        try:
            answer = await self._http.request(method, member.url + path, **how)
        except httpx.TransportError as error:
            why = type(error).__name__
        well = answer is not None and answer.status_code in (200, 201)
        if answer is not None and not well:
            why = answer.json()["type"].rsplit("/", 1)[-1]
        self.requests[member.name].append(
            Seen(began, time.monotonic(), well, frozenset() if well else frozenset([why]))
        )
        return answer

    async def _read(self, rng: random.Random) -> None:
        """Ask one of many things as they are, and in turn for the board with what was just written in it."""
        while not self._done.is_set():
            member = rng.choice(self.fleet.of("reporting"))
            answer = await self._ask(member, "GET", rng.choice(READS))
            if answer is not None and answer.status_code not in (200, 503):
                raise OpsFailed(f"{member.name} answered {answer.status_code}: {answer.text}")
            newest = max((told.position for told in [*self.told.values()][-20:]), default=0)
            began = time.monotonic()
            with suppress(httpx.TransportError):
                seen = await self._http.get(f"{member.url}/v1/board?group_by=status&wait_for={newest}")
                if seen.status_code == 200:
                    if int(seen.headers["log-position"]) < newest:
                        raise OpsFailed(f"{member.name} left out what it was to wait for")
                    self.latest_on_board = max(self.latest_on_board, time.monotonic() - began)
            await asyncio.sleep(AGAIN)

    async def _look(self, member: Member) -> None:
        """Look at the readiness of a process."""
        while not self._done.is_set():
            began = time.monotonic()
            ready, why = False, frozenset[str]()
            with suppress(httpx.TransportError):
                answer = await self._http.get(f"{member.url}/health/ready")
                ready = answer.status_code == 200
                why = frozenset(
                    check["reason"] for check in answer.json()["checks"].values() if "reason" in check
                )
            self.looks[member.name].append(Seen(began, time.monotonic(), ready, why))
            await asyncio.sleep(0.25)

    # --- what must be true of it -----------------------------------------------------------------------------------

    def wait_writes(self, since: float) -> float:
        """Wait until each writing process has carried out a request that began since then; seconds since then."""
        writing = [member.name for kind in WRITERS for member in self.fleet.of(kind)]

        def written() -> bool:
            self.must_be_content()
            return all(any(s.well and s.began >= since for s in self.requests[n][-200:]) for n in writing)

        until("writes are back", written)
        firsts = [
            min(seen.ended for seen in self.requests[name][-2000:] if seen.well and seen.began >= since)
            for name in writing
        ]
        return max(firsts) - since

    def check(self, log_url: str, *, acknowledged_before: float | None = None) -> tuple[list[str], list[str]]:
        """Hold the log against the ledger: all that was acknowledged is there once, where it was said to be.

        After a restore to a moment only what was acknowledged before it has to be there; returns the comments and
        the bodies that are not, to be recorded again.
        """
        with closing(open_store(log_url)) as store:
            report = verify(store)
            if not report.sound:
                raise OpsFailed(f"the log is not sound: {report.faults}")
            log = [codec.decode(line, position) for position, line in store.read(0, 10_000_000)]
        comments = [(one.data.text, one.position) for one in log if isinstance(one.data, Commented)]
        bodies = [(one.data.code, one.position) for one in log if isinstance(one.data, BodyRegistered)]
        lost: list[list[str]] = []
        for name, there, told in (("comment", comments, self.told), ("body", bodies, self.bodies)):
            at = dict(there)
            if len(at) != len(there):
                raise OpsFailed(f"a {name} was recorded twice")
            if unknown := at.keys() - told.keys():
                raise OpsFailed(
                    f"{len(unknown)} of {name} are there that nobody was told of: {sorted(unknown)[:3]}"
                )
            missing = [key for key in told if key not in at]
            needed = [
                key for key in missing if acknowledged_before is None or told[key].at < acknowledged_before
            ]
            if needed:
                raise OpsFailed(f"{len(needed)} of {name} were acknowledged and are not there: {needed[:3]}")
            if name == "comment":
                moved = [key for key, position in at.items() if told[key].position != position]
                if moved:
                    raise OpsFailed(f"{len(moved)} comments are not where it was said: {moved[:3]}")
            lost.append(missing)
        self._must_serve(log)
        return lost[0], lost[1]

    def _must_serve(self, log: list[Any]) -> None:
        """Every process serves what the log holds, and nothing else."""
        versions = {one.stream_id: one.version for one in log}
        streams = {one.data.code: one.stream_id for one in log if isinstance(one.data, Registered)}
        headers = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
        for member in self.fleet.of("commitments"):
            for code in CODES:
                answer = httpx.get(f"{member.url}/v1/commitments/{code}", headers=headers, timeout=REQUEST)
                version = versions[streams[code]]
                if answer.headers.get("etag") != f'"{version}"':
                    served = answer.headers.get("etag")
                    raise OpsFailed(
                        f"{member.name} serves {code} at version {served}; on record is {version}"
                    )

    def record_again(self, comments: list[str], bodies: list[str]) -> None:
        """What the page for operators asks of those who had recorded it."""

        async def again() -> None:
            async with httpx.AsyncClient(
                headers={"Authorization": f"Bearer {self._token}"}, timeout=REQUEST
            ) as self._http:
                for text in comments:
                    await self.comment(text, random.Random(text))
                for code in bodies:
                    await self.register(code, random.Random(code))

        asyncio.run(again())

    def untrue(self, tolerance: float) -> list[str]:
        """Looks at readiness that were not true.

        Green is not true where, within `tolerance` seconds before it and after it, all requests to that process failed;
        red is not where none of them failed, but for those who say that they are behind: requests go on then. A look
        that took longer than that tells of no moment.
        """
        found = []
        first = min((looks[0].began for looks in self.looks.values() if looks), default=0.0)
        for member in self.fleet.members:
            requests = sorted(self.requests[member.name], key=_ended)
            for look in self.looks[member.name]:
                if look.ended - look.began > tolerance:
                    continue
                since, now = (
                    bisect_left(requests, at, key=_ended) for at in (look.began - tolerance, look.began)
                )
                upto = bisect_right(requests, look.ended + tolerance + REQUEST, key=_ended)
                before = requests[since:now]
                after = [one for one in requests[now:upto] if one.began <= look.ended + tolerance]
                later = any(one.began >= look.ended for one in after)
                near = [one.well for one in (*before, *after)]
                if not before or not later or any(near) != all(near) or near[0] == look.well:
                    continue
                if look.well or not look.why & BEHIND:
                    refused = frozenset[str]().union(*(one.why for one in (*before, *after)))
                    said = "green" if look.well else f"red ({', '.join(sorted(look.why)) or 'no answer'})"
                    found.append(
                        f"{member.name} was {said}, after {look.began - first:.1f} s, for "
                        f"{look.ended - look.began:.1f} s, while {near.count(True)} of {len(near)} requests were "
                        f"carried out ({', '.join(sorted(refused)) or 'all'})"
                    )
        return found


def _ended(seen: Seen) -> float:
    return seen.ended
