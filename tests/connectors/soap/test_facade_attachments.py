"""Old clients whose messages have attachments, and a JSON backend, without a socket."""

import json
from base64 import b64encode
from email.parser import BytesParser
from typing import Any

import pytest
from lxml import etree

from connectors.base import Answer, Call
from connectors.soap.addressing import WSA
from connectors.soap.facade import FacadeConnector
from connectors.soap.plan import Operation
from connectors.soap.target import FacadeTarget
from gateway.core.headers import AnswerHead
from gateway.core.model import NEW, Outcome, Target
from gateway.errors import AnswerInvalid, ClientError
from gateway.wire.body import whole
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.connectors.soap.archived import archive
from tests.connectors.soap.drips import all_of
from tests.support.archive import END, SPACE, envelope, include, part, stored
from tests.support.values import plan_of, request, route

LARGE = b"large" * 20_000
RELATED = "multipart/related; boundary=cut"
MTOM = 'multipart/related; type="application/xop+xml"; boundary=cut'


class Wire:
    """A backend that keeps what it is sent, also what is still to come, and answers with one thing."""

    def __init__(self, data: bytes = b"1") -> None:
        self.sent: list[Outgoing] = []
        self.got = b""
        self.data = data

    async def send(self, parcel: Parcel) -> Judged:
        outgoing = Outgoing(*parcel)
        self.sent.append(outgoing)
        self.got = outgoing.head + await all_of(outgoing.body)
        return judged(AnswerHead(200, b"", b"", len(self.data), False, False), whole(self.data))

    @property
    def head(self) -> bytes:
        return self.got.partition(b"\r\n\r\n")[0]

    @property
    def json(self) -> Any:
        return json.loads(self.got.partition(b"\r\n\r\n")[2])


async def called(
    called: str, wire: Wire, data: bytes, kind: str = RELATED, *lines: str, method: bytes = b"POST", **how: Any
) -> Answer:
    """What comes of a message."""
    operations, schema = archive()
    call = FacadeTarget(**{"operation": operations[called], "schema": schema, **how})
    made = plan_of(route("POST /a", new=Target("repairs", path=(b"/v2",), method=method, call=call)))
    caller = await FacadeConnector(bytes).prepare(made.plans[NEW])
    asked = request("POST /a", f"Content-Length: {len(data)}", f"Content-Type: {kind}", *lines)
    return await caller.call(Call(asked, made, made.plans[NEW], b"X-Request-ID: r-1\r\n", whole(data)), wire.send)


def parts_of(answer: Answer) -> list[bytes]:
    """The parts of an answer, as Python's own library reads them."""
    kind = dict(answer.head.fields)[b"Content-Type"]
    mail: Any = BytesParser().parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + answer.body.take())
    found = [each.get_payload(decode=True) for each in mail.get_payload()]
    assert not mail.defects
    return [each for each in found if isinstance(each, bytes)]


# ------------------------------------------------------------------------------------------------ requests


async def test_a_small_message_is_sent_whole() -> None:
    """As JSON with base64 in its place, with a length."""
    wire = Wire()
    data = part("r", stored(include("b"), include("a"))) + part("a", b"1") + part("b", b"2") + END
    answer = await called("Store", wire, data)
    assert (answer.head.status, answer.outcome) == (200, Outcome.OK)
    assert wire.json == {"No": "7", "Page": ["Mg==", "MQ=="]}
    assert b"Content-Length: " in wire.head


async def test_a_large_message_is_sent_while_it_comes() -> None:
    """In chunks, and never twice."""
    wire = Wire()
    await called("Store", wire, part("r", stored(include("a"))) + part("a", LARGE) + END)
    assert wire.json == {"No": "7", "Page": [b64encode(LARGE).decode()]}
    assert (b"Transfer-Encoding: chunked" in wire.head, b"Content-Length" in wire.head) == (True, False)
    assert (wire.sent[0].chunked, wire.sent[0].resend) == (True, False)


async def test_what_is_not_sent_on_is_not_waited_for() -> None:
    """A mapping that drops the attachment, or a method without a body."""
    wire = Wire()
    data = part("r", stored(include("a"))) + part("a", LARGE) + END
    await called("Store", wire, data, request="{no: body.No}")
    assert (wire.json, wire.sent[0].chunked) == ({"no": "7"}, False)
    await called("Store", wire, data, method=b"DELETE")
    assert wire.got.endswith(b"\r\n\r\n")


async def test_parts_that_the_binding_declares_are_members() -> None:
    """SwA; the root may stand behind them."""
    wire = Wire(b'{"$value": 1, "thumb": "aGk="}')
    scan = envelope(f'<Scan xmlns="{SPACE}"><No>7</No></Scan>')
    data = part("image=1@x", b"png") + part("r", scan) + END
    answer = await called("Scan", wire, data, 'multipart/related; boundary=cut; start="<r>"')
    assert wire.json == {"No": "7", "image": "cG5n"}
    assert parts_of(answer)[1] == b"hi"


async def test_references_become_base64() -> None:
    """Both ways: what a swaRef names travels as a part."""
    wire = Wire(b'{"Ref": "cG5n", "Data": "aGk="}')
    refer = envelope(f'<Refer xmlns="{SPACE}"><Ref>cid:a</Ref><Data>aGk=</Data></Refer>')
    answer = await called("Refer", wire, part("r", refer) + part("a", b"png") + END)
    assert wire.json == {"Ref": "cG5n", "Data": "aGk="}
    root, png = parts_of(answer)
    assert (png, b">aGk=<" in root) == (b"png", True)


async def test_mappings_see_strings() -> None:
    """Also where a reference came alone."""
    wire = Wire(b'{"Ref": "cG5n", "Data": "aGk="}')
    refer = envelope(f'<Refer xmlns="{SPACE}"><Ref>cid:a</Ref><Data>aGk=</Data></Refer>')
    response = "{Ref: join('', [Ref]), Data: Data}"
    answer = await called("Refer", wire, refer, "text/xml", request="join('', [body.Ref])", response=response)
    assert (wire.json, parts_of(answer)[1]) == ("cid:a", b"png")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (part("r", stored(include("x"))) + END, "no part x"),
        (part("r", stored(include("a"))) + part("a", b"1"), "ends before"),
        (part("r", stored(include("a").replace("cid:", "http://"))) + END, "no part of it"),
        (part("r", envelope("<Store/>")) + END, "Store"),
        (part("r", b"x" * 3_000) + END, "larger than 2000"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "space"),
    [
        (MTOM, "http://schemas.xmlsoap.org/soap/envelope/"),
        (f'{MTOM}; start-info="application/soap+xml"', "http://www.w3.org/2003/05/soap-envelope"),
    ],
)
async def test_a_message_that_cannot_be_used_is_a_fault(data: bytes, said: str, kind: str, space: str) -> None:
    """The client's own, in its own version as far as that is known; and nothing is sent."""
    wire = Wire()
    answer = await called("Store", wire, data, kind, decode=2_000)
    root = etree.fromstring(answer.body.take())
    assert (said in "".join(root.itertext()), answer.outcome, wire.sent) == (True, Outcome.REFUSED, [])
    assert root.tag == f"{{{space}}}Envelope" or b"Envelope" in data


async def test_a_large_message_that_lacks_a_part_breaks_off() -> None:
    """The backend never has the whole of it."""
    with pytest.raises(ClientError, match="no part b"):
        await called("Store", Wire(), part("r", stored(include("b"))) + part("a", LARGE) + END)


# ------------------------------------------------------------------------------------------------ replies

FETCH = envelope(f'<Fetch xmlns="{SPACE}"><No>7</No></Fetch>')
REPLY = json.dumps({"No": "7", "Page": [{"$value": b64encode(LARGE).decode()}, {"$value": "aGk="}]}).encode()


@pytest.mark.parametrize(
    ("data", "kind", "lines"),
    [
        (part("r", FETCH) + END, MTOM, ()),
        (FETCH, "text/xml", ("Accept: application/xop+xml",)),
    ],
)
async def test_a_client_of_mtom_gets_parts(data: bytes, kind: str, lines: tuple[str, ...]) -> None:
    """Large base64 stands beside the envelope, small inside."""
    answer = await called("Fetch", Wire(REPLY), data, kind, *lines)
    root, page = parts_of(answer)
    assert (page, root.count(b"xop:Include"), b">aGk=<" in root) == (LARGE, 1, True)


async def test_a_reply_in_parts_says_which_message_it_answers() -> None:
    """WS-Addressing and MTOM in one message, as old .NET clients send them."""
    headers = f'<a:MessageID xmlns:a="{WSA}">urn:asked</a:MessageID>'.encode()
    asked = FETCH.replace(b"<e:Body>", b"<e:Header>%b</e:Header><e:Body>" % headers)
    answer = await called("Fetch", Wire(REPLY), part("r", asked) + END, MTOM)
    root, page = parts_of(answer)
    assert (page, etree.fromstring(root).findtext(f".//{{{WSA}}}RelatesTo")) == (LARGE, "urn:asked")


async def test_other_clients_get_one_piece() -> None:
    """And so does one of MTOM where nothing is large."""
    answer = await called("Fetch", Wire(REPLY), FETCH, "text/xml")
    assert answer.head.fields == ((b"Content-Type", b"text/xml; charset=utf-8"),)
    assert b64encode(LARGE) in answer.body.take()
    small = b'{"No": "7", "Page": [{"$value": "aGk="}]}'
    answer = await called("Fetch", Wire(small), part("r", FETCH) + END, MTOM)
    assert answer.head.fields == ((b"Content-Type", b"text/xml; charset=utf-8"),)
    assert etree.fromstring(answer.body.take())[0][0][1].text == "aGk="


async def test_an_operation_without_a_reply() -> None:
    """Has none in parts either."""
    operation: Operation = archive()[0]["Store"]._replace(output=None)
    answer = await called("Store", Wire(), part("r", stored("aGk=")) + END, MTOM, operation=operation)
    assert (answer.head.status, answer.body.take()) == (202, b"")


async def test_a_reply_that_does_not_fit_is_the_backends_failure() -> None:
    """Declared parts included."""
    scan = envelope(f'<Scan xmlns="{SPACE}"><No>7</No></Scan>')
    data = part("r", scan) + part("image=1@x", b"png") + END
    for reply in (b'{"$value": 1}', b'{"$value": 1, "thumb": "?"}', b"{"):
        with pytest.raises(AnswerInvalid):
            await called("Scan", Wire(reply), data)
    with pytest.raises(AnswerInvalid):
        await called("Fetch", Wire(b'{"No": 7}'), FETCH, "text/xml", "Accept: application/xop+xml")
