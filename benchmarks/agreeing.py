"""Whether zeep, reading the same XML, found the same values: a walk over ours and theirs along the plan.

Values are compared as values: a decimal by its number, a date by its day. What zeep does not model is passed over, and
the walk says what it passed over.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from zeep.xsd.types import builtins as zeep_types

from connectors.soap.anything import base_of, builtin
from connectors.soap.content import Items, Model, Zip
from connectors.soap.plan import AnyType, Complex, Field, Group, Particle, Schema, Simple, TypeRef, Wild
from connectors.soap.simple import encoder
from connectors.soap.words import JSON, TYPE_WORD, VALUE, XML
from connectors.soap.xmltext import local

UNTYPED: Any = zeep_types
ZEEP = {each._default_qname.localname: each().pythonvalue for each in UNTYPED._types if each._default_qname is not None}


class Difference(NamedTuple):
    """One value that is not the same."""

    at: str
    ours: object
    theirs: object

    def __str__(self) -> str:
        return f"{self.at or '/'}: {self.ours!r:.80} here, {self.theirs!r:.80} by zeep"


class Walk:
    """Compares values of a schema. `passed` collects what zeep does not model."""

    def __init__(self, schema: Schema) -> None:
        self._types = schema.types
        self._models: dict[int, Model] = {}
        self.passed: set[str] = set()

    def compare(self, ref: TypeRef, ours: JSON, theirs: Any, at: str = "") -> Iterator[Difference]:
        """Where two values of a type differ."""
        if ours is None:
            yield from [Difference(at, ours, theirs)] * (not is_nothing(theirs))
        elif isinstance(ref, Simple):
            members = members_of(theirs)  # zeep makes an object of soapenc:string
            theirs = theirs if members is None else members.get("_value_1")
            yield from [] if same(ref, ours, theirs) else [Difference(at, ours, theirs)]
        elif isinstance(ref, AnyType):
            yield from self._untyped(ours, theirs, at)
        else:
            yield from self._complex(self._standing(self._types[ref], ours), ours, theirs, at)

    def _untyped(self, ours: JSON, theirs: Any, at: str) -> Iterator[Difference]:
        told = isinstance(ours, dict)
        if told and XML in ours:
            self.passed.add("XML in an anyType")
            return
        simple = builtin(ours[TYPE_WORD].removeprefix("xs:") if told else base_of(ours))
        if simple is not None:
            yield from self.compare(simple, ours[VALUE] if told else ours, theirs, at)

    def _standing(self, plan: Complex, ours: JSON) -> Complex:
        """The type that really stands here."""
        word = ours.get(TYPE_WORD) if isinstance(ours, dict) else None
        found = next((each.type for each in plan.derived if each.word == word), None)
        return self._types[found] if isinstance(found, int) else plan

    def _complex(self, plan: Complex, ours: JSON, theirs: Any, at: str) -> Iterator[Difference]:
        if plan.array is not None:
            yield from self._items(plan.array.type, ours, theirs, at)
            return
        if plan.mixed:
            self.passed.add("mixed content")
            return
        members = members_of(theirs)
        if members is None:
            members = {"_value_1": theirs} if plan.text is not None else {}
        for attribute in plan.attributes:
            given = ours.get(attribute.key)
            name = local(attribute.name)
            found = members.get(f"attr__{name}", members.get(name))
            if found is None and attribute.type.kind in ("union", "list"):
                self.passed.add("a union it cannot read")
            elif attribute.key in ours and not same(attribute.type, given, found):
                yield Difference(f"{at}/{attribute.key}", given, found)
        if plan.any_attribute:
            self.passed.add("any attribute")
        if plan.text is not None and not same(plan.text, ours[VALUE], members.get("_value_1")):
            yield Difference(f"{at}/{VALUE}", ours[VALUE], members.get("_value_1"))
        elif plan.content is not None:
            if id(plan.content) not in self._models:
                self._models[id(plan.content)] = Model(plan.content)
            yield from self._content(self._models[id(plan.content)], ours, members, at)

    def _content(self, model: Model, ours: JSON, theirs: Mapping[str, Any], at: str) -> Iterator[Difference]:
        for entry in model.entries:
            match entry:
                case Wild():
                    self.passed.add("a wildcard")
                case Items() | Zip():
                    self.passed.add("a repeated group")
                case Field():
                    found = theirs.get(local(entry.name))
                    limit = limit_of(model, entry, ours, theirs) if is_nothing(found) else None
                    if limit is not None or entry.key != local(entry.name):
                        self.passed.add(limit or "two elements of one local name")
                    elif model.is_many(entry.key):
                        yield from self._items(entry.type, ours[entry.key], found, f"{at}/{entry.key}")
                    else:
                        yield from self.compare(entry.type, ours.get(entry.key), found, f"{at}/{entry.key}")

    def _items(self, ref: TypeRef, ours: JSON, theirs: Any, at: str) -> Iterator[Difference]:
        items = [] if theirs is None else theirs if isinstance(theirs, list) else [theirs]
        if len(ours) != len(items):
            yield Difference(at, f"{len(ours)} items", f"{len(items)} items")
            return
        for number, (mine, other) in enumerate(zip(ours, items, strict=True)):
            yield from self.compare(ref, mine, other, f"{at}/{number}")


def limit_of(model: Model, field: Field, ours: JSON, theirs: Mapping[str, Any]) -> str | None:
    """Why zeep may have nothing for an element that is there."""
    if any(isinstance(entry, Wild) for entry in model.entries):
        return "an element beside a wildcard"
    if local(field.name) not in theirs and any(name.startswith("_value_") for name in theirs):
        return "a repeated group"
    if field.key in ours and is_falsy(ours[field.key]) and field in alternatives(model.group):
        return "0, false or nothing in a choice"
    return None


def is_falsy(value: JSON) -> bool:
    """Whether Python takes a value for false, which zeep takes for absent."""
    return not value or value in ("0", "-0", "0.0")


def alternatives(particle: Particle, *, inside: bool = False) -> Iterator[Field]:
    """The elements within choices."""
    if isinstance(particle, Field):
        yield from [particle] * inside
    elif isinstance(particle, Group):
        for part in particle.parts:
            yield from alternatives(part, inside=inside or particle.kind == "choice")


def members_of(theirs: Any) -> Mapping[str, Any] | None:
    values = getattr(theirs, "__values__", None)
    return values if isinstance(values, Mapping) else None


def is_nothing(theirs: Any) -> bool:
    """What zeep says of an element that is absent or nil: None, or a value in which everything is."""
    if isinstance(theirs, list):
        return not theirs or all(map(is_nothing, theirs))
    members = members_of(theirs)
    if members is None:
        return theirs is None
    return all(is_nothing(value) for name, value in members.items() if not name.startswith("_attr_"))


def same(simple: Simple, ours: JSON, theirs: Any) -> bool:
    """Whether zeep's value of a simple type is ours."""
    if ours in ("", [], None) and theirs in (None, "", b"", []):
        return True
    if simple.kind == "union":
        return theirs == encoder(simple)(ours) or any(fits(each, ours, theirs) for each in simple.members)
    if simple.kind == "list" and simple.item is not None and isinstance(theirs, list):
        item = simple.item
        return len(ours) == len(theirs) and all(same(item, *pair) for pair in zip(ours, theirs, strict=True))
    value = as_zeep(simple, ours)
    return bool(value == theirs or (value != value and theirs != theirs))  # the latter are NaN


def fits(simple: Simple, ours: JSON, theirs: Any) -> bool:
    try:
        return same(simple, ours, theirs)
    except (TypeError, ValueError, ArithmeticError):
        return False  # not of this member of the union


def as_zeep(simple: Simple, ours: Any) -> Any:
    """What our value is among zeep's."""
    match simple.kind:
        case "integer":
            return int(ours)
        case "decimal":
            return Decimal(ours)
        case "float":
            return float(ours)
        case "base64":
            return b64decode(ours)
        case "dateTime" | "verbatim" if simple.base in ZEEP:
            return ZEEP[simple.base](ours)
    return ours
