"""The door to the codec: whole messages to JSON-able values and back, each operation compiled once.

A document message with one part is the content of that part's element: the wrapper is unwrapped. Any other message is
an object of its parts. Right messages are coded in one go; wrong ones again, to list every problem with its place.
"""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from connectors.soap.decoding import Decode, Decoders
from connectors.soap.encoding import Encoders
from connectors.soap.plan import AnyType, Complex, Field, Group, Message, Particle, Schema, Simple, TypeRef, Wild
from connectors.soap.problems import UNKNOWN_MEMBER, At, Broken, Invalid, Problem, object_to
from connectors.soap.references import resolve
from connectors.soap.together import Write
from connectors.soap.words import JSON, SOAP_ENCODING
from connectors.soap.xmltext import Add, Element, local, namespace, quoted

TOO_DEEP = Problem("", "is nested too deeply")
ENCODING_STYLE = f' soap:encodingStyle="{SOAP_ENCODING}"'
"""Stands on the element around the parts of an encoded message; `soap` is the envelope's own prefix."""


class Coded(NamedTuple):
    """A message's two functions."""

    write: Write
    read: Decode


class Codec:
    """Codes the messages of one schema. What one needs is compiled when it is first met, and kept."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._decoders = Decoders(schema)
        self._encoders = {typed: Encoders(schema, typed=typed) for typed in (False, True)}
        self._messages: dict[int, tuple[Message, Coded]] = {}
        self._elements: dict[int, tuple[Field, Coded]] = {}

    def encode(self, message: Message, value: JSON) -> str:
        """The XML inside the Body. Raises Invalid, which lists every problem."""
        return _written(self.compiled(message).write, value)

    def decode(self, message: Message, body: Element, *, strict: bool = False) -> tuple[JSON, tuple[Problem, ...]]:
        """The value of a Body, and what its schema objects to in it.

        Raises Invalid where it cannot be the message at all; when `strict`, for any problem; and XmlRefused for
        references that lead nowhere.
        """
        if message.encoded:
            resolve(body)
        return _read(self.compiled(message).read, body, strict=strict)

    def encode_element(self, field: Field, value: JSON) -> str:
        """One element by itself: a header, or the detail of a fault. Raises Invalid."""
        return _written(self._element(field).write, value)

    def decode_element(self, field: Field, element: Element) -> tuple[JSON, tuple[Problem, ...]]:
        """The value of one element by itself, and what its schema objects to. Raises Invalid when it cannot be read."""
        return _read(self._element(field).read, element, strict=False)

    def compiled(self, message: Message) -> Coded:
        """A message's functions; messages are known by their identity, so none is compared."""
        found = self._messages.get(id(message))
        if found is None:
            found = self._messages[id(message)] = (message, self._compile(message))
        return found[1]

    def _element(self, field: Field) -> Coded:
        found = self._elements.get(id(field))
        if found is None:
            coded = Coded(self._encoders[False].element(field), self._decoders.field(field))
            found = self._elements[id(field)] = (field, coded)
        return found[1]

    def _compile(self, message: Message) -> Coded:
        encoders = self._encoders[message.encoded]
        parts = message.parts
        if message.wrapper is None and len(parts) == 1:
            return Coded(encoders.element(parts[0]), _only(parts[0], self._decoders.field(parts[0])))
        write = _parts_written([(part.key, encoders.element(part)) for part in parts])
        slots = {part.name: (part.key, self._decoders.field(part)) for part in parts}
        read = _parts_read(slots, complete=not message.encoded)
        if message.wrapper is None:
            return Coded(write, read)
        return Coded(_wrapped(message.wrapper, write, encoded=message.encoded), _unwrapped(message, read))


# ------------------------------------------------------------------------------------------------ once, or twice


def _written(write: Write, value: JSON) -> str:
    pieces: list[str] = []
    problems: list[Problem] = []
    try:
        try:
            write(value, pieces.append, None)
        except Broken:
            write(value, _ignore, At(problems))
            raise Invalid(problems or [Problem("", "does not fit its schema")]) from None
    except RecursionError as error:
        raise Invalid([TOO_DEEP]) from error
    return "".join(pieces)


def _ignore(_text: str) -> None:
    """Where XML goes when only its problems are wanted."""


def _read(read: Decode, element: Element, *, strict: bool) -> tuple[JSON, tuple[Problem, ...]]:
    problems: list[Problem] = []
    try:
        try:
            return read(element, None), ()
        except Broken:
            value = read(element, At(problems))
    except RecursionError as error:
        raise Invalid([TOO_DEEP]) from error
    if strict:
        raise Invalid(problems)
    return value, tuple(problems)


# ------------------------------------------------------------------------------------------------ parts of a message


def _only(part: Field, decode: Decode) -> Decode:
    """The function that reads a Body with one element."""

    def read(body: Element, at: At | None) -> JSON:
        child = next(iter(body), None)
        tag = "" if child is None else child.tag
        if tag != part.name:
            if local(tag) != local(part.name):
                found = "is empty" if child is None else f"has the element {local(tag)}"
                raise Invalid([Problem("", f"{found}, where {local(part.name)} belongs")])
            object_to(at, f"has its element {local(part.name)} in the wrong namespace")
        if len(body) > 1:
            object_to(at, "has more than one element")
        return decode(child, at)

    return read


def _parts_written(parts: list[tuple[str, Write]]) -> Write:
    """The function that writes the elements of an object of parts."""
    known = frozenset(key for key, _ in parts)

    def write(value: JSON, add: Add, at: At | None) -> None:
        if value.__class__ is not dict:
            object_to(at, "must be an object")
            return
        for key, function in parts:
            if key in value:
                function(value[key], add, at and at[key])
            else:
                object_to(at and at[key], "is missing")
        for key in value:
            if key not in known:
                object_to(at and at[key], UNKNOWN_MEMBER)

    return write


def _parts_read(slots: dict[str, tuple[str, Decode]], *, complete: bool) -> Decode:
    """The function that reads elements into an object of parts, in any order. `complete` objects to those missing."""

    def read(parent: Element, at: At | None) -> JSON:
        out: dict[str, JSON] = {}
        for child in parent:
            slot = slots.get(child.tag) or slots.get(local(child.tag))  # node's servers qualify what has no namespace
            if slot is None:
                object_to(at, f"has the element {local(child.tag)}, which the schema does not know here")
            else:
                out[slot[0]] = slot[1](child, at and at[slot[0]])
        if complete:
            for key, _ in slots.values():
                if key not in out:
                    object_to(at and at[key], "is missing")
        return out

    return read


def _wrapped(wrapper: str, write: Write, *, encoded: bool) -> Write:
    """The function that writes an RPC message: its parts, within an element named by the operation."""
    space, name = namespace(wrapper), local(wrapper)
    tag, declared = (f"m:{name}", f" xmlns:m={quoted(space)}") if space else (name, "")
    start, end = f"<{tag}{declared}{ENCODING_STYLE if encoded else ''}>", f"</{tag}>"

    def write_all(value: JSON, add: Add, at: At | None) -> None:
        add(start)
        write(value, add, at)
        add(end)

    return write_all


def _unwrapped(message: Message, read: Decode) -> Decode:
    """The function that reads an RPC message.

    Names of wrappers mean nothing, nor does that of an encoded message's only part (SOAP 1.1, section 7.1): servers
    make some up.
    """
    only = message.parts[0].name if message.encoded and len(message.parts) == 1 else None

    def read_all(body: Element, at: At | None) -> JSON:
        wrapper = body.find(message.wrapper)
        if wrapper is None:
            wrapper = next(iter(body), None)
        if wrapper is None:
            raise Invalid([Problem("", f"is empty, where {local(message.wrapper or '')} belongs")])
        if only is not None and len(wrapper) == 1:
            wrapper[0].tag = only
        return read(wrapper, at)

    return read_all


# ------------------------------------------------------------------------------------------------ which parser


def needs_names(schema: Schema, message: Message) -> bool:
    """Whether a message can only be read from a tree that knows its prefixes."""
    if message.encoded:
        return True
    waiting: list[TypeRef] = [part.type for part in message.parts]
    seen: set[int] = set()
    while waiting:
        ref = waiting.pop()
        if isinstance(ref, AnyType) or (isinstance(ref, Simple) and _holds_names(ref)):
            return True
        if isinstance(ref, int) and ref not in seen:
            seen.add(ref)
            plan = schema.types[ref]
            below = None if _is_open(plan) else _types_below(plan)
            if below is None:
                return True
            waiting.extend(below)
    return False


def _is_open(plan: Complex) -> bool:
    wild = plan.content is not None and any(isinstance(part, Wild) for part in _particles(plan.content))
    return bool(plan.mixed or plan.abstract or plan.derived or plan.array is not None or wild)


def _types_below(plan: Complex) -> Iterable[TypeRef]:
    fields = () if plan.content is None else _particles(plan.content)
    text = () if plan.text is None else (plan.text,)
    attributes = (each.type for each in plan.attributes)
    return chain(text, attributes, (each.type for each in fields if isinstance(each, Field)))


def _particles(group: Group) -> Iterable[Particle]:
    for part in group.parts:
        yield part
        if isinstance(part, Group):
            yield from _particles(part)


def _holds_names(simple: Simple) -> bool:
    """Whether values of a type may hold prefixes."""
    inside = simple.members if simple.item is None else (simple.item, *simple.members)
    return simple.kind == "qname" or any(map(_holds_names, inside))
