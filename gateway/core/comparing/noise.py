"""Which fields are wrong, and which only differ as they differ from themselves: identifiers, times, unstable order.

Where two answers differ, the serving side may be asked again. Then one of three is the odd one out. If the candidate
were right and the field noise, candidate and control could be exchanged, so that the candidate would be the odd one no
more often than the control, in at most half of all cases. Being odd significantly more often is being wrong.
"""

from collections.abc import Iterable, Mapping
from math import log, sqrt
from typing import Literal, NamedTuple

from gateway.core.comparing.differences import OVERFLOW, STATUS, FieldKind, Kind
from gateway.core.statistics import wilson

State = Literal["wrong", "noise", "unsure"]
Finding = Literal["matched", "mismatched", "unsure"]
Signature = frozenset[FieldKind]
"""The fields that differ in a sample, each with how."""

Z = 2.326
"""One-sided 99 %."""
ENOUGH = 6
"""So few probes suffice if the candidate is odd in all. Every later look must be surer by its number: a field is looked
at after each probe, and one that is there or not by chance would be called wrong in 15 % of all cases within 1,500 of
them; as it is, in 3 %."""
NEARLY_HALF = 0.6
"""Where two of three agreed, noise of two values (there or not) makes the candidate odd in one half, for ever. Below
this it passes as noise; what may hide behind it is at most a fifth of the field's differences."""
MOST_FIELDS = 500
_TOUCHES: dict[Kind, frozenset[Kind]] = {
    "value": frozenset({"missing", "extra", "type", "value"}),
    "type": frozenset({"missing", "extra", "type"}),
    "missing": frozenset({"missing"}),
    "extra": frozenset({"extra"}),
}
"""For a difference of one kind, by which others the same field shows that it is not the same there. Kinds count apart:
a candidate that leaves out a time that is noise is wrong, however often the time itself differs."""


class FieldCount(NamedTuple):
    """How often a field differed in one way, and, of the times when the serving side was asked again, who was odd.

    `candidate`: control and second agreed; `control`: second and candidate agreed; `every`: no two agreed.
    """

    differs: int = 0
    candidate: int = 0
    control: int = 0
    every: int = 0

    def plus(self, other: "FieldCount") -> "FieldCount":
        differs, candidate, control, every = self
        return FieldCount(
            differs + other.differs, candidate + other.candidate, control + other.control, every + other.every
        )


def count(cross: Signature, again: tuple[Signature, Signature] | None) -> dict[FieldKind, FieldCount]:
    """The counts of one sample, whose answers differ by `cross`.

    `again` is how control and second, and second and candidate, differ, each read in the direction of `cross`: the
    second takes the candidate's place, then the control's. None where nobody was asked again.
    """
    if again is None:
        return dict.fromkeys(cross, FieldCount(1))
    within, beside = again
    return {key: _odd(key, within, beside) for key in cross}


def _odd(key: FieldKind, within: Signature, beside: Signature) -> FieldCount:
    if not _differs(key, within):
        return FieldCount(1, candidate=1)
    return FieldCount(1, every=1) if _differs(key, beside) else FieldCount(1, control=1)


def _differs(key: FieldKind, signature: Signature) -> bool:
    """Whether a field is not the same in two answers: by itself, or because something around it is not."""
    field, kind = key
    if any((field, each) in signature for each in _TOUCHES[kind]) or (STATUS, "value") in signature:
        return True
    around = (field[:end] for end in range(len(field)))
    return any((place, each) in signature for place in around for each in _TOUCHES["type"])


def state_of(counted: FieldCount) -> State:
    """What a field is: wrong if the candidate is surely odd in more than half of the probes, noise if surely not.

    "Surely" goes by the Wilson interval, one-sided 99 %; see ENOUGH and NEARLY_HALF.
    """
    agreed = counted.candidate + counted.control
    probes = agreed + counted.every
    looks = 2 * log(max(probes, ENOUGH) / ENOUGH)
    if wilson(counted.candidate, probes, sqrt(Z * Z + looks)).low > 0.5:
        return "wrong"
    rarely = wilson(counted.candidate, probes, Z).high < 0.5
    evenly = wilson(counted.candidate, agreed, Z).high < NEARLY_HALF
    return "noise" if rarely or evenly else "unsure"


def states_of(counts: Mapping[FieldKind, FieldCount]) -> dict[FieldKind, State]:
    """The state of each field. What overflowed stays unsure, since different fields are in it."""
    return {key: "unsure" if key == OVERFLOW else state_of(counted) for key, counted in counts.items()}


def verdict_of(fields: Iterable[FieldKind], states: Mapping[FieldKind, State]) -> Finding:
    """What a sample is worth whose `fields` differ: mismatched by one that is wrong, matched when all are noise."""
    found = {states.get(each, "unsure") for each in fields}
    if "wrong" in found:
        return "mismatched"
    return "unsure" if "unsure" in found else "matched"
