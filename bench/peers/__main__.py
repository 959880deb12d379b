"""`python -m bench.peers [--seconds 3] [--rounds 3]`: one append at a time and sixteen writers, ours and the others'.

Every append writes one event of about 400 bytes to a stream of its own and is durable when it returns. The others are
installed when this runs (npm) or come with what is installed (the `eventsourcing` library, pgbench); what cannot be had
is named and left out. Rounds alternate; the table gives medians.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import NamedTuple
from uuid import uuid4

import psycopg
import typer
import uvloop
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from rich.console import Console
from rich.table import Table

from bench.postgres import fresh_database, postgres_server
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from tests.support.ledger import changes, event, wrote

WRITERS = 16
TEXT = "x" * 200
HERE = Path(__file__).parent
console = Console()


class Absent(Exception):
    """Why a peer cannot be measured here, in a sentence."""


class Peer(NamedTuple):
    """One way of appending: what it is, and its appends a second by so many writers for so many seconds."""

    name: str
    rate: Callable[[str, int, float], float]


# --- ours ------------------------------------------------------------------------------------------------------------


def ours(url: str, writers: int, seconds: float) -> float:
    """What a request of a service does: group commit in one process, awaited by so many at once."""
    with closing(open_store(url)) as store:
        store.migrate()
        return uvloop.run(_append_through(LiveLog(store, Clock()), writers, seconds))


async def _append_through(live: LiveLog, writers: int, seconds: float) -> float:
    await live.start()
    for _ in range(50):
        await live.append(changes(event(wrote(TEXT))))
    written = 0
    began = time.perf_counter()

    async def write() -> None:
        nonlocal written
        while time.perf_counter() - began < seconds:
            await live.append(changes(event(wrote(TEXT))))
            written += 1

    await asyncio.gather(*(write() for _ in range(writers)))
    rate = written / (time.perf_counter() - began)
    await live.stop()
    return rate


def our_function(url: str, writers: int, seconds: float) -> float:
    """The SQL function alone, called by pgbench."""
    with closing(open_store(url)) as store:
        store.migrate()
    line = '{"type":"commitments.commented","data":{"text":"' + TEXT + '"}}'
    type_ = "commitments.commented"
    return _pgbench(
        url,
        writers,
        seconds,
        f"SELECT head FROM bitacora_append(gen_random_uuid(), 1, '{type_}', '{line}'::bytea, now(), false);",  # noqa: S608
    )


# --- the others ------------------------------------------------------------------------------------------------------


def one_row(url: str, writers: int, seconds: float) -> float:
    """The floor: one row into one table with one index."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS one_row (id bigserial PRIMARY KEY, body text)")
    return _pgbench(url, writers, seconds, f"INSERT INTO one_row (body) VALUES ('{TEXT * 2}');")  # noqa: S608


def message_db(url: str, writers: int, seconds: float) -> float:
    """Its `write_message`, called by pgbench."""
    sql = _npm("@eventide/message-db") / "node_modules/@eventide/message-db/database"
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regnamespace('message_store')").fetchone() == (None,):
            for name in ("schema/message-store.sql", "extensions/pgcrypto.sql"):
                try:
                    connection.execute((sql / name).read_bytes())
                except psycopg.errors.FeatureNotSupported as error:
                    raise Absent(
                        "this server has no pgcrypto: name another in BITACORA_BENCH_POSTGRES_URL"
                    ) from error
            connection.execute("SET search_path = message_store, public")
            connection.execute("SET check_function_bodies = off")
            for path in [sql / "tables/messages.sql", *_files(sql, "types", "functions", "indexes")]:
                connection.execute(path.read_bytes())
        database = psycopg.sql.Identifier(connection.info.dbname)
        connection.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET search_path = public, message_store").format(database)
        )
    data = '{"text": "' + TEXT + '", "recorded_by": "' + TEXT[:100] + '"}'
    return _pgbench(
        url,
        writers,
        seconds,
        "SELECT message_store.write_message(gen_random_uuid()::varchar, 'ledger-' || gen_random_uuid(), 'Commented', "
        f"'{data}'::jsonb, NULL, -1);",
    )


def _files(root: Path, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((root / folder).glob("*.sql"))


def emmett(url: str, writers: int, seconds: float) -> float:
    """Its PostgreSQL store, in one Node process."""
    node = shutil.which("node")
    if node is None:
        raise Absent("emmett needs Node, which is not installed")
    place = _npm("@event-driven-io/emmett-postgresql", "@event-driven-io/emmett")
    shutil.copy(HERE / "emmett.mjs", place)
    done = subprocess.run(
        [node, "emmett.mjs", url, str(writers), str(seconds), TEXT],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    if done.returncode != 0:
        raise Absent(f"emmett did not run: {done.stderr.strip()[-200:]}")
    return float(done.stdout.split()[-1])


def library(url: str, writers: int, seconds: float) -> float:
    """The stock recorder of the `eventsourcing` library, as it comes: its table lock on, a thread for each writer."""
    at = psycopg.conninfo.conninfo_to_dict(url)
    datastore = PostgresDatastore(
        dbname=str(at["dbname"]),
        host=str(at["host"]),
        port=str(at["port"]),
        user=str(at["user"]),
        password=str(at.get("password", "")),
        pool_size=writers,
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="library_events")
    recorder.create_table()
    written = [0] * writers
    began = time.perf_counter()

    def write(number: int) -> None:
        while time.perf_counter() - began < seconds:
            recorder.insert_events([StoredEvent(uuid4(), 1, "Commented", TEXT.encode() * 2)])
            written[number] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(written) / (time.perf_counter() - began)
    datastore.close()
    return rate


def _pgbench(url: str, writers: int, seconds: float, statement: str) -> float:
    program = shutil.which("pgbench")
    if program is None:
        raise Absent("pgbench is not installed")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(statement)
        script.flush()
        shape = ["-M", "prepared", "-c", str(writers), "-j", "1", "-T", str(max(1, round(seconds)))]
        done = subprocess.run(
            [program, "-n", *shape, "-f", script.name, url],
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise Absent(f"pgbench did not run: {done.stderr.strip()[-200:]}")
    return float(found[1])


_installed: dict[tuple[str, ...], Path] = {}


def _npm(*packages: str) -> Path:
    """A folder into which these packages were installed; they are used from there and never kept."""
    if packages not in _installed:
        npm = shutil.which("npm")
        if npm is None:
            raise Absent("npm is not installed")
        place = Path(tempfile.mkdtemp(prefix="bitacora-peers-"))
        done = subprocess.run(
            [npm, "install", "--no-save", "--no-audit", "--no-fund", *packages],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            env={**os.environ, "npm_config_update_notifier": "false"},
        )
        if done.returncode != 0:
            shutil.rmtree(place)
            raise Absent(f"npm could not install {', '.join(packages)}")
        _installed[packages] = place
    return _installed[packages]


PEERS = (
    Peer("pgbench, one row into one table", one_row),
    Peer("ours: the SQL function, by pgbench", our_function),
    Peer("message-db: write_message, by pgbench", message_db),
    Peer("ours: a process of ours, group commit", ours),
    Peer("emmett: its PostgreSQL store, Node", emmett),
    Peer("eventsourcing: its stock recorder", library),
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(seconds: float = 3.0, rounds: int = 3) -> None:
    """Print the table."""
    found: dict[tuple[str, int], list[float]] = {}
    absent: dict[str, str] = {}
    try:
        with postgres_server() as (server, origin):
            console.print(f"PostgreSQL: {origin}")
            for _ in range(rounds):
                for peer in PEERS:
                    for writers in (1, WRITERS):
                        if peer.name in absent:
                            continue
                        with fresh_database(server) as url:
                            try:
                                rate = peer.rate(url, writers, seconds)
                            except Absent as reason:
                                absent[peer.name] = str(reason)
                            else:
                                found.setdefault((peer.name, writers), []).append(rate)
    finally:
        for place in _installed.values():
            shutil.rmtree(place, ignore_errors=True)
    table = Table(
        "appends a second, durable", "one at a time", f"{WRITERS} writers", title="The log and its peers"
    )
    for peer in PEERS:
        if peer.name in absent:
            table.add_row(peer.name, f"left out: {absent[peer.name]}", "")
        else:
            table.add_row(peer.name, *(f"{median(found[peer.name, n]):,.0f}" for n in (1, WRITERS)))
    console.print(table)


if __name__ == "__main__":
    app()
