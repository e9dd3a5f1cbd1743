"""The fields of a message as a tree for people: how each is called in JSON, what it holds, whether it may be absent."""

from collections.abc import Iterator
from typing import NamedTuple

from connectors.soap.content import ANY, ITEMS, Items, Model, Zip, fields_of, is_many, keys_in
from connectors.soap.described import ATTACHMENT, in_words
from connectors.soap.plan import AnyType, Attribute, Complex, Field, Group, Message, Particle, Schema, Simple, TypeRef
from connectors.soap.presence import presence
from connectors.soap.words import VALUE, XML
from connectors.soap.xmltext import local

DEEPEST = 8
"""What lies deeper is told as a whole: a tree of thousands of fields helps nobody."""
MOST_NAMED = 4


class Node(NamedTuple):
    """A field, and those inside. `simple` is its type where it is plain; one that is `whole` cannot be taken apart."""

    key: str
    words: str
    children: "tuple[Node, ...]" = ()
    simple: Simple | None = None
    many: bool = False
    optional: bool = False
    whole: bool = False


def shape(message: Message, schema: Schema) -> Node:
    """The JSON of a message, its attachments included."""
    found = _inside(message, schema)
    if not message.attachments:
        return found
    own = found.children if found.simple is None and not found.whole else (found._replace(key=VALUE),)
    words = f"{in_words(ATTACHMENT)}, beside the envelope"
    beside = tuple(Node(name, words, simple=ATTACHMENT) for name in message.attachments)
    return Node(found.key, "object", (*own, *beside))


def _inside(message: Message, schema: Schema) -> Node:
    """What is in the envelope."""
    shapes = _Shapes(schema)
    if message.wrapper is None and len(message.parts) == 1:
        return shapes.node(message.parts[0], many=False, optional=False)
    parts = tuple(shapes.node(part, many=False, optional=False) for part in message.parts)
    return Node(local(message.wrapper or ""), "object", parts)


class _Shapes:
    def __init__(self, schema: Schema) -> None:
        self._types = schema.types
        self._inside: list[int] = []

    def node(self, field: Field, *, many: bool, optional: bool, instead: tuple[str, ...] = ()) -> Node:
        """One element."""
        found = self._of(field.type)
        more = [found.words]
        if many:
            more = [f"array of {found.words}" if found.simple is not None or found.whole else "array of objects"]
        if optional and not instead:
            more.append("may be empty" if many else "optional")
        if field.nillable:
            more.append("may be null")
        if instead:
            more.append(f"instead of {_some(instead)}")
        if field.fixed is not None:
            more.append(f"always {field.fixed}")
        return found._replace(key=field.key, words=", ".join(more), many=many, optional=optional)

    def _of(self, ref: TypeRef) -> Node:
        if isinstance(ref, Simple):
            return Node("", in_words(ref), simple=ref)
        if isinstance(ref, AnyType):
            return Node("", "any value", whole=True)
        plan = self._types[ref]
        name = f" ({local(plan.name)})" if plan.name else ""
        if ref in self._inside or len(self._inside) == DEEPEST:
            return Node("", f"object{name}", whole=True)
        if plan.array is not None:
            return Node("", f"array of {self._of(plan.array.type).words}", whole=True)
        self._inside.append(ref)
        children = tuple(self._children(plan))
        self._inside.pop()
        if plan.derived:
            return Node("", f"object, $type {_some([each.word for each in plan.derived])}", children, whole=True)
        whole = any(each.key in (ITEMS, ANY, XML) for each in children)
        return Node("", f"object{name}" if not children else "object", children, whole=whole)

    def _children(self, plan: Complex) -> Iterator[Node]:
        for attribute in plan.attributes:
            yield _attribute(attribute)
        if plan.text is not None:
            yield Node(VALUE, in_words(plan.text), simple=plan.text)
        elif plan.mixed:
            yield Node(XML, "XML", optional=True)
        elif plan.content is not None:
            yield from self._members(Model(plan.content))

    def _members(self, model: Model) -> Iterator[Node]:
        needed, _ = presence(model)
        instead = dict(_alternatives(model.group))
        for entry in model.entries:
            match entry:
                case Field():
                    optional, many = entry.key not in needed, model.is_many(entry.key)
                    yield self.node(entry, many=many, optional=optional, instead=instead.get(entry.key, ()))
                case Zip(fields=fields):
                    for field in fields:
                        yield self.node(field, many=True, optional=field.key not in needed)
                case Items(group=group):
                    yield self._items(group)
                case _:
                    yield Node(ANY, "array of XML", many=True, optional=True)

    def _items(self, group: Group) -> Node:
        found = {field.key: self.node(field, many=False, optional=False) for field in fields_of(group)}
        others = [Node(ANY, "XML")] if ANY in keys_in(group) else []
        return Node(ITEMS, "array, in order, of objects with one of", (*found.values(), *others), many=True, whole=True)


def _attribute(attribute: Attribute) -> Node:
    words = [in_words(attribute.type), *([] if attribute.required else ["optional"])]
    if attribute.fixed is not None:
        words.append(f"always {attribute.fixed}")
    return Node(attribute.key, ", ".join(words), simple=attribute.type, optional=not attribute.required)


def _alternatives(part: Particle) -> Iterator[tuple[str, tuple[str, ...]]]:
    """For each element of a choice, the first elements of its other ways."""
    if not isinstance(part, Group) or is_many(part):
        return
    ways = [list(fields_of(each)) for each in part.parts]
    if part.kind == "choice":
        for place, way in enumerate(ways):
            others = tuple(other[0].key for at, other in enumerate(ways) if at != place and other)
            yield from ((field.key, others) for field in way if others)
    else:
        for each in part.parts:
            yield from _alternatives(each)


def _some(words: list[str] | tuple[str, ...]) -> str:
    more = ", ..." if len(words) > MOST_NAMED else ""
    return ", ".join(words[:MOST_NAMED]) + more
