"""Attachments through a real gateway: large ones pass, in base64 or beside the message, and are never held."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from email.message import Message as Mail
from email.parser import BytesParser
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import pytest

from tests.support import archive
from tests.support.client import HOST, Client
from tests.support.gateway import Gateway
from tests.support.messages import Incomplete, Message, answer
from tests.support.origin import Origin, Talk, eventually

SOAP = "/archive"
BLOCK = bytes(range(256)) * 1_024
LARGE = 64 * 1024 * 1024
MOST_GROWTH = 20_000_000
JSON_TYPE = "Content-Type: application/json"


class Estate(NamedTuple):
    gateway: Gateway
    archive: Origin
    rest: Origin


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    (folder / "archive.wsdl").write_text(archive.WSDL)
    with Origin() as legacy, Origin() as rest:
        routes = f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  archive: {{type: soap, wsdl: archive.wsdl, url: "{legacy.url}{SOAP}", mtom: true}}
  plain: {{type: soap, wsdl: archive.wsdl, url: "{legacy.url}{SOAP}"}}
  rest: {{url: "{rest.url}"}}
routes:
  - {{name: fetch, match: "POST /fetch", safe: true, legacy: {{backend: archive, operation: Fetch}}}}
  - {{name: store, match: "POST /store", legacy: {{backend: archive, operation: Store}}}}
  - {{name: inline, match: "POST /inline", legacy: {{backend: plain, operation: Store}}}}
  - {{name: scan, match: "POST /scan", legacy: {{backend: plain, operation: Scan}}}}
"""
        with Gateway(folder, routes) as gateway:
            warm = answer(archive.fetched("aGk="), "Content-Type: text/xml")
            legacy.on(SOAP, warm)
            for _ in range(20):
                assert gateway.call("POST", "/fetch", JSON_TYPE, body=b'{"No": "7"}').status == 200
            yield Estate(gateway, legacy, rest)


def ask(estate: Estate, path: str, value: Any, *fields: str) -> Message:
    return estate.gateway.call("POST", path, JSON_TYPE, *fields, body=json.dumps(value).encode())


def opened(message: Message) -> list[Mail]:
    """The parts of a message, as Python's own library reads them."""
    lines = b"".join(b"%b: %b\r\n" % field for field in message.fields if field[0].lower() == b"content-type")
    mail = BytesParser().parsebytes(lines + b"\r\n" + message.body)
    assert mail.is_multipart()
    assert not mail.defects
    return list(mail.get_payload())


def content(part: Mail) -> bytes:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def growth(gateway: Gateway, work: Callable[[], None]) -> int:
    """How much more memory the data process has at most while something is done."""
    before, peak, done = gateway.memory(), [0], threading.Event()

    def watch() -> None:
        while not done.is_set():
            peak[0] = max(peak[0], gateway.memory() - before)
            sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return peak[0]


# ------------------------------------------------------------------------------------------------ replies


def test_a_small_mtom_reply_becomes_json(estate: Estate) -> None:
    """The parts stand as base64 where the message includes them, whole, with a length, in any order."""
    package = archive.part("root", archive.fetched(archive.include("a"), "aGk=", archive.include("b%40c")), "text/xml")
    package += archive.part("b@c", b"second") + archive.part("a", b"first\xff") + archive.END
    estate.archive.on(SOAP, answer(package, archive.MTOM_TYPE))
    reply = ask(estate, "/fetch", {"No": "7"})
    pages = [{"$value": base64.b64encode(each).decode()} for each in (b"first\xff", b"hi", b"second")]
    assert (reply.status, json.loads(reply.body)) == (200, {"No": "7", "Page": pages})
    assert reply.get("Content-Length") == str(len(reply.body))


def streamed(talk: Talk, go_on: threading.Event) -> None:
    """A reply with a large page, whose last bytes wait for a sign."""
    talk.body()
    start = archive.part("root", archive.fetched(archive.include("a")), "text/xml") + archive.part("a", b"")
    size = len(start) + LARGE + len(archive.END)
    talk.send(f"HTTP/1.1 200 OK\r\n{archive.MTOM_TYPE}\r\nContent-Length: {size}\r\n\r\n".encode() + start)
    for _ in range(LARGE // len(BLOCK) - 1):
        talk.send(BLOCK)
    go_on.wait(10)
    talk.send(BLOCK + archive.END)


def test_a_large_reply_passes_as_base64(estate: Estate) -> None:
    """64 MB arrive right, the first before the last have left the backend, and hardly any of them is ever held."""
    go_on = threading.Event()
    estate.archive.on(SOAP, lambda talk: streamed(talk, go_on))

    def fetch() -> None:
        with estate.gateway.client(timeout=30) as client:
            client.say("POST", "/fetch", JSON_TYPE, body=b'{"No": "7"}')
            head = client.hear_head()
            assert (head.status, head.get("Transfer-Encoding")) == (200, "chunked")
            assert client.reader.until(b'"Page":[{"$value":"')
            go_on.set()
            expected, seen = base64.b64encode(BLOCK * 3), 0
            data = b""
            while not data.endswith(b"0\r\n\r\n"):
                data = _piece(client)
                if not data:
                    break
                tail = seen % len(expected)
                body = data.removesuffix(b'"}]}')
                assert (expected * (len(body) // len(expected) + 2))[tail : tail + len(body)] == body
                seen += len(body)
            assert seen == (LARGE + 2) // 3 * 4

    assert growth(estate.gateway, fetch) < MOST_GROWTH


def _piece(client: Client) -> bytes:
    """The data of the next chunk (or what is left of one), empty at the end."""
    return b""


def test_a_reply_that_breaks_off_does_not_pass_for_whole(estate: Estate) -> None:
    """What is out is cut, so that the client knows."""

    def broken(talk: Talk) -> None:
        talk.body()
        start = archive.part("root", archive.fetched(archive.include("a")), "text/xml") + archive.part("a", BLOCK)
        talk.send(f"HTTP/1.1 200 OK\r\n{archive.MTOM_TYPE}\r\nContent-Length: 9999999\r\n\r\n".encode() + start)
        sleep(0.2)
        talk.reset()

    estate.archive.on(SOAP, broken)
    with pytest.raises(Incomplete), estate.gateway.client() as client:
        client.ask("POST", "/fetch", JSON_TYPE, body=b'{"No": "7"}')


# ------------------------------------------------------------------------------------------------ requests


def test_large_base64_travels_beside_the_envelope(estate: Estate) -> None:
    """Of JSON, values over 1 KiB become parts; small ones stay where they are."""
    estate.archive.on(SOAP, answer(archive.envelope(f'<Stored xmlns="{archive.SPACE}">2</Stored>'), "Content-Type: text/xml"))
    pages = [base64.b64encode(each).decode() for each in (BLOCK, b"hi")]
    reply = ask(estate, "/store", {"No": "7", "Page": pages})
    assert (reply.status, json.loads(reply.body)) == (200, 2)
    sent = estate.archive.seen(SOAP)[-1]
    root, part = opened(sent)
    assert content(part) == BLOCK
    assert content(root).count(b"Include") == 1
    assert f"cid:{part['Content-ID'][1:-1]}".encode() in content(root)
    assert root["Content-ID"] in (sent.get("Content-Type") or "")
