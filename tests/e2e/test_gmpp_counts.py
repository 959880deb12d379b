"""Ten years of a real portfolio, imported, counted on every snapshot date, and compared with the file itself.

The counts to compare with are made here from the CSV by a few lines that share nothing with the importer or the rule:
they read the compiler's normalised colour, where the mapping reads the rating as published.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from services.commitments.importing.decisions import CommitmentImport
from services.commitments.importing.leads import NamingReport
from services.reporting.datasets import Schema
from services.reporting.generations import open_read_model
from services.reporting.queries.access import scope_of
from services.reporting.queries.board import board_as_of, grouped_board_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from services.reporting.rebuild import rebuild
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.events.commitments import Registered
from shared.identity.actor import Actor, Role
from shared.rules.dated_facts import DatedFacts
from shared.rules.traffic_light import verdict_on
from shared.tabular.engine import run_import

ROOT = Path(__file__).parents[2]
OBSERVATIONS = ROOT.parent / "shared/data/uk-gmpp/observations.csv"
MAPPING = ROOT / "docs/examples/uk-gmpp.toml"

PUBLIC = scope_of(None)
pytestmark = pytest.mark.skipif(not OBSERVATIONS.exists(), reason="there is no data folder here")

SNAPSHOTS = {f"{year}": date(year - 1, 9, 30) for year in range(2014, 2021)} | {
    f"{year}": date(year, 3, 31) for year in (2021, 2022, 2023)
}
COLOURS = {
    "Green": "on_track",
    "Amber/Green": "on_track",
    "Amber": "at_risk",
    "Amber/Red": "at_risk",
    "Red": "at_risk",
    "Exempt/Not published": None,
    "Reset": None,
}
DAYS = [*sorted(SNAPSHOTS.values()), date(2016, 10, 1), date(2020, 12, 31), date(2031, 1, 1)]


class Counts(NamedTuple):
    by_judgement: dict[str | None, int]
    by_status: dict[str, int]


class Portfolio(NamedTuple):
    store: Store
    report: NamingReport
    url: str


# --- straight from the file -----------------------------------------------------------------------------------------


@cache
def rows_of_the_file() -> dict[str, list[tuple[date, str | None, date | None]]]:
    """By project, in order of days: the day, the judgement, and the end date if the row gives one."""
    rows: dict[str, dict[date, tuple[date, str | None, date | None]]] = defaultdict(dict)
    with OBSERVATIONS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            day = SNAPSHOTS[row["snapshot_year"]]
            found = (day, COLOURS[row["dca_rating"]], end_date(row["end_date"]))
            rows[row["match_key"]].setdefault(day, found)  # of two rows the first stands
    return {project: sorted(by_day.values(), key=lambda row: row[0]) for project, by_day in rows.items()}


def end_date(text: str) -> date | None:
    if match := re.fullmatch(r"(\d\d)[/.](\d\d)[/.](\d{4})", text):
        return date(int(match[3]), int(match[2]), int(match[1]))
    if match := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", text):
        return date(2000 + int(match[3]), int(match[2]), int(match[1]))
    if match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    return None


def counted_in_the_file(on: date) -> Counts:
    judgements: Counter[str | None] = Counter()
    statuses: Counter[str] = Counter()
    for history in rows_of_the_file().values():
        known = [row for row in history if row[0] <= on]
        if not known:
            continue
        judgement = known[-1][1]
        promised = [row[2] for row in known if row[2] is not None]
        judgements[judgement] += 1
        if promised and promised[-1] < on:
            statuses["delayed"] += 1
        elif judgement == "at_risk":
            statuses["needs_attention"] += 1
        else:
            statuses["on_time"] += 1
    return Counts(dict(judgements), dict(statuses))


# --- from the record ------------------------------------------------------------------------------------------------


def enter(store: Store, subject: str, clock: Clock) -> NamingReport:
    return run_import(
        store,
        lambda state: CommitmentImport(state, OBSERVATIONS, MAPPING),
        actor=Actor(subject, "DCI", Role.DCI),
        clock=clock,
    )


@contextmanager
def imported(url: str) -> Iterator[Portfolio]:
    store = open_store(url)
    try:
        store.migrate()
        yield Portfolio(store, enter(store, "import", Clock()), url)
    finally:
        store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def portfolio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portfolio]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('portfolio') / 'bitacora.db'}"
    else:
        url = request.getfixturevalue("module_postgres_url")
    with imported(url) as found:
        yield found


@pytest.fixture(scope="module")
def reading(portfolio: Portfolio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """The read model that reporting answers from, built from this log."""
    postgres = portfolio.url.startswith("postgresql")
    read_model = open_read_model(
        portfolio.url if postgres else f"sqlite:///{tmp_path_factory.mktemp('reporting')}",
        Schema(Clock().zone.key),
    )
    try:
        read_model.prepare()
        rebuild(portfolio.store, read_model, Clock(), grace=0)
        with read_model.reading() as connection:
            yield connection
    finally:
        read_model.close()


@pytest.fixture(scope="module")
def replayed(portfolio: Portfolio) -> list[DatedFacts]:
    facts: dict[object, DatedFacts] = {}
    for position, line in portfolio.store.read(0, 1_000_000):
        recorded = codec.decode(line, position)
        if isinstance(recorded.data, Registered):
            facts[recorded.stream_id] = DatedFacts(recorded.data, position)
        elif recorded.stream_id in facts:
            facts[recorded.stream_id].apply(recorded.data, position)
    return list(facts.values())


def counted_in_the_log(replayed: list[DatedFacts], on: date) -> Counts:
    standings = [standing for facts in replayed if (standing := facts.on_day(on)) is not None]
    return Counts(
        dict(Counter(standing.judgement and standing.judgement.value for standing in standings)),
        dict(Counter(str(verdict_on(standing, on).status) for standing in standings)),
    )


def counted_on_the_board(reading: Reading, on: date) -> Counts:
    at = AsOf(on, reading.position, None)
    by_judgement = grouped_board_as_of(reading, at, PUBLIC, {}, ["judgement"])
    totals = board_as_of(reading, at, PUBLIC, {}, limit=1).totals
    # What was withdrawn stands in the ungrouped total only.
    assert totals.withdrawn == 0
    assert replace(totals, withdrawn=by_judgement.totals.withdrawn) == by_judgement.totals
    assert totals.registered == sum(totals.by_status.values())
    return Counts(
        {item["judgement"]: item["count"] for item in by_judgement.items},
        {status: count for status, count in totals.by_status.items() if count},
    )


# --- the comparison -------------------------------------------------------------------------------------------------


def test_every_row_goes_in_but_the_one_that_stands_twice(portfolio: Portfolio) -> None:
    rows = portfolio.report.rows
    assert (rows.read, rows.imported, rows.unchanged, rows.duplicates, rows.failed) == (1727, 1726, 0, 0, 1)
    assert [(error.line, error.code) for error in portfolio.report.errors] == [
        (line_of_the_second_btlsp(), "conflicting-row")
    ]
    assert portfolio.report.events["commitments.registered"] == 657
    assert portfolio.report.events["commitments.assessed"] == 1726


def line_of_the_second_btlsp() -> int:
    """Where it stands for somebody who opens the file: rows hold line breaks, so this is no row number."""
    text = OBSERVATIONS.read_bytes().decode("utf-8")
    place = [match.start() for match in re.finditer(r"^2015,[^,\n]*,btlsp,", text, re.MULTILINE)][1]
    return text.count("\n", 0, place) + 1


@pytest.mark.parametrize("on", DAYS, ids=str)
def test_a_replay_of_the_log_gives_the_counts_of_the_file(replayed: list[DatedFacts], on: date) -> None:
    assert counted_in_the_log(replayed, on) == counted_in_the_file(on)


@pytest.mark.parametrize("on", DAYS, ids=str)
def test_the_board_of_reporting_gives_the_counts_of_the_file(reading: Reading, on: date) -> None:
    assert counted_on_the_board(reading, on) == counted_in_the_file(on)


def test_on_the_first_of_october_2016_the_board_is_that_of_the_2017_snapshot(reading: Reading) -> None:
    with OBSERVATIONS.open(encoding="utf-8", newline="") as file:
        published = [row for row in csv.DictReader(file) if row["snapshot_year"] <= "2017"]
    found = counted_on_the_board(reading, date(2016, 10, 1))
    assert sum(found.by_judgement.values()) == len({row["match_key"] for row in published})


def test_before_the_first_snapshot_there_is_nothing(reading: Reading, replayed: list[DatedFacts]) -> None:
    eve = min(SNAPSHOTS.values()) - timedelta(days=1)
    assert counted_on_the_board(reading, eve) == counted_in_the_log(replayed, eve) == Counts({}, {})


def test_a_second_run_adds_nothing(portfolio: Portfolio) -> None:
    head = portfolio.store.head()
    clock = Clock(now=lambda: datetime(2040, 1, 1, tzinfo=UTC))
    again = enter(portfolio.store, "other", clock)
    assert portfolio.store.head() == head
    assert (again.rows.imported, again.rows.unchanged, again.rows.failed) == (0, 1726, 1)
    assert again.events == {}
