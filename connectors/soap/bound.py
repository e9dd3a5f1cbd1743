"""What a compiled WSDL offers: one value per operation of each SOAP port, with names where the compilers have objects.

Services, ports, operations and messages are read from zeep's compiled document; what zeep does not keep (`use`,
`parts`, attachments, documentation, the names of simple types) from the nodes of the WSDL.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from lxml import etree
from zeep.wsdl.bindings.soap import Soap12Binding

from connectors.soap.actions import Policies, addressing
from connectors.soap.documents import Document, at
from connectors.soap.mending import SOAP_11, SOAP_12, Names, qualified, referred, resolved
from connectors.soap.plan import Addressing
from connectors.soap.policies import asks_for_mtom
from connectors.soap.repairs import WSDL

MIME = "http://schemas.xmlsoap.org/wsdl/mime/"
NOWHERE = "its port type has no such operation"


class Part(NamedTuple):
    """A part of a message: an element of its own, or a name of a type."""

    name: str
    element: str | None = None
    type: str | None = None


class Body(NamedTuple):
    """What a message is made of: the parts in its body, those in headers, and those that travel beside the envelope."""

    parts: tuple[Part, ...] = ()
    headers: tuple[Part, ...] = ()
    attachments: tuple[str, ...] = ()
    namespace: str = ""
    use: Literal["literal", "encoded"] = "literal"


class Fault(NamedTuple):
    """A declared fault: its name, and the part that its detail holds."""

    name: str
    part: Part


class Bound(NamedTuple):
    """One operation of one port. `output` is None where nothing is answered; `mtom` is what its policy asks for."""

    service: str
    port: str
    address: str
    version: Literal["1.1", "1.2"]
    operation: str
    action: str | None
    style: Literal["document", "rpc"]
    input: Body
    output: Body | None
    faults: tuple[Fault, ...] = ()
    documentation: str = ""
    addressing: Addressing = Addressing()
    mtom: bool = False


class Nodes:
    """The nodes of the operations of all bindings and port types, and the policies of ports."""

    def __init__(self, definitions: Iterable[Document]) -> None:
        definitions = tuple(definitions)
        self.policies = Policies(definitions)
        self._found: dict[tuple[str, str], dict[str, tuple[Document, etree._Element]]] = {}
        for document in definitions:
            for kind in ("binding", "portType"):
                for node in document.root.findall(f"{{{WSDL}}}{kind}"):
                    name = qualified(document.root, node.get("name", ""))
                    operations = {each.get("name"): (document, each) for each in node.findall(f"{{{WSDL}}}operation")}
                    self._found.setdefault((kind, name), operations)

    def operations(self, kind: str, name: str) -> dict[str, tuple[Document, etree._Element]]:
        """The operations of a binding or a port type, by name."""
        return self._found.get((kind, name), {})


def offered(compiled: Any, definitions: Iterable[Document], names: Names) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    """Every operation of every SOAP port; and those that had to be left out, each with the reason."""
    nodes = Nodes(definitions)
    bound: list[Bound] = []
    left_out: dict[str, None] = {}
    for definition, service, port in ports(compiled):
        bound += [one(definition, nodes, names, service, port, each) for each in port.binding._operations.values()]
        left_out |= dict.fromkeys(incomplete(nodes, names, port.binding))
    return tuple(bound), tuple(left_out)


def ports(compiled: Any) -> Iterator[tuple[Any, str, Any]]:
    """The SOAP ports, each with the definitions it stands in and the name of its service."""
    for definition in compiled._definitions.values():
        for service in definition.services.values():
            for port in service.ports.values():
                yield definition, service.name, port


def incomplete(nodes: Nodes, names: Names, binding: Any) -> Iterator[str]:
    """The operations of a binding that could not be compiled."""
    known = nodes.operations("portType", binding.port_name.text)
    for name, (document, node) in nodes.operations("binding", binding.name.text).items():
        if name not in binding._operations:
            reason = NOWHERE if name not in known else unusable(known[name][1], names)
            yield f"{at(document, node)}: the operation {name} is left out: {reason}"


def unusable(node: etree._Element, names: Names) -> str:
    """Why the messages of an operation of a port type cannot be used."""
    messages = {kind: node.find(f"{{{WSDL}}}{kind}") for kind in ("input", "output")}
    problems = {kind: names.problem(message) for kind, message in messages.items() if message is not None}
    reasons = (f"its {kind} {problem}" for kind, problem in problems.items() if problem)
    return next(reasons, "one of its messages cannot be used")


def one(definition: Any, nodes: Nodes, names: Names, service: str, port: Any, operation: Any) -> Bound:
    """One operation of one port."""
    binding, abstract = port.binding, operation.abstract
    soap = SOAP_12 if isinstance(binding, Soap12Binding) else SOAP_11
    _, node = nodes.operations("binding", binding.name.text)[operation.name]
    document, described = nodes.operations("portType", binding.port_type.name.text)[operation.name]
    action = operation.soapaction
    return Bound(
        service=service,
        port=port.name,
        address=(port.binding_options or {}).get("address") or "",
        version="1.2" if soap == SOAP_12 else "1.1",
        operation=operation.name,
        action=action,
        style="rpc" if operation.style == "rpc" else "document",
        input=body(definition, names, soap, node.find(f"{{{WSDL}}}input"), abstract.input_message) or Body(),
        output=body(definition, names, soap, node.find(f"{{{WSDL}}}output"), abstract.output_message),
        faults=tuple(faults(abstract.fault_messages, names)),
        documentation=" ".join((described.findtext(f"{{{WSDL}}}documentation") or "").split()),
        addressing=addressing(
            document, described, action, nodes.policies.wanted(service, port.name, binding.name.text)
        ),
        mtom=asks_for_mtom(node.getparent()),
    )


def body(definition: Any, known: Names, soap: str, node: etree._Element | None, message: Any) -> Body | None:
    """The input or output of an operation: `node` is the binding's, `message` is the port type's."""
    if message is None:
        return None
    parts = named_parts(message, known)
    if node is None:
        return Body(tuple(parts.values()))
    headers = list(node.iter(f"{{{soap}}}header"))
    content = {each.get("part") for each in node.iter(f"{{{MIME}}}content")}
    inside = next(node.iter(f"{{{soap}}}body"), etree.Element("none"))
    own = [each for each in headers if referred(each, each.get("message")) == message.name.text]
    elsewhere = content | {each.get("part") for each in own}
    listed = inside.get("parts")
    names = [name for name in parts if name not in elsewhere] if listed is None else listed.split()
    return Body(
        parts=tuple(parts[name] for name in names if name in parts),
        headers=tuple(header(definition, known, each) for each in headers),
        attachments=tuple(name for name in parts if name in content and name not in names),
        namespace=inside.get("namespace", ""),
        use="encoded" if inside.get("use") == "encoded" else "literal",
    )


def header(definition: Any, names: Names, node: etree._Element) -> Part:
    """The part of a message that a soap:header names."""
    message = definition.get("messages", referred(node, node.get("message")))
    return named_parts(message, names)[node.get("part")]


def named_parts(message: Any, names: Names) -> dict[str, Part]:
    """The parts of a message by name. Their types are as the WSDL names them: zeep knows no name of a list or union."""
    nodes = {each.get("name"): each for each in names.messages[message.name.text].iterfind(f"{{{WSDL}}}part")}
    return {
        name: Part(
            name,
            part.element.qname.text if part.element is not None else None,
            resolved(nodes[name], nodes[name].get("type")) if part.type is not None else None,
        )
        for name, part in message.parts.items()
    }


def faults(messages: Mapping[str, Any], names: Names) -> Iterator[Fault]:
    """The declared faults (WSDL 1.1 gives each one part)."""
    for name, message in messages.items():
        for part in list(named_parts(message, names).values())[:1]:
            yield Fault(name, part)
