"""How content is written that is text: of simple types, beside attributes, and mixed with elements."""

from collections.abc import Callable, Mapping

from connectors.soap.attributes import Count
from connectors.soap.marks import attachable
from connectors.soap.plan import Field, Simple
from connectors.soap.problems import At, object_to
from connectors.soap.simple import Unfit
from connectors.soap.together import Write
from connectors.soap.values import coded, name_writer
from connectors.soap.words import JSON, MISSING, VALUE, XML
from connectors.soap.xmltext import Add, XmlRefused, escape, safe_content

NUMERIC = frozenset({"boolean", "integer", "decimal", "float", "dateTime", "base64", "hex"})
"""Kinds whose text never holds a character that XML would take for its own."""


def leaf(field: Field, simple: Simple, tag: str, mark: str, prefixes: Mapping[str, str]) -> Write:
    """The function for an element of a simple type; `mark` is the attribute that tells the type, where it has to."""
    is_name, plain = simple.kind == "qname", simple.kind in (*NUMERIC, "qname")
    text_of = _named(simple, prefixes) if is_name else _plain(simple, field.fixed)
    start, end = f"<{tag}{mark}" if is_name else f"<{tag}{mark}>", f"</{tag}>"
    nil = f'<{tag} xsi:nil="true"/>' if field.nillable else None

    def write(value: JSON, add: Add, at: At | None) -> None:
        if value is None:
            if nil is None:
                object_to(at, "must not be null")
            else:
                add(nil)
            return
        try:
            text = text_of(value)
        except Unfit as unfit:
            object_to(at, str(unfit))
            return
        add(f"{start}{text if plain else escape(text)}{end}")

    return write


def _plain(simple: Simple, fixed: str | None = None) -> Callable[[JSON], str]:
    """From a value to its text; in the place of base64 a mark may stand, for what travels beside the message."""
    encode = coded(simple, fixed).encode
    return attachable(encode) if simple.kind == "base64" else encode


def _named(simple: Simple, prefixes: Mapping[str, str]) -> Callable[[JSON], str]:
    """From a name to what ends the start tag, with the declaration it needs, and its text."""
    name_of = name_writer(simple, prefixes)

    def text_of(value: JSON) -> str:
        name, declaration = name_of(value)
        return f"{declaration}>{name}"

    return text_of


def text(simple: Simple, prefixes: Mapping[str, str]) -> Count:
    """The function that ends the start tag and writes text (`$value`)."""
    if simple.kind == "qname":
        text_of = _named(simple, prefixes)
    else:
        plain = _plain(simple)

        def text_of(value: JSON) -> str:
            return f">{escape(plain(value))}"

    def write(value: JSON, add: Add, at: At | None) -> int:
        given = value.get(VALUE, MISSING)
        if given is MISSING or given is None:
            object_to(at and at[VALUE], "is missing" if given is MISSING else "must not be null")
            return int(given is None)
        try:
            add(text_of(given))
        except Unfit as unfit:
            object_to(at and at[VALUE], str(unfit))
        return 1

    return write


def mixed(value: JSON, add: Add, at: At | None) -> int:
    """Writes text and elements in XML (`$xml`)."""
    add(">")
    given = value.get(XML, MISSING)
    if given is MISSING:
        return 0
    try:
        add(safe_content(given))
    except XmlRefused as refused:
        object_to(at and at[XML], str(refused))
    return 1


def nothing(_value: JSON, add: Add, _at: At | None) -> int:
    """Ends the start tag of an element without content."""
    add(">")
    return 0
