"""JSON-able values to XML text, by a plan, in the schema's order whatever order the JSON has.

Each element of a plan becomes one function that writes it. Content is written member by member, and one letter per
element is collected; one match of the letters against the content model tells whether all of it fits.
"""

from typing import NamedTuple

from connectors.soap.anything import anything_attributes
from connectors.soap.attributes import Count, writer, written_name
from connectors.soap.content import ANY, ITEMS, Entry, Items, Model, Zip, fields_of, key_of
from connectors.soap.leaves import leaf, mixed, nothing, text
from connectors.soap.misfits import object_to_misfits
from connectors.soap.plan import AnyType, ArrayOf, Complex, Field, Schema, Simple, TypeRef, Wild
from connectors.soap.problems import UNKNOWN_MEMBER, At, Through, object_to
from connectors.soap.reach import inside_out
from connectors.soap.together import Each, Together, Write, any_written, listed, some, wild_writer, zipped
from connectors.soap.words import JSON, MISSING, SOAP_ENCODING, TYPE_WORD, VALUE, XML
from connectors.soap.xmltext import XML_NAMESPACE, XSD, XSI, Add, local

__all__ = ["Add", "Encoders", "Write"]

_DECLARED = {XML_NAMESPACE: "xml", XSI: "xsi", XSD: "xsd", SOAP_ENCODING: "soapenc"}
"""What is declared in every message that needs it."""


class Step(NamedTuple):
    """A member to write: its key, whether it is an array, its function and letter; or several members `together`."""

    key: str
    many: bool
    write: Write
    letter: str
    together: Together | None = None


class Encoders:
    """The encoding functions of a schema, made as they are needed.

    `typed` is for SOAP's own encoding: xsi:type stands on every element, and any may be nil (SOAP 1.1, section 5.1).
    """

    def __init__(self, schema: Schema, *, typed: bool = False) -> None:
        self._schema = schema
        self._prefixes = _DECLARED | dict(schema.prefixes)
        self._typed = typed
        self._own: dict[int, Write] = {}
        self._made: dict[int, Write] = {}

    def name(self, name: str) -> str:
        """A name as it is written in a message: with its prefix."""
        return written_name(name, self._prefixes)

    def element(self, field: Field) -> Write:
        """The function that writes an element."""
        for place in inside_out(self._schema, field.type, self._made):
            plan = self._schema.types[place]
            own = self._own[place] = self._make(plan)
            self._made[place] = self._by_type(plan, own) if plan.derived or plan.abstract else own
        return self._element(field)

    def _element(self, field: Field) -> Write:
        nillable, tag = field.nillable or self._typed, self.name(field.name)
        if isinstance(field.type, Simple):
            mark = _type_mark(field.type) if self._typed else ""
            return leaf(field._replace(nillable=nillable), field.type, tag, mark, self._prefixes)
        start, end = f"<{tag}", f"</{tag}>"
        inner = anything_attributes if isinstance(field.type, AnyType) else self._inner(field.type, self._made)

        def write(value: JSON, add: Add, at: At | None) -> None:
            if value is None:
                object_to(at, "must not be null")
            else:
                add(start)
                inner(value, add, at)
                add(end)

        return self._or_nil(field.type, start, write) if nillable else write

    def _or_nil(self, ref: TypeRef, start: str, write: Write) -> Write:
        """Writes null as nil; nil with attributes is an object of them whose `$value` is null."""
        plan = self._schema.types[ref] if isinstance(ref, int) else None
        attributes = writer(plan, self._prefixes) if plan is not None else None
        known = frozenset(each.key for each in plan.attributes) if plan is not None else frozenset()
        open_to_any = plan is not None and plan.any_attribute is not None

        def either(value: JSON, add: Add, at: At | None) -> None:
            if value is None:
                value = {}
            elif attributes is None or value.__class__ is not dict or value.get(VALUE, MISSING) is not None:
                write(value, add, at)
                return
            add(f'{start} xsi:nil="true"')
            used = attributes(value, add, at) if attributes is not None else 0
            if used + (VALUE in value) != len(value):
                _object_to_unknown(value, known | {VALUE}, at, open_to_any=open_to_any)
            add("/>")

        return either

    # -------------------------------------------------------------------------------------------- complex types

    def _inner(self, ref: int, made: dict[int, Write]) -> Write:
        """The function that writes the rest of a start tag and the content of a complex type."""
        found = made.get(ref)
        return found if found is not None else lambda value, add, at: made[ref](value, add, at)

    def _make(self, plan: Complex) -> Write:
        if plan.array is not None:
            return self._array(plan.array)
        attributes = writer(plan, self._prefixes)
        content, keys = self._content(plan)
        judged = {TYPE_WORD} if plan.derived or plan.abstract else set()
        known = keys | judged | {each.key for each in plan.attributes}
        mark = f' xsi:type="{self.name(plan.name)}"' if self._typed and plan.name else ""
        word = local(plan.name) if plan.name else None

        def write(value: JSON, add: Add, at: At | None) -> None:
            if value.__class__ is not dict:
                object_to(at, "must be an object")
                return
            if mark:
                add(mark)
            used = (
                content(value, add, at) if attributes is None else attributes(value, add, at) + content(value, add, at)
            )
            if used != len(value):
                _object_to_unknown(value, known, at, open_to_any=plan.any_attribute is not None, word=word)

        return write if plan.plain is None else _alone(write, plan.plain)

    def _by_type(self, plan: Complex, own: Write) -> Write:
        """The function for a type that others may stand for: `$type` says which, and `xsi:type` tells."""
        derived = {
            each.word: ("" if self._typed else f' xsi:type="{self.name(each.name)}"', self._inner(each.type, self._own))
            for each in plan.derived
            if isinstance(each.type, int) and self._schema.types[each.type].array is None
        }
        own_words = () if plan.abstract or plan.name is None else (local(plan.name), plan.name)

        def write(value: JSON, add: Add, at: At | None) -> None:
            word = value.get(TYPE_WORD) if value.__class__ is dict else None
            found = derived.get(word) if isinstance(word, str) else None
            if found is not None:
                add(found[0])
                found[1](value, add, at)
                return
            if word is None and plan.abstract:
                object_to(at and at[TYPE_WORD], f"is missing: it must be one of {some(derived)}")
            elif word is not None and word not in own_words:
                object_to(at and at[TYPE_WORD], f"is not one of {some(derived)}")
            own(value, add, at)

        return write

    def _array(self, array: ArrayOf) -> Write:
        """A SOAP-encoded array, with its arrayType."""
        item = self._element(Field(array.item, array.item, array.type, nillable=True))
        name = self.name(array.name)

        def write(value: JSON, add: Add, at: At | None) -> None:
            if value.__class__ is not list:
                object_to(at, "must be an array")
                return
            add(f' xsi:type="soapenc:Array" soapenc:arrayType="{name}[{len(value)}]">')
            for number, each in enumerate(value):
                item(each, add, at and at[number])

        return write

    # -------------------------------------------------------------------------------------------- content

    def _content(self, plan: Complex) -> tuple[Count, frozenset[str]]:
        """The function that ends the start tag, writes the content and counts the members it used; and their keys."""
        if plan.text is not None:
            return text(plan.text, self._prefixes), frozenset({VALUE})
        if plan.mixed:
            return mixed, frozenset({XML})
        if plan.content is None:
            return nothing, frozenset()
        model = Model(plan.content)
        return self._members(model), frozenset(key for entry in model.entries for key in _keys_of(entry))

    def _members(self, model: Model) -> Count:
        steps, fits = tuple(self._step(entry, model) for entry in model.entries), model.fits

        def write(value: JSON, add: Add, at: At | None) -> int:
            add(">")
            used, letters = 0, ""
            for key, many, function, letter, together in steps:
                if together is not None:
                    more, more_letters = together(value, add, at)
                    used += more
                    letters += more_letters
                    continue
                member = value.get(key, MISSING)
                if member is MISSING:
                    continue
                used += 1
                if not many:
                    function(member, add, at and at[key])
                    letters += letter
                elif member.__class__ is not list:
                    object_to(at and at[key], "must be an array")
                elif at is None:
                    for item in member:
                        function(item, add, None)
                    letters += letter * len(member)
                else:
                    for number, item in enumerate(member):
                        function(item, add, at[key][number])
                    letters += letter * len(member)
            if not fits(letters):
                object_to_misfits(model, letters, at)
            return used

        return write

    def _step(self, entry: Entry, model: Model) -> Step:
        match entry:
            case Field():
                return Step(entry.key, model.is_many(entry.key), self._element(entry), model.letters[entry.name])
            case Wild():
                together = any_written(wild_writer(model))
            case Zip(fields=fields):
                together = zipped(tuple(self._each(field, model) for field in fields))
            case _:
                wild = wild_writer(model) if ANY in model.listed else None
                together = listed({field.key: self._each(field, model) for field in fields_of(entry.group)}, wild)
        return Step("", False, _write_nothing, "", together)

    def _each(self, field: Field, model: Model) -> Each:
        return Each(field.key, self._element(field), model.letters[field.name])


# ------------------------------------------------------------------------------------------------ small functions


def _alone(write: Write, key: str) -> Write:
    """The function for a type one of whose members stands for the whole; an object says all of it, as usual."""

    def alone(value: JSON, add: Add, at: At | None) -> None:
        if value.__class__ is dict:
            write(value, add, at)
        else:
            write({key: value}, add, at and Through(at, key))

    return alone


def _write_nothing(_value: JSON, _add: Add, _at: At | None) -> None:
    """What a step has in the place of its function where several members are written together."""


def _type_mark(simple: Simple) -> str:
    return "" if simple.kind in ("list", "union") else f' xsi:type="xsd:{simple.base}"'


def _object_to_unknown(
    value: JSON, known: frozenset[str], at: At | None, *, open_to_any: bool, word: str | None = None
) -> None:
    """Note the members that are not the type's own. `$type` may say what it is anyway, the type's name being `word`."""
    for key, given in value.items():
        if key == TYPE_WORD and word is not None and isinstance(given, str) and local(given) == word:
            continue
        if key not in known and not (open_to_any and key.startswith("@")):
            object_to(at and at[key], UNKNOWN_MEMBER)


def _keys_of(entry: Entry) -> list[str]:
    match entry:
        case Zip(fields=fields):
            return [field.key for field in fields]
        case Items():
            return [ITEMS]
        case _:
            return [key_of(entry)]
