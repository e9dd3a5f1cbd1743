from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.needs import Z, samples_for
from tests.config.files import route_problems

BOTH = "name: a, legacy: office, new: repairs"
HAR = 'replay: {from: r.har, daily: "02:30"}'


@pytest.fixture(autouse=True)
def har(tmp_path: Path) -> None:
    (tmp_path / "r.har").write_text('{"log": {"entries": []}}')


@pytest.mark.parametrize("key", ["shadow: 1%", "compare: {ignore: [/a]}", "ramp: {}", HAR, "fallback: true"])
def test_evidence_needs_two_sides(tmp_path: Path, key: str) -> None:
    """There is nothing to compare, and nowhere to climb to or to fall back to, where there is one side."""
    name = key.partition(":")[0]
    told = f"route a: `{name}` needs both sides; add `%s:` with a backend's name, or leave `{name}` out"
    assert route_problems(tmp_path, f"name: a, match: GET /a, legacy: office, {key}") == [told % "new"]
    assert route_problems(tmp_path, f"name: a, match: GET /a, new: office, {key}") == [told % "legacy"]
    assert route_problems(tmp_path, f"{BOTH}, match: GET /a, {key}") == []


@pytest.mark.parametrize(
    ("legacy", "named"),
    [
        ("{backend: office, path: '/b/{header.X-User}'}", "x-user"),
        ("{backend: office, operation: S.P.O, request: {user: 'header.\"X-User\"'}}", "x-user"),
        ("{backend: office, operation: S.P.O, request: {users: ['keys(header)']}}", "NAME"),
        ("{backend: office, operation: S.P.O, soap_headers: {h: {user: 'header.user'}}}", "user"),
        ("{backend: office, operation: S.P.O, request: {user: \"'of the header'\", all: 'body.header'}}", None),
    ],
)
def test_what_tells_answers_apart_is_named(tmp_path: Path, legacy: str, named: str | None) -> None:
    """Where a side is told of a header, who sends another one is not given that answer."""
    told = f"legacy is told of a header, which tells answers apart; add `vary: [{named}]`"
    for vary, problems in (("", [f"route a: {told}"] if named else []), (f", vary: [{named or 'x'}]", [])):
        text = f"name: a, match: GET /a, legacy: {legacy}, cache: {{ttl: 1m{vary}}}"
        found = route_problems(tmp_path, text)
        assert [each for each in found if "tells answers apart" in each] == problems


def test_a_ramp_without_a_side_is_one_problem(tmp_path: Path) -> None:
    """Neither its parity nor its stages are complained about as well."""
    told = ["route a: serve: a ramp needs both sides; add `new:` with a backend's name"]
    assert route_problems(tmp_path, "name: a, match: GET /a, legacy: office, serve: ramp, ramp: {}") == told


@pytest.mark.parametrize("unsafe", ["match: POST /a", "match: SOAP /a#Get", "match: GET /a, safe: false"])
def test_writes_are_not_sent_twice(tmp_path: Path, unsafe: str) -> None:
    """A route that takes only unsafe requests has no shadow but into a sandbox, no ramp and no replay."""
    declare = "say `safe: true` when its requests change nothing"
    assert route_problems(tmp_path, f"{BOTH}, {unsafe}, shadow: 1%") == [
        (
            f"route a: shadow: only safe requests are copied, and this route takes none; {declare}; "
            "or `sandbox: true` when the side that gets the copies may be written to"
        )
    ]
    assert route_problems(tmp_path, f"{BOTH}, {unsafe}, shadow: {{share: 1%, sandbox: true}}") == []
    assert route_problems(tmp_path, f"{BOTH}, {unsafe}, ramp: {{}}") == [
        f"route a: a ramp moves safe requests only, and this route takes none; leave `ramp` out, or {declare}"
    ]
    assert route_problems(tmp_path, f"{BOTH}, {unsafe}, fallback: true") == [
        f"route a: writes never fall back, and this route takes nothing else; leave `fallback` out, or {declare}"
    ]
    assert route_problems(tmp_path, f"{BOTH}, {unsafe}, {HAR}") == [
        f"route a: only safe requests are replayed, and this route takes none; leave `replay` out, or {declare}"
    ]


@pytest.mark.parametrize(
    "safe", ["match: GET /a", "match: ANY /a", "match: 'POST,GET /a'", "match: POST /a, safe: true"]
)
def test_reads_may_be_sent_twice(tmp_path: Path, safe: str) -> None:
    """What the route declares counts, and one safe method is enough."""
    assert route_problems(tmp_path, f"{BOTH}, {safe}, serve: ramp, shadow: 1%, {HAR}, fallback: true") == []


@pytest.mark.parametrize("key", ["shadow: 1%", HAR])
def test_a_retired_route_gathers_nothing(tmp_path: Path, key: str) -> None:
    """It has no answers; rules and stages may stay."""
    name = key.partition(":")[0]
    assert route_problems(tmp_path, f"{BOTH}, match: GET /a, serve: retired, {key}") == [
        f"route a: `serve: retired` answers nothing that could be compared; leave `{name}` out"
    ]
    assert route_problems(tmp_path, f"{BOTH}, match: GET /a, serve: retired, compare: {{}}, ramp: {{}}") == []


def test_parity_needs_a_shadow(tmp_path: Path) -> None:
    """A ramp that goes by parity is refused until something is compared; one that stands ready is not."""
    told = [
        (
            "route a: serve: the ramp's parity guard needs answers that were compared; add `shadow: 25%`, "
            "or write `ramp: {guards: {parity: off}}` to go by errors and latency alone"
        )
    ]
    plain = f"{BOTH}, match: GET /a"
    assert route_problems(tmp_path, f"{plain}, serve: ramp") == told
    assert route_problems(tmp_path, f"{plain}, serve: ramp, {HAR}") == told
    assert route_problems(tmp_path, f"{plain}, serve: ramp, shadow: 1%") == []
    assert route_problems(tmp_path, f"{plain}, serve: ramp, ramp: {{guards: {{parity: off}}}}") == []
    assert route_problems(tmp_path, f"{plain}, serve: legacy, ramp: {{}}") == []


def test_samples_must_be_able_to_show_the_parity(tmp_path: Path) -> None:
    """Too few samples are refused with the number that is enough, whether they were written or left out."""
    plain = f"{BOTH}, match: GET /a, ramp: {{guards: {{%s}}}}"
    told = "route a: ramp.guards.%s: a parity of %s cannot be shown by %s samples, even if all of them are right; "
    assert route_problems(tmp_path, plain % "samples: 764") == [
        told % ("samples", "99.5%", 764) + "write `samples: 765` or more"
    ]
    assert route_problems(tmp_path, plain % "samples: 765") == []
    assert route_problems(tmp_path, plain % "parity: 99.9%") == [
        told % ("parity", "99.9%", 1000) + "write `samples: 3838` or more"
    ]
    assert route_problems(tmp_path, plain % "parity: off, samples: 1") == []


@given(st.floats(0.5, 0.9999))
def test_the_number_of_samples_is_the_least_that_will_do(parity: float) -> None:
    """Wilson's lower bound with nothing wrong is n / (n + z^2)."""
    needed = samples_for(parity)
    assert needed / (needed + Z * Z) >= parity - 1e-12
    assert (needed - 1) / (needed - 1 + Z * Z) < parity + 1e-12
