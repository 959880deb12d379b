"""Serves the reports: `python -m services.reporting`."""

from __future__ import annotations

from services.reporting.app import PORT, create_app
from shared.http.service import run


def main() -> None:
    """Serves until told to stop."""
    run(create_app, PORT, with_read_model=True)


if __name__ == "__main__":
    main()
