"""One record for each request: everything an operator needs, and nothing about the person behind it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import AccessLog, Observation
from gateway.errors import CommandError
from gateway.telemetry.access import AccessWriter, Lines
from tests.support.observations import observed

PATTERNS = {"repairs": "GET /repairs/{id}"}


def record(observation: Observation, *, paths: bool = False) -> dict[str, Any]:
    return dict(json.loads(Lines(PATTERNS, paths=paths).line(observation)))


def test_a_record_names_the_template_and_not_the_path() -> None:
    """Times are in milliseconds, ids as they were sent on."""
    assert record(observed()) == {
        "timestamp": "2027-01-15T08:00:00.250Z",
        "event": "request_served",
        "method": "GET",
        "route": "repairs",
        "match": "GET /repairs/{id}",
        "side": "legacy",
        "role": "live",
        "backend": "old",
        "status": 200,
        "outcome": "ok",
        "acted": "yes",
        "error": None,
        "duration_ms": 12.3,
        "connect_ms": 0.0,
        "first_byte_ms": 10.2,
        "bytes_in": 0,
        "bytes_out": 250,
        "revision": 3,
        "request_id": "request-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


def test_what_was_not_reached_is_marked() -> None:
    """A request that nobody was called for has no backend, and -1 for the times it never came to."""
    entry = record(observed(route="", side="", backend="", connect=-1.0, first_byte=-1.0, status=404))
    assert (entry["route"], entry["match"], entry["backend"]) == (None, None, None)
    assert (entry["connect_ms"], entry["first_byte_ms"]) == (-1, -1)


@given(st.binary(max_size=60))
def test_any_path_makes_a_readable_record(path: bytes) -> None:
    """Whatever bytes a client sends, a record is one line of JSON."""
    line = Lines(PATTERNS, paths=True).line(observed(path=b"/" + path))
    assert line.count(b"\n") == 1
    assert json.loads(line)["path"].startswith("/")


def test_the_records_of_one_writer_differ_where_the_requests_do() -> None:
    """What is kept from one line to the next never shows up in the wrong one."""
    lines = Lines(PATTERNS, paths=False)
    given_ones = [observed(), observed(status=500, error="timeout"), observed(at=1_800_000_001.5), observed()]
    read = [json.loads(lines.line(each)) for each in given_ones]
    assert [(each["status"], each["error"]) for each in read] == [
        (200, None),
        (500, "timeout"),
        (200, None),
        (200, None),
    ]
    assert [each["timestamp"][-7:] for each in read] == [":00.250Z"[1:], "00.250Z", "01.500Z", "00.250Z"]


def test_records_go_to_a_file_that_may_be_rotated(tmp_path: Path) -> None:
    """After the file was moved away, `reopen` begins a new one."""
    path = tmp_path / "access.log"
    writer = AccessWriter()
    writer.configure(AccessLog(str(path)), PATTERNS)
    writer.write([observed(), observed()])
    path.rename(tmp_path / "access.log.1")
    writer.reopen()
    writer.write([observed()])
    writer.close()
    assert len((tmp_path / "access.log.1").read_text().splitlines()) == 2
    assert len(path.read_text().splitlines()) == 1


def test_a_reload_may_turn_records_off_and_on(tmp_path: Path) -> None:
    """Settings change without a restart, and so do the templates."""
    path = tmp_path / "access.log"
    writer = AccessWriter()
    writer.write([observed()])
    writer.configure(AccessLog(str(path)), {})
    writer.write([observed()])
    writer.configure(AccessLog("off"), {})
    writer.write([observed()])
    writer.configure(AccessLog(str(path), paths=True), PATTERNS)
    writer.write([observed()])
    writer.close()
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["match"] for each in entries] == [None, "GET /repairs/{id}"]
    assert [each.get("path") for each in entries] == [None, "/repairs/17"]


def test_a_file_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    """The message names the file and the key."""
    with pytest.raises(CommandError, match=r"access_log\.to"):
        AccessWriter().configure(AccessLog(str(tmp_path / "missing" / "access.log")), {})


def test_standard_output_is_never_closed(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """It belongs to the process."""
    writer = AccessWriter()
    writer.configure(AccessLog("stdout"), PATTERNS)
    writer.write([observed()])
    writer.reopen()
    writer.close()
    assert json.loads(capfdbinary.readouterr().out)["route"] == "repairs"
