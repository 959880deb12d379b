"""Serves the baseline on the loopback: `python -m bench.baselines PORT`, the rest by environment."""

from __future__ import annotations

import os
import sys

import uvicorn

from bench.baselines.app import create_app
from bench.baselines.identity import Tokens


def main() -> None:
    """Serves until it is told to end."""
    tokens = Tokens(
        bytes.fromhex(os.environ["BENCH_TOKEN_SECRET"]),
        os.environ["BENCH_TOKEN_ISSUER"],
        os.environ["BENCH_TOKEN_AUDIENCE"],
    )
    tuned = os.environ.get("BENCH_SESSION_IN_ENDPOINT") == "1"
    app = create_app(os.environ["BENCH_DATABASE_URL"], tokens, session_in_endpoint=tuned)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
