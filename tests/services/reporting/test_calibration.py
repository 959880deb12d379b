"""How well judgements foretold what came, against a plain look at every day of a replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from services.reporting.queries.calibration import (
    MONTHS,
    Against,
    Asked,
    Calibration,
    Figures,
    JudgedBy,
    calibration_as_of,
    months_before,
)
from services.reporting.queries.moments import AsOf
from shared.events.commitments import (
    Assessed,
    Completed,
    DeadlineRevised,
    Discarded,
    Evidence,
    Merged,
    ProgressReported,
    PublicDeadline,
    Registered,
    Reopened,
)
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, Visibility
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

FIRST, TODAY = date(2010, 3, 11), date(2013, 4, 30)
DAY = timedelta(days=1)
TRACK, RISK = Judgement.ON_TRACK, Judgement.AT_RISK
DONE = (Evidence(description="seen"),)

Told = tuple[str, Event]


def made(code: str, due: date | None, visibility: Visibility = Visibility.PUBLIC, **more: Any) -> Told:
    """A commitment that is there from the first day on."""
    named: dict[str, Any] = {"title": f"Title of {code}", "effective_on": FIRST, "lead_organization": "MOP"}
    deadline = None if due is None else PublicDeadline(on=due)
    return code, Registered(code=code, visibility=visibility, public_deadline=deadline, **named | more)


def judged(code: str, judgement: Judgement, day: date) -> Told:
    """What somebody thinks of it."""
    return code, Assessed(judgement=judgement, effective_on=day)


def moved(code: str, due: date, day: date) -> Told:
    """Its public deadline is another day."""
    return code, DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=due, effective_on=day, reason="r")


def done(code: str, day: date) -> Told:
    """It was achieved."""
    return code, Completed(completed_on=day, evidence=DONE)


def asked(stage: Stage, on: date = TODAY, scope: Any = EVERYTHING, **more: Any) -> Calibration:
    """The answer."""
    with stage.read_model.reading() as reading:
        at = AsOf(on, reading.position, None)
        return calibration_as_of(reading, at, scope, Asked(**{"filters": {}} | more), limit=1_000)


def horizons(found: Figures, against: Against = Against.IN_FORCE) -> dict[int, dict[str, int]]:
    """What became of what was on track, by months; only what there is."""
    return {
        one.months: {
            name: many
            for name in (
                "achieved",
                "achieved_late",
                "discarded",
                "not_achieved",
                "merged_or_split",
                "pending",
            )
            if (many := getattr(one, name))
        }
        for one in found.on_track
        if one.against is against and one.judged
    }


def story() -> Iterator[Told]:
    """What was told of seven commitments."""
    due = date(2012, 6, 30)
    for code in ("IN-TIME", "LATE", "GIVEN-UP", "NEVER", "MOVED", "MERGED"):
        yield made(code, due, adviser="u-1", pillar="health" if code == "IN-TIME" else None)
        yield judged(code, TRACK, date(2012, 1, 1))
    yield made("AHEAD", date(2014, 1, 31), Visibility.INTERNAL, parent="IN-TIME")
    yield judged("AHEAD", TRACK, date(2012, 1, 1))
    yield made("FREE", None)
    yield judged("FREE", TRACK, date(2012, 1, 1))
    yield done("IN-TIME", due)
    yield judged("LATE", RISK, date(2012, 6, 10))
    yield done("LATE", date(2012, 7, 15))
    yield (
        "GIVEN-UP",
        Discarded(reason_type=DiscardReason.TECHNICAL, reason="no", effective_on=date(2012, 6, 1)),
    )
    yield moved("MOVED", date(2012, 12, 31), date(2012, 5, 1))
    yield done("MOVED", date(2012, 12, 1))
    yield "MERGED", Merged(into="NEVER", reason="the same", effective_on=date(2012, 6, 29))
    yield (
        "AHEAD",
        ProgressReported(
            number=1, period="2012-Q4", effective_on=date(2012, 12, 31), received_on=date(2013, 1, 10)
        ),
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The story, told once on each engine."""
    url = f"sqlite:///{tmp_path_factory.mktemp('calibrated') / 'bitacora.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with staged(url) as stage:
        stage.append(*story())
        stage.follow()
        yield stage


def test_what_was_on_track_is_counted_by_what_became_of_it_against_both_deadlines(record: Stage) -> None:
    found = asked(record).totals
    alike = {"discarded": 1, "not_achieved": 1, "merged_or_split": 1}
    assert horizons(found) == {
        1: {"achieved": 2, "achieved_late": 1, **alike},
        3: {"achieved": 2, "achieved_late": 2, **alike},
        6: {"achieved": 1},
        12: {"pending": 1},
        24: {"pending": 1},
    }
    # Against what was first promised, to move the deadline does not help.
    assert horizons(found, Against.ORIGINAL) == {
        1: {"achieved": 1, "achieved_late": 2, **alike},
        3: {"achieved": 1, "achieved_late": 2, **alike},
        12: {"pending": 1},
        24: {"pending": 1},
    }


def test_each_figure_has_its_cases_by_code_and_a_page_goes_on_where_the_last_ended(
    record: Stage,
) -> None:
    found = asked(record, months=[1], against=["in_force"])
    assert [(one.code, one.outcome, one.deadline_on, one.judged_on, one.title) for one in found.items] == [
        (code, outcome, due, date(2012, 1, 1), f"Title of {code}")
        for code, outcome, due in (
            ("GIVEN-UP", "discarded", date(2012, 6, 30)),
            ("IN-TIME", "achieved", date(2012, 6, 30)),
            ("LATE", "achieved_late", date(2012, 6, 30)),
            ("MERGED", "merged_or_split", date(2012, 6, 30)),
            ("MOVED", "achieved", date(2012, 12, 31)),
            ("NEVER", "not_achieved", date(2012, 6, 30)),
        )
    ]
    whole, pages, beyond = asked(record).items, list[Any](), None
    with record.read_model.reading() as reading:
        at = AsOf(TODAY, reading.position, None)
        while True:
            page = calibration_as_of(reading, at, EVERYTHING, Asked({}), beyond=beyond, limit=4)
            pages += page.items
            if not page.more:
                break
            beyond = page.items[-1].key
    assert pages == whole


def test_a_delay_was_foreseen_by_what_was_at_risk_before_it(record: Stage) -> None:
    found = asked(record, about=["delay"])
    delays = found.totals.delays
    assert (delays.delayed, delays.warned, delays.median_days, delays.at_risk_only) == (2, 1, 21, 0)
    assert [(one.code, one.judged_on, one.delayed_on, one.days) for one in found.items] == [
        ("LATE", date(2012, 6, 10), date(2012, 7, 1), 21),
        ("NEVER", None, date(2012, 7, 1), None),
    ]
    early = asked(record, date(2012, 6, 20)).totals.delays
    assert (early.delayed, early.median_days, early.at_risk_only) == (0, None, 1)


def test_a_judgement_that_nothing_followed_is_told_after_so_many_days(record: Stage) -> None:
    following = asked(record).totals.following
    assert (following.judged, following.unfollowed) == (3, 2)
    assert [one.code for one in asked(record, about=["unfollowed"]).items] == ["FREE", "NEVER"]
    assert asked(record, days=1_000).totals.following.unfollowed == 0
    on_the_day = (TODAY - date(2012, 1, 1)).days
    assert asked(record, days=on_the_day).totals.following.unfollowed == 2


def test_figures_are_told_by_pillar_and_by_adviser_to_whom_they_may_be(record: Stage) -> None:
    by_pillar = {one.group: one for one in asked(record, by=JudgedBy.PILLAR).groups}
    # A part has the pillar of what it is part of.
    assert horizons(by_pillar["health"]) == {
        1: {"achieved": 1},
        3: {"achieved": 1},
        12: {"pending": 1},
        24: {"pending": 1},
    }
    advisers = {one.group: one.delays.delayed for one in asked(record, by=JudgedBy.ADVISER).groups}
    assert advisers == {"u-1": 2, None: 0}
    assert {one.adviser for one in asked(record, scope=PUBLIC).items} == {None}
    assert "u-1" in {one.adviser for one in asked(record, scope=ministry("MINSAL")).items}


def test_what_is_hidden_is_in_no_figure(record: Stage) -> None:
    found = asked(record, scope=PUBLIC)
    assert 12 not in horizons(found.totals)
    assert found.totals.following.judged == 2
    assert "AHEAD" not in {one.code for one in found.items}


def test_a_month_before_the_last_of_a_long_month_is_the_last_of_a_short_one() -> None:
    assert months_before(date(2012, 3, 31), 1) == date(2012, 2, 29)
    assert months_before(date(2012, 1, 15), 24) == date(2010, 1, 15)
    assert months_before(date(1, 3, 1), 6) == date.min


# --- any record -----------------------------------------------------------------------------------------------------


def made_up(chance: Random, code: str) -> list[Told]:
    """Anything that may be told of one commitment, in any order of days."""

    def some_day() -> date:
        return FIRST + chance.randrange(1_200) * DAY

    told = [
        made(
            code,
            chance.choice((None, some_day(), some_day())),
            effective_on=FIRST + chance.randrange(90) * DAY,
        )
    ]
    for _ in range(chance.randrange(12)):
        day = some_day()
        told.append(
            chance.choice(
                (
                    judged(code, chance.choice((TRACK, TRACK, RISK)), day),
                    judged(code, TRACK, day),
                    moved(code, some_day(), day),
                    done(code, day),
                    (code, Reopened(reason="r", effective_on=day)),
                    (code, Discarded(reason_type=DiscardReason.TECHNICAL, reason="no", effective_on=day)),
                )
            )
        )
    return told


class Plainly:
    """One commitment, looked at day by day."""

    def __init__(self, told: list[Told]) -> None:
        first, self._later = told[0][1], [event for _, event in told[1:]]
        assert isinstance(first, Registered)
        self.first_day = first.effective_on
        self._promised = None if first.public_deadline is None else first.public_deadline.on
        moves = [one for one in self._later if isinstance(one, DeadlineRevised)]
        set_first = min(moves, key=lambda one: one.effective_on).on if moves else None
        self.first_deadline = self._promised or set_first

    def _last(self, day: date, *types: type[Event]) -> Any:
        found = []
        for number, one in enumerate(self._later):
            when: Any = getattr(one, "effective_on", getattr(one, "completed_on", None))
            if isinstance(one, types) and when <= day:
                found.append((when, number, one))
        return max(found, key=lambda one: one[:2])[2] if found else None

    def closure(self, day: date) -> Any:
        """What closed it, if it is closed."""
        found = self._last(day, Completed, Discarded, Reopened)
        return None if isinstance(found, Reopened) else found

    def judgement(self, day: date) -> Any:
        """What somebody thought of it."""
        found = self._last(day, Assessed)
        return found and found.judgement

    def deadline(self, day: date) -> date | None:
        """The one in force."""
        found = self._last(day, DeadlineRevised)
        due: date | None = found.on if found else self._promised
        return due

    def outcome(self, due: date, on: date) -> str:
        """What became of it."""
        ended = self.closure(on)
        if isinstance(ended, Completed):
            return "achieved" if ended.completed_on <= due else "achieved_late"
        if ended is not None:
            return "discarded"
        return "not_achieved" if on > due else "pending"

    def counts(self, on: date) -> tuple[Counter[Any], list[int | None]]:
        """All that is counted of it up to a day."""
        found, delays, risky = Counter[Any](), list[int | None](), None
        day = self.first_day
        while day <= on:
            if self.closure(day) is None:
                due, judgement = self.deadline(day), self.judgement(day)
                if judgement == RISK and risky is None:
                    risky = day
                if due is not None and day > due and not delays:
                    delays.append(None if risky is None or risky == day else (day - risky).days)
                for against, one in (("in_force", due), ("original", self.first_deadline)):
                    for months in MONTHS:
                        if judgement == TRACK and one is not None and months_before(one, months) == day:
                            found[months, against, self.outcome(one, on)] += 1
            day += DAY
        return found, delays


def test_any_record_is_counted_as_a_plain_look_at_every_day_counts_it(tmp_path: Any) -> None:
    chance = Random(20120521)
    lives = [made_up(chance, f"C-{number:02}") for number in range(60)]
    with staged(f"sqlite:///{tmp_path / 'bitacora.db'}") as stage:
        stage.append(*(one for life in lives for one in life))
        stage.follow()
        for on in (date(2012, 5, 21), TODAY):
            figures = asked(stage, on).totals
            counted, delays = Counter[Any](), list[int | None]()
            for life in lives:
                more, late = Plainly(life).counts(on)
                counted += more
                delays += late
            told = {
                (one.months, one.against.value, name): many
                for one in figures.on_track
                for name in (
                    "achieved",
                    "achieved_late",
                    "discarded",
                    "not_achieved",
                    "merged_or_split",
                    "pending",
                )
                if (many := getattr(one, name))
            }
            assert told == counted
            assert sum(told.values()) > 40
            warned = sorted(one for one in delays if one is not None)
            assert (figures.delays.delayed, figures.delays.warned) == (len(delays), len(warned))
            assert figures.delays.median_days == warned[(len(warned) - 1) // 2]
