"""A table beside the old one: what it carries over, what it retires, and who speaks for its targets."""

from typing import Any

import pytest

from connectors.http import HttpCaller
from connectors.soap.client import SoapCaller
from connectors.soap.facade import FacadeCaller
from connectors.soap.security import LogOn, Session
from connectors.soap.target import FacadeTarget, SoapTarget
from gateway.core.matching import find
from gateway.core.model import LEGACY, NEW, Backend, Gateway, Side, Target
from gateway.core.planning import PlannedRoute
from gateway.proxy.live import LiveBuilder, Ready
from gateway.wire.clock import Clock
from tests.connectors.soap.samples import GET_BALANCE, SCHEMA
from tests.support.values import OFFICE, REPAIRS, request, route


def builder(*backends: Backend, old: LiveBuilder | None = None) -> LiveBuilder:
    return LiveBuilder(1, "d1ge57", Gateway(), backends, None if old is None else old.live, Clock())


def served(built: LiveBuilder, start: str) -> dict[Side, Ready]:
    """The sides of the route that takes a request."""
    found = find(built.live.table, request(start))
    assert isinstance(found, PlannedRoute)
    return found.ready


@pytest.fixture
def rents() -> Backend:
    return REPAIRS._replace(types=SCHEMA)


async def test_each_target_is_called_by_its_own_connector(rents: Backend) -> None:
    """HTTP by itself; a call by the connector for its kind, which all routes of a table share."""
    built = builder(OFFICE, rents)
    sides: dict[str, Any] = {
        "legacy": Target("repairs", call=SoapTarget(GET_BALANCE)),
        "new": Target("office", method=b"GET", call=FacadeTarget(GET_BALANCE, SCHEMA)),
    }
    await built.add([route("POST /a", **sides), route("POST /b", **sides), route("GET /c")])
    first, second = (served(built, start)[LEGACY].caller for start in ("POST /a", "POST /b"))
    assert isinstance(first, SoapCaller)
    assert isinstance(second, SoapCaller)
    assert first._coding._codec is second._coding._codec
    assert isinstance(served(built, "POST /a")[NEW].caller, FacadeCaller)
    assert isinstance(served(built, "GET /c")[LEGACY].caller, HttpCaller)


def test_pools_of_backends_that_did_not_change_are_carried_over() -> None:
    """With their connections; those of the others are emptied as their answers end."""
    old = builder(OFFICE, REPAIRS)
    new = builder(OFFICE, REPAIRS._replace(port=81), old=old)
    new.retire_old()
    assert new.live.pools["office"] is old.live.pools["office"]
    assert new.live.pools["repairs"] is not old.live.pools["repairs"]
    retired = {name: pool._retired for name, pool in old.live.pools.items()}
    assert retired == {"office": False, "repairs": True}


def test_the_first_table_has_nothing_to_retire() -> None:
    """It is the only one."""
    first = builder(OFFICE)
    first.retire_old()
    assert not first.live.pools["office"]._retired


async def test_what_is_known_of_messages_does_not_part_a_pool_from_its_backend(rents: Backend) -> None:
    """Another operation in use is no other system: connections and sessions stay, and connectors find them again."""
    old = builder(rents)
    session = Session(LogOn(GET_BALANCE, {"AccountNo": "u"}))
    target = Target("repairs", call=SoapTarget(GET_BALANCE, session=session))
    await old.add([route("POST /a", legacy=target)])
    new = builder(rents._replace(types=SCHEMA._replace(types=SCHEMA.types[:5])), old=old)
    await new.add([route("POST /a", legacy=target)])
    assert new.live.pools["repairs"] is old.live.pools["repairs"]
    first, second = (served(each, "POST /a")[LEGACY].caller for each in (old, new))
    assert isinstance(first, SoapCaller)
    assert isinstance(second, SoapCaller)
    assert first.session is not None
    assert second.session is not None
    assert first.session is not second.session
    assert first.session._flight is second.session._flight
