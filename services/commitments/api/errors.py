"""The codes with which this service refuses what is asked of it, for `docs/errors.md` and `/errors/{code}`."""

from __future__ import annotations

from services.commitments.api.decision_errors import DECISION_ERRORS
from services.commitments.api.plan_errors import INDICATOR_ERRORS, KEY_ERRORS, PLAN_ERRORS
from shared.http.catalogue import Explained

COMMITMENT_ERRORS: dict[str, Explained] = {
    # 403
    "not-your-commitment": Explained(
        403,
        "Not your commitment",
        "A ministry reports, comments and completes milestones only where it leads, is the responsible service or "
        "collaborates.",
    ),
    # 404
    "unknown-commitment": Explained(
        404, "Unknown commitment", "There is no commitment by this id or code, or none you may know of."
    ),
    "report-not-found": Explained(
        404,
        "No such report",
        "The commitment has no progress report by this number; they are numbered from 1.",
    ),
    "milestone-not-found": Explained(
        404, "No such milestone", "The commitment has no milestone by this number; they are numbered from 1."
    ),
    # 409
    "commitment-closed": Explained(
        409,
        "Commitment closed",
        "On that day the commitment had been completed, discarded or merged. Facts dated before that day are still "
        "taken; for later ones reopen it first.",
    ),
    "not-closed": Explained(409, "Nothing to reopen", "The commitment is open: nothing closed it."),
    "reopening-before-closure": Explained(
        409,
        "Reopened before it was closed",
        "A reopening takes effect on the day of the closing or after it.",
    ),
    "deadline-unchanged": Explained(
        409, "Deadline unchanged", "A revision gives the deadline another day than the one it had."
    ),
    "internal-after-public": Explained(
        409,
        "Internal deadline after the public one",
        "The internal deadline warns ahead of the public one: it falls on the same day at the latest.",
    ),
    "lead-unchanged": Explained(
        409, "Lead unchanged", "That organisation led the commitment already on that day."
    ),
    "merger-into-itself": Explained(409, "Merger into itself", "Name another commitment as `into`."),
    "merger-in-a-circle": Explained(
        409, "Merger in a circle", "The other commitment was itself merged into this one: reopen it first."
    ),
    "merger-into-closed": Explained(
        409, "Merger into a closed commitment", "What it is merged into must be open: reopen that one first."
    ),
    "reviewer-is-author": Explained(
        409, "Reviewer is the author", "A progress report is reviewed by somebody else than its author."
    ),
    "report-already-reviewed": Explained(
        409,
        "Report already reviewed",
        "A report is reviewed once; one that was returned is answered by a new report.",
    ),
    "no-change-contradicted": Explained(
        409,
        "Change reported as no change",
        "With `no_change` leave `stage` and `percent` out, or give them as they stand.",
    ),
    "milestone-completed": Explained(
        409, "Milestone completed", "The milestone was reached: it is neither planned anew nor reached again."
    ),
    "milestone-unchanged": Explained(
        409, "Milestone unchanged", "Planning a milestone anew changes its name, its day or its description."
    ),
    "visibility-unchanged": Explained(
        409, "Visibility unchanged", "The commitment already has this visibility."
    ),
    "correction-changes-nothing": Explained(
        409, "Correction changes nothing", "The field already has this value in the registration."
    ),
    "parent-is-descendant": Explained(
        409,
        "Parent is part of it",
        "A commitment cannot be part of itself, nor of something that is part of it.",
    ),
    "parent-below": Explained(
        409,
        "Parent of a lower layer",
        "A strategic objective contains actions, and these contain commitments; never the other way round.",
    ),
    # 422
    "code-malformed": Explained(
        422,
        "Malformed code",
        "A code has 1 to 64 letters, digits, dots, hyphens or underscores, begins with a letter or digit, and does "
        "not look like a UUID.",
    ),
    "date-in-future": Explained(
        422,
        "Date in the future",
        "Facts took effect today or earlier, in the government's time zone; only deadlines and targets lie ahead.",
    ),
    "reason-required": Explained(422, "Reason required", "Say why, in words somebody can read years later."),
    "text-required": Explained(422, "Text required", "The text cannot be blank."),
    "text-too-long": Explained(422, "Text too long", "`errors` says how many characters fit."),
    "too-many-items": Explained(422, "Too many items", "A list takes at most 200 items."),
    "named-twice": Explained(422, "Named twice", "Name each item of the list once."),
    "evidence-required": Explained(
        422, "Evidence required", "A completion rests on at least one piece of evidence that says what it is."
    ),
    "judgement-or-rating-required": Explained(
        422,
        "Judgement or rating required",
        "Give a judgement, or the rating on the assessor's own scale, or both.",
    ),
    "percent-out-of-range": Explained(422, "Percentage out of range", "A percentage lies between 0 and 100."),
    "nothing-reported": Explained(
        422, "Nothing reported", "Give the progress observed, a stage or a percentage, or say `no_change`."
    ),
    "no-risk-rated": Explained(422, "No risk rated", "Rate at least one risk."),
    "risk-out-of-range": Explained(422, "Risk out of range", "Risks are rated from 1 (low) to 4 (high)."),
    "budget-lines-missing": Explained(422, "No budget figures", "An estimate has at least one figure."),
    "budget-line-repeated": Explained(
        422, "Budget figure repeated", "Within one estimate, give each figure once for each year."
    ),
    "amount-malformed": Explained(
        422,
        "Malformed amount",
        "Amounts are decimal text, such as `1234.5`: at most 18 digits and 6 decimals.",
    ),
    "currency-malformed": Explained(
        422, "Malformed currency", "Give the three letters of the currency, as in CLP."
    ),
    "milestone-out-of-sequence": Explained(
        422,
        "Milestone out of sequence",
        "Leave `number` out for a new milestone, or give that of an existing one.",
    ),
    "merger-into-unknown": Explained(422, "Merger into an unknown commitment", "`into` names no commitment."),
    "bilateral-not-public": Explained(
        422,
        "Bilateral agreement not public",
        "What was agreed in a bilateral meeting is registered as `reserved` or `internal`, and published later with "
        "a reason.",
    ),
    "field-not-correctable": Explained(
        422,
        "Field not correctable",
        "Every field of the registration can be corrected except the code, which never changes, and the visibility, "
        "which a publication changes.",
    ),
    "correction-value-invalid": Explained(
        422, "Value does not fit the field", "Give the value in the shape the field has in a registration."
    ),
    "parent-unknown": Explained(422, "Unknown parent", "`parent` is the code of a commitment on record."),
    "split-from-unknown": Explained(
        422, "Unknown origin of a split", "`split_from` is the code of another commitment on record."
    ),
    "unknown-organization": Explained(
        422, "Unknown organisation", "Register the organisation first: `PUT /v1/organizations/{code}`."
    ),
    "unknown-pillar": Explained(422, "Unknown pillar", "Declare the pillar first: `PUT /v1/pillars/{code}`."),
}

ERRORS: dict[str, Explained] = {
    **COMMITMENT_ERRORS,
    **PLAN_ERRORS,
    **INDICATOR_ERRORS,
    **DECISION_ERRORS,
    **KEY_ERRORS,
}
