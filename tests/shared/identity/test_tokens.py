"""Bearer tokens: which are believed, and who they say is asking."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from shared.clock import Clock
from shared.errors import Unauthenticated, Unavailable
from shared.identity.actor import Actor, Role
from shared.identity.authentication import Authenticator
from shared.identity.development import AUDIENCE, ISSUER, DevelopmentKey, issue_development_token
from shared.identity.jwks import PublishedKeys
from shared.identity.keys import KeyDirectory
from shared.identity.tokens import Claims, TokenVerifier
from shared.settings import load_settings

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
PROVIDER = "https://identity.test"


class Provider(BaseHTTPRequestHandler):
    """An identity provider that publishes `keys`, or fails with `status`."""

    keys: ClassVar[list[dict[str, Any]]] = []
    status: ClassVar[int] = 200
    asked: ClassVar[int] = 0
    instead: ClassVar[Iterator[bytes] | None] = None
    """Parts of an answer of another kind, sent for as long as somebody reads."""

    def do_GET(self) -> None:
        """Answers with the key set."""
        type(self).asked += 1
        if self.instead is not None:
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
                for part in self.instead:
                    self.wfile.write(part)
            return
        body = json.dumps({"keys": self.keys}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        """Says nothing."""


@pytest.fixture
def provider() -> Iterator[tuple[type[Provider], str]]:
    handler = type("ThisProvider", (Provider,), {"keys": [], "status": 200, "asked": 0, "instead": None})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield handler, f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Time:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def claims(**changes: Any) -> dict[str, Any]:
    whole = {
        "iss": PROVIDER,
        "aud": AUDIENCE,
        "sub": "u-1",
        "organization": "MINSAL",
        "role": "ministry",
        "exp": int(NOW.timestamp()) + 600,
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def published(key: Any, kid: str, **more: str) -> dict[str, Any]:
    """The public half of a key, as the provider's key set shows it."""
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = RSAAlgorithm.to_jwk(public)
    elif isinstance(key, Ed25519PrivateKey):
        jwk = OKPAlgorithm.to_jwk(public)
    else:
        jwk = ECAlgorithm.to_jwk(public)
    return {**json.loads(jwk), "kid": kid, "use": "sig", **more}


def verifier_at(url: str, seconds: Time | None = None) -> TokenVerifier:
    keys = PublishedKeys(url, monotonic=seconds or Time(), timeout=2)
    return TokenVerifier(keys, issuer=PROVIDER, audience=AUDIENCE, clock=Clock(now=lambda: NOW))


def development(tmp_path: Path) -> tuple[TokenVerifier, Path]:
    path = tmp_path / "development.key"
    verifier = TokenVerifier(
        DevelopmentKey(path), issuer=ISSUER, audience=AUDIENCE, clock=Clock(now=lambda: NOW)
    )
    return verifier, path


async def test_a_development_token_names_its_actor(tmp_path: Path) -> None:
    verifier, path = development(tmp_path)
    token = issue_development_token(path, role=Role.DCI, organization="DCI", now=NOW, subject="ana")
    assert (await verifier.verify(token)).actor == Actor("ana", "DCI", Role.DCI)


async def test_a_development_token_lives_as_long_as_asked(tmp_path: Path) -> None:
    verifier, path = development(tmp_path)
    for age, valid in ((timedelta(minutes=4), True), (timedelta(minutes=6), False)):
        token = issue_development_token(
            path, role=Role.DCI, organization="DCI", now=NOW - age, lifetime=timedelta(minutes=5)
        )
        if valid:
            await verifier.verify(token)
        else:
            with pytest.raises(Unauthenticated):
                await verifier.verify(token)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.test"},
        {"aud": "another"},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\nb"},
        {"sub": "key:3f9c21a07b44"},
        {"sub": "Key:3f9c21a07b44"},
        {"sub": "policy:decisions"},
        {"organization": None},
        {"organization": 7},
        {"role": "king"},
        {"role": "system"},
        {"role": ["dci", "auditor"]},
        {"role": ["king"]},
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 60},
        {"exp": True},
        {"nbf": int(NOW.timestamp()) + 60},
    ],
    ids=str,
)
async def test_a_token_that_lacks_or_bends_a_claim_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    clock = Clock(now=lambda: NOW)
    verifier = TokenVerifier(DevelopmentKey(path), issuer=PROVIDER, audience=AUDIENCE, clock=clock)
    secret = DevelopmentKey(path).secret
    await verifier.verify(jwt.encode(claims(), secret))
    with pytest.raises(Unauthenticated):
        await verifier.verify(jwt.encode(claims(**change), secret))


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "é.é.é", "." * 20_000], ids=["", "x", "abc", "é", "long"]
)
async def test_what_is_no_token_is_refused(token: str, tmp_path: Path) -> None:
    verifier, _ = development(tmp_path)
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


def with_header(header: bytes) -> str:
    parts = (header, json.dumps(claims()).encode(), b"signature")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":["RS256"]}',
        b'{"alg":{"a":1}}',
        b'{"alg":null}',
        b'{"alg":"HS256","kid":["a"]}',
        b'{"alg":"HS256","kid":{}}',
        b'{"alg":"HS256","crit":[[]]}',
        b'{"alg":"HS256","a":' + b"[" * 8_000 + b"]" * 3_000 + b"}",
        b"[]",
        b"7",
        b"\xff",
    ],
    ids=lambda header: header[:24].decode("latin-1"),
)
async def test_a_token_with_a_header_of_any_shape_is_refused_and_breaks_nothing(
    header: bytes, tmp_path: Path
) -> None:
    verifier, _ = development(tmp_path)
    with pytest.raises(Unauthenticated):
        await verifier.verify(with_header(header))


async def test_a_token_that_is_valid_for_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "development.key"
    verifier = TokenVerifier(
        DevelopmentKey(path),
        issuer=PROVIDER,
        audience=AUDIENCE,
        clock=Clock(now=lambda: NOW),
        longest=24 * 3600,
    )
    secret, now = DevelopmentKey(path).secret, int(NOW.timestamp())
    await verifier.verify(jwt.encode(claims(exp=now + 24 * 3600), secret))
    for seconds in (24 * 3600 + 60, 10**9, 10**300):
        with pytest.raises(Unauthenticated):
            await verifier.verify(jwt.encode(claims(exp=now + seconds), secret))


async def test_an_unsigned_token_is_refused(tmp_path: Path) -> None:
    verifier, _ = development(tmp_path)
    with pytest.raises(Unauthenticated):
        await verifier.verify(jwt.encode(claims(iss=ISSUER), "", algorithm="none"))


async def test_tokens_of_the_provider_are_verified_with_its_published_keys(
    provider: tuple[type[Provider], str], rsa_key: rsa.RSAPrivateKey
) -> None:
    server, url = provider
    curve, edwards = ec.generate_private_key(ec.SECP256R1()), Ed25519PrivateKey.generate()
    server.keys = [published(rsa_key, "r"), published(curve, "e"), published(edwards, "o")]
    verifier = verifier_at(url)
    for key, kid, algorithm in ((rsa_key, "r", "RS256"), (curve, "e", "ES256"), (edwards, "o", "EdDSA")):
        token = jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": kid})
        assert (await verifier.verify(token)).actor == Actor("u-1", "MINSAL", Role.MINISTRY)
    assert server.asked == 1


async def test_a_public_key_does_not_pass_for_a_shared_secret(
    provider: tuple[type[Provider], str], rsa_key: rsa.RSAPrivateKey
) -> None:
    server, url = provider
    secret = b"s" * 32
    server.keys = [
        published(rsa_key, "r"),
        {"kty": "oct", "kid": "s", "k": "c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M"},
    ]
    for kid in ("r", "s"):
        with pytest.raises(Unauthenticated):
            await verifier_at(url).verify(jwt.encode(claims(), secret, headers={"kid": kid}))


async def test_a_key_not_meant_for_signing_verifies_nothing(
    provider: tuple[type[Provider], str], rsa_key: rsa.RSAPrivateKey
) -> None:
    server, url = provider
    server.keys = [published(rsa_key, "r", use="enc")]
    with pytest.raises(Unauthenticated):
        await verifier_at(url).verify(jwt.encode(claims(), rsa_key, algorithm="RS256", headers={"kid": "r"}))


async def test_a_new_key_is_asked_for_but_not_more_often_than_patience_allows(
    provider: tuple[type[Provider], str], rsa_key: rsa.RSAPrivateKey
) -> None:
    server, url = provider
    server.keys = [published(rsa_key, "old")]
    seconds = Time()
    verifier = verifier_at(url, seconds)
    await verifier.verify(jwt.encode(claims(), rsa_key, algorithm="RS256", headers={"kid": "old"}))
    rotated = jwt.encode(claims(), rsa_key, algorithm="RS256", headers={"kid": "new"})
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await verifier.verify(rotated)
    assert server.asked == 1
    server.keys = [published(rsa_key, "new")]
    seconds.seconds += 31
    await verifier.verify(rotated)
    assert server.asked == 2


async def test_a_provider_that_fails_makes_us_unavailable_and_nobody_unauthenticated(
    provider: tuple[type[Provider], str], rsa_key: rsa.RSAPrivateKey
) -> None:
    server, url = provider
    server.status = 500
    seconds = Time()
    verifier = verifier_at(url, seconds)
    token = jwt.encode(claims(), rsa_key, algorithm="RS256", headers={"kid": "r"})
    for _ in range(3):
        with pytest.raises(Unavailable):
            await verifier.verify(token)
    assert server.asked == 1
    server.status, server.keys = 200, [published(rsa_key, "r")]
    seconds.seconds += 31
    await verifier.verify(token)


async def test_keys_already_known_outlive_a_provider_that_fails(
    provider: tuple[type[Provider], str], rsa_key: rsa.RSAPrivateKey
) -> None:
    server, url = provider
    server.keys = [published(rsa_key, "r")]
    seconds = Time()
    verifier = verifier_at(url, seconds)
    token = jwt.encode(claims(), rsa_key, algorithm="RS256", headers={"kid": "r"})
    await verifier.verify(token)
    server.status = 500
    seconds.seconds += 4000
    await verifier.verify(token)
    assert server.asked == 2


async def test_a_provider_nobody_listens_for_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await verifier_at("http://127.0.0.1:1/jwks").verify(
            jwt.encode(claims(), Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": "r"})
        )


def drops() -> Iterator[bytes]:
    """A byte now and then, without end."""
    while True:
        time.sleep(0.05)
        yield b" "


@pytest.mark.parametrize(
    ("instead", "patience"),
    [
        (repeat(b" " * 65_536), 60),
        (drops(), 0.5),
        (iter([b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}"]), 60),
        (iter([b'{"keys": "none"}']), 60),
        (iter([b'{"keys": [' + b'{"kty": "oct"},' * 1_000 + b"{}]}"]), 60),
    ],
    ids=["endless", "slow", "deep", "another shape", "very many keys"],
)
async def test_a_provider_that_answers_without_measure_makes_us_unavailable(
    provider: tuple[type[Provider], str],
    rsa_key: rsa.RSAPrivateKey,
    instead: Iterator[bytes],
    patience: float,
) -> None:
    server, url = provider
    server.instead = instead
    keys = PublishedKeys(url, monotonic=Time(), timeout=patience)
    verifier = TokenVerifier(keys, issuer=PROVIDER, audience=AUDIENCE, clock=Clock(now=lambda: NOW))
    with pytest.raises(Unavailable):
        await verifier.verify(jwt.encode(claims(), rsa_key, algorithm="RS256", headers={"kid": "r"}))


async def test_a_key_that_is_withdrawn_takes_with_it_the_tokens_that_are_remembered(
    provider: tuple[type[Provider], str], rsa_key: rsa.RSAPrivateKey
) -> None:
    server, url = provider
    other = Ed25519PrivateKey.generate()
    server.keys = [published(rsa_key, "leaked"), published(other, "kept")]
    seconds = Time()
    authenticator = Authenticator(verifier_at(url, seconds), KeyDirectory(), Clock(now=lambda: NOW))

    def presenting(key: Any, kid: str, algorithm: str) -> dict[bytes, bytes]:
        token = jwt.encode(claims(), key, algorithm=algorithm, headers={"kid": kid})
        return {b"authorization": f"Bearer {token}".encode()}

    leaked, kept = presenting(rsa_key, "leaked", "RS256"), presenting(other, "kept", "EdDSA")
    first = await authenticator.authenticate(kept)
    await authenticator.authenticate(leaked)
    server.keys = [published(other, "kept")]
    # Whoever comes with a new key id has the set fetched anew; so does time.
    seconds.seconds += 31
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(presenting(other, "new", "EdDSA"))
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(leaked)
    assert await authenticator.authenticate(kept) is first
    seconds.seconds += 4000
    server.keys = []
    await authenticator.authenticate(kept)  # no keys at all is an answer that is not believed
    server.keys = [published(rsa_key, "other")]
    seconds.seconds += 31
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(kept)
    assert server.asked == 4


def with_claims(claims: Claims, token: dict[str, Any]) -> Actor | None:
    """Who a token names, if anybody."""
    try:
        return claims.read(token)
    except Unauthenticated:
        return None


KEYCLOAK = Claims(
    "preferred_username", "realm_access.roles", "org", {"unit": Role.DCI, "audit": Role.AUDITOR}
)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({}, Actor("u-17", "DCI", Role.DCI)),
        ({"org": ["DCI"]}, Actor("u-17", "DCI", Role.DCI)),
        ({"realm_access": {"roles": "unit"}}, Actor("u-17", "DCI", Role.DCI)),
        ({"realm_access.roles": ["audit"]}, Actor("u-17", "DCI", Role.AUDITOR)),
        ({"realm_access": {"roles": ["unit", "audit"]}}, None),
        ({"realm_access": {"roles": ["dci"]}}, None),
        ({"realm_access": {"roles": []}}, None),
        ({"realm_access": ["unit"]}, None),
        ({"realm_access": {"roles": [["unit"], {"unit": 1}, None, 7]}}, None),
        ({"realm_access": {"roles": ["x"] * 100_000 + ["unit"]}}, None),
        ({"org": ["DCI", "MOP"]}, None),
        ({"org": {"DCI": {}}}, None),
        ({"org": None}, None),
        ({"preferred_username": "key:abc"}, None),
        ({"preferred_username": ""}, None),
    ],
)
def test_claims_may_lie_deep_or_in_lists_under_names_of_the_providers_own(
    changed: dict[str, Any], named: Actor | None
) -> None:
    token = {
        "sub": "0f2c",
        "preferred_username": "u-17",
        "org": "DCI",
        "realm_access": {"roles": ["offline_access", "unit"]},
    }
    assert with_claims(KEYCLOAK, token | changed) == named


@pytest.mark.parametrize("text", ["unit", "unit=", "=dci", "unit=nobody", "unit=system"])
def test_a_map_of_roles_that_means_nothing_does_not_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITACORA_OIDC_ROLES", text)
    with pytest.raises(ValueError, match=r"(?i)oidc_roles"):
        load_settings()
