"""What is written by more than one member of an object, or by one that holds more than one kind of element.

That is: arrays written in turns, the ordered list `$items`, and `$any`, elements that a wildcard lets in.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from connectors.soap.content import ANY, ITEMS, WILD_LETTER, Model
from connectors.soap.problems import At, object_to
from connectors.soap.wildcards import admission, element_objection
from connectors.soap.words import JSON, MISSING
from connectors.soap.xmltext import Add, XmlRefused, as_text, local, safe_element

Write = Callable[[JSON, Add, At | None], None]
"""Writes a whole element, or the attributes and content of one, beginning within its open start tag."""
Together = Callable[[JSON, Add, At | None], tuple[int, str]]
"""Writes what it takes of an object's members; tells how many it took, and the letters of what it wrote."""
_MOST_NAMES = 8


class Each(NamedTuple):
    """An element: its key, the function that writes it, its letter."""

    key: str
    write: Write
    letter: str


def zipped(elements: tuple[Each, ...]) -> Together:
    """Arrays of the same length, written in turns."""
    row = "".join(each.letter for each in elements)

    def write(value: JSON, add: Add, at: At | None) -> tuple[int, str]:
        given = [value.get(each.key, []) for each in elements]
        used = sum(each.key in value for each in elements)
        for each, items in zip(elements, given, strict=True):
            if items.__class__ is not list:
                object_to(at and at[each.key], "must be an array")
                return used, row
            if len(items) != len(given[0]):
                object_to(at and at[each.key], f"must be as long as {elements[0].key}")
                return used, row
        for number in range(len(given[0])):
            for each, items in zip(elements, given, strict=True):
                each.write(items[number], add, at and at[each.key][number])
        return used, row * len(given[0])

    return write


def listed(elements: Mapping[str, Each], wild: "WriteWild | None") -> Together:
    """`$items`: objects of one member each, in the order in which they are written."""
    names = some([*elements, *([ANY] if wild is not None else [])])

    def write(value: JSON, add: Add, at: At | None) -> tuple[int, str]:
        given = value.get(ITEMS, MISSING)
        if given is MISSING:
            return 0, ""
        if given.__class__ is not list:
            object_to(at and at[ITEMS], "must be an array")
            return 1, ""
        letters = ""
        for number, item in enumerate(given):
            here = at and at[ITEMS][number]
            key = next(iter(item)) if item.__class__ is dict and len(item) == 1 else None
            each = elements.get(key) if key is not None else None
            if each is not None:
                each.write(item[key], add, here and here[each.key])
                letters += each.letter
            elif key == ANY and wild is not None:
                wild(item[key], add, here and here[ANY])
                letters += WILD_LETTER
            else:
                object_to(here, f"must be an object with one member: {names}")
        return 1, letters

    return write


WriteWild = Callable[[JSON, Add, At | None], None]
"""Writes one element that a wildcard lets in."""


def wild_writer(model: Model) -> WriteWild:
    """The function for elements in XML. What the schema names here has to come by its name, so that it is checked."""
    admits, objection, named = admission(model.wilds), element_objection(model.wilds), model.letters

    def write(value: JSON, add: Add, at: At | None) -> None:
        try:
            element = safe_element(value)
        except XmlRefused as refused:
            object_to(at, str(refused))
            return
        if element.tag in named:
            object_to(at, f"holds {local(element.tag)}, which has a member of its own")
        elif not admits(element.tag):
            object_to(at, "is of a namespace that the schema does not allow here")
        elif reason := objection(element):
            object_to(at, reason)
        else:
            add(as_text(element))

    return write


def any_written(wild: WriteWild) -> Together:
    """`$any`: an array of elements in XML."""

    def write(value: JSON, add: Add, at: At | None) -> tuple[int, str]:
        given = value.get(ANY, MISSING)
        if given is MISSING:
            return 0, ""
        if given.__class__ is not list:
            object_to(at and at[ANY], "must be an array of XML elements")
            return 1, ""
        for number, each in enumerate(given):
            wild(each, add, at and at[ANY][number])
        return 1, WILD_LETTER * len(given)

    return write


def some(names: "Mapping[str, object] | list[str]") -> str:
    """The first of some names, for people."""
    listed = list(names)
    return ", ".join(listed[:_MOST_NAMES]) + (" ..." if len(listed) > _MOST_NAMES else "")
