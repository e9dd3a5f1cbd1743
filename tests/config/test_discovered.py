"""What is proposed from traffic is accepted as it is pasted, and takes the traffic that it was learned from."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.discovering import Endpoint, Learner, proposals
from gateway.core.matching import RoutingTable, compiled, find
from gateway.core.planning import PlannedRoute
from tests.config.files import estate, problems
from tests.core.estates import request
from tests.support.council import Sent, traffic

CATCH_ALL = """\
version: 1
backends:
  office-1: {url: "http://office.internal:8080"}
routes:
  - name: everything-else
    match: ANY /**
    legacy: office-1

"""


def learned(sent: Iterable[Sent]) -> tuple[Endpoint, ...]:
    learner = Learner()
    for method, path, status, at in sent:
        learner.saw(method, path, 1, status, at)
    return learner.endpoints()


def pasted(folder: Path, endpoints: Iterable[Endpoint]) -> RoutingTable:
    return compiled(estate(folder, CATCH_ALL + proposals(endpoints, "office-1", taken={"everything-else"})))


def test_routes_of_a_council(tmp_path: Path) -> None:
    """The file loads, has a route for each endpoint, and those take what was served by the catch-all route before."""
    real = traffic(3, 10_000)
    endpoints = [each for each in learned(real.sent) if each.requests >= 3]
    table = pasted(tmp_path, endpoints)
    assert len(table.routes) == 1 + len(endpoints)
    taken = 0
    for each in real.sent:
        if 200 <= each.status < 300 and not each.path.startswith((b"/static", b"/assets")) and each.method != "OPTIONS":
            route = find(table, request(each.method, each.path.decode()))
            assert isinstance(route, PlannedRoute)
            taken += route.name != "everything-else"
    assert taken >= sum(each.requests - each.errors for each in endpoints) * 0.9


def test_a_route_beside_one_for_a_host(tmp_path: Path) -> None:
    """It takes what that one took."""
    text = CATCH_ALL.replace("match: ANY /**", "match: {host: api.example.org, path: /**}")
    routes = proposals([Endpoint("GET", "/a/{b}", 1, 0, 0.0, 0.0)], "office-1", host="api.example.org")
    route = find(compiled(estate(tmp_path, text + routes)), request("GET", "/a/7", host="api.example.org"))
    assert isinstance(route, PlannedRoute)
    assert route.name == "a-by-b"


WILD = st.lists(st.binary(max_size=6) | st.sampled_from([b"a", b"true", b"{id}", b"7", b"$x", b"a%20b", b"*", b"**"]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("routes")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["GET", "POST", "REPORT", "PROPFIND"]), WILD), max_size=30))
def test_whatever_is_asked_for(folder: Path, paths: list[tuple[str, list[bytes]]]) -> None:
    """No request makes a proposal that the checker refuses."""
    sent = [Sent(method, b"/" + b"/".join(parts), 200, 1.0) for method, parts in paths]
    assert problems(folder, CATCH_ALL + proposals(learned(sent), "office-1", taken={"everything-else"})) == []
