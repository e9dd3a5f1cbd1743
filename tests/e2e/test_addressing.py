"""WS-Addressing through a real gateway: towards a service that insists on it, and for an old client that speaks it."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import requests
import zeep
from lxml import etree
from zeep.plugins import HistoryPlugin
from zeep.transports import Transport

from tests.config.loans import WSDL
from tests.support.gateway import Gateway
from tests.support.messages import Message, answer
from tests.support.origin import Origin, Talk

ONE = "http://schemas.xmlsoap.org/soap/envelope/"
TWO = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
OLD_WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
PATH = "/services/Loans"
IN, OUT = "urn:loans/Loans/Ask", "urn:loans/Loans/Tell"
INSISTING = (
    WSDL.replace(
        '<binding name="Loans12" type="l:Loans">',
        '<binding name="Loans12" type="l:Loans"><w:UsingAddressing xmlns:w="http://www.w3.org/2006/05/addressing/wsdl"'
        ' wsdl:required="true" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"/>',
    )
    .replace('<input message="l:In"/>', f'<input message="l:In" m:Action="{IN}"/>')
    .replace('<output message="l:Out"/>', f'<output message="l:Out" m:Action="{OUT}"/>')
    .replace("<definitions ", '<definitions xmlns:m="http://www.w3.org/2007/05/addressing/metadata" ')
    .replace('soapAction="urn:loans/list"', 'soapAction=""')
)


class Estate(NamedTuple):
    gateway: Gateway
    service: Origin
    rest: Origin


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Origin() as service, Origin() as rest:
        folder = tmp_path_factory.mktemp("gateway")
        (folder / "loans.wsdl").write_text(INSISTING, encoding="utf-8")
        routes = f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  strict: {{type: soap, wsdl: loans.wsdl, url: "{service.url}/strict"}}
  older: {{type: soap, wsdl: loans.wsdl, url: "{service.url}/older", port: Old, addressing: 2004/08}}
  plain: {{type: soap, wsdl: loans.wsdl, url: "{service.url}/plain", addressing: false}}
  rest: {{url: "{rest.url}"}}
routes:
  - {{name: strict, match: POST /strict, legacy: {{backend: strict, operation: ListLoans}}}}
  - {{name: older, match: POST /older, legacy: {{backend: older, operation: ListLoans}}}}
  - {{name: plain, match: POST /plain, legacy: {{backend: plain, operation: ListLoans}}}}
  - name: facade
    match: "SOAP {PATH}#ListLoans"
    legacy: strict
    new: {{backend: rest, method: GET, path: "/v2/{{body.Card}}", response: "{{Title: titles}}"}}
    serve: new
"""
        with Gateway(folder, routes) as gateway:
            yield Estate(gateway, service, rest)


# ------------------------------------------------------------------------------------------------ a strict service


def strictly(talk: Talk) -> None:
    """A service that answers only what is addressed to it by its rules, and says what it answers."""
    root = etree.fromstring(talk.body())
    envelope = etree.QName(root).namespace
    headers = {etree.QName(each): each for each in root.find(f"{{{envelope}}}Header")}
    space = next(each.namespace for each in headers if each.localname == "MessageID")
    said = {each.localname: "".join(header.itertext()) for each, header in headers.items()}
    anonymous = f"{WSA}/anonymous" if space == WSA else f"{OLD_WSA}/role/anonymous"
    expected = {"Action": IN, "ReplyTo": anonymous, "To": "http://127.0.0.1:1/Loans"}
    insists = {header.get(f"{{{envelope}}}mustUnderstand") for header in headers.values()}
    kind = talk.request.get("Content-Type") or ""
    right = (
        {key: said.get(key) for key in expected} == expected
        and said["MessageID"].startswith("urn:uuid:")
        and insists == ({"1"} if space == WSA else {None})  # the port of SOAP 1.1 does not insist
        and (envelope == ONE or f'action="{IN}"' in kind)
    )
    if not right:
        talk.send(answer(b"", status=500))
        return
    block = (
        f'<a:Action s:mustUnderstand="1">{OUT}</a:Action><a:RelatesTo s:mustUnderstand="1">{said["MessageID"]}'
        "</a:RelatesTo>"
    )
    if b"other" in talk.body():
        block = "<a:RelatesTo>urn:uuid:another</a:RelatesTo>"
    body = '<ListLoansResponse xmlns="urn:loans"><Title>Emma</Title></ListLoansResponse>'
    text = f'<s:Envelope xmlns:s="{envelope}" xmlns:a="{space}"><s:Header>{block}</s:Header><s:Body>{body}</s:Body>'
    kind = "text/xml" if envelope == ONE else "application/soap+xml"
    talk.send(answer(f"{text}</s:Envelope>".encode(), f"Content-Type: {kind}"))


def asked(estate: Estate, path: str, card: str = "C-1") -> Message:
    body = json.dumps({"Card": card}).encode()
    return estate.gateway.call("POST", path, "Content-Type: application/json", body=body)


@pytest.mark.parametrize("path", ["/strict", "/older"])
def test_a_service_that_insists_is_satisfied(estate: Estate, path: str) -> None:
    """Both versions: it gets every header as it wants them, and its reply is understood."""
    estate.service.on(path, strictly)
    reply = asked(estate, path)
    assert (reply.status, json.loads(reply.body)) == (200, {"Title": ["Emma"]})
    assert (WSA.encode() in estate.service.seen(path)[-1].body) == (path == "/strict")


def test_no_two_messages_have_one_id(estate: Estate) -> None:
    """Each call is another message."""
    estate.service.on("/strict", strictly)
    for _ in range(3):
        asked(estate, "/strict")
    ids = [etree.fromstring(each.body).findtext(f".//{{{WSA}}}MessageID") for each in estate.service.seen("/strict")]
    assert len(set(ids)) == len(ids) >= 3


def test_a_reply_to_another_message_is_no_answer(estate: Estate) -> None:
    """Somebody else's reply is never passed on."""
    estate.service.on("/strict", strictly)
    reply = asked(estate, "/strict", "other")
    assert (reply.status, b"Emma" in reply.body) == (502, False)


def test_large_messages_are_addressed_alike(estate: Estate) -> None:
    """Those that are coded in another process, too."""
    estate.service.on("/strict", strictly)
    assert asked(estate, "/strict", "C" * 100_000).status == 200
    assert asked(estate, "/strict", "other" + "C" * 100_000).status == 502


def test_it_can_be_left_out(estate: Estate) -> None:
    """Whatever the WSDL says."""
    estate.service.on("/plain", answer(b""))
    asked(estate, "/plain")
    assert b"addressing" not in estate.service.seen("/plain")[-1].body


# ------------------------------------------------------------------------------------------------ an old client


def called(estate: Estate, headers: str, version: str = TWO, space: str = WSA, card: str = "7") -> Message:
    estate.rest.on("/v2/7", answer(b'{"titles": ["Emma"]}', "Content-Type: application/json"))
    content = f'<ListLoansRequest xmlns="urn:loans"><Card>{card}</Card></ListLoansRequest>'
    text = (
        f'<s:Envelope xmlns:s="{version}" xmlns:a="{space}"><s:Header>{headers}</s:Header>'
        f"<s:Body>{content}</s:Body></s:Envelope>"
    )
    kind = f'application/soap+xml; action="{IN}"' if version == TWO else "text/xml"
    return estate.gateway.call("POST", PATH, f"Content-Type: {kind}", body=text.encode())


def header_of(reply: Message, space: str = WSA) -> dict[str, str]:
    """The addressing headers of a reply."""
    root = etree.fromstring(reply.body)
    blocks = [each for each in root.iter() if etree.QName(each).namespace == space]
    return {etree.QName(each).localname: each.text for each in blocks}


GIVEN = (
    f'<a:To s:mustUnderstand="1">http://old.example/Loans</a:To><a:Action s:mustUnderstand="1">{IN}</a:Action>'
    "<a:MessageID>urn:uuid:1</a:MessageID>"
)


@pytest.mark.parametrize("version", [ONE, TWO])
@pytest.mark.parametrize("space", [WSA, OLD_WSA])
def test_an_old_client_is_answered_in_kind(estate: Estate, version: str, space: str) -> None:
    """The reply says what it is and which message it answers, in the client's own words."""
    reply = called(estate, GIVEN, version, space)
    found = header_of(reply, space)
    assert reply.status == 200
    assert found.pop("MessageID").startswith("urn:uuid:")
    assert found == {"Action": OUT, "RelatesTo": "urn:uuid:1"}


def test_zeep_is_an_old_client(estate: Estate) -> None:
    """Built from the facade's own WSDL, whose actions make it add headers."""
    estate.rest.on("/v2/7", answer(b'{"titles": ["Emma"]}', "Content-Type: application/json"))
    history: Any = HistoryPlugin
    kept = history()
    with requests.Session() as session:
        make: Any = zeep.Client
        transport: Any = Transport
        address = f"http://127.0.0.1:{estate.gateway.port}{PATH}?wsdl"
        client = make(address, transport=transport(session=session, timeout=10), plugins=[kept], port_name="New")
        assert client.service.ListLoans(Card="7") == ["Emma"]
    sent, received = (
        {etree.QName(each).localname: each.text for each in message["envelope"].iter(f"{{{WSA}}}*")}
        for message in (kept.last_sent, kept.last_received)
    )
    assert (sent["Action"], received["Action"]) == (IN, OUT)
    assert received["RelatesTo"] == sent["MessageID"]


def test_a_client_without_such_headers_gets_none(estate: Estate) -> None:
    """An old client that does not speak it is not bothered."""
    reply = called(estate, "")
    assert (reply.status, b"addressing" in reply.body) == (200, False)


def test_faults_say_what_they_answer(estate: Estate) -> None:
    """Also those of a message that does not fit."""
    estate.rest.on("/v2/none", answer(b'{"detail": "No such card."}', status=404))
    reply = called(estate, GIVEN, card="none")
    found = header_of(reply)
    assert (found["Action"], found["RelatesTo"]) == (f"{WSA}/soap/fault", "urn:uuid:1")
    reply = called(estate, GIVEN, card="7</Card><Card>8")
    assert (reply.status, header_of(reply)["RelatesTo"]) == (400, "urn:uuid:1")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("<a:ReplyTo><a:Address>http://client.example/in</a:Address></a:ReplyTo>", b"OnlyAnonymousAddressSupported"),
        (f"<a:FaultTo><a:Address>{WSA}/none</a:Address></a:FaultTo>", b"OnlyAnonymousAddressSupported"),
        ("<a:MessageID>urn:uuid:2</a:MessageID>", b"InvalidCardinality"),
    ],
)
@pytest.mark.parametrize("version", [ONE, TWO])
def test_what_cannot_be_obeyed_is_refused(estate: Estate, version: str, more: str, said: bytes) -> None:
    """The gateway answers on the connection, and nowhere else; nothing reaches the backend."""
    before = len(estate.rest.requests)
    reply = called(estate, GIVEN + more, version)
    assert (reply.status, said in reply.body) == (400 if version == TWO else 500, True)
    assert len(estate.rest.requests) == before


def test_an_action_that_contradicts_the_body_is_refused(estate: Estate) -> None:
    """Servers differ in which of the two they believe, so neither is chosen for them."""
    before = len(estate.rest.requests)
    reply = called(estate, GIVEN.replace(IN, "urn:loans/Loans/Delete"))
    assert (reply.status, b":ActionNotSupported" in reply.body) == (400, True)
    assert header_of(reply)["Action"] == f"{WSA}/fault"
    assert len(estate.rest.requests) == before
