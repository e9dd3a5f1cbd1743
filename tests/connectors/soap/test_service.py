"""From a WSDL to the plan of what is used of it."""

from pathlib import Path

import pytest

from connectors.soap.plan import Addressing, Field, Operation, Service
from connectors.soap.service import offered, service_of
from connectors.soap.wsdl import Wsdl, WsdlError, load
from tests.connectors.soap.wsdls import BINDING, MESSAGES, PORT_TYPE, put, wsdl

TWO = """\
<w:service name="RentService">
 <w:port name="Old" binding="t:Rents11"><s:address location="http://rents.test/old"/></w:port>
 <w:port name="New" binding="t:Rents12"><s12:address location="http://rents.test/new"/></w:port>
 <w:port name="Older" binding="t:Rents11"><s:address location="http://rents.test/older"/></w:port>
</w:service>
"""
NEWER = BINDING.replace("Rents11", "Rents12").replace("<s:", "<s12:")
RPC = BINDING.replace('style="document"', 'style="rpc"').replace(
    '<s:body use="literal"/></w:input>', '<s:body use="encoded" namespace="urn:calls"/></w:input>'
)
PARTS = """\
<w:message name="AskIn"><w:part name="account" type="xs:string"/><w:part name="more" type="xs:anyType"/></w:message>
<w:message name="AskOut"><w:part name="balance" type="xs:decimal"/></w:message>
"""


def loaded(folder: Path, **parts: str) -> Wsdl:
    return load(put(folder, wsdl(**parts)))


def only(service: Service) -> Operation:
    (operation,) = service.operations
    return operation


def test_an_operation_has_all_that_a_call_needs(tmp_path: Path) -> None:
    """Address, version, action, messages, and the WSDL's own words."""
    operation = only(service_of(loaded(tmp_path)))
    assert operation._replace(input=operation.input._replace(parts=()), output=None) == Operation(
        name="GetBalance",
        service="RentService",
        port="RentPort",
        address="http://rents.test/soap",
        version="1.1",
        action="urn:rents#GetBalance",
        input=operation.input._replace(parts=()),
        output=None,
        documentation="What is owed.",
        addressing=Addressing("urn:rents#GetBalance", "urn:rents:Rents:GetBalanceResponse"),
    )
    (part,) = operation.input.parts
    assert (part.name, part.key, part.least, part.most) == ("{urn:rents}Ask", "Ask", 1, 1)
    assert operation.input.wrapper is None
    assert operation.output is not None
    assert [each.key for each in operation.output.parts] == ["Answer"]


def test_soap_1_2_is_preferred(tmp_path: Path) -> None:
    """Ports of one kind collapse to one; a named port is taken as it is."""
    given = loaded(tmp_path, binding=BINDING + NEWER, service=TWO)
    assert only(service_of(given)).port == "New"
    assert only(service_of(given, port="Older")).address == "http://rents.test/older"
    assert [each.port for each in offered(given, "Old").values()] == ["Old"]


def test_only_what_is_asked_for_is_compiled(tmp_path: Path) -> None:
    """An operation that is not used costs nothing."""
    given = loaded(tmp_path)
    assert service_of(given, []) == Service((), service_of(given, []).schema, given.warnings)
    assert service_of(given, []).schema.types == ()
    assert only(service_of(given, ["GetBalance", "GetBalance"])).name == "GetBalance"


def test_an_unknown_operation_is_named(tmp_path: Path) -> None:
    """With those there are."""
    with pytest.raises(WsdlError, match=r"rents\.wsdl has no operation Other; it has GetBalance\."):
        service_of(loaded(tmp_path), ["Other"])


def test_an_unknown_port_is_named(tmp_path: Path) -> None:
    """With those there are."""
    with pytest.raises(WsdlError, match=r"rents\.wsdl has no SOAP port Other; it has RentPort\."):
        service_of(loaded(tmp_path), port="Other")


def test_rpc_messages_have_a_wrapper(tmp_path: Path) -> None:
    """The operation's name, in the namespace of its body or in none; the answer's is named after it."""
    operation = only(service_of(loaded(tmp_path, messages=PARTS, binding=RPC)))
    assert (operation.input.wrapper, operation.input.encoded) == ("{urn:calls}GetBalance", True)
    assert [(part.name, part.key) for part in operation.input.parts] == [("account", "account"), ("more", "more")]
    assert operation.output is not None
    assert (operation.output.wrapper, operation.output.encoded) == ("GetBalanceResponse", False)


def test_one_way_operations_answer_nothing(tmp_path: Path) -> None:
    """No output."""
    port_type = PORT_TYPE.replace('<w:output message="t:AskOut"/>', "")
    binding = BINDING.replace('<w:output><s:body use="literal"/></w:output>', "")
    assert only(service_of(loaded(tmp_path, port_type=port_type, binding=binding))).output is None


def test_declared_faults_are_listed(tmp_path: Path) -> None:
    """By name, each with the element of its detail."""
    messages = MESSAGES + '<w:message name="Bad"><w:part name="bad" element="t:Ask"/></w:message>'
    port_type = PORT_TYPE.replace("</w:operation>", '<w:fault name="NoSuch" message="t:Bad"/></w:operation>')
    fault = '<w:fault name="NoSuch"><s:fault name="NoSuch" use="literal"/></w:fault></w:operation>'
    binding = BINDING.replace("</w:operation>", fault)
    operation = only(service_of(loaded(tmp_path, messages=messages, port_type=port_type, binding=binding)))
    assert [(name, field.name) for name, field in operation.faults] == [("NoSuch", "{urn:rents}Ask")]
    assert isinstance(operation.faults[0][1], Field)
