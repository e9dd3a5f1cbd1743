"""What came of a call, said to a SOAP client in its contract's words."""

import json
from typing import Any

import pytest
from lxml import etree

from connectors.base import Answer
from connectors.soap.bridging import Bridging, Told, bridging
from connectors.soap.codec import Codec
from connectors.soap.facing import NO_ANSWER, Refused
from connectors.soap.plan import Group, Message, Schema
from connectors.soap.problems import Invalid
from gateway.core.model import Acted, Outcome
from gateway.core.problems import SOAP_11
from tests.connectors.soap.accounts import bridge
from tests.connectors.soap.samples import GET_BALANCE, INT, REPLY, SCHEMA, SPACE, TYPES, complex_type, field

JSON = (b"Content-Type", b"application/json")


def made(*faults: tuple[str, str]) -> Bridging:
    """As the process for large messages makes it."""
    return bridging(bridge(faults), SCHEMA)


def told(data: Any, status: int = 200, *fields: tuple[bytes, bytes], **how: Any) -> Told:
    said = {"outcome": Outcome.OK, "acted": "yes", **how}
    return Told(status, (JSON, *fields), b"" if data is None else json.dumps(data).encode(), **said)


def fault(soap: dict[str, Any], *faults: tuple[str, str], outcome: Outcome = Outcome.BUSINESS_FAULT) -> Any:
    """Whom the fault blames, its words and its detail, when a call ended with this one."""
    problem = {"detail": "No such account.", "soap": soap}
    return parts(made(*faults).answer("1.1", told(problem, 422, outcome=outcome, acted="maybe"), "r-1"))


def parts(answer: Answer) -> tuple[str, str, list[str]]:
    root = etree.fromstring(answer.body.take())
    detail = [etree.tostring(each, method="c14n", with_tail=False).decode() for each in root.xpath("//detail/*")]
    reason = root.findtext(".//faultstring") or ""
    return (root.findtext(".//faultcode") or "").removeprefix("e:"), reason, detail


# ------------------------------------------------------------------------------------------------ requests


def test_a_message_becomes_json() -> None:
    """With the version to answer in, and the headers that the contract declares and that can be read."""
    headers = f'<Session xmlns="{SPACE}"><Key>k</Key></Session><Other xmlns="urn:o"/>'
    body = f'<GetBalance xmlns="{SPACE}"><AccountNo>R1</AccountNo></GetBalance>'
    data = f'<e:Envelope xmlns:e="{SOAP_11}"><e:Header>{headers}</e:Header><e:Body>{body}</e:Body></e:Envelope>'
    expected = ("1.1", b'{"AccountNo":"R1"}', {"Session": {"Key": "k"}}, None)
    assert expected == made().request(data.encode(), b"")


def test_json_has_a_depth() -> None:
    """A message nested deeper than JSON is written is refused in its own version."""
    nest = complex_type()._replace(content=Group("choice", (field("Part", len(TYPES)), field("Leaf")), 0, None))
    schema = Schema((*TYPES, nest), SCHEMA.prefixes)
    target = bridge(operation=GET_BALANCE._replace(input=Message((field("Nest", len(TYPES)),))))
    body = f'<Nest xmlns="{SPACE}">{"<Part>" * 120}{"</Part>" * 120}</Nest>'
    data = f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body>{body}</e:Body></e:Envelope>'
    with pytest.raises(Refused, match="cannot be sent as JSON") as refused:
        Bridging(target, Codec(schema)).request(data.encode(), b"")
    assert refused.value.version == "1.1"


# ------------------------------------------------------------------------------------------------ replies


def test_a_result_becomes_the_reply() -> None:
    """In the client's version; that it broke its schema on the other side is told on."""
    flag = (b"X-Banyan-Schema", b"lenient; problems=1; first=/")
    answer = made().answer("1.2", told({"Amount": "1.50", "Line": []}, 200, flag), "r-1")
    assert (answer.head.status, answer.outcome, answer.acted) == (200, Outcome.OK, "yes")
    assert answer.head.fields == ((b"Content-Type", b"application/soap+xml; charset=utf-8"), flag)
    assert etree.fromstring(answer.body.take()).findtext(f".//{{{SPACE}}}Amount") == "1.50"


def test_a_result_that_does_not_fit_is_an_error() -> None:
    """The mapping, or the other side, is to blame."""
    with pytest.raises(Invalid, match="/Amount: is missing"):
        made().answer("1.1", told({}), "r-1")


def test_a_one_way_operation_is_accepted() -> None:
    """Whatever the other operation said."""
    target = bridge(operation=GET_BALANCE._replace(output=None))
    for found in (told(None, 202), told({"balance": "1"})):
        answer = bridging(target, SCHEMA).answer("1.1", found, "r-1")
        assert (answer.head.status, answer.body.take(), answer.outcome) == (202, b"", Outcome.OK)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b'{"Key":"k %C3%A9"}', "k é"), (b"k", None), (b'{"No":"k"}', None), (b"{", None)],
)
def test_declared_headers_come_back(value: bytes, expected: str | None) -> None:
    """Those of the same name, where they fit."""
    answer = made().answer("1.1", told({"Amount": "1"}, 200, (b"Soap-Session", value), (b"Soap-Other", b"o")), "r-1")
    root = etree.fromstring(answer.body.take())
    assert root.findtext(f"{{{SOAP_11}}}Header/{{{SPACE}}}Session/{{{SPACE}}}Key") == expected


@pytest.mark.parametrize(("kind", "value"), [(None, b"5"), (INT, b"5")])
def test_a_header_is_text_before_it_is_json(kind: Any, value: bytes) -> None:
    """A text that looks like a number stays one."""
    header = field("Count") if kind is None else field("Count", kind)
    target = bridge(operation=GET_BALANCE._replace(output=Message((REPLY,), headers=(header,))))
    answer = bridging(target, SCHEMA).answer("1.1", told({"Amount": "1"}, 200, (b"Soap-Count", value)), "r-1")
    assert etree.fromstring(answer.body.take()).findtext(f".//{{{SPACE}}}Count") == "5"


# ------------------------------------------------------------------------------------------------ faults


def test_a_fault_of_the_same_name_is_the_contracts() -> None:
    """With its words, to the letter, and the members of its detail that the contract knows."""
    code, reason, (detail,) = fault({"code": "Sender", "detail": {"NotFound": {"AccountNo": "R9", "ticket": "T"}}})
    assert (code, reason) == ("Client", "No such account.")
    assert etree.fromstring(detail).tag == f"{{{SPACE}}}AccountNotFound"
    assert [each.text for each in etree.fromstring(detail)] == ["R9"]


@pytest.mark.parametrize(
    ("name", "soap"),
    [
        ("NoSuchAccount", {"code": "Sender", "detail": {"NoSuchAccount": {"AccountNo": "R9"}}}),
        ("NoSuchAccountDetail", {"code": "Sender", "detail": {"NoSuchAccount": {"AccountNo": "R9"}}}),
    ],
)
def test_a_fault_goes_by_the_name_that_the_route_gives(name: str, soap: dict[str, Any]) -> None:
    """It is known by its name, or by its detail's element."""
    code, _, (detail,) = fault(soap, (name, "NotFound"))
    assert (code, etree.fromstring(detail)[0].text) == ("Client", "R9")


@pytest.mark.parametrize(
    ("name", "soap"),
    [
        ("Gone", {"code": "Sender", "detail": {"$any": ["text", '<x:Gone xmlns:x="urn:x"/>']}}),
        ("NoAccount", {"code": "Sender", "subcode": "NoAccount"}),
        ("Sender", {"code": "Sender"}),
    ],
)
def test_an_undeclared_fault_may_be_named(name: str, soap: dict[str, Any]) -> None:
    """By an element in its detail, or by its codes. Its own detail is empty, where the contract lets it be."""
    empty = complex_type(field("AccountNo", least=0))
    schema = SCHEMA._replace(types=(*TYPES[:3], empty, *TYPES[4:]))
    target = bridge(((name, "NotFound"),))
    problem = {"detail": "Gone.", "soap": soap}
    came = told(problem, 422, outcome=Outcome.BUSINESS_FAULT)
    code, reason, (detail,) = parts(bridging(target, schema).answer("1.1", came, "r-1"))
    element = etree.fromstring(detail)
    assert (code, reason, element.tag, len(element)) == ("Client", "Gone.", f"{{{SPACE}}}AccountNotFound", 0)
    assert parts(bridging(target, SCHEMA).answer("1.1", came, "r-1")) == ("Client", "Gone.", [])


@pytest.mark.parametrize("detail", [None, {"AccountNo": 5}, "R9", [], {"ticket": "T"}])
def test_a_detail_that_does_not_fit_is_left_out(detail: Any) -> None:
    """The fault stays that fault."""
    assert fault({"code": "Sender", "detail": {"NotFound": detail}}) == ("Client", "No such account.", [])


def test_a_fault_that_the_contract_does_not_declare_has_no_detail() -> None:
    """Its words go on."""
    soap = {"code": "Sender", "detail": {"NoSuchAccount": {"AccountNo": "R9"}}}
    assert fault(soap) == ("Client", "No such account.", [])


@pytest.mark.parametrize("code", ["Server", "Receiver"])
def test_the_same_side_is_blamed(code: str) -> None:
    """A declared fault may blame the server, and is an answer all the same."""
    assert fault({"code": code, "detail": {"NotFound": {"AccountNo": "R9"}}})[:2] == ("Server", "No such account.")


@pytest.mark.parametrize(
    ("outcome", "acted", "status"), [(Outcome.BACKEND_ERROR, "maybe", 502), (Outcome.TIMEOUT, "no", 504)]
)
def test_a_failure_tells_nothing(outcome: Outcome, acted: Acted, status: int) -> None:
    """It blames this side; what it was stays what it was."""
    problem = {"detail": "At line 5.", "soap": {"code": "Server", "detail": {"NotFound": {"AccountNo": "R9"}}}}
    answer = made(("Server", "NotFound")).answer("1.1", told(problem, status, outcome=outcome, acted=acted), "r-1")
    assert (answer.outcome, answer.acted) == (outcome, acted)
    assert parts(answer) == ("Server", f"{NO_ANSWER} (request r-1)", [])


def test_a_request_that_does_not_fit_says_where() -> None:
    """As the problem document of a REST route does, and not without end."""
    problems = [{"pointer": "", "reason": "is odd"}, *({"pointer": f"/{at}", "reason": "no"} for at in range(30))]
    problem = {"detail": "It does not fit.", "problems": problems}
    found = told(problem, 422, outcome=Outcome.REFUSED, acted="no")
    answer = made().answer("1.1", found, "r-1")
    assert (answer.outcome, answer.acted) == (Outcome.REFUSED, "no")
    code, reason, _ = parts(answer)
    reason = reason.removesuffix(" (request r-1)")
    assert (code, reason[:44], reason[-12:]) == (
        "Client",
        "It does not fit. the whole: is odd; /0: no; ",
        "/18: no; ...",
    )
