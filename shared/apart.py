"""Work for a process apart: what takes a processor for long is done where it holds up nobody and can be ended.

Such a process makes one file of another. It knows nothing of the record: it is given its input, an empty folder, no
variables but those below, so many seconds of a processor, and so many bytes of memory.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import BinaryIO


class NotMadeError(Exception):
    """A process apart came to nothing; `status` is how it ended."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it ended with {status}")
        self.status = status


async def made_apart(module: str, source: BinaryIO, *, seconds: float, memory: int) -> BinaryIO:
    """What `python -m module` makes of a file, which is then closed. NotMadeError where that comes to nothing.

    Whoever waits no longer ends the process.
    """
    made = TemporaryFile()  # noqa: SIM115 - closed by whoever asked for it
    try:
        with source, TemporaryDirectory(prefix="bitacora-") as scratch:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", module, str(int(seconds) + 1), str(memory), scratch),
                stdin=source,
                stdout=made,
                # Fonts are looked up in the system's places, and what was found is kept in the folder.
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": scratch},
            )
            try:
                status = await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if status:
            raise NotMadeError(status)
    except BaseException:
        made.close()
        raise
    return made


def confined() -> Path:
    """In such a process: keep to the seconds and bytes that were given; the folder for what memory does not hold."""
    seconds, memory, scratch = sys.argv[1:4]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds),) * 2)
    resource.setrlimit(resource.RLIMIT_AS, (int(memory),) * 2)
    return Path(scratch)
