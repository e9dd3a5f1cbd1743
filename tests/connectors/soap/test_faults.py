from typing import Any

import pytest

from connectors.soap.codec import Codec
from connectors.soap.faults import NO_REASON, NOT_LOGGED_ON, Fault, Judged, judge, listed, read
from connectors.soap.problems import Problem
from connectors.soap.xmltext import Element, parse
from gateway.core.model import Outcome
from tests.connectors.soap.samples import GET_BALANCE, NEST, SCHEMA, SPACE

V11 = "http://schemas.xmlsoap.org/soap/envelope/"
V12 = "http://www.w3.org/2003/05/soap-envelope"
NOT_FOUND = f'<r:AccountNotFound xmlns:r="{SPACE}"><r:AccountNo>R9</r:AccountNo></r:AccountNotFound>'
CODEC = Codec(SCHEMA)


def fault(content: str, space: str = V11) -> Fault:
    """The fault with this content."""
    return read(element(content, space))


def element(content: str, space: str = V11) -> Element:
    return parse(f'<e:Fault xmlns:e="{space}" xmlns:c="urn:codes">{content}</e:Fault>'.encode(), names=True)


def of(code: str, detail: str = "") -> Fault:
    """A fault of SOAP 1.1 with a code and a detail."""
    return fault(f"<faultcode>{code}</faultcode><faultstring>No.</faultstring><detail>{detail}</detail>")


def judged(given: Fault, **statuses: int) -> Judged:
    return judge(given, GET_BALANCE, statuses, CODEC)


# ------------------------------------------------------------------------------------------------ reading


def test_a_fault_of_soap_11() -> None:
    """Code, reason, actor, and the elements of the detail."""
    found = fault(
        "<faultcode>e:Client</faultcode><faultstring> No such account. </faultstring>"
        f"<faultactor>urn:rents</faultactor><detail>{NOT_FOUND}<c:more/></detail>"
    )
    assert found[:4] == ("Client", None, "No such account.", "urn:rents")
    assert [each.tag for each in found.detail] == [f"{{{SPACE}}}AccountNotFound", "{urn:codes}more"]


def test_a_fault_of_soap_12() -> None:
    """Code and the innermost subcode, the reason in English, the role, and the detail."""
    found = fault(
        "<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>c:Bad</e:Value><e:Subcode><e:Value>c:Worse</e:Value>"
        '</e:Subcode></e:Subcode></e:Code><e:Reason><e:Text xml:lang="cy">Na.</e:Text><e:Text xml:lang="en-GB">No.'
        "</e:Text></e:Reason><e:Node>urn:node</e:Node><e:Role>urn:role</e:Role><e:Detail><c:more/></e:Detail>",
        V12,
    )
    assert found[:4] == ("Sender", "Worse", "No.", "urn:role")
    assert [each.tag for each in found.detail] == ["{urn:codes}more"]


@pytest.mark.parametrize(
    ("content", "space", "expected"),
    [
        ("<faultcode>e:Server</faultcode><faultstring>Oh</faultstring>", V12, ("Server", None, "Oh", None)),
        ("<e:faultcode>e:Server</e:faultcode><e:faultstring>Oh</e:faultstring>", V11, ("Server", None, "Oh", None)),
        ("<faultcode>Client.Login.Failed</faultcode><faultstring/>", V11, ("Client", "Failed", "", None)),
        ("<faultcode>1001</faultcode><detail/>", V11, ("1001", None, "", None)),
        ("<e:Code/><e:Reason/><e:Node>urn:n</e:Node>", V12, ("", None, "", "urn:n")),
        ("", V11, ("", None, "", None)),
    ],
)
def test_faults_as_servers_send_them(content: str, space: str, expected: tuple[Any, ...]) -> None:
    """Shapes of the other version, qualified children, dotted codes, and next to nothing are all read."""
    assert fault(content, space) == (*expected, ())


# ------------------------------------------------------------------------------------------------ judging


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("e:Client", 400),
        ("Sender", 400),
        ("Client.Data", 400),
        ("e:Server", 502),
        ("Receiver", 502),
        ("VersionMismatch", 502),
        ("MustUnderstand", 502),
        ("1001", 502),
        ("", 502),
    ],
)
def test_an_undeclared_fault_goes_by_its_code(code: str, status: int) -> None:
    """What blames the sender is 400 and an answer, as a 4xx of HTTP is; everything else is 502, a failure."""
    found = judged(of(code))
    outcome = Outcome.BUSINESS_FAULT if status == 400 else Outcome.BACKEND_ERROR
    assert (found.status, found.reason, found.outcome, found.acted) == (status, "No.", outcome, "maybe")


@pytest.mark.parametrize("code", ["e:Client", "e:Server", "1001"])
def test_a_declared_fault_is_an_answer(code: str) -> None:
    """It is 422 whatever its code, with its detail as JSON by the fault's name, and the backend did its work."""
    assert judged(of(code, NOT_FOUND)) == Judged(
        422,
        "No.",
        {"soap": {"code": code.removeprefix("e:"), "detail": {"NotFound": {"AccountNo": "R9"}}}},
        Outcome.BUSINESS_FAULT,
        "yes",
    )


def test_a_declared_fault_may_break_its_schema() -> None:
    """It is that fault all the same: its detail is decoded as far as it goes, or is null."""
    empty = judged(of("Client", f'<AccountNotFound xmlns="{SPACE}"/>'))
    assert empty.members == {"soap": {"code": "Client", "detail": {"NotFound": {}}}}
    deep = of("Client", f'<Nest xmlns="{SPACE}"/>')
    nested = deep.detail[0]
    for _ in range(1_000):
        nested.append(nested.makeelement(f"{{{SPACE}}}Part"))
        nested = nested[0]
    found = judge(deep, GET_BALANCE._replace(faults=(("Nested", NEST),)), {}, CODEC)
    assert (found.status, found.members) == (422, {"soap": {"code": "Client", "detail": {"Nested": None}}})


@pytest.mark.parametrize("name", ["NotFound", "AccountNotFound"])
def test_a_route_gives_declared_faults_a_status(name: str) -> None:
    """By the fault's name, or by that of its detail."""
    assert judged(of("Server", NOT_FOUND), **{name: 404}).status == 404


@pytest.mark.parametrize("code", ["c:Busy", "Server.Busy"])
def test_a_route_declares_faults_that_the_wsdl_does_not(code: str) -> None:
    """A code or a subcode that the route gives a status is an answer from then on."""
    found = judged(of(code), Busy=409)
    assert (found.status, found.outcome, found.acted) == (409, Outcome.BUSINESS_FAULT, "yes")


@pytest.mark.parametrize("code", ["wsse:FailedAuthentication", "wsse:InvalidSecurity", "Client.Authentication"])
def test_the_gateways_own_logon_is_not_the_clients_business(code: str) -> None:
    """A backend that refuses the gateway's credentials is broken, and nothing of what it said is passed on."""
    expected = Judged(502, NOT_LOGGED_ON, {}, Outcome.BACKEND_ERROR, "no")
    assert judged(of(code, "<c:why/>")) == expected
    assert judged(of("e:Client", ""), Client=401).status == 401
    assert judged(of(code), Authentication=401, InvalidSecurity=401, FailedAuthentication=401).status == 401


def test_undeclared_details_are_shown_to_those_they_blame() -> None:
    """A sender sees the detail as XML; that of a server's failure, where stack traces are, stays behind."""
    assert judged(of("Client", "<c:why>x</c:why>")).members == {
        "soap": {"code": "Client", "detail": {"$any": ['<c:why xmlns:c="urn:codes">x</c:why>']}}
    }
    assert judged(of("Server", "<c:why>x</c:why>")).members == {"soap": {"code": "Server"}}


def test_what_else_a_fault_says_is_passed_on() -> None:
    """Subcode and actor are members; a reason is there even when the backend gives none."""
    found = judged(fault("<faultcode>Server.Down</faultcode><faultactor>urn:a</faultactor>"))
    assert found.members == {"soap": {"code": "Server", "subcode": "Down", "actor": "urn:a"}}
    assert found.reason == NO_REASON


def test_problems_are_listed_as_objects() -> None:
    """Each has its pointer and its reason."""
    assert listed((Problem("/a", "is missing"),)) == [{"pointer": "/a", "reason": "is missing"}]
