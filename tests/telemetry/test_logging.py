"""Logs are one JSON object per line on standard error, with an event in the past tense and its fields."""

import json
import subprocess
import sys

import pytest

CODE = """
from gateway.telemetry.logging import configure, log
configure({level!r})
log().debug("looked")
log().info("table_swapped", revision=3)
try:
    raise ValueError("broken")
except ValueError:
    log().exception("swap_failed")
"""


def logged(level: str) -> list[dict[str, object]]:
    """What a process with this level writes. A process of its own: logging is set up once per process."""
    done = subprocess.run([sys.executable, "-c", CODE.format(level=level)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["looked", "table_swapped", "swap_failed"]),
        ("info", ["table_swapped", "swap_failed"]),
        ("error", ["swap_failed"]),
    ],
)
def test_the_level_decides_what_is_written(level: str, events: list[str]) -> None:
    """Each line is an object of its own, also when there is a traceback in it."""
    assert [entry["event"] for entry in logged(level)] == events


def test_a_line_has_its_fields_time_and_level() -> None:
    """Nothing has to be parsed out of a sentence."""
    swapped, failed = logged("info")
    assert (swapped["revision"], swapped["level"]) == (3, "info")
    assert str(swapped["timestamp"]).endswith("Z")
    assert "ValueError: broken" in str(failed["exception"])
