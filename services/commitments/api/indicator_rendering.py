"""An indicator as the bytes of an answer, with the verdicts and the warning signs that follow from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from services.commitments.domain.indicator import Indicator
from shared.eventlog.codec import instant_text
from shared.events.indicators import Baseline
from shared.rules.indicator_facts import Measurement, Target
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE, Promise, indicator_verdict
from shared.rules.indicator_warnings import WarningWindows, warning_signs

_encode = msgspec.json.Encoder(decimal_format="number").encode
_SHOWN = Decimal("0.000001")


def rendered(indicator: Indicator, windows: WarningWindows) -> bytes:
    """Every field of an indicator, and what follows from them."""
    facts = indicator.facts
    definition = facts.definition
    original, current = (facts.targets[0] if facts.targets else None), facts.target
    measured = sorted(
        facts.measurements.values(), key=lambda one: (one.period_end_on, one.findings[0].position)
    )
    promises = facts.original_promise, facts.current_promise
    measurements = {one.period: _measurement(one, definition.baseline, *promises) for one in measured}
    latest = facts.latest()
    document = {
        "id": indicator.id,
        "code": indicator.code,
        "name": definition.name,
        "unit": definition.unit,
        "direction": definition.direction,
        "proxy": definition.proxy,
        "baseline": _members(definition.baseline),
        "source": _members(definition.source),
        "method": definition.method,
        "frequency": definition.frequency,
        "commitment": indicator.commitment,
        "visibility": indicator.visibility,
        "effective_on": indicator.effective_on,
        "original_target": original and _target(original, definition.baseline),
        "current_target": current and _target(current, definition.baseline),
        "targets": [_target(target, definition.baseline) for target in facts.targets],
        "trajectory": facts.trajectory and facts.trajectory._asdict(),
        "latest": latest and measurements[latest.period],
        "measurements": list(measurements.values()),
        "definition_changes": [
            {
                "changes": change.values,
                "reason": change.reason,
                "effective_on": change.effective_on,
                "position": change.position,
            }
            for change in facts.changes
        ],
        "verdict_rule": CURRENT_INDICATOR_RULE,
        "warnings": [sign._asdict() for sign in warning_signs(facts, windows)],
        "defined_at": instant_text(indicator.defined_at),
        "updated_at": instant_text(indicator.recorded_at),
        "version": indicator.version,
        "position": indicator.position,
    }
    return _encode(document)


def _target(target: Target, baseline: Baseline | None) -> dict[str, Any]:
    return {
        **target._asdict(),
        "tolerance": target.tolerance or None,
        "change": _change(target.value, baseline),
    }


def _measurement(
    measurement: Measurement, baseline: Baseline | None, original: Promise | None, current: Promise | None
) -> dict[str, Any]:
    first, last = measurement.findings[0], measurement.findings[-1]
    return {
        "period": measurement.period,
        "period_end_on": measurement.period_end_on,
        "value": last.value,
        "published_on": last.published_on,
        "source": measurement.source,
        "supplied_by": measurement.supplied_by,
        "change": _change(last.value, baseline),
        "against_original": _verdict(measurement, original),
        "against_current": _verdict(measurement, current),
        "corrections": [
            {**found._asdict(), "previous": before.value}
            for before, found in zip(measurement.findings, measurement.findings[1:], strict=False)
        ],
        "position": first.position,
    }


def _verdict(measurement: Measurement, promise: Promise | None) -> dict[str, Any] | None:
    if promise is None:
        return None
    verdict = indicator_verdict(promise, measurement.value, measurement.period_end_on)
    planned = None if verdict.planned is None else _rounded(verdict.planned)
    return {"status": verdict.status, "gap": verdict.gap, "planned": planned}


def _change(value: Decimal, baseline: Baseline | None) -> dict[str, Any] | None:
    if baseline is None:
        return None
    absolute = value - baseline.value
    percent = None if baseline.value == 0 else _rounded(100 * absolute / abs(baseline.value))
    return {"absolute": absolute, "percent": percent}


def _rounded(number: Decimal) -> Decimal:
    """What was divided, to six decimals; a number too large for that stays as it is."""
    return number.quantize(_SHOWN).normalize() if abs(number) < 10**18 else number


def _members(struct: Baseline | msgspec.Struct | None) -> dict[str, Any] | None:
    """Every member of a struct, those at their default included, which events leave out."""
    return None if struct is None else {name: getattr(struct, name) for name in struct.__struct_fields__}
