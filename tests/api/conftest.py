"""A house with the story told in it, one for each module of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api import story as stories
from tests.api.house import House
from tests.api.story import Story


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The three services, running, over a log of their own."""
    async with House(tmp_path_factory.mktemp("house")).open() as running:
        yield running


@pytest.fixture(scope="module")
async def story(house: House) -> Story:
    """What was told in the house."""
    return await stories.tell(house)
