from pathlib import Path

import pytest

from gateway.config.check import load
from gateway.core.model import LEGACY
from gateway.core.policies import Crosswalk, Idempotency, Way, Writes
from gateway.errors import ConfigError
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


def test_owed_writes_are_read_as_they_are_written(tmp_path: Path) -> None:
    """Copies and queues, with what keeps their order, and for how long."""
    told = "match: 'ANY /a/{id}', writes: {copy: true, when_down: queue, key: path.id, give_up: 2h}"
    given = route_of(tmp_path, f"{BOTH}, {told}").writes
    assert given == Writes(copy=True, queue=True, key=Way("path", ("id",)), give_up=7_200.0)
    assert (
        str(route_of(tmp_path, f"{BOTH}, match: ANY /a, writes: {{copy: true, key: body.a.b}}").writes.key)
        == "body.a.b"
    )


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        (
            "legacy: office, match: ANY /a, writes: {copy: true}",
            "writes: `copy` needs both sides; add `new:` with a backend's name, or leave it out",
        ),
        (
            "new: office, match: ANY /a, writes: {copy: true}",
            "writes: `copy` needs both sides; add `legacy:` with a backend's name, or leave it out",
        ),
        (
            "legacy: office, match: SOAP /a#Pay, writes: {when_down: queue}",
            "writes.when_down: a client of SOAP does not understand a receipt; leave it out, and it gets a fault",
        ),
        (
            "legacy: office, match: ANY /a, writes: {key: body.no}",
            "writes: `key` is about writes that are delivered later; add `copy: true`, or leave it out",
        ),
        (
            "legacy: office, match: ANY /a, writes: {give_up: 1h}",
            "writes: `give_up` is about writes that are delivered later; add `copy: true`, or leave it out",
        ),
        (
            "legacy: office, new: repairs, match: 'ANY /a/{id}', writes: {copy: true, key: path.no}",
            "writes.key: 'path.no': the match has no such placeholder; it has id",
        ),
        (
            "legacy: office, new: repairs, match: ANY /a, writes: {copy: true, key: claim.sub}",
            "writes.key: 'claim.sub' is no way to a value; write path.NAME, query.NAME, header.NAME or body.NAME.NAME",
        ),
        (
            "legacy: office, new: repairs, match: ANY /a, writes: {when_down: wait}",
            "writes.when_down: 'wait' is not possible here; write 'refuse' or 'queue'",
        ),
    ],
)
def test_what_is_owed_can_be_delivered(tmp_path: Path, rest: str, problem: str) -> None:
    """There is somebody to deliver it to, it is known in which order, and whoever waits understands why."""
    assert route_problems(tmp_path, f"name: a, {rest}") == [f"route a: {problem}"]


def test_what_is_owed_has_a_part_of_what_a_backend_can_bear(tmp_path: Path) -> None:
    """As copies of reads have: those who deliver are no clients."""
    path = tmp_path / "routes.yaml"
    path.write_text(
        """version: 1
backends:
  office: {url: "http://o", protect: {max_concurrent: 20}}
  repairs: {url: "http://r", protect: {max_concurrent: 20, copies: 0%}}
routes:
  - {name: a, match: ANY /a, legacy: office, writes: {when_down: queue}}
  - {name: b, match: ANY /b, legacy: repairs, writes: {when_down: queue}}
"""
    )
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    told = "repairs says `copies: 0%`, which lets none through; give them a part, or leave `writes` out"
    assert [str(each).partition(": ")[2] for each in caught.value.problems] == [f"route b: {told}"]


def test_a_crosswalk_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Its name is that of the journey, unless it has one of its own."""
    told = "match: 'ANY /a/{id}', journey: rents, writes: {copy: true}"
    given = route_of(tmp_path, f"{BOTH}, {told}, crosswalk: {{legacy: response.id, new: response.a.b, at: path.id}}")
    answered = (Way("response", ("id",)), Way("response", ("a", "b")))
    assert given.crosswalk == Crosswalk("rents", *answered, (Way("path", ("id",)),))
    other = route_of(tmp_path, f"{BOTH}, match: 'GET /a/{{id}}', crosswalk: {{name: t, at: [path.id, query.of]}}")
    assert other.crosswalk == Crosswalk("t", None, None, (Way("path", ("id",)), Way("query", ("of",))))


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        (
            "legacy: office, match: 'GET /a/{id}', crosswalk: {at: path.id}",
            "`crosswalk` needs both sides; add `new:` with a backend's name, or leave it out",
        ),
        (
            "legacy: office, new: repairs, match: POST /a, writes: {copy: true}, crosswalk: {legacy: response.id}",
            "a pair has two identifiers; say where the other side's answer has its: `new: response.NAME`",
        ),
        (
            "legacy: office, new: repairs, match: POST /a, writes: {copy: true}, crosswalk: {new: response.id}",
            "a pair has two identifiers; say where the other side's answer has its: `legacy: response.NAME`",
        ),
        (
            "legacy: office, new: repairs, match: POST /a, crosswalk: {legacy: response.id, new: response.id}",
            "identifiers are made by writes that both sides get; add `writes: {copy: true}`",
        ),
        (
            "legacy: office, new: repairs, match: POST /a, crosswalk: {name: t}",
            "says neither where identifiers are made (`legacy`, `new`) nor where they stand (`at`)",
        ),
        (
            "legacy: office, new: repairs, match: 'GET /a/{id}', crosswalk: {at: [path.no]}",
            "crosswalk: path.no cannot be exchanged; write path.NAME of the match, query.NAME or body.NAME",
        ),
        (
            "legacy: office, new: repairs, match: 'GET /a/{id}', crosswalk: {at: header.x-id}",
            "crosswalk: header.x-id cannot be exchanged; write path.NAME of the match, query.NAME or body.NAME",
        ),
        (
            "legacy: office, new: repairs, match: POST /a, crosswalk: {legacy: body.id}",
            "crosswalk.legacy: 'body.id' is no way to a value of an answer; write response.NAME or response.NAME.NAME",
        ),
    ],
)
def test_identifiers_can_be_exchanged(tmp_path: Path, rest: str, problem: str) -> None:
    """They are made on both sides, and stand where they can be put."""
    assert route_problems(tmp_path, f"name: a, {rest}") == [f"route a: {problem}"]


def test_idempotency_is_read_as_it_is_written(tmp_path: Path) -> None:
    """True is all the defaults; without writes there is nothing to keep."""
    told = "match: ANY /a"
    assert route_of(tmp_path, f"{BOTH}, {told}, idempotency: true").idempotency == Idempotency()
    given = route_of(tmp_path, f"{BOTH}, {told}, idempotency: {{keep: 2h, required: true}}")
    assert given.idempotency == Idempotency(7_200.0, True)
    assert route_of(tmp_path, f"{BOTH}, {told}").idempotency is None
    assert route_problems(tmp_path, f"{BOTH}, match: GET /a, idempotency: true") == [
        "route a: this route takes no writes: its requests are safe; leave `idempotency` out"
    ]
    [problem] = route_problems(tmp_path, f"{BOTH}, {told}, idempotency: false")
    assert "idempotency" in problem
