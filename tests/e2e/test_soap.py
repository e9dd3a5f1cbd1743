"""One SOAP endpoint, each operation a route of its own; the bytes of an envelope are never touched."""

import gzip
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.client import HOST
from tests.support.gateway import Gateway
from tests.support.messages import Message, answer
from tests.support.origin import Origin

ONE = "http://schemas.xmlsoap.org/soap/envelope/"
TWO = "http://www.w3.org/2003/05/soap-envelope"
PATH = "/services/Rents.asmx"


class Estate(NamedTuple):
    gateway: Gateway
    legacy: Origin
    new: Origin


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Origin() as legacy, Origin() as new:
        legacy.on(PATH, answer(b"legacy"))
        new.on(PATH, answer(b"new"))
        routes = f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{url: "{legacy.url}"}}
  new: {{url: "{new.url}"}}
  dead: {{url: "http://127.0.0.1:9"}}
routes:
  - {{name: rents, match: ANY {PATH}, legacy: old}}
  - {{name: balance, match: "SOAP {PATH}#GetBalance", safe: true, legacy: old, new: new, serve: new}}
  - name: charge
    match:
      path: {PATH}
      soap: {{operation: Charge, element: "{{urn:rents}}ChargeRequest", action: "urn:rents/charge-it"}}
    legacy: old
    new: new
    serve: new
  - {{name: lonely, match: "SOAP /lonely#Only", legacy: new}}
  - {{name: down, match: "SOAP /down#Only", legacy: dead}}
  - {{name: plain, match: ANY /plain, legacy: dead}}
  - {{name: small, match: "SOAP /small#Only", legacy: old, max_body: 1KiB}}
  - {{name: gone, match: "SOAP /gone#Only", legacy: old, serve: retired}}
"""
        with Gateway(tmp_path_factory.mktemp("gateway"), routes) as gateway:
            yield Estate(gateway, legacy, new)


def envelope(call: str, version: str = ONE, header: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>\n<!-- kept -->\n<s:Envelope xmlns:s="{version}">'
        f"<s:Header>{header}</s:Header>\n <s:Body>{call}</s:Body></s:Envelope>"
    ).encode()


def balance(version: str = ONE, header: str = "") -> bytes:
    return envelope('<r:GetBalance xmlns:r="urn:rents"><r:No>é&#8364;7</r:No></r:GetBalance>', version, header)


def send(estate: Estate, body: bytes, *fields: str, path: str = PATH) -> Message:
    given = fields if any(field.startswith("Content-Type") for field in fields) else ("Content-Type: text/xml", *fields)
    return estate.gateway.call("POST", path, *given, body=body)


def test_an_operation_moves_alone(estate: Estate) -> None:
    """GetBalance goes to the new side, byte for byte; another operation stays where it was."""
    body = balance()
    assert send(estate, body, 'SOAPAction: "urn:rents/GetBalance"').body == b"new"
    assert estate.new.seen(PATH)[-1].body == body
    assert send(estate, envelope('<Other xmlns="urn:rents"/>'), 'SOAPAction: "urn:rents/Other"').body == b"legacy"


def test_soap_1_2_is_dispatched_alike(estate: Estate) -> None:
    """The action stands in the content type there, or nowhere."""
    named = 'Content-Type: application/soap+xml; charset=utf-8; action="urn:rents/GetBalance"'
    assert send(estate, balance(TWO), named).body == b"new"
    assert send(estate, balance(TWO), "Content-Type: application/soap+xml").body == b"new"


def test_no_action_is_enough(estate: Estate) -> None:
    """An empty or missing SOAPAction contradicts nothing."""
    assert send(estate, balance(), 'SOAPAction: ""').body == b"new"
    assert send(estate, balance()).body == b"new"


def test_element_and_action_may_be_declared(estate: Estate) -> None:
    """Where the Body's child is not called like the operation, the route says how."""
    body = envelope('<ChargeRequest xmlns="urn:rents"/>')
    assert send(estate, body, 'SOAPAction: "urn:rents/charge-it"').body == b"new"
    assert send(estate, envelope('<ChargeRequest xmlns="urn:other"/>')).body == b"legacy"
    assert send(estate, body, 'SOAPAction: "urn:rents/something-else"').status == 500


def test_packed_requests_are_looked_into_and_sent_as_they_came(estate: Estate) -> None:
    """gzip is opened to see the operation; the backend gets the packed bytes."""
    body = gzip.compress(balance())
    assert send(estate, body, "Content-Encoding: gzip").body == b"new"
    sent = estate.new.seen(PATH)[-1]
    assert (sent.body, sent.get("Content-Encoding")) == (body, "gzip")


def test_attachments_are_looked_past(estate: Estate) -> None:
    """A multipart message (MTOM, attachments): the operation stands in its first part."""
    body = (
        b'--cut\r\nContent-Type: application/xop+xml; type="text/xml"\r\nContent-ID: <root>\r\n\r\n'
        + balance()
        + b"\r\n--cut\r\nContent-Type: image/png\r\n\r\n"
        + bytes(range(256)) * 1_000
        + b"\r\n--cut--\r\n"
    )
    assert (
        send(estate, body, 'Content-Type: multipart/related; boundary=cut; type="application/xop+xml"').body == b"new"
    )
    assert estate.new.seen(PATH)[-1].body == body


def test_long_security_headers_are_read_through(estate: Estate) -> None:
    """The operation is found behind 50 KB of headers, also when it all comes chunked and in pieces."""
    body = balance(header="<x>" + "s" * 50_000 + "</x>")
    assert send(estate, body).body == b"new"
    with estate.gateway.client() as client:
        framing = "Content-Type: text/xml\r\nTransfer-Encoding: chunked"
        client.send(f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\n\r\n".encode())
        for at in range(0, len(body), 7_000):
            piece = body[at : at + 7_000]
            client.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        client.send(b"0\r\n\r\n")
        assert client.hear().body == b"new"
    assert estate.new.seen(PATH)[-1].body == body


def test_an_operation_out_of_sight_is_a_fault(estate: Estate) -> None:
    """Beyond 64 KiB nobody looks: the client is told, and no backend is called."""
    before = len(estate.legacy.requests) + len(estate.new.requests)
    reply = send(estate, balance(header="<x>" + "s" * 80_000 + "</x>"))
    assert (reply.status, b"64 KiB" in reply.body) == (500, True)
    assert len(estate.legacy.requests) + len(estate.new.requests) == before


@pytest.mark.parametrize(("version", "status", "blame"), [(ONE, 500, b"e:Client"), (TWO, 400, b"e:Sender")])
def test_a_contradicting_action_is_a_client_fault(estate: Estate, version: str, status: int, blame: bytes) -> None:
    """Servers differ in whether they believe the action or the body, so neither is chosen for them."""
    before = len(estate.legacy.requests) + len(estate.new.requests)
    if version == ONE:
        reply = send(estate, balance(version), 'SOAPAction: "urn:rents/Delete"')
    else:
        reply = send(estate, balance(version), 'Content-Type: application/soap+xml; action="urn:rents/Delete"')
    assert (reply.status, blame in reply.body) == (status, True)
    assert "xml" in (reply.get("Content-Type") or "")
    assert len(estate.legacy.requests) + len(estate.new.requests) == before


def test_an_action_of_a_listed_operation_cannot_hide_another_body(estate: Estate) -> None:
    """`SOAPAction: GetBalance` over another body is refused too: a backend might believe it."""
    reply = send(estate, envelope('<Other xmlns="urn:rents"/>'), 'SOAPAction: "urn:rents/GetBalance"')
    assert reply.status == 500


@pytest.mark.parametrize(
    ("path", "status", "blame", "reason"),
    [
        ("/down", 500, b"e:Server", b"The service behind this address cannot be reached"),
        ("/small", 500, b"e:Client", b"larger than 1024 bytes"),
        ("/gone", 500, b"e:Client", b"retired"),
    ],
)
def test_a_refused_client_of_soap_gets_a_fault(
    estate: Estate, path: str, status: int, blame: bytes, reason: bytes
) -> None:
    """A backend that is down, a body that is too large, a service that is gone: told in the client's own language."""
    reply = send(estate, envelope("<Only>" + "x" * 2_000 + "</Only>"), path=path)
    assert (reply.status, reply.get("Content-Type")) == (status, "text/xml; charset=utf-8")
    assert (blame in reply.body, reason in reply.body) == (True, True)
    modern = send(estate, envelope("<Only/>", TWO), "Content-Type: application/soap+xml", path="/down")
    assert (modern.status, modern.get("Content-Type"), b"e:Receiver" in modern.body) == (
        500,
        "application/soap+xml; charset=utf-8",
        True,
    )


def test_a_plain_route_answers_in_the_language_of_its_client(estate: Estate) -> None:
    """On a route that takes anything, who speaks SOAP gets a fault, and everyone else a problem document."""
    fault = send(estate, envelope("<Only/>"), 'SOAPAction: ""', path="/plain")
    assert (fault.status, fault.get("Content-Type")) == (500, "text/xml; charset=utf-8")
    problem = send(estate, envelope("<Only/>"), path="/plain")
    assert (problem.status, problem.get("Content-Type")) == (502, "application/problem+json")


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + balance()[22:],
        b"<s:Envelope xmlns:s='" + ONE.encode() + b"'><s:Body><GetBalance",
        b"not xml at all",
        b"",
        envelope(""),
    ],
    ids=["doctype", "cut off", "not xml", "empty", "no operation"],
)
def test_broken_envelopes_are_client_faults(estate: Estate, body: bytes) -> None:
    """What cannot be dispatched is answered with a SOAP fault and sent to nobody."""
    before = len(estate.legacy.requests) + len(estate.new.requests)
    reply = send(estate, body)
    assert (reply.status, b"Fault>" in reply.body) == (500, True)
    assert len(estate.legacy.requests) + len(estate.new.requests) == before


def test_everything_else_at_the_address_goes_to_the_plain_route(estate: Estate) -> None:
    """`?wsdl`, other methods and bodies that are no SOAP fall to the path's own route."""
    assert estate.gateway.get(f"{PATH}?wsdl").body == b"legacy"
    assert estate.legacy.seen(PATH)[-1].target == f"{PATH}?wsdl"
    assert send(estate, b"a=1", "Content-Type: application/x-www-form-urlencoded").body == b"legacy"
    assert estate.gateway.call("PUT", PATH, "Content-Type: text/xml", body=balance()).body == b"legacy"


def test_an_unlisted_operation_without_a_plain_route_is_404(estate: Estate) -> None:
    """Where only operations have routes, others are not found."""
    assert send(estate, envelope("<Only/>"), path="/lonely").status == 200
    assert send(estate, balance(), path="/lonely").status in (404, 405)


def test_a_client_that_waits_for_100_gets_it_from_the_gateway(estate: Estate) -> None:
    """The body decides the route, so the gateway asks for it itself, and the backend gets no expectation."""
    body = balance()
    with estate.gateway.client() as client:
        client.send(
            f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/xml\r\nExpect: 100-continue\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        assert client.hear().status == 100
        client.send(body)
        assert client.hear().body == b"new"
    assert estate.new.seen(PATH)[-1].get("Expect") is None


def test_big_envelopes_stream(estate: Estate) -> None:
    """An operation at the beginning of a 5 MB message: the rest passes through unread."""
    body = envelope("<GetBalance>" + "<row>12345</row>" * 300_000 + "</GetBalance>")
    assert send(estate, body).body == b"new"
    assert estate.new.seen(PATH)[-1].body == body
