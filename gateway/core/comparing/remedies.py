"""Rules that would let a difference pass, and those to suggest for fields that are only noise."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from gateway.core.comparing.differences import OVERFLOW, STATUS, Difference, FieldKind
from gateway.core.comparing.instants import instant
from gateway.core.comparing.noise import State
from gateway.core.comparing.values import number, pointer_text, type_of
from gateway.core.policies import Pointer

Remedy = tuple[str, str]
"""A rule's name, and what it is set to: the largest difference of a tolerance, otherwise nothing."""

IGNORE: Remedy = ("ignore", "")
_ROUNDING = Decimal("0.01")
_SMALL = Decimal("0.001")


def remedy_for(difference: Difference) -> Remedy:
    """The mildest rule that lets a difference pass."""
    old, new = difference.legacy, difference.new
    if difference.kind in ("missing", "extra"):
        return ("absent_is_null", "") if None in (old, new) else IGNORE
    if difference.kind == "type":
        return IGNORE
    if isinstance(old, list):
        return ("unordered", "")
    if isinstance(old, str) and isinstance(new, str):
        if instant(old) is not None and instant(old) == instant(new):
            return ("same_instant", "")
        if old.casefold() == new.casefold():
            return ("case", "")
    return _tolerance(old, new)


def _tolerance(old: Any, new: Any) -> Remedy:
    """Numbers that are apart by a penny or by a thousandth: more is not rounding."""
    before, after = number(old), number(new)
    if before is None or after is None or type_of(old) != type_of(new):
        return IGNORE
    apart = abs(before - after)
    return ("tolerance", f"{apart:f}") if apart <= max(_ROUNDING, _SMALL * abs(before)) else IGNORE


def suggest(states: Mapping[FieldKind, State], remedies: Iterable[tuple[FieldKind, Remedy]]) -> dict[str, Any]:
    """The `compare:` rules that let the noise pass, to be written as YAML.

    `remedies` are those of kept examples. A field is ignored unless all of its examples agree on a milder rule.
    """
    kept: dict[FieldKind, list[Remedy]] = defaultdict(list)
    for key, remedy in remedies:
        kept[key].append(remedy)
    wanted: dict[Pointer, list[Remedy]] = defaultdict(list)
    for key, state in states.items():
        if state == "noise" and key != OVERFLOW and key[0] != STATUS:
            wanted[key[0]] += kept.get(key, [IGNORE])
    rules: dict[str, Any] = {}
    for field in sorted(wanted):
        names = {name for name, _ in wanted[field]}
        name = names.pop() if len(names) == 1 else "ignore"
        if name == "tolerance":
            most = max((setting for _, setting in wanted[field]), key=Decimal)
            rules.setdefault(name, {})[pointer_text(field)] = most
        else:
            rules.setdefault(name, []).append(pointer_text(field))
    return rules
