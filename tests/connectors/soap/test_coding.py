"""The messages of one target, bytes to bytes. What they are in all their variety is in test_client.py."""

import json
from typing import Any

import pytest

from connectors.soap.addressing import WSA, message_id
from connectors.soap.coding import AnswerUnusable, Coding, coding
from connectors.soap.plan import Addressing
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
