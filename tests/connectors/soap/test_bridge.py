"""A bridge, from an old client's envelope to another operation's and back, without a socket."""

from typing import Any

import pytest
from lxml import etree

from connectors.base import Answer, Call
from connectors.mapping import MappingInvalid
from connectors.soap.bridge import BridgeConnector
from connectors.soap.client import SoapConnector
from gateway.core.headers import AnswerHead
from gateway.core.model import NEW, Backend, Outcome, Target
from gateway.core.planning import PlannedRoute
from gateway.errors import AnswerInvalid, ClientError, ClientGone
from gateway.wire.body import whole
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.connectors.soap import accounts
from tests.connectors.soap.samples import SPACE
from tests.support.values import BOTH, plan_of, request, route

V11 = "http://schemas.xmlsoap.org/soap/envelope/"
V12 = "http://www.w3.org/2003/05/soap-envelope"
ACCOUNTS = Backend("accounts", "accounts.internal", 80, authority=b"accounts.internal", types=accounts.SCHEMA)
NEW_SPACE = accounts.SPACE


def envelope(content: str, space: str = V11, headers: str = "") -> bytes:
    header = f"<e:Header>{headers}</e:Header>" if headers else ""
    return f'<e:Envelope xmlns:e="{space}">{header}<e:Body>{content}</e:Body></e:Envelope>'.encode()


def ask(account: str = "R1", space: str = V11, headers: str = "", more: str = "") -> bytes:
    content = f'<GetBalance xmlns="{SPACE}"><AccountNo>{account}</AccountNo>{more}</GetBalance>'
    return envelope(content, space, headers)


def fetched(more: str = "", headers: str = "") -> bytes:
    return envelope(f'<Fetched xmlns="{NEW_SPACE}"><balance>12.50</balance>{more}</Fetched>', V12, headers)


class Wire:
    """A backend that keeps what it is sent and answers with one thing."""

    def __init__(self, data: bytes | Exception = b"", status: int = 200) -> None:
        self.sent: list[Outgoing] = []
        self.data = data or fetched()
        self.status = status

    async def send(self, parcel: Parcel) -> Judged:
        outgoing = Outgoing(*parcel)
        self.sent.append(outgoing)
        if isinstance(self.data, Exception):
            raise self.data
        head = AnswerHead(self.status, b"", b"Set-Cookie: a=1\r\n", len(self.data), False, False)
        return judged(head, whole(self.data))

    @property
    def message(self) -> Any:
        return etree.fromstring(self.sent[0].head.partition(b"\r\n\r\n")[2])


def planned(*faults: tuple[str, str], **how: Any) -> PlannedRoute:
    target = Target("accounts", call=accounts.bridge(faults, **how))
    return plan_of(route("POST /rents", new=target), (ACCOUNTS, *BOTH))


async def called(made: PlannedRoute, wire: Wire, data: bytes | None = None, *lines: str) -> Answer:
    """What comes of a message."""
    caller = await BridgeConnector(SoapConnector(lambda: 0.0, bytes)).prepare(made.plans[NEW])
    data = ask() if data is None else data
    asked = request("POST /rents", f"Content-Length: {len(data)}", *lines)
    return await caller.call(Call(asked, made, made.plans[NEW], b"X-Request-ID: r-1\r\n", whole(data)), wire.send)


def told(answer: Answer) -> Any:
    """The first element of an answer's Body."""
    return etree.fromstring(answer.body.take())[-1][0]


def fault(answer: Answer) -> tuple[str, str]:
    """Whom a fault blames, and its words, without the id that ends them."""
    text = "".join(f"{each}\n" for each in told(answer).itertext())
    code, reason = text.split("\n", 2)[:2]
    return code.removeprefix("e:"), reason.removesuffix(" (request r-1)")


@pytest.mark.parametrize(
    ("space", "content_type"), [(V11, b"text/xml; charset=utf-8"), (V12, b"application/soap+xml; charset=utf-8")]
)
async def test_an_operation_is_answered_by_another(space: str, content_type: bytes) -> None:
    """The call in the version of its own port, the reply in that of the client."""
    wire = Wire()
    answer = await called(planned(), wire, ask(space=space))
    assert (answer.head.status, answer.outcome, answer.acted) == (200, Outcome.OK, "yes")
    assert answer.head.fields == ((b"Content-Type", content_type),)
    assert told(answer).findtext(f"{{{SPACE}}}Amount") == "12.50"
    assert wire.message.tag == f"{{{V12}}}Envelope"
    assert wire.message[-1][0].findtext(f"{{{NEW_SPACE}}}account") == "R1"
    assert b'application/soap+xml; charset=utf-8; action="urn:example:accounts#Fetch"' in wire.sent[0].head


async def test_headers_are_mapped_on_the_way_out_and_come_back_by_name() -> None:
    """Of the client's envelope only what a mapping takes; of the reply what the contract declares, too."""
    wire = Wire(fetched(headers=f'<Session xmlns="{NEW_SPACE}"><Key>k2</Key></Session>'))
    headers = f'<Session xmlns="{SPACE}" e:mustUnderstand="1"><Key>k1</Key></Session>'
    answer = await called(planned(headers={"Session.Key": "soap_header.Session.Key"}), wire, ask(headers=headers))
    assert wire.message[0].findtext(f".//{{{NEW_SPACE}}}Key") == "k1"
    assert etree.fromstring(answer.body.take())[0].findtext(f".//{{{SPACE}}}Key") == "k2"
    wire = Wire()
    await called(planned(), wire, ask(headers=headers))
    assert len(wire.message) == 1


async def test_mappings_reach_the_request() -> None:
    """Its address and its fields, but for those about the envelope; an empty message is one, too."""
    seen = "join(' ', [header.\"x-site\", header.\"content-type\", header.soapaction || 'none', body.AccountNo])"
    wire = Wire()
    about = ("Content-Type: text/xml", "Expect: 100-continue", "SOAPAction: x", "Accept: text/xml")
    await called(planned(request={"account": seen}), wire, None, "X-Site: east", *about)
    assert wire.message[-1][0][0].text == "east application/json none R1"


async def test_a_reply_that_breaks_its_schema_is_flagged() -> None:
    """As for a REST client."""
    answer = await called(planned(), Wire(fetched("<charge>much</charge>")))
    assert answer.head.fields[1:] == ((b"X-Banyan-Schema", b"lenient; problems=1; first=/charge/0"),)


@pytest.mark.parametrize("faults", [(("NoSuchAccount", "NotFound"),), ()])
async def test_a_declared_fault_is_an_answer(faults: tuple[tuple[str, str], ...]) -> None:
    """By the contract's name where there is one, and without its detail where there is none."""
    detail = f'<NoSuchAccountDetail xmlns="{NEW_SPACE}"><AccountNo>R9</AccountNo></NoSuchAccountDetail>'
    wire = Wire(
        envelope(
            "<e:Fault><e:Code><e:Value>e:Receiver</e:Value></e:Code><e:Reason><e:Text>No such account.</e:Text>"
            f"</e:Reason><e:Detail>{detail}</e:Detail></e:Fault>",
            V12,
        ),
        500,
    )
    answer = await called(planned(*faults), wire)
    assert (answer.outcome, answer.acted) == (Outcome.BUSINESS_FAULT, "yes")
    found = told(answer)
    assert [each.text for each in found.iter(f"{{{SPACE}}}AccountNo")] == ["R9"] * len(faults)
    assert (found.findtext("faultcode"), found.findtext("faultstring")) == (
        "e:Server",
        "No such account.",
    )


async def test_a_broken_message_is_a_fault() -> None:
    """In the version of its envelope, or of its content type where that cannot be read; nothing is sent."""
    wire = Wire()
    answer = await called(planned(), wire, ask(space=V12, more="<No/>"), "Content-Type: text/xml")
    assert (answer.head.status, answer.outcome, answer.acted, fault(answer)[0]) == (
        400,
        Outcome.REFUSED,
        "no",
        "Sender",
    )
    answer = await called(planned(), wire, b"<no/>", "Content-Type: application/soap+xml")
    assert fault(answer) == ("Sender", "The message is not a SOAP envelope.")
    answer = await called(planned(), wire, ask(headers='<t xmlns="urn:t" e:mustUnderstand="1"/>'))
    assert fault(answer)[0] == "MustUnderstand"
    assert wire.sent == []


async def test_a_message_that_cannot_be_mapped_is_a_fault() -> None:
    """In the client's version, whether the mapping or the other operation does not take it."""
    wire = Wire()
    answer = await called(planned(request="sum(body.AccountNo)"), wire, ask(space=V12))
    assert (answer.outcome, answer.acted, fault(answer)[0]) == (Outcome.REFUSED, "no", "Sender")
    answer = await called(planned(request=None), wire)
    assert (answer.outcome, fault(answer)[0]) == (Outcome.REFUSED, "Client")
    assert "/account: is missing" in fault(await called(planned(request=None), wire))[1]
    assert wire.sent == []


async def test_a_client_that_left_is_no_refusal() -> None:
    """Its going ends the call, whatever else is a fault."""
    with pytest.raises(ClientGone):
        await called(planned(), Wire(ClientGone()))


@pytest.mark.parametrize("how", [{"response": None}, {"response": "{Line: charge}"}])
async def test_a_result_that_does_not_fit_is_the_backends_error(how: dict[str, Any]) -> None:
    """It is told to the log alone."""
    with pytest.raises(AnswerInvalid, match=r"accounts: /.*\(in what it becomes\)"):
        await called(planned(**how), Wire())


async def test_both_ways_have_a_bound() -> None:
    """More than is decoded is 413 on the way in, and an error of the backend on the way out."""
    with pytest.raises(ClientError, match="413"):
        await called(planned(decode=50), Wire())
    long = f"join('', [{', '.join(['balance'] * 200)}])"
    with pytest.raises(AnswerInvalid, match="the result is larger than 900 bytes"):
        await called(planned(decode=900, response=long), Wire())


async def test_large_messages_are_coded_elsewhere() -> None:
    """In another process, to the same result, both ways: the loop has no time for them."""
    wire = Wire(fetched("<charge>1</charge>" * 5_000))
    answer = await called(
        planned(response="{Amount: balance, Line: charge[].{Code: '0123456789', Value: @}}"), wire, ask("R" * 70_000)
    )
    assert wire.message[-1][0][0].text == "R" * 70_000
    assert len(told(answer)) == 5_001


async def test_what_is_compiled_is_shared() -> None:
    """The contract's types once for all bridges of a table, while it lasts."""
    connector, made = BridgeConnector(), planned()
    callers = [await connector.prepare(made.plans[NEW]) for _ in range(2)]
    assert callers[0]._bridging._codec is callers[1]._bridging._codec


async def test_a_broken_mapping_is_told_when_the_table_is_built() -> None:
    """Not when the first client calls."""
    with pytest.raises(MappingInvalid):
        await BridgeConnector().prepare(planned(request="a..b").plans[NEW])
