"""References in definitions that lead nowhere."""

from pathlib import Path

import pytest

from connectors.soap.wsdl import Wsdl, WsdlError, load
from tests.connectors.soap.wsdls import BINDING, MESSAGES, PORT_TYPE, SERVICE, put, wsdl


def with_header(folder: Path, header: str, messages: str = "") -> Wsdl:
    """A WSDL whose request has a header."""
    binding = BINDING.replace('<w:input><s:body use="literal"/>', f'<w:input><s:body use="literal"/>{header}')
    return load(put(folder, wsdl(binding=binding, messages=MESSAGES + messages)))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('message="t:Gone" part="a"', "names the message t:Gone, which is not there"),
        ('message="t:Bad" part="a"', "is of the message t:Bad, whose element t:Gone no schema declares"),
        ('message="t:AskOut" part="gone"', "names the part gone, which its message does not have"),
    ],
)
def test_headers(header: str, said: str, tmp_path: Path) -> None:
    """A header that cannot be understood is left out, and that is told."""
    bad = '<w:message name="Bad"><w:part name="a" element="t:Gone"/></w:message>'
    loaded = with_header(tmp_path, f"<s:header {header}/>", bad)
    assert loaded.warnings == (f"rents.wsdl:22: the header {said}; it is left out",)
    assert loaded.bound[0].input.headers == ()


def test_header_without_use(tmp_path: Path) -> None:
    """A header that does not say how it is encoded is literal."""
    loaded = with_header(tmp_path, '<s:header message="t:AskOut" part="body"/>')
    assert loaded.warnings == ()
    assert [part.element for part in loaded.bound[0].input.headers] == ["{urn:rents}Answer"]


def test_faults(tmp_path: Path) -> None:
    """A fault whose message is not there is left out; the others stay."""
    faults = '<w:fault name="A" message="t:Gone"/><w:fault name="B" message="t:AskOut"/>'
    loaded = load(put(tmp_path, wsdl(port_type=PORT_TYPE.replace("</w:operation>", f"{faults}</w:operation>"))))
    assert loaded.warnings == (
        "rents.wsdl:16: the fault A names the message t:Gone, which is not there; it is left out",
    )
    assert [fault.name for fault in loaded.bound[0].faults] == ["B"]


def test_ports(tmp_path: Path) -> None:
    """A port without a binding is left out."""
    service = SERVICE.replace("</w:service>", '<w:port name="Odd"/></w:service>')
    loaded = load(put(tmp_path, wsdl(service=service)))
    assert loaded.warnings == ("rents.wsdl:27: the port Odd has no binding; it is left out",)
    assert [each.port for each in loaded.bound] == ["RentPort"]


def test_ports_of_no_binding(tmp_path: Path) -> None:
    """Nor does a port stay whose binding is not there."""
    service = SERVICE.replace("</w:service>", '<w:port name="Odd" binding="t:Gone"/></w:service>')
    loaded = load(put(tmp_path, wsdl(service=service)))
    assert loaded.warnings == (
        "rents.wsdl:27: the port Odd names the binding t:Gone, which is not there; it is left out",
    )
    assert [each.port for each in loaded.bound] == ["RentPort"]


@pytest.mark.parametrize("target", ['targetNamespace="urn:rents"', ""])
def test_names_without_a_prefix(target: str, tmp_path: Path) -> None:
    """A message, a port type or a binding named without a prefix is one of the same document, whatever it is called."""
    header = '<s:header message="AskOut" part="body" use="literal"/>'
    fault = '<w:fault name="Odd" message="AskIn"/></w:operation>'
    text = wsdl(
        binding=BINDING.replace("t:", "").replace('<s:body use="literal"/>', f'<s:body use="literal"/>{header}', 1),
        port_type=PORT_TYPE.replace("t:", "").replace("</w:operation>", fault),
        service=SERVICE.replace("t:", ""),
    )
    own = f'{target} xmlns="http://schemas.xmlsoap.org/wsdl/"'
    loaded = load(put(tmp_path, text.replace('targetNamespace="urn:rents"', own, 1)))
    assert loaded.warnings == ()
    (found,) = loaded.bound
    assert [each.element for each in found.input.headers] == ["{urn:rents}Answer"]
    assert [each.name for each in found.faults] == ["Odd"]


def test_type_as_element(tmp_path: Path) -> None:
    """A part that names a type where an element should be named has that type."""
    messages = MESSAGES.replace('element="t:Answer"', 'element="xs:int"')
    loaded = load(put(tmp_path, wsdl(messages=messages)))
    assert loaded.warnings == ("rents.wsdl:10: the part body names the type xs:int as its element; taken as its type",)


def test_unknown_type(tmp_path: Path) -> None:
    """A part of a type that nobody declares may be anything."""
    messages = MESSAGES.replace('element="t:Answer"', 'type="t:Gone"')
    loaded = load(put(tmp_path, wsdl(messages=messages, binding=BINDING.replace('"document"', '"rpc"'))))
    assert loaded.warnings == (
        "rents.wsdl:10: no schema declares the type t:Gone of the part body, which may be anything now",
    )
    output = loaded.bound[0].output
    assert output is not None
    assert output.parts[0].type == "{http://www.w3.org/2001/XMLSchema}anyType"


def test_definitions_without_a_namespace(tmp_path: Path) -> None:
    """Definitions may have no target namespace."""
    text = wsdl().replace(' targetNamespace="urn:rents" xmlns:w', " xmlns:w")
    for name in ("AskIn", "AskOut", "Rents11", "Rents"):
        text = text.replace(f'"t:{name}"', f'"{name}"')
    assert load(put(tmp_path, text)).warnings == ()


@pytest.mark.parametrize(
    ("kind", "said"), [("", "has no type"), (' type="t:Gone"', "is of the port type t:Gone, which is not there")]
)
def test_binding_of_no_port_type(kind: str, said: str, tmp_path: Path) -> None:
    """A binding of a port type that is not there is one of the only port type there is."""
    loaded = load(put(tmp_path, wsdl(binding=BINDING.replace(' type="t:Rents"', kind))))
    assert loaded.warnings == (f"rents.wsdl:18: the binding Rents11 {said}; the only one there is, Rents, is taken",)
    assert [each.operation for each in loaded.bound] == ["GetBalance"]


def test_binding_of_no_port_type_for_certain(tmp_path: Path) -> None:
    """Of two port types none is taken, nor one that lacks an operation of the binding."""
    lost = BINDING.replace(' type="t:Rents"', "")
    for port_type, binding in (
        (PORT_TYPE + PORT_TYPE.replace("Rents", "Others"), lost),
        (PORT_TYPE.replace("GetBalance", "SetBalance"), lost),
    ):
        with pytest.raises(WsdlError, match="the binding Rents11 has no type; name its port type"):
            load(put(tmp_path, wsdl(port_type=port_type, binding=binding)))
