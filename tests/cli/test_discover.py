"""`banyan discover` prints routes to paste, for what only catch-all routes serve."""

from typing import Any

import pytest

from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan

FOUND: dict[str, Any] = {
    "route": "everything",
    "match": "ANY /**",
    "backend": "office",
    "endpoints": [{"method": "GET", "template": "/waste/{uprn}", "requests": 7}],
    "yaml": "  # 7 requests\n  - name: waste\n    match: GET /waste/{uprn}\n    legacy: office\n",
}


@pytest.fixture
def found(steering: FakeSteering) -> FakeSteering:
    async def discovered() -> dict[str, Any]:
        return {"routes": [FOUND], "store": ""}

    steering.discovered = discovered  # type: ignore[method-assign]
    return steering


def test_routes_are_printed(banyan: Banyan, found: FakeSteering) -> None:
    """As they can be pasted, under a line that says of which route they are."""
    ran = banyan("discover")
    assert (ran.code, ran.out) == (0, f"# everything, ANY /**: 1 endpoints are known.\n{FOUND['yaml']}\n")


def test_one_catch_all_route_can_be_named(banyan: Banyan, found: FakeSteering) -> None:
    """Another route has nothing to be discovered."""
    assert banyan("discover", "everything").code == 0
    ran = banyan("discover", "list")
    assert (ran.code, "list is no route that takes whatever comes" in ran.err) == (1, True)


def test_nothing_to_discover_is_said(banyan: Banyan, steering: FakeSteering) -> None:
    """Where every endpoint has a route of its own."""
    assert "every endpoint has a route of its own" in banyan("discover").out
