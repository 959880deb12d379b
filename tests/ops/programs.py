"""Programs that run beside us, each in a session of its own, and their end by the ids of what was started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

PATIENCE = 120.0
"""Seconds within which everything that is waited for must have come about."""


class OpsFailed(AssertionError):
    """What did not come out as it is promised, in a sentence."""


def until(what: str, condition: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait until something is so, and return the seconds it took; OpsFailed when it never is."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise OpsFailed(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)
    return time.monotonic() - began


class Program:
    """A program that can be started, killed and started again; what it says is added to one file."""

    def __init__(
        self, arguments: Sequence[str | Path], environ: Mapping[str, str], log: Path, user: str | None = None
    ) -> None:
        self.arguments = [str(argument) for argument in arguments]
        self.environ = dict(environ)
        self.log = log
        self.user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None before it was started."""
        return None if self._process is None else self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as said:
            self._process = subprocess.Popen(
                self.arguments,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self.log.parent,
                user=self.user,
                extra_groups=[] if self.user else None,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL to it and to all that it started."""
        if self._process is not None:
            kill(family(self._process.pid))
            self._process.wait(PATIENCE)

    def ask_to_end(self) -> None:
        """SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Ask it to end and wait; what does not end by itself is killed, and said."""
        if self._process is None:
            return
        self.ask_to_end()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise OpsFailed(f"{self.arguments} did not end when it was asked to") from error

    def last_words(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


def family(pid: int) -> list[psutil.Process]:
    """A process with all that it started and that still hangs on it."""
    with suppress(psutil.NoSuchProcess):
        one = psutil.Process(pid)
        return [one, *one.children(recursive=True)]
    return []


def kill(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL to each, and wait until all are gone."""
    chosen = list(processes)
    for process in chosen:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(chosen, timeout=20)


def run(
    arguments: Sequence[str | Path],
    environ: Mapping[str, str],
    *,
    user: str | None = None,
    seconds: float = PATIENCE,
) -> str:
    """Run a command to its end and return what it said; OpsFailed when it fails or lasts."""
    words = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(
            words,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            user=user,
            extra_groups=[] if user else None,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OpsFailed(f"{' '.join(words)}: not within {seconds:g} s") from error
    if done.returncode:
        raise OpsFailed(f"{' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def ports_from(first: int) -> Iterator[int]:
    """Ports of the loopback on which nobody listens, one after the other.

    They are counted rather than left to the system, which would give one to somebody else while its program is killed.
    """
    for port in range(first, 65_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                yield port


def plain_environment() -> dict[str, str]:
    """Our own environment without any setting of Bitácora, PostgreSQL or the programs around it."""
    ours = ("BITACORA_", "PG", "PATRONI_", "ETCD", "OTEL_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
