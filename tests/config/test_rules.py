import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.rules import Draft, no_ties
from gateway.config.wording import Entry
from gateway.config.yamlmarks import read
from gateway.core.model import Match, Place, Predicate, Route, Segment, Serve, Target
from tests.config.files import FRAME_LINES, route_problems

BOTH = "legacy: office, new: repairs"


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (
            ["name: a, match: GET /a, legacy: ofice"],
            ["route a: legacy: there is no backend 'ofice'; did you mean office?"],
        ),
        (
            ["name: a, match: GET /a, legacy: {backend: zzz}"],
            ["route a: legacy.backend: there is no backend 'zzz'; add it under `backends:`"],
        ),
        (
            ["name: a, match: GET /a"],
            ["route a: nothing can answer; give it `legacy:` or `new:` with a backend's name"],
        ),
        (["name: a, match: GET /a, serve: retired"], []),
        (
            ["name: a, match: GET /a, legacy: office, serve: new"],
            ["route a: serve: there is no new side; add `new:` with a backend's name"],
        ),
        (
            ["name: a, match: GET /a, new: office, serve: legacy"],
            ["route a: serve: there is no legacy side; add `legacy:` with a backend's name"],
        ),
        (
            ["name: a, match: GET /a, new: office, serve: 5% new"],
            ["route a: serve: a share needs both sides; add `legacy:` with a backend's name"],
        ),
        (
            ["name: a, match: GET /a, legacy: office, serve: 5% new"],
            ["route a: serve: a share needs both sides; add `new:` with a backend's name"],
        ),
    ],
)
def test_what_serves_must_exist(tmp_path: Path, routes: list[str], expected: list[str]) -> None:
    """A route names backends that are there, and serves from a side that it has."""
    assert route_problems(tmp_path, *routes) == expected


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ("match: POST /a", True),
        ("match: SOAP /a#Get", True),
        ("match: 'PUT,PATCH /a'", True),
        ("match: GET /a, safe: false", True),
        ("match: POST /a, safe: true", False),
        ("match: SOAP /a#Get, safe: true", False),
        ("match: 'GET,POST /a'", False),
        ("match: ANY /a", False),
        ("match: OPTIONS /a", False),
    ],
)
def test_a_share_moves_safe_requests_only(tmp_path: Path, fields: str, refused: bool) -> None:
    """A share or ramp on a route that takes only unsafe requests would do nothing, so it is refused."""
    for serve in ("5% new", "ramp, ramp: {guards: {parity: off}}"):
        told = route_problems(tmp_path, f"name: a, {fields}, {BOTH}, serve: {serve}")
        assert [("moves safe requests only" in message) for message in told] == [True] * refused


def test_names_and_ids_are_unique(tmp_path: Path) -> None:
    """Logs, metrics and flips name one route; buckets belong to one id. The default id counts too."""
    place = tmp_path / f"routes.yaml:{FRAME_LINES + 1}:5"
    assert route_problems(
        tmp_path,
        "name: a, match: GET /a, legacy: office",
        "name: a, match: GET /b, legacy: office",
        "name: c, id: a, match: GET /c, legacy: office",
    ) == [
        f"route a: name: another route has this name ({place}); names are unique",
        "route c: id: the id a is also that of a; ids are unique",
    ]


def test_a_journey_has_one_split(tmp_path: Path) -> None:
    """Routes of one journey that split have the same share and tell clients apart alike; others may join them."""
    assert route_problems(
        tmp_path,
        f"name: a, match: GET /a, {BOTH}, serve: 5% new, journey: j, sticky: {{cookie: c}}",
        f"name: b, match: GET /b, {BOTH}, serve: 5% new, journey: j, sticky: {{cookie: c}}",
        f"name: c, match: GET /c, {BOTH}, serve: 6% new, journey: j, sticky: {{cookie: c}}",
        f"name: d, match: GET /d, {BOTH}, serve: 5% new, journey: j, sticky: address",
        f"name: e, match: GET /e, {BOTH}, serve: new, journey: j",
        f"name: f, match: GET /f, {BOTH}, serve: 7% new",
    ) == [
        "route c: serve: a and c are one journey (j), but 5% new there and 6% new here; write one share",
        "route d: sticky: a and d are one journey (j), but differ in `sticky`; write the same in both",
    ]


def test_a_journey_has_one_ramp(tmp_path: Path) -> None:
    """Routes of one journey climb together: all by a ramp, by the same one, and with clients told apart alike."""
    ramped = f"{BOTH}, shadow: 1%, journey: j, serve: ramp"
    assert route_problems(
        tmp_path,
        f"name: a, match: GET /a, {ramped}",
        f"name: b, match: GET /b, {ramped}, ramp: {{}}",
        f"name: c, match: GET /c, {ramped}, ramp: {{every: 1h}}",
        f"name: d, match: GET /d, {ramped}, sticky: address",
        f"name: e, match: GET /e, {BOTH}, journey: j, serve: 5% new",
        f"name: f, match: GET /f, {BOTH}, journey: j, ramp: {{every: 1h}}",
    ) == [
        "route c: ramp: a and c are one journey (j), but differ in `ramp`; write the same in both",
        "route d: sticky: a and d are one journey (j), but differ in `sticky`; write the same in both",
        "route e: serve: a and e are one journey (j), but ramp there and 5% new here; write one share",
    ]


def ties(folder: Path, *matches: str) -> list[str]:
    """The examples of requests that two routes would take."""
    routes = [f"name: r{at}, match: {match}, legacy: office" for at, match in enumerate(matches)]
    return [message.partition("takes the same: ")[2] for message in route_problems(folder, *routes)]


@pytest.mark.parametrize(
    ("one", "other", "example"),
    [
        ("GET /a/b", "GET /a/b", "GET /a/b"),
        ("'GET /a/{id}'", "'GET /a/{name}'", "GET /a/1"),
        ("ANY /a/**", "ANY /a/**", "GET /a/any"),
        ("'GET,PUT /a'", "'PUT,POST /a'", "PUT /a"),
        ("GET /caf%C3%A9", "GET /café", "GET /caf%C3%A9"),
        ("SOAP /a#Get", "SOAP /a#Get", "SOAP /a#Get"),
        ("{path: /a, host: x.org}", "{path: /a, host: X.org}", "GET /a on x.org"),
        ("{path: /a, header: {X: '1'}}", "{path: /a, header: {y: '2'}}", "GET /a, y: 2, x: 1"),
        ("{path: /a, header: {x: '1'}}", "{path: /a, header: {x: null}}", "GET /a, x: 1"),
        ("{path: /a, query: {x: '1'}}", "{path: /a, header: {x: '2'}}", "GET /a?x=1, x: 2"),
        ("{path: /a, query: {x: '1', y: '2'}}", "{path: /a, query: {x: '1', z: '3'}}", "GET /a?x=1&z=3&y=2"),
        ("{path: /a, soap: {operation: G, element: '{u}G'}}", "SOAP /a#G", "SOAP /a#G"),
    ],
)
def test_matches_that_tie_are_refused_with_a_request(tmp_path: Path, one: str, other: str, example: str) -> None:
    """Two routes left equal that could take one request are an error, and the message shows such a request."""
    assert ties(tmp_path, one, other) == [example]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET /a", "POST /a"),
        ("GET /a", "ANY /a"),
        ("GET /a", "HEAD /a"),
        ("GET /a", "GET /a/"),
        ("'GET /a/{id}'", "GET /a/one"),
        ("'GET /a/{id}'", "GET /a/**"),
        ("SOAP /a#Get", "SOAP /a#Set"),
        ("SOAP /a#Get", "POST /a"),
        ("{path: /a, host: x.org}", "ANY /a"),
        ("{path: /a, host: x.org}", "{path: /a, host: '*.org'}"),
        ("{path: /a, header: {x: '1'}}", "{path: /a, header: {x: '2'}}"),
        ("{path: /a, header: {x: '1'}}", "ANY /a"),
        ("{path: /a, query: {x: '1', y: '2'}}", "{path: /a, query: {x: '2', z: '3'}}"),
        ("{path: /a, soap: {operation: G, element: '{u}G'}}", "{path: /a, soap: {operation: G2, element: '{v}G'}}"),
    ],
)
def test_matches_that_one_request_cannot_leave_equal(tmp_path: Path, one: str, other: str) -> None:
    """A more specific path, method, host or predicate decides; predicates that contradict one another never meet."""
    assert ties(tmp_path, one, other) == []


def test_the_message_names_both_routes(tmp_path: Path) -> None:
    """The later route's problem says which other route it meets, and where that stands."""
    (message,) = route_problems(
        tmp_path, "name: a, match: GET /a, legacy: office", "name: b, match: GET /a, legacy: office"
    )
    assert message == f"route b: match: a ({tmp_path / 'routes.yaml'}:{FRAME_LINES + 1}:5) takes the same: GET /a"


def test_examples_keep_secrets(tmp_path: Path) -> None:
    """A header's value that came from the environment is not shown."""
    match = "{path: /a, header: {x-key: '${KEY}'}, query: {k: '${KEY}'}}"
    told = route_problems(
        tmp_path,
        f"name: a, match: {match}, new: office",
        f"name: b, match: {match}, new: office",
        environ={"KEY": "hunter2"},
    )
    assert told[0].endswith("takes the same: GET /a?k=..., x-key: ...")


NAMES = st.sampled_from([b"x", b"y", b"z"])
VALUES = st.sampled_from([None, b"1", b"2"])
MATCHES = st.builds(
    lambda methods, headers: Match(
        tuple(methods), (Segment("literal", b"a"),), headers=tuple(Predicate(*each) for each in headers.items())
    ),
    st.lists(st.sampled_from([b"GET", b"PUT"]), unique=True),
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=2),
)


def could_tie(one: Match, other: Match) -> bool:
    """The rule said plainly, for two matches of one path."""
    wanted, also = dict(one.headers), dict(other.headers)
    agree = all(
        wanted[name] is None or value is None or wanted[name] == value for name, value in also.items() if name in wanted
    )
    methods = one.methods == other.methods == () or bool(set(one.methods) & set(other.methods))
    return agree and methods and len(wanted) == len(also)


@given(st.lists(MATCHES, max_size=6))
def test_ties_are_found_exactly(matches: list[Match]) -> None:
    """A set of matches is accepted just when no two of them could be left equal by one request."""
    entry = Entry(read(b"a", "x", {}), (), "")
    target = Target("office")
    drafts = [
        Draft(Route(str(at), str(at), match, "", Serve.LEGACY, target, place=Place("x", 1, 1)), entry)
        for at, match in enumerate(matches)
    ]
    tie = any(could_tie(one, other) for at, one in enumerate(matches) for other in matches[:at])
    assert bool(list(no_ties(drafts, set()))) == tie


def test_ten_thousand_routes_at_one_path_are_compared_in_a_blink() -> None:
    """Routes told apart by one header's value are looked up, not compared pair by pair."""
    entry = Entry(read(b"a", "x", {}), (), "")
    path = (Segment("literal", b"a"),)
    drafts = [
        Draft(Route(str(at), "", Match((), path, headers=(Predicate(b"action", b"%d" % at),)), "", Serve.LEGACY), entry)
        for at in range(10_000)
    ]
    started = time.perf_counter()
    assert list(no_ties(drafts, set())) == []
    assert time.perf_counter() - started < 2.0
