import json

from connectors.soap.answers import answer, problem_answer
from gateway.core.model import Outcome
from gateway.wire.body import whole


async def test_a_whole_body_is_here_at_once() -> None:
    """It has ended before anyone asks, so that it leaves in one write; nothing is nothing."""
    body, nothing = whole(b"abc"), whole(b"")
    assert (body.ended, body.take(), await body.next()) == (True, b"abc", b"")
    assert (nothing.ended, nothing.received, await nothing.next()) == (True, 0, b"")


def test_an_answer_knows_its_length() -> None:
    """Status, fields, length, outcome, and whether the backend acted."""
    head, body, outcome, acted = answer(200, ((b"A", b"1"),), b"{}", Outcome.OK, "yes")
    assert (head.status, head.fields, head.length, body.take(), outcome, acted) == (
        200,
        ((b"A", b"1"),),
        2,
        b"{}",
        Outcome.OK,
        "yes",
    )


def test_a_problem_has_members_of_its_own() -> None:
    """A problem document by RFC 9457, which a person can quote the request id of."""
    made = problem_answer(422, "No.", "r-1", Outcome.REFUSED, "no", {"problems": []})
    assert made.head.fields == ((b"Content-Type", b"application/problem+json"),)
    assert json.loads(made.body.take()) == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "No.",
        "request_id": "r-1",
        "problems": [],
    }


def test_a_status_without_a_name_is_an_error() -> None:
    """A status that a route made up has a title all the same."""
    assert json.loads(problem_answer(499, "", "", Outcome.OK, "yes", {}).body.take())["title"] == "Error"
