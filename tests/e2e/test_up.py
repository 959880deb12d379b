"""`bitacora up --demo` as a newcomer runs it: what it prints, what the documents say to type next, how it stops."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.documented import Curl, commands, commands_in, curl, given
from tests.support.ports import free_ports

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "services.cli"]
NUMBERS = re.compile(r"\b[A-Z-]+-20\d\d-\d{3}\b")
"""The numbers of decisions."""

PATIENCE = 90.0
"""Seconds until everything is served, on a machine with much else to do."""


class Up:
    """A running `bitacora up`, its children, and what it has printed."""

    def __init__(self, folder: Path, first_port: int, *options: str, columns: int | None = 160) -> None:
        self.folder = folder
        self.first_port = first_port
        self._printed = folder / f"printed-{time.monotonic_ns()}"
        with self._printed.open("wb") as printed:
            self.process = subprocess.Popen(
                [*COMMAND, "up", *options, "--first-port", str(first_port)],
                cwd=ROOT,
                env=environment(folder, columns),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
        self.children: list[psutil.Process] = []

    @property
    def printed(self) -> str:
        """Everything on the terminal so far."""
        return self._printed.read_text(encoding="utf-8", errors="replace")

    def wait_until_serving(self) -> None:
        """Until it says that it serves."""
        deadline = time.monotonic() + PATIENCE
        while "\nServing; data in" not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.05)
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals) -> int:
        """Sends it a signal; the exit status with which it ended."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def url(self, service: str) -> str:
        """Where a service is."""
        return f"http://127.0.0.1:{self.first_port + ('commitments', 'meetings', 'reporting').index(service)}"

    def here(self, text: str) -> str:
        """The same text with the ports of this run in the stead of the usual ones."""
        return re.sub(
            r"(127\.0\.0\.1:)(800[123])\b", lambda m: m[1] + str(int(m[2]) - 8001 + self.first_port), text
        )

    def head(self) -> int:
        """The last position of the log."""
        with httpx.Client() as client:
            answer = client.get(f"{self.url('reporting')}/health/ready").raise_for_status()
        return int(re.findall(r"followed up to position (\d+)", answer.json()["checks"]["log"]["detail"])[0])


def environment(folder: Path, columns: int | None = 160) -> dict[str, str]:
    """The environment of a newcomer, whose data is in a folder of the test; no columns: nobody says how many."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("BITACORA_")}
    ours |= {"BITACORA_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    ours.pop("COLUMNS", None)
    return ours if columns is None else ours | {"COLUMNS": str(columns)}


def bitacora(folder: Path, *words: str) -> str:
    """What another command prints."""
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=ROOT,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@contextmanager
def started(folder: Path, first_port: int, *options: str, columns: int | None = 160) -> Iterator[Up]:
    """A run that is serving; whatever happens, nothing of it stays behind."""
    up = Up(folder, first_port, *options, columns=columns)
    try:
        up.wait_until_serving()
        yield up
    finally:
        # By itself it would stop its children too; here it may be that very thing which does not work.
        for child in up.children:
            if child.is_running():
                child.kill()
        up.process.kill()
        up.process.wait(30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the record of these runs is."""
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    """The first run, on an empty folder."""
    with started(folder, free_ports(3), "--demo", "--story") as up:
        yield up


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """What stands for curl."""
    with httpx.Client(timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def token(up: Up, folder: Path) -> str:
    """The token that the documents have a reader make."""
    return bitacora(folder, "token", "--role", "dci", "--organization", "DCI")


def test_it_prints_the_board_a_history_the_earlier_board_and_how_to_go_on(up: Up) -> None:
    printed = up.printed
    titles = (
        "Bitácora, the record of what a government promised",
        "Starting 3 services on the ports from",
        "Telling them the demonstration set",
        "The public board: 21 May 2013",
        "● delayed: its public deadline has passed",
        "The board: 21 May 2013",
        "What was said of SEG-1,",
        "The same board a year earlier: 21 May 2012",
    )
    places = [printed.index(title) for title in titles]
    assert places == sorted(places)
    totals = re.findall(r"^total  .*", printed, re.MULTILINE)
    assert len(set(totals)) == len(totals) == 3, "what is public, what there is, and what a year changes"
    history = printed[places[-2] : places[-1]]
    assert all(said in history for said in ("registered", "assessed", "dci of DCI"))
    for service in ("commitments", "meetings", "reporting"):
        assert f"{up.url(service)}   (documents at {up.url(service)}/docs)" in printed
    assert "eyJ" not in printed, "how to get a token, and not one"
    assert f"data in sqlite:///{up.folder / 'bitacora.db'}" in printed.replace("\n", "")


def test_it_tells_the_story_of_the_bad_year(up: Up) -> None:
    parts = (
        "ENUSC-VIC: ",
        "The meetings that followed",
        "What they decided, and what the budget office says of it",
        "What was owed, as it stood on 21 May 2013",
        "What came of the decisions: SEG-1-PRI, SEG-1-FNO, SEG-1-EST",
        "The same board a year earlier",
    )
    places = [up.printed.index(part) for part in parts]
    assert places == sorted(places)
    figures, meetings, decisions, owed, plans = (up.printed[begin:end] for begin, end in pairwise(places))
    assert re.findall(r"^(20\d\d) +([\d.]+) ", figures, re.MULTILINE)[:4] == [
        ("2009", "33.6"),
        ("2010", "28.2"),
        ("2011", "31.1"),
        ("2012", "26.3"),
    ]
    assert "25 days after 31.1 for 2011 was published" in " ".join(figures.split())
    # A series of working meetings, and the one that decided.
    assert re.findall(r"^2012-\S+ +(\S+)", meetings, re.MULTILINE) == [*["VICTIMS"] * 3, "BIL-SECURITY"]
    assert "referred to BIL-SECURITY, agreed there after 14 days" in decisions
    for said in ("agreed", "disputed: The increase"):
        assert f"acknowledgement of DIPRES: {said}" in decisions
    assert "budget line 10-04-01-24-01 of 2013, CLP 4,200,000,000, first request" in decisions
    assert re.findall(r"^\S+ +(open|overdue|done late|done)  ", owed, re.MULTILINE) == [
        "done late",
        "done",
        "done",
        "done late",
        "open",
    ]
    assert "extended, first due 2012-08-31" in owed
    # Each plan was registered because of a decision, and its history says which.
    assert re.findall(r"BIL-SECURITY-2012-\d+", plans) == [
        f"BIL-SECURITY-2012-{number:03}" for number in (2, 3, 4)
    ]


def test_the_requests_it_prints_can_be_made_as_they_stand(up: Up, client: httpx.Client, token: str) -> None:
    exported = "  export TOKEN=$(.venv/bin/bitacora token --role dci --organization DCI)\n"
    assert exported in up.printed
    typed = re.sub(r"^  (curl)", r"$ \1", up.printed.replace(exported, ""), flags=re.MULTILINE)
    block = "```console\n" + typed[typed.index("$ curl") :].rpartition("\nServing")[0] + "\n```"
    asked = [curl(words, {"TOKEN": token}) for words in commands(block)]
    answers = [one.send(client) for one in asked]
    assert [answer.status_code for answer in answers] == [200, 200, 201], [answer.text for answer in answers]


def test_what_the_readme_says_to_type_works(up: Up, client: httpx.Client, token: str) -> None:
    answers = try_all(up, client, "README.md")
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 201]
    earlier, now, organizations, meetings, written = answers
    assert now.json()["on"] != earlier.json()["on"] == "2012-05-21"
    assert organizations.json()["items"]
    assert {item["body"] for item in meetings.json()["items"]} == {"VICTIMS", "BIL-SECURITY"}
    assert {"location", "etag", "log-position"} <= set(written.headers)
    # As it says further on, what is waited for has one's own write in it.
    board = f"{up.url('reporting')}/v1/board?limit=200&wait_for={written.headers['log-position']}"
    seen = client.get(board, headers={"Authorization": f"Bearer {token}"}).json()
    assert "TRY-1" in [item["code"] for item in seen["items"]]


@pytest.fixture(scope="module")
def toured(up: Up, client: httpx.Client) -> list[httpx.Response]:
    """The answers to everything the tour says to type."""
    return try_all(up, client, "docs/tour.md")


def test_what_the_tour_says_to_type_works(toured: list[httpx.Response]) -> None:
    assert [answer.status_code for answer in toured[:15]] == [201, 200, 201, 200, 200, 201, 201, *[200] * 8]
    (
        written,
        feed,
        changed,
        before,
        after,
        mistaken,
        _,
        board,
        believed,
        kept,
        weeks,
        counted,
        calibrated,
        timeline,
        history,
    ) = toured[:15]
    assert mistaken.json()["version"] == 3
    schools = next(item for item in kept.json()["items"] if item["code"] == "EDU-5")
    assert (schools["status"], schools["late_days"]) == ("achieved", 46)
    assert counted.json()["items"]
    assert calibrated.json()["items"]
    assert "EDU-5" in [item["code"] for item in weeks.json()["items"]]
    events = [json.loads(line) for line in feed.text.splitlines()]
    assert int(written.headers["log-position"]) in [event["position"] for event in events]
    assert (board.json()["on"], believed.json()["position"]) == ("2012-05-21", 60)
    assert all(
        "position" in item["because"] and "type" in item["because"] for item in timeline.json()["items"]
    )
    positions = [item["position"] for item in history.json()["items"][-2:]]
    assert positions == [int(answer.headers["log-position"]) for answer in (written, changed)]
    urgent = [
        sum(group["count"] for group in answer.json()["items"] if group["priority"] == "high")
        for answer in (before, after)
    ]
    assert urgent[1] == urgent[0] + 1


def test_what_the_tour_says_of_the_edition_is_so(toured: list[httpx.Response]) -> None:
    calendar, page, content, listed = toured[-4:]
    became = {(one["report"], one["due_on"]): one["publication"] for one in calendar.json()["items"]}
    assert became["MAY-21", "2013-05-21"] == "published"
    assert became["MAY-21", "2012-05-21"] == "missing"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.index(">Delayed<") < page.text.index(">Discarded<") < page.text.index(">Achieved<")
    (edition,) = listed.json()["items"]
    assert hashlib.sha256(content.content).hexdigest() == edition["sha256"]


def test_what_the_tour_says_of_the_decision_is_so(
    up: Up, client: httpx.Client, toured: list[httpx.Response]
) -> None:
    number = "BIL-SECURITY-2013-001"
    assert [answer.status_code for answer in toured[15:]] == [
        *([201] * 4),
        *(409, 201, 200, 201, 201),
        *([200] * 10),
    ]
    by_the_author, approved, history = toured[19:22]
    assert by_the_author.json()["type"].endswith("/approver-is-author")
    assert approved.json()["decisions"] == [number]
    (task,) = approved.json()["action_items"]
    last = history.json()["items"][-1]
    assert (last["type"], last["decision"]) == ("commitments.deadline_revised", number)
    assert last["recorded_by"]["subject"].startswith("policy")
    feed, named, gaps, gaps_then, register, owed = (answer.json()["items"] for answer in toured[24:30])
    (decision,) = feed
    assert number in [item["number"] for item in named]
    assert (decision["number"], decision["position"]) == (number, last["causation_id"])
    assert decision["outcome"]["state"] == "carried_out"
    assert (decision["acknowledgement"]["outcome"], len(decision["budget_lines"])) == ("agreed", 1)
    lacking = {item["number"]: [found["gap"] for found in item["gaps"]] for item in gaps}
    assert number not in lacking
    then = {item["number"]: [found["gap"] for found in item["gaps"]] for item in gaps_then}
    assert then[number] == ["no_line_in_first_request"]
    assert lacking["BIL-SECURITY-2012-003"] == ["no_line_in_first_request"]
    (body,) = register
    assert [period["counts"]["held"] for period in body["periods"]] == [1, 1]
    assert body["periods"][1]["meetings"][0]["days_to_minutes"] == 3
    assert body["totals"]["minutes_late"] == 0
    absences = body["periods"][1]["meetings"][0]["mandatory_absences"]
    assert "ADVISORY" in [seat["organization"] for seat in absences]
    assert "DIPRES" not in [seat["organization"] for seat in absences]
    assert task in [item["id"] for item in owed]
    outsider = bitacora(up.folder, "token", "--role", "ministry", "--organization", "MINSAL")
    hidden = f"{up.url('meetings')}/v1/decisions/{number}"
    assert client.get(hidden, headers={"Authorization": f"Bearer {outsider}"}).status_code == 404


def test_what_the_tour_says_of_the_post_is_so(up: Up, client: httpx.Client, token: str) -> None:
    words = next(words for words in commands_in(ROOT / "docs/tour.md") if words[0] == "curl")
    post = request(up, words, {"TOKEN": token})
    assert post.method == "POST"
    first = post.send(client)
    assert first.status_code == 201
    again = post.send(client)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert post.send(client, If_Match=None).status_code == 428
    assert post.send(client, If_Match='"3"', Idempotency_Key="another").status_code == 412
    assert post.send(client, Authorization=None).status_code == 401


def request(up: Up, words: list[str], variables: Mapping[str, str]) -> Curl:
    """The request of a command in a document, to the ports of this run."""
    return curl([up.here(word) for word in words], variables)


def try_all(up: Up, client: httpx.Client, document: str) -> list[httpx.Response]:
    """Does what a document says, in its order and no faster than a person types; the answers to its requests."""
    answers: list[httpx.Response] = []
    variables: dict[str, str] = {}

    def ask(words: list[str]) -> httpx.Response:
        answers.append(request(up, words, variables).send(client))
        everything_follows(up, client, answers[-1])
        return answers[-1]

    for words in commands_in(ROOT / document):
        named = given(words)
        if words[0] == "curl":
            ask(words)
        elif words[0] == ".venv/bin/bitacora":
            assert bitacora(up.folder, *words[1:])
        elif named is None:
            # The rest is not for a machine that is up already.
            assert words[0] in ("make", "cp", "docker"), words
        elif named.command[0] == "curl":
            variables[named.name] = piped(ask(named.command).text, named.through)
        else:
            assert named.command[0] == ".venv/bin/bitacora", words
            variables[named.name] = bitacora(up.folder, *named.command[1:])
    return answers


def piped(text: str, words: list[str]) -> str:
    """What a filter of ours makes of a text."""
    assert words[0] == ".venv/bin/python", words
    done = subprocess.run(
        [sys.executable, *words[1:]], input=text, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def everything_follows(up: Up, client: httpx.Client, answer: httpx.Response) -> None:
    """Waits until what was written has been acted upon and can be asked for: between two lines, a person does too."""
    if answer.request.method != "POST" or answer.status_code != 201:
        return
    secretary = {"Authorization": answer.request.headers["Authorization"]}
    position = int(answer.headers["log-position"])
    for number in answer.json().get("decisions", ()):
        outcome = f"{up.url('commitments')}/v1/decision-outcomes/{number}"
        deadline = time.monotonic() + PATIENCE
        while (settled := client.get(outcome, headers=secretary)).status_code != 200:
            assert time.monotonic() < deadline, settled.text
            time.sleep(0.02)
        position = max(position, settled.json()["position"])
    client.get(f"{up.url('reporting')}/v1/board?limit=1&wait_for={position}").raise_for_status()


def test_ctrl_c_stops_everything_and_starting_again_keeps_the_record_and_adds_nothing(
    up: Up, folder: Path
) -> None:
    """The last of this module: it stops the run that the tests before it asked."""
    end = up.head()
    assert len(up.children) >= 4
    assert up.stop(signal.SIGINT) == 0
    assert up.printed.endswith("Stopped.\n")
    assert "Traceback" not in up.printed
    assert [child for child in up.children if child.is_running()] == []

    # The output is no terminal, and nobody says how wide it is: that makes 80 columns.
    with started(folder, up.first_port, "--demo", "--story", columns=None) as again:
        assert again.head() == end
        tables = again.printed[: again.printed.index("  commitments ")]
        assert max(map(len, tables.splitlines())) == 80
        assert "…" not in tables, "something was cut"
        assert set(NUMBERS.findall(tables)) >= set(NUMBERS.findall(up.printed)) > {"BIL-SECURITY-2012-004"}
        assert again.stop(signal.SIGTERM) == 0
        assert again.printed.endswith("Stopped.\n")
        assert [child for child in again.children if child.is_running()] == []


def test_a_port_in_use_is_said_in_a_sentence_and_nothing_stays_behind(tmp_path: Path) -> None:
    first = free_ports(3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + 1))
        taken.listen()
        up = Up(tmp_path, first)
        try:
            assert up.process.wait(60) == 1
        finally:
            up.process.kill()
    assert f"Port {first + 1} is in use" in up.printed
    assert re.search(r"`make run PORT=\d+`", up.printed)
    assert "Traceback" not in up.printed
    with socket.socket() as freed:
        freed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        freed.bind(("127.0.0.1", first))


def test_when_a_child_ends_by_itself_all_are_stopped_and_it_is_said_which(tmp_path: Path) -> None:
    with started(tmp_path, free_ports(3)) as up:
        worker = next(child for child in up.children if "services.reporting.follow" in child.cmdline())
        worker.kill()
        assert up.process.wait(30) == 1
        assert "The worker process ended by itself" in up.printed
        assert [child for child in up.children if child.is_running()] == []
