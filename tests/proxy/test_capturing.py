"""Captures: what is handed over of the traffic that passes, and that the traffic does not notice."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

import pytest

from gateway.core.captured import Recorded
from gateway.core.model import BUCKETS, Gateway, Route
from gateway.core.policies import Shadow
from gateway.proxy import capturing
from gateway.proxy.capturing import LEASE, Captures
from tests.support.messages import answer
from tests.support.origin import Origin
from tests.support.recorded import passed
from tests.support.serving import Serving
from tests.support.values import route, table


class Control:
    """Takes what is captured; `deaf` while it does not."""

    def __init__(self) -> None:
        self.taken: list[Recorded] = []
        self.dropped: Counter[str] = Counter()
        self.deaf = False
        self.captures = Captures(self._deliver)

    def _deliver(self, number: int, taken: list[Recorded], dropped: Mapping[str, int]) -> bool:
        if not self.deaf:
            self.taken += taken
            self.dropped.update(dropped)
        return not self.deaf

    @property
    def targets(self) -> list[bytes]:
        self.captures.tick(0.0)
        return [each.request.target for each in self.taken]


@pytest.fixture
def control() -> Control:
    return Control()


@pytest.fixture
def legacy() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


Start = Callable[..., Awaitable[Serving]]


@pytest.fixture
async def start(legacy: Origin, control: Control) -> AsyncIterator[Start]:
    running: list[Serving] = []

    async def begin(*routes: Route, gateway: Gateway | None = None) -> Serving:
        serving = Serving({"office": legacy, "repairs": legacy}, *routes, gateway=gateway)
        await serving.open()
        control.captures.follow(serving.live.table)
        running.append(serving)
        return serving

    yield begin
    for serving in running:
        await serving.close()


async def test_what_passes_is_handed_over(start: Start, legacy: Origin, control: Control) -> None:
    """The request as it came and the answer as the client saw it, from the order on; other routes' are not."""
    legacy.on("/a", answer(b"old", "Content-Type: text/plain"))
    serving = await start(route("ANY /a"), route("ANY /b"))
    await serving.get("/a?before", until=b"old")
    control.captures.lease(1, "ANY /a", 10, False, 0.0)
    await serving.get("/a?x=1", "Accept: text/plain", until=b"old")
    await serving.get("/b", until=b"ok")
    assert control.targets == [b"/a?x=1"]
    (one,) = control.taken
    assert (one.origin, one.request.host) == ("http://api.example", b"api.example")
    assert (b"Accept", b"text/plain") in one.request.fields
    assert (one.answer.status, one.answer.body, one.answer.seconds > 0) == (200, b"old", True)


async def test_unsafe_requests_are_captured_only_when_asked_for(start: Start, control: Control) -> None:
    """With their bodies; otherwise nothing of them is kept."""
    serving = await start(route("ANY /a"), route("ANY /b"))
    control.captures.lease(1, "ANY /a", 10, False, 0.0)
    control.captures.lease(2, "ANY /b", 10, True, 0.0)
    for path in (b"/a", b"/b"):
        await serving.ask(b"POST %b HTTP/1.1\r\nHost: api.example\r\nContent-Length: 3\r\n\r\none" % path, b"ok")
    assert control.targets == [b"/b"]
    assert control.taken[0].request.body == b"one"


async def test_a_capture_ends_by_itself(start: Start, control: Control) -> None:
    """With its count, or with its lease; then nothing is kept of what passes."""
    serving = await start(route("ANY /a"), route("ANY /b"))
    control.captures.lease(1, "ANY /a", 2, False, 0.0)
    control.captures.lease(2, "ANY /b", 9, False, 0.0)
    for number in range(4):
        await serving.get(f"/a?{number}", until=b"ok")
    assert control.targets == [b"/a?0", b"/a?1"]
    control.captures.lease(1, "ANY /a", 2, False, LEASE)  # asked for again, but it has what it wanted
    control.captures.tick(LEASE + 0.1)
    await serving.get("/a", until=b"ok")
    await serving.get("/b", until=b"ok")
    assert len(control.targets) == 2
    assert [each.watched for each in serving.live.table.routes.values()] == [True, False]
    control.captures.end(1)
    control.captures.end(1)
    assert [each.watched for each in serving.live.table.routes.values()] == [False, False]


async def test_a_capture_survives_a_reload(start: Start, control: Control) -> None:
    """It goes on with the route of that name in the next table, and with none while there is none."""
    control.captures.lease(1, "ANY /a", 10, False, 0.0)
    for number, routes in enumerate(([route("ANY /a")], [route("ANY /b")], [route("ANY /a")])):
        serving = await start(*routes)
        await serving.get(f"{routes[0].name[4:]}?{number}", until=b"ok")
    assert control.targets == [b"/a?0", b"/a?2"]


async def test_shadow_and_capture_do_not_mind_each_other(start: Start, legacy: Origin, control: Control) -> None:
    """Each gets the request, whether the other does or not; what is not wanted by any is not kept."""
    serving = await start(route("ANY /a", shadow=Shadow(BUCKETS, noise=0)), route("ANY /b", shadow=Shadow(0, noise=0)))
    for number, name in enumerate(("ANY /a", "ANY /b")):
        control.captures.lease(number, name, 1, False, 0.0)
    for target in ("/a?1", "/a?2", "/b?1", "/b?2"):
        await serving.get(target, until=b"ok")
    assert [each.route for each in await serving.compared(2)] == ["ANY /a", "ANY /a"]
    assert control.targets == [b"/a?1", b"/b?1"]


async def test_what_cannot_be_captured_is_counted(start: Start, legacy: Origin, control: Control) -> None:
    """A request that is too large; of an answer that is, the head is there. Who uses a connection's own log-on, or
    upgrades, is left alone."""
    legacy.on("/large", answer(b"x" * 2_000))
    serving = await start(route("ANY /{x}"), gateway=Gateway(served_by=False, capture=1_000))
    control.captures.lease(1, "ANY /{x}", 10, True, 0.0)
    head = b"POST /a HTTP/1.1\r\nHost: api.example\r\nContent-Length: 2000\r\n\r\n"
    await serving.ask(head + b"x" * 2_000, b"ok")
    await serving.get("/large", until=b"x" * 2_000)
    await serving.get("/c", "Authorization: NTLM TlRMTVNTUAABAAAA", until=b"ok")
    assert control.targets == [b"/large"]
    assert (control.taken[0].answer.status, control.taken[0].answer.body) == (200, None)
    assert control.dropped == {"request_too_large": 1}


async def test_a_failed_answer_is_captured_as_such(start: Start, legacy: Origin, control: Control) -> None:
    """The client gets its 502; the recording says that there was no answer."""
    legacy.on("/a", lambda talk: talk.reset())
    serving = await start(route("ANY /a"))
    control.captures.lease(1, "ANY /a", 10, False, 0.0)
    await serving.get("/a", until=b"}")
    assert control.targets == [b"/a"]
    assert (control.taken[0].answer.status, bool(control.taken[0].answer.error)) == (0, True)


# ------------------------------------------------------------------------------------------------ without traffic


def test_what_nobody_takes_is_dropped_and_counted(control: Control) -> None:
    """Nothing piles up; the count that was ordered is still brought."""
    served = table(route("ANY /a", name="a"))
    control.captures.follow(served)
    control.captures.lease(1, "a", 2, False, 0.0)
    control.deaf = True
    served.routes["a"].taker.take(passed(b"/1"))
    assert control.targets == []
    control.deaf = False
    for target in (b"/2", b"/3", b"/4"):
        served.routes["a"].taker.take(passed(target))
    assert (control.targets, control.dropped) == ([b"/2", b"/3"], {"control_busy": 1})


def test_what_waits_is_bounded(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes; one request at least has room, however large."""
    monkeypatch.setattr(capturing, "HELD", 5_000)
    served = table(route("ANY /a", name="a"))
    control.captures.follow(served)
    control.captures.lease(1, "a", 9, False, 0.0)
    for target in (b"/1", b"/2"):
        served.routes["a"].taker.take(passed(target, body=b"x" * 9_000))
    assert (control.targets, control.dropped) == ([b"/1"], {"no_room": 1})
    served.routes["a"].taker.take(passed(b"/3"))
    assert control.targets == [b"/1", b"/3"]


def test_a_new_capture_takes_the_place_of_one_that_was_left_behind(control: Control) -> None:
    """As when control was started again."""
    served = table(route("ANY /a", name="a"))
    control.captures.follow(served)
    control.captures.lease(1, "a", 5, False, 0.0)
    old = served.routes["a"].taker
    control.captures.lease(2, "a", 5, False, 0.0)
    old.take(passed(b"/old"))
    served.routes["a"].taker.take(passed(b"/new"))
    assert control.targets == [b"/new"]
