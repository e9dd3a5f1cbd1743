"""A fragile backend behind a running gateway: what it is spared, and what clients and operators are told of it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, Talk, eventually, hang

FAILS = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"


def routes(origin: Origin, most: int = 1) -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old:
    url: "{origin.url}"
    timeout: {{response: 400ms}}
    protect: {{max_concurrent: {most}, queue: {{size: 1, wait: 200ms}}}}
  weak:
    url: "{origin.url}"
    protect: {{breaker: {{open_after: 3, window: 10s, retry_after: 1s}}}}
  again: {{url: "{origin.url}", retry: {{attempts: 3, on: [503], budget: 100%}}}}
routes:
  - {{name: old, match: ANY /old/**, legacy: old}}
  - {{name: weak, match: ANY /weak/**, legacy: weak}}
  - {{name: again, match: ANY /again, legacy: again}}
  - {{name: either, match: ANY /either, legacy: again, new: weak, serve: new, fallback: true}}
  - {{name: balance, match: "SOAP /old/soap#Balance", safe: true, legacy: old}}
"""


@pytest.fixture
def gateway(origin: Origin, tmp_path: Path) -> Iterator[Gateway]:
    with Gateway(tmp_path, routes(origin)) as gateway:
        yield gateway


class Held:
    """A script that answers once it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, talk: Talk) -> None:
        talk.body()
        self.go.wait(10)
        talk.send(answer(b"late"))


def test_a_backend_bears_no_more_than_it_says(gateway: Gateway, origin: Origin) -> None:
    """What is late keeps its slot until it has ended; others get 503 in their own language, and when to return."""
    held = Held()
    origin.on("/old/late", held)
    assert gateway.get("/old/late").status == 504
    refused = gateway.get("/old/other")
    assert (refused.status, refused.get("Retry-After")) == (503, "1")
    assert b"cannot take more requests at the moment" in refused.body
    envelope = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Balance/></e:Body></e:Envelope>'
    )
    fault = gateway.call("POST", "/old/soap", "Content-Type: text/xml", body=envelope)
    assert (fault.status, b"Fault" in fault.body, fault.get("Retry-After")) == (500, True, "1")
    assert eventually(lambda: gateway.metric('banyan_backend_requests{backend="old",state="under_way"}') == 1)
    assert gateway.metric('banyan_backend_requests_max{backend="old",state="under_way"}') == 1
    assert "old: 1 under way, " in gateway.banyan("status").stdout
    assert not origin.seen("/old/other")
    held.go.set()
    assert eventually(lambda: gateway.get("/old/other").status == 200)
    refusals = 'banyan_errors_total{error_type="queue_timeout",role="live",route="old",side="legacy"}'
    assert eventually(lambda: (gateway.metric(refusals) or 0) >= 1)


def test_what_is_under_way_counts_on_after_a_reload(gateway: Gateway, origin: Origin) -> None:
    """A larger bound lets one more in, and not two."""
    held = Held()
    origin.on("/old/late", held)
    assert gateway.get("/old/late").status == 504
    gateway.edit(routes(origin, most=2))
    assert gateway.get("/old/other").status == 200
    assert gateway.get("/old/late").status == 504
    assert gateway.get("/old/other").status == 503
    held.go.set()
    assert eventually(lambda: gateway.get("/old/other").status == 200)


def test_a_backend_that_fails_is_left_alone_for_a_while(gateway: Gateway, origin: Origin) -> None:
    """Operators hear of it, and when it is well again."""
    origin.on("/weak/a", FAILS)
    assert [gateway.get("/weak/a").status for _ in range(5)] == [500, 500, 500, 503, 503]
    assert len(origin.seen("/weak/a")) == 3
    assert eventually(lambda: gateway.metric('banyan_breaker_open{backend="weak"}') == 1)
    assert "breaker open" in gateway.banyan("status").stdout
    origin.on("/weak/a", answer())
    assert eventually(lambda: gateway.get("/weak/a").status == 200, 5)
    assert eventually(lambda: gateway.metric('banyan_breaker_open{backend="weak"}') == 0)
    told = [each["event"] for each in gateway.events if each["event"].startswith("breaker_")]
    assert told == ["breaker_opened", "breaker_closed"]


def test_a_busy_backend_is_asked_again(gateway: Gateway, origin: Origin) -> None:
    """And how often is counted."""
    asked = [0]

    def talk(talk: Talk) -> None:
        talk.body()
        asked[0] += 1
        talk.send(answer(b"well") if asked[0] > 2 else FAILS.replace(b"500", b"503"))

    assert gateway.get("/again").status == 200  # there is a retry to be paid for now
    origin.on("/again", talk)
    assert gateway.get("/again").body == b"well"
    assert eventually(lambda: gateway.metric('banyan_retries_total{backend="again"}') == 2)


def test_the_other_side_answers(gateway: Gateway, origin: Origin) -> None:
    """Where the serving one fails; both are counted for what they did."""
    asked = [0]

    def talk(talk: Talk) -> None:
        talk.body()
        asked[0] += 1
        talk.send(FAILS if asked[0] == 1 else answer(b"well"))

    origin.on("/either", talk)
    reply = gateway.get("/either")
    assert (reply.body, reply.get("X-Banyan-Served-By")) == (b"well", "legacy; again; either")
    line = 'banyan_requests_total{backend="%s",code_class="%s",role="%s",route="either",side="%s"}'
    assert eventually(lambda: gateway.metric(line % ("weak", "5xx", "live", "new")) == 1)
    assert gateway.metric(line % ("again", "2xx", "fallback", "legacy")) == 1
    assert "If weak fails, again answers" in gateway.look("/api/v1/explain?method=GET&url=/either")[1]


def test_silence_ends_with_the_gateway(gateway: Gateway, origin: Origin) -> None:
    """What is waited for until the backend has ended holds up nobody who stops the gateway."""
    origin.on("/old/never", hang)
    assert gateway.get("/old/never").status == 504
    gateway.terminate()
    assert gateway.wait(5) == 0
