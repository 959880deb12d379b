"""The processes that are measured: each started on a free port of the loopback, and ended by its process id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

START = 60.0
"""Seconds a process may take until it answers."""
END = 15.0
"""Seconds a process may take to finish when asked to."""


class DidNotRun(Exception):
    """A process ended too early, too late or badly; says what it wrote."""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    module: str,
    *arguments: str,
    environ: Mapping[str, str],
    log: Path,
    port: int | None = None,
    ready: str = "/",
) -> Iterator[int]:
    """A module of ours as a process of its own; yields its process id once GET `ready` on `port` answers 200."""
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=_environ(environ),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if port is not None:
            _wait_until_ready(process, port, ready, log, module)
        yield process.pid
        if process.poll() is not None:
            raise DidNotRun(f"{module} ended by itself ({process.returncode}): {_last_words(log)}")
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(END)
        if process.poll() is None:
            process.kill()
            process.wait()


def run(*arguments: str, environ: Mapping[str, str], log: Path, seconds: float) -> float:
    """Runs `python -m arguments…` to its end and returns the seconds it took; `DidNotRun` when it fails or lasts."""
    began = time.perf_counter()
    with log.open("w") as written:
        try:
            done = subprocess.run(
                [sys.executable, "-m", *arguments],
                env=_environ(environ),
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DidNotRun(f"{' '.join(arguments)} took more than {seconds:g} s") from error
    if done.returncode != 0:
        raise DidNotRun(f"{' '.join(arguments)} ended with {done.returncode}: {_last_words(log)}")
    return time.perf_counter() - began


def _environ(given: Mapping[str, str]) -> dict[str, str]:
    """Our own environment without any setting of Bitácora's but those given: what is measured is said here."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BITACORA_")} | dict(
        given
    )


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path, module: str) -> None:
    deadline = time.monotonic() + START
    while not _answers(port, path):
        if process.poll() is not None:
            raise DidNotRun(f"{module} did not start: {_last_words(log)}")
        if time.monotonic() > deadline:
            raise DidNotRun(f"{module} was not ready within {START:g} s: {_last_words(log)}")
        time.sleep(0.1)


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n".encode())
            return connection.recv(64)[9:12] == b"200"
    except OSError:
        return False


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
