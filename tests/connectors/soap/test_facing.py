"""What a SOAP client is told when its backend refuses: faults, typed where the WSDL declares them."""

import json
from typing import Any

import pytest
from lxml import etree

from connectors.soap.codec import Codec
from connectors.soap.facing import NO_ANSWER, Facing, facing
from connectors.soap.plan import Message
from connectors.soap.problems import Invalid
from connectors.soap.target import FacadeTarget
from gateway.core.model import Outcome
from gateway.core.problems import SOAP_11, SOAP_12
from tests.connectors.soap.samples import ENCODED, GET_BALANCE, SCHEMA, SPACE, complex_type, field

FAULTS = (("NotFound", 404), ("Undeclared", 409))


def refused(said: Any, status: int = 404, envelope: str = SOAP_11, **how: Any) -> tuple[str, list[str]]:
    """The words of the fault that a refusal becomes, and its detail."""
    target = FacadeTarget(**{"operation": GET_BALANCE, "schema": SCHEMA, "faults": FAULTS, **how})
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    answer = Facing(target, Codec(target.schema)).refusal(envelope, status, data, "r-1")
    root = etree.fromstring(answer.body.take())
    (reason,) = root.xpath("//*[local-name() = 'faultstring' or local-name() = 'Text']/text()")
    details = root.xpath("//*[local-name() = 'detail' or local-name() = 'Detail']/*")
    return reason.removesuffix(" (request r-1)"), [etree.tostring(each, method="c14n").decode() for each in details]


def texts(detail: list[str]) -> list[tuple[str, str]]:
    """The elements of a detail, by name."""
    (root,) = (etree.fromstring(each) for each in detail)
    assert root.tag == f"{{{SPACE}}}AccountNotFound"
    return [(etree.QName(each).localname, each.text) for each in root]


@pytest.mark.parametrize("envelope", [SOAP_11, SOAP_12])
def test_a_declared_fault_has_its_detail(envelope: str) -> None:
    """Out of a problem document: its own members are the detail's, and those of HTTP are dropped."""
    problem = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "No R9.", "AccountNo": "R9"}
    reason, detail = refused(problem, envelope=envelope)
    assert (reason, texts(detail)) == ("No R9.", [("AccountNo", "R9")])


def test_a_detail_may_be_an_object() -> None:
    """It is taken where it fits, and the document's own members otherwise."""
    reason, detail = refused({"title": "Gone.", "detail": {"AccountNo": "R8"}, "AccountNo": "R9"})
    assert (reason, texts(detail)) == ("Gone.", [("AccountNo", "R8")])
    _, detail = refused({"detail": {"Account": "R8"}, "AccountNo": "R9"})
    assert texts(detail) == [("AccountNo", "R9")]


def test_a_detail_may_have_members_of_http_s_names() -> None:
    """What the schema knows is kept."""
    schema = SCHEMA._replace(types=(*SCHEMA.types[:3], complex_type(field("title"), field("AccountNo"))))
    _, detail = refused({"title": "T", "status": 404, "AccountNo": "R9"}, schema=schema)
    assert texts(detail) == [("title", "T"), ("AccountNo", "R9")]


@pytest.mark.parametrize("said", [{}, {"AccountNo": 5}, [], "no", b"<html/>", b"", b"\xff"])
def test_a_detail_that_does_not_fit_is_left_out(said: Any) -> None:
    """The fault's name is the reason where the backend gives none."""
    assert refused(said) == ("NotFound", [])


def test_a_fault_need_not_be_the_wsdls() -> None:
    """One that only the route knows has no detail."""
    assert refused({"AccountNo": "R9"}, 409) == ("Undeclared", [])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"detail": "No <R9> & co.", "title": "Not Found"}, "No <R9> & co."),
        ({"detail": "", "title": "Not Found"}, "Not Found"),
        ({"detail": ["a"], "title": 5}, "The request was refused (400)."),
        ({"detail": "a\x00b\x1bc"}, "abc"),
    ],
)
def test_the_reason_is_the_backends(said: Any, reason: str) -> None:
    """Its text, without what XML cannot carry; never how a program would print something else."""
    assert refused(said, 400) == (reason, [])


def test_a_failure_tells_nothing_unless_it_is_declared() -> None:
    """A status that the route declares is an answer, even above 499."""
    assert refused({"detail": "secret"}, 500) == (NO_ANSWER, [])
    assert refused({"detail": "Busy."}, 503, faults=(("Busy", 503),)) == ("Busy.", [])


def test_refusals_are_answers_and_failures_are_not() -> None:
    """A business fault opens no breaker; a failure may have acted."""
    made = facing(FacadeTarget(GET_BALANCE, SCHEMA, faults=FAULTS), SCHEMA)
    answers = [made.refusal(SOAP_11, status, b"", "r-1") for status in (404, 400, 500)]
    assert [(each.head.status, each.outcome, each.acted) for each in answers] == [
        (500, Outcome.BUSINESS_FAULT, "yes"),
        (500, Outcome.BUSINESS_FAULT, "yes"),
        (500, Outcome.BACKEND_ERROR, "maybe"),
    ]


def test_no_json_is_an_empty_object() -> None:
    """A backend that has nothing to say need not say it."""
    made = facing(FacadeTarget(GET_BALANCE._replace(output=Message((field("Nest", 6),))), SCHEMA), SCHEMA)
    assert b"Nest" in made.reply("1.1", b" ")


def test_an_encoded_reply_declares_the_encoding() -> None:
    """Its arrays need the prefix."""
    made = facing(FacadeTarget(GET_BALANCE._replace(output=ENCODED), SCHEMA), SCHEMA)
    reply = made.reply("1.1", b'{"lines": [{"Code": "A", "Value": "1"}], "note": "n"}')
    assert b'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"' in reply
    assert b"soapenc:arrayType" in reply


# ------------------------------------------------------------------------------------------------ headers


def session(content: str) -> bytes:
    """A call with a header that the operation declares, and one that it does not."""
    headers = f'<Other xmlns="urn:o"/><Session xmlns="{SPACE}">{content}</Session>'
    body = f'<GetBalance xmlns="{SPACE}"><AccountNo>R1</AccountNo></GetBalance>'
    return (
        f'<e:Envelope xmlns:e="{SOAP_11}"><e:Header>{headers}</e:Header><e:Body>{body}</e:Body></e:Envelope>'.encode()
    )


@pytest.mark.parametrize(
    ("content", "expected"), [("<Key>k</Key>", b'{"key":"k"}'), ("", b"{}"), ("<No/><Key>k</Key>", b'{"key":"k"}')]
)
def test_declared_headers_are_in_reach_of_the_mapping(content: str, expected: bytes) -> None:
    """As far as they can be read; nobody is refused for one of them."""
    made = facing(FacadeTarget(GET_BALANCE, SCHEMA, request={"key": "soap_header.Session.Key"}), SCHEMA)
    assert made.asked(session(content), {}, b"")[1].body == expected


def test_headers_are_read_only_for_a_mapping() -> None:
    """They cost nothing otherwise."""
    made = facing(FacadeTarget(GET_BALANCE, SCHEMA), SCHEMA)
    assert made.request(session("<Key>k</Key>"), b"").headers == {}
    wants = Facing(FacadeTarget(GET_BALANCE, SCHEMA), Codec(SCHEMA), reads_headers=True)
    assert wants.request(session("<Key>k</Key>"), b"").headers == {"Session": {"Key": "k"}}


@pytest.mark.parametrize(("data", "expected"), [(b'{"Amount": "1", "key": "k"}', "k"), (b'{"Amount": "1"}', None)])
def test_headers_of_the_reply_come_from_json(data: bytes, expected: str | None) -> None:
    """Of the backend's own JSON; one that is missing there is left out."""
    made = facing(
        FacadeTarget(GET_BALANCE, SCHEMA, response="{Amount: Amount}", reply_headers={"Session.Key": "key"}), SCHEMA
    )
    root = etree.fromstring(made.reply("1.2", data))
    assert root.findtext(f"{{{SOAP_12}}}Header/{{{SPACE}}}Session/{{{SPACE}}}Key") == expected
    assert len(root) == (2 if expected else 1)


def test_a_header_of_the_reply_that_does_not_fit_is_an_error() -> None:
    """As a reply that does not."""
    made = facing(FacadeTarget(GET_BALANCE, SCHEMA, reply_headers={"Session.No": "Amount"}), SCHEMA)
    with pytest.raises(Invalid):
        made.reply("1.1", b'{"Amount": "1"}')
