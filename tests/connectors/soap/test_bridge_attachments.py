"""Old clients whose messages have attachments, in front of another SOAP service, without a socket."""

from base64 import b64encode

import pytest
from lxml import etree

from connectors.base import Answer, Call
from connectors.soap.bridge import BridgeConnector
from connectors.soap.client import SoapConnector
from connectors.soap.target import BridgeTarget, SoapTarget
from gateway.core.fields import field_lines
from gateway.core.headers import AnswerHead
from gateway.core.model import NEW, Backend, Outcome, Target
from gateway.wire.body import whole
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.connectors.soap.archived import archive
from tests.connectors.soap.drips import all_of
from tests.connectors.soap.test_facade_attachments import parts_of
from tests.support.archive import END, SPACE, envelope, fetched, include, part, stored
from tests.support.values import BOTH, plan_of, request, route

LARGE = b"large" * 20_000
MTOM = 'multipart/related; type="application/xop+xml"; boundary=cut'
STORED = envelope(f'<Stored xmlns="{SPACE}">1</Stored>')


class Wire:
    """A backend that keeps what it is sent, also what is still to come, and answers with one thing."""

    def __init__(self, data: bytes, kind: str = "text/xml") -> None:
        self.sent: list[Outgoing] = []
        self.got = b""
        self.data, self.kind = data, kind

    async def send(self, parcel: Parcel) -> Judged:
        outgoing = Outgoing(*parcel)
        self.sent.append(outgoing)
        self.got = outgoing.head + await all_of(outgoing.body)
        fields = [(b"Content-Type", self.kind.encode())]
        return judged(AnswerHead(200, b"", field_lines(fields), len(self.data), False, False), whole(self.data))


async def called(name: str, wire: Wire, data: bytes, kind: str = MTOM, *, mtom: bool = True) -> Answer:
    """What comes of a message: the same operation is called, under its own name."""
    operations, schema = archive()
    target = BridgeTarget(operations[name], schema, SoapTarget(operations[name], mtom=mtom))
    backend = Backend("archive", "archive.internal", 80, authority=b"archive.internal", types=schema)
    made = plan_of(route("POST /a", new=Target("archive", call=target)), (backend, *BOTH))
    calls = SoapConnector(lambda: 0.0, bytes)
    caller = await BridgeConnector(calls, bytes).prepare(made.plans[NEW])
    asked = request("POST /a", f"Content-Length: {len(data)}", f"Content-Type: {kind}")
    return await caller.call(Call(asked, made, made.plans[NEW], b"X-Request-ID: r-1\r\n", whole(data)), wire.send)


@pytest.mark.parametrize("page", [b"small", LARGE])
async def test_attachments_go_on_beside_the_other_message(page: bytes) -> None:
    """A part that the client's message includes is a part of the message sent; a large one is sent while it comes."""
    wire = Wire(STORED)
    answer = await called("Store", wire, part("r", stored(include("p"))) + part("p", page) + END)
    assert answer.outcome is Outcome.OK
    assert (b"xop:Include" in wire.got, page in wire.got) == (True, True)
    assert (b"Transfer-Encoding: chunked" in wire.sent[0].head) == (page is LARGE)


async def test_without_mtom_they_stand_in_the_message() -> None:
    """As base64, since the other service knows nothing else."""
    wire = Wire(STORED)
    await called("Store", wire, part("r", stored(include("p"))) + part("p", b"small") + END, mtom=False)
    message = etree.fromstring(wire.got.partition(b"\r\n\r\n")[2])
    assert message.findtext(f".//{{{SPACE}}}Page") == b64encode(b"small").decode()


async def test_a_client_of_mtom_gets_parts() -> None:
    """Whether the other service sent them as parts or not; other clients get one piece."""
    fetch = envelope(f'<Fetch xmlns="{SPACE}"><No>7</No></Fetch>')
    packed = part("r", fetched(include("p"))) + part("p", LARGE) + END
    for wire in (Wire(fetched(b64encode(LARGE).decode())), Wire(packed, MTOM)):
        root, page = parts_of(await called("Fetch", wire, part("r", fetch) + END))
        assert (page, b"xop:Include" in root) == (LARGE, True)
    whole_reply = await called("Fetch", Wire(packed, MTOM), fetch, "text/xml")
    assert b64encode(LARGE) in whole_reply.body.take()


async def test_a_part_that_is_not_there_is_a_fault() -> None:
    """Nothing is sent for it."""
    wire = Wire(STORED)
    answer = await called("Store", wire, part("r", stored(include("gone"))) + END)
    assert (answer.outcome, wire.sent) == (Outcome.REFUSED, [])
    assert b"no part gone" in answer.body.take()
