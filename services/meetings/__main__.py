"""Serves the meetings: `python -m services.meetings`."""

from __future__ import annotations

from services.meetings.app import PORT, create_app
from shared.http.service import run


def main() -> None:
    """Serves until told to stop."""
    run(create_app, PORT)


if __name__ == "__main__":
    main()
