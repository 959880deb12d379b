"""Another rule for the states: what needs a law is judged by where its bill stands.

A promise to legislate is not kept by a completion that somebody records, but by a law; and how likely it is to be kept
in time can be seen from how far the bill has come, and how long it still has. The stage is told in the words of whoever
reports; a table says which words mean which stage. Of a bill of which nothing of the kind was told nothing is known,
and it is judged like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.events.texts import folded
from shared.events.types import Kind
from shared.rules.registry import AllOf, AnyOf, Is, Known, Line, Parameter, Rule, near, passed, registered
from shared.rules.traffic_light import GRACE, TRAFFIC_LIGHT_1, Status


class BillStage(StrEnum):
    """Where a bill stands: by custom 0, 40, 70, 90 and 100 per cent of its way."""

    NOT_IN_CONGRESS = "not_in_congress"
    FIRST_CHAMBER = "first_chamber"
    SECOND_CHAMBER = "second_chamber"
    LAST_STEPS = "last_steps"
    """Before a mixed committee, in its third reading, or under constitutional control."""
    LAW = "law"


BILL_STAGE: Final = "bill_stage"
"""The field with the stage of the bill; only what needs a law has one."""

SPELLINGS: Final[Mapping[BillStage, tuple[str, ...]]] = {
    BillStage.NOT_IN_CONGRESS: (
        "0 %",
        "anteproyecto",
        "en elaboración",
        "por ingresar",
        "por ingresar al Congreso",
        "sin ingresar",
        "draft bill",
        "not in Congress",
        "not in Congress yet",
    ),
    BillStage.FIRST_CHAMBER: (
        "40 %",
        "primer trámite",
        "primer trámite constitucional",
        "cámara de origen",
        "first chamber",
        "first reading",
    ),
    BillStage.SECOND_CHAMBER: (
        "70 %",
        "segundo trámite",
        "segundo trámite constitucional",
        "cámara revisora",
        "second chamber",
        "second reading",
    ),
    BillStage.LAST_STEPS: (
        "90 %",
        "tercer trámite",
        "tercer trámite constitucional",
        "comisión mixta",
        "control de constitucionalidad",
        "Tribunal Constitucional",
        "mixed committee",
        "third reading",
        "constitutional control",
    ),
    BillStage.LAW: (
        "100 %",
        "ley",
        "ley de la República",
        "ley promulgada",
        "ley publicada",
        "promulgada",
        "publicada",
        "law",
        "enacted",
        "promulgated",
    ),
}
"""The words for each stage, in Spanish and English; capitals, accents and blanks make no difference."""


def _bare(text: str) -> str:
    return "".join(folded(text).split())


_STAGES: Final = {_bare(words): stage for stage, spellings in SPELLINGS.items() for words in spellings}


def bill_stage_in(words: str) -> BillStage | None:
    """The stage that some words mean; None for others, which say nothing of it."""
    return _STAGES.get(_bare(words))


def _slow(stage: BillStage, notice: str) -> AllOf:
    """The bill is at a stage, and it is less than so many days until the public deadline."""
    return AllOf((Is(BILL_STAGE, stage), near("public_deadline", notice)))


_CLOSED, _OTHERS = TRAFFIC_LIGHT_1.lines[:3], TRAFFIC_LIGHT_1.lines[4:]

BILL_STAGE_1: Final = registered(
    Rule(
        "bill_stage",
        1,
        Kind.COMMITMENT,
        "How delivery units judge promises to legislate, by the stage of the bill: 0, 40, 70, 90 or 100 per cent.",
        (
            *_CLOSED,
            Line(Status.ACHIEVED, BILL_STAGE, Is(BILL_STAGE, BillStage.LAW)),
            Line(Status.DELAYED, "public_deadline", passed("public_deadline", GRACE.name)),
            Line(
                Status.NEEDS_ATTENTION,
                BILL_STAGE,
                AnyOf(
                    (
                        _slow(BillStage.NOT_IN_CONGRESS, "days_before_first"),
                        _slow(BillStage.FIRST_CHAMBER, "days_before_second"),
                        _slow(BillStage.SECOND_CHAMBER, "days_before_last"),
                    )
                ),
            ),
            Line(Status.ON_TIME, BILL_STAGE, Known(BILL_STAGE)),
            *_OTHERS,
        ),
        origin="registered_at",
        parameters=(
            GRACE,
            Parameter(
                "days_before_first", 365, 0, 3650, "How long before its deadline a bill is to be in Congress."
            ),
            Parameter(
                "days_before_second", 180, 0, 3650, "How long before it is to have passed the first chamber."
            ),
            Parameter(
                "days_before_last", 60, 0, 3650, "How long before it is to have passed the second chamber."
            ),
        ),
    )
)
"""Version 1 of the rule: all that needs no law, or whose stage is not known, is judged as under traffic_light_1."""
