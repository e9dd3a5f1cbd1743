"""The messages of one target, bytes to bytes. What they are in all their variety is in test_client.py."""

import json
from typing import Any

import pytest

from connectors.soap.addressing import WSA, message_id
from connectors.soap.coding import AnswerUnusable, Coding, coding
from connectors.soap.plan import Addressing
from connectors.soap.problems import Invalid
from connectors.soap.security import LogOn, Session
from connectors.soap.sessions import SessionOver
from connectors.soap.target import SoapTarget
from gateway.core.model import Outcome
from gateway.errors import AnswerInvalid, ClientError
from tests.connectors.soap.samples import GET_BALANCE, SCHEMA, SPACE, reply_xml

V11 = "http://schemas.xmlsoap.org/soap/envelope/"


def made(**how: Any) -> Coding:
    """As the process for large messages makes it: of plain values alone."""
    return coding(SoapTarget(GET_BALANCE, **how), SCHEMA)


def envelope(content: str) -> bytes:
    return f'<e:Envelope xmlns:e="{V11}"><e:Body>{content}</e:Body></e:Envelope>'.encode()


def test_json_becomes_a_message_and_a_reply_json() -> None:
    """The operation's own JSON both ways, without a mapping."""
    message = made().message(b'{"AccountNo": "R&1"}', {}, 0.0, b"")
    assert b"AccountNo>R&amp;1</" in message
    answer = made().answer(200, envelope(reply_xml()), "r-1")
    assert (answer.outcome, json.loads(answer.body.take())) == (Outcome.OK, {"Amount": "12.50", "Line": []})


@pytest.mark.parametrize("how", [{"request": {"AccountNo": "path.account"}}, {"headers": {"Session.Key": "header.k"}}])
def test_it_says_whether_it_reads_the_request(how: dict[str, Any]) -> None:
    """Only a mapping asks for more of it than the body."""
    assert (made().reads_request, made(**how).reads_request) == (False, True)


def test_what_is_no_json_is_refused() -> None:
    """With where it breaks."""
    with pytest.raises(ClientError, match="400: The request body is not JSON"):
        made().message(b"{", {}, 0.0, b"")


@pytest.mark.parametrize(
    ("code", "status", "outcome", "acted"),
    [
        ("Client", 500, Outcome.BUSINESS_FAULT, "maybe"),
        ("Client", 401, Outcome.BACKEND_ERROR, "no"),
        ("Server", 500, Outcome.BACKEND_ERROR, "maybe"),
    ],
)
def test_a_fault_that_blames_the_client_is_an_answer(code: str, status: int, outcome: Outcome, acted: str) -> None:
    """It opens no breaker, unless the status says that the gateway itself was not let in."""
    fault = f"<e:Fault><faultcode>e:{code}</faultcode><faultstring>No.</faultstring></e:Fault>"
    answer = made().answer(status, envelope(fault), "r-1")
    assert (answer.outcome, answer.acted) == (outcome, acted)


def test_a_declared_fault_is_one_at_any_status() -> None:
    """Even where HTTP speaks of a logon."""
    detail = f'<AccountNotFound xmlns="{SPACE}"><AccountNo>R9</AccountNo></AccountNotFound>'
    fault = f"<e:Fault><faultcode>e:Client</faultcode><detail>{detail}</detail></e:Fault>"
    answer = made().answer(401, envelope(fault), "r-1")
    assert (answer.head.status, answer.outcome, answer.acted) == (422, Outcome.BUSINESS_FAULT, "yes")


def test_what_is_no_envelope_is_unusable() -> None:
    """Why is for the log."""
    with pytest.raises(AnswerUnusable, match="HTTP 200: The message is not a SOAP envelope"):
        made().answer(200, b"<html/>", "r-1")


UNDECLARED = f"""<soap:Envelope xmlns:soap="{V11}"><soap:Body><GetBalanceResponse xmlns="{SPACE}">
<Amount xsi:nil="true"/></GetBalanceResponse></soap:Body></soap:Envelope>"""


@pytest.mark.parametrize("size", [0, 10_000])
def test_a_reply_that_declares_no_xsi(size: int) -> None:
    """Servers that forget to are understood all the same, by either parser; the reply is flagged."""
    answer = made().answer(200, UNDECLARED.encode() + b" " * size, "r-1")
    assert json.loads(answer.body.take()) == {"Amount": None, "Line": []}
    assert dict(answer.head.fields)[b"X-Banyan-Schema"].startswith(b"lenient; problems=")


@pytest.mark.parametrize("size", [0, 10_000])
def test_a_strict_target_wants_all_prefixes_declared(size: int) -> None:
    """What is not well-formed is no answer then."""
    with pytest.raises(
        AnswerUnusable, match=r"^HTTP 200: The message uses a prefix that it does not declare: line 2, "
    ):
        made(strict=True).answer(200, UNDECLARED.encode() + b" " * size, "r-1")


def test_a_prefix_that_nobody_knows() -> None:
    """It could mean anything, so the reply is none."""
    with pytest.raises(AnswerUnusable, match="a prefix that it does not declare"):
        made().answer(200, UNDECLARED.replace("xsi:nil", "odd:nil").encode(), "r-1")


# ------------------------------------------------------------------------------------------------ in a session

SESSION = Session(
    LogOn(GET_BALANCE, {}),
    header={"Session.Key": "token"},
    body={"AccountNo": "token"},
    renew_on=("NotFound", "Locked"),
    renew_when="Amount == '0.00'",
)


def fault(code: str, detail: str = "") -> bytes:
    return envelope(f"<e:Fault><faultcode>{code}</faultcode><detail>{detail}</detail></e:Fault>")


def test_the_token_is_an_argument() -> None:
    """So the process for large messages holds no session: it stands where the message has room for it."""
    message = made(session=SESSION).message(b"{}", {}, 0.0, b"", "T-1").decode()
    assert "<n0:Session><n0:Key>T-1</n0:Key></n0:Session></soap:Header>" in message
    assert "<n0:AccountNo>T-1</n0:AccountNo>" in message
    both = made(session=SESSION._replace(header=None), headers={"Session.Key": "header.k"})
    assert "<n0:Key>mine</n0:Key>" in both.message(b"{}", {"header": {"k": "mine"}}, 0.0, b"", "T-1").decode()


def test_what_does_not_fit_is_the_clients_unless_it_is_the_tokens() -> None:
    """A token with no room in the message is an error of the backend; everything else is listed for the client."""
    in_session = made(session=SESSION._replace(header=None))
    with pytest.raises(AnswerInvalid, match="a token that does not fit: /AccountNo: must be a string"):
        in_session.message(b'{"AsAt": 1}', {}, 0.0, b"", {"a": 1})
    with pytest.raises(Invalid, match="/AsAt: "):
        in_session.message(b'{"AsAt": 1}', {}, 0.0, b"", "T-1")
    with pytest.raises(Invalid, match="/AccountNo: is missing"):
        made(session=SESSION._replace(body=None)).message(b"{}", {}, 0.0, b"", "T-1")


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (401, b"Log on."),
        (403, b""),
        (401, fault("e:Server")),
        (500, fault("e:Locked")),
        (500, fault("e:Client", f'<AccountNotFound xmlns="{SPACE}"/>')),
        (500, fault("w:FailedAuthentication")),
        (500, fault("e:Client", "<Locked/>")),
        (200, envelope(reply_xml("0.00"))),
    ],
)
def test_what_says_that_the_session_is_over(status: int, data: bytes) -> None:
    """The status, a code of WS-Security, a fault by any of its names, or the result; without a session none does."""
    with pytest.raises(SessionOver):
        made(session=SESSION).answer(status, data, "r-1")
    assert made().answer(status, data, "r-1").head.status >= 200


@pytest.mark.parametrize(
    ("status", "data", "outcome"),
    [
        (407, b"Log on.", Outcome.BACKEND_ERROR),
        (500, fault("e:Server"), Outcome.BACKEND_ERROR),
        (500, fault("e:Client"), Outcome.BUSINESS_FAULT),
        (200, envelope(reply_xml()), Outcome.OK),
    ],
)
def test_what_does_not(status: int, data: bytes, outcome: Outcome) -> None:
    """A proxy wants another proof than the session; other faults and results are what they always are."""
    assert made(session=SESSION).answer(status, data, "r-1").outcome is outcome


def test_a_reply_to_another_message_is_unusable() -> None:
    """Where the call was addressed: it is known by the chance that its own id was made of."""
    asking = GET_BALANCE._replace(addressing=Addressing("urn:in", namespace=WSA))
    chance = bytes(range(16))
    ours, theirs = (
        f'<a:RelatesTo xmlns:a="{WSA}">{each}</a:RelatesTo>'.encode() for each in (message_id(chance), "urn:x")
    )
    made = coding(SoapTarget(asking), SCHEMA)
    assert message_id(chance).encode() in made.message(b'{"AccountNo": "R1"}', {}, 0.0, chance)
    reply = envelope(reply_xml()).replace(b"<e:Body>", b"<e:Header>%b</e:Header><e:Body>")
    assert made.answer(200, reply % ours, "r-1", chance).outcome == Outcome.OK
    with pytest.raises(AnswerUnusable, match="a reply to another message"):
        made.answer(200, reply % theirs, "r-1", chance)
    unaddressed = coding(SoapTarget(GET_BALANCE), SCHEMA)
    assert unaddressed.answer(200, reply % theirs, "r-1", chance).outcome == Outcome.OK


def test_a_header_that_cannot_be_mapped_is_the_requests_fault() -> None:
    """As with the rest of a request."""
    with pytest.raises(ClientError, match="422: The request cannot be mapped"):
        made(headers={"Session": "sum(body.AccountNo)"}).message(b'{"AccountNo": "R1"}', {}, 0.0, b"")


def test_headers_see_the_request_as_it_was_given() -> None:
    """Whatever travels beside the envelope stands there as a string."""
    coded, account = made(headers={"Session": "{Key: join('', [body.AccountNo, 'x'])}"}, mtom=True), "R" * 2_000
    sent = coded.sent(json.dumps({"AccountNo": account}).encode(), {}, 0.0, b"", None, bytes(16), False)
    assert f"Key>{account}x<".encode() in sent.envelope
