"""`bitacora verify --read-model`: the log is replayed, and every dataset compared with what came out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from services.cli import app
from services.reporting.comparison import Comparison, compare
from services.reporting.datasets import DATASETS
from shared.clock import Clock
from tests.services.reporting.stage import Stage, read_model_url, staged
from tests.services.reporting.test_generations import story
from tests.support.ledger import run_sql


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    with staged(log_url) as made:
        made.append(*story(12, 8, 60))
        made.follow()
        yield made


def tamper(stage: Stage, statement: str) -> None:
    """Change the live generation past the worker; `{}` is where its tables are."""
    generation = stage.read_model.live()
    url = read_model_url(stage.log_url)
    if url.startswith("sqlite:///"):
        run_sql(f"{url}/{generation}", statement.replace("{}.", ""))
    else:
        run_sql(url, statement.replace("{}", f'"{generation}"'))


def compared(stage: Stage) -> Comparison:
    """What a comparison finds."""
    return compare(stage.store, stage.read_model, Clock())


def wrong(found: Comparison) -> dict[str, int]:
    """The datasets in which something is, and how many rows."""
    return {one.dataset: one.wrong for one in found.datasets if one.wrong}


def test_a_read_model_that_says_what_the_log_says_is_told_so_and_every_dataset_is_looked_at(
    stage: Stage,
) -> None:
    reached = stage.reached()
    stage.append(*[("C-000", event) for _, event in story(13, 1, 3)[1:]])
    found = compared(stage)
    assert found.agrees
    assert found.position == reached, "what the worker has yet to read is no difference"
    assert [one.dataset for one in found.datasets] == [one.name for one in DATASETS]
    assert {one.dataset: one.rows for one in found.datasets} == {
        name: len(rows) for name, rows in stage.rows().items()
    }


def test_a_changed_a_missing_and_a_surplus_row_are_each_found_where_they_are(stage: Stage) -> None:
    states = next(one for one in DATASETS if one.name == "commitment_states").table
    with stage.read_model.reading() as reading:
        codes = reading.connection.scalars(select(states.c.code).distinct().order_by(states.c.code)).all()
    before = {name: len(rows) for name, rows in stage.rows().items()}
    tamper(stage, f"UPDATE {{}}.commitment_states SET code = 'X' WHERE code = '{codes[0]}'")  # noqa: S608
    found = compared(stage)
    assert set(wrong(found)) == {"commitment_states"}
    shown = next(one.shown for one in found.datasets if one.wrong)[0]
    assert f'code is "X" and should be "{codes[0]}"' in shown.what
    assert "commitment_id" in shown.key

    tamper(stage, f"UPDATE {{}}.commitment_states SET code = '{codes[0]}' WHERE code = 'X'")  # noqa: S608
    assert compared(stage).agrees
    tamper(stage, f"DELETE FROM {{}}.commitment_states WHERE code = '{codes[1]}'")  # noqa: S608
    found = compared(stage)
    missing = before["commitment_states"] - len(stage.rows()["commitment_states"])
    assert wrong(found) == {"commitment_states": missing}
    assert {row.what for one in found.datasets for row in one.shown} == {"it is missing"}

    stage.rebuild()
    tamper(
        stage,
        "INSERT INTO {}.readers (thing_id, organization, concerned, known_from, known_to) "
        "SELECT thing_id, 'GHOST', concerned, known_from, known_to FROM {}.readers LIMIT 1",
    )
    found = compared(stage)
    assert wrong(found) == {"readers": 1}
    assert [row.what for one in found.datasets for row in one.shown] == ["the log knows of no such row"]


def test_the_command_ends_with_status_one_and_names_the_dataset(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITACORA_LOG_URL", stage.log_url)
    monkeypatch.setenv("BITACORA_READ_MODEL_URL", read_model_url(stage.log_url))
    monkeypatch.setenv("BITACORA_DATA_DIR", str(tmp_path))
    run = CliRunner().invoke
    done = run(app, ["verify", "--read-model"])
    assert done.exit_code == 0, done.output
    assert "The read model says what the log says" in done.output
    tamper(stage, "UPDATE {}.commitment_states SET code = 'X'")
    done = run(app, ["verify", "--read-model"])
    assert done.exit_code == 1
    assert "commitment_states:" in done.output
    assert 'code is "X" and should be' in done.output
