"""What is kept of requests as they pass, and handed on: only as many as there is room for."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.core.captured import Passed
from gateway.core.model import BUCKETS, Gateway
from gateway.core.policies import Shadow
from gateway.proxy.watching import BATCH, Watch
from tests.support.messages import answer
from tests.support.origin import Origin
from tests.support.serving import Serving
from tests.support.values import route


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
async def serving(legacy: Origin) -> AsyncIterator[Serving]:
    """A route of which every request is copied; what passes is looked at here, and not copied."""
    with Origin() as new:
        shadowed = route("ANY /a", shadow=Shadow(BUCKETS))
        found = Serving({"office": legacy, "repairs": new}, shadowed, gateway=Gateway(served_by=False, capture=1_000))
        await found.open()
        found.deaf = True
        yield found
        await found.close()


def passed_of(watch: Watch) -> list[Passed]:
    """What waits to be handed on."""
    return [Passed._make(each) for each in watch._passed]


async def test_a_request_is_kept_with_its_answer(serving: Serving, legacy: Origin) -> None:
    """As it went to the side that serves, with what the gateway told of the client; and all of the answer."""
    legacy.on("/a", answer(b"old", "Content-Type: text/plain", status=201))
    await serving.get("/a?x=1", "Cookie: s=1", until=b"old")
    (found,) = passed_of(serving.watch)
    assert (found.route, found.side, found.source) == ("ANY /a", "legacy", "shadow")
    assert (found.method, found.target, found.path, found.query) == (b"GET", b"/a?x=1", b"/a", b"?x=1")
    assert (found.host, found.fields, found.body, found.scheme) == (b"api.example", b"Cookie: s=1\r\n", b"", b"http")
    assert b"X-Forwarded-For: 127.0.0.1\r\n" in found.lines
    assert (found.status, found.answer_body, found.error, found.business) == (201, b"old", "", False)
    assert b"Content-Type: text/plain\r\n" in found.answer_lines
    assert 0 < found.seconds < 5


async def test_a_side_that_gave_no_answer_says_why(serving: Serving, legacy: Origin) -> None:
    """By the short kind of its error."""
    legacy.on("/a", lambda talk: talk.reset())
    await serving.get("/a")
    (found,) = passed_of(serving.watch)
    assert (found.status, found.answer_lines, found.answer_body) == (0, b"", b"")
    assert found.error


async def test_no_more_is_kept_than_there_is_room_for(serving: Serving) -> None:
    """The rest is counted, and nothing of it is held; what was told last counts."""
    serving.watch.has_room(5)
    serving.watch.has_room(2)
    for _ in range(5):
        await serving.get("/a", until=b"ok")
    assert len(passed_of(serving.watch)) == 2
    serving.deaf = False
    serving.watch.flush()
    assert serving.skipped == {("ANY /a", "queue_full"): 3}


async def test_what_nobody_takes_is_counted(serving: Serving) -> None:
    """A whole batch is handed on at once; where nobody listens it is lost, and said to be as soon as somebody does."""
    for _ in range(BATCH + 1):
        await serving.get("/a", until=b"ok")
    assert len(passed_of(serving.watch)) == 1
    serving.deaf = False
    serving.watch.flush()
    assert serving.skipped == {("ANY /a", "control_busy"): BATCH}
