"""Any history of indicators: what reporting says of a day is what the writing service would, had it ended that day."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.commitments.indicator.model import Indicator, define
from services.commitments.indicator.routes import indicator_document
from services.reporting.queries.indicators import (
    IndicatorFilters,
    indicator_as_of,
    indicators_as_of,
    trajectory_as_of,
)
from services.reporting.queries.moments import AsOf
from shared.clock import Clock
from shared.errors import BitacoraError, NotFound
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.indicators import (
    Baseline,
    DataSource,
    DefinitionFields,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.retractions import IndicatorFactRetracted, Retraction
from shared.events.streams import stream_of
from shared.events.vocabulary import Accumulation, Direction, Frequency, RelativeTo, Visibility
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE, INDICATOR_VERDICT_1
from shared.rules.indicator_warnings import WarningWindows
from tests.services.commitments.stories import Story
from tests.services.reporting.stage import EVERYTHING, Stage, staged
from tests.support.scenario import on

FIRST, LAST = date(2010, 5, 21), date(2014, 12, 31)
DECIDER = on(LAST)
WINDOWS = WarningWindows()
PERIODS = ("2010", "2011", "2012", "2013", "2011-Q1", "2012-Q2", "2012-H1", "2013-05", "2014-W02")


class Life:
    """One indicator on a stage, of which anything is told at random that its rules allow."""

    def __init__(self, code: str, draw: random.Random) -> None:
        self.draw = draw
        self.code = code
        first = define(
            IndicatorDefined(
                code=code,
                name="Victims",
                unit="%",
                direction=draw.choice(list(Direction)),
                frequency=Frequency.OTHER,
                visibility=Visibility.PUBLIC,
                effective_on=FIRST,
                baseline=draw.choice([None, Baseline(value=self.number(), on=date(2009, 12, 31))]),
                source=draw.choice([None, DataSource(organization="INE", independent=True)]),
            ),
            DECIDER,
        )
        self.story = Story(Indicator.begin, [first])

    def number(self) -> Decimal:
        return Decimal(self.draw.randrange(-400, 4000)).scaleb(-2)

    def day(self, first: date = FIRST) -> date:
        return first + timedelta(days=self.draw.randrange((LAST - first).days + 1))

    def next(self) -> Event | None:
        """Something more that is told; None where the rules refuse what was drawn."""
        draw, thing = self.draw, self.story.thing
        what = draw.choice(("target", "plan", "value", "value", "value", "corrected", "changed", "retracted"))
        with contextlib.suppress(BitacoraError):
            match what:
                case "target":
                    event: Event = thing.set_target(self._target(), DECIDER)
                case "plan":
                    days = sorted(self.day(date(2010, 6, 1)) for _ in range(draw.randint(1, 3)))
                    points = tuple(PlannedValue(on=day, value=self.number()) for day in days)
                    event = thing.set_trajectory(
                        TrajectorySet(points=points, effective_on=self.day()), DECIDER
                    )
                case "value":
                    event = thing.record_measurement(
                        MeasurementRecorded(
                            period=draw.choice(PERIODS),
                            value=self.number(),
                            published_on=self.day(),
                            supplied_by=draw.choice([None, "INE", "MININT"]),
                        ),
                        DECIDER,
                    )
                case "corrected":
                    event = self._corrected()
                case "changed":
                    event = thing.change_definition(self._changed(), DECIDER)
                case _:
                    return self._retracted()
            return self.story.record(event)
        return None

    def _target(self) -> TargetSet:
        draw = self.draw
        return TargetSet(
            value=self.number(),
            on=date(draw.randint(2011, 2015), 12, 31),
            effective_on=self.day(),
            reason="It has changed",
            accumulation=draw.choice(list(Accumulation)),
            from_on=draw.choice([None, FIRST]),
            relative_to=draw.choice(list(RelativeTo)),
        )

    def _corrected(self) -> Event:
        measured = self.draw.choice([*self.story.thing.facts.measurements.values(), None])
        if measured is None:
            raise NotFound("unknown-measurement", "None")
        return self.story.thing.correct_measurement(
            MeasurementCorrected(
                period=measured.period.name,
                value=self.number(),
                published_on=self.day(measured.findings[-1].published_on),
                reason="It was wrong",
            ),
            DECIDER,
        )

    def _changed(self) -> IndicatorDefinitionChanged:
        changes: dict[str, Any] = self.draw.choice(
            [
                {"unit": self.draw.choice(["%", "‰"])},
                {"direction": self.draw.choice(list(Direction))},
                {"baseline": Baseline(value=self.number(), on=date(2009, 6, 30))},
                {"source": DataSource(organization="MININT")},
                {"name": "Households"},
            ]
        )
        restated = self.draw.choice([None, Decimal(10)]) if "unit" in changes else None
        return IndicatorDefinitionChanged(
            changes=DefinitionFields(**changes),
            reason="So it is",
            effective_on=self.day(),
            restated_by=restated,
        )

    def _retracted(self) -> Event | None:
        """The last thing that was told, so that nothing later stands in the way."""
        last = self.story.events[-1]
        if last.version == 1 or isinstance(last.data, Retraction):
            return None
        event = IndicatorFactRetracted(version=last.version, reason="A mistake", retracted=last.type)
        self.story.tell([event])
        thing = Indicator.fold(self.story.events)
        assert thing is not None
        self.story.thing = thing
        return event


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """A log and its read model, on each engine."""
    with staged(log_url) as made:
        yield made


def spoken(recorded: Recorded, believed: list[Recorded]) -> date:
    """The day from which an event says something; that of a correction is not before what it corrects."""
    match recorded.data:
        case MeasurementRecorded(published_on=day):
            return day
        case MeasurementCorrected(published_on=day):
            return day
        case IndicatorDefined():
            return date.min
        case data:
            found: date = data.effective_on  # type: ignore[attr-defined]
            return found


def as_told_by(stage: Stage, code: str, day: date, position: int) -> Indicator | None:
    """What the service that writes would hold if nothing had been told after a position, nor of a later day."""
    lines = stage.store.read_stream(stream_of("indicator", code), 0, position)
    events = [codec.decode(line, at) for at, line in lines]
    retracted = {one.data.version for one in events if isinstance(one.data, Retraction)}
    believed = [
        one for one in events if one.version not in retracted and not isinstance(one.data, Retraction)
    ]
    if not believed or day < FIRST:
        return None
    return Indicator.fold([one for one in believed if spoken(one, believed) <= day], {})


@pytest.mark.parametrize("seed", range(2))
def test_a_day_is_told_as_if_the_record_had_ended_on_it(stage: Stage, seed: int) -> None:
    draw = random.Random(seed)
    lives = [Life(f"RATE-{n}", draw) for n in range(3)]
    stage.append(*((one.code, one.story.events[0].data) for one in lives), kind="indicator")
    stage.start_worker(capacity=2)
    for _ in range(25):
        told = [(life.code, event) for life in lives if (event := life.next()) is not None]
        stage.append(*told, kind="indicator")
    stage.wait()
    stage.stop_workers()
    followed = stage.rows()
    kinds = {type(one.data) for life in lives for one in life.story.events}
    assert {TargetSet, MeasurementRecorded, IndicatorFactRetracted} <= kinds
    with stage.read_model.reading() as reading:
        for _ in range(24):
            position = draw.randint(len(lives), reading.position)
            day = draw.choice([any_day(draw), LAST, date(2031, 1, 1)])
            at = AsOf(day, position, None)
            listed = indicators_as_of(
                reading, at, EVERYTHING, IndicatorFilters({}), CURRENT_INDICATOR_RULE, count=True
            )
            shown = {item.code: item for item in listed.items}
            for life in lives:
                expected = as_told_by(stage, life.code, day, position)
                assert (expected is None) == (life.code not in shown)
                if expected is None:
                    continue
                document = indicator_document(expected, WINDOWS, day, Clock(now=lambda: NOON).day_of)
                whole = msgspec.to_builtins(document)
                page = indicator_as_of(
                    reading, at, EVERYTHING, stream_of("indicator", life.code), CURRENT_INDICATOR_RULE
                )
                told_page = msgspec.to_builtins(page)
                for name in whole.keys() & told_page.keys() - {"id", "source"}:
                    assert told_page[name] == whole[name], (name, day, position)
                item = msgspec.to_builtins(shown[life.code])
                latest = whole["latest"]
                assert item["latest"] == latest
                assert item["verdict"] == (latest and latest["against_current"])
                assert item["verdict_on_original"] == (latest and latest["against_original"])
                assert item["signs"] == sorted({sign["code"] for sign in whole["warnings"]})
                points = trajectory_as_of(
                    reading, at, EVERYTHING, stream_of("indicator", life.code), CURRENT_INDICATOR_RULE
                ).items
                measured = {one.period: msgspec.to_builtins(one.verdict) for one in points if one.period}
                assert measured == {one["period"]: one["against_current"] for one in whole["measurements"]}
                by_first = indicator_as_of(
                    reading, at, EVERYTHING, stream_of("indicator", life.code), INDICATOR_VERDICT_1.name
                )
                assert len(by_first.measurements) == len(page.measurements)
    stage.rebuild()
    assert stage.rows() == followed


def any_day(draw: random.Random) -> date:
    """Any day of the story, and some before it."""
    return FIRST + timedelta(days=draw.randrange(-20, (LAST - FIRST).days))


NOON = DECIDER.clock.now().astimezone(UTC)
