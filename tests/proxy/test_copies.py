"""What a copy's answer is taken to be: as a client would see it, whole, or with the reason why it is not."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core.captured import CapturedAnswer
from gateway.core.model import BUCKETS, Gateway, HeaderEdit, Placeholder, Target
from gateway.core.policies import Compare, Shadow
from tests.support.messages import answer
from tests.support.origin import Origin, Talk
from tests.support.serving import Serving
from tests.support.values import route

LIMIT = 1_000


@pytest.fixture
def new() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@asynccontextmanager
async def copied(new: Origin, **target: Any) -> AsyncIterator[Serving]:
    """A route of which every request is copied to the new side; legacy answers "ok"."""
    with Origin() as legacy:
        given = route(
            "ANY /a",
            shadow=Shadow(BUCKETS),
            new=Target("repairs", **target),
            compare=Compare(headers=(b"location", b"x-kind")),
        )
        gateway = Gateway(served_by=False, capture=LIMIT)
        serving = Serving({"office": legacy, "repairs": new}, given, gateway=gateway)
        await serving.open()
        yield serving
        await serving.close()


async def candidate(serving: Serving, target: str = "/a") -> CapturedAnswer:
    """The new side's answer to one copy."""
    await serving.get(target, until=b"ok")
    (sample,) = await serving.compared()
    return sample.candidate


def chunked(*pieces: bytes) -> Any:
    """An answer that comes piece by piece."""

    def talk(talk: Talk) -> None:
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            talk.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        talk.send(b"0\r\n\r\n")

    return talk


async def test_an_answer_that_comes_in_pieces_is_taken_whole(new: Origin) -> None:
    """As long as all of them are within what is captured."""
    new.on("/a", chunked(b"one", b"two", b"x" * (LIMIT - 6)))
    async with copied(new) as serving:
        assert (await candidate(serving)).body == b"onetwo" + b"x" * (LIMIT - 6)


async def test_an_answer_that_grows_too_large_is_not_kept(new: Origin) -> None:
    """Nobody knew before; nor is the rest of it waited for."""
    new.on("/a", chunked(b"x" * LIMIT, b"y"))
    async with copied(new) as serving:
        await serving.get("/a", until=b"ok")
        assert await serving.compared() == []
        assert serving.skipped == {("ANY /a", "candidate_too_large"): 1}


async def test_an_answer_is_what_the_client_would_see(new: Origin) -> None:
    """With public addresses, edited as the target says; only the fields that are compared are kept."""
    new.on("/a", answer(b"", f"Location: http://127.0.0.1:{new.port}/b", "X-Other: 1", status=302))
    edit = HeaderEdit(add=((b"X-Kind", b"new"),))
    async with copied(new, answer=edit) as serving:
        found = await candidate(serving)
        assert (found.status, found.fields) == (302, ((b"Location", b"http://api.example/b"), (b"X-Kind", b"new")))


async def test_a_side_that_does_not_answer_says_why(new: Origin) -> None:
    """By the short kind of its error; it is no answer of any status."""
    new.on("/a", lambda talk: talk.reset())
    async with copied(new) as serving:
        found = await candidate(serving)
        assert (found.status, found.body) == (0, b"")
        assert found.error not in ("", "unmapped")


async def test_a_request_that_does_not_fit_the_other_side_is_said_to(new: Origin) -> None:
    """Its mapping asks for what the request does not have: nobody is asked."""
    async with copied(new, path=(b"/v2/", Placeholder("query", b"account"))) as serving:
        found = await candidate(serving)
        assert (found.status, found.error) == (0, "unmapped")
        assert new.requests == []
