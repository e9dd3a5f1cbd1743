from pathlib import Path

import pytest

from gateway.core.model import LEGACY
from gateway.core.policies import Writes
from tests.config.files import route as route_of
from tests.config.files import route_problems

BOTH = "name: a, legacy: office, new: repairs"


def test_writes_are_read_as_they_are_written(tmp_path: Path) -> None:
    """What is left out is as the core has it."""
    told = "match: ANY /a, sticky: address, writes: {record: legacy, settle: 1m30s}"
    route = route_of(tmp_path, f"{BOTH}, {told}")
    assert route.writes == Writes(record=LEGACY, settle=90.0)


def test_a_record_is_a_side_that_there_is(tmp_path: Path) -> None:
    """Writes cannot go where nobody is."""
    told = "route a: writes.record: there is no new side; add `new:` with a backend's name"
    only = "name: a, match: ANY /a, legacy: office, writes: {record: new}"
    assert route_problems(tmp_path, only) == [told]
    assert route_problems(tmp_path, f"{BOTH}, match: ANY /a, writes: {{record: new}}") == []


@pytest.mark.parametrize("safe", ["match: GET /a", "match: 'GET,HEAD /a'", "match: POST /a, safe: true"])
def test_a_route_without_writes_promises_nothing_of_them(tmp_path: Path, safe: str) -> None:
    """It would look as if there were some."""
    told = "route a: this route takes no writes: its requests are safe; leave `writes` out"
    assert route_problems(tmp_path, f"{BOTH}, {safe}, writes: {{record: new}}") == [told]


def test_whoever_settles_is_known_again(tmp_path: Path) -> None:
    """Without a key nobody knows whose reads are meant."""
    wanted = "add `sticky: {cookie: NAME}` or another way to tell them apart"
    told = f"route a: writes: `settle` must know clients again; {wanted}"
    assert route_problems(tmp_path, f"{BOTH}, match: ANY /a, writes: {{settle: 5s}}") == [told]
    known = f"{BOTH}, match: ANY /a, sticky: {{cookie: c}}, writes: {{settle: 5s}}"
    assert route_problems(tmp_path, known) == []
