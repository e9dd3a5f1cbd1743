"""What a WSDL offers."""

from pathlib import Path

import pytest

from connectors.soap.bound import Body, Bound, Fault, Part
from connectors.soap.plan import Addressing
from connectors.soap.wsdl import WsdlError, load
from tests.connectors.soap.wsdls import BINDING, MESSAGES, PORT_TYPE, SCHEMA, SERVICE, put, wsdl

ASK = Part("body", "{urn:rents}Ask")
ANSWER = Part("body", "{urn:rents}Answer")


def bound(folder: Path, **parts: str) -> tuple[Bound, ...]:
    """What a WSDL offers."""
    return load(put(folder, wsdl(**parts))).bound


def test_all_of_it(tmp_path: Path) -> None:
    """Everything about an operation is there, as plain values."""
    faults = '<w:fault name="NoAccount" message="t:AskIn"/></w:operation>'
    assert bound(tmp_path, port_type=PORT_TYPE.replace("</w:operation>", faults)) == (
        Bound(
            service="RentService",
            port="RentPort",
            address="http://rents.test/soap",
            version="1.1",
            operation="GetBalance",
            action="urn:rents#GetBalance",
            style="document",
            input=Body((ASK,)),
            output=Body((ANSWER,)),
            faults=(Fault("NoAccount", ASK),),
            documentation="What is owed.",
            addressing=Addressing(
                "urn:rents#GetBalance",
                "urn:rents:Rents:GetBalanceResponse",
                (("NoAccount", "urn:rents:Rents:GetBalance:Fault:NoAccount"),),
            ),
        ),
    )


def test_versions(tmp_path: Path) -> None:
    """Ports of SOAP 1.1 and 1.2 are both there; a port of HTTP is not."""
    other = BINDING.replace("Rents11", "Rents12").replace("<s:", "<s12:")
    http = '<h:binding verb="GET" xmlns:h="http://schemas.xmlsoap.org/wsdl/http/"/>'
    plain = f'<w:binding name="RentsGet" type="t:Rents">{http}</w:binding>'
    ports = '<w:port name="P12" binding="t:Rents12"/><w:port name="Get" binding="t:RentsGet"/></w:service>'
    found = bound(tmp_path, binding=BINDING + other + plain, service=SERVICE.replace("</w:service>", ports))
    assert [(each.port, each.version, each.address) for each in found] == [
        ("RentPort", "1.1", "http://rents.test/soap"),
        ("P12", "1.2", ""),
    ]


def test_rpc(tmp_path: Path) -> None:
    """Of an RPC operation the namespace, the encoding, and the parts' types are known."""
    body = '<s:body use="encoded" namespace="urn:calls"/>'
    binding = BINDING.replace('"document"', '"rpc"').replace('<s:body use="literal"/>', body)
    messages = (
        '<w:message name="AskIn"><w:part name="a" type="xs:int"/><w:part name="b" type="xs:string"/></w:message>'
        '<w:message name="AskOut"/>'
    )
    (found,) = bound(tmp_path, binding=binding, messages=messages)
    xsd = "{http://www.w3.org/2001/XMLSchema}"
    parts = (Part("a", type=f"{xsd}int"), Part("b", type=f"{xsd}string"))
    assert (found.style, found.input) == ("rpc", Body(parts, namespace="urn:calls", use="encoded"))


def test_listed_parts(tmp_path: Path) -> None:
    """`parts` says which parts are in the body, and in which order."""
    messages = MESSAGES.replace("</w:message>", '<w:part name="more" element="t:Answer"/></w:message>', 1)
    more = Part("more", "{urn:rents}Answer")
    assert bound(tmp_path, messages=messages)[0].input.parts == (ASK, more)
    binding = BINDING.replace("<s:body", '<s:body parts="more gone"', 1)
    assert bound(tmp_path, messages=messages, binding=binding)[0].input.parts == (more,)


def test_headers(tmp_path: Path) -> None:
    """A part of the message that is a header is not in the body; headers may be of other messages."""
    messages = MESSAGES.replace("</w:message>", '<w:part name="token" element="t:Answer"/></w:message>', 1)
    headers = '<s:header message="t:AskIn" part="token"/><s:header message="t:AskOut" part="body"/>'
    binding = BINDING.replace("<w:input>", f"<w:input>{headers}")
    (found,) = bound(tmp_path, messages=messages, binding=binding)
    assert found.input == Body((ASK,), headers=(Part("token", "{urn:rents}Answer"), ANSWER))


def test_attachments(tmp_path: Path) -> None:
    """Parts that are declared as MIME content travel beside the envelope."""
    messages = MESSAGES.replace("</w:message>", '<w:part name="scan" type="xs:base64Binary"/></w:message>', 1)
    related = (
        '<w:input><m:multipartRelated><m:part><s:body use="literal"/></m:part>'
        '<m:part><m:content part="scan" type="image/png"/></m:part></m:multipartRelated></w:input>'
    )
    binding = BINDING.replace('<w:input><s:body use="literal"/></w:input>', related)
    (found,) = bound(tmp_path, messages=messages, binding=binding)
    assert found.input == Body((ASK,), attachments=("scan",))


def test_one_way(tmp_path: Path) -> None:
    """An operation without an output is not answered."""
    (found,) = bound(tmp_path, port_type=PORT_TYPE.replace('<w:output message="t:AskOut"/>', ""))
    assert found.output is None


def test_binding_that_says_little(tmp_path: Path) -> None:
    """A binding that says nothing of a message leaves it as the port type says it."""
    binding = BINDING.replace('<w:input><s:body use="literal"/></w:input>', "")
    binding = binding.replace('<w:output><s:body use="literal"/>', "<w:output>")
    (found,) = bound(tmp_path, binding=binding)
    assert (found.input, found.output) == (Body((ASK,)), Body((ANSWER,)))


def test_no_input(tmp_path: Path) -> None:
    """An operation whose port type says nothing of a request is asked with an empty one."""
    binding = BINDING.replace('<w:input><s:body use="literal"/></w:input>', "")
    (found,) = bound(tmp_path, port_type=PORT_TYPE.replace('<w:input message="t:AskIn"/>', ""), binding=binding)
    assert found.input == Body()


def test_abstract(tmp_path: Path) -> None:
    """A WSDL without a service loads, and offers nothing."""
    assert bound(tmp_path, binding="", service="") == ()


LOST = '<w:operation name="Lost"><w:input message="t:Gone"/></w:operation>'
LOST_TOO = '<w:operation name="Lost"><w:input/></w:operation><w:operation name="Odd"><w:input/></w:operation>'


def test_left_out(tmp_path: Path) -> None:
    """An operation that cannot be bound is left out, with file, line and reason; the others stay."""
    port_type = PORT_TYPE.replace("</w:portType>", f"{LOST}</w:portType>")
    binding = BINDING.replace("</w:binding>", f"{LOST_TOO}</w:binding>")
    loaded = load(put(tmp_path, wsdl(port_type=port_type, binding=binding)))
    assert [each.operation for each in loaded.bound] == ["GetBalance"]
    assert loaded.left_out == (
        "rents.wsdl:24: the operation Lost is left out: its input names the message t:Gone, which is not there",
        "rents.wsdl:24: the operation Odd is left out: its port type has no such operation",
    )
    assert loaded.warnings == loaded.left_out


def test_left_out_for_an_element(tmp_path: Path) -> None:
    """An operation whose answer is of an element that no schema declares is left out, and the element is named."""
    port_type = PORT_TYPE.replace("</w:portType>", LOST.replace("<w:input", "<w:output") + "</w:portType>")
    binding = BINDING.replace("</w:binding>", LOST_TOO.replace("w:input", "w:output") + "</w:binding>")
    messages = MESSAGES + '<w:message name="Gone"><w:part name="a" element="t:Nothing"/></w:message>'
    loaded = load(put(tmp_path, wsdl(port_type=port_type, binding=binding, messages=messages)))
    assert loaded.left_out[0] == (
        "rents.wsdl:24: the operation Lost is left out: "
        "its output is of the message t:Gone, whose element t:Nothing no schema declares"
    )


def test_list_as_a_part(tmp_path: Path) -> None:
    """A part of a type that is a list or a union is of that type, by the name it has in the WSDL."""
    simple = '<xs:simpleType name="Codes"><xs:list itemType="xs:int"/></xs:simpleType>'
    (found,) = bound(
        tmp_path,
        schemas=SCHEMA.replace("</xs:schema>", f"{simple}</xs:schema>"),
        messages=MESSAGES.replace('element="t:Ask"', 'type="t:Codes"'),
        binding=BINDING.replace('style="document"', 'style="rpc"'),
    )
    assert found.input.parts == (Part("body", type="{urn:rents}Codes"),)


def test_all_left_out(tmp_path: Path) -> None:
    """A WSDL of which nothing can be used is refused."""
    with pytest.raises(
        WsdlError, match=r"^rents\.wsdl has no operation that can be used: rents\.wsdl:18: the operation"
    ):
        bound(tmp_path, messages="")
