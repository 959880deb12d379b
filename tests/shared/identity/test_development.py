"""The key that signs development tokens: made once, readable by its owner alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.identity.development import DevelopmentKey


def test_a_missing_key_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "development.key"
    secret = DevelopmentKey(path).secret
    assert len(secret) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert DevelopmentKey(path).secret == secret
    assert list(path.parent.iterdir()) == [path]


def test_services_starting_together_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: DevelopmentKey(path).secret, range(64)))
    assert len(secrets) == 1


def test_a_key_too_short_to_be_safe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    path.write_text("00ff\n")
    with pytest.raises(ValueError, match="256 bits"):
        DevelopmentKey(path)
