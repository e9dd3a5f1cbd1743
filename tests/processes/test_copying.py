"""Control's copies: the table they go by, how many are asked for, and that nothing ticks where there are none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from time import time

import pytest

from gateway.core.captured import CapturedRequest, Passed, Sample, Seconds, Skipped
from gateway.core.crosswalk import Pairs
from gateway.core.model import BUCKETS, NEW, Backend, Estate, Gateway, Observation, Route, Serve, Tls
from gateway.core.policies import Otlp, Protect, Shadow, Standing
from gateway.errors import CommandError
from gateway.processes.copying import Copying
from gateway.proxy.pace import FEW
from tests.support.messages import answer
from tests.support.origin import Origin
from tests.support.values import route

SHADOWED = route("GET /a", name="a", shadow=Shadow(BUCKETS))
PLAIN = route("GET /b", name="b")
ONE_SIDED = route("GET /c", name="c", new=None)


class Judging:
    room = 1_000_000


class Control:
    """What copies brought, and what data was told."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.skipped: Skipped = {}
        self.seconds: Seconds = {}
        self.orders: list[tuple[object, ...]] = []
        self.judging = Judging()
        self.traced: list[Observation] = []
        self.copying = Copying(self._sampled, self.judging, self._order, Pairs(), self.traced.append)

    def _sampled(self, samples: list[Sample], skipped: Skipped, seconds: Seconds) -> None:
        self.samples += samples
        self.skipped |= skipped
        self.seconds |= seconds

    def _order(self, *message: object) -> bool:
        self.orders.append(message)
        return True

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110 - nothing tells when it is so
                await asyncio.sleep(0.01)


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    control = Control()
    yield control
    control.copying.close()
    for _ in range(10):  # connections end in turns of the loop of their own
        await asyncio.sleep(0.001)


def estate(origin: Origin, *routes: Route, gateway: Gateway | None = None) -> Estate:
    backends = [
        Backend(name, "127.0.0.1", origin.port, authority=b"127.0.0.1:%d" % origin.port)
        for name in ("office", "repairs")
    ]
    return Estate(gateway or Gateway(), tuple(backends), routes, "d1ge57")


def passed(name: str = "a") -> Passed:
    asked = (b"GET", b"/a", b"/a", b"", b"api.example", b"", b"", b"", b"http")
    return Passed(time(), name, "legacy", *asked, 200, b"", False, b"old", "", False, 0.1, "shadow")


async def test_what_a_traced_copy_was_is_told(control: Control, origin: Origin) -> None:
    """In control's loop, beside what it brought."""
    gateway = Gateway(otlp=Otlp("http://collector"))
    await control.copying.follow(estate(origin, SHADOWED, gateway=gateway))
    lines = f"traceparent: 00-{'a' * 32}-{'b' * 16}-01\r\n".encode()
    control.copying.take([passed()._replace(lines=each) for each in (lines, lines.replace(b"-01", b"-00"))])
    await control.until(lambda: len(control.samples) == 2)
    await control.until(lambda: control.traced)
    (seen,) = control.traced
    assert (seen.route, seen.side, seen.role, seen.trace[:32]) == ("a", "new", "shadow", b"a" * 32)


async def test_where_nothing_is_copied_nothing_ticks(control: Control, origin: Origin) -> None:
    """No table, no connections, no word to data; what nobody can be asked again is said to be so."""
    await control.copying.follow(estate(origin, PLAIN))
    await asyncio.sleep(0.25)
    control.copying.take([passed("b")])
    assert (control.orders, control.samples, control.copying.ask_again(1)) == ([], [], False)


async def test_what_passed_is_asked_of_the_other_side(control: Control, origin: Origin) -> None:
    """Data is told how many may come; what comes is asked, and both answers are handed on."""
    origin.on("/a", answer(b"new"))
    await control.copying.follow(estate(origin, SHADOWED, PLAIN))
    await control.until(lambda: control.orders)
    assert control.orders[0] == ("room", int(FEW))
    control.copying.take([passed(), passed("b")])
    await control.until(lambda: control.samples and control.skipped)
    (sample,) = control.samples
    assert (sample.route, sample.control.body, sample.candidate.body) == ("a", b"old", b"new")
    assert control.skipped == {("b", "no_such_route"): 1}
    assert control.copying.ask_again(sample.number)
    await control.until(lambda: control.seconds)
    assert control.seconds[sample.number].body == b"new"


async def test_no_more_come_than_can_be_compared(control: Control, origin: Origin) -> None:
    """Where whoever compares has no room, data brings nothing; it is told anew now and then, for it may be another."""
    control.judging.room = 0
    await control.copying.follow(estate(origin, SHADOWED))
    await control.until(lambda: len(control.orders) == 2)
    assert control.orders == [("room", 0), ("room", 0)]


async def test_copies_go_by_what_serves_now(control: Control, origin: Origin) -> None:
    """A reload is another table, and an override counts at once; without a shadow all of it ends."""
    await control.copying.follow(estate(origin, SHADOWED))
    control.copying.stand({"a": Standing(override=BUCKETS)})
    await control.copying.replay("a", CapturedRequest(b"GET", b"/a", b"api.example", ()), "replay")
    await control.until(lambda: len(control.samples) == 1)
    await control.copying.follow(estate(origin, SHADOWED._replace(serve=Serve.NEW), PLAIN))
    control.copying.stand({})
    await control.copying.replay("a", CapturedRequest(b"GET", b"/a", b"api.example", ()), "replay")
    await control.until(lambda: len(control.samples) == 2)
    assert [each.control_side for each in control.samples] == [NEW, NEW]
    await control.copying.follow(estate(origin, PLAIN))
    control.copying.take([passed()])
    await asyncio.sleep(0.25)
    assert len(origin.requests) == 4


async def test_a_route_without_a_shadow_can_be_replayed(control: Control, origin: Origin) -> None:
    """As long as it has two sides."""
    await control.copying.follow(estate(origin, PLAIN, ONE_SIDED))
    for name in ("b", "c", "none"):
        await control.copying.replay(name, CapturedRequest(b"GET", b"/b", b"api.example", ()), "replay")
    await control.until(lambda: control.samples and len(control.skipped) == 2)
    assert [(each.route, each.source) for each in control.samples] == [("b", "replay")]
    assert control.skipped == {("c", "replay_no_such_route"): 1, ("none", "replay_no_such_route"): 1}


async def test_what_cannot_be_connected_to_is_not_copied(control: Control, origin: Origin) -> None:
    """Whatever became of the certificates since: the gateway goes on without copies, and a replay says why."""
    given = estate(origin, SHADOWED)
    backends = tuple(backend._replace(tls=Tls(ca="gone.pem")) for backend in given.backends)
    await control.copying.follow(given._replace(backends=backends))
    assert not control.copying.ask_again(1)
    for _ in range(2):
        with pytest.raises(CommandError, match="No such file"):
            await control.copying.replay("a", CapturedRequest(b"GET", b"/a", b"api.example", ()), "replay")


async def test_copies_use_their_part(control: Control, origin: Origin) -> None:
    """Of what backends can bear; how far they have come down is known."""
    assert control.copying.uses()
    assert control.copying.slots() == {}
    control.copying.share(1, None)
    made = estate(origin, SHADOWED)
    protect = Protect(max_concurrent=4, copies=5_000)
    made = made._replace(backends=tuple(each._replace(protect=protect) for each in made.backends))
    await control.copying.follow(made)
    await control.until(control.copying.uses)
    control.copying.share(2, None)
    await control.until(control.copying.uses)
    copier = control.copying._copier
    assert copier is not None
    assert copier._shadows is not None
    assert [guard.parts for guard in copier._shadows.live.guards] == [2, 2]
    assert control.copying.slots() == {"office": (0, 0), "repairs": (0, 0)}


async def test_no_copies_without_a_part_for_them(control: Control, origin: Origin) -> None:
    """A replay of a route whose backend is bounded for clients alone is refused, with what to write."""
    made = estate(origin, PLAIN)
    made = made._replace(backends=tuple(each._replace(protect=Protect(max_concurrent=4)) for each in made.backends))
    await control.copying.follow(made)
    with pytest.raises(CommandError, match="Add `copies: 10%` to its `protect`"):
        await control.copying.replay("b", CapturedRequest(b"GET", b"/b", b"x", ()), "replay")
