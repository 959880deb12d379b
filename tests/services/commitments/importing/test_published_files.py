"""Files exactly as a government published them: transposed, in Windows' encoding, with two columns of one name."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.eventlog import codec
from shared.events.commitments import Assessed
from tests.services.commitments.importing.desk import Desk

DATA = Path(__file__).parents[5] / "shared/data/uk-gmpp"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="there is no data folder here")

RATING_OF_2014 = (
    "MPA RAG rating (A Delivery Confidence Assessment of the project at a fixed point in time, using a"
    " five-point scale, Red – Amber/Red – Amber – Amber/Green – Green; definitions in the MPA Annual Report)"
)

OF_2014 = f"""
source = "MPA annual report 2014"
[file]
transposed = true
[code]
columns = ["Project name"]
[title]
column = "Project name"
[date]
on = 2013-09-30
[lead]
column = "Department"
unknown = "register"
[no_value]
words = ["#N/A"]
phrases = ["exempt", "^reset$"]
[rating]
columns = ["{RATING_OF_2014}"]
none = {{ words = ["Reset", "No DCA"], phrases = ["exempt"] }}
[rating.values]
"Green" = "on_track"
"Amber/Green" = "on_track"
"Amber" = "at_risk"
"Amber/Red" = "at_risk"
"Amber/ Red" = "at_risk"
"Red" = "at_risk"
[deadline]
column = "Project - End Date (Latest approved end date)"
formats = ["%d/%m/%Y"]
"""

OF_2022 = """
source = "IPA annual report 2022"
[file]
delimiter = ";"
[code]
columns = ["project_number"]
slug = false
[title]
column = "project_name"
[date]
column = "year"
table = { 2022 = 2022-03-31 }
[lead]
column = "department"
unknown = "register"
[no_value]
phrases = ["exempt", "early planning", "not in a position", "not provided"]
[rating]
columns = ["colour_rating", "colour_rating#2"]
values = { Green = "on_track", Amber = "at_risk", Red = "at_risk", "Amber/Green" = "on_track", "Amber/Red" = "at_risk" }
none = { phrases = ["exempt", "early planning", "not in a position", "legal sensitivity"] }
[deadline]
column = "end_date"
"""


@pytest.mark.parametrize(
    ("name", "label", "mapping"),
    [("uk_2014.csv", "2014", OF_2014), ("uk_2022.csv", "2022", OF_2022)],
    ids=["2014", "2022"],
)
def test_a_file_as_published_gives_the_judgements_of_the_compiled_table(
    desk: Desk, name: str, label: str, mapping: str
) -> None:
    desk.mapping, desk.now = mapping, datetime(2024, 1, 1, tzinfo=UTC)
    report = desk.enter_file(DATA / name)
    assert report.errors == []
    events = [codec.decode(line, position).data for position, line in desk.store.read(0, 100_000)]
    found = Counter(event.judgement for event in events if isinstance(event, Assessed))
    green, amber = {"Green", "Amber/Green"}, {"Amber", "Amber/Red", "Red"}
    with (DATA / "observations.csv").open(encoding="utf-8", newline="") as file:
        colours = [row["dca_rating"] for row in csv.DictReader(file) if row["snapshot_year"] == label]
    assert found == Counter(
        "on_track" if colour in green else "at_risk" if colour in amber else None for colour in colours
    )
