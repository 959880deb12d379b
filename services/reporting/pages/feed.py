"""The news as an Atom feed (RFC 4287): what changed, day by day, with the reason.

An entry is a commitment on a day, and keeps its id for ever; it is as new as the day on which it was learned, and no
instant is told. A feed is of today, or of the day and position that its address names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from services.reporting.queries.changes import Change
from services.reporting.queries.news import News

MOST: Final = 30
"""Entries of a feed."""
MEDIA_TYPE: Final = "application/atom+xml"
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedEntry(NamedTuple):
    """A commitment on a day."""

    id: str
    on: date
    updated: str
    page: str
    change: Change


class Feed(NamedTuple):
    """What `news.atom` shows; `itself` and `page` are addresses that hold outside."""

    id: str
    title: str
    updated: str
    itself: str
    page: str
    entries: list[FeedEntry]


def feed_id(of: UUID | str, language: str) -> str:
    """The name of a feed: that of what it is of, in one language."""
    space = of if isinstance(of, UUID) else uuid5(NAMESPACE_URL, f"bitacora/{of}")
    return uuid5(space, f"news/{language}").urn


def entry_of(news: News, page: str, zone: ZoneInfo) -> FeedEntry:
    """An entry about what became otherwise on a day; `page` tells of it."""
    entry = uuid5(news.change.id, f"news/{news.on}").urn
    return FeedEntry(entry, news.on, beginning(news.told_on, zone), page, news.change)


def beginning(day: date, zone: ZoneInfo) -> str:
    """The instant with which a civil day begins, where a day alone is told."""
    return datetime.combine(day, time.min, zone).isoformat()


def newest(news: Iterable[News], otherwise: date) -> date:
    """The day of the newest entry."""
    return max((one.told_on for one in news), default=otherwise)


def as_xml(text: str) -> str:
    """A text without the characters that no XML document may hold, whatever was recorded."""
    return _NOT_IN_XML.sub("", text)
