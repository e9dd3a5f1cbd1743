"""Writes go through their states by a table, and no way leads out of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.captured import CapturedAnswer
from gateway.core.writing import (
    LONGEST,
    OPEN,
    RECEIPT,
    TRANSITIONS,
    Came,
    Kept,
    Kind,
    Signal,
    State,
    claim_of,
    judged,
    lane_of,
    leads,
    wait_before,
)

FINAL = {State.DELIVERED, State.REFUSED, State.EXPIRED, State.DROPPED, State.GONE}


@pytest.mark.parametrize("kind", ["copy", "queued"])
def test_what_is_over_is_over(kind: Kind) -> None:
    """Nothing leads out of a final state, and every other one has a way to the end."""
    table = TRANSITIONS[kind]
    assert not {before for before, _ in table} & FINAL
    reached = {before for (before, _), after in table.items() if after in FINAL}
    while more := {before for (before, _), after in table.items() if after in reached} - reached:
        reached |= more
    assert {before for before, _ in table} == reached
    assert set(table.values()) <= FINAL | set(OPEN)


def test_only_a_person_ends_what_is_dead() -> None:
    """And what nobody knows of: but for the record itself, when it tells late."""
    for kind in TRANSITIONS:
        for (before, signal), _ in TRANSITIONS[kind].items():
            if before is State.DEAD:
                assert signal in (Signal.RETRY, Signal.DROP)
            if before is State.UNRESOLVED:
                assert signal in (Signal.RETRY, Signal.DROP, Signal.TOOK, Signal.NOTHING, Signal.DELIVERED)


def test_a_signal_leads_from_each_state_to_one() -> None:
    """A copy that the record took is ready, whatever was thought of it before."""
    assert leads("copy", Signal.TOOK) == {State.PENDING: State.READY, State.UNRESOLVED: State.READY}
    assert leads("queued", Signal.TOOK) == {}


def test_every_state_of_a_queued_write_has_a_word_for_clients() -> None:
    """A receipt never meets a state that it cannot tell."""
    states = {each for (before, _), after in TRANSITIONS["queued"].items() for each in (before, after)}
    assert states - {State.DEAD} == set(RECEIPT)


@pytest.mark.parametrize(
    ("answer", "repeatable", "came"),
    [
        (CapturedAnswer(201), False, Came(Signal.DELIVERED)),
        (CapturedAnswer(303), True, Came(Signal.DELIVERED)),
        (CapturedAnswer(422), True, Came(Signal.REFUSED, "it was answered with 422")),
        (CapturedAnswer(308), True, Came(Signal.REFUSED, "it was sent elsewhere (308)")),
        (CapturedAnswer(500, business=True), True, Came(Signal.REFUSED, "it was answered with 500")),
        (
            CapturedAnswer(0, error="unmapped"),
            True,
            Came(Signal.REFUSED, "it does not fit what the side is called with"),
        ),
        (CapturedAnswer(503), False, Came(Signal.AGAIN, "it was answered with 503", 7.0)),
        (CapturedAnswer(429), False, Came(Signal.AGAIN, "it was answered with 429", 7.0)),
        (CapturedAnswer(500), True, Came(Signal.AGAIN, "it was answered with 500", 7.0)),
        (CapturedAnswer(500), False, Came(Signal.UNKNOWN, "it was answered with 500", 7.0)),
        (CapturedAnswer(0, error="connect_failed"), False, Came(Signal.AGAIN, "connect_failed")),
        (CapturedAnswer(0, error="timeout"), False, Came(Signal.UNKNOWN, "timeout")),
        (CapturedAnswer(0, error="timeout"), True, Came(Signal.AGAIN, "timeout")),
    ],
)
def test_an_answer_says_what_became_of_a_write(answer: CapturedAnswer, repeatable: bool, came: Came) -> None:
    """What may have been done is done again only where that does no more."""
    assert judged(answer, repeatable=repeatable, after=7.0) == came


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_tries_are_spread(tries: int, draw: float) -> None:
    """They wait longer and longer, within bounds, and never all together."""
    assert 0.25 <= wait_before(tries, draw) <= LONGEST
    assert wait_before(tries, 0.0) <= wait_before(tries, draw) <= wait_before(tries + 1, 1.0)


def test_a_lane_is_a_key_within_a_journey() -> None:
    """The same everywhere, and no other key's."""
    assert lane_of(b"rents", "7") == lane_of(b"rents", "7") != lane_of(b"rents", "8") != lane_of(b"repairs", "8")
    assert len(lane_of(b"", "\ud800")) == 32


def test_a_kept_request_is_sent_as_it_came() -> None:
    """But with a length of its own, however it was sent."""
    kept = Kept(b"PUT", b"/a?b=1", b"/a", b"?b=1", b"api", b"X-A: 1\r\n", b"X-Request-ID: 1\r\n", b"http", b"body")
    request = kept.request()
    assert (request.method, request.path, request.query, request.length) == (b"PUT", b"/a", b"?b=1", 4)
    assert request.fields == ((b"X-A", b"1"),)


def test_a_claim_is_its_clients_own() -> None:
    """By the client and its key; what it sends is another matter."""
    kept = Kept(b"POST", b"/a", b"/a", b"", b"h", b"X: 1\r\n", b"", b"http", b"body")
    one = claim_of("r", b"ann", b"k", kept, 9.0)
    assert one == claim_of("r", b"ann", b"k", kept._replace(fields=b"X: 2\r\n"), 9.0)
    others = [claim_of("r", b"bob", b"k", kept, 9.0), claim_of("r", b"ann", b"l", kept, 9.0)]
    others.append(claim_of("s", b"ann", b"k", kept, 9.0))
    assert len({each.scope for each in (one, *others)}) == 4
    assert {each.fingerprint for each in others} == {one.fingerprint}
    changed = [kept._replace(body=b"other"), kept._replace(target=b"/b"), kept._replace(method=b"PUT")]
    assert all(claim_of("r", b"ann", b"k", each, 9.0).fingerprint != one.fingerprint for each in changed)
