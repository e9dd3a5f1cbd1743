"""Values made from a plan: everything a schema allows, within bounds and the same every time.

Making a value is a walk through its schema. At every fork (a branch, a number of items, a derived type, an example) it
takes the way that was taken least often so far; so a few walks have soon been everywhere. Deep down, in recursion, and
when a value has grown large, it takes the way that needs the fewest elements instead.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf
from typing import TypeVar

from connectors.soap.content import ANY, ITEMS, Items, Model, leaves_of
from connectors.soap.examples import examples
from connectors.soap.plan import (
    AnyAttribute,
    AnyType,
    ArrayOf,
    Complex,
    Derived,
    Field,
    Group,
    Particle,
    Schema,
    Simple,
    TypeRef,
    Wild,
)
from connectors.soap.simple import decoder
from connectors.soap.words import JSON, TYPE_WORD, VALUE, XML
from connectors.soap.xmltext import XSD, XSI

MOST_VALUES = 40
MOST_DERIVED = 8
MOST_EXAMPLES = 8
LARGE = 120
"""A value of so many elements takes only what it must from there on."""
DEEP = 12
STALE = 3
"""So many values in a row that took no new way are the last."""

OTHER = "urn:example:any"
"""The namespace of what wildcards let in."""
ANYTHING = f'<q:any xmlns:q="{OTHER}">x</q:any>'
UNTYPED: tuple[JSON, ...] = (
    "text & <more>",
    True,
    -5,
    {TYPE_WORD: "xs:date", VALUE: "2024-02-29"},
    {TYPE_WORD: "xs:decimal", VALUE: "1.50"},
    {XML: ANYTHING},
)
MIXED = ("a &amp; b", "")

T = TypeVar("T")
Found = tuple[Field | Wild, JSON]


def values(schema: Schema, field: Field) -> Iterator[JSON]:
    """Values of an element; none where the schema allows none that is finite, or none is known."""
    return Generator(schema).values(field)


class Generator:
    """Makes values of a schema's elements; what one element's values have covered, those of the next need not again."""

    def __init__(self, schema: Schema) -> None:
        self._types = schema.types
        self._sizes = Sizes(schema.types)
        self._taken: dict[tuple[int, str], list[int]] = {}
        self._models: dict[int, Model] = {}
        self._examples: dict[int, tuple[JSON, ...]] = {}
        self._kept: list[Field] = []
        self._inside: list[int] = []
        self._elements = self._ids = 0
        self._fresh = False

    def values(self, field: Field) -> Iterator[JSON]:
        """Values of an element, each once."""
        self._kept.append(field)  # forks are known by the identity of their particles
        stale, seen = 0, set()
        for _ in range(MOST_VALUES if self._sizes.particle(field) < inf else 0):
            self._fresh, self._elements = False, 0
            value = self._element(field)
            if (shown := repr(value)) not in seen:
                seen.add(shown)
                yield value
            stale = 0 if self._fresh else stale + 1
            if stale == STALE:
                return

    # -------------------------------------------------------------------------------------------- forks

    def _pick(self, fork: object, word: str, ways: Sequence[T]) -> T:
        """The way least often taken."""
        counts = self._taken.setdefault((id(fork), word), [0] * len(ways))
        way = min(range(len(ways)), key=counts.__getitem__)
        self._fresh = self._fresh or not counts[way]
        counts[way] += 1
        return ways[way]

    @property
    def _is_lean(self) -> bool:
        """Whether to take only what must be there."""
        recursive = bool(self._inside) and self._inside.count(self._inside[-1]) > 2
        return recursive or self._elements > LARGE or len(self._inside) > DEEP

    def _times(self, particle: Particle) -> int:
        """How often a particle comes."""
        least, most = particle.least, inf if particle.most is None else particle.most
        if self._is_lean or self._sizes.once(particle) == inf:
            return least
        repeated_choice = isinstance(particle, Group) and particle.kind == "choice" and most > 2
        wanted = (1, 0, 2, 3) if repeated_choice else (1, 0, 2)
        ways = [times for times in wanted if least <= times <= most] or [least]
        return self._pick(particle, "times", ways)

    # -------------------------------------------------------------------------------------------- values

    def _element(self, field: Field) -> JSON:
        self._elements += 1
        ways = [False] * (self._sizes.type(field.type) < inf) + [True] * self._sizes.may_be_nil(field)
        if ways[0] if self._is_lean else self._pick(field, "nil", ways):
            return None
        if field.fixed is not None and isinstance(field.type, Simple):
            return decoder(field.type)(field.fixed)
        return self._of(field.type)

    def _of(self, ref: TypeRef) -> JSON:
        if isinstance(ref, AnyType):
            return self._pick(ref, "anything", UNTYPED)
        if isinstance(ref, Simple):
            return self._simple(ref)
        self._inside.append(ref)
        plan = self._types[ref]
        stand_in = self._stand_in(ref, plan)
        other = stand_in.type if stand_in is not None else ref
        own = self._own(self._types[other]) if isinstance(other, int) else None
        self._inside.pop()
        return {TYPE_WORD: stand_in.word, **own} if stand_in is not None and isinstance(own, dict) else own

    def _simple(self, simple: Simple) -> JSON:
        if simple.base == "ID":
            self._ids += 1
            return f"id{self._ids}"
        known = self._examples.get(id(simple))
        if known is None:
            known = self._examples[id(simple)] = tuple(islice(examples(simple), MOST_EXAMPLES))
        return self._pick(simple, "example", known)

    def _stand_in(self, ref: int, plan: Complex) -> Derived | None:
        """The derived type that stands in a type's place; None where it stands for itself."""
        ways: list[Derived | None] = [None] if self._sizes.alone(ref) < inf else []
        ways += islice((each for each in plan.derived if self._sizes.standing(each) < inf), MOST_DERIVED)
        if self._is_lean:
            return min(ways, key=lambda each: self._sizes.standing(each) if each else self._sizes.alone(ref))
        return self._pick(plan, "type", ways)

    def _own(self, plan: Complex) -> JSON:
        if plan.array is not None:
            return self._array(plan.array)
        value = dict(self._attributes(plan))
        if plan.text is not None:
            value[VALUE] = self._simple(plan.text)
        elif plan.mixed:
            value[XML] = self._pick(plan, "mixed", self._sizes.mixed(plan))
        elif plan.content is not None:
            value |= folded(self._model(plan.content), self._particle(plan.content))
        return value

    def _model(self, content: Group) -> Model:
        if id(content) not in self._models:
            self._models[id(content)] = Model(content)
        return self._models[id(content)]

    def _array(self, array: ArrayOf) -> JSON:
        possible = self._sizes.type(array.type) < inf and not self._is_lean
        return [self._of(array.type) for _ in range(self._pick(array, "items", (1, 0, 2)) if possible else 0)]

    def _attributes(self, plan: Complex) -> Iterator[tuple[str, JSON]]:
        for each in plan.attributes:
            if each.required or (self._sizes.simple(each.type) < inf and self._pick(each, "attribute", (True, False))):
                yield each.key, self._simple(each.type) if each.fixed is None else decoder(each.type)(each.fixed)
        note = note_of(plan.any_attribute)
        if note is not None and self._pick(plan, "any attribute", (False, True)):
            yield note, "é"

    def _particle(self, particle: Particle) -> Iterator[Found]:
        """Elements in an order that the schema allows."""
        for _ in range(self._times(particle)):
            match particle:
                case Field():
                    yield particle, self._element(particle)
                case Wild():
                    yield particle, anything(particle)
                case Group(kind="choice"):
                    yield from self._particle(self._branch(particle))
                case Group():
                    for part in particle.parts:
                        yield from self._particle(part)

    def _branch(self, choice: Group) -> Particle:
        size = self._sizes.particle
        if self._is_lean:
            return min(choice.parts, key=size)
        return self._pick(choice, "branch", [part for part in choice.parts if size(part) < inf])


def folded(model: Model, found: Iterator[Found]) -> dict[str, JSON]:
    """Elements in order as the members of an object."""
    inside = {id(part) for entry in model.entries if isinstance(entry, Items) for part in leaves_of(entry.group)}
    out: dict[str, JSON] = {key: [] for key in model.arrays}
    for part, value in found:
        key = part.key if isinstance(part, Field) else ANY
        if id(part) in inside:
            out[ITEMS].append({key: value})
        elif isinstance(part, Wild) or model.is_many(key):
            out.setdefault(key, []).append(value)
        else:
            out[key] = value
    return out


def note_of(wild: AnyAttribute | None) -> str | None:
    """An attribute that a wildcard lets in; none where it asks for a declaration."""
    if wild is None or wild.strict or not wild.namespaces:
        return None
    space = space_of(wild)
    return f"@{{{space}}}note" if space else "@note"


def anything(wild: Wild) -> JSON:
    """An element that a wildcard lets in; one that tells its type where it would have to be declared."""
    space = space_of(wild)
    if wild.only is not None and space:
        return f'<q:any xmlns:q="{space}" xmlns:xsd="{XSD}" xmlns:xsi="{XSI}" xsi:type="xsd:string">x</q:any>'
    return ANYTHING if space == OTHER else f'<q:any xmlns:q="{space}">x</q:any>' if space else "<any>x</any>"


def space_of(wild: Wild | AnyAttribute) -> str:
    named = wild.namespaces[0]
    return (
        OTHER if named in ("##any", "##other") else {"##local": "", "##targetNamespace": wild.target}.get(named, named)
    )


class Sizes:
    """The fewest elements that values need; infinite where no value ends, or none is known."""

    def __init__(self, types: tuple[Complex, ...]) -> None:
        self._types = types
        self._own = [inf] * len(types)
        self._simple: dict[int, float] = {}
        changed = True
        while changed:  # sizes only ever shrink, and each by whole elements
            sizes = [self._of(plan) for plan in types]
            changed, self._own = sizes != self._own, sizes

    def _of(self, plan: Complex) -> float:
        if plan.array is not None:
            return 0
        needed = [self.simple(each.type) for each in plan.attributes if each.required and each.fixed is None]
        if plan.text is not None:
            needed.append(self.simple(plan.text))
        if plan.mixed:
            needed.append(0 if self.mixed(plan) else inf)
        elif plan.content is not None:
            needed.append(self.particle(plan.content))
        return sum(needed)

    def mixed(self, plan: Complex) -> Sequence[str]:
        """Mixed content: text alone, and what a wildcard lets in; none where there must be certain elements."""
        wild = [anything(each) for each in leaves_of(plan.content) if isinstance(each, Wild)] if plan.content else []
        needed = self.particle(plan.content) if plan.content else 0
        return [*(MIXED if needed == 0 else ()), *(f"a {each} b" for each in wild if needed <= 1)]

    def simple(self, simple: Simple) -> float:
        size = self._simple.get(id(simple))
        if size is None:
            size = self._simple[id(simple)] = 0 if simple.base == "ID" or any(True for _ in examples(simple)) else inf
        return size

    def alone(self, place: int) -> float:
        """The size of a type that stands for itself."""
        return inf if self._types[place].abstract else self._own[place]

    def standing(self, each: Derived) -> float:
        """The size of a type that stands in another's place."""
        return self._own[each.type] if isinstance(each.type, int) else inf

    def type(self, ref: TypeRef) -> float:
        if isinstance(ref, int):
            return min([self.alone(ref), *map(self.standing, self._types[ref].derived)])
        return self.simple(ref) if isinstance(ref, Simple) else 0

    def may_be_nil(self, field: Field) -> bool:
        """Whether null can stand for an element: it has no content then, but it must have its attributes."""
        plan = self._types[field.type] if isinstance(field.type, int) else None
        return field.nillable and field.fixed is None and not (plan and any(each.required for each in plan.attributes))

    def once(self, particle: Particle) -> float:
        """The size of a particle that comes once."""
        if isinstance(particle, Wild):
            return 1
        if isinstance(particle, Field):
            fixed = particle.fixed is not None and isinstance(particle.type, Simple)
            return 1 if fixed or self.may_be_nil(particle) else 1 + self.type(particle.type)
        sizes = map(self.particle, particle.parts)
        return min(sizes, default=0) if particle.kind == "choice" else sum(sizes)

    def particle(self, particle: Particle) -> float:
        return particle.least * self.once(particle) if particle.least else 0
