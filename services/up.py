"""Runs the whole of Bitácora on one machine: the services and the projection worker as child processes.

The children are the same commands that an installation runs in containers. When one of them ends, all are stopped; when
we are told to stop, they are asked to finish and waited for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from types import FrameType

import httpx

from services.terminal import say

SERVICES = ("commitments", "meetings", "reporting")
GRACE = 15.0
"""Seconds the children have to finish once they are asked to."""


class CannotStart(Exception):
    """Why the services could not be started, in a sentence for the person at the terminal."""


class Children:
    """The processes of one run, each under its name."""

    def __init__(self, environ: Mapping[str, str], first_port: int) -> None:
        self._environ = dict(environ)
        self.ports = {name: first_port + number for number, name in enumerate(SERVICES)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def url(self, service: str) -> str:
        """Where a service answers."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def must_have_ports(self) -> None:
        """CannotStart when a port is taken, with three others that are not."""
        for port in self.ports.values():
            if _taken(port):
                free = next(
                    first
                    for first in range(max(self.ports.values()) + 98, 65000, 100)
                    if not any(map(_taken, range(first, first + len(self.ports))))
                )
                raise CannotStart(
                    say(
                        "Port {port} is in use. Others are free: `make run PORT={free}`, or `bitacora up "
                        "--first-port {free}`.",
                        port=port,
                        free=free,
                    )
                )

    def start(self) -> None:
        """Start them all. CannotStart when a port is taken."""
        self.must_have_ports()
        for name, port in self.ports.items():
            self._begin(
                name,
                f"services.{name}",
                BITACORA_HOST="127.0.0.1",
                BITACORA_PORT=str(port),
                BITACORA_REPORTING_URL=self.url("reporting"),
            )
        self._begin("worker", "services.reporting.follow")

    def _begin(self, name: str, module: str, **settings: str) -> None:
        self._processes[name] = subprocess.Popen(  # noqa: S603 - our own modules, by our own interpreter
            [sys.executable, "-m", module],
            env=self._environ | settings,
            # A Ctrl-C at the terminal is for us; we stop the children in our own order.
            start_new_session=True,
        )

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait until every service says it is ready. CannotStart when one ends first or time runs out."""
        deadline = time.monotonic() + seconds
        for name in self.ports:
            while not _ready(self.url(name)):
                self._fail_if_ended()
                if time.monotonic() > deadline:
                    raise CannotStart(
                        say(
                            "The {name} service was not ready within {seconds:g} seconds.",
                            name=name,
                            seconds=seconds,
                        )
                    )
                time.sleep(0.05)

    def serve(self) -> None:
        """Sleep until we are told to stop, or a child ends by itself (CannotStart)."""
        while not self.stopping:
            self._fail_if_ended()
            time.sleep(0.2)

    def _fail_if_ended(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None and not self.stopping:
                raise CannotStart(
                    say(
                        "The {name} process ended by itself (exit status {returncode}).",
                        name=name,
                        returncode=process.returncode,
                    )
                )

    def stop(self) -> None:
        """Ask every child to finish, wait, and end whatever does not."""
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE
        for process in self._processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            if process.poll() is None:
                process.kill()
                process.wait()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Started on entry; stopped on leaving, whatever the reason: an error, Ctrl-C or SIGTERM."""

        def stop(_signal: int, _frame: FrameType | None) -> None:
            self.stopping = True
            raise KeyboardInterrupt

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.start()
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self.stopping = True
            self.stop()


def child_environment() -> dict[str, str]:
    """Our own environment, with access logs off: a person reads this terminal."""
    return {
        "BITACORA_ACCESS_LOG": "false",
        "BITACORA_LOG_LEVEL": "warning",
        "BITACORA_LOG_FORMAT": "console",
    } | dict(os.environ)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).status_code == 200
    except httpx.TransportError:
        return False
