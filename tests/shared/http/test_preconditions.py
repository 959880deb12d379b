"""Entity tags: what `If-Match` admits and when `If-None-Match` saves an answer."""

from __future__ import annotations

import pytest

from shared.http.preconditions import parse_if_match
from shared.http.problems import RequestProblemError
from tests.support.web import Installation


@pytest.mark.parametrize(
    ("value", "admitted"),
    [
        ('"7"', {7}),
        ('W/"7"', {7}),
        (' "7" , W/"8"', {7, 8}),
        ('"abc"', set()),
        ('""', set()),
        ('"0"', set()),
        ('"07"', set()),
        ('"٧"', None),
        (f'"{"9" * 30}"', set()),
    ],
)
def test_a_list_of_tags_admits_the_versions_among_them(value: str, admitted: set[int] | None) -> None:
    if admitted is None:
        with pytest.raises(RequestProblemError):
            parse_if_match(value)
    else:
        assert parse_if_match(value) == frozenset(admitted)


def test_a_star_admits_any_version() -> None:
    assert parse_if_match("*") is None


@pytest.mark.parametrize(
    "value", ["", "7", '"7', '"7" "8"', '*, "7"', '"7",', 'w/"7"', '"7";', '"' + "7" * 5000 + '"']
)
def test_what_is_no_list_of_tags_is_malformed(value: str) -> None:
    with pytest.raises(RequestProblemError) as malformed:
        parse_if_match(value)
    assert malformed.value.code == "if-match-malformed"


async def test_a_caller_who_holds_the_version_is_not_sent_it_again(installation: Installation) -> None:
    async with installation.client(**installation.token()) as client:
        for held, status in (
            ('"7"', 304),
            ('W/"7"', 304),
            ('"1", "7"', 304),
            ("*", 304),
            ('"6"', 200),
            ("7", 200),
        ):
            answer = await client.get("/v1/things/1", headers={"If-None-Match": held})
            assert answer.status_code == status, held
            assert answer.headers["etag"] == '"7"'
            assert answer.headers["log-position"] == "12"
            assert (answer.content == b"") == (status == 304)
