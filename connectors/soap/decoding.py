"""Elements to JSON-able values, by a plan and never by guessing.

Each complex type becomes one function, made when it is first needed. It looks every child up by its name, and collects
one letter per child; one match of the letters against the content model tells whether all of them fit.
"""

from collections.abc import Callable

from connectors.soap.anything import decode_anything
from connectors.soap.attributes import Reader, reader
from connectors.soap.content import ANY, ITEMS, UNKNOWN_LETTER, WILD_LETTER, Items, Model, fields_of
from connectors.soap.misfits import object_to_misfits
from connectors.soap.plan import AnyType, ArrayOf, Complex, Field, Schema, Simple, TypeRef, Wild
from connectors.soap.problems import At, Through, object_to
from connectors.soap.reach import inside_out
from connectors.soap.simple import Unfit, is_text
from connectors.soap.values import coded, name_reader, named_type
from connectors.soap.wildcards import admission, element_objection
from connectors.soap.words import JSON, NIL, TRUE, TYPE, TYPE_WORD, VALUE, XML
from connectors.soap.xmltext import Element, as_text, inner_xml, local

Decode = Callable[[Element, At | None], JSON]
Slot = tuple[str, bool, Decode, str]
"""A child's key, whether that is an array, its function, its letter."""


class Decoders:
    """The decoding functions of a schema, made as they are needed."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._made: dict[int, Decode] = {}

    def of(self, ref: TypeRef) -> Decode:
        """The function for elements of a type."""
        for place in inside_out(self._schema, ref, self._made):
            self._made[place] = self._make(self._schema.types[place])
        return self._inner(ref)

    def field(self, field: Field) -> Decode:
        """The function for an element: null where it is nil, and its fixed value held."""
        self.of(field.type)
        return self._field(field)

    def _field(self, field: Field) -> Decode:
        if isinstance(field.type, Simple):
            return _leaf(field.type, field.fixed)
        decode = self._inner(field.type)
        return _nil_or(decode, self._schema.types[field.type]) if isinstance(field.type, int) else decode

    def _inner(self, ref: TypeRef) -> Decode:
        """The function of a type while others are being made; where types contain one another, it is looked up late."""
        if isinstance(ref, Simple):
            return _leaf(ref)
        if isinstance(ref, AnyType):
            return decode_anything
        made = self._made.get(ref)
        return made if made is not None else lambda element, at: self._made[ref](element, at)

    def _make(self, plan: Complex) -> Decode:
        if plan.array is not None:
            return self._array(plan.array)
        attributes = reader(plan)
        if plan.text is not None:
            own = _text_value(plan.text, attributes)
        elif plan.mixed:
            own = _mixed(attributes)
        elif plan.content is None:
            own = _nothing(attributes)
        else:
            own = self._elements(Model(plan.content), attributes)
        if plan.plain is not None:
            return _alone(own, plan.plain)
        return self._by_type(plan, own) if plan.derived or plan.abstract else own

    def _elements(self, model: Model, attributes: Reader) -> Decode:
        """The function for content that is elements."""
        get_slot, unknown = self._slots(model).get, _unknown(model)
        fits, arrays = model.fits, model.arrays
        read, needed = attributes

        def decode(element: Element, at: At | None) -> JSON:
            out: dict[str, JSON] = {}
            if needed or element.keys():
                read(element, out, at)
            letters = ""
            for child in element:
                slot = get_slot(child.tag)
                if slot is None:
                    letters += unknown(out, child, at)
                    continue
                key, many, function, letter = slot
                letters += letter
                if many:
                    into = out.get(key)
                    if into is None:
                        into = out[key] = []
                    into.append(function(child, at and at[key][len(into)]))
                else:
                    out[key] = function(child, at and at[key])
            if (text := element.text) and not text.isspace():
                object_to(at, "has text where elements belong")
            if not fits(letters):
                object_to_misfits(model, letters.replace(UNKNOWN_LETTER, ""), at)
            for key in arrays:
                if key not in out:
                    out[key] = []
            return out

        return decode

    def _slots(self, model: Model) -> dict[str, Slot]:
        """By an element's name."""
        slots: dict[str, Slot] = {}
        for entry in model.entries:
            if isinstance(entry, Items):
                for field in fields_of(entry.group):
                    slots[field.name] = (ITEMS, True, self._item(field), model.letters[field.name])
            elif not isinstance(entry, Wild):
                for field in (entry,) if isinstance(entry, Field) else entry.fields:
                    many = not isinstance(entry, Field) or model.is_many(field.key)
                    slots[field.name] = (field.key, many, self._field(field), model.letters[field.name])
        return slots

    def _item(self, field: Field) -> Decode:
        decode, key = self._field(field), field.key
        return lambda element, at: {key: decode(element, at and at[key])}

    def _array(self, array: ArrayOf) -> Decode:
        """A SOAP-encoded array: its items, whatever they are called."""
        decode = self._field(Field(array.item, array.item, array.type, nillable=True))

        def items(element: Element, at: At | None) -> JSON:
            return [decode(child, at and at[number]) for number, child in enumerate(element)]

        return items

    def _by_type(self, plan: Complex, own: Decode) -> Decode:
        """The function for a type that others may stand for: `xsi:type` says which, and `$type` tells."""
        derived = {each.name: (each.word, self._inner(each.type)) for each in plan.derived}

        def decode(element: Element, at: At | None) -> JSON:
            name = element.get(TYPE)
            if name is None:
                if plan.abstract:
                    object_to(at, "needs an xsi:type: its own type is abstract")
                return own(element, at)
            full = named_type(element, name)
            found = derived.get(full)
            if found is None:
                if full != plan.name or plan.abstract:
                    object_to(at, f"has the xsi:type {local(full)}, which cannot stand here")
                return own(element, at)
            word, function = found
            value = function(element, at)
            return {TYPE_WORD: word, **value} if isinstance(value, dict) else value

        return decode


# ------------------------------------------------------------------------------------------------ small functions


def _leaf(simple: Simple, fixed: str | None = None) -> Decode:
    """The function for an element whose type is simple: an empty one is "" if that is a string, and null otherwise."""
    if simple.kind == "qname":
        return _name(simple)
    text_of, plain = coded(simple, fixed).decode, is_text(simple) and fixed is None
    never_null = simple.kind == "string"

    def decode(element: Element, at: At | None) -> JSON:
        text = element.text
        if text is None:
            if len(element) == 0:
                if element.get(NIL) in TRUE:
                    return None
                if not never_null:
                    return _blank(text_of)
            text = ""
        if len(element):
            object_to(at, "has elements where a plain value belongs")
            return text
        if plain:
            return text
        try:
            return text_of(text)
        except Unfit as unfit:
            object_to(at, str(unfit))
            return text

    return decode


def _blank(text_of: Callable[[str], JSON]) -> JSON:
    """What an empty element means: an empty list, "" of a union that allows it; null where nothing can be empty."""
    try:
        return text_of("")
    except Unfit:
        return None


def _name(simple: Simple) -> Decode:
    """The function for an element that holds a qualified name."""
    read = name_reader(simple)

    def decode(element: Element, at: At | None) -> JSON:
        text = element.text
        if len(element):
            object_to(at, "has elements where a plain value belongs")
            return text
        if text is None:
            return None
        try:
            return read(element, text)
        except Unfit as unfit:
            object_to(at, str(unfit))
            return text

    return decode


def _alone(decode: Decode, key: str) -> Decode:
    """The function for a type one of whose members stands for the whole."""

    def alone(element: Element, at: At | None) -> JSON:
        return decode(element, at and Through(at, key))[key]

    return alone


def _text_value(simple: Simple, attributes: Reader) -> Decode:
    """The function for text that has attributes beside it."""
    text_of = _leaf(simple)

    def decode(element: Element, at: At | None) -> JSON:
        out: dict[str, JSON] = {}
        attributes.read(element, out, at)
        out[VALUE] = text_of(element, at and at[VALUE])
        return out

    return decode


def _mixed(attributes: Reader) -> Decode:
    def decode(element: Element, at: At | None) -> JSON:
        out: dict[str, JSON] = {}
        attributes.read(element, out, at)
        out[XML] = inner_xml(element)
        return out

    return decode


def _nothing(attributes: Reader) -> Decode:
    def decode(element: Element, at: At | None) -> JSON:
        out: dict[str, JSON] = {}
        attributes.read(element, out, at)
        if len(element) or (element.text or "").strip():
            object_to(at, "has content where none belongs")
        return out

    return decode


def _nil_or(decode: Decode, plan: Complex) -> Decode:
    """Null for what is nil; where it has attributes all the same, an object of those whose `$value` is null."""
    read = reader(plan).read

    def either(element: Element, at: At | None) -> JSON:
        if element.get(NIL) not in TRUE:
            return decode(element, at)
        if plan.plain is not None:
            return None
        out: dict[str, JSON] = {}
        read(element, out, at)
        return {**out, VALUE: None} if out else None

    return either


def _unknown(model: Model) -> Callable[[dict[str, JSON], Element, At | None], str]:
    """The function for an element the type does not name; it tells the letter to count it by.

    It is kept as XML where a wildcard lets it in, and objected to otherwise.
    """
    admits, objection, among_items = admission(model.wilds), element_objection(model.wilds), ANY in model.listed

    def unknown(out: dict[str, JSON], child: Element, at: At | None) -> str:
        if not admits(child.tag):
            object_to(at, f"has the element {local(child.tag)}, which the schema does not know here")
            return UNKNOWN_LETTER
        if reason := objection(child):
            object_to(at, reason)
        xml = as_text(child)
        if among_items:
            out.setdefault(ITEMS, []).append({ANY: xml})
        else:
            out.setdefault(ANY, []).append(xml)
        return WILD_LETTER

    return unknown
