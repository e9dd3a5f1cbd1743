"""What a WSDL says about WS-Addressing: the actions of an operation's messages, and whether a port asks for them.

zeep drops all of it, so it is read from the nodes. Sources: WS-Addressing 1.0 Metadata, sections 3 and 4.4; the WSDL
Binding drafts before it (`wsaw`); WS-Addressing of 2004/08 and its policy; WS-Policy 1.5 Attachment, section 3.4.
"""

from collections.abc import Iterable, Iterator

from lxml import etree

from connectors.soap.addressing import WSA, WSA_2004
from connectors.soap.documents import Document
from connectors.soap.mending import qualified
from connectors.soap.plan import Addressing
from connectors.soap.repairs import WSDL

_METADATA = ("http://www.w3.org/2007/05/addressing/metadata", "http://www.w3.org/2007/02/addressing/metadata")
_WSDL_BINDING = tuple(f"http://www.w3.org/{date}/addressing/wsdl" for date in ("2006/05", "2006/02", "2005/02"))
_POLICY_2004 = f"{WSA_2004}/policy"
_NAMING = (*_METADATA, *_WSDL_BINDING, WSA, WSA_2004)
"""Where an Action may be declared: the last two are not meant for it, and are met all the same."""
_ASSERTIONS = {f"{{{space}}}Addressing": WSA for space in _METADATA} | {
    f"{{{space}}}UsingAddressing": WSA for space in _WSDL_BINDING
}
_ASSERTIONS[f"{{{_POLICY_2004}}}UsingAddressing"] = WSA_2004
_POLICIES = (
    "http://www.w3.org/ns/ws-policy",
    "http://www.w3.org/2006/07/ws-policy",
    "http://schemas.xmlsoap.org/ws/2004/09/policy",
)
_IDS = (
    "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id",
    "{http://www.w3.org/XML/1998/namespace}id",
)


class Policies:
    """What is said of addressing about the ports of all definitions."""

    def __init__(self, definitions: Iterable[Document]) -> None:
        self._policies: dict[str, etree._Element] = {}
        self._bindings: dict[str, etree._Element] = {}
        self._ports: dict[tuple[str, str], etree._Element] = {}
        for document in definitions:
            root = document.root
            for node in root.iter(*(f"{{{space}}}Policy" for space in _POLICIES)):
                for name in filter(None, (*(f"#{node.get(key)}" for key in _IDS if node.get(key)), node.get("Name"))):
                    self._policies.setdefault(name, node)
            for node in root.findall(f"{{{WSDL}}}binding"):
                self._bindings.setdefault(qualified(root, node.get("name", "")), node)
            for node in root.findall(f"{{{WSDL}}}service/{{{WSDL}}}port"):
                self._ports.setdefault((node.getparent().get("name", ""), node.get("name", "")), node)

    def wanted(self, service: str, port: str, binding: str) -> tuple[str, bool]:
        """The namespace of the headers that a port asks for ("": it does not), and whether it insists on them."""
        nodes = (self._ports.get((service, port)), self._bindings.get(binding))
        found = [each for node in nodes if node is not None for each in self._assertions(node, set())]
        if not found:
            return "", False
        space = _ASSERTIONS[found[0].tag]
        return space, any(_insists(each) for each in found)

    def _assertions(self, node: etree._Element, seen: set[str]) -> Iterator[etree._Element]:
        """Those in a port, a binding or a policy, and in the policies that it names; each of these is read once."""
        for child in node:
            if child.tag in _ASSERTIONS:
                yield child
            elif etree.QName(child).namespace in _POLICIES:
                yield from self._assertions(child, seen)
        for name in _names(node):
            if name in self._policies and name not in seen:
                seen.add(name)
                yield from self._assertions(self._policies[name], seen)


def _names(node: etree._Element) -> list[str]:
    """The policies that a node refers to."""
    listed = " ".join(node.get(f"{{{space}}}PolicyURIs", "") for space in _POLICIES)
    return [*listed.split(), node.get("URI", "")]


def _insists(node: etree._Element) -> bool:
    """Whether it may not be left out: an extension says that it is required, an assertion that it is optional."""
    inside = [each for each in node.iterancestors() if etree.QName(each).namespace in _POLICIES]
    if not inside:
        return node.get(f"{{{WSDL}}}required", "").strip() in ("true", "1")
    if any(node.get(f"{{{space}}}Optional", "").strip() in ("true", "1") for space in _POLICIES):
        return False
    choices = [each for each in inside if etree.QName(each).localname == "ExactlyOne"]
    return all(next(way.iter(*_ASSERTIONS), None) is not None for choice in choices for way in choice)


# ------------------------------------------------------------------------------------------------ actions


def addressing(document: Document, node: etree._Element, action: str | None, wanted: tuple[str, bool]) -> Addressing:
    """What is said of one operation: `node` is that in the port type, `action` its SOAPAction."""
    one_way = node.find(f"{{{WSDL}}}output") is None
    space, insists = wanted
    return Addressing(
        input=_action(document, node, "input", "" if one_way else "Request", action),
        output="" if one_way else _action(document, node, "output", "Response"),
        faults=tuple(
            (
                each.get("name", ""),
                _declared(each) or _default(document, node, f"{node.get('name')}:Fault:{each.get('name')}"),
            )
            for each in node.findall(f"{{{WSDL}}}fault")
        ),
        namespace=space,
        required=insists,
    )


def _action(document: Document, node: etree._Element, kind: str, ending: str, soap_action: str | None = None) -> str:
    """Declared; else the SOAPAction; else by the default pattern, with the message's name or the operation's."""
    message = node.find(f"{{{WSDL}}}{kind}")
    declared = "" if message is None else _declared(message)
    name = None if message is None else message.get("name")
    return declared or soap_action or _default(document, node, name or f"{node.get('name')}{ending}")


def _declared(message: etree._Element) -> str:
    values = (message.get(f"{{{space}}}Action", "").strip() for space in _NAMING)
    return next(filter(None, values), "")


def _default(document: Document, node: etree._Element, ending: str) -> str:
    """The default pattern (Metadata, section 4.4.4): namespace, port type, name. `ending` has colons for delimiters."""
    space = document.root.get("targetNamespace", "")
    delimiter = ":" if space.lower().startswith("urn:") else "/"
    steps = (space.removesuffix(delimiter), node.getparent().get("name", ""), *ending.split(":"))
    return delimiter.join(steps)
