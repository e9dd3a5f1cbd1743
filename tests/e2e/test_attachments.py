"""Attachments through a real gateway: large ones pass, in base64 or beside the message, and are never held."""

import base64
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from email.message import Message as Mail
from email.parser import BytesParser
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import pytest
from zeep import Client as ZeepClient
from zeep import Transport

from tests.e2e.peers.library import HERE
from tests.e2e.peers.stacks import NODE
from tests.support import archive
from tests.support.client import HOST, Client
from tests.support.gateway import Gateway
from tests.support.messages import Incomplete, Message, answer
from tests.support.origin import Origin, Talk, eventually

SOAP = "/archive"
BLOCK = bytes(range(256)) * 1_024
LARGE = 64 * 1024 * 1024
MOST_GROWTH = 20_000_000
REST = 0.6
"""Seconds for which whoever takes something large takes nothing: a gateway without a bound would take all of it in."""
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
  - name: facade-store
    match: "SOAP /services/archive#Store"
    legacy: archive
    new: {{backend: rest, method: PUT, path: "/documents/{{body.No}}", response: "`3`"}}
    serve: new
  - name: facade-fetch
    match: "SOAP /services/archive#Fetch"
    safe: true
    legacy: archive
    new: {{backend: rest, method: GET, path: "/documents/{{body.No}}"}}
    serve: new
  - {{name: facade-scan, match: "SOAP /services/archive#Scan", legacy: archive, serve: new,
      new: {{backend: rest, method: POST, path: /scans, response: "@"}}}}
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
    assert go_on.wait(20)
    talk.send(BLOCK + archive.END)


def chunks(client: Client) -> Iterator[bytes]:
    """The chunks of the body that comes."""
    while size := int(client.reader.until(b"\r\n"), 16):
        yield client.reader.exactly(size)
        assert client.reader.exactly(2) == b"\r\n"
    assert client.reader.exactly(2) == b"\r\n"


def same(data: Iterator[bytes], expected: bytes, size: int) -> bytes:
    """The rest behind `size` bytes which are `expected`, again and again."""
    seen = 0
    for piece in data:
        own = piece[: size - seen]
        at = seen % len(expected)
        assert (expected * (len(own) // len(expected) + 2))[at : at + len(own)] == own
        seen += len(own)
        if seen == size:
            return piece[len(own) :] + b"".join(data)
    raise AssertionError(f"only {seen} bytes came")


BASE64 = base64.b64encode(BLOCK * 3)


def test_a_large_reply_passes_as_base64(estate: Estate) -> None:
    """64 MB arrive right, the first before the last have left the backend, and hardly any of them is ever held."""
    go_on = threading.Event()
    estate.archive.on(SOAP, lambda talk: streamed(talk, go_on))

    def fetch() -> None:
        with estate.gateway.client(timeout=30) as client:
            client.say("POST", "/fetch", JSON_TYPE, body=b'{"No": "7"}')
            head = client.hear_head()
            assert (head.status, head.get("Transfer-Encoding")) == (200, "chunked")
            data = chunks(client)
            assert next(data) == b'{"No":"7","Page":[{"$value":"'
            go_on.set()
            sleep(REST)
            padded = (LARGE + 2) // 3 * 4
            assert same(data, BASE64, padded - 4)[4:] == b'"}]}'

    assert growth(estate.gateway, fetch) < MOST_GROWTH


def test_a_large_reply_passes_in_parts(estate: Estate) -> None:
    """A client that prefers it gets the JSON, and then the bytes as they are."""
    go_on = threading.Event()
    go_on.set()
    estate.archive.on(SOAP, lambda talk: streamed(talk, go_on))

    def fetch() -> None:
        with estate.gateway.client(timeout=30) as client:
            fields = (JSON_TYPE, "Accept: multipart/related, application/json;q=0.5")
            client.say("POST", "/fetch", *fields, body=b'{"No": "7"}')
            head = client.hear_head()
            assert (head.status, head.get("Transfer-Encoding")) == (200, "chunked")
            data = chunks(client)
            root = next(data)
            name = json.loads(root.partition(b"\r\n\r\n")[2])["Page"][0]["$value"]
            part = next(data)
            assert f"<{name[4:]}>".encode() in part
            boundary = root.partition(b"\r\n")[0]
            assert same(data, BLOCK, LARGE) == b"\r\n" + boundary + b"--\r\n"

    assert growth(estate.gateway, fetch) < MOST_GROWTH


def test_a_client_may_leave_in_the_middle(estate: Estate) -> None:
    """What it asked for was safe: the backend is let go as well."""
    go_on = threading.Event()
    estate.archive.on(SOAP, lambda talk: streamed(talk, go_on))
    with estate.gateway.client() as client:
        client.say("POST", "/fetch", JSON_TYPE, body=b'{"No": "7"}')
        client.hear_head()
        client.reader.exactly(1_000_000)
    assert estate.archive.was_cut_off(SOAP)
    go_on.set()


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
    estate.archive.on(
        SOAP, answer(archive.envelope(f'<Stored xmlns="{archive.SPACE}">2</Stored>'), "Content-Type: text/xml")
    )
    pages = [base64.b64encode(each).decode() for each in (BLOCK, b"hi")]
    reply = ask(estate, "/store", {"No": "7", "Page": pages})
    assert (reply.status, json.loads(reply.body)) == (200, 2)
    sent = estate.archive.seen(SOAP)[-1]
    root, part = opened(sent)
    assert content(part) == BLOCK
    assert content(root).count(b"Include") == 1
    assert f"cid:{part['Content-ID'][1:-1]}".encode() in content(root)
    assert root["Content-ID"] in (sent.get("Content-Type") or "")


STORED = answer(archive.envelope(f'<Stored xmlns="{archive.SPACE}">1</Stored>'), "Content-Type: text/xml")
FORM = (
    b'--cut\r\nContent-Disposition: form-data; name="json"\r\n\r\n{"No": "7", "Page": ["cid:scan"]}\r\n--cut\r\n'
    b'Content-Disposition: form-data; name="scan"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
)
FORM_TYPE = "Content-Type: multipart/form-data; boundary=cut"


class Taken(NamedTuple):
    """What an origin saw of an upload: the head, the envelope, the bytes behind it."""

    head: Message
    envelope: bytes
    rest: bytes


def taking(taken: list[Taken], started: threading.Event) -> Callable[[Talk], None]:
    """A backend that compares a large upload while it comes."""

    def take(talk: Talk) -> None:
        talk.body_read = True
        reader = Client.__new__(Client)
        reader.reader = talk.reader
        data = chunks(reader)
        root = next(data)
        started.set()
        sleep(REST)
        next(data)  # the head of the part
        taken.append(Taken(talk.request, root, same(data, BLOCK, LARGE)))
        talk.send(STORED)

    return take


@pytest.mark.parametrize("related", [False, True])
def test_a_large_upload_passes_as_mtom(estate: Estate, related: bool) -> None:
    """64 MB go on as they come: the backend has the envelope before the client has sent its last bytes."""
    taken: list[Taken] = []
    started = threading.Event()
    estate.archive.on(SOAP, taking(taken, started))
    start, kind = FORM, FORM_TYPE
    if related:
        start = b"--cut\r\nContent-Type: application/json\r\n\r\n" + b'{"No": "7", "Page": ["cid:a%40b"]}'
        start += archive.part("a@b", b"")
        kind = "Content-Type: multipart/related; boundary=cut"

    def store() -> None:
        with estate.gateway.client(timeout=30) as client:
            size = len(start) + LARGE + len(archive.END)
            client.send(f"POST /store HTTP/1.1\r\nHost: {HOST}\r\n{kind}\r\nContent-Length: {size}\r\n\r\n".encode())
            client.send(start)
            for _ in range(LARGE // len(BLOCK) - 1):
                client.send(BLOCK)
            assert started.wait(10)
            client.send(BLOCK + archive.END)
            reply = client.hear()
            assert (reply.status, json.loads(reply.body)) == (200, 1)

    assert growth(estate.gateway, store) < MOST_GROWTH
    assert b"xop:Include" in taken[0].envelope
    assert taken[0].rest.endswith(b"--\r\n")


def test_parts_are_inlined_where_there_is_no_mtom(estate: Estate) -> None:
    """As base64, within the bound of what is decoded."""
    estate.archive.on(SOAP, STORED)
    reply = estate.gateway.call("POST", "/inline", FORM_TYPE, body=FORM + BLOCK + archive.END)
    assert reply.status == 200
    sent = estate.archive.seen(SOAP)[-1]
    assert sent.get("Content-Type") == "text/xml; charset=utf-8"
    assert base64.b64encode(BLOCK) in sent.body
    reply = estate.gateway.call("POST", "/inline", FORM_TYPE, body=FORM + BLOCK * 40 + archive.END)
    assert reply.status == 413


def test_an_upload_that_lacks_a_part_is_refused(estate: Estate) -> None:
    """Small or large, the client is told, and the backend never takes what it has for the whole."""
    estate.archive.on(SOAP, STORED)
    before = len(estate.archive.seen(SOAP))
    wrong = FORM.replace(b"cid:scan", b"cid:other")
    for size in (1, 2):
        reply = estate.gateway.call("POST", "/store", FORM_TYPE, body=wrong + BLOCK * size + archive.END)
        assert (reply.status, b"no part other" in reply.body) == (400, True)
    assert len(estate.archive.seen(SOAP)) == before


def test_a_client_that_leaves_during_its_upload_ends_it(estate: Estate) -> None:
    """The backend sees the connection end, not a whole message."""
    estate.archive.on(SOAP, STORED)
    before = len(estate.archive.cut_off)
    with estate.gateway.client() as client:
        client.send(f"POST /store HTTP/1.1\r\nHost: {HOST}\r\n{FORM_TYPE}\r\nContent-Length: 9999999\r\n\r\n".encode())
        client.send(FORM + BLOCK * 4)
        assert eventually(lambda: estate.archive.busy > 0)
    assert eventually(lambda: len(estate.archive.cut_off) > before)


def test_a_backend_that_ends_during_an_upload_has_failed(estate: Estate) -> None:
    """The client is told as long as nothing else has been said."""

    def leave(talk: Talk) -> None:
        talk.skip_body(100_000)
        talk.reset()

    estate.archive.on(SOAP, leave)
    with estate.gateway.client() as client:
        client.send(f"POST /store HTTP/1.1\r\nHost: {HOST}\r\n{FORM_TYPE}\r\nContent-Length: 9999999\r\n\r\n".encode())
        client.send(FORM + BLOCK * 2)
        assert client.hear().status == 502


def test_an_upload_may_wait_to_be_asked_for(estate: Estate) -> None:
    """Expect: 100-continue is answered before the parts come."""
    estate.archive.on(SOAP, STORED)
    body = FORM + BLOCK + archive.END
    with estate.gateway.client() as client:
        fields = f"{FORM_TYPE}\r\nExpect: 100-continue\r\nContent-Length: {len(body)}"
        client.send(f"POST /store HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n\r\n".encode())
        assert client.hear().status == 100
        client.send(body)
        assert client.hear().status == 200
        assert client.get("/nowhere").status == 404


def test_declared_parts_travel_with_attachments(estate: Estate) -> None:
    """SwA both ways: the binding says which parts stand beside the envelope; in JSON they are members."""
    package = archive.part("root", archive.envelope(f'<Stored xmlns="{archive.SPACE}">5</Stored>'), "text/xml")
    package += archive.part("thumb=1@x", BLOCK) + archive.END
    estate.archive.on(SOAP, answer(package, archive.SWA_TYPE))
    reply = ask(estate, "/scan", {"No": "7", "image": base64.b64encode(b"png").decode()})
    assert (reply.status, json.loads(reply.body)) == (200, {"$value": 5, "thumb": base64.b64encode(BLOCK).decode()})
    sent = estate.archive.seen(SOAP)[-1]
    root, part = opened(sent)
    assert (root.get_content_type(), content(part), part["Content-ID"].startswith("<image=")) == (
        "text/xml",
        b"png",
        True,
    )
    assert ask(estate, "/scan", {"No": "7"}).status == 422


# ------------------------------------------------------------------------------------------------ the facade

FACADE = "/services/archive"
PAGES = [{"$value": base64.b64encode(each).decode()} for each in (BLOCK, b"hi")]
MTOM_ASKED = (
    'Content-Type: multipart/related; type="application/xop+xml"; start="<root>"; start-info="text/xml"; boundary=cut'
)


def test_a_large_mtom_request_reaches_a_rest_backend(estate: Estate) -> None:
    """As JSON with base64 in its place, while it comes."""
    seen: list[bytes] = []
    started = threading.Event()

    def take(talk: Talk) -> None:
        talk.body_read = True
        reader = Client.__new__(Client)
        reader.reader = talk.reader
        data = chunks(reader)
        seen.append(next(data))
        started.set()
        sleep(REST)
        seen.append(same(data, BASE64, (LARGE + 2) // 3 * 4 - 4))
        talk.send(answer(b"{}"))

    estate.rest.on("/documents/7", take)
    start = archive.part("root", archive.stored(archive.include("a")), "application/xop+xml") + archive.part("a", b"")

    def store() -> None:
        with estate.gateway.client(timeout=30) as client:
            size = len(start) + LARGE + len(archive.END)
            fields = f"{MTOM_ASKED}\r\nContent-Length: {size}\r\n\r\n"
            client.send(f"POST {FACADE} HTTP/1.1\r\nHost: {HOST}\r\n{fields}".encode() + start)
            for _ in range(LARGE // len(BLOCK) - 1):
                client.send(BLOCK)
            assert started.wait(10)
            client.send(BLOCK + archive.END)
            reply = client.hear()
            assert (reply.status, b">3</" in reply.body) == (200, True)

    assert growth(estate.gateway, store) < MOST_GROWTH
    assert (seen[0], seen[1][4:]) == (b'{"No":"7","Page":["', b'"]}')


def test_a_client_of_mtom_is_answered_in_kind(estate: Estate) -> None:
    """Large base64 of the reply becomes a part for whoever takes it, and stays where it is for others."""
    estate.rest.on("/documents/7", answer(json.dumps({"No": "7", "Page": PAGES}).encode()))
    body = archive.envelope(f'<Fetch xmlns="{archive.SPACE}"><No>7</No></Fetch>')
    fields = ("Content-Type: text/xml", "Accept: application/xop+xml")
    root, part = opened(estate.gateway.call("POST", FACADE, *fields, body=body))
    assert (content(part), b"xop:Include" in content(root), b"aGk=" in content(root)) == (BLOCK, True, True)
    reply = estate.gateway.call("POST", FACADE, "Content-Type: text/xml", body=body)
    assert base64.b64encode(BLOCK) in reply.body


def test_declared_parts_come_and_go_by_the_facade(estate: Estate) -> None:
    """SwA of an old client becomes members of the JSON, and members of the reply become parts; the root comes last."""
    estate.rest.on("/scans", answer(json.dumps({"$value": 5, "thumb": "aGk="}).encode()))
    scan = archive.envelope(f'<Scan xmlns="{archive.SPACE}"><No>7</No></Scan>')
    body = archive.part("image=1@x", b"png") + archive.part("root", scan, "text/xml") + archive.END
    kind = 'Content-Type: multipart/related; type="text/xml"; start="<root>"; boundary=cut'
    root, part = opened(estate.gateway.call("POST", FACADE, kind, body=body))
    assert json.loads(estate.rest.seen("/scans")[-1].body) == {"No": "7", "image": "cG5n"}
    assert (content(part), b">5</" in content(root)) == (b"hi", True)


def test_a_request_that_lacks_a_part_is_a_fault(estate: Estate) -> None:
    """In the words of a SOAP service, where nothing has been sent yet."""
    body = archive.part("root", archive.stored(archive.include("a"))) + archive.END
    reply = estate.gateway.call("POST", FACADE, MTOM_ASKED, body=body)
    assert (reply.status, b"Client" in reply.body, b"no part a" in reply.body) == (500, True, True)


# ------------------------------------------------------------------------------------------------ foreign stacks

PLAIN_WSDL = archive.WSDL.replace("x:base64Binary", "xs:base64Binary").replace(
    '<xs:import namespace="http://www.w3.org/2005/05/xmlmime"/>', ""
)
"""The same messages for stacks that do not know xmlmime."""


def test_zeep_receives_its_attachments(estate: Estate, tmp_path: Path) -> None:
    """Where it says that it takes XOP, its result is the same as without."""
    estate.rest.on("/documents/7", answer(json.dumps({"No": "7", "Page": PAGES}).encode()))
    (tmp_path / "plain.wsdl").write_text(PLAIN_WSDL)
    transport: Any = Transport(operation_timeout=10, timeout=10)  # type: ignore[no-untyped-call]
    address = f"http://127.0.0.1:{estate.gateway.port}{FACADE}"
    found = []
    for accept in ("application/xop+xml", "text/xml"):
        transport.session.headers["Accept"] = accept
        client: Any = ZeepClient(str(tmp_path / "plain.wsdl"), transport=transport)  # type: ignore[no-untyped-call]
        found.append(client.create_service(f"{{{archive.SPACE}}}Archive", address).Fetch(No="7")["Page"])
    transport.session.close()
    assert found == [[BLOCK, b"hi"]] * 2


def test_nodes_soap_sends_and_receives_attachments(estate: Estate, tmp_path: Path) -> None:
    """What it sends beside its envelope arrives as base64, and it finds the parts of its reply."""
    if (missing := NODE.missing()) is not None:
        pytest.skip(missing)
    talks: list[bytes] = []

    def document(talk: Talk) -> None:
        talks.append(talk.body())
        talk.send(answer(json.dumps({"No": "7", "Page": PAGES}).encode()))

    estate.rest.on("/documents/7", document)
    (tmp_path / "plain.wsdl").write_text(PLAIN_WSDL)
    page = base64.b64encode(BLOCK).decode()
    address = f"http://127.0.0.1:{estate.gateway.port}{FACADE}"
    job = json.dumps({"wsdl": str(tmp_path / "plain.wsdl"), "address": address, "page": page})
    run = subprocess.run(
        ["node", str(HERE / "mtom.mjs")], input=job, capture_output=True, text=True, timeout=30, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    told = json.loads(run.stdout)
    assert json.loads(talks[0]) == {"No": "7", "Page": [page]}
    (part,) = told["pages"]
    include = told["fetched"]["Page"][0]["Include"]["attributes"]["href"]
    assert (part["page"], f"<{include.removeprefix('cid:')}>") == (page, part["id"])
