"""The languages of the pages: their texts, and how each writes days and numbers.

Texts stand in the templates and here in English; `locale/es.po` has them in Spanish, and a test fails where one is
missing.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final

from babel.dates import format_date
from babel.numbers import format_decimal

from shared.http.languages import texts_of, wished

DEFAULT: Final = "es"
LANGUAGES: Final[Mapping[str, str]] = {"es": "Español", "en": "English"}
"""The languages there are, each by its own name."""
_LOCALES: Final = {"es": "es_CL", "en": "en_GB"}


def N_(text: str) -> str:  # noqa: N802 - the name by which texts are found that are translated elsewhere
    """Marks a text as one that is translated where it is shown."""
    return text


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


@dataclass(frozen=True)
class Language:
    """One language: what texts, days and numbers read like in it."""

    code: str
    texts: gettext.NullTranslations

    @property
    def locale(self) -> str:
        """By which days and numbers are written."""
        return _LOCALES[self.code]

    def text(self, english: str) -> str:
        """A text in this language."""
        return self.texts.gettext(english)

    def word(self, code: Any) -> str:
        """What a code of the record is called; itself where it has no word."""
        return self.text(WORDS[code]) if code in WORDS else str(code)

    def day(self, day: date | str | None) -> str:
        """A civil day: 21 de mayo de 2012."""
        if day is None:
            return "–"
        return format_date(date.fromisoformat(day) if isinstance(day, str) else day, "long", self.locale)

    def word_or_day(self, value: str) -> str:
        """What a value that differs reads like: a day as such, a code of the record by its word."""
        try:
            return self.day(date.fromisoformat(value))
        except ValueError:
            return self.word(value)

    def number(self, value: Decimal | float | None) -> str:
        """A number with its separators and all its digits: 1.234,5."""
        if value is None:
            return "–"
        return format_decimal(value, locale=self.locale, decimal_quantization=False)


@cache
def language(code: str) -> Language:
    """A language by its code; KeyError for one that there is not."""
    if code not in LANGUAGES:
        raise KeyError(code)
    if code == "en":
        return Language(code, gettext.NullTranslations())
    return Language(code, texts_of(__package__, code))


def preferred(accept_language: str) -> Language:
    """The language that a browser asks for, by weight and then by place; Spanish where it asks for none there is."""
    return language(wished(accept_language, LANGUAGES) or DEFAULT)
