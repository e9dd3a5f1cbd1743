"""What of a recording is replayed, and when."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.captured import CapturedRequest
from gateway.core.har import Recording, Skipped
from gateway.core.model import Serve
from gateway.core.replaying import DAY, Due, chosen, due, why_not
from gateway.errors import CommandError
from tests.support.recorded import sent
from tests.support.values import route, table

TABLE = table(
    route("ANY /a", name="a"),
    route("GET /a/{x}", name="b"),
    route("ANY /c", name="c", new=None),
    route("ANY /d", Serve.RETIRED, name="d"),
    route("SOAP /s#Balance", name="soap", safe=True),
)


def recording(*requests: CapturedRequest, skipped: tuple[Skipped, ...] = ()) -> Recording:
    return Recording(requests, skipped)


def test_only_what_the_route_takes_is_replayed() -> None:
    """The others are listed by their number in the file, together with those that could not be read."""
    found = chosen(
        TABLE,
        "a",
        recording(sent(b"/a?1"), sent(b"/a/2"), sent(b"/a?3"), sent(b"/none"), skipped=(Skipped(2, "it is masked"),)),
    )
    assert [each.target for each in found.requests] == [b"/a?1", b"/a?3"]
    assert found.skipped == (
        Skipped(2, "it is masked"),
        Skipped(3, "the route b takes it"),
        Skipped(5, "the gateway would answer 404: Nothing is served at this address."),
    )


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH"])
def test_only_safe_requests_are_replayed(method: bytes) -> None:
    """What may change something stays a recording, unless the route says that it changes nothing."""
    why = f"{method.decode()} may change something; only safe requests are replayed"
    assert why_not(TABLE, "a", sent(method=method)) == why
    assert why_not(table(route("ANY /a", name="a", safe=True)), "a", sent(method=method)) == ""


def test_a_soap_call_is_replayed_by_its_operation() -> None:
    """The body decides, as it does for clients."""
    envelope = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><%b/></s:Body></s:Envelope>'
    more: dict[str, Any] = {"fields": ((b"Content-Type", b"text/xml"),), "method": b"POST"}
    assert why_not(TABLE, "soap", sent(b"/s", body=envelope % b"Balance", **more)) == ""
    assert why_not(TABLE, "soap", sent(b"/s", body=envelope % b"Pay", **more)) != ""


def test_a_replay_may_be_cut_short() -> None:
    """The first ones are sent; what cannot be is listed all the same."""
    found = chosen(TABLE, "a", recording(sent(b"/a?1"), sent(b"/a?2"), sent(b"/none")), 1)
    assert ([each.target for each in found.requests], len(found.skipped)) == ([b"/a?1"], 1)


@pytest.mark.parametrize(("name", "why"), [("x", "no route 'x'"), ("c", "two sides"), ("d", "two sides")])
def test_a_route_without_two_sides_is_not_replayed(name: str, why: str) -> None:
    """There is nothing to compare."""
    with pytest.raises(CommandError, match=why):
        chosen(TABLE, name, recording())


# ------------------------------------------------------------------------------------------------ when


def test_a_replay_is_due_at_its_minute() -> None:
    """From half past two on it is that day's, and late by what has passed since then; before that, the day before's."""
    begins = 5 * DAY + 150 * 60.0
    assert [due(150, at) for at in (begins, begins + 7.5, begins - 1)] == [Due(5, 0), Due(5, 7.5), Due(4, DAY - 1)]


@given(st.integers(0, 1_439), st.floats(0, 4e9), st.floats(0, 4e9))
def test_each_day_is_due_once(minute: int, one: float, other: float) -> None:
    """A later moment is never an earlier day's, and a day's moment is 24 hours after the one before."""
    first, second = sorted((one, other))
    assert due(minute, first).day <= due(minute, second).day
    at = due(minute, one)
    assert 0 <= at.late <= DAY
    assert at.day * DAY + minute * 60 + at.late == pytest.approx(one, abs=1e-5)
