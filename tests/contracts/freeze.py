"""`python -m tests.contracts.freeze` adds a golden line for every event type that has none, and changes nothing else.

A new type gets its line with the change that brings it. The line holds every field, filled with an example that is made
from the type (`shared/events/examples.py`); look at it before you commit it, because from then on it stays as it is. A
field added later gets a line of its own beside the first, `<type>+<field>.json`; the first one shows for ever that the
event is understood without it. `events.sha256` holds the digest of each file, so that none is edited by accident.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent
from shared.events.examples import example_of
from shared.events.facts import Event
from shared.events.registry import EVENT_TYPES
from shared.events.streams import stream_of
from shared.identity.actor import Actor, Role

HERE = Path(__file__).parent
RECORDED_AT = datetime(2026, 11, 21, 18, 0, 0, 123456, tzinfo=UTC)


def golden_line(event_type: type[Event]) -> bytes:
    """An event of a type as the log would store it at position 12."""
    event = NewEvent(
        stream_id=stream_of("commitment", "SEG-014"),
        version=7,
        recorded_by=Actor(subject="u-17", organization="DCI", role=Role.DCI),
        correlation_id="3d1f6f3e-6a55-4a55-9f4e-2c8a1d7f0b21",
        causation_id=11,
        nonce="0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        data=example_of(event_type),
    )
    return codec.stamp(codec.encode(event), 12, RECORDED_AT)


def digest(line: bytes) -> str:
    """What `events.sha256` says of a golden line."""
    return hashlib.sha256(line).hexdigest()


def read_digests(place: Path = HERE) -> dict[str, str]:
    """The digest of every golden line, by its name: that of its type, perhaps with the fields added later."""
    listed = place / "events.sha256"
    rows = listed.read_text().splitlines() if listed.exists() else []
    return {name.removesuffix(".json"): value for value, name in (row.split() for row in rows)}


def type_of(name: str) -> str:
    """The type that a golden line is of."""
    return name.partition("+")[0]


def missing(types: Mapping[str, type[Event]], place: Path) -> list[str]:
    """The names of the golden lines that are not there, though a type has fields that none of its lines shows."""
    shown: dict[str, set[str]] = {}
    for path in (place / "events").glob("*.json"):
        shown.setdefault(type_of(path.stem), set()).update(json.loads(path.read_bytes())["data"])
    found = []
    for name, cls in types.items():
        if name not in shown:
            found.append(name)
        elif lacking := [field for field in cls.__struct_encode_fields__ if field not in shown[name]]:
            found.append("+".join([name, *lacking]))
    return found


def freeze(types: Mapping[str, type[Event]] = EVENT_TYPES, place: Path = HERE) -> list[str]:
    """Add what is missing; the names of the lines that were added."""
    digests = read_digests(place)
    (place / "events").mkdir(exist_ok=True)
    added = [name for name in missing(types, place) if name not in digests]
    for name in added:
        line = golden_line(types[type_of(name)])
        (place / "events" / f"{name}.json").write_bytes(line + b"\n")
        digests[name] = digest(line)
    if added:
        rows = [f"{value}  {name}.json\n" for name, value in sorted(digests.items())]
        (place / "events.sha256").write_text("".join(rows))
    return added


if __name__ == "__main__":
    for name in freeze():
        sys.stdout.write(f"added {name}\n")
