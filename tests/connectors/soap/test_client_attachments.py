"""Calls of a SOAP backend whose messages have attachments, without a socket."""

import json
from base64 import b64encode
from email.parser import BytesParser
from typing import Any

import pytest

from connectors.base import Answer, Call
from connectors.soap.client import SoapConnector
from connectors.soap.target import SoapTarget
from gateway.core.headers import AnswerHead
from gateway.core.model import LEGACY, Backend, Outcome, Target
from gateway.errors import AnswerInvalid, ClientError
from gateway.wire.body import whole
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.connectors.soap.archived import archive
from tests.connectors.soap.drips import Dripping, all_of
from tests.support.archive import END, SPACE, envelope, fetched, include, part
from tests.support.values import BOTH, plan_of, request, route

LARGE = b"large" * 20_000
ASK = b'{"No": "7"}'
RELATED = "multipart/related; boundary=cut"
STORED = envelope(f'<Stored xmlns="{SPACE}">1</Stored>')
FORM = b'\r\n--cut\r\nContent-Disposition: form-data; name="json"\r\n\r\n'


class Wire:
    """A backend that keeps what it is sent, also what is still to come, and answers with one thing."""

    def __init__(self, data: bytes | Dripping = STORED, kind: str = "text/xml", status: int = 200) -> None:
        self.sent: list[Outgoing] = []
        self.got = b""
        self.reply = data
        self.kind = kind
        self.status = status

    async def send(self, parcel: Parcel) -> Judged:
        outgoing = Outgoing(*parcel)
        self.sent.append(outgoing)
        self.got = outgoing.head + await all_of(outgoing.body)
        body = self.reply if isinstance(self.reply, Dripping) else whole(self.reply)
        head = AnswerHead(self.status, b"", b"Content-Type: %b\r\n" % self.kind.encode(), -1, False, False)
        return judged(head, body)

    @property
    def mail(self) -> Any:
        """What was sent, as Python's own library reads it."""
        mail: Any = BytesParser().parsebytes(self.got.partition(b"\r\n")[2])
        assert not mail.defects
        return mail

    @property
    def parts(self) -> list[bytes]:
        return [content_of(each) for each in self.mail.get_payload()]


def content_of(mail: Any) -> bytes:
    data = mail.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


async def called(
    operation: str, wire: Wire, data: bytes = ASK, kind: str = "application/json", accept: str = "", **how: Any
) -> Answer:
    """What comes of a request."""
    operations, schema = archive()
    backend = Backend("archive", "archive.internal", 80, base=b"/a", authority=b"archive.internal", types=schema)
    target = Target("archive", call=SoapTarget(operations[operation], **how))
    made = plan_of(route("POST /b", legacy=target), (backend, *BOTH))
    caller = await SoapConnector(lambda: 0.0, bytes).prepare(made.plans[LEGACY])
    lines = (f"Content-Length: {len(data)}", f"Content-Type: {kind}", *((f"Accept: {accept}",) if accept else ()))
    asked = Call(request("POST /b", *lines), made, made.plans[LEGACY], b"X-Request-ID: r-1\r\n", whole(data))
    return await caller.call(asked, wire.send)


async def shown(answer: Answer) -> tuple[int, Any]:
    data = await all_of(answer.body)
    assert answer.head.length in (-1, len(data))
    return answer.head.status, json.loads(data)


def pages(*contents: bytes) -> dict[str, Any]:
    return {"No": "7", "Page": [{"$value": b64encode(each).decode()} for each in contents]}


# ------------------------------------------------------------------------------------------------ replies


async def test_a_small_reply_is_answered_whole() -> None:
    """With its length; the parts come in any order."""
    data = part("r", fetched(include("a"), include("b"))) + part("b", b"2") + part("a", b"1") + END
    answer = await called("Fetch", Wire(data, RELATED))
    assert (answer.head.length > 0, answer.outcome) == (True, Outcome.OK)
    assert await shown(answer) == (200, pages(b"1", b"2"))


async def test_a_large_reply_is_answered_while_it_comes() -> None:
    """The answer begins before the last piece has been asked for."""
    start = part("r", fetched(include("a"))) + part("a", b"")
    body = Dripping(start, LARGE, LARGE, END)
    answer = await called("Fetch", Wire(body, RELATED))
    assert (answer.head.length, body.asked) == (-1, 1)
    assert await shown(answer) == (200, pages(LARGE + LARGE))


@pytest.mark.parametrize("size", [1, 20_000])
async def test_a_client_may_prefer_parts(size: int) -> None:
    """The JSON names them; they are as they came."""
    data = part("r", fetched(include("a"), "aGk=")) + part("a", b"large" * size, "image/png") + END
    answer = await called("Fetch", Wire(data, RELATED), accept="multipart/related")
    mail: Any = BytesParser().parsebytes(
        b"Content-Type: " + dict(answer.head.fields)[b"Content-Type"] + b"\r\n\r\n" + await all_of(answer.body)
    )
    root, page = mail.get_payload()
    name = page["Content-ID"][1:-1]
    assert (root.get_content_type(), page.get_content_type()) == ("application/json", "image/png")
    assert json.loads(content_of(root))["Page"] == [{"$value": f"cid:{name}"}, {"$value": "aGk="}]
    assert content_of(page) == b"large" * size
    assert dict(answer.head.fields)[b"Vary"] == b"Accept"


async def test_a_client_that_prefers_parts_gets_json_where_there_are_none() -> None:
    """A package of one would be nothing but a burden."""
    answer = await called("Fetch", Wire(part("r", fetched("aGk=")) + END, RELATED), accept="multipart/related")
    assert dict(answer.head.fields)[b"Content-Type"] == b"application/json"
    assert await shown(answer) == (200, pages(b"hi"))


async def test_what_the_mapping_drops_is_not_waited_for() -> None:
    """Nobody wants it."""
    body = Dripping(part("r", fetched(include("a"))) + part("a", b""), LARGE, LARGE, END)
    answer = await called("Fetch", Wire(body, RELATED), response="{no: No}")
    assert (answer.head.length, body.asked) == (len(b'{"no":"7"}'), 1)
    assert await shown(answer) == (200, {"no": "7"})


async def test_what_the_mapping_mentions_twice_stands_there_twice() -> None:
    """The part is held for that."""
    data = part("r", fetched(include("a"))) + part("a", b"1") + END
    answer = await called("Fetch", Wire(data, RELATED), response='{a: Page[0]."$value", b: Page[0]."$value"}')
    assert await shown(answer) == (200, {"a": "MQ==", "b": "MQ=="})


async def test_a_fault_may_come_in_a_package() -> None:
    """It is a fault like any other."""
    fault = "<e:Fault><faultcode>e:Client</faultcode><faultstring>No</faultstring></e:Fault>"
    answer = await called("Fetch", Wire(part("r", envelope(fault)) + END, RELATED, 500))
    assert (answer.head.status, answer.outcome) == (400, Outcome.BUSINESS_FAULT)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (part("r", fetched(include("x"))) + END, "no part x"),
        (part("r", fetched(include("a"))) + part("a", b"1"), "ends before"),
        (part("r", fetched(include("a").replace("cid:", "http://"))) + END, "no part of it"),
        (b"no package", "ends before"),
        (part("r", b"x" * 3_000) + END, "larger than 2000"),
    ],
)
async def test_a_package_that_cannot_be_used(reply: bytes, said: str) -> None:
    """Is the backend's failure; a small one is known before anything is answered."""
    with pytest.raises(AnswerInvalid, match=said):
        await called("Fetch", Wire(reply, RELATED), decode=2_000)


async def test_a_large_package_that_cannot_be_used_breaks_the_answer() -> None:
    """So that nobody takes it for the whole."""
    body = Dripping(part("r", fetched(include("a"))) + part("b", LARGE), END)
    answer = await called("Fetch", Wire(body, RELATED))
    with pytest.raises(AnswerInvalid, match="no part a"):
        await all_of(answer.body)


async def test_parts_that_the_binding_declares_are_members() -> None:
    """Known by their names, and by their order where they have none."""
    for name in ("thumb=1@x", "whatever"):
        data = part("r", STORED) + part(name, b"png") + END
        answer = await called("Scan", Wire(data, RELATED), b'{"No": "7", "image": "aGk="}')
        assert await shown(answer) == (200, {"$value": 1, "thumb": "cG5n"})


async def test_references_become_base64() -> None:
    """Both ways: what a swaRef names travels as a part."""
    reply = envelope(f'<Refer xmlns="{SPACE}"><Ref>cid:a</Ref><Data>aGk=</Data></Refer>')
    wire = Wire(part("r", reply) + part("a", b"png") + END, RELATED)
    answer = await called("Refer", wire, b'{"Ref": "cG5n", "Data": "aGk="}')
    assert await shown(answer) == (200, {"Ref": "cG5n", "Data": "aGk="})
    root, png = wire.parts
    assert (png, b"<n0:Ref>cid:" in root, b"<n0:Data>aGk=</n0:Data>" in root) == (b"png", True, True)


# ------------------------------------------------------------------------------------------------ requests


async def test_large_base64_becomes_a_part_where_mtom_is_on() -> None:
    """In a package with a length, which may go again like any message; small base64 stays inside."""
    wire = Wire()
    data = json.dumps({"No": "7", "Page": [b64encode(LARGE).decode(), "aGk="]}).encode()
    await called("Store", wire, data, mtom=True)
    root, page = wire.parts
    assert (page, root.count(b"xop:Include"), b">aGk=<" in root) == (LARGE, 1, True)
    assert (wire.mail["SOAPAction"], wire.sent[0].chunked) == ('"urn:Store"', False)
    assert wire.mail["Accept"].startswith("multipart/related, application/xop+xml")
    await called("Store", wire, data)
    assert (wire.mail.get_content_type(), b64encode(LARGE) in wire.got) == ("text/xml", True)


async def test_mtom_is_a_package_also_without_parts() -> None:
    """A service that asks for it need not read anything else."""
    wire = Wire(fetched("aGk="))
    await called("Fetch", wire, mtom=True)
    assert (wire.mail.get_content_type(), len(wire.parts)) == ("multipart/related", 1)


async def test_a_large_upload_is_sent_while_it_comes() -> None:
    """The envelope first, then the parts in the order in which they come; it cannot go twice."""
    wire = Wire()
    start = part("json", b'{"No": "7", "Page": ["cid:b", "cid:a", "%b"]}' % b64encode(b"x" * 2_000), "application/json")
    await called("Store", wire, start + part("a", LARGE) + part("b", b"2") + END, RELATED, mtom=True)
    root, x, first, second = wire.parts
    assert (root.count(b"xop:Include"), x, first, second) == (3, b"x" * 2_000, LARGE, b"2")
    assert (wire.sent[0].chunked, wire.sent[0].resend) == (True, False)


async def test_a_small_upload_is_sent_whole() -> None:
    """With a length, because not every service reads chunks."""
    wire = Wire()
    data = FORM + b'{"No": "7", "Page": ["cid:a"]}' + part("a", b"1", "image/png") + END
    await called("Store", wire, data, "multipart/form-data; boundary=cut", mtom=True)
    assert (wire.parts[1], wire.sent[0].chunked) == (b"1", False)


async def test_without_mtom_parts_are_inlined() -> None:
    """As base64, within what is decoded."""
    wire = Wire()
    data = part("json", b'{"No": "7", "Page": ["cid:a"]}') + part("a", LARGE) + END
    await called("Store", wire, data, RELATED)
    assert (wire.mail.get_content_type(), b64encode(LARGE) in wire.got) == ("text/xml", True)
    with pytest.raises(ClientError, match="413"):
        await called("Store", wire, data, RELATED, decode=len(LARGE) - 1)


async def test_parts_that_the_binding_declares_are_sent_beside() -> None:
    """From base64, and from parts, which need not be small."""
    wire = Wire()
    await called("Scan", wire, part("json", b'{"No": "7", "image": "cid:a"}') + part("a", LARGE) + END, RELATED)
    assert (wire.mail.get_param("type"), wire.parts[1], wire.sent[0].chunked) == ("text/xml", LARGE, True)
    await called("Scan", wire, b'{"No": "7", "image": "aGk="}')
    assert (wire.parts[1], wire.sent[-1].chunked) == (b"hi", False)


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (b'{"No": "7"}', [{"pointer": "/image", "reason": "is missing"}]),
        (b'{"No": "7", "image": 5}', [{"pointer": "/image", "reason": "must be a string"}]),
    ],
)
async def test_declared_parts_must_fit(data: bytes, problems: list[dict[str, str]]) -> None:
    """Otherwise nothing is sent."""
    wire = Wire()
    status, told = await shown(await called("Scan", wire, data))
    assert (status, told["problems"], wire.sent) == (422, problems, [])


async def test_a_name_stands_only_where_base64_belongs() -> None:
    """In a string it is a string; in JSON without parts it is no base64."""
    wire = Wire()
    data = part("json", b'{"No": "cid:a", "Page": ["cid:a"]}') + part("a", b"1") + END
    await called("Store", wire, data, RELATED)
    assert (b">cid:a<" in wire.got, b">MQ==<" in wire.got) == (True, True)
    answer = await called("Store", wire, b'{"No": "cid:a", "Page": ["cid:a"]}', mtom=True)
    assert (await shown(answer))[1]["problems"] == [{"pointer": "/Page/0", "reason": "is not base64"}]


async def test_a_part_that_is_missing_is_told() -> None:
    """Of a small upload before anything is sent; a large one ends in the middle."""
    for size in (1, len(LARGE)):
        data = part("json", b'{"No": "7", "Page": ["cid:b"]}') + part("a", LARGE[:size]) + END
        with pytest.raises(ClientError, match="400: The message has no part b"):
            await called("Store", Wire(), data, RELATED, mtom=True)


async def test_an_upload_that_needs_no_parts() -> None:
    """Is a message like any."""
    wire = Wire(fetched("aGk="))
    await called("Fetch", wire, part("json", ASK) + END, RELATED)
    assert wire.mail.get_content_type() == "text/xml"


async def test_a_package_that_holds_no_json() -> None:
    """Is told as for any request."""
    with pytest.raises(ClientError, match="not JSON"):
        await called("Fetch", Wire(), part("json", b"{") + END, RELATED)
    with pytest.raises(ClientError, match="400: The message does not say which boundary"):
        await called("Fetch", Wire(), b"x", "multipart/related")


async def test_mappings_see_strings() -> None:
    """Their functions may be applied to what travels beside the envelope, and to what might."""
    wire = Wire()
    request = "{No: join('-', [body.No, body.No]), Page: body.Page[?starts_with(@, 'cid:')]}"
    data = part("json", b'{"No": "7", "Page": ["cid:a"]}') + part("a", b"1") + END
    await called("Store", wire, data, RELATED, mtom=True, request=request)
    assert (b">7-7<" in wire.got, wire.parts[1]) == (True, b"1")
    reply = part("r", envelope(f'<Refer xmlns="{SPACE}"><Ref>cid:a</Ref><Data>aGk=</Data></Refer>'))
    ask, response = b'{"Ref": "cG5n", "Data": "aGk="}', "[starts_with(Data, 'aG'), length(Ref) > `10`, Ref]"
    answer = await called("Refer", Wire(reply + part("a", b"1") + END, RELATED), ask, response=response)
    assert await shown(answer) == (200, [True, True, "MQ=="])
    alone = envelope(f'<Refer xmlns="{SPACE}"><Ref>cid:a</Ref><Data>aGk=</Data></Refer>')
    assert await shown(await called("Refer", Wire(alone), ask, response="join('', [Ref])")) == (200, "cid:a")
