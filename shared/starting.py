"""How a process begins: with files private to its user, and with all it stands on; or it ends with one sentence.

The sentence names the setting, the place and the cause, because whoever reads it has only the environment to change.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from shared.errors import BitacoraError
from shared.logging import without_credentials

PRIVATE: Final = 0o077
"""The record and its keys are for the user of the services alone: what they write, nobody else reads."""
CONNECT_SECONDS: Final = 5
BACKLOG: Final = 2048


class CannotStart(ValueError):
    """Why a process cannot begin, in a sentence for whoever set it up."""


@contextmanager
def beginning() -> Iterator[None]:
    """What is done before anything is served; ends the process with a sentence when that is not possible."""
    os.umask(PRIVATE)
    try:
        yield
    except (BitacoraError, ValueError, OSError) as error:
        sys.stderr.write(f"{sentence(error)}\n")
        raise SystemExit(1) from error


def sentence(error: Exception) -> str:
    """What kept a process from beginning, for whoever set it up; without a credential in it."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used: {_cause(error)}."
    return without_credentials(str(error))


def must_be_reachable(setting: str, url: str, *, directory: bool = False) -> None:
    """CannotStart when nothing can be kept behind a URL: in an SQLite file, or a directory of them, or on a server."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        _must_be_writable(setting, path if directory else path.parent)
        if not directory and path.exists():
            _must_be_a_database(setting, path)
    else:
        _must_answer(setting, url)


def listen(host: str, port: int) -> socket.socket:
    """The socket to serve on. CannotStart when it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotStart(
            f"BITACORA_HOST names {host}, which is no address here: {_cause(error)}."
        ) from error
    try:
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotStart(
            f"Port {port} of {host} cannot be served (BITACORA_PORT, BITACORA_HOST): {_cause(error)}."
        ) from error


def _must_be_writable(setting: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"{setting} names the folder {folder}, which is not there and cannot be made: {_cause(error)}."
        ) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise CannotStart(f"{setting} names the folder {folder}, which this user may not write to.")


def _must_be_a_database(setting: str, path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise CannotStart(
            f"{setting} names the file {path}, which cannot be used: {_cause(error)}."
        ) from error
    if not os.access(path, os.W_OK):
        raise CannotStart(f"{setting} names the file {path}, which this user may not write to.")


def _must_answer(setting: str, url: str) -> None:
    try:
        place = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise CannotStart(f"{setting} cannot be read as a URL of PostgreSQL: {_cause(error)}.") from error
    host, port = place.get("host") or "this machine", place.get("port") or 5432
    seconds = place.get("connect_timeout") or CONNECT_SECONDS
    try:
        psycopg.connect(url, connect_timeout=int(seconds)).close()
    except psycopg.Error as error:
        raise CannotStart(
            f"{setting} names the database {place.get('dbname')!r} on {host}, port {port}, which cannot be used: "
            f"{_cause(error)}."
        ) from error


def _cause(error: Exception) -> str:
    """What happened, in the words of the system or the library, without the questions that they add."""
    text = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    lines = [line.strip().rpartition(" failed: ")[2] for line in text.splitlines() if not line.endswith("?")]
    return "; ".join(filter(None, lines)).rstrip(".") or type(error).__name__
