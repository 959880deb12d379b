"""What no process may do after another has done it, two cannot both do at the same moment either."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store
from shared.eventlog.verification import verify
from shared.events.commitments import OrganizationRegistered, Registered
from shared.events.meeting_vocabulary import DecisionKind
from shared.events.meetings import Effect
from tests.services.commitments.decisions import completing, decision, merging, recordable, splitting
from tests.services.commitments.rival_process import DONE, Deed, Rival
from tests.support.ledger import DAY

pytestmark = pytest.mark.xdist_group("processes")

ROUNDS = 100
LONGEST = 3.0
"""Rounds of a race at most, and the seconds after which no new one begins."""

FEWEST = 10
"""Rounds without which a race would show nothing."""


def commitment(code: str) -> Registered:
    """A commitment of the Interior."""
    return Registered(code=code, title=code, lead_organization="INTERIOR", effective_on=DAY)


def prepare(store: Store, *codes: str) -> None:
    """An organisation by each code, and a commitment by each code."""
    for code in codes:
        events = (
            recordable(OrganizationRegistered(code=code, name=code), kind="organization", code=code),
            recordable(commitment(code), kind="commitment", code=code),
        )
        store.append([Changes(events)], datetime.now(UTC))


def race(url: str, rivals: int, deeds: Callable[[int], Sequence[Deed]]) -> list[list[str]]:
    """Round after round, each rival does its deed, all at once; what they came to, sorted, by round."""
    with closing(open_store(url)) as store:
        store.migrate()
        prepare(store, "INTERIOR", *(f"{n}-{rival}" for n in range(ROUNDS) for rival in range(rivals)))
        with ExitStack() as stack:
            processes = [Rival(url) for _ in range(rivals)]
            for process in processes:
                stack.enter_context(process)
            outcomes = []
            until_then = time.monotonic() + LONGEST
            for n in range(ROUNDS):
                if time.monotonic() > until_then:
                    break
                for process, deed in zip(processes, deeds(n), strict=True):
                    process.tell(deed)
                outcomes.append(sorted(process.hear() for process in processes))
        assert len(outcomes) >= FEWEST
        assert verify(store).sound
    return outcomes


@pytest.mark.parametrize("rivals", [2, 3])
def test_of_mergers_that_would_close_a_circle_one_is_refused(log_url: str, rivals: int) -> None:
    outcomes = race(
        log_url,
        rivals,
        lambda n: [
            ("merge", {"code": f"{n}-{one}", "into": f"{n}-{(one + 1) % rivals}"}) for one in range(rivals)
        ],
    )
    # Who comes second of three may find that what it would go on in is closed by now; then no circle was in sight.
    assert {code for came_to in outcomes for code in came_to} <= {
        DONE,
        "merger-in-a-circle",
        "merger-into-closed",
    }
    assert all(1 <= came_to.count(DONE) < rivals for came_to in outcomes), outcomes


@pytest.mark.parametrize("rivals", [2, 3])
def test_of_corrections_that_would_make_a_commitment_part_of_itself_one_is_refused(
    log_url: str, rivals: int
) -> None:
    outcomes = race(
        log_url,
        rivals,
        lambda n: [
            ("move", {"code": f"{n}-{one}", "parent": f"{n}-{(one + 1) % rivals}"}) for one in range(rivals)
        ],
    )
    assert {tuple(came_to) for came_to in outcomes} == {(*[DONE] * (rivals - 1), "parent-is-descendant")}


def test_a_split_and_what_it_forbids_are_not_both_done(log_url: str) -> None:
    def rivals(n: int) -> list[tuple[Deed, set[str]]]:
        others = (f"B-{n}", f"C-{n}")
        return [
            (("complete", {"code": f"{n}-0"}), {"commitment-closed"}),
            (("merge", {"code": f"{n}-0", "into": f"{n}-1"}), {"commitment-closed"}),
            (("split", {"code": f"{n}-0", "parts": others}), {"commitment-closed", "code-taken"}),
            (("split", {"code": f"{n}-1", "parts": others}), {"code-taken"}),
            # What it goes on in may be split once it is merged: then it goes on in the parts.
            (("merge", {"code": f"{n}-1", "into": f"{n}-0"}), {"merger-into-closed", DONE}),
        ]

    def rival(n: int) -> tuple[Deed, set[str]]:
        return rivals(n)[n % 5]

    outcomes = race(
        log_url,
        2,
        lambda n: [("split", {"code": f"{n}-0", "parts": (f"A-{n}", f"B-{n}")}), rival(n)[0]],
    )
    for n, came_to in enumerate(outcomes):
        came_to.remove(DONE)
        assert set(came_to) <= rival(n)[1]


LATER: Final = DAY + timedelta(days=1)


def test_of_a_decision_and_what_forbids_it_one_is_done(log_url: str) -> None:
    def rivals(n: int) -> list[tuple[Deed, Deed, set[str]]]:
        """Two mergers in a circle; a merger and what closes its successor the day before; splits."""
        onward = agreed(DecisionKind.MERGE, merging(f"{n}-1"), f"{n}-0")
        back = agreed(DecisionKind.MERGE, merging(f"{n}-0"), f"{n}-1")
        done = agreed(DecisionKind.COMPLETE, completing(DAY), f"{n}-1")
        halved = agreed(DecisionKind.SPLIT, splitting(f"A-{n}", f"B-{n}"), f"{n}-0", DAY)
        other = agreed(DecisionKind.SPLIT, splitting(f"A-{n}", f"B-{n}"), f"{n}-1")
        return [
            (onward, back, {"merger-in-a-circle", "merger-into-closed"}),
            (onward, ("complete", {"code": f"{n}-1", "day": DAY}), {"merger-into-closed"}),
            (onward, done, {"merger-into-closed"}),
            (halved, ("merge", {"code": f"{n}-1", "into": f"{n}-0"}), {"merger-into-closed"}),
            (halved, other, {"code-taken"}),
        ]

    outcomes = race(log_url, 2, lambda n: rivals(n)[n % 5][:2])
    for n, came_to in enumerate(outcomes):
        came_to.remove(DONE)
        assert set(came_to) <= rivals(n)[n % 5][2]


def agreed(kind: DecisionKind, effect: Effect, code: str, day: date = LATER) -> Deed:
    """To carry out a decision on one commitment, of the day after it was registered unless told."""
    asked = decision(kind, f"BIL-{code}-{kind}", effect=effect, commitments=(code,), agreed_on=day)
    return "decide", {"agreed": asked}


def test_a_registration_closes_no_circle_though_it_does_not_say_what_it_has_seen(log_url: str) -> None:
    outcomes = race(
        log_url,
        2,
        lambda n: [
            ("register", {"code": f"NEW-{n}", "parent": f"{n}-0"}),
            ("move", {"code": f"{n}-0", "parent": f"NEW-{n}"}),
        ],
    )
    assert {tuple(came_to) for came_to in outcomes} <= {
        (DONE, "parent-unknown"),
        (DONE, "parent-is-descendant"),
    }


def test_of_two_organisations_that_take_one_name_one_is_refused(log_url: str) -> None:
    outcomes = race(
        log_url,
        2,
        lambda n: [
            ("describe", {"code": f"{n}-0", "name": "Interior", "aliases": (f"Home Office {n}",)}),
            ("describe", {"code": f"{n}-1", "name": "Interior", "aliases": (f"HOME OFFICE {n}",)}),
        ],
    )
    assert {tuple(came_to) for came_to in outcomes} == {("alias-taken", DONE)}


def test_a_new_code_and_an_alias_of_another_organisation_are_not_both_taken(log_url: str) -> None:
    outcomes = race(
        log_url,
        2,
        lambda n: [
            ("describe", {"code": f"{n}-0", "name": "Interior", "aliases": (f"home-office-{n}",)}),
            ("describe", {"code": f"HOME-OFFICE-{n}", "name": "Home Office"}),
        ],
    )
    assert {tuple(came_to) for came_to in outcomes} == {("alias-taken", DONE)}


@pytest.mark.parametrize("relation", ["parent", "successor"])
def test_of_organisations_that_would_be_above_each_other_one_is_refused(log_url: str, relation: str) -> None:
    outcomes = race(
        log_url,
        2,
        lambda n: [
            ("describe", {"code": f"{n}-{one}", "name": "Interior", relation: f"{n}-{1 - one}"})
            for one in range(2)
        ],
    )
    assert {tuple(came_to) for came_to in outcomes} == {(DONE, "organization-cycle")}
