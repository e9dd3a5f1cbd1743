"""JSON outside and SOAP behind, and SOAP outside and JSON behind: whichever side answers, the contract stays."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.config.loans import WSDL
from tests.support.client import HOST
from tests.support.gateway import Gateway
from tests.support.library import written as library_in
from tests.support.messages import Message, answer
from tests.support.origin import Origin, Talk, eventually

ONE = "http://schemas.xmlsoap.org/soap/envelope/"
TWO = "http://www.w3.org/2003/05/soap-envelope"
PATH = "/services/Loans"
NOWHERE = "http://127.0.0.1:9"
BOOKS = ["Emma & I", "Ivanhoe"]


class Estate(NamedTuple):
    gateway: Gateway
    soap: Origin
    rest: Origin


def envelope(content: str, version: str = TWO) -> str:
    return f'<s:Envelope xmlns:s="{version}"><s:Body>{content}</s:Body></s:Envelope>'


def loans(*titles: str) -> str:
    listed = "".join(f"<l:Title>{title}</l:Title>" for title in titles)
    return f'<l:ListLoansResponse xmlns:l="urn:loans">{listed}</l:ListLoansResponse>'


def answered(content: str, version: str = TWO, status: int = 200) -> bytes:
    kind = "application/soap+xml" if version == TWO else "text/xml"
    return answer(envelope(content, version).encode(), f"Content-Type: {kind}; charset=utf-8", status=status)


def fault(who: str, reason: str) -> str:
    code = f"<s:Code><s:Value>s:{who}</s:Value></s:Code>"
    return f'<s:Fault>{code}<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason></s:Fault>'


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Origin() as soap, Origin() as rest:
        folder = tmp_path_factory.mktemp("gateway")
        (folder / "loans.wsdl").write_text(WSDL, encoding="utf-8")
        routes = f"""version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  old: {{type: soap, wsdl: loans.wsdl, url: "{soap.url}/asmx", auth: {{wsse: {{username: gw, password: secret}}}}}}
  new: {{url: "{rest.url}"}}
routes:
  - name: loans
    match: GET /loans/{{card}}
    legacy: {{backend: old, operation: ListLoans, request: {{Card: path.card}}, response: "{{titles: Title}}"}}
    new: {{backend: new, path: "/v2/{{card}}"}}
    sticky: {{header: x-client}}
    serve: 50% new
  - name: plain
    match: POST /ListLoans
    legacy: {{backend: old, operation: ListLoans}}
  - name: facade
    match: "SOAP {PATH}#ListLoans"
    legacy: old
    new: {{backend: new, method: GET, path: "/v2/{{body.Card}}", response: "{{Title: titles}}"}}
    serve: new
"""
        with Gateway(folder, routes) as gateway:
            yield Estate(gateway, soap, rest)


def asked(estate: Estate, body: object) -> Message:
    data = json.dumps(body).encode()
    return estate.gateway.call("POST", "/ListLoans", "Content-Type: application/json", body=data)


def called(estate: Estate, card: str = "C-1", version: str = ONE, *, content: str | None = None) -> Message:
    content = content or f'<ListLoansRequest xmlns="urn:loans"><Card>{card}</Card></ListLoansRequest>'
    kind = "application/soap+xml" if version == TWO else "text/xml"
    return estate.gateway.call("POST", PATH, f"Content-Type: {kind}", body=envelope(content, version).encode())


def document(message: Message) -> Any:
    return json.loads(message.body)


def test_both_sides_keep_one_contract(estate: Estate) -> None:
    """A split across SOAP and REST: clients of either side get the same JSON."""
    estate.soap.on("/asmx", answered(loans("Emma &amp; I", "Ivanhoe")))
    estate.rest.on("/v2/7", answer(json.dumps({"titles": BOOKS}).encode(), "Content-Type: application/json"))
    replies = [estate.gateway.get("/loans/7", f"X-Client: {number}") for number in range(20)]
    assert {reply.get("X-Banyan-Served-By") for reply in replies} == {"legacy; old; loans", "new; new; loans"}
    assert [document(reply) for reply in replies] == [{"titles": BOOKS}] * 20


def test_the_backend_gets_a_valid_envelope(estate: Estate) -> None:
    """Of its own version, with its action, its element in its namespace, and the gateway's credentials."""
    estate.soap.on("/asmx", answered(loans()))
    assert document(asked(estate, {"Card": "<7>"})) == {"Title": []}
    sent = estate.soap.seen("/asmx")[-1]
    text = sent.body.decode()
    assert sent.get("Content-Type") == 'application/soap+xml; charset=utf-8; action="urn:loans/list"'
    assert f'="{TWO}"' in text
    assert ":Card>&lt;7&gt;</" in text
    assert ":Username>gw</" in text


def test_one_item_is_an_array_too(estate: Estate) -> None:
    """What may come several times is an array, however often it comes."""
    estate.soap.on("/asmx", answered(loans("Emma")))
    assert document(asked(estate, {"Card": "7"})) == {"Title": ["Emma"]}


def test_what_does_not_fit_is_never_sent(estate: Estate) -> None:
    """Every problem is told at once, with its place."""
    before = len(estate.soap.seen("/asmx"))
    reply = asked(estate, {"card": 7})
    assert (reply.status, reply.get("Content-Type")) == (422, "application/problem+json")
    assert document(reply)["problems"] == [
        {"pointer": "/Card", "reason": "is missing"},
        {"pointer": "/card", "reason": "is not in the schema"},
    ]
    assert len(estate.soap.seen("/asmx")) == before


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (fault("Sender", "No such card."), 400, "No such card."),
        (fault("Receiver", "The database is down."), 502, "The database is down."),
    ],
)
def test_a_fault_is_a_problem(estate: Estate, content: str, status: int, detail: str) -> None:
    """At any HTTP status; who is to blame decides what the front end sees."""
    for http in (200, 500):
        estate.soap.on("/asmx", answered(content, status=http))
        reply = asked(estate, {"Card": "7"})
        assert (reply.status, document(reply)["detail"]) == (status, detail)


def test_a_reply_that_is_no_envelope_is_a_bad_gateway(estate: Estate) -> None:
    """What stands in it is not shown."""
    estate.soap.on("/asmx", answer(b"<html>secret stack trace</html>", "Content-Type: text/html", status=500))
    reply = asked(estate, {"Card": "7"})
    assert reply.status == 502
    assert b"secret" not in reply.body


@pytest.mark.parametrize("version", [ONE, TWO])
def test_an_old_client_is_answered_from_rest(estate: Estate, version: str) -> None:
    """In the version of its own envelope; the path is filled from its message."""
    estate.rest.on("/v2/C-1", answer(json.dumps({"titles": BOOKS}).encode(), "Content-Type: application/json"))
    reply = called(estate, version=version)
    kind = "application/soap+xml" if version == TWO else "text/xml"
    assert (reply.status, reply.get("Content-Type")) == (200, f"{kind}; charset=utf-8")
    assert version in reply.body.decode()
    assert ":Title>Emma &amp; I</" in reply.body.decode()
    assert estate.rest.seen("/v2/C-1")[-1].method == "GET"


def test_a_refusal_is_a_fault(estate: Estate) -> None:
    """Of the client where the backend says so, with its words; of the server, without them, where it failed."""
    estate.rest.on("/v2/C-2", answer(b'{"detail": "No such card."}', "Content-Type: application/json", status=404))
    reply = called(estate, "C-2")
    assert reply.status == 500
    assert "<faultcode>e:Client</faultcode><faultstring>No such card." in reply.body.decode()
    estate.rest.on("/v2/C-3", answer(b'{"detail": "secret"}', "Content-Type: application/json", status=503))
    reply = called(estate, "C-3")
    assert reply.status == 500
    assert "<faultcode>e:Server</faultcode>" in reply.body.decode()
    assert "secret" not in reply.body.decode()


def test_a_message_that_breaks_the_schema_is_a_client_fault(estate: Estate) -> None:
    """It is not sent on; the fault says where it is wrong."""
    reply = called(estate, content='<ListLoansRequest xmlns="urn:loans"><Kard>7</Kard></ListLoansRequest>')
    assert reply.status == 500
    assert "/Card: is missing" in reply.body.decode()


def test_a_value_cannot_leave_its_segment(estate: Estate) -> None:
    """A slash is encoded, and a dot segment refused."""
    seen: list[str] = []

    def note(talk: Talk) -> None:
        seen.append(talk.request.target)
        talk.send(answer(b'{"titles": []}', "Content-Type: application/json"))

    estate.rest.on("/v2/a%2Fb%3Fc", note)
    assert called(estate, "a/b?c").status == 200
    assert seen == ["/v2/a%2Fb%3Fc"]
    assert "cannot be part of a path" in called(estate, "..").body.decode()


def test_a_client_that_waits_for_100_gets_it_from_the_gateway(estate: Estate) -> None:
    """The message is made of the whole body, so the gateway asks for it, and the backend gets no expectation."""
    estate.soap.on("/asmx", answered(loans("Emma")))
    body = b'{"Card": "7"}'
    with estate.gateway.client() as client:
        client.send(
            f"POST /ListLoans HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        assert client.hear().status == 100
        client.send(body)
        reply = client.hear()
    assert (reply.status, document(reply)) == (200, {"Title": ["Emma"]})
    assert estate.soap.seen("/asmx")[-1].get("Expect") is None


def test_a_changed_wsdl_is_taken_by_itself(tmp_path: Path) -> None:
    """Nobody touches routes.yaml: a new WSDL serves, a broken one changes nothing, and a mended one serves again."""
    wsdl = tmp_path / "loans.wsdl"
    wsdl.write_text(WSDL, encoding="utf-8")
    routes = f"""version: 1
backends: {{old: {{type: soap, wsdl: loans.wsdl, url: "{NOWHERE}"}}}}
routes: [{{name: plain, match: POST /ListLoans, legacy: {{backend: old, operation: ListLoans}}}}]
"""
    with Gateway(tmp_path, routes) as gateway:

        def missing() -> str:
            reply = gateway.call("POST", "/ListLoans", "Content-Type: application/json", body=b"{}")
            return str(json.loads(reply.body)["problems"][0]["pointer"])

        assert missing() == "/Card"
        wsdl.write_text(WSDL.replace('name="Card"', 'name="Reader"'), encoding="utf-8")
        assert eventually(lambda: missing() == "/Reader")
        wsdl.write_text("<broken", encoding="utf-8")
        assert eventually(lambda: gateway.metric("banyan_config_last_reload_successful") == 0)
        assert missing() == "/Reader"
        wsdl.write_text(WSDL.replace('name="Card"', 'name="Ticket"'), encoding="utf-8")
        assert eventually(lambda: missing() == "/Ticket")


def test_values_have_the_form_that_the_backend_says(tmp_path: Path) -> None:
    """Front ends that want numbers for sums get them, from a WSDL that says nothing of it."""
    library_in(tmp_path)
    with Origin() as origin:
        reply = '<l:BorrowResponse xmlns:l="urn:library"><l:Fee>1.50</l:Fee></l:BorrowResponse>'
        origin.on("/Library.asmx", answered(reply))
        backend = f'type: soap, wsdl: library.wsdl, url: "{origin.url}/Library.asmx", values: {{decimals: number}}'
        routes = f"""version: 1
backends: {{library: {{{backend}}}}}
routes: [{{name: borrow, match: POST /borrow, legacy: {{backend: library, operation: Borrow}}}}]
"""
        with Gateway(tmp_path, routes) as gateway:
            body = json.dumps({"Card": "7"}).encode()
            found = gateway.call("POST", "/borrow", "Content-Type: application/json", body=body)
    assert json.loads(found.body) == {"Loan": [], "Fee": 1.5}
