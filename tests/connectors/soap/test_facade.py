"""The facade, from an old client's envelope to the JSON backend and back, without a socket."""

import gzip
import json
from typing import Any

import pytest
from lxml import etree

from connectors.base import Answer, Call
from connectors.mapping import MappingInvalid
from connectors.soap.addressing import WSA, message_id
from connectors.soap.facade import FacadeConnector
from connectors.soap.plan import Addressing, Group, Message, Schema
from connectors.soap.target import FacadeTarget
from gateway.core.headers import AnswerHead
from gateway.core.model import NEW, HeaderEdit, Outcome, Placeholder, Target
from gateway.core.planning import PlannedRoute
from gateway.errors import AnswerInvalid, ClientError
from gateway.wire.body import EMPTY, whole
from gateway.wire.pool import Judged, Outgoing, Parcel, judged
from tests.connectors.soap.samples import GET_BALANCE, SCHEMA, SPACE, TYPES, complex_type, field
from tests.support.values import plan_of, request, route

V11 = "http://schemas.xmlsoap.org/soap/envelope/"
V12 = "http://www.w3.org/2003/05/soap-envelope"
LINES = b"X-Request-ID: r-1\r\n"
START = "POST /rents"
BALANCE = b'{"Amount": "12.50"}'
PATH = (b"/v2/accounts/", Placeholder("body", b"AccountNo"), b"/balance")


def envelope(content: str, space: str = V11, headers: str = "") -> bytes:
    header = f"<e:Header>{headers}</e:Header>" if headers else ""
    return f'<e:Envelope xmlns:e="{space}">{header}<e:Body>{content}</e:Body></e:Envelope>'.encode()


def ask(account: str = "R1", more: str = "", space: str = V11, headers: str = "") -> bytes:
    content = f'<GetBalance xmlns="{SPACE}"><AccountNo>{account}</AccountNo>{more}</GetBalance>'
    return envelope(content, space, headers)


class Wire:
    """A backend that keeps what it is sent and answers with one thing."""

    def __init__(self, data: bytes = BALANCE, status: int = 200) -> None:
        self.sent: list[Outgoing] = []
        self.data = data
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
    def target(self) -> bytes:
        return self.head[0].split(b" ")[1]

    @property
    def json(self) -> Any:
        return json.loads(self.sent[0].head.partition(b"\r\n\r\n")[2])


def planned(
    method: bytes = b"POST", path: tuple[bytes | Placeholder, ...] | None = PATH, pattern: str = START, **how: Any
) -> PlannedRoute:
    """A route whose new side answers the operation."""
    edit, idempotent = how.pop("edit", HeaderEdit()), how.pop("idempotent", None)
    call = FacadeTarget(**{"operation": GET_BALANCE, "schema": SCHEMA, **how})
    target = Target("repairs", path=path, method=method, request=edit, call=call)
    return plan_of(route(pattern, new=target, idempotent=idempotent))


async def called(made: PlannedRoute, wire: Wire, data: bytes | None = None, *lines: str, start: str = START) -> Answer:
    """What comes of a message."""
    caller = await FacadeConnector().prepare(made.plans[NEW])
    data = ask() if data is None else data
    asked = request(start, f"Content-Length: {len(data)}", *lines)
    return await caller.call(Call(asked, made, made.plans[NEW], LINES, whole(data)), wire.send)


def told(answer: Answer) -> Any:
    """The first element of an answer's Body."""
    return etree.fromstring(answer.body.take())[-1][0]


def fault(answer: Answer) -> tuple[str, str]:
    """Whom a fault blames, and its words, without the id that ends them."""
    text = "".join(f"{each}\n" for each in told(answer).itertext())
    code, reason = text.split("\n", 2)[:2]
    return code.removeprefix("e:"), reason.removesuffix(" (request r-1)")


# ------------------------------------------------------------------------------------------------ a call


@pytest.mark.parametrize(
    ("space", "content_type"), [(V11, b"text/xml; charset=utf-8"), (V12, b"application/soap+xml; charset=utf-8")]
)
async def test_a_client_is_answered_in_its_own_version(space: str, content_type: bytes) -> None:
    """Whatever its content type says; nothing of the backend's head is passed on."""
    answer = await called(planned(), Wire(), ask(space=space))
    assert (answer.head.status, answer.outcome, answer.acted) == (200, Outcome.OK, "yes")
    assert answer.head.fields == ((b"Content-Type", content_type),)
    root = etree.fromstring(answer.body.take())
    assert root.tag == f"{{{space}}}Envelope"
    assert [(each.tag, each.text) for each in root[0][0]] == [(f"{{{SPACE}}}Amount", "12.50")]


async def test_the_message_is_the_json_that_is_sent() -> None:
    """By itself, as the operation's own JSON; its values fill the path, and the query was the SOAP service's."""
    wire = Wire()
    await called(planned(), wire, ask("R1", "<AsAt>2026-01-01</AsAt>"), start="POST /rents?session=1")
    assert wire.json == {"AccountNo": "R1", "AsAt": "2026-01-01"}
    assert wire.head[0] == b"POST /v2/accounts/R1/balance HTTP/1.1"


async def test_a_request_is_mapped() -> None:
    """`request` makes the JSON out of path, query, header and body."""
    wire = Wire()
    mapping = {"account": "body.AccountNo", "site": "path.site", "who": 'header."x-who"', "v": "query.v"}
    made = planned(b"PUT", pattern="POST /rents/{site}", request=mapping)
    await called(made, wire, None, "X-Who: me", start="POST /rents/east?v=2")
    assert wire.json == {"account": "R1", "site": "east", "who": "me", "v": "2"}
    assert wire.head[0].startswith(b"PUT ")


@pytest.mark.parametrize("method", [b"GET", b"DELETE"])
async def test_without_a_body_the_mapping_makes_the_query(method: bytes) -> None:
    """Arrays give their name several times, null nothing; what is no text is written as JSON has it."""
    wire = Wire()
    mapping = "{account: body.AccountNo, kind: ['a', 'b&'], open: `true`, since: body.AsAt, most: `5`}"
    await called(planned(method, (b"/v2",), request=mapping), wire)
    assert wire.target == b"/v2?account=R1&kind=a&kind=b%26&open=true&most=5"
    assert wire.sent[0].head.endswith(b"\r\n\r\n")
    assert not any(line.lower().startswith(b"content-") for line in wire.head)


async def test_without_a_mapping_there_is_no_query() -> None:
    """What the path says is all there is; nor is there one of nothing, and without a path it is the backend's root."""
    for mapping, path, target in ((None, PATH, b"/v2/accounts/R1/balance"), ({"a": "body.No"}, (), b"/")):
        wire = Wire()
        await called(planned(b"GET", path, request=mapping), wire)
        assert wire.target == target


@pytest.mark.parametrize("mapping", ["body.AccountNo", "{a: body}", "{a: [body]}", "{a: [[body.AccountNo]]}"])
async def test_a_query_is_made_of_plain_values(mapping: str) -> None:
    """Anything else is a fault that says so; nothing is sent."""
    wire = Wire()
    answer = await called(planned(b"GET", request=mapping), wire)
    assert (answer.outcome, answer.acted, wire.sent) == (Outcome.REFUSED, "no", [])
    assert fault(answer) == ("Client", "`request` must be an object of plain values: they become the query")


async def test_the_clients_own_fields_cross() -> None:
    """But not those about its envelope, nor those the target removes."""
    edit = HeaderEdit(((b"X-Key", b"k"),), (b"user-agent",))
    own = ("Authorization: Bearer b", "Cookie: a=1", "User-Agent: old", "X-Trace: t")
    about = ("Content-Type: text/xml", "SOAPAction: x", "Content-Encoding: identity", "Accept: text/xml")
    wire = Wire()
    await called(planned(edit=edit), wire, None, *own, *about, "Accept-Encoding: gzip", "MIME-Version: 1.0")
    assert wire.head[1:] == [
        b"Host: repairs.internal",
        b"Authorization: Bearer b",
        b"Cookie: a=1",
        b"X-Trace: t",
        b"Accept: application/json",
        b"Content-Type: application/json",
        b"Content-Length: 18",
        b"X-Key: k",
        b"X-Request-ID: r-1",
    ]


@pytest.mark.parametrize(
    ("method", "idempotent", "resend"),
    [
        (b"POST", None, False),
        (b"POST", True, True),
        (b"GET", None, False),
        (b"GET", True, True),
        (b"HEAD", None, False),
    ],
)
async def test_only_what_may_go_twice_is_sent_again(method: bytes, idempotent: bool | None, resend: bool) -> None:
    """By the route's word alone: an operation is not safe because a GET answers it."""
    wire = Wire()
    await called(planned(method, idempotent=idempotent), wire)
    sent = wire.sent[0]
    assert (sent.body, sent.chunked, sent.resend, sent.head_only) == (EMPTY, False, resend, method == b"HEAD")


async def test_callers_of_one_schema_share_its_codec() -> None:
    """Types are compiled once for all operations of a WSDL, while a table lasts."""
    connector, made = FacadeConnector(), planned()
    callers = [await connector.prepare(made.plans[NEW]) for _ in range(2)]
    assert callers[0]._facing._codec is callers[1]._facing._codec


@pytest.mark.parametrize("made", [planned(request="a..b"), planned(response="a..b")])
async def test_a_broken_mapping_is_told_when_the_table_is_built(made: PlannedRoute) -> None:
    """Not when the first client calls."""
    with pytest.raises(MappingInvalid):
        await FacadeConnector().prepare(made.plans[NEW])


async def test_a_packed_message_is_unpacked() -> None:
    """What is sent on is not packed, and does not say so."""
    wire = Wire()
    await called(planned(), wire, gzip.compress(ask()), "Content-Encoding: gzip")
    assert (wire.json, b"encoding" in b"".join(wire.head).lower()) == ({"AccountNo": "R1"}, False)


async def test_headers_of_the_envelope_can_be_mapped() -> None:
    """Both ways: the mapping reaches those of the client, and those of the reply come from the backend's JSON."""
    wire = Wire(b'{"Amount": "1", "next": "k2"}')
    made = planned(
        request={"key": "soap_header.Session.Key", "site": "query.site"},
        response="{Amount: Amount}",
        reply_headers={"Session": {"Key": "next"}},
    )
    answer = await called(
        made, wire, ask(headers=f'<Session xmlns="{SPACE}"><Key>k1</Key></Session>'), start="POST /rents?site=east"
    )
    assert wire.json == {"key": "k1", "site": "east"}
    assert etree.fromstring(answer.body.take())[0].findtext(f".//{{{SPACE}}}Key") == "k2"


# ------------------------------------------------------------------------------------------------ the path


@pytest.mark.parametrize(("account", "segment"), [("a/b?c", b"a%2Fb%3Fc"), ("é%#", b"%C3%A9%25%23"), ("...", b"...")])
async def test_a_value_cannot_leave_its_segment(account: str, segment: bytes) -> None:
    """Whatever means something in a path is encoded."""
    wire = Wire()
    await called(planned(), wire, ask(account))
    assert wire.target == b"/v2/accounts/%b/balance" % segment


@pytest.mark.parametrize(
    ("account", "name", "reason"),
    [
        ("..", b"AccountNo", "The AccountNo cannot be part of a path."),
        (".", b"AccountNo", "The AccountNo cannot be part of a path."),
        ("", b"AccountNo", "The AccountNo cannot be part of a path."),
        ("R1", b"AsAt", "The request has no AsAt."),
        ("R1", b"AccountNo.Of", "The request has no AccountNo.Of."),
    ],
)
async def test_a_path_that_cannot_be_filled_is_a_fault(account: str, name: bytes, reason: str) -> None:
    """A value that is missing, empty, or a step upwards; nothing is sent."""
    wire = Wire()
    answer = await called(planned(path=(b"/v2/", Placeholder("body", name))), wire, ask(account))
    assert (answer.head.status, answer.outcome, answer.acted, wire.sent) == (500, Outcome.REFUSED, "no", [])
    assert fault(answer) == ("Client", reason)


async def test_a_path_may_have_other_places() -> None:
    """Those of the request are filled, or missed, as on any route."""
    made = planned(path=(b"/v2/", Placeholder("query", b"site"), b"/", Placeholder("body", b"AccountNo")))
    wire = Wire()
    await called(made, wire, start="POST /rents?site=east")
    assert wire.target == b"/v2/east/R1"
    assert fault(await called(made, wire)) == ("Client", "The request has no query site.")


# ------------------------------------------------------------------------------------------------ refused requests


@pytest.mark.parametrize(
    ("content_type", "status", "answered"),
    [
        ("text/xml", 500, b"text/xml; charset=utf-8"),
        ("application/soap+xml; action=x", 400, b"application/soap+xml; charset=utf-8"),
    ],
)
async def test_what_is_no_envelope_is_a_fault(content_type: str, status: int, answered: bytes) -> None:
    """Of the version that the content type is of: the message cannot say."""
    answer = await called(planned(), Wire(), b"<no/>", f"Content-Type: {content_type}")
    assert (answer.head.status, answer.head.fields) == (status, ((b"Content-Type", answered),))
    assert (answer.outcome, answer.acted) == (Outcome.REFUSED, "no")
    assert fault(answer)[1] == "The message is not a SOAP envelope."


async def test_a_message_that_breaks_the_schema_is_a_fault() -> None:
    """In the version of its envelope, with every place where it is wrong."""
    content = f'<GetBalance xmlns="{SPACE}"><AsAt>soon</AsAt></GetBalance>'
    answer = await called(planned(), Wire(), envelope(content, V12), "Content-Type: text/xml")
    assert (answer.head.status, answer.outcome) == (400, Outcome.REFUSED)
    code, reason = fault(answer)
    assert code == "Sender"
    assert "/AccountNo: is missing" in reason
    assert "/AsAt: is not a date" in reason


@pytest.mark.parametrize("space", [V11, V12])
async def test_unknown_headers_that_insist_are_a_fault(space: str) -> None:
    """One that says so in its code, as both versions want it."""
    wire = Wire()
    answer = await called(planned(), wire, ask(space=space, headers='<t xmlns="urn:t" e:mustUnderstand="1"/>'))
    assert (answer.head.status, answer.outcome, wire.sent) == (500, Outcome.REFUSED, [])
    assert fault(answer) == ("MustUnderstand", "The request insists on headers that are not understood here: t.")


async def test_known_headers_may_insist() -> None:
    """Those that the operation declares are understood."""
    known = f'<Session xmlns="{SPACE}" e:mustUnderstand="1"><Key>k</Key></Session>'
    assert (await called(planned(), Wire(), ask(headers=known))).head.status == 200


async def test_a_mapping_that_cannot_be_applied_is_a_fault() -> None:
    """It is the message that the mapping does not take."""
    answer = await called(planned(request="sum(body.AccountNo)"), Wire(), ask(space=V12))
    code, reason = fault(answer)
    assert (code, answer.outcome) == ("Sender", Outcome.REFUSED)
    assert reason.startswith("`sum(body.AccountNo)` cannot be applied")


async def test_a_request_has_a_bound() -> None:
    """More than is decoded is 413."""
    with pytest.raises(ClientError, match="413"):
        await called(planned(decode=50), Wire())


async def test_json_has_a_depth() -> None:
    """A message nested deeper than JSON is written is a fault."""
    nest = complex_type()._replace(content=Group("choice", (field("Part", len(TYPES)), field("Leaf")), 0, None))
    schema = Schema((*TYPES, nest), SCHEMA.prefixes)
    deep = GET_BALANCE._replace(input=Message((field("Nest", len(TYPES)),)))
    data = envelope(f'<Nest xmlns="{SPACE}">{"<Part>" * 120}{"</Part>" * 120}</Nest>')
    answer = await called(planned(path=(b"/v2",), operation=deep, schema=schema), Wire(), data)
    assert fault(answer) == ("Client", "The request cannot be sent as JSON: Recursion limit reached.")


# ------------------------------------------------------------------------------------------------ replies


async def test_a_reply_is_mapped() -> None:
    """`response` makes the operation's JSON out of the backend's; elements come in the schema's order."""
    wire = Wire(b'{"charges": [{"amount": 1, "code": "A"}], "balance": 12.5}')
    made = planned(response="{Line: charges[].{Value: amount, Code: code}, Amount: balance}")
    amount, line = told(await called(made, wire))
    assert (amount.text, [each.text for each in line]) == ("12.5", ["A", "1"])


async def test_a_one_way_operation_is_accepted() -> None:
    """Nothing is expected back, and nothing is passed on."""
    answer = await called(planned(operation=GET_BALANCE._replace(output=None)), Wire(b"done"))
    assert (answer.head.status, answer.body.take(), answer.outcome, answer.acted) == (202, b"", Outcome.OK, "yes")


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"<html/>", 200, "repairs: "),
        (b"", 204, "repairs: /Amount: is missing"),
        (b'{"Amount": "much"}', 200, "repairs: /Amount: is not a decimal number"),
        (b"[]", 200, "repairs: "),
        (b"", 302, "repairs: HTTP 302 is no answer"),
        (b" " * 1_001, 200, "repairs: the answer is larger than 1000 bytes"),
    ],
)
async def test_a_reply_that_does_not_fit_is_the_backends_error(data: bytes, status: int, reason: str) -> None:
    """It is told to the log alone."""
    with pytest.raises(AnswerInvalid, match=reason):
        await called(planned(decode=1_000), Wire(data, status))


async def test_a_reply_that_cannot_be_mapped_is_the_backends_error() -> None:
    """The mapping is right, so what came is not."""
    with pytest.raises(AnswerInvalid, match=r"repairs: `\{Amount: sum\(Amount\)\}` cannot be applied"):
        await called(planned(response="{Amount: sum(Amount)}"), Wire())


# ------------------------------------------------------------------------------------------------ refusals


async def test_a_failure_tells_nothing() -> None:
    """It is this side's fault, and what the backend says may be a stack trace."""
    answer = await called(planned(), Wire(b'{"detail": "at line 5 of rents.py"}', 503))
    assert (answer.outcome, answer.acted) == (Outcome.BACKEND_ERROR, "maybe")
    assert fault(answer) == ("Server", "The service behind this address cannot answer now.")


async def test_a_refusal_blames_the_client() -> None:
    """In its own version, with the backend's words; it is an answer of the business."""
    answer = await called(planned(), Wire(b'{"detail": "Too late."}', 409), ask(space=V12))
    assert (answer.head.status, answer.outcome, answer.acted) == (400, Outcome.BUSINESS_FAULT, "yes")
    assert fault(answer) == ("Sender", "Too late.")


# ------------------------------------------------------------------------------------------------ large messages


async def test_large_messages_are_coded_elsewhere() -> None:
    """In another process, to the same result, both ways: the loop has no time for them."""
    wire = Wire(BALANCE + b" " * 70_000)
    mapped = planned(path=(b"/v2",), request={"no": "body.AccountNo", "site": "query.site"})
    answer = await called(mapped, wire, ask("R" * 70_000), start="POST /rents?site=east")
    assert wire.json == {"no": "R" * 70_000, "site": "east"}
    assert told(answer)[0].text == "12.50"


async def test_large_refusals_are_read_elsewhere() -> None:
    """To the same fault."""
    wire = Wire(b'{"detail": "Too late.", "log": "%b"}' % (b"x" * 70_000), 409)
    assert fault(await called(planned(), wire)) == ("Client", "Too late.")


async def test_what_is_wrong_with_large_messages_is_told_alike() -> None:
    """Refusals cross from the other process, with the version they are to be answered in."""
    broken = envelope(f'<GetBalance xmlns="{SPACE}"><No>{"R" * 70_000}</No></GetBalance>', V12)
    answer = await called(planned(), Wire(), broken)
    assert (answer.head.status, fault(answer)[0]) == (400, "Sender")
    insists = ask("R" * 70_000, headers='<t xmlns="urn:t" e:mustUnderstand="1"/>')
    assert fault(await called(planned(), Wire(), insists))[0] == "MustUnderstand"
    with pytest.raises(AnswerInvalid, match="Amount"):
        await called(planned(), Wire(b"{}" + b" " * 70_000))


# ------------------------------------------------------------------------------------------------ addressing

ASKING = GET_BALANCE._replace(addressing=Addressing("urn:in", "urn:out", (("NotFound", "urn:none"),)))
ACTION = GET_BALANCE.action


def addressed(more: str = "", action: str | None = ACTION) -> str:
    """Header blocks of an old client."""
    said = f"<a:Action>{action}</a:Action>" if action is not None else ""
    return f"{said}<a:MessageID>urn:m</a:MessageID>{more}"


def asked(headers: str, space: str = V11, account: str = "R1") -> bytes:
    whole = ask(account, space=space, headers=headers)
    return whole.replace(b"<e:Envelope ", f'<e:Envelope xmlns:a="{WSA}" '.encode())


def owed(answer: Answer) -> dict[str, str]:
    """The addressing headers of an answer."""
    root = etree.fromstring(answer.body.take())
    return {etree.QName(each).localname: each.text for each in root.iter(f"{{{WSA}}}*")}


@pytest.mark.parametrize("space", [V11, V12])
@pytest.mark.parametrize("action", [ACTION, "urn:in", None])
async def test_a_reply_says_what_it_answers(space: str, action: str | None) -> None:
    """To a client that says what it asks: by either of the operation's actions, or by none."""
    answer = await called(planned(operation=ASKING), Wire(), asked(addressed(action=action), space))
    found = owed(answer)
    assert found.pop("MessageID").startswith("urn:uuid:")
    assert found == {"Action": "urn:out", "RelatesTo": "urn:m"}


async def test_every_reply_has_an_id_of_its_own() -> None:
    """Made of the chance that the connector was given."""
    made = planned(operation=ASKING)
    chances = iter([bytes(16), bytes(range(16))])
    caller = await FacadeConnector(lambda size: next(chances)).prepare(made.plans[NEW])
    found = []
    for _ in range(2):
        call = Call(request(START), made, made.plans[NEW], LINES, whole(asked(addressed())))
        found.append(owed(await caller.call(call, Wire().send))["MessageID"])
    assert found == [message_id(bytes(16)), message_id(bytes(range(16)))]


async def test_a_client_without_addressing_gets_none() -> None:
    """Nothing is added to the reply that it knows."""
    assert owed(await called(planned(operation=ASKING), Wire())) == {}


@pytest.mark.parametrize("space", [V11, V12])
@pytest.mark.parametrize(
    ("data", "status", "action"),
    [
        (b'{"AccountNo": "R9"}', 404, "urn:none"),
        (b"{}", 409, f"{WSA}/soap/fault"),
        (b"", 500, f"{WSA}/soap/fault"),
    ],
)
async def test_faults_say_what_they_answer(space: str, data: bytes, status: int, action: str) -> None:
    """A declared one has an action of its own."""
    made = planned(operation=ASKING, faults=(("NotFound", 404),))
    found = owed(await called(made, Wire(data, status), asked(addressed(), space)))
    assert (found["Action"], found["RelatesTo"]) == (action, "urn:m")


@pytest.mark.parametrize("space", [V11, V12])
@pytest.mark.parametrize(
    "data",
    [
        lambda space: asked(addressed(), space, account="</AccountNo><AccountNo>"),
        lambda space: asked(addressed('<x e:mustUnderstand="1"/>'), space),
        lambda space: asked(addressed(), space, account=".."),
    ],
    ids=["does not fit", "insists", "cannot be a path"],
)
async def test_refusals_say_what_they_answer(space: str, data: Any) -> None:
    """Those of the gateway, whenever they are found out."""
    wire = Wire()
    found = owed(await called(planned(operation=ASKING), wire, data(space)))
    assert (found["Action"], found["RelatesTo"], wire.sent) == (f"{WSA}/soap/fault", "urn:m", [])


async def test_a_mapping_that_fails_says_what_it_answers() -> None:
    """Its fault, too, is an answer to the message."""
    made = planned(operation=ASKING, request="abs(body.AccountNo)")
    assert owed(await called(made, Wire(), asked(addressed())))["RelatesTo"] == "urn:m"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (addressed(action="urn:Pay"), "ActionNotSupported"),
        (addressed("<a:ReplyTo><a:Address>http://c</a:Address></a:ReplyTo>"), "OnlyAnonymousAddressSupported"),
        (addressed("<a:MessageID>urn:n</a:MessageID>"), "InvalidCardinality"),
    ],
)
@pytest.mark.parametrize("space", [V11, V12])
async def test_what_cannot_be_obeyed_is_refused(space: str, headers: str, code: str) -> None:
    """With the standard's own code and action, and nothing is sent."""
    wire = Wire()
    answer = await called(planned(operation=ASKING), wire, asked(headers, space))
    text = answer.body.take()
    assert (answer.outcome, answer.acted, wire.sent) == (Outcome.REFUSED, "no", [])
    assert f">c:{code}<".encode() in text
    assert f">{WSA}/fault<".encode() in text


async def test_large_messages_are_addressed_alike() -> None:
    """What their reply owes, and what is wrong with their headers, crosses from the other process."""
    made = planned(operation=ASKING)
    assert owed(await called(made, Wire(), asked(addressed(), account="R" * 70_000)))["RelatesTo"] == "urn:m"
    refused = await called(made, Wire(), asked(addressed(action="urn:Pay"), account="R" * 70_000))
    assert owed(refused)["Action"] == f"{WSA}/fault"


async def test_headers_for_others_are_not_ours() -> None:
    """A header for another actor says nothing here."""
    other = addressed(action="urn:Pay").replace("<a:Action>", '<a:Action e:actor="urn:other">')
    assert owed(await called(planned(operation=ASKING), Wire(), asked(other)))["RelatesTo"] == "urn:m"


async def test_the_answer_to_a_one_way_message_goes_nowhere() -> None:
    """Then it may say so."""
    made = planned(operation=ASKING._replace(output=None))
    nowhere = f"<a:ReplyTo><a:Address>{WSA}/none</a:Address></a:ReplyTo>"
    answer = await called(made, Wire(), asked(addressed(nowhere)))
    assert (answer.head.status, answer.body.take()) == (202, b"")


async def test_a_body_without_an_operation_contradicts_nothing() -> None:
    """It is refused for what it lacks."""
    data = asked(addressed()).partition(b"<e:Body>")[0] + b"<e:Body/></e:Envelope>"
    answer = await called(planned(operation=ASKING), Wire(), data)
    assert b"ActionNotSupported" not in answer.body.take()
