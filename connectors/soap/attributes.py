"""Attributes of complex types, both ways: those that the schema names (`@name`), and any others where it allows any."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from connectors.soap.plan import AnyAttribute, Attribute, Complex
from connectors.soap.problems import At, object_to
from connectors.soap.simple import Unfit, decoder, encoder
from connectors.soap.values import NAME, WriteName, coded, name_reader, name_writer
from connectors.soap.wildcards import attribute_check, lets_in
from connectors.soap.words import JSON, MISSING, SOAP_ENCODING, any_key
from connectors.soap.xmltext import XML_NAMESPACE, XSI, Add, Element, local, namespace, quoted
from gateway.core.problems import SOAP_11, SOAP_12

Read = Callable[[Element, dict[str, JSON], At | None], None]
Count = Callable[[JSON, Add, At | None], int]
"""Writes, and tells how many members of an object it used."""

_OF_THE_PROTOCOL = frozenset({XSI, SOAP_ENCODING, SOAP_11, SOAP_12})
ANY_ATTRIBUTE = AnyAttribute()
_REFERENCES = frozenset({"id", "href"})
_RESERVED = frozenset({XSI, "http://www.w3.org/2000/xmlns/"})
_text = encoder(NAME._replace(kind="string", base="string"))
_name = decoder(NAME._replace(kind="string", base="NCName"))


def is_beside(name: str) -> bool:
    """Whether an attribute belongs to the protocol, and not to the value: it may stand on any element."""
    return namespace(name) in _OF_THE_PROTOCOL


def is_reference(name: str) -> bool:
    """Whether an attribute is one of those by which parts of an encoded message refer to one another."""
    return name in _REFERENCES


class Reader(NamedTuple):
    """Reads attributes into an object. Elements without any need no reading, unless it is `needed` to miss some."""

    read: Read
    needed: bool


def reader(plan: Complex) -> Reader:
    """The function that reads the attributes of a type."""
    known = {each.name: (each.key, _text_reader(each)) for each in plan.attributes}
    required = tuple(each.key for each in plan.attributes if each.required)
    read_other = _others_reader(plan.any_attribute)

    def read(element: Element, out: dict[str, JSON], at: At | None) -> None:
        for name, text in element.items():
            found = known.get(name)
            if found is None:
                if not is_beside(name):
                    read_other(name, text, out, at)
                continue
            key, decode = found
            try:
                out[key] = decode(element, text)
            except Unfit as unfit:
                object_to(at and at[key], str(unfit))
                out[key] = text
        for key in required:
            if key not in out:
                object_to(at and at[key], "is missing")

    return Reader(read, bool(required))


def _text_reader(attribute: Attribute) -> Callable[[Element, str], JSON]:
    if attribute.type.kind == "qname":
        return name_reader(attribute.type)
    decode = coded(attribute.type, attribute.fixed).decode
    return lambda _element, text: decode(text)


def _others_reader(wild: AnyAttribute | None) -> Callable[[str, str, dict[str, JSON], At | None], None]:
    """The function that reads an attribute which the schema does not name."""
    check = attribute_check(ANY_ATTRIBUTE if wild is None else wild)

    def read(name: str, text: str, out: dict[str, JSON], at: At | None) -> None:
        if wild is not None and lets_in(wild, name):
            key = any_key(name)
            try:
                check(name, text)
            except Unfit as unfit:
                object_to(at and at[key], str(unfit))
            out[key] = text
        elif not is_reference(name):
            object_to(at, f"has the attribute {local(name)}, which the schema does not know here")

    return read


class Known(NamedTuple):
    """An attribute as it is written: its key, the start of its text, and how a value becomes that text."""

    key: str
    start: str
    text_of: Callable[[JSON], str]
    required: bool


def writer(plan: Complex, prefixes: Mapping[str, str]) -> Count | None:
    """The function that writes the attributes of a type; None where there can be none."""
    known = tuple(_known(number, each, prefixes) for number, each in enumerate(plan.attributes))
    own = {each.key: each.name for each in plan.attributes}
    others = None if plan.any_attribute is None else others_writer(own, plan.any_attribute)
    if not known and others is None:
        return None

    def write(value: JSON, add: Add, at: At | None) -> int:
        used = 0
        for key, start, text_of, required in known:
            given = value.get(key, MISSING)
            if given is MISSING:
                if required:
                    object_to(at and at[key], "is missing")
                continue
            used += 1
            try:
                add(start + text_of(given))
            except Unfit as unfit:
                object_to(at and at[key], str(unfit))
        return used + (others(value, add, at) if others is not None else 0)

    return write


def _known(number: int, attribute: Attribute, prefixes: Mapping[str, str]) -> Known:
    start = f" {written_name(attribute.name, prefixes)}="
    if attribute.type.kind == "qname":
        text_of = _named(name_writer(attribute.type, prefixes, f"q{number}"))
    else:
        encode = coded(attribute.type, attribute.fixed).encode

        def text_of(value: JSON) -> str:
            return quoted(encode(value))

    return Known(attribute.key, start, text_of, attribute.required)


def _named(write: WriteName) -> Callable[[JSON], str]:
    def text_of(value: JSON) -> str:
        text, declaration = write(value)
        return quoted(text) + declaration

    return text_of


def written_name(name: str, prefixes: Mapping[str, str]) -> str:
    """A name as it is written in a message: with its prefix."""
    space = namespace(name)
    return f"{prefixes[space]}:{local(name)}" if space else local(name)


def others_writer(known: Mapping[str, str], wild: AnyAttribute = ANY_ATTRIBUTE) -> Count:
    """The function that writes attributes the schema does not name: texts. `known` are its names, by their keys."""
    names, check = frozenset(known.values()), attribute_check(wild)

    def write(value: JSON, add: Add, at: At | None) -> int:
        used = 0
        for key, given in value.items():
            if key.startswith("@") and key not in known:
                used += 1
                if not lets_in(wild, key[1:]):
                    object_to(at and at[key], "is of a namespace that the schema does not allow here")
                    continue
                try:
                    text = _other(key[1:], given, names, f"a{used}")
                    check(key[1:], given)
                except Unfit as unfit:
                    object_to(at and at[key], str(unfit))
                else:
                    add(text)
        return used

    return write


def _other(name: str, given: JSON, known: frozenset[str], prefix: str) -> str:
    """An attribute out of JSON, which may be anything at all, so that it is nothing but an attribute. Raises Unfit."""
    space, plain = namespace(name), local(name)
    if name in known or space in _RESERVED or plain == "xmlns" or name != (f"{{{space}}}{plain}" if space else plain):
        raise Unfit("is not an attribute that can stand here")
    if _name(plain) != plain:
        raise Unfit("is not the name of an attribute")
    text = quoted(_text(given))
    if space == XML_NAMESPACE:
        return f" xml:{plain}={text}"
    return f" xmlns:{prefix}={quoted(_text(space))} {prefix}:{plain}={text}" if space else f" {plain}={text}"
