"""Processes of a test, forked from a server that has everything imported: many can be started and killed quickly."""

from __future__ import annotations

import multiprocessing

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    [
        "__main__",
        "tests.support.log_process",
        "tests.support.service_process",
        "services.commitments.__main__",
    ]
)
