"""The codes with which organisations, pillars, indicators and API keys refuse what is asked of them."""

from __future__ import annotations

from shared.http.catalogue import Explained

PLAN_ERRORS: dict[str, Explained] = {
    # organisations and pillars
    "organization-not-found": Explained(
        404, "No such organisation", "There is no organisation by this code or id."
    ),
    "pillar-not-found": Explained(404, "No such pillar", "There is no pillar by this code or id."),
    "alias-taken": Explained(
        409, "Name already taken", "Codes and aliases, capitals aside, each lead to one organisation only."
    ),
    "organization-cycle": Explained(
        409,
        "Organisations in a circle",
        "No organisation belongs to itself, or goes on in itself, by way of others.",
    ),
}

KEY_ERRORS: dict[str, Explained] = {
    "unknown-api-key": Explained(404, "Unknown key", "No key was ever issued under this id."),
    "key-already-revoked": Explained(409, "Key already revoked", "The key was taken back before."),
    "key-role-reserved": Explained(422, "Reserved role", "Only policies of the services act as `system`."),
    "key-scopes-unknown": Explained(422, "Unknown scopes", "Give `read`, `write` or both."),
    "key-lifetime": Explained(422, "Lifetime of a key", "A key expires after now and within 366 days."),
}

INDICATOR_ERRORS: dict[str, Explained] = {
    "not-your-indicator": Explained(
        403,
        "Not your indicator",
        "A ministry records values only where the indicator names it as the source.",
    ),
    "not-your-measurement": Explained(
        403,
        "Not your measurement",
        "A ministry records only values that it supplies itself: leave `supplied_by` out.",
    ),
    "unknown-indicator": Explained(
        404, "Unknown indicator", "There is no indicator by this id or code, or none you may know of."
    ),
    "unknown-measurement": Explained(
        404, "No value for the period", "Only a value on record can be corrected."
    ),
    "measurement-exists": Explained(
        409,
        "Period already measured",
        "A period has one value: correct it under `measurements/{period}/corrections`.",
    ),
    "measurement-unchanged": Explained(
        409, "Value unchanged", "A correction gives the period another value."
    ),
    "target-unchanged": Explained(
        409, "Target unchanged", "A revision changes the value, the day or the tolerance."
    ),
    "target-before-baseline": Explained(
        409, "Target before baseline", "A target is promised for a day after that of the baseline."
    ),
    "trajectory-unchanged": Explained(
        409, "Trajectory unchanged", "A new trajectory plans other values or days."
    ),
    "definition-unchanged": Explained(
        409, "Definition unchanged", "A change gives at least one field another value."
    ),
    "indicator-commitment-unknown": Explained(
        422, "Unknown commitment", "`commitment` is the code or id of a commitment on record."
    ),
    "before-definition": Explained(
        422,
        "Before the definition",
        "Nothing takes effect before the day on which the indicator was defined.",
    ),
    "period-malformed": Explained(
        422, "Malformed period", "Write 2011, 2011-H1, 2011-T2 (four months), 2011-Q3 or 2011-05."
    ),
    "period-not-begun": Explained(
        422,
        "Period not begun",
        "A value is published after its period began; what is planned is a trajectory.",
    ),
    "correction-before-value": Explained(
        422, "Correction before the value", "A correction is published no earlier than the value it corrects."
    ),
    "trajectory-empty": Explained(422, "Empty trajectory", "A trajectory has at least one planned value."),
    "trajectory-not-ascending": Explained(
        422, "Days out of order", "Planned days follow the day of the baseline and each other."
    ),
    "tolerance-not-applicable": Explained(
        422, "Tolerance not applicable", "Only a value that is to be maintained has a tolerance."
    ),
    "tolerance-negative": Explained(422, "Negative tolerance", "A tolerance is a distance: zero or more."),
}
