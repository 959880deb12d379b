"""The published language of the meetings service."""

from __future__ import annotations

from shared.events.facts import Event

EVENTS: tuple[type[Event], ...] = ()
