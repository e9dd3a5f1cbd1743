"""What may be kept of a value: by default its type, its length and a keyed hash, which tells only what is the same.

Values themselves are kept under `show`, masked and short; under `redact` nothing is kept at all. Of lists and objects
no value is ever kept, since what is inside may be redacted.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NamedTuple, Self

from gateway.core.comparing.differences import STATUS, Difference, Kind
from gateway.core.comparing.patterns import looks_like_data, masked
from gateway.core.comparing.remedies import remedy_for
from gateway.core.comparing.rules import Place, Rules
from gateway.core.comparing.values import SCALARS, canonical, pointer_text, text_of, type_of
from gateway.core.policies import Pointer

LONGEST = 200
"""Characters of a value that is shown."""
_LOOKED_AT = 40 * LONGEST
"""Characters that are masked before they are cut: nothing that is cut in half comes near the part that is shown."""
_INDEX = re.compile(r"\[\d+\]\Z", re.ASCII)


class Kept(NamedTuple):
    """What is kept of a value. `length` is in characters, items or members; `value` None unless it may be shown."""

    type: str
    length: int = 0
    hash: str = ""
    value: str | None = None


NOTHING = Kept("redacted")
ABSENT_KEPT = Kept("absent")


class Example(NamedTuple):
    """One difference, as it may be stored. `field` and `at` are written pointers; `remedy` a rule that lets it pass."""

    field: str
    at: str
    kind: Kind
    legacy: Kept
    new: Kept
    remedy: tuple[str, str] = ("ignore", "")

    def plain(self) -> dict[str, Any]:
        """As values of JSON."""
        return {**self._asdict(), "legacy": self.legacy._asdict(), "new": self.new._asdict(), "remedy": [*self.remedy]}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Self:
        """From what `plain` gave."""
        name, setting = plain["remedy"]
        kept = {"legacy": Kept(**plain["legacy"]), "new": Kept(**plain["new"])}
        return cls(**{**plain, **kept, "remedy": (name, setting)})


def example_of(difference: Difference, rules: Rules, key: bytes) -> Example:
    """A difference without what may not be kept of it."""
    at = tuple(
        _digest(token, key) if counted == "*" and looks_like_data(token) else token
        for token, counted in zip(difference.at, difference.field, strict=True)
    )
    legacy, new = (redacted(value, difference.at, rules, key) for value in (difference.legacy, difference.new))
    return Example(
        pointer_text(difference.field), pointer_text(at), difference.kind, legacy, new, remedy_for(difference)
    )


def redacted(value: Any, at: Pointer, rules: Rules, key: bytes) -> Kept:
    """What may be kept of the value at a pointer. `key` is secret, at most 64 bytes: only who has it can try values."""
    places = tuple(_places(at, rules.across))
    kind = type_of(value)
    if any(each.redact for each in places):
        return NOTHING
    if kind == "absent":
        return ABSENT_KEPT
    if value.__class__ not in SCALARS:
        return Kept(kind, len(value), "" if places[-1].hides else _digest(value, key))
    text = text_of(value)
    shown = at == STATUS or any(each.show for each in places)
    return Kept(kind, len(text), _digest(value, key), masked(text[:_LOOKED_AT])[:LONGEST] if shown else None)


def _places(at: Pointer, place: Place) -> Iterator[Place]:
    """What the rules say along a pointer, from the root on."""
    yield place
    for token in at:
        place = place.step(token if token in place.named else _INDEX.sub("", token))
        yield place


def _digest(value: Any, key: bytes) -> str:
    """Eight bytes in hexadecimal, the same for the same value under one key."""
    return blake2b(canonical(value), digest_size=8, key=key).hexdigest()
