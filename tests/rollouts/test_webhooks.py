"""Events reach real receivers on loopback, whatever these do."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
import trustme
from aiohttp import web
from structlog.testing import capture_logs

from gateway.core.events import Event, Kind, message
from gateway.core.policies import Webhook
from gateway.core.signing import verified
from gateway.errors import BanyanError
from gateway.rollouts import webhooks as module
from gateway.rollouts.deliveries import DELAYS, Deliveries, Delivery
from gateway.rollouts.webhooks import LOOK, Webhooks, shown
from tests.rollouts.running import Unstored

SECRET = b"a secret of more than 24 bytes"
NOW = 1_767_225_600.0


def event(number: int = 1, kind: Kind = "rolled_back") -> Event:
    return Event(f"evt_{number}", NOW, kind, "rent-balance", "rents", "", "parity is low", {"share": 2_500})


class Received(NamedTuple):
    """A request as a receiver saw it; header names in lower case."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answering = Callable[[int], Awaitable[web.StreamResponse]]
"""Makes the answer to a receiver's nth request, counted from 0."""


@asynccontextmanager
async def receiver(
    answering: Answering | int = 204, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[Received]]]:
    """A receiver on a free port: its address, and what it has got so far."""
    received: list[Received] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        received.append(Received(headers, await request.read()))
        if isinstance(answering, int):
            return web.Response(status=answering)
        return await answering(len(received) - 1)

    app = web.Application()
    app.router.add_post("/{any:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/hook?token=opensesame", received
    finally:
        await runner.cleanup()


def scripted(*answers: web.Response) -> Answering:
    """One answer after the other."""

    async def answering(nth: int) -> web.StreamResponse:
        return answers[nth]

    return answering


class Memory:
    """A store of deliveries, as far as webhooks can tell."""

    def __init__(self, *pending: Delivery, down: int = 0) -> None:
        self.waiting = {delivery.event.id: delivery for delivery in pending}
        self.told: list[tuple[Any, ...]] = []
        self._down = down

    def _ask(self) -> None:
        if self._down:
            self._down -= 1
            raise BanyanError("The store cannot be reached.")

    async def pending(self, url: str) -> Sequence[Delivery]:
        self._ask()
        return list(self.waiting.values())

    async def delivered(self, event_id: str, url: str) -> None:
        self._ask()
        self.waiting.pop(event_id, None)
        self.told.append(("delivered", event_id))

    async def failed(self, event_id: str, url: str, attempts: int, next_try: float | None, why: str) -> None:
        self._ask()
        if next_try is None:
            self.waiting.pop(event_id, None)
        self.told.append(("failed", event_id, attempts, next_try, why))


class Sleeps:
    """Patience that takes no time: it remembers for how long it was asked to wait."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


async def never(_seconds: float) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def sending(
    *hooks: Webhook, deliveries: Deliveries | None = None, sleep: Callable[[float], Awaitable[None]] | None = None
) -> AsyncIterator[Webhooks]:
    """Webhooks at work, with this patience between attempts; between looks at the store they wait for a moment."""
    patience = sleep or Sleeps()

    async def waiting(seconds: float) -> None:
        await (asyncio.sleep(0.01) if seconds == LOOK else patience(seconds))

    webhooks = Webhooks(deliveries or Unstored(), now=lambda: NOW, chance=lambda: 0.0, sleep=waiting)
    webhooks.use(hooks)
    try:
        yield webhooks
    finally:
        await webhooks.close()


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 (what is waited for has no event of its own)
            await asyncio.sleep(0.005)


# ------------------------------------------------------------------------------------------------ what is sent


async def test_an_event_arrives_signed() -> None:
    """The receiver gets the JSON of the event, and can prove where it comes from."""
    memory = Memory()
    async with receiver() as (url, received), sending(Webhook(url, SECRET), deliveries=memory) as webhooks:
        webhooks.send(event())
        await until(lambda: memory.told)
    assert memory.told == [("delivered", "evt_1")]
    [(headers, body)] = received
    assert body == message(event())
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("banyan/")
    assert verified(headers, body, SECRET, now=NOW)


async def test_receivers_of_one_host_are_counted_together() -> None:
    """Their paths may be secrets, so they have one name; one that has got nothing yet shows with zeros."""
    async with receiver() as (url, _), sending(Webhook(url, SECRET), Webhook(f"{url}&other", SECRET)) as webhooks:
        assert set(webhooks.counts()[0].values()) == {0}
        webhooks.send(event())
        await until(lambda: webhooks.counts()[0][shown(url), "delivered"] == 2)
        assert webhooks.counts()[1] == {shown(url): 0}


async def test_only_the_kinds_that_were_asked_for_are_sent() -> None:
    """A list in the configuration chooses; an empty one means everything."""
    async with receiver() as (one, picky), receiver() as (two, all_ears):
        hooks = Webhook(one, SECRET, ("rolled_back",)), Webhook(two, SECRET)
        async with sending(*hooks) as webhooks:
            assert webhooks.urls("promoted") == (two,)
            assert webhooks.urls("rolled_back") == (one, two)
            webhooks.send(event(1, "promoted"))
            webhooks.send(event(2, "rolled_back"))
            await until(lambda: len(picky) == 1 and len(all_ears) == 2)
    assert [each.id for each in picky] == ["evt_2"]


async def test_order() -> None:
    """A receiver that answers gets one event at a time, in the order they happened."""
    busy, worst = 0, 0

    async def answering(_nth: int) -> web.StreamResponse:
        nonlocal busy, worst
        busy += 1
        worst = max(worst, busy)
        await asyncio.sleep(0.002)
        busy -= 1
        return web.Response()

    async with receiver(answering) as (url, received), sending(Webhook(url, SECRET)) as webhooks:
        for number in range(20):
            webhooks.send(event(number))
        await until(lambda: len(received) == 20 and not busy)
    assert [each.id for each in received] == [f"evt_{number}" for number in range(20)]
    assert worst == 1


# ------------------------------------------------------------------------------------------------ failing


async def test_what_failed_is_sent_again() -> None:
    """After a 500 the same event comes again, with the same id, when the plan says so; every failure is told."""
    memory, sleeps = Memory(), Sleeps()
    answers = scripted(web.Response(status=500), web.Response(status=302), web.Response(status=200))
    async with (
        receiver(answers) as (url, received),
        sending(Webhook(url, SECRET), deliveries=memory, sleep=sleeps) as webhooks,
    ):
        with capture_logs() as logs:
            webhooks.send(event())
            await until(lambda: ("delivered", "evt_1") in memory.told)
    assert [each.id for each in received] == ["evt_1"] * 3
    assert len({each.body for each in received}) == 1
    assert sleeps.asked == [5.0, 300.0]
    assert memory.told == [
        ("failed", "evt_1", 1, NOW + 5, "the receiver answered 500"),
        ("failed", "evt_1", 2, NOW + 300, "the receiver answered 302"),
        ("delivered", "evt_1"),
    ]
    assert [(each["event"], each["log_level"], each["attempts"]) for each in logs] == [
        ("webhook_failed", "warning", 1),
        ("webhook_failed", "warning", 2),
        ("webhook_delivered", "debug", 3),
    ]


async def test_a_receiver_that_is_not_there_yet() -> None:
    """Nobody listens at first: the event arrives as soon as somebody does, and a redirect is not followed."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    arrived, runners = asyncio.Event(), []

    async def handle(_request: web.Request) -> web.Response:
        arrived.set()
        return web.Response()

    async def opening(_seconds: float) -> None:
        app = web.Application()
        app.router.add_post("/", handle)
        runners.append(runner := web.AppRunner(app, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    memory = Memory()
    async with sending(Webhook(f"http://127.0.0.1:{port}/", SECRET), deliveries=memory, sleep=opening) as webhooks:
        webhooks.send(event())
        await until(arrived.is_set)
        await until(lambda: len(memory.told) == 2)
    assert memory.told[0][:4] == ("failed", "evt_1", 1, NOW + 5)
    assert memory.told[0][4].startswith("no connection: ")
    await runners[0].cleanup()


async def test_retry_after_is_obeyed() -> None:
    """A receiver that asks for a minute gets it; one that asks for less than was planned does not change the plan."""
    sleeps = Sleeps()
    answers = scripted(
        web.Response(status=503, headers={"Retry-After": "60"}),
        web.Response(status=429, headers={"Retry-After": "1"}),
        web.Response(),
    )
    async with receiver(answers) as (url, received), sending(Webhook(url, SECRET), sleep=sleeps) as webhooks:
        webhooks.send(event())
        await until(lambda: len(received) == 3)
    assert sleeps.asked == [60.0, 300.0]


async def test_giving_up() -> None:
    """After ten attempts an event is given up, in the store and in the log."""
    memory, sleeps = Memory(), Sleeps()
    async with (
        receiver(500) as (url, received),
        sending(Webhook(url, SECRET), deliveries=memory, sleep=sleeps) as webhooks,
    ):
        with capture_logs() as logs:
            webhooks.send(event())
            await until(lambda: len(memory.told) == 10)
    assert sleeps.asked == list(DELAYS)
    assert len(received) == 10
    assert memory.told[-1] == ("failed", "evt_1", 10, None, "the receiver answered 500")
    assert logs[-1]["event"] == "webhook_given_up"
    assert logs[-1]["log_level"] == "error"


async def test_gone() -> None:
    """410 ends everything for this receiver, what waits included; a reload begins anew."""
    memory = Memory()
    answers = scripted(web.Response(status=500), web.Response(status=410), web.Response(status=200))
    async with (
        receiver(answers) as (url, received),
        sending(Webhook(url, SECRET), deliveries=memory, sleep=never) as webhooks,
    ):
        webhooks.send(event(1))
        await until(lambda: len(memory.told) == 1)
        webhooks.send(event(2))
        await until(lambda: len(memory.told) == 3)
        webhooks.send(event(3))
        await until(lambda: len(memory.told) == 4)
        assert len(received) == 2
        assert sorted(memory.told[1:]) == [
            ("failed", "evt_1", 1, None, "the receiver is gone"),
            ("failed", "evt_2", 1, None, "the receiver answered 410"),
            ("failed", "evt_3", 0, None, "the receiver is gone"),
        ]
        webhooks.use([Webhook(url, SECRET)])
        webhooks.send(event(4))
        await until(lambda: memory.told[-1] == ("delivered", "evt_4"))


async def test_a_receiver_with_a_wrong_certificate_gets_nothing() -> None:
    """TLS is verified: who cannot prove to be the receiver learns nothing of the event."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    memory = Memory()
    async with receiver(tls=context) as (url, received):
        async with sending(Webhook(url, SECRET), deliveries=memory, sleep=never) as webhooks:
            webhooks.send(event())
            await until(lambda: memory.told)
        assert received == []
    [(*told, why)] = memory.told
    assert told == ["failed", "evt_1", 1, NOW + 5]
    assert "certificate verify failed" in why


async def test_what_is_not_http_is_a_failure() -> None:
    """A receiver that speaks something else is told of in our own words, without its address."""

    async def gibberish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"SSH-2.0-x\r\n\r\n")
        writer.close()

    memory = Memory()
    server = await asyncio.start_server(gibberish, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/?token=opensesame"
        async with sending(Webhook(url, SECRET), deliveries=memory, sleep=never) as webhooks:
            webhooks.send(event())
            await until(lambda: memory.told)
    [(*_, why)] = memory.told
    assert why.startswith("the request failed: ")
    assert "opensesame" not in why


# ------------------------------------------------------------------------------------------------ not in the way


async def test_a_hanging_receiver_holds_up_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one receiver does not answer, another gets everything; the one that hangs fails when its time is up."""
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    memory = Memory()

    async def hanging(_nth: int) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async with (
        receiver(hanging) as (slow, stuck),
        receiver() as (quick, received),
        sending(Webhook(slow, SECRET), Webhook(quick, SECRET), deliveries=memory, sleep=never) as webhooks,
    ):
        for number in range(10):
            webhooks.send(event(number))
        await until(lambda: len(received) == 10)
        assert len(stuck) == 1
        failed = ("failed", "evt_0", 1, NOW + 5, "the receiver did not answer within 0.3 s")
        await until(lambda: failed in memory.told)


async def test_the_caller_never_waits() -> None:
    """Handing over a thousand events to a receiver that hangs takes no time that anybody would notice."""

    async def hanging(_nth: int) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async with receiver(hanging) as (url, stuck), sending(Webhook(url, SECRET)) as webhooks:
        webhooks.send(event(0))
        await until(lambda: stuck)
        begun = time.perf_counter()
        for number in range(1, 1_000):
            webhooks.send(event(number))
        assert time.perf_counter() - begun < 0.5


async def test_an_event_that_fails_holds_up_no_other() -> None:
    """A receiver that chokes on one event still gets the next at once."""
    answers = scripted(web.Response(status=500), web.Response(status=200))
    async with receiver(answers) as (url, received), sending(Webhook(url, SECRET), sleep=never) as webhooks:
        webhooks.send(event(1))
        await until(lambda: len(received) == 1)
        webhooks.send(event(2))
        await until(lambda: len(received) == 2)
    assert [each.id for each in received] == ["evt_1", "evt_2"]


async def test_when_too_many_wait_the_oldest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is bounded; what is dropped is counted, logged, and given up in the store."""
    monkeypatch.setattr(module, "WAITING", 2)
    memory = Memory()
    async with (
        receiver(500) as (url, received),
        sending(Webhook(url, SECRET), deliveries=memory, sleep=never) as webhooks,
    ):
        webhooks.send(event(1))
        webhooks.send(event(2))
        await until(lambda: len(memory.told) == 2)
        with capture_logs() as logs:
            webhooks.send(event(3))
            await until(lambda: len(memory.told) == 4)
        assert webhooks.dropped == 1
        name = shown(url)
        counted = {(name, "delivered"): 0, (name, "failed"): 3, (name, "given_up"): 1}
        await until(lambda: webhooks.counts() == (counted, {name: 2}))
    assert len(received) == 3
    assert ("failed", "evt_1", 1, None, "more than 2 events wait for the receiver") in memory.told
    assert [each["event_id"] for each in logs if each["event"] == "webhook_given_up"] == ["evt_1"]


# ------------------------------------------------------------------------------------------------ restarts, reloads


async def test_a_restart_delivers_what_was_pending() -> None:
    """What the store knows is delivered by the next process: at its time, with the attempts that were made counted."""
    memory = Memory()
    async with receiver() as (url, received):
        with socket.create_server(("127.0.0.1", 0)) as place:
            nobody = f"http://127.0.0.1:{place.getsockname()[1]}/"
        async with sending(Webhook(nobody, SECRET), deliveries=memory, sleep=never) as webhooks:
            webhooks.send(event())
            await until(lambda: memory.told)
        _, _, attempts, due, _ = memory.told.pop()
        memory.waiting["evt_1"] = Delivery(event(), attempts, due)
        sleeps = Sleeps()
        async with sending(Webhook(url, SECRET), deliveries=memory, sleep=sleeps):
            await until(lambda: memory.told)
        assert memory.told == [("delivered", "evt_1")]
        assert sleeps.asked == [5.0]
        assert [each.id for each in received] == ["evt_1"]


async def test_attempts_before_a_restart_count() -> None:
    """Restarts do not make a delivery last for ever."""
    memory, sleeps = Memory(Delivery(event(), attempts=9)), Sleeps()
    async with receiver(500) as (url, received), sending(Webhook(url, SECRET), deliveries=memory, sleep=sleeps):
        await until(lambda: memory.told)
    assert memory.told == [("failed", "evt_1", 10, None, "the receiver answered 500")]
    assert len(received) == 1


async def test_what_others_left_is_found_later() -> None:
    """A process that died leaves its deliveries to those that live, however long these have been running."""
    memory = Memory()
    async with receiver() as (url, received), sending(Webhook(url, SECRET), deliveries=memory):
        await asyncio.sleep(0.02)
        memory.waiting["evt_1"] = Delivery(event())
        await until(lambda: memory.told)
    assert memory.told == [("delivered", "evt_1")]
    assert [each.id for each in received] == ["evt_1"]


async def test_a_receiver_that_is_gone_leaves_what_is_due() -> None:
    """After 410 the store is not asked any more: what it has is there for the reload that begins anew."""
    memory = Memory()
    answers = scripted(web.Response(status=410), web.Response(status=204))
    async with receiver(answers) as (url, received), sending(Webhook(url, SECRET), deliveries=memory) as webhooks:
        webhooks.send(event(1))
        await until(lambda: memory.told)
        memory.waiting["evt_2"] = Delivery(event(2))
        await asyncio.sleep(0.05)
        assert memory.told == [("failed", "evt_1", 1, None, "the receiver answered 410")]
        webhooks.use([Webhook(url, SECRET)])
        await until(lambda: len(memory.told) == 2)
    assert memory.told[1] == ("delivered", "evt_2")
    assert [each.id for each in received] == ["evt_1", "evt_2"]


async def test_an_event_that_is_pending_and_handed_over_is_sent_once() -> None:
    """The store may list what is under way already."""
    memory = Memory(Delivery(event()))

    async def answering(_nth: int) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        return web.Response()

    async with receiver(answering) as (url, received), sending(Webhook(url, SECRET), deliveries=memory) as webhooks:
        webhooks.send(event())
        await until(lambda: memory.told)
        await asyncio.sleep(0.05)
    assert len(received) == 1


async def test_a_store_that_is_down_stops_no_delivery() -> None:
    """Events are sent without it, and what was pending follows when it can be asked again."""
    memory = Memory(Delivery(event(1)), down=2)
    async with receiver() as (url, received):
        with capture_logs() as logs:
            async with sending(Webhook(url, SECRET), deliveries=memory) as webhooks:
                webhooks.send(event(2))
                await until(lambda: len(received) >= 2 and ("delivered", "evt_1") in memory.told)
    assert {each.id for each in received} == {"evt_1", "evt_2"}
    told = {each["event"]: each.get("why") for each in logs}
    assert told["webhooks_not_loaded"] == "The store cannot be reached."


async def test_what_cannot_be_noted_is_told() -> None:
    """A delivery whose success the store could not take down is no failure of the receiver."""

    class Unnoting(Memory):
        async def delivered(self, event_id: str, url: str) -> None:
            raise BanyanError("The store cannot be reached.")

    async with receiver() as (url, received), sending(Webhook(url, SECRET), deliveries=Unnoting()) as webhooks:
        with capture_logs() as logs:
            webhooks.send(event())
            await until(lambda: any(each["event"] == "webhook_not_noted" for each in logs))
    assert len(received) == 1


async def test_a_reload_changes_receivers() -> None:
    """What waits for a receiver that stays goes on, with the new secret; one that left the file gets nothing more."""
    going = asyncio.Event()

    async def patience(_seconds: float) -> None:
        await going.wait()

    answers = scripted(web.Response(status=500), web.Response(status=200))
    async with receiver(answers) as (stays, kept), receiver(500) as (leaves, left):
        async with sending(Webhook(stays, SECRET), Webhook(leaves, SECRET), sleep=patience) as webhooks:
            webhooks.send(event(1))
            await until(lambda: kept and left)
            webhooks.use([Webhook(stays, b"new" + SECRET), Webhook(stays, b"new" + SECRET)])
            going.set()
            await until(lambda: len(kept) == 2)
            assert webhooks.urls("started") == (stays,)
        assert len(left) == 1
    assert kept[1].id == "evt_1"
    assert verified(kept[1].headers, kept[1].body, b"new" + SECRET, now=NOW)


# ------------------------------------------------------------------------------------------------ secrets


async def test_logs_hold_no_secrets() -> None:
    """Neither the secret nor the address beyond its host nor what the event says is logged, whatever happens."""
    answers = scripted(web.Response(status=500), web.Response(status=410))
    async with receiver(answers) as (url, received):
        with capture_logs() as logs:
            async with sending(Webhook(url, SECRET)) as webhooks:
                webhooks.send(event())
                await until(lambda: len(received) == 2 and any(each["event"] == "webhook_given_up" for each in logs))
    text = json.dumps(logs)
    assert "127.0.0.1" in text
    assert all(word not in text for word in ("opensesame", "/hook", "a secret", "rent-balance", "parity"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example/T0/B1?token=x", "https://hooks.example"),
        ("https://me:pw@hooks.example:8443/", "https://hooks.example:8443"),
        ("http://[::1]:80/x", "http://[::1]:80"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, expected: str) -> None:
    """Scheme, host and port are enough to know whom to ring."""
    assert shown(url) == expected
