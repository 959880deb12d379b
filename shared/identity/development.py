"""Tokens for development: signed and verified with a key of our own, in a file only its owner can read."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import jwt

from shared.identity.actor import Role

ALGORITHM = "HS256"
ISSUER = "bitacora-development"
AUDIENCE = "bitacora"


class DevelopmentKey:
    """The key of a development installation, made when it is missing; never accepted in production."""

    algorithms = frozenset({ALGORITHM})

    def __init__(self, path: Path) -> None:
        self.secret = _read_or_create(path)
        encoded = base64.urlsafe_b64encode(self.secret).rstrip(b"=").decode()
        self._key = jwt.PyJWK({"kty": "oct", "k": encoded, "alg": ALGORITHM})

    async def key_for(self, kid: str | None) -> jwt.PyJWK | None:
        """The one key, for the tokens that name none."""
        return self._key if kid is None else None

    def in_force(self, key: jwt.PyJWK) -> bool:
        """It never changes while we run."""
        return key is self._key


def issue_development_token(
    key_file: Path,
    *,
    role: Role,
    organization: str,
    now: datetime,
    subject: str | None = None,
    lifetime: timedelta = timedelta(hours=12),
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
) -> str:
    """A token signed with the development key, valid for `lifetime` from `now`; a missing key is made."""
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject or f"development:{role}",
        "organization": organization,
        "role": str(role),
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode(claims, DevelopmentKey(key_file).secret, algorithm=ALGORITHM)


def _read_or_create(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Several services start together: each writes its own, one link wins, and nobody reads half a key.
        mine = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(mine, path)
        finally:
            mine.unlink()
    key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(key) < 32:
        raise ValueError(f"{path} does not hold a development key of 256 bits")
    return key
