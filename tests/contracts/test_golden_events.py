"""What was once stored can be read for ever: the golden lines, one for each event type and each later field of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent
from shared.events.commitments import Commented
from shared.events.documentation import render
from shared.events.examples import example_of
from shared.events.facts import Event, Unknown
from shared.events.registry import EVENT_TYPES
from tests.contracts.freeze import HERE, digest, freeze, missing, read_digests, type_of

ROOT = HERE.parents[1]


def broken_promises(types: Mapping[str, type[Event]] = EVENT_TYPES, place: Path = HERE) -> list[str]:
    """Everything in which the code no longer keeps what the golden lines promise."""
    digests = read_digests(place)
    lines = {path.stem: path.read_bytes() for path in sorted((place / "events").glob("*.json"))}
    wrong = [f"{name} has no golden line: python -m tests.contracts.freeze" for name in missing(types, place)]
    wrong += [f"{name} was dropped from the language" for name in lines if type_of(name) not in types]
    wrong += [f"{name} was frozen, and its file is gone" for name in digests.keys() - lines.keys()]
    for name, stored in lines.items():
        line = stored.removesuffix(b"\n")
        if digests.get(name) != digest(line):
            wrong.append(f"{name} is not as it was frozen")
        if type_of(name) in types:
            wrong += [f"{name} {reason}" for reason in _unreadable(type_of(name), line)]
    return wrong


def _unreadable(name: str, line: bytes) -> list[str]:
    recorded = codec.decode(line, 12)
    if isinstance(recorded.data, Unknown) or recorded.type != name:
        return ["holds another type"]
    again = codec.encode(
        NewEvent(
            stream_id=recorded.stream_id,
            version=recorded.version,
            recorded_by=recorded.recorded_by,
            correlation_id=recorded.correlation_id,
            causation_id=recorded.causation_id,
            nonce=recorded.nonce,
            data=recorded.data,
        )
    )
    if codec.stamp(again, recorded.position, recorded.recorded_at) != line:
        return ["is written in other bytes now"]
    return []


def test_every_event_type_keeps_its_golden_line() -> None:
    assert broken_promises() == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the golden lines, to tamper with."""
    (tmp_path / "events").mkdir()
    for path in (HERE / "events").glob("*.json"):
        (tmp_path / "events" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "events.sha256").write_bytes((HERE / "events.sha256").read_bytes())
    assert broken_promises(place=tmp_path) == []
    return tmp_path


def test_a_dropped_type_a_new_one_and_an_edited_line_are_each_noticed(copied: Path) -> None:
    without = {name: cls for name, cls in EVENT_TYPES.items() if name != "commitments.assessed"}
    assert broken_promises(without, copied) == ["commitments.assessed was dropped from the language"]

    (copied / "events/commitments.merged.json").unlink()
    assert broken_promises(place=copied) == [
        "commitments.merged has no golden line: python -m tests.contracts.freeze",
        "commitments.merged was frozen, and its file is gone",
    ]

    path = copied / "events/commitments.assessed.json"
    path.write_bytes(path.read_bytes().replace(b'"on_track"', b'"at_risk"'))
    assert broken_promises(place=copied)[-1] == "commitments.assessed is not as it was frozen"


def test_a_line_that_would_be_written_differently_today_is_noticed(copied: Path) -> None:
    path = copied / "events/commitments.commented.json"
    line = path.read_bytes().removesuffix(b"\n").replace(b'"data":{', b'"data": {')
    path.write_bytes(line + b"\n")
    assert broken_promises(place=copied) == [
        "commitments.commented is not as it was frozen",
        "commitments.commented is written in other bytes now",
    ]


def test_freezing_adds_what_is_missing_and_changes_nothing_that_is_there(tmp_path: Path) -> None:
    names = ("commitments.assessed", "commitments.merged")
    assert freeze({names[0]: EVENT_TYPES[names[0]]}, tmp_path) == [names[0]]
    kept = tmp_path / "events" / f"{names[0]}.json"
    kept.write_bytes(as_it_is := kept.read_bytes().replace(b'"on_track"', b'"at_risk"'))
    assert freeze({name: EVENT_TYPES[name] for name in names}, tmp_path) == [names[1]]
    assert kept.read_bytes() == as_it_is
    assert sorted(read_digests(tmp_path)) == sorted(names)
    assert freeze({name: EVENT_TYPES[name] for name in names}, tmp_path) == []


def test_a_field_added_later_gets_a_line_of_its_own_and_the_first_one_stays(copied: Path) -> None:
    class Toned(Commented, frozen=True, kw_only=True):
        """Something was said, in a tone."""

        tone: str | None = None

    types = EVENT_TYPES | {"commitments.commented": Toned}
    first = (copied / "events/commitments.commented.json").read_bytes()
    assert broken_promises(types, copied) == [
        "commitments.commented+tone has no golden line: python -m tests.contracts.freeze"
    ]
    assert freeze(types, copied) == ["commitments.commented+tone"]
    assert (copied / "events/commitments.commented.json").read_bytes() == first
    assert b'"tone":"Tone"' in (copied / "events/commitments.commented+tone.json").read_bytes()
    assert freeze(types, copied) == []


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_the_example_of_a_type_fills_every_field(name: str) -> None:
    cls = EVENT_TYPES[name]
    written = codec.encode_data(example_of(cls))
    for field in cls.__struct_encode_fields__:
        assert f'"{field}":'.encode() in written


def test_the_event_document_is_up_to_date() -> None:
    assert (ROOT / "docs/events.md").read_text() == render(), "docs/events.md fell behind: make docs"


def test_the_event_document_tells_of_every_type_and_field() -> None:
    document = render()
    for name, cls in EVENT_TYPES.items():
        section = document.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        assert cls.__doc__ is not None
        assert cls.__doc__.split("\n")[0] in section
        for field in cls.__struct_encode_fields__:
            assert f"| `{field}` |" in section
