"""The codes with which this service refuses what is asked of it, for `docs/errors.md` and `/errors/{code}`."""

from __future__ import annotations

from services.meetings.api.errors_of_minutes import MINUTES_ERRORS
from shared.http.catalogue import Explained

BODY_ERRORS: dict[str, Explained] = {
    "unknown-body": Explained(404, "Unknown body", "There is no body by this code, or none you may know of."),
    "body-circle-settled": Explained(
        409,
        "Circle of a body settled",
        "Once a body has numbered decisions, its visibility stays as it is, and so do the organisations of a reserved "
        "one; otherwise the gaps in the numbers would tell newcomers of decisions they may not know. Register another.",
    ),
    "body-code-malformed": Explained(
        422,
        "Malformed body code",
        "A body's code has 1 to 40 letters, digits, dots, hyphens or underscores, begins with a letter or digit and "
        "does not look like a UUID. The numbers of its decisions begin with it.",
    ),
    "body-code-taken": Explained(
        409,
        "Body code taken",
        "Another body's code differs from this one by its capitals only: the numbers of their decisions would look "
        "alike.",
    ),
    "days-reversed": Explained(422, "Days reversed", "`from` must not be later than `to`."),
    "bilateral-not-reserved": Explained(
        422,
        "Bilateral not reserved",
        "Bilaterals are `reserved`. Publish meetings or decisions, with a reason.",
    ),
    "bilateral-without-organizations": Explained(
        422, "Bilateral with nobody", "Name in `organizations` the ministries the bilateral is with."
    ),
    "seat-empty": Explained(
        422, "Empty seat", "A mandatory seat names an organisation, an office (`position`), or both."
    ),
    "protocol-figure-impossible": Explained(
        422, "Impossible figure in a protocol", "Figures lie between 1 and 1000; leave out what is not asked."
    ),
}

MEETING_ERRORS: dict[str, Explained] = {
    "not-a-bilateral": Explained(
        403,
        "Not a bilateral",
        "The advisory unit convenes bilaterals and approves their minutes; other meetings are the unit's.",
    ),
    "unknown-meeting": Explained(
        404, "Unknown meeting", "There is no meeting by this id, or none you may know of."
    ),
    "meeting-cancelled": Explained(
        409,
        "Meeting cancelled",
        "Nothing more happens to it, but that others may come to know of it: convene another.",
    ),
    "unknown-decision-taken-up": Explained(
        422,
        "Unknown decision taken up",
        "An item of an agenda takes up decisions that were agreed: give numbers.",
    ),
    "unknown-action-item-taken-up": Explained(
        422,
        "Unknown action item taken up",
        "An item of an agenda takes up action items on record: give their ids.",
    ),
    "meeting-of-another-circle": Explained(
        409,
        "Meeting of another circle",
        "The body was opened to others, or closed to some, since the meeting was convened. Its minutes can be approved "
        "without decisions; or describe the body as it was, as long as it has no numbered decisions.",
    ),
    "held-after-due-day": Explained(
        422,
        "Held after something was due",
        "The minutes ask for something by an earlier day than the meeting would have been held: draft them anew first.",
    ),
    "held-after-circulation": Explained(
        422,
        "Held after its minutes were sent",
        "A meeting was held no later than its minutes were first sent out.",
    ),
    "attendance-unchanged": Explained(409, "Attendance unchanged", "It was noted just like this already."),
    "meeting-already-held": Explained(
        409,
        "Meeting already held",
        "Agenda, time and place are settled before a meeting is held, and it is called off before. Its attendance "
        "may be told anew with a `reason` until the minutes are approved.",
    ),
    "meeting-not-held": Explained(409, "Meeting not held", "Record its attendance first."),
    "meeting-without-agenda": Explained(
        409, "Meeting without an agenda", "Put on the agenda what was dealt with; then record the attendance."
    ),
    "agenda-unchanged": Explained(
        409, "Agenda unchanged", "The agenda already reads like this, or was agreed with them already."
    ),
    "appointment-unchanged": Explained(
        409, "Appointment unchanged", "A rescheduling names another time or another place."
    ),
    "visibility-unchanged": Explained(409, "Visibility unchanged", "It has this visibility already."),
    "narrower-than-convened": Explained(
        409,
        "Narrower than at first",
        "What was open from the start is never hidden: the gap in the numbers would tell that it is there.",
    ),
    "narrower-than-meeting": Explained(
        409,
        "Narrower than its meeting",
        "The minutes of its meeting hold the decision: whoever may read them may know of it.",
    ),
    "no-such-body": Explained(422, "No such body", "`body` is the code of a body on record."),
    "agenda-empty": Explained(422, "Empty agenda", "An agenda that is agreed has at least one item."),
    "agenda-misnumbered": Explained(
        422, "Agenda misnumbered", "The items of an agenda are numbered in order from 1."
    ),
    "duration-impossible": Explained(422, "Impossible duration", "An item takes from 1 to 1440 minutes."),
    "ends-before-start": Explained(422, "Ends before it begins", "Give an end after the beginning, or none."),
    "instant-in-future": Explained(422, "Moment in the future", "What was held was held before now."),
    "nobody-attended": Explained(
        422, "Nobody attended", "Name at least one attendee who is present or represented."
    ),
    "representative-misplaced": Explained(
        422,
        "Representative misplaced",
        "`represented_by` says who stood in for somebody whose presence is `represented`, and only then.",
    ),
    "full-rights-for-issues": Explained(
        422, "Full rights for single issues", "`agenda_items` is for those whose rights are `invited`."
    ),
    "unknown-agenda-item": Explained(
        422, "Unknown agenda item", "Items are named by their number on the meeting's agenda."
    ),
}

DECISION_ERRORS: dict[str, Explained] = {
    "unknown-decision": Explained(
        404, "Unknown decision", "There is no decision by this number, or none you may know of."
    ),
    "already-acknowledged": Explained(
        409,
        "Already acknowledged",
        "The budget office already said so. It may say the other thing, or speak again after an erratum.",
    ),
    "budget-line-already-tied": Explained(
        409, "Budget line already tied", "The line is tied with this very amount and request."
    ),
    "date-before-decision": Explained(
        422, "Before it was agreed", "Nobody says anything of a decision before the day it was agreed."
    ),
    "fiscal-year-impossible": Explained(422, "Impossible fiscal year", "A fiscal year is a calendar year."),
    "amount-malformed": Explained(
        422,
        "Malformed amount",
        'Decimal text such as "1234.5": 18 digits before the point and 6 after at most.',
    ),
    "amount-not-positive": Explained(
        422, "Amount not above zero", "What a decision costs, and what a budget line holds, is above zero."
    ),
    "currency-malformed": Explained(422, "Malformed currency", "Three letters, as in CLP, CLF or USD."),
}

ACTION_ITEM_ERRORS: dict[str, Explained] = {
    "not-your-action-item": Explained(
        403, "Not your action item", "Progress and completion are told by the organisation that owes it."
    ),
    "unknown-action-item": Explained(
        404, "Unknown action item", "There is no action item by this id, or none you may know of."
    ),
    "action-item-closed": Explained(
        409, "Action item closed", "It was completed or cancelled; what is still to be done is a new one."
    ),
    "extension-not-later": Explained(
        409, "Extension not later", "An extension gives a day after the present one."
    ),
    "owner-unchanged": Explained(409, "Owner unchanged", "It is theirs already."),
    "date-before-assignment": Explained(
        422,
        "Before it was assigned",
        "Nothing happens to an action item before the meeting that asked for it.",
    ),
    "date-before-last-change": Explained(
        422,
        "Before the last change",
        "It was extended, or reassigned, as of a later day: date the next one on or after that day.",
    ),
    "evidence-required": Explained(
        422, "Evidence required", "Give at least one piece of evidence, each with a description."
    ),
}

GENERAL_ERRORS: dict[str, Explained] = {
    "date-in-future": Explained(422, "Day in the future", "Facts take effect on a day up to today."),
    "reason-required": Explained(422, "Reason required", "Say why, in words somebody can read years later."),
    "text-required": Explained(422, "Text required", "A blank text says nothing."),
    "named-twice": Explained(422, "Named twice", "A list names each thing once."),
    "unknown-organization": Explained(
        422,
        "Unknown organisation",
        "Register the organisation first, with the commitments service: `PUT /v1/organizations/{code}`.",
    ),
}

ERRORS: dict[str, Explained] = {
    **BODY_ERRORS,
    **MEETING_ERRORS,
    **MINUTES_ERRORS,
    **DECISION_ERRORS,
    **ACTION_ITEM_ERRORS,
    **GENERAL_ERRORS,
}
