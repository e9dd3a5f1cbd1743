"""The rules of `compare:`, compiled once per route into a tree that is walked beside the documents.

A `Place` is where one token after another of a pointer leads; `*` in a rule is any token. Places are shared: wherever
no rule applies, the walk stands on PLAIN, and whatever is equal there is skipped whole.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from gateway.core.comparing.instants import instant
from gateway.core.comparing.values import canonical, number, text_of, type_of
from gateway.core.policies import Compare, Pointer


class Lenience(NamedTuple):
    """When two scalars pass as the same; `normal` gives those that may pass for one another one look."""

    same: Callable[[Any, Any], bool]
    normal: Callable[[Any], Any]


class Place(NamedTuple):
    """What rules say of one place, and where its members lead: by name, or all `other` ones (None: PLAIN).

    `unordered` is the member that tells a list's items apart ("" for none); `table` what the new side says instead of
    legacy's values. Of all from here down, `plain` tells that no rule of comparing applies, `skips` that equal values
    are always the same (value tables prevent that), and `hides` that something is redacted.
    """

    ignore: bool = False
    unordered: str | None = None
    absent_is_null: bool = False
    leniences: tuple[Lenience, ...] = ()
    table: Mapping[str, str] | None = None
    show: bool = False
    redact: bool = False
    named: Mapping[str, "Place"] = {}
    other: "Place | None" = None
    plain: bool = True
    skips: bool = True
    hides: bool = False

    def step(self, token: str) -> "Place":
        """Where one token leads."""
        return self.named.get(token) or self.other or PLAIN


PLAIN = Place()


class Rules(NamedTuple):
    """A route's rules: `across` for legacy beside new, `within` for two answers of one side, which no table is for."""

    across: Place = PLAIN
    within: Place = PLAIN
    headers: tuple[bytes, ...] = Compare().headers


# ------------------------------------------------------------------------------------------------ what each rule adds


def ignore(place: Place, _: None) -> Place:
    """What is here is not looked at."""
    return place._replace(ignore=True)


def unordered(place: Place, member: str) -> Place:
    """The order of this list's items means nothing."""
    return place._replace(unordered=member)


def absent_is_null(place: Place, _: None) -> Place:
    """No value and null are the same."""
    return place._replace(absent_is_null=True)


def tolerance(place: Place, most: str) -> Place:
    """Numbers, or texts that are numbers, no further apart than `most`."""
    return _lenient(place, Lenience(partial(_near, most=Decimal(most)), _without_number))


def same_instant(place: Place, _: None) -> Place:
    """Dates and times that name one moment."""
    return _lenient(place, Lenience(_at_once, _moment))


def case(place: Place, _: None) -> Place:
    """Letters of either case are the same."""
    return _lenient(place, Lenience(_alike, lambda value: value.casefold() if isinstance(value, str) else value))


def mapped(place: Place, pairs: tuple[tuple[str, str], ...]) -> Place:
    """Values of legacy, and what the new side has to say instead."""
    return place._replace(table={**(place.table or {}), **dict(pairs)})


def show(place: Place, _: None) -> Place:
    """Values from here down may be kept."""
    return place._replace(show=True)


def redact(place: Place, _: None) -> Place:
    """Nothing is kept of values from here down."""
    return place._replace(redact=True)


RULES: dict[str, Callable[[Place, Any], Place]] = {
    "ignore": ignore,
    "unordered": unordered,
    "absent_is_null": absent_is_null,
    "tolerance": tolerance,
    "same_instant": same_instant,
    "case": case,
    "map": mapped,
    "show": show,
    "redact": redact,
}
"""By their names in `Compare`."""


def _lenient(place: Place, lenience: Lenience) -> Place:
    return place._replace(leniences=(*place.leniences, lenience))


def _near(one: Any, other: Any, most: Decimal) -> bool:
    first, second = number(one), number(other)
    return first is not None and second is not None and type_of(one) == type_of(other) and abs(first - second) <= most


def _without_number(value: Any) -> Any:
    return value if number(value) is None else 0


def _at_once(one: Any, other: Any) -> bool:
    moment = instant(one)
    return moment is not None and moment == instant(other)


def _moment(value: Any) -> Any:
    found = instant(value)
    return value if found is None else str(found)


def _alike(one: Any, other: Any) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one.casefold() == other.casefold()


def normal(value: Any, place: Place, legacy: bool) -> Any:
    """A value with its rules applied: values that the rules let pass for one another are mostly one."""
    if place.plain:
        return value
    if isinstance(value, dict):
        found = {}
        for name, each in value.items():
            below = place.named.get(name) or place.other
            if below is None:
                found[name] = each
            elif not below.ignore and not (below.absent_is_null and each is None):
                found[name] = normal(each, below, legacy)
        return found
    if isinstance(value, list):
        items = [normal(each, place.step(str(index)), legacy) for index, each in enumerate(value)]
        return items if place.unordered is None else sorted(items, key=canonical)
    if legacy and place.table is not None:
        return place.table.get(text_of(value), value)
    for lenience in place.leniences:
        value = lenience.normal(value)
    return value


# ------------------------------------------------------------------------------------------------ the tree


class _Node:
    """A place of the rules as written: what stands under each token, `*` among them."""

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.said: list[tuple[str, Any]] = []


Said = tuple[str, Pointer, Any]


def compiled(compare: Compare) -> Rules:
    """A route's rules, ready to be walked along."""
    said = tuple(_said(compare))
    within = tuple(each for each in said if each[0] != "map")
    return Rules(_tree(said), _tree(within), tuple(name.lower() for name in compare.headers))


def _said(compare: Compare) -> Iterator[Said]:
    """Each rule: its name, its pointer, and what it says of that place."""
    for name in RULES:
        for entry in getattr(compare, name):
            pointer, argument = entry if entry and isinstance(entry[0], tuple) else (entry, None)
            yield name, pointer, argument


def _tree(said: tuple[Said, ...]) -> Place:
    root = _Node()
    for name, pointer, argument in said:
        node = root
        for token in pointer:
            node = node.below.setdefault(token, _Node())
        node.said.append((name, argument))
    return _merged((root,))


def _merged(nodes: tuple[_Node, ...]) -> Place:
    """The place where several nodes apply at once, one reached by its name and others by `*`."""
    place = PLAIN
    for node in nodes:
        for name, argument in node.said:
            place = RULES[name](place, argument)
    anything = tuple(node.below["*"] for node in nodes if "*" in node.below)
    names = {name for node in nodes for name in node.below} - {"*"}
    named = {name: _merged((*anything, *(node.below[name] for node in nodes if name in node.below))) for name in names}
    other = _merged(anything) if anything else None
    below = (*named.values(), *([other] if other else []))
    return place._replace(
        named=named,
        other=other,
        plain=not _compares(place) and all(each.plain for each in below),
        skips=place.table is None and all(each.skips for each in below),
        hides=place.redact or any(each.hides for each in below),
    )


def _compares(place: Place) -> bool:
    """Whether a rule of comparing applies at a place itself."""
    return bool(place.ignore or place.absent_is_null or place.leniences or place.table) or place.unordered is not None
