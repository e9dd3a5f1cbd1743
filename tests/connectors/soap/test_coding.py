"""The messages of one target, bytes to bytes. What they are in all their variety is in test_client.py."""

import json
from typing import Any

import pytest

from connectors.soap.coding import AnswerUnusable, Coding, coding
from connectors.soap.target import SoapTarget
from gateway.core.model import Outcome
from gateway.errors import ClientError
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


def test_a_header_that_cannot_be_mapped_is_the_requests_fault() -> None:
    """As with the rest of a request."""
    with pytest.raises(ClientError, match="422: The request cannot be mapped"):
        made(headers={"Session": "sum(body.AccountNo)"}).message(b'{"AccountNo": "R1"}', {}, 0.0, b"")


def test_headers_see_the_request_as_it_was_given() -> None:
    """Whatever travels beside the envelope stands there as a string."""
    coded, account = made(headers={"Session": "{Key: join('', [body.AccountNo, 'x'])}"}, mtom=True), "R" * 2_000
    sent = coded.sent(json.dumps({"AccountNo": account}).encode(), {}, 0.0, b"", bytes(16), False)
    assert f"Key>{account}x<".encode() in sent.envelope
