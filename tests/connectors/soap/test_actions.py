"""What a WSDL says about WS-Addressing."""

from pathlib import Path

import pytest

from connectors.soap.addressing import WSA, WSA_2004
from connectors.soap.plan import Addressing
from connectors.soap.wsdl import load
from tests.connectors.soap.wsdls import BINDING, PORT_TYPE, SERVICE, put, wsdl

METADATA = "http://www.w3.org/2007/05/addressing/metadata"
WSAW = "http://www.w3.org/2006/05/addressing/wsdl"
WSAP = f"{WSA_2004}/policy"
WSP, WSP_2004 = "http://www.w3.org/ns/ws-policy", "http://schemas.xmlsoap.org/ws/2004/09/policy"
WSP_2006 = "http://www.w3.org/2006/07/ws-policy"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
EITHER = f'<p:All><a:Addressing xmlns:a="{METADATA}"/></p:All>'
FAULT = '<w:fault name="None" message="t:AskIn"/>'


def said(folder: Path, **parts: str) -> Addressing:
    """What is said of the one operation."""
    (bound,) = load(put(folder, wsdl(**parts))).bound
    return bound.addressing


def with_binding(inside: str) -> str:
    return BINDING.replace("<s:binding", f"{inside}<s:binding")


# ------------------------------------------------------------------------------------------------ actions


@pytest.mark.parametrize("space", [METADATA, WSAW, WSA_2004, WSA])
def test_actions_are_declared(tmp_path: Path, space: str) -> None:
    """On the messages of the port type, in the namespace of any version; also where it is not meant for it."""
    port_type = (
        PORT_TYPE.replace('<w:input message="t:AskIn"/>', '<w:input message="t:AskIn" a:Action="urn:in"/>')
        .replace('<w:output message="t:AskOut"/>', '<w:output message="t:AskOut" a:Action="urn:out"/>' + FAULT)
        .replace(FAULT, '<w:fault name="None" message="t:AskIn" a:Action="urn:none"/>')
        .replace("<w:portType", f'<w:portType xmlns:a="{space}"')
    )
    assert said(tmp_path, port_type=port_type) == Addressing("urn:in", "urn:out", (("None", "urn:none"),))


def test_the_soap_action_is_that_of_the_input(tmp_path: Path) -> None:
    """Unless one is declared; the others have their default."""
    default = "urn:rents:Rents:GetBalanceResponse"
    assert said(tmp_path) == Addressing("urn:rents#GetBalance", default)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            "urn:rents",
            ("urn:rents:Rents:GetBalanceRequest", "urn:rents:Rents:Rs", "urn:rents:Rents:GetBalance:Fault:None"),
        ),
        (
            "http://r.test/x",
            (
                "http://r.test/x/Rents/GetBalanceRequest",
                "http://r.test/x/Rents/Rs",
                "http://r.test/x/Rents/GetBalance/Fault/None",
            ),
        ),
        (
            "http://r.test/x/",
            (
                "http://r.test/x/Rents/GetBalanceRequest",
                "http://r.test/x/Rents/Rs",
                "http://r.test/x/Rents/GetBalance/Fault/None",
            ),
        ),
    ],
)
def test_without_anything_there_is_a_pattern(tmp_path: Path, target: str, expected: tuple[str, str, str]) -> None:
    """Of the namespace, the port type, and the message's name or the operation's (Metadata, section 4.4.4)."""
    port_type = PORT_TYPE.replace('<w:output message="t:AskOut"/>', '<w:output name="Rs" message="t:AskOut"/>' + FAULT)
    text = wsdl(port_type=port_type, binding=BINDING.replace("urn:rents#GetBalance", ""))
    text = text.replace('targetNamespace="urn:rents" xmlns:w', f'targetNamespace="{target}" xmlns:w')
    text = text.replace('xmlns:t="urn:rents"', f'xmlns:t="{target}"')
    text = text.replace('<xs:schema targetNamespace="urn:rents"', f'<xs:schema targetNamespace="{target}"')
    (bound,) = load(put(tmp_path, text)).bound
    assert bound.addressing == Addressing(*expected[:2], (("None", expected[2]),))


def test_a_one_way_operation_has_one_action(tmp_path: Path) -> None:
    """Its default name is the operation's own."""
    port_type = PORT_TYPE.replace('<w:output message="t:AskOut"/>', "")
    binding = BINDING.replace("urn:rents#GetBalance", "").replace('<w:output><s:body use="literal"/></w:output>', "")
    assert said(tmp_path, port_type=port_type, binding=binding) == Addressing("urn:rents:Rents:GetBalance")


# ------------------------------------------------------------------------------------------------ whether


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", ("", False)),
        (f'<a:UsingAddressing xmlns:a="{WSAW}"/>', (WSA, False)),
        (f'<a:UsingAddressing xmlns:a="{WSAW}" w:required="true"/>', (WSA, True)),
        (f'<a:UsingAddressing xmlns:a="{WSAW}" w:required="false"/>', (WSA, False)),
        (f'<a:UsingAddressing xmlns:a="{WSAP}"/>', (WSA_2004, False)),
        (f'<p:Policy xmlns:p="{WSP}"><a:Addressing xmlns:a="{METADATA}"/></p:Policy>', (WSA, True)),
        (f'<p:Policy xmlns:p="{WSP_2004}"><a:UsingAddressing xmlns:a="{WSAP}"/></p:Policy>', (WSA_2004, True)),
        (f'<p:Policy xmlns:p="{WSP}"><a:Addressing p:Optional="true" xmlns:a="{METADATA}"/></p:Policy>', (WSA, False)),
        (
            f'<p:Policy xmlns:p="{WSP}"><p:ExactlyOne>{EITHER}<p:All/></p:ExactlyOne></p:Policy>',
            (WSA, False),
        ),
        (
            f'<p:Policy xmlns:p="{WSP}"><p:ExactlyOne>{EITHER}</p:ExactlyOne></p:Policy>',
            (WSA, True),
        ),
        (f'<p:Policy xmlns:p="{WSP_2006}"><a:Addressing xmlns:a="{METADATA}"/></p:Policy>', (WSA, True)),
        (f'<p:Policy xmlns:p="{WSP}"><o:Other xmlns:o="urn:o"/></p:Policy>', ("", False)),
    ],
)
def test_a_binding_asks_for_it(tmp_path: Path, inside: str, expected: tuple[str, bool]) -> None:
    """By an extension, which must be understood where it says so; or by a policy, unless that is optional."""
    found = said(tmp_path, binding=with_binding(inside))
    assert (found.namespace, found.required) == expected


def test_a_port_asks_for_it(tmp_path: Path) -> None:
    """So does the port itself."""
    service = SERVICE.replace("<s:address", f'<a:UsingAddressing xmlns:a="{WSAW}"/><s:address')
    assert said(tmp_path, service=service).namespace == WSA


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ('u:Id="asks"', f'<p:PolicyReference xmlns:p="{WSP}" URI="#asks"/>'),
        ('xml:id="asks"', f'<p:PolicyReference xmlns:p="{WSP}" URI="#asks"/>'),
        ('Name="urn:asks"', f'<p:PolicyReference xmlns:p="{WSP}" URI="urn:asks"/>'),
        ('u:Id="asks"', f'<p:Policy xmlns:p="{WSP}"><p:PolicyReference URI="#asks"/></p:Policy>'),
    ],
)
def test_a_policy_may_stand_elsewhere(tmp_path: Path, name: str, reference: str) -> None:
    """And be referred to, by any of its names."""
    policy = f'<p:Policy xmlns:p="{WSP}" xmlns:u="{WSU}" {name}><a:Addressing xmlns:a="{METADATA}"/></p:Policy>'
    assert said(tmp_path, imports=policy, binding=with_binding(reference)).namespace == WSA
    other = reference.replace("asks", "unknown")
    assert said(tmp_path, imports=policy, binding=with_binding(other)).namespace == ""


def test_a_policy_may_be_named_in_an_attribute(tmp_path: Path) -> None:
    """One among several."""
    policy = f'<p:Policy xmlns:p="{WSP}" Name="urn:asks"><a:Addressing xmlns:a="{METADATA}"/></p:Policy>'
    binding = BINDING.replace("<w:binding ", f'<w:binding xmlns:p="{WSP}" p:PolicyURIs="urn:other urn:asks" ')
    assert said(tmp_path, imports=policy, binding=binding).namespace == WSA


def test_policies_that_name_one_another_end(tmp_path: Path) -> None:
    """A circle of references says nothing."""
    policy = f'<p:Policy xmlns:p="{WSP}" Name="urn:a" p:PolicyURIs="urn:a"><p:PolicyReference URI="urn:a"/></p:Policy>'
    binding = with_binding(f'<p:PolicyReference xmlns:p="{WSP}" URI="urn:a"/>')
    assert said(tmp_path, imports=policy, binding=binding).namespace == ""
