"""The codes with which what is asked of minutes is refused, for `docs/errors.md` and `/errors/{code}`."""

from __future__ import annotations

from shared.http.catalogue import Explained

MINUTES_ERRORS: dict[str, Explained] = {
    "not-a-recipient": Explained(
        403,
        "Not a recipient",
        "Observations are for the organisations the minutes were sent to, and for the unit.",
    ),
    "observation-not-found": Explained(
        404, "No such observation", "Observations are numbered from 1 within their meeting."
    ),
    "minutes-not-drafted": Explained(
        409, "Minutes not drafted", "There are no minutes yet: draft them first."
    ),
    "minutes-not-circulated": Explained(
        409, "Minutes not circulated", "The present draft is not before anybody: circulate it first."
    ),
    "minutes-approved": Explained(
        409, "Minutes approved", "Approved minutes are sealed: add an erratum beside the text."
    ),
    "minutes-not-approved": Explained(
        409, "Minutes not approved", "Errata are for sealed minutes: draft these anew instead."
    ),
    "already-circulated": Explained(
        409, "Already circulated", "These recipients had all been sent this draft by that day."
    ),
    "erratum-already-added": Explained(
        409, "Erratum already added", "An erratum says so already, of the same place."
    ),
    "draft-unchanged": Explained(409, "Draft unchanged", "The minutes already read like this."),
    "approver-is-author": Explained(
        409,
        "Approver is the author",
        "The protocol of this body asks for four eyes: whoever wrote the draft or told who came leaves the approval to "
        "somebody else.",
    ),
    "observation-open": Explained(
        409, "Observation open", "Answer every observation before the minutes are approved."
    ),
    "observation-already-answered": Explained(
        409, "Observation already answered", "An observation is answered once."
    ),
    "accepted-observation-pending": Explained(
        409,
        "Accepted observation pending",
        "What was accepted must be in the minutes: draft them anew or correct the attendance, and circulate them.",
    ),
    "body-only-refers": Explained(
        409,
        "Body only refers",
        "This body takes no binding decisions: its decisions are of the kind `refer`. Whether it decides is a setting "
        "of the body.",
    ),
    "date-before-meeting": Explained(
        422,
        "Before the meeting",
        "Minutes are sent out on the day of the meeting or after it, and up to today.",
    ),
    "recipients-missing": Explained(422, "Recipients missing", "Say whom the minutes are sent to."),
    "minutes-empty": Explained(422, "Empty minutes", "Minutes tell of at least one item."),
    "agenda-item-twice": Explained(
        422, "Agenda item twice", "Each item of the agenda is told of once in the minutes."
    ),
    "item-says-nothing": Explained(
        422,
        "Item says nothing",
        "Give an item a `summary`, an `outcome`, or the outcome in its source's words.",
    ),
    "decision-without-commitment": Explained(
        422, "Decision without a commitment", "This kind of decision names in `commitments` what it is about."
    ),
    "budget-impact-required": Explained(
        422, "Budget impact required", "A decision of the kind `budget` has a `budget_impact`."
    ),
    "effect-required": Explained(
        422,
        "Effect required",
        "This kind of decision says in `effect` what it does, in the member of its kind.",
    ),
    "effect-of-another-kind": Explained(
        422,
        "Effect of another kind",
        "`effect` holds the member that the kind of decision asks for, and no other.",
    ),
    "organization-outside-circle": Explained(
        422,
        "Organisation outside the circle",
        "The decisions of a reserved meeting concern organisations that may know of it. For others, register a body "
        "that includes them.",
    ),
    "due-before-meeting": Explained(
        422, "Due before the meeting", "An action item is due on the day of the meeting or after it."
    ),
    "unknown-decision-of-item": Explained(
        422, "Unknown decision of the item", "`decision` counts the decisions of the same item from 1."
    ),
    "erratum-misquotes": Explained(
        422, "Erratum misquotes", "`reads` is found word for word in the place the erratum is about."
    ),
    "erratum-changes-nothing": Explained(
        422, "Erratum changes nothing", "`should_read` differs from `reads`."
    ),
    "decision-of-another-meeting": Explained(
        422, "Decision of another meeting", "`decision` is the number of a decision of this meeting."
    ),
}
