"""Two machines with PostgreSQL under Patroni, three with etcd, and a repository of pgBackRest: all on this loopback.

Everything is set up by the files of `deploy/patroni`, as `docs/operating.md` says; what is a machine of its own there
has ports and a directory of its own here.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from tests.ops.programs import OpsFailed, Program, family, kill, plain_environment, run, until
from tests.support.deployment import ROOT

FILES = ROOT / "deploy/patroni"
USER = "postgres"
NEEDED = {
    "patroni": "patroni",
    "patronictl": "patroni",
    "etcd": "etcd-server",
    "pgbackrest": "pgbackrest",
    "psql": "postgresql",
}
"""Programs, and the package of Debian that has each."""
NAMES = ("one", "two", "three")
LEADS = ("master", "primary")
STREAMING = ("running", "streaming")
"""The same in the words of older and newer versions of Patroni."""


def missing() -> str | None:
    """What this machine lacks, with how to install it; None when nothing."""
    packages = {package for program, package in NEEDED.items() if shutil.which(program) is None}
    if not any(_binaries()):
        packages.add("postgresql")
    if packages:
        return f"This needs {', '.join(sorted(packages))}: apt-get install {' '.join(sorted(packages))}"
    if os.geteuid() not in (0, pwd.getpwnam(USER).pw_uid):
        return f"PostgreSQL runs as the user {USER}: run this as root, or as {USER}."
    return None


def _binaries() -> Iterator[Path]:
    """Where PostgreSQL's own programs are, the newest version first."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    yield from sorted((path.parent for path in found), key=lambda path: -int(path.parent.name))


class Node:
    """A machine: etcd and, on two of the three, Patroni with its PostgreSQL."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.home = cluster.home / name
        self.data = self.home / "data"
        self.port, self.api, self.etcd_port, self.etcd_peer = (next(cluster.ports) for _ in range(4))
        self.etcd: Program
        self.patroni: Program
        self.environ: dict[str, str] = {}

    def settings(self) -> dict[str, str]:
        """What its Patroni and pgBackRest are told of it: all that `deploy/patroni/node.env.example` asks for."""
        cluster = self.cluster
        return {
            "PATRONI_NAME": self.name,
            "PATRONI_ETCD3_HOSTS": ",".join(f"127.0.0.1:{node.etcd_port}" for node in cluster.nodes),
            "PATRONI_RESTAPI_LISTEN": f"127.0.0.1:{self.api}",
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{self.api}",
            "PATRONI_POSTGRESQL_LISTEN": f"127.0.0.1:{self.port}",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{self.port}",
            "PATRONI_POSTGRESQL_DATA_DIR": str(self.data),
            "PATRONI_POSTGRESQL_BIN_DIR": str(next(_binaries(), "")),
            "PATRONI_POSTGRESQL_PGPASS": str(self.home / ".pgpass"),
            "PATRONI_SUPERUSER_USERNAME": USER,
            "PATRONI_SUPERUSER_PASSWORD": cluster.password,
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REPLICATION_PASSWORD": cluster.password,
            "PATRONI_REWIND_USERNAME": "rewinder",
            "PATRONI_REWIND_PASSWORD": cluster.password,
            "PGBACKREST_PG1_PATH": str(self.data),
            "PGBACKREST_PG1_PORT": str(self.port),
        }

    def make(self) -> None:
        """Its directory and its programs, once the addresses of all are known."""
        cluster = self.cluster
        self.home.mkdir(mode=0o700)
        shutil.chown(self.home, USER)
        self.environ = cluster.environ | self.settings()
        self.environ |= {"PGBACKREST_LOCK_PATH": str(self.home), "PGBACKREST_SPOOL_PATH": str(self.home)}
        peers = ",".join(f"{node.name}=http://127.0.0.1:{node.etcd_peer}" for node in cluster.nodes)
        etcd = plain_environment() | {
            "ETCD_NAME": self.name,
            "ETCD_DATA_DIR": str(self.home / "etcd"),
            "ETCD_INITIAL_CLUSTER_TOKEN": "bitacora",
            "ETCD_INITIAL_CLUSTER_STATE": "new",
            "ETCD_INITIAL_CLUSTER": peers,
            "ETCD_LISTEN_PEER_URLS": f"http://127.0.0.1:{self.etcd_peer}",
            "ETCD_INITIAL_ADVERTISE_PEER_URLS": f"http://127.0.0.1:{self.etcd_peer}",
            "ETCD_LISTEN_CLIENT_URLS": f"http://127.0.0.1:{self.etcd_port}",
            "ETCD_ADVERTISE_CLIENT_URLS": f"http://127.0.0.1:{self.etcd_port}",
        }
        self.etcd = Program(["etcd"], etcd, cluster.logs / f"etcd-{self.name}.log")
        arguments = ["patroni", str(cluster.files / "patroni.yml")]
        log = cluster.logs / f"patroni-{self.name}.log"
        self.patroni = Program(arguments, self.environ, log, cluster.user)

    def kill(self) -> None:
        """What a power cut does: etcd, Patroni and PostgreSQL with all its sessions are gone at once."""
        self.etcd.kill()
        server = self._postmaster()
        self.patroni.kill()
        if server is not None:
            kill(family(server))

    def start(self) -> None:
        """Its power is back."""
        if not self.etcd.runs:
            self.etcd.start()
        self.patroni.start()

    def _postmaster(self) -> int | None:
        with suppress(FileNotFoundError):
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        return None

    def asked(self, path: str) -> dict[str, Any]:
        """What its Patroni answers; nothing while it does not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.api}/{path}", timeout=2) as answer:
                told = answer.read()
        except urllib.error.HTTPError as error:
            told = error.read()
        except OSError:
            return {}
        found: dict[str, Any] = json.loads(told or b"{}")
        return found

    def pgbackrest(self, *arguments: str, seconds: float = 300) -> str:
        """Run pgBackRest on this machine."""
        command = ["pgbackrest", "--stanza=bitacora", *arguments]
        return run(command, self.environ, user=self.cluster.user, seconds=seconds)


class Cluster:
    """All machines of the cluster; `home` is a directory that becomes theirs, `logs` where their programs write."""

    def __init__(self, home: Path, logs: Path, ports: Iterator[int]) -> None:
        self.home = home
        self.ports = ports
        self.logs = logs
        self.files = home / "deploy"
        self.password = secrets.token_hex(12)
        self.user = USER if os.geteuid() == 0 else None
        self.environ = plain_environment() | {
            "LC_ALL": "C.UTF-8",
            "PGBACKREST_CONFIG": str(self.files / "pgbackrest.conf"),
            "PGBACKREST_REPO1_PATH": str(home / "repository"),
            "PGBACKREST_LOG_LEVEL_FILE": "off",
        }
        self.nodes = [Node(self, name) for name in NAMES]
        self.databases = self.nodes[:2]

    def start(self) -> None:
        """Start everything, and return when a standby commits with the leader and the archive takes what is written."""
        self.home.chmod(0o755)
        # The files as an installation has them; PostgreSQL's user may not be able to read ours.
        shutil.copytree(FILES, self.files)
        for path in (self.files, *self.files.iterdir()):
            path.chmod(0o755)
        repository = self.home / "repository"
        repository.mkdir(mode=0o700)
        shutil.chown(repository, USER)
        for node in self.nodes:
            node.make()
            node.etcd.start()
        first, second = self.databases
        first.patroni.start()
        until("the first node leads", lambda: self.leader() is first)
        first.pgbackrest("stanza-create")
        first.pgbackrest("check")
        second.patroni.start()
        self.wait_whole()

    def leader(self) -> Node | None:
        """The machine whose PostgreSQL takes writes."""
        for node in self.databases:
            told = node.asked("patroni")
            if told.get("state") == "running" and told.get("role") in LEADS:
                return node
        return None

    def wait_leader(self) -> Node:
        """The machine that leads, once one does."""
        until("some node leads", self.leader)
        found = self.leader()
        assert found is not None
        return found

    def wait_whole(self) -> float:
        """Wait until the other machine commits with the leader; the seconds it took."""
        return until("a synchronous standby", self._is_whole, 180)

    def _is_whole(self) -> bool:
        # PostgreSQL commits with the standby before Patroni has put down that this one may take over.
        leader = self.leader()
        members = leader.asked("cluster").get("members", []) if leader is not None else []
        return any(one["role"] == "sync_standby" and one["state"] in STREAMING for one in members)

    def url(self, role: str, database: str = "bitacora") -> str:
        """Where the record is, for a role: on whichever machine takes writes."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.databases)
        return (
            f"postgresql://{quote(role)}:{self.password}@{hosts}/{database}?target_session_attrs=read-write"
        )

    def make_database(self) -> None:
        """The database and its roles, as the page for operators says."""
        with psycopg.connect(self.url(USER, "postgres"), autocommit=True) as session:
            session.execute("CREATE DATABASE bitacora")
        passwords = {f"{role}_PASSWORD": self.password for role in ("OWNER", "WRITER", "REPORTING")}
        file = ROOT / "deploy/postgres/roles.sql"
        run(["psql", self.url(USER), "--quiet", "--file", file], plain_environment() | passwords)

    def backup(self) -> None:
        """A full backup, by the machine that leads."""
        self.wait_leader().pgbackrest("--type=full", "backup")

    def restore(self, moment: str) -> None:
        """Back to a moment, as the page for operators says."""
        first, second = self.databases
        for node in (second, first):
            node.patroni.stop()
        command = ["bash", str(self.files / "restore.sh"), moment, str(self.files / "patroni.yml")]
        run(command, first.environ, user=self.user, seconds=300)
        first.patroni.start()
        until("the restored node leads", lambda: self.leader() is first)
        second.data.rename(second.data.with_name(f"data.before-{secrets.token_hex(4)}"))
        second.patroni.start()
        self.wait_whole()

    def stop(self) -> None:
        """Stop everything; what does not stop is killed."""
        for node in reversed(self.databases):
            if node.environ:
                with suppress(OpsFailed):
                    node.patroni.stop()
        for node in self.nodes:
            if node.environ:
                node.kill()

    def last_words(self) -> str:
        """The end of what each of its programs said."""
        programs = [
            program for node in self.databases if node.environ for program in (node.patroni, node.etcd)
        ]
        return "\n".join(f"--- {program.log.name}\n{program.last_words()}" for program in programs)


def moment_of(url: str) -> str:
    """The present, by the clock of the server."""
    with psycopg.connect(url, autocommit=True) as session:
        row = session.execute("SELECT to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS.USOF')").fetchone()
        assert row is not None
        return str(row[0])
