"""What is measured on: a portfolio of the shape of the UK Government Major Projects Portfolio, only larger.

The rows carry the columns that the mapping `observations.toml` reads, filled to the lengths found in the real file
(`../shared/data/uk-gmpp`): narratives of some hundred characters, a rating, a date that slips now and then, figures.
The same numbers always give the same file.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

PILLARS = (
    "growth",
    "employment",
    "security",
    "education",
    "health",
    "poverty",
    "democracy",
    "reconstruction",
)
DEPARTMENTS = tuple(f"Department {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
RATINGS = ("Green", "Amber/Green", "Amber", "Amber/Red", "Red", "Reset")
MAPPING = Path(__file__).with_name("observations.toml")
FIRST_YEAR = 2016
REGISTERED = 2_000
"""Commitments that both services hold when single requests are compared."""

_TEXT = (
    "the programme remains on course for delivery of main construction works and procurement of rolling stock after "
    "approval by the board in spring while staffing risks in two regions call for a revised schedule and budget"
)
_WORDS = _TEXT.split()
_COLUMNS = (
    "match_key",
    "project_name",
    "department",
    "pillar",
    "observed_on",
    "dca_rating",
    "end_date",
    "year_budget",
    "year_forecast",
    "whole_life_cost",
    "description",
    "dca_commentary",
    "schedule_narrative",
)


def write_observations(path: Path, *, commitments: int, years: int) -> int:
    """Writes the table of observations, a row per commitment and year; returns the number of rows."""
    random_ = random.Random(commitments)
    projects = [_Project(number, random_) for number in range(commitments)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for year in range(FIRST_YEAR, FIRST_YEAR + years):
            writer.writerows(project.row(year, random_) for project in projects)
    return commitments * years


def code_of(number: int) -> str:
    """The code of the n-th commitment of the portfolio, as the import makes it."""
    return f"project-{number:05}"


class _Project:
    """One commitment and what is said of it from year to year."""

    def __init__(self, number: int, random_: random.Random) -> None:
        self.key = code_of(number)
        self.name = f"Project {number:05} {_text(18, random_)}"
        self.department = random_.choice(DEPARTMENTS)
        self.pillar = PILLARS[number % len(PILLARS)]
        self.description = _text(530, random_)
        self.end_year = FIRST_YEAR + random_.randrange(1, 14)
        self.cost = random_.randrange(10, 9000)
        self.rating = random_.choice(RATINGS)

    def row(self, year: int, random_: random.Random) -> tuple[object, ...]:
        if random_.random() < 0.35:
            self.rating = random_.choice(RATINGS)
        if random_.random() < 0.25:
            self.end_year += 1
        budget = self.cost / 10 + random_.randrange(100)
        return (
            self.key,
            self.name,
            self.department,
            self.pillar,
            f"{year}-09-30",
            self.rating,
            f"31/03/{self.end_year}",
            f"{budget:.2f}",
            f"{budget * 1.05:.2f}",
            self.cost,
            self.description,
            _text(670, random_),
            _text(420, random_),
        )


def _text(length: int, random_: random.Random) -> str:
    """Some text of about this many characters."""
    words = random_.choices(_WORDS, k=max(1, length // 6))
    return " ".join(words).capitalize()


def registration(number: int) -> dict[str, object]:
    """The request that registers the n-th commitment, where it is not imported."""
    random_ = random.Random(number)
    return {
        "code": code_of(number),
        "title": f"Project {number:05} {_text(18, random_)}",
        "lead_organization": "department-a",
        "pillar": PILLARS[number % len(PILLARS)],
        "description": _text(530, random_),
        "public_deadline": {"on": f"{FIRST_YEAR + 14}-03-31", "origin": "Annual report"},
        "internal_deadline": {"on": f"{FIRST_YEAR + 13}-12-31"},
        "origin": {"kind": "may_21_speech", "source": "Annual speech", "source_on": "2016-05-21"},
        "key_words": ["infrastructure", "transport"],
        "effective_on": f"{FIRST_YEAR}-09-30",
    }


def assessment(number: int) -> dict[str, object]:
    """A judgement as a person would write it."""
    at_risk = number % 3 == 0
    return {
        "judgement": "at_risk" if at_risk else "on_track",
        "reason": _text(140, random.Random(number)),
        "effective_on": "2026-06-01",
        "rating": "Amber/Red" if at_risk else "Green",
        "scale": "delivery confidence",
    }
