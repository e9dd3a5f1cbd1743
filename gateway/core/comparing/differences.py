"""What differs between two documents, place by place, always read from legacy to new.

Two trees are walked side by side, with the rules' tree beside them. What is equal is skipped by one comparison in C;
what is not is entered. Of each field and kind the first difference stands for all: a sample counts a field once.
"""

from collections.abc import Hashable
from functools import partial
from typing import Any, Literal, NamedTuple

from gateway.core.comparing import alignment
from gateway.core.comparing.alignment import Alignment, Reading
from gateway.core.comparing.documents import Document
from gateway.core.comparing.infoset import NAMESPACES
from gateway.core.comparing.patterns import looks_like_data
from gateway.core.comparing.rules import Place, normal
from gateway.core.comparing.values import ABSENT, SCALARS, Element, Repeated, canonical, same_scalar, text_of, type_of
from gateway.core.policies import Pointer

Kind = Literal["missing", "extra", "type", "value"]
FieldKind = tuple[Pointer, Kind]

MOST = 100
"""How many fields may differ in a sample before the rest are counted as one, OVERFLOW."""
OVERFLOW: FieldKind = (("#more",), "value")
"""Fields beyond those that are kept apart. What it hides is not known, so it is never noise and never wrong."""
STATUS: Pointer = (":status",)
HEADER = ":header"
ORDER = "#order"
_TOKENS = SCALARS - {bool, type(None)}


class Difference(NamedTuple):
    """One place that differs. `legacy` and `new` are its values, ABSENT where there is none.

    `at` is the exact place: of repeated XML elements `Line[2]`, counted from 1. `field` is what is counted: list
    indices, and names that look like data, are `*`. A list whose items stand in other order differs in value.
    """

    field: Pointer
    at: Pointer
    kind: Kind
    legacy: Any
    new: Any


def differences(legacy: Document, new: Document, place: Place) -> tuple[Difference, ...]:
    """What differs under the rules whose root is `place`: at most 100 fields, then one more, OVERFLOW."""
    if place.skips and (legacy.kind, legacy.canonical) == (new.kind, new.canonical):
        return ()
    if "empty" in (legacy.kind, new.kind) and legacy.kind != new.kind and not place.ignore:
        before, after = (ABSENT if each.kind == "empty" else each.value for each in (legacy, new))
        return (Difference((), (), "extra" if before is ABSENT else "missing", before, after),)
    if (legacy.kind, legacy.shape == "fault") != (new.kind, new.shape == "fault"):
        return () if place.ignore else (Difference((), (), "type", legacy.value, new.value),)
    walk = _Walk(legacy, new)
    walk.values(legacy.value, new.value, place, (), ())
    return tuple(walk.found.values())


def scalars(old: Any, new: Any, place: Place) -> Kind | None:
    """How two values differ that are not both objects or both lists; None where rules let them pass."""
    if place.table is not None and old.__class__ in SCALARS and (said := place.table.get(text_of(old))) is not None:
        return None if new.__class__ in SCALARS and text_of(new) == said else "value"
    if type_of(old) == type_of(new):
        passes = same_scalar(old, new) or any(each.same(old, new) for each in place.leniences)
        return None if passes else "value"
    return "type"


class _Walk:
    """One walk along two documents, and what it has found."""

    def __init__(self, legacy: Document, new: Document) -> None:
        self.found: dict[FieldKind, Difference] = {}
        documents = (legacy, new)
        self._keeps_order = any(isinstance(each.value, Element) for each in documents)
        self._has_booleans = any(word in each.canonical for each in documents for word in (b"true", b"false"))

    def values(self, old: Any, new: Any, place: Place, at: Pointer, field: Pointer) -> None:
        """Two values that are there, at one place."""
        if place.ignore:
            return
        if old.__class__ is not new.__class__:
            old, new = _lifted(old, new)
        if isinstance(old, dict) and isinstance(new, dict):
            if not (place.skips and self._same(old, new)):
                self._members(old, new, place, at, field)
        elif isinstance(old, list) and isinstance(new, list):
            if not (place.skips and self._same(old, new)):
                self._items(old, new, place, at, field)
        elif kind := scalars(old, new, place):
            self._note(field, at, kind, old, new)

    def _same(self, old: Any, new: Any) -> bool:
        """Whether two values are the same for certain. Python takes true for 1, and forgets the order of members."""
        if self._keeps_order:
            return False
        return bool(old == new) and (not self._has_booleans or canonical(old) == canonical(new))

    def _members(self, old: dict[str, Any], new: dict[str, Any], place: Place, at: Pointer, field: Pointer) -> None:
        skips, get = place.skips, new.get
        for name, before in old.items():
            after = get(name, ABSENT)
            if skips and before == after and before.__class__ is after.__class__ and before.__class__ in SCALARS:
                continue
            below, here, counted = place.step(name), (*at, name), (*field, _counted(name))
            if after is ABSENT:
                self._only_one(before, after, below, here, counted)
            else:
                self.values(before, after, below, here, counted)
        for name, after in new.items():
            if name not in old:
                self._only_one(ABSENT, after, place.step(name), (*at, name), (*field, _counted(name)))
        if isinstance(old, Element) and old.keys() == new.keys() and list(old) != list(new):
            self.values(" ".join(old), " ".join(new), place.step(ORDER), (*at, ORDER), (*field, ORDER))

    def _only_one(self, old: Any, new: Any, place: Place, at: Pointer, field: Pointer) -> None:
        """A member that one of two objects has. The namespace of an element that is not there is no second one."""
        null = place.absent_is_null and (old is None or new is None)
        if not (place.ignore or null or field[-2:-1] == (NAMESPACES,)):
            self._note(field, at, "extra" if old is ABSENT else "missing", old, new)

    def _items(self, old: list[Any], new: list[Any], place: Place, at: Pointer, field: Pointer) -> None:
        transparent = isinstance(old, Repeated)
        item = place if transparent else place.step("*")
        inside = field if transparent else (*field, "*")
        found = _aligned(old, new, place, item)
        if found.moved:
            self._note(field, at, "value", old, new)
        for one, other in found.pairs:
            before, after = old[one], new[other]
            if not (item.skips and self._tells_nothing_new(before, after, inside)):
                here = item if transparent else place.step(str(one))
                self.values(before, after, here, _item_at(at, one, transparent), inside)
        if not item.ignore:
            for index in found.missing:
                self._note(inside, _item_at(at, index, transparent), "missing", old[index], ABSENT)
            for index in found.extra:
                self._note(inside, _item_at(at, index, transparent), "extra", ABSENT, new[index])

    def _tells_nothing_new(self, old: Any, new: Any, field: Pointer) -> bool:
        """Whether two items are the same, or differ as others do that have been told: lists of numbers may be long."""
        if old.__class__ is new.__class__ and old.__class__ in SCALARS:
            return bool(old == new) or (field, "value") in self.found
        return self._same(old, new)

    def _note(self, field: Pointer, at: Pointer, kind: Kind, old: Any, new: Any) -> None:
        key = (field, kind)
        if key not in self.found:
            if len(self.found) < MOST:
                self.found[key] = Difference(field, at, kind, old, new)
            else:
                self.found[OVERFLOW] = Difference(OVERFLOW[0], at, OVERFLOW[1], old, new)


def _lifted(old: Any, new: Any) -> tuple[Any, Any]:
    """One XML element beside several, or a text beside one with attributes, made alike."""
    if Repeated in (old.__class__, new.__class__) and None not in (old, new):
        return _as_repeated(old), _as_repeated(new)
    if Element in (old.__class__, new.__class__):
        return _as_element(old, new), _as_element(new, old)
    return old, new


def _as_repeated(value: Any) -> Any:
    return value if isinstance(value, Repeated) else Repeated([value])


def _as_element(value: Any, beside: Any) -> Any:
    """A text as the element that it is the content of, unless the other element holds others."""
    if value == "":
        return Element()
    if isinstance(value, str) and all(name[0] in "@#" for name in beside):
        return Element({"#text": value})
    return value


def _counted(name: str) -> str:
    return "*" if looks_like_data(name) else name


def _item_at(at: Pointer, index: int, transparent: bool) -> Pointer:
    return (*at[:-1], f"{at[-1]}[{index + 1}]") if transparent else (*at, str(index))


def _aligned(old: list[Any], new: list[Any], place: Place, item: Place) -> Alignment:
    reading = Reading(
        partial(_token, place=item, legacy=True),
        partial(_token, place=item, legacy=False),
        lambda member: item.step(member).plain,
    )
    if place.unordered is None:
        return alignment.ordered(old, new, reading)
    if place.unordered:
        return alignment.by_member(old, new, place.unordered, reading)
    return alignment.as_multisets(old, new, reading)


def _token(item: Any, place: Place, legacy: bool) -> Hashable:
    """What items are matched by: numbers by value, and never a number with a flag."""
    token: Hashable = item if place.plain and item.__class__ in _TOKENS else canonical(normal(item, place, legacy))
    return token
