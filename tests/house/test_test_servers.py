"""The PostgreSQL servers that the tests themselves stand on."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.postgres import PostgresServer, fresh_database


def test_each_test_gets_an_empty_database_of_its_own(postgres_server: str) -> None:
    with fresh_database(postgres_server) as one, fresh_database(postgres_server) as other:
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE seen (id int)")
        with psycopg.connect(other) as connection, pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM seen")


def test_a_database_goes_away_even_while_somebody_is_connected(postgres_server: str) -> None:
    with fresh_database(postgres_server) as url:
        lingering = psycopg.connect(url)
    with lingering, pytest.raises(psycopg.OperationalError):
        lingering.execute("SELECT 1")


def test_the_log_fixture_offers_both_engines(log_url: str) -> None:
    assert log_url.startswith(("sqlite:////", "postgresql://"))


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_private_server_comes_back_on_its_port_with_what_was_committed(
    private_postgres: PostgresServer, way: str
) -> None:
    url = private_postgres.url
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    getattr(private_postgres, way)()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url).close()
    private_postgres.start()
    assert private_postgres.url == url
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
