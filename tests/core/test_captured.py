"""Requests that were kept whole, and why samples were not compared."""

from typing import Any

import pytest

from gateway.core.captured import CapturedAnswer, Passed, attempt_of, reason_of, source_of
from gateway.core.model import Outcome
from gateway.errors import ClientError
from tests.support.recorded import sent


def test_a_captured_request_is_sent_again_as_it_came() -> None:
    """With its fields and its Host, and the length of the body that it has now."""
    request = sent(b"/a?x=1", b"POST", fields=((b"Accept", b"text/plain"),), body=b"four").request()
    assert (request.method, request.path, request.query, request.host) == (b"POST", b"/a", b"?x=1", b"api.example")
    assert (b"Accept", b"text/plain") in request.fields
    assert (request.length, sent().request().length) == (4, 0)


def test_what_the_gateway_does_not_take_is_not_sent_again() -> None:
    """It is judged like any request."""
    with pytest.raises(ClientError):
        sent(b"no target at all").request()


def passed(**more: Any) -> Passed:
    """A request that passed, and was answered."""
    asked = (b"POST", b"/a?x=1", b"/a", b"?x=1", b"api.example", b"Accept: text/plain\r\n", b"four", b"", b"http")
    return Passed(1.0, "a", "legacy", *asked, 200, b"A: 1\r\n", False, b"old", "", False, 0.1, "shadow")._replace(
        **more
    )


def test_a_request_that_passed_is_sent_again_as_it_was_read() -> None:
    """Without being read and judged anew."""
    request = passed().request()
    assert (request.method, request.path, request.query, request.host) == (b"POST", b"/a", b"?x=1", b"api.example")
    assert (request.fields, request.length) == (((b"Accept", b"text/plain"),), 4)


def test_requests_that_passed_are_told_apart() -> None:
    """By method, host, target and body; not by when, by whom or with what answer."""
    others = [passed(method=b"PUT"), passed(host=b"b"), passed(target=b"/a?x=2"), passed(body=b"five")]
    assert len({each.digest() for each in [passed(), *others]}) == 5
    assert passed(at=2.0, lines=b"X-Request-ID: 2", answer_body=b"new").digest() == passed().digest()


def test_what_passed_counts_for_what_it_holds() -> None:
    """Both bodies and both heads; an answer that was not kept counts for nothing."""
    assert passed(body=b"x" * 1_000).size - passed().size == 996
    assert passed().size - passed(answer_body=None).size == 3


def test_a_reason_tells_whose_sample_it_was() -> None:
    """What is skipped of a replay is told apart from what is skipped of a shadow."""
    assert [reason_of("late", source) for source in ("shadow", "replay")] == ["late", "replay_late"]
    assert [source_of(reason) for reason in ("late", "replay_late")] == ["shadow", "replay"]


@pytest.mark.parametrize(
    ("answer", "outcome", "acted"),
    [
        (CapturedAnswer(200), Outcome.OK, "yes"),
        (CapturedAnswer(404), Outcome.OK, "yes"),
        (CapturedAnswer(500), Outcome.BACKEND_ERROR, "maybe"),
        (CapturedAnswer(422, business=True), Outcome.BUSINESS_FAULT, "yes"),
        (CapturedAnswer(0, error="timeout"), Outcome.TIMEOUT, "maybe"),
        (CapturedAnswer(0, error="connect_timeout"), Outcome.TIMEOUT, "maybe"),
        (CapturedAnswer(0, error="reset"), Outcome.BACKEND_ERROR, "maybe"),
    ],
)
def test_asking_for_a_copy_is_an_attempt(answer: CapturedAnswer, outcome: Outcome, acted: str) -> None:
    """It ends as a client's would have: for the metrics, with its own role."""
    found = attempt_of("a", "new", "shadow", "repairs", 7.0, answer._replace(body=None, seconds=0.25))
    assert (found.outcome, found.acted, found.status, found.error) == (outcome, acted, answer.status, answer.error)
    assert found[:5] == (7.0, "a", "new", "shadow", "repairs")
    assert (found.bytes_out, found.first_byte, found.duration) == (0, 0.25, 0.25)
