"""Carries out one import for the service, which starts this: `python -m services.meetings.importing`."""

from __future__ import annotations

from services.meetings.importing.kinds import KINDS
from shared.tabular.carrying_out import main

if __name__ == "__main__":
    main(KINDS)
