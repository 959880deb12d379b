"""Single requests, many of them: the POST of an assessment and the GET of a commitment, ours and the baseline's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median

import psycopg

from bench.dataset import PILLARS, REGISTERED, assessment, registration
from bench.figures import Figure, figure
from bench.ground import ORGANIZATION, ROOT, Ground, all_once, declare_plan, ids_of, with_headers
from bench.load import Outcome, drive, request
from bench.postgres import fresh_database
from bench.processes import free_port, running
from shared.identity.development import AUDIENCE, ISSUER, DevelopmentKey

CONNECTIONS = 16
WARM_UP = 1.5
"""Seconds of load before anything counts."""


async def measure(ground: Ground, wanted: set[str]) -> list[Figure]:
    """The figures `post` and `get`, as far as they are wanted."""
    registered = REGISTERED // 4 if ground.quick else REGISTERED
    rounds, seconds = (3, 1.0) if ground.quick else (5, 2.5)
    headers = ground.headers()
    with ExitStack() as stack:
        ours = stack.enter_context(our_service(ground))
        await declare_plan(ours, ground)
        theirs = stack.enter_context(baseline(ground))
        tuned = stack.enter_context(baseline(ground, session_in_endpoint=True))
        registrations = [
            request("POST", "/v1/commitments", headers=headers, body=registration(number))
            for number in range(registered)
        ]
        our_ids = ids_of(await all_once(ours, registrations))
        their_ids = ids_of(await all_once(theirs, registrations))
        tuned_ids = ids_of(await all_once(tuned, registrations))
        found = []
        for name, prepare in (("post", _posts), ("get", _gets)):
            if name not in wanted:
                continue
            sides = [
                (theirs, prepare(their_ids, headers)),
                (ours, prepare(our_ids, headers)),
                (tuned, prepare(tuned_ids, headers)),
            ]
            for port, requests in sides:
                await drive(port, requests, seconds=WARM_UP)
            # In turn, so that whatever else the machine does falls on all of them.
            together = [
                [await _round(port, requests, seconds) for port, requests in sides] for _ in range(rounds)
            ]
            baselines, mine, tuned_ones = ([turn[side] for turn in together] for side in range(3))
            found.append(
                figure(
                    name,
                    [outcome.rate for outcome in mine],
                    [outcome.rate for outcome in baselines],
                    connections=CONNECTIONS,
                    commitments=registered,
                    ours_ms=latencies(mine),
                    baseline_ms=latencies(baselines),
                    baseline_with_session_in_endpoint=round(median(outcome.rate for outcome in tuned_ones)),
                )
            )
    return found


def latencies(rounds: Sequence[Outcome]) -> dict[str, float]:
    """Percentiles over all rounds, in milliseconds."""
    together = sorted(latency for outcome in rounds for latency in outcome.latencies)
    merged = Outcome(0.0, type(rounds[0].latencies)("d", together))
    return {
        f"p{share * 100:g}": round(merged.percentile(share) * 1000, 2) for share in (0.5, 0.95, 0.99, 1.0)
    }


@contextmanager
def our_service(ground: Ground) -> Iterator[int]:
    """The commitments service over a fresh log; yields its port."""
    with fresh_database(ground.server_url) as url:
        ground.migrate(url)
        with ground.service("commitments", url) as port:
            yield port


@contextmanager
def baseline(ground: Ground, *, session_in_endpoint: bool = False) -> Iterator[int]:
    """The baseline over a fresh database that knows the same organisation and pillars; yields its port."""
    port = free_port()
    with fresh_database(ground.server_url) as url:
        environ = {
            "PYTHONPATH": str(ROOT),
            "BENCH_DATABASE_URL": url.replace("postgresql://", "postgresql+psycopg://", 1),
            "BENCH_TOKEN_SECRET": DevelopmentKey(ground.key_file).secret.hex(),
            "BENCH_TOKEN_ISSUER": ISSUER,
            "BENCH_TOKEN_AUDIENCE": AUDIENCE,
            "BENCH_SESSION_IN_ENDPOINT": str(int(session_in_endpoint)),
        }
        log = ground.log(f"baseline-{port}")
        with running(
            "bench.baselines", str(port), environ=environ, log=log, port=port, ready="/openapi.json"
        ):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("INSERT INTO organizations VALUES (%s, 'Department A')", [ORGANIZATION])
                for pillar in PILLARS:
                    connection.execute("INSERT INTO pillars VALUES (%s, %s)", [pillar, pillar.title()])
            yield port


def _posts(ids: Sequence[str], headers: dict[str, str]) -> list[bytes]:
    return [
        request(
            "POST",
            f"/v1/commitments/{id_}/assessments",
            headers=with_headers(headers, if_match="*"),
            body=assessment(number),
        )
        for number, id_ in enumerate(ids)
    ]


def _gets(ids: Sequence[str], headers: dict[str, str]) -> list[bytes]:
    return [request("GET", f"/v1/commitments/{id_}", headers=headers) for id_ in ids]


async def _round(port: int, requests: Sequence[bytes], seconds: float) -> Outcome:
    return (await drive(port, requests, connections=CONNECTIONS, seconds=seconds)).demand_success()
