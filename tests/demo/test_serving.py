"""One service as a process of its own is tried in test_opening; here, what all services share."""

import pytest

from gateway.demo.serving import application, document, stamped
from tests.demo.support import visiting


async def test_every_answer_is_signed_even_an_error() -> None:
    """Whatever a service answers, it says which side it is."""
    async with visiting(application("new", 0.0)) as client, client.get("/nothing") as response:
        assert (response.status, response.headers["X-Demo-Side"]) == (404, "new")


@pytest.mark.parametrize("missing", [400, 404])
def test_without_a_document_there_is_a_problem(missing: int) -> None:
    """A short problem document with its status."""
    response = document(None, missing=missing)
    assert (missing, "application/problem+json") == (response.status, response.content_type)
    assert f'"status": {missing}' in (response.text or "")


def test_nothing_cannot_be_stamped() -> None:
    """What does not exist was not made at any time; what does keeps its content."""
    assert stamped(None) is None
    assert {**(stamped({"a": 1}) or {}), "generatedAt": ""} == {"a": 1, "generatedAt": ""}
