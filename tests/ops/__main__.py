"""`make ops-test`: an installation on two machines and more, what operations do to it, and what must be true after.

A cluster of PostgreSQL under Patroni with a standby that commits synchronously, etcd, pgBackRest, and two processes of
each service and of the worker stand on this machine. Under load that keeps a ledger the machine that leads is killed,
our own processes are killed, and the record is taken back to a moment, in turn with services stopped and under them.
Then the ledger is held against the log.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from tests.ops.clients import Clients
from tests.ops.cluster import USER, Cluster, missing, moment_of
from tests.ops.fleet import Fleet
from tests.ops.programs import OpsFailed, ports_from, until

BACK = 30.0
"""Seconds within which writes are back after the machine that leads has died."""
TRUE_WITHIN = 2.5
"""Seconds within which readiness has noticed: a try of the way of an append holds for one, and one may take another."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Run:
    """One installation, and what was measured on it."""

    def __init__(self, home: Path, ports: Iterator[int]) -> None:
        self.home = home
        self.logs = home / "logs"
        self.logs.mkdir(mode=0o777)
        self.logs.chmod(0o777)
        (home / "cluster").mkdir()
        (home / "data").mkdir()
        self.cluster = Cluster(home / "cluster", self.logs, ports)
        self.fleet = Fleet(self.cluster.url, ports, home / "data", self.logs)
        self.clients = Clients(self.fleet)
        self.rng = random.Random(20)
        self.figures: dict[str, object] = {}
        self._began = time.monotonic()

    def say(self, sentence: str) -> None:
        """Tell how far it is."""
        print(f"{time.monotonic() - self._began:7.1f} s  {sentence}", flush=True)

    def set_up(self) -> None:
        """The cluster, the database, our processes, a first backup, and clients at work."""
        self.cluster.start()
        self.cluster.make_database()
        self.fleet.migrate()
        self.fleet.start()
        self.say(
            "Two nodes of PostgreSQL under Patroni, three of etcd; two processes of each of ours are ready."
        )
        self.cluster.backup()
        self.clients.start()
        self.clients.wait_writes(time.monotonic())
        self.say("Backed up; clients write and read.")

    def fail_over(self, times: int) -> None:
        """Kill the machine that leads, again and again."""
        back: list[float] = []
        for number in range(times):
            leader = self.cluster.wait_leader()
            killed = time.monotonic()
            leader.kill()
            back.append(round(self.clients.wait_writes(killed), 1))
            leader.start()
            whole = self.cluster.wait_whole()
            self.fleet.must_run()
            self.say(
                f"Machine {leader.name}, which led, killed ({number + 1} of {times}): writes back in {back[-1]} s; "
                f"a standby again {whole:.0f} s after it came back."
            )
        self.figures["failovers"] = times
        self.figures["seconds until writes were back"] = back
        if back and max(back) > BACK:
            raise OpsFailed(f"writes were back after {max(back)} s only; {BACK:g} are promised")

    def kill(self, times: int) -> None:
        """Kill processes of ours, one after the other."""
        killed: dict[str, int] = {}
        for number in range(times):
            member = self.fleet.kill_one(self.rng)
            killed[member.kind] = killed.get(member.kind, 0) + 1
            self.clients.must_be_content()
            if (number + 1) % 50 == 0 or number + 1 == times:
                self.say(f"{number + 1} of {times} processes of ours killed and started again: {killed}.")
        self.figures["processes killed"] = killed

    def restore(self, times: int) -> None:
        """Back to a moment, and what an operator does afterwards."""
        lost: list[int] = []
        for number in range(times):
            stopped = number % 2 == 0
            before = time.time()
            moment = moment_of(self.cluster.url(USER, "postgres"))
            time.sleep(self.rng.uniform(1, 3))
            self.clients.stop()
            if stopped:
                self.fleet.stop()
            began = time.monotonic()
            self.cluster.restore(moment)
            if stopped:
                self.fleet.start()
            until("a node leads and all are ready", lambda: self.cluster.leader() is not None)
            self._wait_caught_up()
            took = time.monotonic() - began
            comments, bodies = self.clients.check(self.url, acknowledged_before=before)
            lost.append(len(comments) + len(bodies))
            self.clients.record_again(comments, bodies)
            self.clients.check(self.url)
            self.fleet.verify()
            self.cluster.backup()
            under = "services stopped" if stopped else "under running services"
            self.say(
                f"Back to a moment ({number + 1} of {times}), {under}: {took:.0f} s until all are ready; "
                f"{lost[-1]} acknowledged after it are lost, as they must be, and recorded again."
            )
            self.clients.start()
            self.clients.wait_writes(time.monotonic())
        self.figures["restores"] = times
        self.figures["lost with each restore and recorded again"] = lost

    @property
    def url(self) -> str:
        """The log, as its writers know it."""
        return self.cluster.url("bitacora_writer")

    def _wait_caught_up(self) -> None:
        """Wait until all are ready twice, a moment apart: who has not noticed yet is ready, too."""
        self.fleet.wait_ready()
        time.sleep(2 * TRUE_WITHIN)
        self.fleet.wait_ready()

    def finish(self) -> None:
        """End the load, and hold everything against the ledger."""
        self.clients.stop()
        self.fleet.must_run()
        self.clients.check(self.url)
        self.fleet.verify()
        untrue = self.clients.untrue(TRUE_WITHIN)
        looks = sum(map(len, self.clients.looks.values()))
        self.figures |= {
            "acknowledged writes": len(self.clients.told) + len(self.clients.bodies),
            "requests": sum(map(len, self.clients.requests.values())),
            "looks at readiness": looks,
            "of them not true": len(untrue),
            "longest wait for a write on the board, seconds": round(self.clients.latest_on_board, 2),
            "seconds": round(time.monotonic() - self._began),
        }
        if untrue:
            raise OpsFailed(
                f"readiness was not true {len(untrue)} times of {looks}:\n" + "\n".join(untrue[:20])
            )
        self.say(
            "Nothing acknowledged is lost or doubled; the read model says what the log says; readiness was true."
        )


def out_of_time(_signal: int, _frame: FrameType | None) -> None:
    """The whole run has lasted too long, or somebody wants it to end."""
    raise OpsFailed("stopped: it took longer than --minutes, or was told to end")


@app.command()
def main(
    failovers: Annotated[
        int, typer.Option(min=0, max=100, help="How often the machine that leads is killed.")
    ] = 3,
    kills: Annotated[int, typer.Option(min=0, max=1000, help="How many processes of ours are killed.")] = 20,
    restores: Annotated[
        int, typer.Option(min=0, max=20, help="How often the record goes back to a moment.")
    ] = 2,
    minutes: Annotated[int, typer.Option(min=1, max=360, help="After which it is given up.")] = 30,
    first_port: Annotated[
        int, typer.Option(help="The first of twenty ports; those in use are passed over.")
    ] = 8200,
    keep: Annotated[bool, typer.Option(help="Leave files and logs where they are, to be looked at.")] = False,
) -> None:
    """Do to an installation on this machine what operations do, and compare."""
    if lack := missing():
        print(lack, file=sys.stderr)
        raise typer.Exit(1)
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, out_of_time)
    signal.alarm(minutes * 60)
    home = Path(tempfile.mkdtemp(prefix="bitacora-ops-", dir="/tmp"))
    home.chmod(0o755)
    run = Run(home, ports_from(first_port))
    status = 0
    try:
        run.set_up()
        run.fail_over(failovers)
        run.kill(kills)
        run.restore(restores)
        run.finish()
    except (OpsFailed, OSError) as failure:
        status = 1
        print(f"FAILED: {failure}", file=sys.stderr)
        print(run.cluster.last_words(), file=sys.stderr)
    finally:
        signal.alarm(0)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        run.clients.give_up()
        for member in run.fleet.members:
            member.program.kill()
        run.cluster.stop()
        if keep:
            print(f"What each program said is in {run.logs}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    print(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), **run.figures}, indent=2))
    raise typer.Exit(status)


app()
