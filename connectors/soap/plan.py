"""What a codec goes by: the messages of an operation as plain values.

A plan is made once from the WSDL and its schemas (`schema.py`) and says everything about them that matters on the wire.
It is nothing but tuples, so that it can be pickled to the data process, where `codec.py` turns it into functions.

Names of elements, attributes and types are written `{namespace}local`, or `local` where there is no namespace. A `key`
is the name a value has in JSON.
"""

from typing import Literal, NamedTuple

Kind = (
    Literal["string", "boolean", "integer", "decimal", "float", "dateTime"]
    | Literal["base64", "hex", "qname", "verbatim", "list", "union"]
)


class Facets(NamedTuple):
    """What restricts a simple type (XML Schema Part 2, section 4.3).

    `patterns` are regular expressions of Python: a text must match one of each inner tuple. Bounds are lexical.
    """

    white_space: Literal["preserve", "replace", "collapse"] = "collapse"
    enumeration: tuple[str, ...] = ()
    patterns: tuple[tuple[str, ...], ...] = ()
    length: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_inclusive: str | None = None
    max_inclusive: str | None = None
    min_exclusive: str | None = None
    max_exclusive: str | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None


class Simple(NamedTuple):
    """A simple type. `base` is the local name of the built-in type that it comes from.

    That is "anySimpleType" for lists and unions. `item` is what a list is a list of, `members` what a union may be.
    `name` is that of the type, where it has one. `form` is what it is in JSON where that is not the usual (`forms.py`).
    """

    kind: Kind
    base: str
    facets: Facets = Facets()
    item: "Simple | None" = None
    members: "tuple[Simple, ...]" = ()
    name: str | None = None
    form: str = ""


class AnyType(NamedTuple):
    """`xs:anyType`, or a type that is not known: whatever comes says itself what it is (`xsi:type`)."""


ANY_TYPE = AnyType()

TypeRef = Simple | AnyType | int
"""A simple type itself; a complex one by its place in `Schema.types`, because those may contain themselves."""


class Attribute(NamedTuple):
    """An attribute of a complex type; its key is `@name`."""

    name: str
    key: str
    type: Simple
    required: bool = False
    default: str | None = None
    fixed: str | None = None


class AnyAttribute(NamedTuple):
    """`xs:anyAttribute`: attributes the schema does not name; namespaces as those of Wild.

    `declared` are the global attributes among them, which must fit their types; a `strict` one lets in no others.
    """

    namespaces: tuple[str, ...] = ("##any",)
    target: str = ""
    declared: tuple[Attribute, ...] = ()
    strict: bool = False


class Field(NamedTuple):
    """An element in the content of a complex type, from `least` to `most` times (None: any number) in its place."""

    name: str
    key: str
    type: TypeRef
    least: int = 1
    most: int | None = 1
    nillable: bool = False
    default: str | None = None
    fixed: str | None = None


class Wild(NamedTuple):
    """`xs:any`: elements the schema does not name. `namespaces` as in the schema: ##any, ##other, or a list of them.

    `only` are the names that it asks for among those, where it is strict: the elements that are declared globally.
    """

    namespaces: tuple[str, ...] = ("##any",)
    least: int = 1
    most: int | None = 1
    target: str = ""
    only: tuple[str, ...] | None = None


class Group(NamedTuple):
    """Particles in sequence, one of which (choice), or in any order (all); the whole from `least` to `most` times.

    A reference to the head of a substitution group is a choice of its members.
    """

    kind: Literal["sequence", "choice", "all"]
    parts: "tuple[Particle, ...]"
    least: int = 1
    most: int | None = 1


Particle = Field | Wild | Group


class Complex(NamedTuple):
    """A complex type: attributes, and content that is text (`text`), elements (`content`), both mixed, or nothing.

    `derived` are the types that may stand in its place by xsi:type, by name and by the word `$type` gives them;
    `array` is there for soapenc:Array and what restricts it: the type of its items. `plain` is the key of the member
    that stands for the whole in JSON (`forms.py`).
    """

    name: str | None
    attributes: tuple[Attribute, ...] = ()
    any_attribute: AnyAttribute | None = None
    text: Simple | None = None
    content: Group | None = None
    mixed: bool = False
    abstract: bool = False
    derived: "tuple[Derived, ...]" = ()
    array: "ArrayOf | None" = None
    plain: str | None = None


class Derived(NamedTuple):
    """A type that may stand in another's place."""

    name: str
    word: str
    type: TypeRef


class ArrayOf(NamedTuple):
    """A SOAP-encoded array (SOAP 1.1, section 5.4.2): the type of its items, its name, and the items' element name."""

    type: TypeRef
    name: str
    item: str = "item"


class Schema(NamedTuple):
    """All complex types that an operation, or a whole service, reaches. `prefixes` are the namespaces' short names."""

    types: tuple[Complex, ...] = ()
    prefixes: tuple[tuple[str, str], ...] = ()


class Message(NamedTuple):
    """What stands in the Body (or as one of the headers), as elements in order.

    Document style: `wrapper` is None and `parts` are the elements themselves. RPC style: `wrapper` is the name of the
    element around them. `attachments` are parts that travel beside the envelope.
    """

    parts: tuple[Field, ...]
    wrapper: str | None = None
    headers: tuple[Field, ...] = ()
    encoded: bool = False
    attachments: tuple[str, ...] = ()


class Addressing(NamedTuple):
    """What WS-Addressing calls an operation's messages: an action for each, faults by name.

    `namespace` is that of the headers that a call has, "" where it has none; `required`: they must be understood.
    """

    input: str = ""
    output: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    namespace: str = ""
    required: bool = False


class Operation(NamedTuple):
    """One operation of one port: how it is called, and what its messages are.

    `version` is that of SOAP; `output` is None for one-way operations; `faults` are the declared ones by name; `mtom`
    tells that the binding's policy asks for MTOM.
    """

    name: str
    service: str
    port: str
    address: str
    version: Literal["1.1", "1.2"]
    action: str | None
    input: Message
    output: Message | None
    faults: tuple[tuple[str, Field], ...] = ()
    documentation: str = ""
    addressing: Addressing = Addressing()
    mtom: bool = False


class Service(NamedTuple):
    """What a WSDL offers: its operations, over the types they share. `warnings` tell what was repaired."""

    operations: tuple[Operation, ...]
    schema: Schema
    warnings: tuple[str, ...] = ()
