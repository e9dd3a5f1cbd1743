"""Wildcards (`xs:any`, `xs:anyAttribute`): what they let in, and what they ask of it.

The namespaces of a wildcard decide what may stand in its place. A strict one also asks for a global declaration; and an
attribute that is declared must fit its type, unless the wildcard skips that. Elements that are let in are passed on as
they came: what stands inside them is not looked at.
"""

from collections.abc import Callable

from connectors.soap.plan import AnyAttribute, Attribute, Wild
from connectors.soap.simple import Unfit
from connectors.soap.values import coded
from connectors.soap.words import TYPE
from connectors.soap.xmltext import Element, local, namespace

NOT_DECLARED = "which has to be declared in a schema here, and is not"


def lets_in(wild: Wild | AnyAttribute, name: str) -> bool:
    """As XML Schema Part 1, section 3.10.4, has it: what is of no namespace is never "other"."""
    space = namespace(name)
    for each in wild.namespaces:
        match each:
            case "##any":
                return True
            case "##other":
                allowed = space not in ("", wild.target)
            case "##local":
                allowed = space == ""
            case "##targetNamespace":
                allowed = space == wild.target
            case _:
                allowed = space == each
        if allowed:
            return True
    return False


def admission(wilds: tuple[Wild, ...]) -> Callable[[str], bool]:
    """Whether wildcards, one or the other, let in an element of a name."""
    return lambda name: any(lets_in(wild, name) for wild in wilds)


def element_objection(wilds: tuple[Wild, ...]) -> Callable[[Element], str | None]:
    """Why an element that wildcards let in is none of those they ask for. One that tells its own type is."""
    asked = [(wild, None if wild.only is None else frozenset(wild.only)) for wild in wilds]

    def objection(element: Element) -> str | None:
        name = element.tag
        if (
            any((only is None or name in only) and lets_in(wild, name) for wild, only in asked)
            or TYPE in element.attrib
        ):
            return None
        return f"has the element {local(name)}, {NOT_DECLARED}"

    return objection


def attribute_check(wild: AnyAttribute) -> Callable[[str, str], object]:
    """Holds an attribute that a wildcard lets in, and its text, to what the wildcard asks for. Raises Unfit."""
    known = {each.name: _text_of(each) for each in wild.declared}

    def check(name: str, text: str) -> object:
        decode = known.get(name, str)
        if wild.strict and name not in known:
            raise Unfit(f"is the attribute {local(name)}, {NOT_DECLARED}")
        return decode(text)

    return check


def _text_of(attribute: Attribute) -> Callable[[str], object]:
    """What reads an attribute's text; names are left alone, since only the message knows their prefixes."""
    return str if attribute.type.kind == "qname" else coded(attribute.type, attribute.fixed).decode
