"""The codes with which this service says that a decision could not be carried out or settled."""

from __future__ import annotations

from shared.http.catalogue import Explained

DECISION_ERRORS: dict[str, Explained] = {
    "unknown-decision-outcome": Explained(
        404,
        "Unknown decision outcome",
        "No decision of that number was tried yet, or none you may know of.",
    ),
    "decision-carried-out": Explained(
        409, "Decision carried out", "The decision was carried out already: a decision acts once."
    ),
    "decision-waived": Explained(409, "Decision waived", "Somebody settled that it will not be carried out."),
    "decision-still-unresolved": Explained(
        409,
        "Decision still unresolved",
        "What the decision asks for is against a rule even now, and none of it was done: mend what `detail` names and "
        "try again, say that it was done `by_hand`, or waive the decision.",
    ),
    "nothing-done-by-hand": Explained(
        409,
        "Nothing done by hand",
        "No fact on what the decision is about names it: record what was done with its number as `decision`, then "
        "resolve it with `by_hand`.",
    ),
    "decision-effect-malformed": Explained(
        422,
        "Malformed effect",
        "The decision does not say what it does in the way that its kind asks for.",
    ),
    "decision-without-commitments": Explained(
        422, "Decision without commitments", "A decision of this kind names the commitments it concerns."
    ),
    "target-value-malformed": Explained(
        422, "Malformed target", "A target is a number in decimal text, such as 28.56."
    ),
}
