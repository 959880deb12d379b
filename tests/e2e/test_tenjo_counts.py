"""The targets and quarterly values of a real development plan, imported, judged by reporting, and counted apart.

The counts to compare with are made here from the two CSV files by a few lines that share nothing with the importer or
the rule.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from services.commitments.importing.kinds import KINDS
from services.reporting.datasets import Schema
from services.reporting.generations import open_read_model
from services.reporting.queries.access import scope_of
from services.reporting.queries.indicators import IndicatorFilters, indicators_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from services.reporting.rebuild import rebuild
from shared.clock import Clock
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.identity.actor import Actor, Role
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.tabular.engine import run_import
from shared.tabular.kinds import chosen
from shared.tabular.report import ImportReport

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data/tenjo"
TARGETS = DATA / "plan_indicativo_metas.csv"
VALUES = DATA / "mediciones_trimestrales.csv"
CLOCK = Clock(now=lambda: datetime(2026, 2, 1, 12, tzinfo=UTC))

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="there is no data folder here")

QUARTER_ENDS = [
    date(year, month, day) for year in (2024, 2025) for month, day in ((3, 31), (6, 30), (9, 30), (12, 31))
]
FIRST_OF = {2024: date(2024, 9, 30), 2025: date(2025, 3, 31)}
"""The end of the first quarter that counts for the target of a year: the plan began in the middle of 2024."""


# --- straight from the files ----------------------------------------------------------------------------------------


@cache
def figures() -> dict[str, dict[str, dict[date, Decimal]]]:
    """By indicator: its targets by the ends of years, and what was planned and done by the ends of quarters."""
    found: dict[str, dict[str, dict[date, Decimal]]] = {}
    with TARGETS.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            targets = {date(year, 12, 31): Decimal(row[f"VALOR ESPERADO {year}"]) for year in (2024, 2025)}
            found[row["COD META PRODUCTO"]] = {"target": targets, "PLANEADO": {}, "EJECUTADO": {}}
    with VALUES.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            year, quarter = row["periodo"].split("-T")
            end = QUARTER_ENDS[(int(year) - 2024) * 4 + int(quarter) - 1]
            found[row["cod_meta_producto"]][row["tipo"]][end] = Decimal(row["valor"])
    return found


def judged_in_the_file(of: dict[str, dict[date, Decimal]], on: date) -> str | None:
    done = {end: value for end, value in of["EJECUTADO"].items() if end <= on}
    if not done or max(done).year < on.year:
        return None
    last, due = max(done), date(on.year, 12, 31)
    counted = [end for end in QUARTER_ENDS if FIRST_OF[on.year] <= end <= last]
    if any(end not in done for end in counted):
        return "incomplete"
    value = sum(done[end] for end in counted)
    if value >= of["target"][due]:
        return "met"
    if last == due:
        return "not_met"
    planned = sum(amount for end, amount in of["PLANEADO"].items() if end.year == on.year and end <= last)
    return "on_the_way" if value >= planned else "behind"


# --- from the record ------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    store: Store
    targets: ImportReport
    values: ImportReport


def enter(store: Store, file: Path, mapping: str) -> ImportReport:
    path = ROOT / "docs/examples" / mapping
    kind = chosen(path, None, KINDS)
    report: ImportReport = run_import(
        store,
        lambda state: kind.make(state, file, path),
        actor=Actor("import", "DCI", Role.DCI),
        clock=CLOCK,
    )
    return report


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('plan') / 'bitacora.db'}")
    try:
        store.migrate()
        targets = enter(store, TARGETS, "tenjo-indicators.toml")
        yield Plan(store, targets, enter(store, VALUES, "tenjo-values.toml"))
    finally:
        store.close()


@pytest.fixture(scope="module")
def reading(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    """The read model that reporting answers from, built from this log."""
    read_model = open_read_model(f"sqlite:///{tmp_path_factory.mktemp('reporting')}", Schema(CLOCK.zone.key))
    try:
        read_model.prepare()
        rebuild(plan.store, read_model, CLOCK, grace=0)
        with read_model.reading() as connection:
            yield connection
    finally:
        read_model.close()


# --- the comparison -------------------------------------------------------------------------------------------------


def test_all_targets_and_all_values_go_in(plan: Plan) -> None:
    rows = plan.targets.rows
    assert (rows.read, rows.imported, rows.failed) == (331, 331, 0)
    assert plan.targets.events["commitments.indicator_defined"] == len(figures()) == 331
    assert plan.targets.events["commitments.target_set"] == 2 * 331
    rows = plan.values.rows
    assert (rows.read, rows.imported, rows.duplicates, rows.failed) == (3555, 3555, 0, 0)
    done = sum(len(of["EJECUTADO"]) for of in figures().values())
    assert plan.values.events["commitments.measurement_recorded"] == done == 1570
    assert plan.values.events["commitments.trajectory_set"] == 2 * 331


def test_a_second_run_adds_nothing(plan: Plan) -> None:
    head = plan.store.head()
    for file, mapping in ((TARGETS, "tenjo-indicators.toml"), (VALUES, "tenjo-values.toml")):
        again = enter(plan.store, file, mapping)
        assert (again.rows.imported, again.rows.failed) == (0, 0)
    assert plan.store.head() == head


@pytest.mark.parametrize("on", QUARTER_ENDS[2:], ids=str)
def test_reporting_judges_each_indicator_as_the_files_do(reading: Reading, on: date) -> None:
    at = AsOf(on, reading.position, None)
    found = indicators_as_of(
        reading, at, scope_of(None), IndicatorFilters({}), CURRENT_INDICATOR_RULE, limit=1000
    )
    judged = {one.code: one.verdict and one.verdict.status.value for one in found.items}
    wanted = {f"tenjo-{code:0>3}": judged_in_the_file(of, on) for code, of in figures().items()}
    assert Counter(judged.values()) == Counter(wanted.values())
    assert judged == wanted
