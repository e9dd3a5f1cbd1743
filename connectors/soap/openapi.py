"""JSON Schemas (2020-12, as OpenAPI 3.1 has them) of what an operation's JSON may be, by the mapping rules.

Every complex type becomes a component that others refer to, so a type may contain itself. Requests and replies differ
a little (a reply always has its arrays, a request may leave empty ones out; a request may give a decimal as a number),
so a type that is used in both is a component in each. What no list of members can say (choices) is said by oneOf.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from connectors.soap.content import ANY, ITEMS, Items, Model, Zip, fields_of, leaves_of
from connectors.soap.described import ATTACHMENT, Document, constant, json_schema
from connectors.soap.plan import AnyType, Complex, Field, Group, Message, Schema, Simple, TypeRef, Wild
from connectors.soap.presence import presence
from connectors.soap.words import TYPE_WORD, VALUE, XML
from connectors.soap.xmltext import XSD, local, namespace

REFERENCE = "#/components/schemas/"
OTHER_CHARACTERS = re.compile(r"[^A-Za-z0-9._-]")

XML_TEXT: Document = {"type": "string", "contentMediaType": "application/xml"}
ANYTHING: Document = {
    "description": "Any value: a plain one, {$type, $value} for another built-in type, or {$xml} with elements inside."
}


class Use(NamedTuple):
    """A complex type as it stands in a document: in a reply or a request; under the word of `$type`, by itself ("")
    where others may stand in its place, or as whatever may stand there (None)."""

    place: int
    reply: bool
    word: str | None


class Components:
    """The components of one plan, made as they are referred to, into a mapping that plans may share."""

    def __init__(self, schema: Schema, into: dict[str, Document]) -> None:
        self._types = schema.types
        self._into = into
        self._names: dict[Use, str] = {}
        self._waiting: list[Use] = []

    def message(self, message: Message, *, reply: bool) -> Document:
        """What a message is in JSON, its attachments included."""
        found = self._inside(message, reply)
        if not message.attachments:
            return found
        name = found.get("$ref", "").removeprefix(REFERENCE)
        own = self._into[name] if name else found
        beside: dict[str, Document] = dict.fromkeys(message.attachments, json_schema(ATTACHMENT, request=not reply))
        if own.get("type") != "object":
            return an_object({VALUE: found, **beside}, [VALUE, *beside])
        members = {"properties": own["properties"] | beside, "required": [*own.get("required", []), *beside]}
        return {**own, **members}

    def _inside(self, message: Message, reply: bool) -> Document:
        """What is in the envelope: the content of its only element, or an object of its parts."""
        parts = [part._replace(nillable=True) if message.encoded else part for part in message.parts]
        if message.wrapper is None and len(parts) == 1:
            return self.element(parts[0], reply=reply)
        required = [] if reply and message.encoded else [part.key for part in parts]
        return an_object({part.key: self.element(part, reply=reply) for part in parts}, required)

    def element(self, field: Field, *, reply: bool) -> Document:
        """What one element is in JSON."""
        found = self._element(field, reply, hint=local(field.name))
        while self._waiting:
            use = self._waiting.pop()
            self._into[self._names[use]] |= self._component(use)
        return found

    def _element(self, field: Field, reply: bool, hint: str) -> Document:
        found = self._type(field.type, reply, hint)
        if field.fixed is not None and isinstance(field.type, Simple):
            found |= constant(field.type, field.fixed)
        return nullable(found) if field.nillable else found

    def _type(self, ref: TypeRef, reply: bool, hint: str) -> Document:
        if isinstance(ref, AnyType):
            return dict(ANYTHING)
        if isinstance(ref, Simple):
            return json_schema(ref, request=not reply)
        return self._reference(Use(ref, reply, None), hint)

    def _reference(self, use: Use, hint: str) -> Document:
        name = self._names.get(use)
        if name is None:
            plan = self._types[use.place]
            name = self._names[use] = self._name(local(plan.name) if plan.name else hint, use)
            self._into[name] = {}
            self._waiting.append(use)
        return {"$ref": REFERENCE + name}

    def _name(self, wanted: str, use: Use) -> str:
        """A name that no other component has."""
        base = OTHER_CHARACTERS.sub("_", wanted)
        if use.word is not None:
            base = f"{base}.{'Typed' if use.word else 'Itself'}"
        names = [base, f"{base}.{'Reply' if use.reply else 'Request'}"]
        return next(name for name in chain(names, numbered(base)) if name not in self._into)

    # -------------------------------------------------------------------------------------------- types

    def _component(self, use: Use) -> Document:
        plan, name = self._types[use.place], self._names[use]
        if plan.array is not None:
            return {"type": "array", "items": nullable(self._type(plan.array.type, use.reply, f"{name}.item"))}
        if plan.plain is not None:
            alone: Document = self._object(plan, use, name)["properties"][plan.plain]
            return alone
        if use.word is None and (plan.derived or plan.abstract):
            return self._any_of_its_kind(plan, use, name)
        return self._object(plan, use, name)

    def _any_of_its_kind(self, plan: Complex, use: Use, name: str) -> Document:
        """Whatever may stand in a type's place: `$type` says which it is."""
        own = [] if plan.abstract else [self._reference(use._replace(word=""), name)]
        others = {
            each.word: self._reference(Use(each.type, use.reply, each.word), each.word)
            for each in plan.derived
            if isinstance(each.type, int)
        }
        document: Document = {"oneOf": [*own, *others.values()]}
        if not document["oneOf"]:
            return {"not": {}, "description": "Nothing: the type is abstract, and no other derives from it."}
        if plan.abstract:
            mapping = {word: reference["$ref"] for word, reference in others.items()}
            document["discriminator"] = {"propertyName": TYPE_WORD, "mapping": mapping}
        return document

    def _object(self, plan: Complex, use: Use, name: str) -> Document:
        properties, required = self._attributes(plan, use)
        rules: list[Document] = []
        if plan.text is not None:
            properties[VALUE] = json_schema(plan.text, request=not use.reply)
            required.append(VALUE)
        elif plan.mixed:
            properties[XML] = XML_TEXT
            required += [XML] if use.reply else []
        elif plan.content is not None:
            model = Model(plan.content)
            properties |= self._members(model, use.reply, name)
            needed, rules = presence(model)
            for key, least in needed.items():
                required.append(key)
                if key in (*model.arrays, ANY):
                    properties[key]["minItems"] = least
            required += [key for key in model.arrays if use.reply and key not in required]
        document = an_object(properties, required)
        if plan.any_attribute:
            document["patternProperties"] = {"^@": {"type": "string"}}
        return document | (rules[0] if len(rules) == 1 else {"allOf": rules} if rules else {})

    def _attributes(self, plan: Complex, use: Use) -> tuple[dict[str, Document], list[str]]:
        properties: dict[str, Document] = {}
        if use.word or (use.word == "" and plan.name):
            properties[TYPE_WORD] = {"const": use.word or local(plan.name or "")}
        for each in plan.attributes:
            fixed = {} if each.fixed is None else constant(each.type, each.fixed)
            properties[each.key] = json_schema(each.type, request=not use.reply) | fixed
        words = [TYPE_WORD] if use.word else []
        return properties, words + [each.key for each in plan.attributes if each.required]

    def _members(self, model: Model, reply: bool, name: str) -> dict[str, Document]:
        """The members that a content model's elements are."""
        members: dict[str, Document] = {}
        for entry in model.entries:
            match entry:
                case Field():
                    item = self._element(entry, reply, f"{name}.{entry.key}")
                    members[entry.key] = array(item, model.most[entry.key]) if model.is_many(entry.key) else item
                case Wild():
                    members[ANY] = {"type": "array", "items": xml_of(entry)}
                case Zip(fields=fields):
                    for field in fields:
                        members[field.key] = array(self._element(field, reply, f"{name}.{field.key}"), None)
                case Items(group=group):  # pragma: no branch - mypy knows that there is no other
                    members[ITEMS] = {"type": "array", "items": self._item(group, reply, name)}
        return members

    def _item(self, group: Group, reply: bool, name: str) -> Document:
        """An item of `$items`: an object of one member."""
        fields = {field.key: field for field in fields_of(group)}
        found = {key: self._element(field, reply, f"{name}.{key}") for key, field in fields.items()}
        wild = next((each for each in leaves_of(group) if isinstance(each, Wild)), None)
        if wild is not None:
            found[ANY] = xml_of(wild)
        items = [an_object({key: document}, [key]) for key, document in found.items()]
        return items[0] if len(items) == 1 else {"oneOf": items}


# ------------------------------------------------------------------------------------------------ small documents


def an_object(properties: dict[str, Document], required: Iterable[str]) -> Document:
    document: Document = {"type": "object", "properties": properties, "additionalProperties": False}
    needed = list(required)
    return document | {"required": needed} if needed else document


def array(item: Document, most: int | None) -> Document:
    return {"type": "array", "items": item} | ({} if most is None else {"maxItems": most})


def nullable(document: Document) -> Document:
    """A value, or null."""
    kind = document.get("type")
    if kind is None:
        return document if document.keys() <= ANYTHING.keys() else {"anyOf": [document, {"type": "null"}]}
    if "const" in document:
        rest = {key: value for key, value in document.items() if key != "const"}
        document = rest | {"enum": [document["const"]]}
    if "enum" in document:
        document = document | {"enum": [*document["enum"], None]}
    return document | {"type": [*([kind] if isinstance(kind, str) else kind), "null"]}


def xml_of(wild: Wild) -> Document:
    """What a wildcard lets in: one element, as XML."""
    named = wild.namespaces[0]
    spaces = {"##any": "urn:example", "##other": "urn:example", "##local": "", "##targetNamespace": wild.target}
    space = spaces.get(named, named)
    default = f"{{{space}}}example" if space else "example"
    name = next((each for each in wild.only or () if namespace(each) != XSD), default)
    space, plain = namespace(name), local(name)
    example = f'<q:{plain} xmlns:q="{space}"/>' if space else f"<{plain}/>"
    return XML_TEXT | {"examples": [example]}


def numbered(base: str) -> Iterator[str]:
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1
