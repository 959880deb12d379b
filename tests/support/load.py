"""Many commands at once on a writing process that may die at any moment, and what must be true of the log after it."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.open import open_store
from shared.eventlog.verification import verify
from shared.events.commitments import Commented
from tests.support.log_process import PATIENCE, Child

AT_ONCE = 24
"""Commands that wait for an answer at any time."""

MAY_BE_REPEATED = {"log-unavailable", "shutting-down", "too-many-conflicts"}
"""Refusals that say nothing about what became of the command."""


class Load:
    """Commands of several events on a few ledgers; those with an idempotency key are repeated until answered."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.ledgers = [uuid4() for _ in range(12)]
        self._number = 0
        self._sent: dict[str, dict[str, Any]] = {}
        self.unanswered: dict[str, dict[str, Any]] = {}
        """Keyed commands to send again."""
        self.uncertain: dict[str, dict[str, Any]] = {}
        """Commands without a key that were not answered: carried out or not, but never by half."""
        self.acknowledged: dict[str, tuple[dict[str, Any], int, int]] = {}
        """Commands with the version and the position they were answered with."""
        self.unavailable = 0
        """Answers that told the client to try again."""

    def begin(self, child: Child) -> None:
        """Open the ledgers."""
        for stream in self.ledgers:
            child.say({"name": str(stream), "stream": stream, "keyed": True})
        for _ in self.ledgers:
            assert "version" in child.hear()

    def run(self, child: Child, seconds: float, *, answers: int = 0) -> None:
        """Keep the process busy for a while, and until it has answered so often: a busy machine makes it longer.

        What was not answered in an earlier life is repeated first, and some that was.
        """
        sent = self._sent
        again = [request for name, request in self.unanswered.items() if name not in sent]
        answered = [request for request, _, _ in self.acknowledged.values() if request["keyed"]]
        again += [r for r in self._rng.sample(answered, min(3, len(answered))) if r["name"] not in sent]
        end = time.monotonic() + seconds
        heard = 0
        while time.monotonic() < end or heard < answers:
            while len(sent) < AT_ONCE:
                request = again.pop() if again else self._new()
                sent[request["name"]] = request
                child.say(request)
            if child.has_said_something(max(0.05, end - time.monotonic())):
                answer = child.hear()
                assert answer is not None, "the process ended by itself"
                self._take(sent.pop(answer["name"]), answer)
                heard += 1

    def settle(self, child: Child) -> None:
        """Hear the answers that are still due, or until the process has died."""
        while self._sent and (answer := child.hear()) is not None:
            self._take(self._sent.pop(answer["name"]), answer)
        for request in self._sent.values():
            self._not_answered(request)
        self._sent.clear()

    def finish(self, child: Child) -> None:
        """Repeat every keyed command that is still unanswered until each has its answer."""
        deadline = time.monotonic() + PATIENCE
        while self.unanswered:
            assert time.monotonic() < deadline, f"never answered: {list(self.unanswered)}"
            requests = list(self.unanswered.values())
            for request in requests:
                child.say(request)
            for _ in requests:
                answer = child.hear()
                self._take(self.unanswered[answer["name"]], answer)
            if self.unanswered:
                time.sleep(0.1)

    def _new(self) -> dict[str, Any]:
        self._number += 1
        name = f"command {self._number}"
        texts = [f"{name}, part {n}" for n in range(self._rng.choice((1, 3, 5)))]
        return {
            "name": name,
            "stream": self._rng.choice(self.ledgers),
            "texts": texts,
            "keyed": self._rng.random() < 0.8,
        }

    def _take(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        name = request["name"]
        if "error" in answer:
            assert answer["error"] in MAY_BE_REPEATED, answer
            self.unavailable += 1
            self._not_answered(request)
            return
        if name in self.acknowledged:
            assert self.acknowledged[name][1:] == (answer["version"], answer["position"]), (
                "answered differently"
            )
        self.acknowledged[name] = (request, answer["version"], answer["position"])
        self.unanswered.pop(name, None)
        self.uncertain.pop(name, None)

    def _not_answered(self, request: dict[str, Any]) -> None:
        name = request["name"]
        if name not in self.acknowledged:
            (self.unanswered if request["keyed"] else self.uncertain)[name] = request

    def check(self, url: str) -> dict[UUID, list[str]]:
        """Hold the log against what was answered; what each ledger holds."""
        with closing(open_store(url)) as store:
            report = verify(store)
            assert report.sound, report.faults
            log = [codec.decode(line, position) for position, line in store.read(0, 10_000_000)]
        by_position = {recorded.position: recorded for recorded in log}
        written = [text for recorded in log if (text := text_of(recorded)) is not None]
        twice = [text for text, count in Counter(written).items() if count > 1]
        assert twice == [], "carried out twice"
        for request, version, position in self.acknowledged.values():
            last = by_position[position]
            assert (last.stream_id, last.version) == (request["stream"], version)
            size = len(request["texts"])
            parts = [by_position[p] for p in range(position - size + 1, position + 1)]
            assert [text_of(part) for part in parts] == request["texts"], (
                "acknowledged and not there as a whole"
            )
            assert [part.version for part in parts] == list(range(version - size + 1, version + 1))
        there = set(written)
        for request in (*self.unanswered.values(), *self.uncertain.values()):
            assert len(there.intersection(request["texts"])) in (0, len(request["texts"])), (
                "half of it is there"
            )
        known = {**self.unanswered, **self.uncertain}
        allowed = {text for request in known.values() for text in request["texts"]}
        allowed |= {text for request, _, _ in self.acknowledged.values() for text in request["texts"]}
        assert there <= allowed
        return {
            ledger: [text for r in log if r.stream_id == ledger and (text := text_of(r)) is not None]
            for ledger in self.ledgers
        }


def text_of(recorded: Recorded) -> str | None:
    """The text an event wrote, if it wrote one."""
    return recorded.data.text if isinstance(recorded.data, Commented) else None
