"""Serves the meetings: `python -m services.meetings`."""

from __future__ import annotations

from services.meetings.app import PORT, create_app
from shared.http.service import serve
from shared.logging import configure_logging
from shared.settings import load_settings


def main() -> None:
    """Serves until told to stop."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    serve(create_app(settings), host=settings.host, port=settings.port or PORT, settings=settings)


if __name__ == "__main__":
    main()
