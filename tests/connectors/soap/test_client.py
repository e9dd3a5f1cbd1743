import json
from typing import Any

import pytest
from lxml import etree

from connectors.base import Answer, Call
from connectors.mapping import MappingInvalid
from connectors.soap.addressing import WSA
from connectors.soap.client import SoapConnector
from connectors.soap.faults import NOT_LOGGED_ON
from connectors.soap.plan import Addressing, Field, Group, Message, Operation, Schema, Wild
from connectors.soap.problems import Invalid
from connectors.soap.security import SECURITY, WSSE, Basic, HeaderValues, LogOn, Session, UsernameToken
from connectors.soap.target import SoapTarget
from gateway.core.headers import AnswerHead
from gateway.core.model import LEGACY, Backend, HeaderEdit, Outcome, Target
from gateway.core.planning import PlannedRoute
from gateway.errors import AnswerInvalid, ClientError, NotLoggedOn
from gateway.wire.body import EMPTY, whole
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.connectors.soap.samples import GET_BALANCE, INT, SCHEMA, SPACE, TYPES, complex_type, field, reply_xml
from tests.support.values import BOTH, plan_of, request, route

V11 = "http://schemas.xmlsoap.org/soap/envelope/"
V12 = "http://www.w3.org/2003/05/soap-envelope"
LINES = b"X-Request-ID: r-1\r\n"
RENTS = Backend("rents", "rents.internal", 80, base=b"/Rents.asmx", authority=b"rents.internal", types=SCHEMA)
BALANCE = {"Amount": "12.50", "Line": []}
ASK = b'{"AccountNo": "R1"}'
NOT_FOUND = (
    "<e:Fault><faultcode>e:Client</faultcode><faultstring>No such account</faultstring><detail>"
    f'<AccountNotFound xmlns="{SPACE}"><AccountNo>R9</AccountNo></AccountNotFound></detail></e:Fault>'
)


def envelope(content: str, space: str = V11, headers: str = "") -> bytes:
    header = f"<e:Header>{headers}</e:Header>" if headers else ""
    return f'<e:Envelope xmlns:e="{space}">{header}<e:Body>{content}</e:Body></e:Envelope>'.encode()


class Wire:
    """A wire that keeps what is sent and answers with one reply."""

    def __init__(self, data: bytes | None = None, status: int = 200) -> None:
        self.sent: list[Outgoing] = []
        self.data = envelope(reply_xml()) if data is None else data
        self.status = status

    async def send(self, parcel: Parcel) -> Judged:
        outgoing = Outgoing(*parcel)
        self.sent.append(outgoing)
        head = AnswerHead(self.status, b"", b"Set-Cookie: a=1\r\n", len(self.data), False, False)
        return judged(head, whole(self.data))

    @property
    def head(self) -> list[bytes]:
        return self.sent[0].head.partition(b"\r\n\r\n")[0].split(b"\r\n")

    @property
    def envelope(self) -> Any:
        return etree.fromstring(self.sent[0].head.partition(b"\r\n\r\n")[2])


def planned(
    operation: Operation = GET_BALANCE, backend: Backend = RENTS, pattern: str = "POST /b", **how: Any
) -> PlannedRoute:
    """A route whose legacy side calls the operation."""
    edit = how.pop("edit", HeaderEdit())
    target = Target("rents", request=edit, call=SoapTarget(operation, **how))
    return plan_of(route(pattern, legacy=target), (backend, *BOTH))


async def called(made: PlannedRoute, wire: Wire, data: bytes = ASK, start: str = "POST /b", *lines: str) -> Answer:
    """What comes of a request."""
    caller = await SoapConnector(lambda: 0.0, bytes).prepare(made.plans[LEGACY])
    length = (f"Content-Length: {len(data)}",) if data else ()
    return await caller.call(
        Call(request(start, *length, *lines), made, made.plans[LEGACY], LINES, whole(data)), wire.send
    )


def shown(answer: Answer) -> tuple[int, Any]:
    """An answer's status and JSON."""
    return answer.head.status, json.loads(answer.body.take())


# ------------------------------------------------------------------------------------------------ the call


async def test_json_becomes_a_call_and_its_reply_json() -> None:
    """Without a mapping the JSON is the operation's own, both ways; nothing of the backend's head is passed on."""
    wire = Wire()
    answer = await called(planned(), wire)
    assert wire.envelope[0][0][0].text == "R1"
    assert (answer.outcome, answer.acted) == (Outcome.OK, "yes")
    assert answer.head.fields == ((b"Content-Type", b"application/json"),)
    assert shown(answer) == (200, BALANCE)


async def test_a_call_of_soap_11() -> None:
    """A POST to the backend's own path, with a quoted action, and nothing of the client's own fields."""
    wire = Wire()
    await called(planned(), wire, ASK, "POST /b?x=1", "Cookie: a=1", "Authorization: Bearer b", "User-Agent: c")
    assert wire.head == [
        b"POST /Rents.asmx HTTP/1.1",
        b"Host: rents.internal",
        b"Content-Type: text/xml; charset=utf-8",
        b'SOAPAction: "urn:example:rents#GetBalance"',
        b"Accept: text/xml, application/soap+xml",
        b"Accept-Encoding: identity",
        b"Content-Length: %d" % len(wire.sent[0].head.partition(b"\r\n\r\n")[2]),
        b"X-Request-ID: r-1",
    ]


@pytest.mark.parametrize(
    ("version", "action", "expected"),
    [
        ("1.1", None, [b"Content-Type: text/xml; charset=utf-8", b'SOAPAction: ""']),
        ("1.1", 'a"\r\nB: c', [b"Content-Type: text/xml; charset=utf-8", b'SOAPAction: "a%22%0D%0AB:%20c"']),
        ("1.2", None, [b"Content-Type: application/soap+xml; charset=utf-8"]),
        ("1.2", "urn:a", [b'Content-Type: application/soap+xml; charset=utf-8; action="urn:a"']),
    ],
)
async def test_each_version_has_its_own_action(version: Any, action: str | None, expected: list[bytes]) -> None:
    """SOAPAction is always there in 1.1, empty if need be; 1.2 has a parameter, or nothing."""
    wire = Wire(envelope(reply_xml(), V12))
    await called(planned(GET_BALANCE._replace(version=version, action=action)), wire)
    assert wire.head[2:-4] == expected
    assert wire.envelope.tag == f"{{{V11 if version == '1.1' else V12}}}Envelope"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://rents.example/Rents.asmx?v=2", b"/Rents.asmx?v=2"),
        ("http://rents.example", b"/"),
        ("REPLACE_ME", b"/"),
        ("http://rents.example/a b\r\nC: d", b"/a%20bC:%20d"),
    ],
)
async def test_the_wsdls_path_serves_where_the_backend_has_none(address: str, expected: bytes) -> None:
    """The address in the WSDL says where on the backend the service is."""
    wire = Wire()
    await called(planned(GET_BALANCE._replace(address=address), RENTS._replace(base=b"")), wire)
    assert wire.head[0] == b"POST %b HTTP/1.1" % expected


async def test_a_backend_may_see_the_public_host() -> None:
    """`host: public` is the client's own Host field, or the backend's name where there is none."""
    wire, old = Wire(), Wire()
    made = planned(backend=RENTS._replace(host_header="public"))
    await called(made, wire)
    caller = await SoapConnector().prepare(made.plans[LEGACY])
    asked = request("POST /b", f"Content-Length: {len(ASK)}", host="", old=True)
    await caller.call(Call(asked, made, made.plans[LEGACY], LINES, whole(ASK)), old.send)
    assert (wire.head[1], old.head[1]) == (b"Host: api.example", b"Host: rents.internal")


async def test_a_target_edits_the_fields() -> None:
    """Fields that the route adds are sent, and those it removes are not."""
    wire = Wire()
    await called(planned(edit=HeaderEdit(((b"X-Key", b"k"),), (b"accept",))), wire)
    assert b"X-Key: k" in wire.head
    assert not any(line.startswith(b"Accept:") for line in wire.head)


@pytest.mark.parametrize(("pattern", "resend"), [("POST /b", False), ("GET /b", True)])
async def test_only_what_may_go_twice_is_sent_again(pattern: str, resend: bool) -> None:
    """The message is one piece with its head, so that a stale connection takes nothing of it along."""
    wire = Wire()
    await called(planned(pattern=pattern), wire, ASK, pattern)
    sent = wire.sent[0]
    assert (sent.body, sent.chunked, sent.head_only, sent.resend, sent.upgrade) == (EMPTY, False, False, resend, False)


async def test_callers_of_one_schema_share_its_codec() -> None:
    """Types are compiled once for all operations of a backend, while a table lasts."""
    connector, made = SoapConnector(), planned()
    callers = [await connector.prepare(made.plans[LEGACY]) for _ in range(2)]
    assert callers[0]._coding._codec is callers[1]._coding._codec


async def test_large_messages_are_coded_elsewhere() -> None:
    """In another process, to the same result, both ways: the loop has no time for them."""
    long = "R" * 70_000
    wire = Wire(envelope(reply_xml()) + b" " * 70_000)
    answer = await called(planned(), wire, json.dumps({"AccountNo": long}).encode())
    assert wire.envelope[0][0][0].text == long
    assert shown(answer) == (200, BALANCE)


async def test_what_is_wrong_with_large_messages_is_told_alike() -> None:
    """Problems, refusals and unusable replies cross from the other process."""
    refused = await called(planned(), Wire(), json.dumps({"No": "R" * 70_000}).encode())
    assert refused.head.status == 422
    with pytest.raises(ClientError, match="not JSON"):
        await called(planned(), Wire(), b"{" * 70_000)
    with pytest.raises(AnswerInvalid, match="well-formed"):
        await called(planned(), Wire(b"<x" + b" " * 70_000))


@pytest.mark.parametrize("data", [b"{", b"{'a': 1}", b"\xff", b"NaN", b"[" * 2_000])
async def test_what_is_no_json_is_refused(data: bytes) -> None:
    """Before anything is sent."""
    wire = Wire()
    with pytest.raises(ClientError, match="400: The request body is not JSON"):
        await called(planned(), wire, data)
    assert wire.sent == []


# ------------------------------------------------------------------------------------------------ who calls


async def test_basic_goes_into_the_head() -> None:
    """Name and password stand in the Authorization field."""
    wire = Wire()
    await called(planned(auth=(Basic("a", "b"),)), wire)
    assert b"Authorization: Basic YTpi" in wire.head


async def test_a_token_goes_into_the_envelope() -> None:
    """Each message has a token of its own; a reply may insist on a Security header then."""
    secured = f'<s:Security xmlns:s="{WSSE}" e:mustUnderstand="1"/>'
    wire = Wire(envelope(reply_xml(), headers=secured))
    assert shown(await called(planned(auth=(UsernameToken("u", "p"),)), wire)) == (200, BALANCE)
    assert [each.tag for each in wire.envelope[0]] == [SECURITY]
    with pytest.raises(AnswerInvalid, match="insists on headers that are not understood: Security"):
        await called(planned(), wire)


async def test_declared_headers_have_fixed_values() -> None:
    """A header of the WSDL is filled with what the configuration says; its echo in a reply is understood."""
    echo = f'<Session xmlns="{SPACE}" e:mustUnderstand="1"><Key>k</Key></Session>'
    wire = Wire(envelope(reply_xml(), headers=echo))
    await called(planned(auth=(HeaderValues((("Session", {"Key": "k"}),)),)), wire)
    assert wire.envelope[0][0].tag == f"{{{SPACE}}}Session"
    assert wire.envelope[0][0][0].text == "k"


async def test_headers_that_do_not_fit_are_told_when_the_table_is_built() -> None:
    """A header that the operation does not have, or a value it does not take, is an error of the configuration."""
    for key, reason in (("Other", "/Other: is not a header of this operation"), ("Session", "/Key: is missing")):
        with pytest.raises(Invalid, match=reason):
            await SoapConnector().prepare(planned(auth=(HeaderValues(((key, {}),)),)).plans[LEGACY])


async def test_headers_go_and_come_back() -> None:
    """A header of the operation is filled from the request, and that of the reply is a field of the answer."""
    back = f'<Session xmlns="{SPACE}"><Key>k2</Key></Session>'
    wire = Wire(envelope(reply_xml(), headers=back))
    answer = await called(planned(headers={"Session.Key": 'header."x-key"'}), wire, ASK, "POST /b", "X-Key: k1")
    assert wire.envelope[0][0][0].text == "k1"
    assert (b"Soap-Session", b'{"Key":"k2"}') in answer.head.fields
    refused = await called(planned(headers={"Session.Other": "body.AccountNo"}), wire)
    assert shown(refused)[1]["problems"][0]["reason"] == "is missing (header Session)"


# ------------------------------------------------------------------------------------------------ mappings


async def test_a_request_is_mapped() -> None:
    """A GET becomes a call: parameters of path and query fill the operation's input, and the reply takes its shape."""
    wire = Wire(envelope(reply_xml(lines="<r:Line><r:Code>A</r:Code><r:Value>1</r:Value></r:Line>")))
    made = planned(
        pattern="GET /rents/{account}",
        request={"AccountNo": "path.account", "AsAt": "query.date"},
        response="{balance: Amount, charges: Line[].{code: Code, amount: Value}}",
    )
    answer = await called(made, wire, b"", "GET /rents/R1?date=2026-01-01")
    assert [each.text for each in wire.envelope[0][0]] == ["R1", "2026-01-01"]
    assert shown(answer) == (200, {"balance": "12.50", "charges": [{"code": "A", "amount": "1"}]})


async def test_a_mapping_that_cannot_be_applied_refuses_the_request() -> None:
    """It is the request that the mapping does not take; nothing is sent."""
    wire = Wire()
    with pytest.raises(ClientError, match="422: The request cannot be mapped: `sum"):
        await called(planned(request={"AccountNo": "sum(body.AccountNo)"}), wire)
    assert wire.sent == []


async def test_a_reply_that_cannot_be_mapped_is_the_backends_error() -> None:
    """A mapping that fails on a reply is an error of that side."""
    with pytest.raises(AnswerInvalid, match="rents: `sum"):
        await called(planned(response="sum(Amount)"), Wire())


async def test_a_broken_mapping_is_told_when_the_table_is_built() -> None:
    """Whoever wrote it learns before any request comes."""
    with pytest.raises(MappingInvalid):
        await SoapConnector().prepare(planned(response="{").plans[LEGACY])


async def test_no_body_is_an_empty_object() -> None:
    """An operation without input needs no body."""
    ping = GET_BALANCE._replace(input=Message((Field("Ping", "Ping", 1),)))
    assert shown(await called(planned(ping), Wire(), b""))[1]["problems"] == [
        {"pointer": "/Amount", "reason": "is missing"}
    ]


async def test_a_request_that_does_not_fit_is_refused_with_every_problem() -> None:
    """A 422 lists each with its pointer; nothing is sent, so the backend did not act."""
    wire = Wire()
    answer = await called(planned(), wire, b'{"AsAt": 3, "Other": 1}')
    assert (answer.outcome, answer.acted, wire.sent) == (Outcome.REFUSED, "no", [])
    status, document = shown(answer)
    assert (status, document["status"], document["request_id"]) == (422, 422, "r-1")
    assert [each["pointer"] for each in document["problems"]] == ["/AsAt", "/AccountNo", "/Other"]


async def test_a_request_has_a_bound() -> None:
    """More than is decoded is refused with 413 before it is read."""
    with pytest.raises(ClientError, match="413"):
        await called(planned(decode=5), Wire())


# ------------------------------------------------------------------------------------------------ errors in a reply


@pytest.mark.parametrize(
    ("status", "outcome", "acted"), [(502, Outcome.BACKEND_ERROR, "maybe"), (409, Outcome.BUSINESS_FAULT, "yes")]
)
async def test_an_error_inside_a_reply(status: int, outcome: Outcome, acted: str) -> None:
    """`error_when` tells it: a failure of the backend by default, an answer of the business with a status below 500."""
    how: dict[str, Any] = {"error_when": "Amount == '-1'", "error_status": status}
    answer = await called(planned(**how), Wire(envelope(reply_xml("-1"))))
    assert (answer.head.status, answer.outcome, answer.acted) == (status, outcome, acted)
    assert shown(await called(planned(**how), Wire())) == (200, BALANCE)


async def test_a_reply_that_breaks_its_schema_is_flagged() -> None:
    """Lenient by default: the value comes with a field that says how many problems there are, and where the first."""
    answer = await called(planned(), Wire(envelope(reply_xml("much"))))
    assert (b"X-Banyan-Schema", b"lenient; problems=1; first=/Amount") in answer.head.fields
    assert shown(answer) == (200, {"Amount": "much", "Line": []})
    whole_of = await called(planned(), Wire(envelope(reply_xml() + "<more/>")))
    assert (b"X-Banyan-Schema", b"lenient; problems=1; first=/") in whole_of.head.fields


async def test_a_strict_target_refuses_such_a_reply() -> None:
    """It is an error of the backend then."""
    with pytest.raises(AnswerInvalid, match="rents: /Amount: is not a decimal number"):
        await called(planned(strict=True), Wire(envelope(reply_xml("much"))))


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"", 200, "HTTP 200: The message is not well-formed"),
        (b"<html/>", 503, "HTTP 503: The message is not a SOAP envelope"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', 200, "must not have a DOCTYPE"),
        (envelope(""), 200, "is empty, where GetBalanceResponse belongs"),
        (envelope("<Welcome/>"), 200, "has the element Welcome"),
        (envelope(reply_xml()), 500, "HTTP 500 without a fault"),
        (envelope(reply_xml()), 302, "HTTP 302 without a fault"),
        (envelope(reply_xml(), headers='<t xmlns="urn:t" e:mustUnderstand="1"/>'), 200, "not understood: t"),
        (b"x" * 2_000, 200, "larger than 1000 bytes"),
    ],
)
async def test_what_is_no_answer_is_the_backends_error(data: bytes, status: int, reason: str) -> None:
    """Anything but the operation's reply or a fault is an error of the backend, told to the log alone."""
    with pytest.raises(AnswerInvalid, match=reason):
        await called(planned(decode=1_000), Wire(data, status))


async def test_json_has_a_depth() -> None:
    """A reply nested deeper than JSON can be written is refused."""
    either = Group("choice", (field("Part", len(TYPES)), field("Leaf")), 0, None)
    nest = complex_type()._replace(content=either)
    deep = GET_BALANCE._replace(output=Message((field("Nest", len(TYPES)),)))
    backend = RENTS._replace(types=SCHEMA._replace(types=(*TYPES, nest)))
    xml = f'<Nest xmlns="{SPACE}">{"<Part>" * 120}{"</Part>" * 120}</Nest>'
    with pytest.raises(AnswerInvalid, match="Recursion limit"):
        await called(planned(deep, backend), Wire(envelope(xml)))


# ------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize("status", [200, 400, 401, 500])
async def test_a_declared_fault_is_an_answer_at_any_status(status: int) -> None:
    """It is known by the body; the answer is a problem document that carries its detail as JSON."""
    answer = await called(planned(faults=(("NotFound", 404),)), Wire(envelope(NOT_FOUND), status))
    assert (answer.outcome, answer.acted) == (Outcome.BUSINESS_FAULT, "yes")
    assert shown(answer) == (
        404,
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "No such account",
            "request_id": "r-1",
            "soap": {"code": "Client", "detail": {"NotFound": {"AccountNo": "R9"}}},
        },
    )


async def test_a_fault_of_11_in_an_envelope_of_12() -> None:
    """Some servers do that, and it is read all the same; so is any XML in its detail."""
    fault = "<e:Fault><faultcode>e:Client</faultcode><detail><a:b xmlns:a='urn:a'>c</a:b></detail></e:Fault>"
    status, document = shown(await called(planned(), Wire(envelope(fault, V12), 500)))
    assert (status, document["soap"]["detail"]) == (400, {"$any": ['<a:b xmlns:a="urn:a">c</a:b>']})


@pytest.mark.parametrize("status", [401, 403, 407])
@pytest.mark.parametrize(
    "data", [b"<html>Who are you?</html>", envelope("<e:Fault><faultcode>e:Client</faultcode></e:Fault>")]
)
async def test_a_backend_that_does_not_let_the_gateway_in(data: bytes, status: int) -> None:
    """The client cannot mend the gateway's credentials, whomever a fault blames: 502, and the backend did nothing."""
    answer = await called(planned(), Wire(data, status))
    assert (answer.outcome, answer.acted) == (Outcome.BACKEND_ERROR, "no")
    assert shown(answer)[1]["detail"] == NOT_LOGGED_ON


# ------------------------------------------------------------------------------------------------ other messages


@pytest.mark.parametrize(
    ("data", "status"), [(b"", 202), (b" ", 200), (envelope(""), 200), (envelope("<anything/>"), 200)]
)
async def test_a_one_way_operation_is_accepted(data: bytes, status: int) -> None:
    """Nothing is expected back, and nothing is passed on."""
    answer = await called(planned(GET_BALANCE._replace(output=None)), Wire(data, status))
    assert (answer.head.status, answer.head.length, answer.body.take(), answer.outcome, answer.acted) == (
        202,
        0,
        b"",
        Outcome.OK,
        "yes",
    )


async def test_a_one_way_operation_can_fail() -> None:
    """A fault is a fault, and an error of HTTP an error."""
    one_way = planned(GET_BALANCE._replace(output=None))
    assert (await called(one_way, Wire(envelope(NOT_FOUND), 500))).head.status == 422
    with pytest.raises(AnswerInvalid, match="HTTP 500"):
        await called(one_way, Wire(b"", 500))


async def test_a_reply_with_any_xml_keeps_its_prefixes() -> None:
    """Where the schema takes any XML, the reply is read with the parser that remembers names."""
    wild = complex_type()._replace(content=Group("sequence", (Wild(),)))
    schema = Schema((*TYPES, wild), SCHEMA.prefixes)
    operation = GET_BALANCE._replace(output=Message((field("Open", len(TYPES)),)))
    made = planned(operation, RENTS._replace(types=schema))
    xml = f'<Open xmlns="{SPACE}"><a:b xmlns:a="urn:a" c="a:d"/></Open>'
    assert shown(await called(made, Wire(envelope(xml)))) == (200, {"$any": ['<a:b xmlns:a="urn:a" c="a:d"/>']})
    fault = await called(made, Wire(envelope(NOT_FOUND)))
    assert fault.head.status == 422


async def test_a_reply_may_be_a_plain_value() -> None:
    """The JSON of a simple element is its value."""
    operation = GET_BALANCE._replace(output=Message((field("Count", INT),)))
    assert shown(await called(planned(operation), Wire(envelope(f'<Count xmlns="{SPACE}">7</Count>')))) == (200, 7)


# ------------------------------------------------------------------------------------------------ in a session

LOG_ON = LogOn(GET_BALANCE, {"AccountNo": "the-user"}, "Amount", auth=(Basic("u", "p"),))
IN_SESSION = Session(LOG_ON, header={"Session.Key": "token"})


async def in_session(wire: Wire, kept: dict[str, Any], **how: Any) -> Answer:
    made = planned(session=IN_SESSION, **how)
    caller = await SoapConnector(lambda: 0.0, bytes).prepare(made.plans[LEGACY], kept)
    call = Call(request("POST /b", f"Content-Length: {len(ASK)}"), made, made.plans[LEGACY], LINES, whole(ASK))
    return await caller.call(call, wire.send)


async def test_a_call_in_a_session_logs_on_first() -> None:
    """By an operation of the same service, with its own proof; what it gives goes along with the call."""
    wire = Wire()
    assert shown(await in_session(wire, {})) == (200, BALANCE)
    first, second = (each.head for each in wire.sent)
    assert (b"the-user" in first, b"Authorization: Basic" in first, b"Session" in first) == (True, True, False)
    assert (b">R1<" in second, b"Authorization" in second, b"Cookie: a=1\r\n" in second) == (True, False, True)
    assert b"<n0:Session><n0:Key>12.50</n0:Key></n0:Session>" in second


async def test_the_session_is_kept_for_the_next_table() -> None:
    """In what the backend's pool keeps; one that knows nothing of it logs on again."""
    kept: dict[str, Any] = {}
    wire = Wire()
    await in_session(wire, kept)
    await in_session(wire, kept, response="{a: Amount}")
    assert len(wire.sent) == 3
    await in_session(wire, {})
    assert len(wire.sent) == 5


async def test_a_session_that_is_always_over_is_an_error() -> None:
    """The call goes twice at most; nobody else is told why."""
    wire = Wire(status=401, data=b"No.")
    with pytest.raises(NotLoggedOn, match="rents: the log-on was refused"):
        await in_session(wire, {})
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("1.1", b'SOAPAction: "urn:example:rents#GetBalance"'),
        ("1.2", b'Content-Type: application/soap+xml; charset=utf-8; action="urn:in"'),
    ],
)
async def test_the_actions_of_an_addressed_call_agree(version: Any, line: bytes) -> None:
    """In SOAP 1.2 the content type says what wsa:Action says; SOAPAction is what the WSDL declares."""
    wire = Wire(envelope(reply_xml(), V12))
    await called(planned(GET_BALANCE._replace(version=version, addressing=Addressing("urn:in", namespace=WSA))), wire)
    assert line in wire.head
    assert wire.envelope.findtext(f".//{{{WSA}}}Action") == "urn:in"
    assert wire.envelope.findtext(f".//{{{WSA}}}To") == GET_BALANCE.address


async def test_a_reply_to_another_call_is_the_backends_error() -> None:
    """Never somebody else's answer."""
    headers = f'<a:RelatesTo xmlns:a="{WSA}">urn:another</a:RelatesTo>'
    wire = Wire(envelope(reply_xml(), headers=headers))
    asking = GET_BALANCE._replace(addressing=Addressing("urn:in", namespace=WSA))
    with pytest.raises(AnswerInvalid, match="a reply to another message"):
        await called(planned(asking), wire)
