"""Applications and projections of the `eventsourcing` library on our log, with nothing but that library's own parts."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory, InfrastructureFactoryError

from shared.clock import Clock
from shared.eventlog import codec, library
from shared.eventlog.library import LogEvent
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.store import LogNotReady, Store
from shared.eventlog.verification import verify
from shared.events.commitments import Registered
from shared.events.facts import Unknown
from tests.support.ledger import DAY, changes, wrote
from tests.support.ledger import event as new_event

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "tally.py"


@pytest.fixture
def log(log_url: str) -> Iterator[Store]:
    with closing(open_store(log_url)) as store:
        store.migrate()
        yield store


@pytest.fixture
def env(log_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": library.__name__,
        "BITACORA_LOG_URL": log_url,
        "TALLY_DB": str(tmp_path / "tally.db"),
    }


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tally_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def register(store: Store, *organizations: str) -> int:
    """Commitments are registered, and other things happen; the position of the last registration."""
    last = 0
    for organization in organizations:
        registered = Registered(
            code=f"{organization}-{uuid4()}",
            title="A promise",
            lead_organization=organization,
            effective_on=DAY,
        )
        (appended,) = store.append([changes(new_event(registered))], datetime.now(UTC))
        last = appended.last
        store.append([changes(new_event(wrote("beside")))], datetime.now(UTC))
    return last


def test_a_projection_of_another_team_follows_our_log_and_resumes(
    log: Store, env: dict[str, str], example: ModuleType
) -> None:
    last = register(log, "HEALTH", "JUSTICE", "HEALTH")
    with example.runner(env) as running:
        running.wait(last, timeout=30)
        assert running.projection.view.figures() == {"HEALTH": 2, "JUSTICE": 1}
        last = register(log, "INTERIOR")
        running.wait(last, timeout=30)
    last = register(log, "HEALTH")
    with example.runner(env) as running:
        running.wait(last, timeout=30)
        assert running.projection.view.figures() == {"HEALTH": 3, "JUSTICE": 1, "INTERIOR": 1}


class Dog(Aggregate):
    """The library's own kind of aggregate."""

    @event("Registered")
    def __init__(self, name: str) -> None:
        self.name = name
        self.tricks: list[str] = []

    @event("TrickAdded")
    def add_trick(self, trick: str) -> None:
        self.tricks.append(trick)


async def test_an_application_of_the_library_works_on_our_log_and_our_services_pass_over_its_events(
    log: Store, env: dict[str, str]
) -> None:
    register(log, "HEALTH")
    with Application[UUID](env=env) as dogs:
        dog = Dog("Fido")
        dog.add_trick("roll over")
        dogs.save(dog)
        again: Dog = dogs.repository.get(dog.id)
        again.add_trick("play dead")
        dogs.save(again)
        found: Dog = dogs.repository.get(dog.id)
        assert found.tricks == ["roll over", "play dead"]
        notifications = dogs.recorder.select_notifications(start=1, limit=10)
        events = [dogs.mapper.to_domain_event(one) for one in notifications]
        assert isinstance(events[0], LogEvent)
        assert (events[0].type, events[0].position) == ("commitments.registered", 1)
        assert [type(one).__name__ for one in events[2:]] == ["Registered", "TrickAdded", "TrickAdded"]
    assert verify(log).sound
    lines = log.read(2, 10)
    assert all(isinstance(codec.decode(line, position).data, Unknown) for position, line in lines)
    live = LiveLog(log, Clock())
    await live.start()
    assert live.position == 5
    await live.stop()


def test_the_factory_says_what_the_log_is_not_for(log: Store, env: dict[str, str]) -> None:
    factory = InfrastructureFactory.construct(env)
    assert isinstance(factory, library.Factory)
    with pytest.raises(InfrastructureFactoryError, match="not snapshots"):
        factory.aggregate_recorder("snapshots")
    packed = InfrastructureFactory.construct(env | {"COMPRESSOR_TOPIC": "zlib"})
    with pytest.raises(InfrastructureFactoryError, match="plain JSON"):
        packed.mapper()
    nowhere = InfrastructureFactory.construct({"PERSISTENCE_MODULE": library.__name__})
    with pytest.raises(InfrastructureFactoryError, match="BITACORA_LOG_URL"):
        nowhere.application_recorder()
    factory.tracking_recorder()
    factory.process_recorder()
    factory.close()


def test_an_application_does_not_start_on_a_log_without_tables(log_url: str, env: dict[str, str]) -> None:
    with pytest.raises(LogNotReady):
        Application(env=env)
