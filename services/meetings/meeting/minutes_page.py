"""Minutes as a page, for people to read, print and file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_time
from jinja2 import Environment

from shared.http.templates import templates_of
from shared.languages import N_, Language, speaking

WORDS: Final[Mapping[str, str]] = {
    # how an item ended
    "agreed": N_("Agreed"),
    "agreed_with_changes": N_("Agreed with changes"),
    "partly_agreed": N_("Agreed in part"),
    "rejected": N_("Rejected"),
    "referred": N_("Referred"),
    "noted": N_("Noted"),
    "discussed": N_("Discussed"),
    "postponed": N_("Postponed"),
    "withdrawn": N_("Withdrawn"),
    "settled": N_("Settled"),
    "elected": N_("Elected"),
    "no_vote": N_("No vote was taken"),
    # who came
    "present": N_("Present"),
    "represented": N_("Represented"),
    "absent": N_("Absent"),
    # what a decision does
    "agree_commitment": N_("A new commitment"),
    "revise_deadline": N_("Another deadline"),
    "revise_target": N_("Another target"),
    "discard": N_("Discarding"),
    "merge": N_("Merger"),
    "split": N_("Split"),
    "reassign": N_("Another lead"),
    "reopen": N_("Reopening"),
    "complete": N_("Completion"),
    "publish": N_("Publication"),
    "budget": N_("Budget"),
    "escalate": N_("Escalation"),
    "refer": N_("Referral"),
    "other": N_("Other"),
    # money, and deadlines
    "reallocation": N_("reallocated"),
    "increase": N_("added"),
    "public": N_("public"),
    "internal": N_("internal"),
}
"""How the page calls what minutes say by a code."""


class MinutesPages:
    """Makes pages of the documents of meetings."""

    def __init__(self, zone: ZoneInfo) -> None:
        """`zone` is that of the hours on the page."""
        self._templates = {
            code: _templates(spoken, zone) for code, spoken in speaking(__package__, WORDS).items()
        }

    def page(self, meeting: Mapping[str, Any], body: str | None, lang: str) -> bytes:
        """The minutes in the document of a meeting as its reader gets it; `body` is what its body is called."""
        template = self._templates[lang].get_template("minutes.html")
        return template.render(meeting=meeting, minutes=meeting["minutes"], body=body, lang=lang).encode()


def _templates(spoken: Language, zone: ZoneInfo) -> Environment:
    def day_of(instant: str) -> str:
        return spoken.day(datetime.fromisoformat(instant).astimezone(zone).date())

    def hour(instant: str) -> str:
        return format_time(
            datetime.fromisoformat(instant).astimezone(zone).time(), "HH:mm", locale=spoken.locale
        )

    environment = templates_of(__package__, spoken)
    environment.filters |= {"day_of": day_of, "hour": hour}
    return environment
