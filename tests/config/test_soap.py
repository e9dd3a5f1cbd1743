"""SOAP backends and calls in routes.yaml: looked up in the WSDL, or told what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from gateway.core.model import Estate, SoapOperation
from gateway.errors import ConfigError
from tests.config.files import estate, loaded, problems

WSDL = """\
<definitions name="Loans" targetNamespace="urn:loans" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:l="urn:loans"
    xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/">
  <types><s:schema targetNamespace="urn:loans" elementFormDefault="qualified">
    <s:element name="ListLoansRequest"><s:complexType><s:sequence>
      <s:element name="Card" type="s:string"/>
    </s:sequence></s:complexType></s:element>
    <s:element name="ListLoansResponse"><s:complexType><s:sequence>
      <s:element name="Title" type="s:string" minOccurs="0" maxOccurs="unbounded"/>
    </s:sequence></s:complexType></s:element>
  </s:schema></types>
  <message name="In"><part name="body" element="l:ListLoansRequest"/></message>
  <message name="Out"><part name="body" element="l:ListLoansResponse"/></message>
  <portType name="Loans"><operation name="ListLoans">
    <input message="l:In"/><output message="l:Out"/>
  </operation></portType>
  <binding name="Loans11" type="l:Loans">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="ListLoans"><soap:operation soapAction="urn:loans/list"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <binding name="Loans12" type="l:Loans">
    <soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="ListLoans"><soap12:operation soapAction="urn:loans/list"/>
      <input><soap12:body use="literal"/></input><output><soap12:body use="literal"/></output></operation>
  </binding>
  <service name="Loans">
    <port name="Old" binding="l:Loans11"><soap:address location="http://127.0.0.1:1/Loans"/></port>
    <port name="New" binding="l:Loans12"><soap12:address location="http://127.0.0.1:1/Loans"/></port>
  </service>
</definitions>
"""


def frame(backend: str = "", *routes: str) -> str:
    listed = "".join(f"  - {{{each}}}\n" for each in routes)
    return (
        "version: 1\nbackends:\n"
        f'  loans: {{type: soap, wsdl: loans.wsdl, url: "http://127.0.0.1:9001/Loans"{backend}}}\n'
        '  books: {url: "http://127.0.0.1:9002"}\n'
        f"routes:\n{listed}"
    )


CALLS = (
    'name: a, match: "GET /loans/{card}", legacy: {backend: loans, operation: ListLoans, request: {Card: path.card}}'
)
FACES = 'name: a, match: "SOAP /l#ListLoans", legacy: loans, new: {backend: books, method: GET, path: "/l/{body.Card}"}'
PLAIN = 'name: a, match: "GET /a", legacy: loans'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loans.wsdl").write_text(WSDL, encoding="utf-8")
    return tmp_path


def call_of(found: Estate, side: str = "legacy") -> Any:
    target = getattr(found.routes[0], side)
    return target.call


def told(folder: Path, text: str) -> list[str]:
    """What is wrong, without the places."""
    return [each.split(": ", 1)[1] for each in problems(folder, text)]


def test_a_target_calls_an_operation_of_its_wsdl(folder: Path) -> None:
    """It gets the operation's plan, of SOAP 1.2 where there is one, and the backend the types it reaches."""
    found = estate(folder, frame("", CALLS))
    call = call_of(found)
    assert (call.operation.name, call.operation.version, call.operation.action) == (
        "ListLoans",
        "1.2",
        "urn:loans/list",
    )
    assert (call.request, call.response, call.auth, call.strict) == ({"Card": "path.card"}, None, (), False)
    assert len(found.backends[0].types.types) == 2


def test_the_port_chooses_the_version(folder: Path) -> None:
    """A port that is named is taken, whatever its version."""
    assert call_of(estate(folder, frame(", port: Old", CALLS))).operation.version == "1.1"


POLICY = (
    '<p:Policy xmlns:p="http://www.w3.org/ns/ws-policy">'
    '<m:MTOM xmlns:m="http://www.w3.org/2007/08/soap12-mtom-policy"/></p:Policy>'
)


@pytest.mark.parametrize(
    ("policy", "backend", "mtom"),
    [("", "", False), ("", ", mtom: true", True), (POLICY, "", True), (POLICY, ", mtom: false", False)],
)
def test_mtom_is_what_the_wsdl_asks_for_unless_the_file_knows_better(
    folder: Path, policy: str, backend: str, mtom: bool
) -> None:
    """Some services need it and do not say so, others say so and cannot."""
    bindings = WSDL.replace(
        '<binding name="Loans12" type="l:Loans">', f'<binding name="Loans12" type="l:Loans">{policy}'
    )
    (folder / "loans.wsdl").write_text(bindings, encoding="utf-8")
    assert call_of(estate(folder, frame(backend, CALLS))).mtom is mtom


def test_how_the_gateway_logs_on(folder: Path) -> None:
    """Basic and WS-Security, as they are written."""
    auth = (
        ", auth: {basic: {username: u, password: p}, wsse: {username: v, password: q, digest: true, timestamp: false}}"
    )
    basic, token = call_of(estate(folder, frame(auth, CALLS))).auth
    assert tuple(basic) == ("u", "p")
    assert tuple(token) == ("v", "q", True, None)
    only = ", auth: {wsse: {username: v, password: q}}"
    assert [tuple(each)[3] for each in call_of(estate(folder, frame(only, CALLS))).auth] == [300]
    basic_alone = ", auth: {basic: {username: u, password: p}}"
    assert [tuple(each) for each in call_of(estate(folder, frame(basic_alone, CALLS))).auth] == [("u", "p")]


ASKS = '<w:UsingAddressing xmlns:w="http://www.w3.org/2006/05/addressing/wsdl"/>'


@pytest.mark.parametrize(
    ("wsdl", "given", "expected"),
    [
        (WSDL, "", ""),
        (WSDL, ", addressing: true", "http://www.w3.org/2005/08/addressing"),
        (WSDL, ", addressing: 2004/08", "http://schemas.xmlsoap.org/ws/2004/08/addressing"),
        (WSDL.replace("<soap12:binding", f"{ASKS}<soap12:binding"), "", "http://www.w3.org/2005/08/addressing"),
        (WSDL.replace("<soap12:binding", f"{ASKS}<soap12:binding"), ", addressing: false", ""),
    ],
)
def test_calls_are_addressed_as_the_wsdl_or_the_file_says(folder: Path, wsdl: str, given: str, expected: str) -> None:
    """The file has the last word; the message goes to the address of the WSDL."""
    (folder / "loans.wsdl").write_text(wsdl, encoding="utf-8")
    call = call_of(estate(folder, frame(given, CALLS)))
    assert (call.operation.addressing.namespace, call.to) == (expected, "http://127.0.0.1:1/Loans")
    assert call.document().get("addressing", "") == expected


def test_without_an_address_messages_go_to_the_url(folder: Path) -> None:
    """A WSDL may name none, or one that somebody should have filled in."""
    for instead in ("", '<soap12:address location="REPLACE_ME"/>'):
        text = WSDL.replace('<soap12:address location="http://127.0.0.1:1/Loans"/>', instead)
        (folder / "loans.wsdl").write_text(text, encoding="utf-8")
        assert call_of(estate(folder, frame("", CALLS))).to == "http://127.0.0.1:9001/Loans"


def test_there_is_no_other_version_of_addressing(folder: Path) -> None:
    """What may be written is told."""
    expected = "backend loans: addressing: '2003/03' says nothing about WS-Addressing; write true, false or 2004/08"
    assert told(folder, frame(", addressing: 2003/03", CALLS))[0] == expected
    assert "write true, false or 2004/08" in told(folder, frame(", addressing: 1", CALLS))[0]


def test_a_wsdl_is_published_where_soap_routes_go_by_it(folder: Path) -> None:
    """Once, on its backend; calls alone need no such thing."""
    faced = estate(folder, frame("", FACES)).backends[0].published
    assert faced is not None
    assert (faced.main, estate(folder, frame("", CALLS)).backends[0].published) == ("loans.wsdl", None)


def test_an_action_of_ws_addressing_is_known(folder: Path) -> None:
    """Where it is not the SOAPAction."""
    other = WSDL.replace('message="l:In"', 'message="l:In" m:Action="urn:in"')
    other = other.replace("<definitions ", '<definitions xmlns:m="http://www.w3.org/2007/05/addressing/metadata" ')
    (folder / "loans.wsdl").write_text(other, encoding="utf-8")
    match = estate(folder, frame("", FACES)).routes[0].match
    assert match.soap == SoapOperation("ListLoans", "ListLoansRequest", "urn:loans", "urn:loans/list", "urn:in")


def test_a_soap_route_goes_by_the_wsdl(folder: Path) -> None:
    """The element and the action of its operation are those of the WSDL."""
    found = estate(folder, frame("", 'name: a, match: "SOAP /l#ListLoans", legacy: loans'))
    wanted = SoapOperation("ListLoans", "ListLoansRequest", "urn:loans", "urn:loans/list")
    assert (found.routes[0].match.soap, call_of(found)) == (wanted, None)
    assert found.routes[0].legacy is not None
    assert found.routes[0].legacy.path == ()  # to the url of the backend as it stands


def test_a_soap_route_may_be_answered_with_json(folder: Path) -> None:
    """The other side's WSDL is the contract."""
    call = call_of(estate(folder, frame("", FACES)), "new")
    assert (call.operation.name, call.request, call.response) == ("ListLoans", None, None)


def test_http_passes_through_a_soap_backend(folder: Path) -> None:
    """A target without an operation is plain HTTP: `?wsdl`, and whatever else the system answers."""
    found = estate(folder, frame("", PLAIN))
    assert (call_of(found), found.backends[0].types) == (None, None)


def test_a_wsdl_is_loaded_once_and_again_when_it_changed(folder: Path) -> None:
    """Reloads of routes.yaml do not wait for it."""
    first = estate(folder, frame("", CALLS))
    (folder / "loans.wsdl").write_text(WSDL.replace("urn:loans/list", "urn:loans/all"), encoding="utf-8")
    assert call_of(first).operation.action == "urn:loans/list"
    assert call_of(estate(folder, frame("", CALLS))).operation.action == "urn:loans/all"


def test_few_wsdls_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of estates that came and went do not pile up."""
    kept: dict[Any, Any] = {}
    monkeypatch.setattr("gateway.config.soap._loaded", kept)
    monkeypatch.setattr("gateway.config.soap._KEPT", 1)
    estate(folder, frame("", CALLS))
    (folder / "more.wsdl").write_text(WSDL, encoding="utf-8")
    estate(folder, frame("", CALLS).replace("loans.wsdl", "more.wsdl"))
    assert [path.name for path, _ in kept] == ["more.wsdl"]


def test_a_wsdl_that_is_gone_is_told(folder: Path) -> None:
    """What was loaded before does not hide it."""
    estate(folder, frame("", CALLS))
    (folder / "loans.wsdl").unlink()
    (message,) = told(folder, frame("", CALLS))
    assert message.startswith("backend loans: wsdl: ")


@pytest.mark.parametrize(
    ("backend", "route", "message"),
    [
        (", port: Other", CALLS, "backend loans: port: the WSDL has no SOAP port 'Other'; it has Old, New"),
        (
            "",
            "name: a, match: GET /a, legacy: {backend: loans, operation: ListBooks}",
            "route a: legacy.operation: the WSDL has no operation 'ListBooks'; it has ListLoans",
        ),
        (
            "",
            "name: a, match: GET /a, legacy: {backend: books, operation: ListLoans}",
            "route a: legacy.operation: books is no backend of `type: soap`, so it has no operations",
        ),
        (
            "",
            "name: a, match: GET /a, legacy: {backend: loans, operation: ListLoans, path: /x}",
            "route a: legacy: a call of an `operation` has no `path` of its own",
        ),
        (
            "",
            "name: a, match: GET /a, legacy: {backend: loans, response: Title}",
            "route a: legacy: `response` needs the `operation` that is called",
        ),
        (
            "",
            'name: a, match: "SOAP /a#ListLoans", legacy: loans, new: {backend: books, response: Title}',
            "route a: new: `response` needs a `method`: it is answered by JSON then",
        ),
        (
            "",
            'name: a, match: "SOAP /a#ListLoans", legacy: loans, new: {backend: books, method: GET, replies: strict}',
            "route a: new: `replies` belongs to a call of an `operation`",
        ),
        (
            "",
            'name: a, match: "SOAP /a#ListLoans", new: {backend: books, method: GET, path: /x}',
            (
                "route a: new: a SOAP client is answered with JSON by a WSDL: name the `type: soap` backend that has "
                "it, as `contract` or on the other side"
            ),
        ),
        (
            "",
            'name: a, match: "SOAP /a#ListBooks", legacy: loans',
            "route a: match: the WSDL has no operation ListBooks; it has ListLoans",
        ),
    ],
)
def test_what_does_not_fit_is_told(folder: Path, backend: str, route: str, message: str) -> None:
    """With what to write instead."""
    assert told(folder, frame(backend, route)) == [message]


@pytest.mark.parametrize("key", ["request", "response", "error_when"])
def test_expressions_are_checked(folder: Path, key: str) -> None:
    """One that JMESPath cannot read is named."""
    route = f"name: a, match: GET /a, legacy: {{backend: loans, operation: ListLoans, {key}: 'a..b'}}"
    (message,) = told(folder, frame("", route))
    assert message.startswith(f"route a: legacy.{key}: `a..b` is not a JMESPath expression: ")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wsdl", "x.wsdl"),
        ("port", "Old"),
        ("wsdl_root", ".."),
        ("values", "{text: plain}"),
        ("addressing", "true"),
        ("mtom", "true"),
    ],
)
def test_what_belongs_to_soap_is_refused_elsewhere(folder: Path, key: str, value: str) -> None:
    """An HTTP backend has no WSDL."""
    text = f'version: 1\nbackends: {{a: {{url: "http://127.0.0.1:1", {key}: {value}}}}}\nroutes: []\n'
    assert told(folder, text) == [f"backend a: `{key}` belongs to a backend of `type: soap`"]


def test_values_may_have_other_forms(folder: Path) -> None:
    """What a backend says of the form of values is written into the plan of its operations."""
    found = estate(folder, frame(", values: {arrays: plain, timezone: Europe/London}", FACES))
    plans = found.backends[0].types.types
    assert [each.plain for each in plans] == [None, None]
    assert told(folder, frame(", values: {timezone: Europe/Loondon}", CALLS)) == [
        "backend loans: values.timezone: 'Europe/Loondon' is no time zone that is known here; write Europe/London"
    ]


def test_a_soap_backend_needs_its_wsdl(folder: Path) -> None:
    """A file that can be read and compiled."""
    text = 'version: 1\nbackends: {a: {url: "http://127.0.0.1:1", type: soap}}\nroutes: []\n'
    assert told(folder, text) == ["backend a: a backend of `type: soap` needs its `wsdl`"]
    (folder / "loans.wsdl").write_text("<no", encoding="utf-8")
    (message,) = told(folder, frame("", CALLS))
    assert message.startswith("backend loans: wsdl: ")
    assert told(folder, frame("", FACES)) == [message]


def test_a_wsdl_is_part_of_the_configuration(tmp_path: Path) -> None:
    """The documents of a WSDL are told as read, and their content counts in the digest."""
    path = tmp_path / "loans.wsdl"
    path.write_text(WSDL, encoding="utf-8")
    first = loaded(tmp_path, frame("", CALLS))
    assert first.beside == ((path, WSDL.encode()),)
    path.write_text(WSDL + "<!-- more -->", encoding="utf-8")
    second = loaded(tmp_path, frame("", CALLS))
    assert first.files == second.files
    assert first.estate.digest != second.estate.digest


def test_a_broken_wsdl_is_told_by_its_path(tmp_path: Path) -> None:
    """Whoever waits for the configuration to be mended knows which files to look at."""
    path = tmp_path / "loans.wsdl"
    path.write_text("<broken", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, frame("", CALLS))
    assert caught.value.beside == (path,)
