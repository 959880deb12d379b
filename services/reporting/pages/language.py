"""What the pages call what the record has by a code, in each language.

Texts stand in the templates and here in English; `locale/es.po` has them in Spanish, and a test fails where one is
missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.languages import N_, Language, speaking

WORDS: Final[Mapping[str, str]] = {
    "achieved": N_("Achieved"),
    "on_time": N_("On time"),
    "needs_attention": N_("Needs attention"),
    "needs_attention_internal_deadline": N_("Past its internal deadline"),
    "delayed": N_("Delayed"),
    "discarded": N_("Discarded"),
    "merged": N_("Merged into another"),
    "split": N_("Split into parts"),
    "strategic_objective": N_("Strategic objective"),
    "action": N_("Action"),
    "commitment": N_("Commitment"),
    "technical": N_("technical reasons"),
    "budgetary": N_("budgetary reasons"),
    "change_of_priorities": N_("priorities changed"),
    "on_track": N_("On track"),
    "at_risk": N_("At risk"),
    "increase": N_("should rise"),
    "decrease": N_("should fall"),
    "maintain": N_("should stay"),
    "convened": N_("Convened"),
    "held": N_("Held"),
    "cancelled": N_("Cancelled"),
    "unrecorded": N_("Nothing on record"),
    "not_comparable": N_("Cannot be compared"),
    "incomplete": N_("Cannot be said yet"),
    "met": N_("Met"),
    "met_late": N_("Met late"),
    "not_met": N_("Not met"),
    "off_target": N_("Off target"),
    "on_the_way": N_("On the way"),
    "behind": N_("Behind what was planned"),
    "no_plan": N_("No plan for this day"),
    "published": N_("Published"),
    "late": N_("Late"),
    "missing": N_("Missing"),
    "due": N_("Still to come"),
    "entered": N_("came on record"),
    "left": N_("is no more on record"),
    "state": N_("state"),
    "public_deadline_on": N_("public deadline"),
    "public_deadline": N_("public deadline"),
    "registered": N_("first day"),
    "closure": N_("how it ended"),
    "judgement": N_("judgement"),
    "lead_organization": N_("who leads"),
    "responsible_service": N_("responsible service"),
    "collaborating_organizations": N_("who takes part"),
    "title": N_("title"),
    "goal": N_("goal"),
    "merged_into": N_("merged into"),
    "split_into": N_("split into"),
    "discard_reason_type": N_("reason of discarding"),
    "visibility": N_("visibility"),
    "last_steps": N_("In its last steps"),
    "at_the_end": N_("at the end"),
    "law": N_("Law"),
    "not_in_congress": N_("Not in Congress yet"),
    "first_chamber": N_("In the first chamber"),
    "second_chamber": N_("In the second chamber"),
    "units": N_("another unit"),
    "gaps": N_("values are missing"),
    "at_once": N_("at once"),
    "completed": N_("Done"),
    "done": N_("Done"),
    "done_late": N_("Done late"),
    "overdue": N_("Overdue"),
    "open": N_("Open"),
    "before": N_("before"),
    "after": N_("after"),
    "method": N_("method"),
    "unit": N_("unit"),
    "direction": N_("direction"),
    "frequency": N_("frequency"),
    "baseline": N_("baseline"),
    "source": N_("source"),
    "proxy": N_("whether it stands for something else"),
    "may_21_speech": N_("Speech of 21 May"),
    "other_speech": N_("Another speech"),
    "campaign_programme": N_("Programme of the campaign"),
    "bilateral_meeting": N_("Bilateral meeting"),
    "committee": N_("Committee"),
    "regional_plan": N_("Regional plan"),
    "other": N_("Other"),
}
"""How the pages call what the record says by a code; a code without a word is shown as it is."""

MEANINGS: Final[Mapping[str, str]] = {
    "discarded": N_("It was given up, for a reason that is told."),
    "delayed": N_("The day promised to the public has passed, and it is not done."),
    "needs_attention": N_("The centre of government judged that it is at risk."),
    "needs_attention_internal_deadline": N_("A day agreed within the government has passed."),
    "on_time": N_("Nothing on record says that it will not be done by its day."),
    "achieved": N_("It was declared done, with evidence."),
}
"""What each state means, the first that holds being the one that is shown."""


_SPOKEN: Final = speaking(__package__, WORDS)


def language(code: str) -> Language:
    """A language of the pages by its code; KeyError for one that there is not."""
    return _SPOKEN[code]
