"""Somebody who looks at a page of a gateway that only remembers what it was told."""

from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.admin.pages.figures import Figures
from gateway.admin.pages.rendering import Looking
from gateway.admin.pages.wording import Clock
from gateway.core.access import Principal, Role
from tests.admin.fakes import ROUTES, FakeSteering, written

NOW = 1_800_000_000.0
"""2027-01-15 08:00 UTC."""

Steering = Callable[[str], FakeSteering]


def look_at(steering: FakeSteering, address: str = "/", figures: Figures | None = None) -> Looking:
    """An operator's look."""
    request = make_mocked_request("GET", address)
    who = Principal("Olu", Role.OPERATOR, "session")
    return Looking(request, steering, who, Clock(UTC, NOW), figures or Figures())


@pytest.fixture
def steering_of(tmp_path: Path) -> Steering:
    """A gateway with these routes beside the usual ones."""
    return lambda more: FakeSteering(written(tmp_path, ROUTES + more))
