"""`banyan status` tells how the running gateway is."""

import json

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan


def test_a_quiet_day(banyan: Banyan, steering: FakeSteering) -> None:
    """One line for each thing an operator asks first."""
    assert banyan("status").out.splitlines() == [
        "gateway        ready, banyan 0.1.0, process 100",
        "data process   101, started again 0 times",
        "connections    3",
        f"file           {steering.config}, digest {steering.loaded.estate.digest}",
        "table          revision 1, file read 2026-11-22T09:00:00+00:00",
        "store          it answers; this replica is a1",
        "pool           office: 1 busy, 2 idle connections",
    ]


def test_protected_backends_are_told(banyan: Banyan, steering: FakeSteering) -> None:
    """What is there, what waits, and whether a backend is left alone."""
    steering.guards = {"office": [3, 1, "half_open", 1_200, 0], "rate": [0, 0, "", 0, 1_764_385_200.0]}
    assert banyan("status").out.splitlines()[-3:] == [
        "protected      office: 3 under way, 1 waiting, breaker half open, 1,200 sent again",
        "maintenance    rate: closed until 2025-11-29 03:00 UTC",
        "protected      rate: 0 under way, 0 waiting",
    ]


def test_a_bad_day(banyan: Banyan, steering: FakeSteering) -> None:
    """A file that was refused or held shows, and what to do about it."""
    steering.serving = False
    steering.problems = ["routes.yaml:3:1: what is this?"]
    steering.held = "9 of 10 routes would be gone."
    lines = banyan("status").out.splitlines()
    assert lines[0] == "gateway        not ready, banyan 0.1.0, process 100"
    assert lines[-2:] == [
        "problem        routes.yaml:3:1: what is this?",
        "held back      9 of 10 routes would be gone. If this is meant: banyan reload --accept",
    ]


def test_what_routes_go_by_beside_the_file_is_told(banyan: Banyan, steering: FakeSteering) -> None:
    """An operator sees ramps, overrides, and why the store cannot be had, without asking for each."""
    steering.store_why = "disk full"
    steering.desk.texts = {
        "ramps": {"rents": "25 %, climbing"},
        "overrides": {"list": "legacy by override until 14:00 UTC"},
    }
    assert banyan("status").out.splitlines()[5:8] == [
        "store          not available: disk full",
        "ramp           rents: 25 %, climbing",
        "override       list: legacy by override until 14:00 UTC",
    ]


def test_machines_get_json(banyan: Banyan, steering: FakeSteering) -> None:
    """`--json` is the status as the gateway tells it."""
    assert json.loads(banyan("status", "--json").out) == steering.status()
