"""The codes with which this service refuses what is asked of it, for `docs/errors.md` and `/errors/{code}`."""

from __future__ import annotations

from shared.http.catalogue import Explained

ERRORS: dict[str, Explained] = {
    "unknown-commitment": Explained(
        404, "Unknown commitment", "There is no commitment by this id or code, or none you may know of."
    ),
    "unknown-indicator": Explained(
        404, "Unknown indicator", "There is no indicator by this id or code, or none you may know of."
    ),
    "table-has-no-pages": Explained(
        422,
        "A table has no pages",
        "CSV, XLSX and JSON Lines hold the whole list: ask without `limit` and `cursor`.",
    ),
    "table-too-long": Explained(
        422,
        "Too long for a spreadsheet",
        "A sheet has 1,048,575 rows below its header: ask for CSV, or for fewer.",
    ),
    "tables-busy": Explained(
        503,
        "Tables are being made",
        "So many tables are made at once and no more: ask again in a little while.",
    ),
    "table-too-slow": Explained(
        503,
        "The table took too long",
        "A table has a limited time: ask again, or for less of it by the filters.",
    ),
    "spreadsheet-not-made": Explained(
        503, "Spreadsheet not made", "The process that writes spreadsheets failed: ask for CSV, or again."
    ),
    "rule-unknown": Explained(
        422,
        "Unknown rule",
        "There is no such rule for these things, or no such parameter or value of it. `/v1/rules` lists all.",
    ),
    "two-positions": Explained(
        422,
        "Two positions",
        "`known_at` and `position` both say how much of the log to read: give one of them.",
    ),
    "position-to-come": Explained(
        422,
        "Position to come",
        "The log has not reached that position, and a reader who stands there has read another log. To wait for one of "
        "your own writes, use `wait_for`.",
    ),
    "positions-reversed": Explained(
        422,
        "Positions reversed",
        "What changed is told from what was known earlier to what was known later: `from_known_at` and `from_position` "
        "must not lie beyond `known_at` and `position`.",
    ),
    "days-reversed": Explained(422, "Days reversed", "`from` must not be later than `to`."),
    "search-unclear": Explained(
        422,
        "Search unclear",
        'Look for words (all must be there), `"a phrase"`, the beginning of a word (`educa*`), and with `-` before it '
        "for what must not be there.",
    ),
    "people-not-public": Explained(
        422,
        "People are not public",
        "Who advises a commitment is told to those inside government: ask with a token, or without this parameter.",
    ),
    "group-by-unknown": Explained(
        422, "Unknown grouping", "`group_by` takes one or several of the listed names, each once, by commas."
    ),
    "cursor-with-groups": Explained(
        422, "Cursor with groups", "A grouped board is given whole: it takes no cursor."
    ),
    "register-too-long": Explained(
        422, "Register too long", "Ask for fewer days, or for longer periods: the register has at most 120."
    ),
    "event-type-unknown": Explained(
        422, "Unknown event type", "`types` takes names from `docs/events.md`, separated by commas."
    ),
    "last-event-id-invalid": Explained(
        422,
        "Invalid Last-Event-ID",
        "Send back the `id` of the last event received, a position of the log; or that, a hyphen and its identity.",
    ),
    "read-model-unavailable": Explained(
        503,
        "Read model unavailable",
        "What the service reads from does not answer just now. Ask again shortly.",
    ),
    "cursor-of-another-log": Explained(
        422,
        "Cursor of another log",
        "The log was restored to an earlier position, or replaced, since the cursor was given: begin again.",
    ),
    "feed-of-another-log": Explained(
        422,
        "Feed of another log",
        "The log holds another event at that position than you have read there: what you hold is of a log that is no "
        "more. Begin again from the last event that both have.",
    ),
    "read-model-of-another-log": Explained(
        503,
        "Read model of another log",
        "The log was restored to an earlier position, or replaced; what is read from is being built anew. Ask again.",
    ),
    "read-model-stopped": Explained(
        503,
        "Read model stopped",
        "For the operator: an event cannot be projected, and the read model stands before it.",
    ),
    "read-model-behind": Explained(
        503,
        "Read model behind",
        "For the operator: the worker does not keep up with the log, or there is none.",
    ),
    "worker-absent": Explained(
        503,
        "Worker absent",
        "For the operator: no worker has shown itself for too long; see `services.reporting.follow`.",
    ),
    "read-model-not-migrated": Explained(
        503, "Read model missing", "For the operator: `bitacora migrate` makes the read model."
    ),
    "read-model-out-of-date": Explained(
        503,
        "Read model out of date",
        "For the operator: `bitacora migrate` brings the read model to this version.",
    ),
}
