"""Simple values where more than their text matters: fixed ones, and qualified names.

A name is `prefix:local` in XML, which means nothing without the prefixes declared around it. In JSON it is
`{namespace}local`; written back, it brings its own prefix where the envelope declares none for its namespace.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from connectors.soap.plan import Simple
from connectors.soap.simple import Codec, Unfit, codec, decoder, encoder, must_be
from connectors.soap.words import JSON
from connectors.soap.xmltext import XML_NAMESPACE, Element, local, namespace, quoted

NAME = Simple("qname", "QName")
_is_name = decoder(NAME)
_is_local = encoder(Simple("string", "NCName"))
_is_text = encoder(Simple("string", "string"))

ReadName = Callable[[Element, str], str]
WriteName = Callable[[JSON], tuple[str, str]]
"""A name's text, and the declaration that has to stand in the start tag for it."""


def coded(simple: Simple, fixed: str | None = None) -> Codec:
    """Both directions of a simple type; with a `fixed` value, of that alone, which no text at all stands for, too."""
    plain = codec(simple)
    if fixed is None:
        return plain
    try:
        only = plain.decode(fixed)
    except Unfit:  # the schema contradicts itself; the type is the surer guide
        return plain
    worth: Callable[[str], object] = Decimal if simple.kind == "decimal" else str

    def held(value: JSON) -> JSON:
        if worth(str(value)) != worth(str(only)):
            raise Unfit(f"must be {fixed}")
        return value

    def decode(text: str) -> JSON:
        return held(plain.decode(text)) if text else only

    def encode(value: JSON) -> str:
        text = plain.encode(value)
        held(plain.decode(text))
        return text

    return Codec(decode, encode)


def named_type(element: Element, name: str) -> str:
    """The `{namespace}local` that the value of an xsi:type means; without a prefix, in the default namespace."""
    prefix, _, plain = name.strip().rpartition(":")
    space = element.nsmap.get(prefix or None)
    return f"{{{space}}}{plain}" if space else plain


def name_reader(simple: Simple) -> ReadName:
    """From an element and the text of a name in it to the name."""
    check = _checked(simple)

    def read(element: Element, text: str) -> str:
        prefix, _, plain = str(_is_name(text)).rpartition(":")
        space = XML_NAMESPACE if prefix == "xml" else element.nsmap.get(prefix or None)
        if prefix and space is None:
            raise Unfit("has a prefix that is not declared")
        return check(f"{{{space}}}{plain}" if space else plain)

    return read


def name_writer(simple: Simple, prefixes: Mapping[str, str], own: str = "q") -> WriteName:
    """From a name to its text; `own` is the prefix to declare where `prefixes` have none for its namespace."""
    check = _checked(simple)

    def write(value: JSON) -> tuple[str, str]:
        if not isinstance(value, str):
            raise must_be("a name in a string, {namespace}local or local", value)
        name, space = _is_local(local(check(value))), _is_text(namespace(value))
        if not space:
            return name, ""
        prefix = prefixes.get(space)
        return (f"{prefix}:{name}", "") if prefix else (f"{own}:{name}", f" xmlns:{own}={quoted(space)}")

    return write


def _checked(simple: Simple) -> Callable[[str], str]:
    allowed = frozenset(simple.facets.enumeration)

    def check(name: str) -> str:
        if allowed and name not in allowed:
            raise Unfit(f"is not one of {', '.join(simple.facets.enumeration[:5])}")
        return name

    return check
