"""Carries out one import that was asked for over HTTP, in a process of its own: `python -m services.….importing`.

Reading a file of others takes a processor and memory for as long as it takes, and the file may be made to take more: so
it is done apart from the service, which tells on the input which import it is, and may be ended at any time. It ends by
itself when the service does, whose end of the pipe is then closed.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID

import msgspec

from shared.clock import Clock
from shared.errors import BitacoraError, CorruptEvent, Unavailable
from shared.eventlog.imports import Claim, Failure, Imports, KeptImport, Upload
from shared.eventlog.open import open_store
from shared.eventlog.store import Limits, Store
from shared.identity.actor import Role
from shared.tabular.engine import run_import
from shared.tabular.kinds import ImportKind, chosen
from shared.tabular.report import ImportReport

MEMORY: Final = 1 << 30
"""Bytes that the process may take."""
MOST_TOLD: Final = 5_000
"""Errors, and parts left out, that a report lists; its counts are of all of them."""
MAPPING: Final = "mapping.toml"
TELL_EVERY: Final = 0.5
"""Seconds between two times that the progress is told."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is told: which import, where the log is, and what each role but the unit's may record."""

    service: str
    id: UUID
    lease: UUID
    log_url: str
    limits: Limits
    pooled: bool
    timezone: str
    seconds: float
    may_record: dict[Role, list[str]]


TOOK_TOO_LONG: Final = Failure(
    "import-took-too-long",
    "It was ended because it took too long. What went in before is on record: send the table again to go on, or in "
    "parts.",
)
_TOO_LARGE: Final = Failure(
    "import-too-large",
    "To bring it in takes more memory than there is for it. What went in before is on record: send it in parts.",
)


class _EndedError(Exception):
    """It is no more this process's to carry out, or its time is over."""


def carry_out(
    store: Store,
    kinds: Sequence[ImportKind],
    service: str,
    claim: Claim,
    *,
    clock: Clock,
    may_record: dict[Role, list[str]],
    seconds: float,
) -> None:
    """Carry an import out and keep what came of it; Unavailable when the log stops answering."""
    imports = Imports(store)
    asked, upload = imports.get(service, claim.id), imports.upload(claim)
    if asked is None or upload is None:
        return
    role = asked.asked_by.role
    allowed = None if role is Role.DCI else may_record.get(role, [])
    progress = _Progress(imports, claim, seconds)
    try:
        with TemporaryDirectory(prefix="bitacora-") as folder:
            report = _run(store, kinds, asked, upload, Path(folder), clock, allowed, progress)
    except _EndedError:
        if progress.over:
            imports.finish(claim, failure=TOOK_TOO_LONG)
    except MemoryError:
        imports.finish(claim, failure=_TOO_LARGE)
    except Unavailable:
        raise
    except BitacoraError as error:
        imports.finish(claim, failure=Failure(error.code, error.message))
    except CorruptEvent as error:
        imports.finish(
            claim, failure=Failure("event-unreadable", f"Position {error.position} cannot be read.")
        )
    else:
        imports.finish(claim, report=msgspec.json.encode(report.members(MOST_TOLD)))


def _run(
    store: Store,
    kinds: Sequence[ImportKind],
    asked: KeptImport,
    upload: Upload,
    folder: Path,
    clock: Clock,
    may_record: Collection[str] | None,
    progress: _Progress,
) -> ImportReport:
    mapping = None
    beside = folder / "files"
    beside.mkdir()
    for name, content in upload.files.items():
        (beside / name).write_bytes(content)
    if upload.mapping is not None:
        mapping = folder / MAPPING
        mapping.write_bytes(upload.mapping)
    kind = chosen(mapping, asked.kind, kinds)
    report: ImportReport = run_import(
        store,
        lambda state: kind.make(state, beside / upload.file, mapping),
        actor=asked.asked_by,
        clock=clock,
        dry_run=asked.dry_run,
        progress=progress,
        import_id=asked.id,
        may_record=may_record,
    )
    return report


class _Progress:
    """Tells how far it is, and finds out when it is to end."""

    def __init__(self, imports: Imports, claim: Claim, seconds: float) -> None:
        self._imports = imports
        self._claim = claim
        self._until = time.monotonic() + seconds
        self._told = 0.0

    @property
    def over(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() > self._until

    def __call__(self, done: int, of: int) -> None:
        if self.over:
            raise _EndedError
        if done < of and time.monotonic() < self._told + TELL_EVERY:
            return
        self._told = time.monotonic()
        if not self._imports.renew(self._claim, (done, of)):
            raise _EndedError


def main(kinds: Sequence[ImportKind]) -> None:
    """Carry out the import that is named on the input, within some memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    task = msgspec.json.decode(_line(), type=Task)
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    with closing(open_store(task.log_url, task.limits, pooled=task.pooled)) as store:
        carry_out(
            store,
            kinds,
            task.service,
            Claim(task.id, task.lease),
            clock=Clock(task.timezone),
            may_record=task.may_record,
            seconds=task.seconds,
        )


def _line() -> bytes:
    # Read past Python's own buffers: a thread that waits in these would hold up the end of the process.
    read = b""
    while not read.endswith(b"\n"):
        more = os.read(0, 65_536)
        if not more:
            break
        read += more
    return read


def _end_with_the_service() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)
