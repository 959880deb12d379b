"""The files that the service of meetings takes in."""

from __future__ import annotations

from typing import Final

from services.meetings.importing.bodies import BodyImport
from services.meetings.importing.decisions import MeetingImport
from shared.tabular.kinds import ImportKind, with_mapping

KINDS: Final = (
    ImportKind(
        "oparl", "a meeting with its agenda and its results, as in OParl", with_mapping(MeetingImport)
    ),
    ImportKind(
        "bodies", "a body that holds meetings", lambda state, file, _: BodyImport(state, file), mapped=False
    ),
)
