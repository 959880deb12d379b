"""Logs: one line per event, in one format, with no secret in it."""

from __future__ import annotations

import json
import logging
from typing import Literal

import pytest
import structlog

from shared.logging import configure_logging, log_context

pytestmark = pytest.mark.usefixtures("logging_restored")


def test_our_lines_and_those_of_libraries_are_alike(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    structlog.get_logger().info("ours", n=1)
    logging.getLogger("library").warning("theirs %s", 2)
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["n"], ours["level"]) == ("ours", 1, "info")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("theirs 2", "warning", "library")
    assert ours["timestamp"].endswith("Z")


def test_a_line_names_the_request_it_was_written_for(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    token = log_context.set({"request_id": "r-1"})
    structlog.get_logger().info("x")
    log_context.reset(token)
    assert json.loads(capsys.readouterr().err)["request_id"] == "r-1"


def test_a_value_named_as_a_secret_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    structlog.get_logger().info("x", Authorization="Bearer abc", token="abc", subject="ana")
    line = json.loads(capsys.readouterr().err)
    assert line["Authorization"] == line["token"] == "[hidden]"
    assert line["subject"] == "ana"


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning", "console")
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger().warning("loud")
    written = capsys.readouterr().err
    assert "loud" in written
    assert "quiet" not in written


def test_a_traceback_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    try:
        raise RuntimeError("cause")
    except RuntimeError as error:
        structlog.get_logger().error("failed", exc_info=error)
    assert "RuntimeError: cause" in json.loads(capsys.readouterr().err)["exception"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_credential_is_written_wherever_it_stands(
    log_format: Literal["json", "console"], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", log_format)
    secrets = {
        "bearer": "Bearer eyJhbGciOi.eyJzdWIiOi.c2VjcmV0",
        "key": "bk_3f9c21a07b44_0123456789abcdef",
        "url": "postgresql://bitacora:pa55wo%2Frd@db.gob.test:5432/log",
        "odd_url": "postgresql://bitacora:pa:55/rd@db.gob.test/log",
        "conninfo": "host=db user=bitacora password=pa55word dbname=log",
        "query": "https://id.gob.test/jwks?client=a&secret=pa55word",
    }

    def fail(headers: list[tuple[bytes, bytes]], url: str) -> None:
        raise ConnectionError(f"cannot reach {url} for {headers}")

    try:
        fail([(b"authorization", secrets["bearer"].encode())], secrets["url"])
    except ConnectionError as error:
        structlog.get_logger().error("failed", exc_info=error, **secrets)
        logging.getLogger("library").exception("theirs: %s", secrets)
    written = capsys.readouterr().err
    assert "ConnectionError" in written
    assert "db.gob.test" in written
    for secret in ("pa55", "pa:55", "55/rd", "c2VjcmV0", "eyJhb", "0123456789abcdef"):
        assert secret not in written, written
