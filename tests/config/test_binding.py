"""SOAP backends and calls in routes.yaml: looked up in the WSDL, or told what is wrong."""

from pathlib import Path

import pytest

from gateway.core.model import SoapOperation
from tests.config.files import estate
from tests.config.loans import CALLS, FACES, PLAIN, WSDL, call_of, frame, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loans.wsdl").write_text(WSDL, encoding="utf-8")
    return tmp_path


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


def test_without_an_address_messages_go_to_the_url(folder: Path) -> None:
    """A WSDL may name none, or one that somebody should have filled in."""
    for instead in ("", '<soap12:address location="REPLACE_ME"/>'):
        text = WSDL.replace('<soap12:address location="http://127.0.0.1:1/Loans"/>', instead)
        (folder / "loans.wsdl").write_text(text, encoding="utf-8")
        assert call_of(estate(folder, frame("", CALLS))).to == "http://127.0.0.1:9001/Loans"


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
