"""A follower acts on each event once and in order; what it cannot handle is set aside and can be tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from shared.eventlog import codec
from shared.eventlog import follower as follower_module
from shared.eventlog.envelope import FollowerPosition, Recorded
from shared.eventlog.follower import Follower
from shared.eventlog.store import Changes, FollowerOvertaken, Limits, Store
from shared.events.commitments import Commented
from tests.support.ledger import NOON, Process, append_lock_held, changes, event, process, until, wrote

NAME = "test.echo"


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what is to be tried again every few milliseconds."""
    monkeypatch.setattr(follower_module, "LOOK", 0.01)
    monkeypatch.setattr(follower_module, "PAUSE", 0.01)


class Echo:
    """Answers each text that asks for it with another one; some it fails at for as long as it is `broken`."""

    def __init__(self, here: Process, *, broken: bool = False) -> None:
        self.here = here
        self.broken = broken
        self.tried: list[str] = []

    async def __call__(self, recorded: Recorded, at: FollowerPosition) -> None:
        assert isinstance(recorded.data, Commented)
        text = recorded.data.text
        self.tried.append(text)
        if self.broken and "bad" in text:
            raise ZeroDivisionError("a defect nobody foresaw")
        answers = [] if text.startswith("echo") else [event(wrote(f"echo of {text}"))]
        await self.here.live.append(Changes(answers, follower=at))


@asynccontextmanager
async def following(url: str, *, broken: bool = False) -> AsyncIterator[tuple[Process, Follower, Echo]]:
    async with process(url, start=False) as here:
        echo = Echo(here, broken=broken)
        follower = Follower(here.live, NAME, (Commented,), echo)
        await here.live.start()
        follower.start()
        try:
            yield here, follower, echo
        finally:
            await follower.stop()
            await here.live.stop()


async def caught_up(here: Process, follower: Follower) -> None:
    """Until it has acted on everything there is, its own answers included."""
    await until(lambda: follower.position == here.live.position == here.store.head())


def texts(here: Process) -> list[str]:
    return [codec.decode(line, at).data.text for at, line in here.store.read(0, 1000)]  # type: ignore[attr-defined]


async def test_each_event_is_acted_on_once_and_in_order_from_where_the_follower_was(log_url: str) -> None:
    async with process(log_url) as writer:
        await writer.live.append(changes(event(wrote("a")), event(wrote("b"))))
        async with following(log_url) as (here, follower, _):
            await caught_up(here, follower)
            await writer.live.append(changes(event(wrote("c"))))
            await here.live.wait_for(writer.live.position, 10)
            await caught_up(here, follower)
        await writer.live.append(changes(event(wrote("d"))))
        async with following(log_url) as (here, follower, echo):
            await caught_up(here, follower)
            assert echo.tried == ["d", "echo of d"]
        assert sorted(texts(writer)) == sorted(f"{echoed}{x}" for x in "abcd" for echoed in ("", "echo of "))


async def test_of_several_processes_that_follow_each_event_is_acted_on_by_one(log_url: str) -> None:
    async with following(log_url) as (one, first, _), following(log_url) as (other, second, _):
        for number in range(20):
            await (one, other)[number % 2].live.append(changes(event(wrote(str(number)))))
        await until(lambda: first.position == second.position == one.store.head() == 40)
        assert sorted(texts(one)) == sorted(f"{e}{n}" for n in range(20) for e in ("", "echo of "))


async def test_what_fails_unexpectedly_is_set_aside_and_what_comes_after_is_acted_on(log_url: str) -> None:
    registry = CollectorRegistry()
    async with following(log_url, broken=True) as (here, follower, _):
        follower.measure(registry)
        await here.live.append(changes(event(wrote("bad")), event(wrote("good"))))
        await caught_up(here, follower)
        await until(lambda: follower.set_aside == 1)
        assert texts(here) == ["bad", "good", "echo of good"]
        (letter,) = here.store.dead_letters(NAME)
        assert (letter.position, letter.error, letter.retry) == (
            1,
            "ZeroDivisionError: a defect nobody foresaw",
            False,
        )
        assert await follower.readiness() == "acted up to position 3; 1 set aside, see `bitacora followers`"
        assert here.live.failure is None
        await here.live.readiness()
        labels = {"follower": NAME}
        assert registry.get_sample_value("follower_dead_letters", labels) == 1
        assert registry.get_sample_value("follower_position", labels) == 3


async def test_what_was_set_aside_is_tried_again_when_asked_for_and_then_acted_on_once(log_url: str) -> None:
    async with (
        following(log_url, broken=True) as (here, follower, echo),
        following(log_url, broken=True) as (_, second, other_echo),
    ):
        await here.live.append(changes(event(wrote("bad 1")), event(wrote("bad 2"))))
        await until(lambda: follower.set_aside == second.set_aside == 2)
        assert here.store.retry(NAME, 1) == 1
        await until(lambda: [*echo.tried, *other_echo.tried].count("bad 1") == 2)
        assert [letter.position for letter in here.store.dead_letters()] == [1, 2]
        echo.broken = other_echo.broken = False
        assert here.store.retry(NAME) == 2
        await until(lambda: follower.set_aside == second.set_aside == 0)
        await caught_up(here, follower)
        assert sorted(texts(here)) == ["bad 1", "bad 2", "echo of bad 1", "echo of bad 2"]
        assert here.store.retry(NAME) == 0
        assert here.store.followers() == {NAME: 4}


def test_only_one_of_two_can_set_an_event_aside(store: tuple[Store, str]) -> None:
    log, _ = store
    log.set_aside(FollowerPosition("f", 7), "broken", NOON)
    with pytest.raises(FollowerOvertaken):
        log.set_aside(FollowerPosition("f", 7), "broken", NOON)
    with pytest.raises(FollowerOvertaken):
        log.set_aside(FollowerPosition("f", 6, retry=True), "broken", NOON)


async def test_while_the_log_does_not_answer_it_waits_and_goes_on_after(postgres_url: str) -> None:
    async with (
        process(postgres_url, start=False, limits=Limits(lock=0.1)) as here,
        process(postgres_url) as writer,
    ):
        echo = Echo(here)
        follower = Follower(here.live, NAME, (Commented,), echo)
        await here.live.start()
        await writer.live.append(changes(event(wrote("a"))))
        with append_lock_held(postgres_url):
            follower.start()
            await until(lambda: len(echo.tried) > 2)
            assert here.store.dead_letters() == []
        await caught_up(here, follower)
        assert texts(here) == ["a", "echo of a"]
        await follower.stop()
        await here.live.stop()
