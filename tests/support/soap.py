"""A schema written in a test, and its codec: values to XML and back, with everything that is wrong on the way.

`typed` takes the inside of an xs:schema whose target namespace is `urn:t` (prefix `t`), and the name of an element.
"""

from functools import cached_property

from lxml import etree
from xmlschema import XMLSchema10

from connectors.soap.decoding import Decoders
from connectors.soap.encoding import Encoders
from connectors.soap.plan import Field, Schema
from connectors.soap.problems import At, Broken, Problem
from connectors.soap.schema import Compiler
from connectors.soap.words import JSON, SOAP_ENCODING
from connectors.soap.xmltext import XSD, XSI, Element, parse

DECLARED = f'xmlns:t="urn:t" xmlns:u="urn:u" xmlns:xsi="{XSI}" xmlns:xsd="{XSD}" xmlns:soapenc="{SOAP_ENCODING}"'
OTHER = '<xs:schema xmlns:xs="{0}" targetNamespace="{1}" xmlns="{1}" xmlns:t="urn:t" {3}>{2}</xs:schema>'


def _ignore(_text: str) -> None:
    """Where XML goes when only its problems are wanted."""


class Typed:
    """An element of a schema, coded both ways. `encoded` is SOAP's own encoding, with xsi:type everywhere."""

    def __init__(self, xsd: str, name: str, *, encoded: bool = False, other: str = "", qualified: bool = True) -> None:
        form = 'elementFormDefault="qualified"' if qualified else ""
        imported = '<xs:import namespace="urn:u"/>' if other else ""
        self.sources = [OTHER.format(XSD, "urn:t", imported + xsd, f'{form} xmlns:u="urn:u"')]
        self.sources += [OTHER.format(XSD, "urn:u", other, form)] if other else []
        # A test's schema may break rules, as foreign ones do.
        self.compiler = Compiler(XMLSchema10([*self.sources], validation="lax").maps)
        self.field: Field = self.compiler.element(f"{{urn:t}}{name}")
        self.schema: Schema = self.compiler.schema()
        self._write = Encoders(self.schema, typed=encoded).element(self.field)
        self._read = Decoders(self.schema).field(self.field)

    def xml(self, value: JSON) -> str:
        """The element as it is written. Raises Broken where its schema objects."""
        pieces: list[str] = []
        self._write(value, pieces.append, None)
        return "".join(pieces)

    def problems(self, value: JSON) -> list[Problem]:
        """What the schema objects to in a value; seen in a quick run if in a thorough one."""
        found: list[Problem] = []
        self._write(value, _ignore, At(found))
        assert bool(found) == self._is_broken(value)
        return found

    def _is_broken(self, value: JSON) -> bool:
        try:
            self._write(value, _ignore, None)
        except Broken:
            return True
        return False

    def json(self, xml: str) -> JSON:
        """The value of an element in XML, with the prefixes `t`, `u`, `xsi`, `xsd` and `soapenc`. Raises Broken."""
        return self._read(self.element(xml), None)

    def flaws(self, xml: str) -> tuple[JSON, list[Problem]]:
        """The value as far as it goes, and what the schema objects to in it."""
        found: list[Problem] = []
        return self._read(self.element(xml), At(found)), found

    def element(self, xml: str) -> Element:
        declared = "".join(f' xmlns:{prefix}="{space}"' for space, prefix in self.schema.prefixes)
        return parse(f"<E {DECLARED}{declared}>{xml}</E>".encode(), names=True)[0]

    def same(self, value: JSON) -> str:
        """What a value is written as, having seen that it is valid and is read back as the very value."""
        xml = self.xml(value)
        assert self.json(xml) == value
        assert self.faults(xml) == ""
        return xml

    def faults(self, xml: str) -> str:
        """What lxml's validation says of an element."""
        whole = etree.fromstring(etree.tostring(self.element(xml)))
        self._lxml.validate(whole)
        return str(self._lxml.error_log.last_error or "")

    @cached_property
    def _lxml(self) -> etree.XMLSchema:
        main = etree.fromstring(self.sources[0])
        parser = etree.XMLParser()
        parser.resolvers.add(_Beside(self.sources[1:]))
        for each in main.iter(f"{{{XSD}}}import"):
            each.set("schemaLocation", "beside:0")
        return etree.XMLSchema(etree.fromstring(etree.tostring(main), parser))


class _Beside(etree.Resolver):  # type: ignore[misc]
    """Finds the other schema of a test."""

    def __init__(self, sources: list[str]) -> None:
        self._sources = sources

    def resolve(self, url: str, _public: str, context: object) -> object:
        return self.resolve_string(self._sources[0], context) if url.endswith("beside:0") else None


def typed(xsd: str, name: str = "root", *, encoded: bool = False, other: str = "", qualified: bool = True) -> Typed:
    """The codec of an element of a schema."""
    return Typed(xsd, name, encoded=encoded, other=other, qualified=qualified)


def of(content: str, attributes: str = "", more: str = "") -> Typed:
    """The codec of an element `root` whose type has this content and these attributes."""
    return typed(f'<xs:element name="root"><xs:complexType>{content}{attributes}</xs:complexType></xs:element>{more}')


def sequence(*parts: str, occurs: str = "") -> str:
    return f"<xs:sequence {occurs}>{''.join(parts)}</xs:sequence>"


def choice(*parts: str, occurs: str = "") -> str:
    return f"<xs:choice {occurs}>{''.join(parts)}</xs:choice>"


def one(name: str, type: str = "xs:string", occurs: str = "") -> str:
    return f'<xs:element name="{name}" type="{type}" {occurs}/>'


MAYBE = 'minOccurs="0"'
MANY = 'minOccurs="0" maxOccurs="unbounded"'
SEVERAL = 'maxOccurs="unbounded"'
