"""The files that the service of meetings takes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from services.meetings.importing.action_items import ActionItemImport
from services.meetings.importing.bodies import BodyImport
from services.meetings.importing.body_table import BodyTableImport
from services.meetings.importing.decisions import MeetingImport
from services.meetings.importing.table import MeetingTableImport
from shared.tabular.engine import Importer, ImportState
from shared.tabular.kinds import ImportKind, with_mapping


def _bodies(state: ImportState, file: Path, mapping: Path | None) -> Importer[Any, Any]:
    """A table of bodies where there is a mapping; else a file that describes them."""
    return BodyImport(state, file) if mapping is None else BodyTableImport(state, file, mapping)


KINDS: Final = (
    ImportKind(
        "oparl", "a meeting with its agenda and its results, as in OParl", with_mapping(MeetingImport)
    ),
    ImportKind("meetings", "a meeting, or one item of its agenda", with_mapping(MeetingTableImport)),
    ImportKind("action-items", "an action item, as it stands on a day", with_mapping(ActionItemImport)),
    ImportKind("bodies", "a body that holds meetings", _bodies, mapped=False),
)
