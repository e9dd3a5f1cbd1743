"""How many samples differed by which fields: what was unsure when it was seen is decided once the noise is known.

Plain values out and back, since a tally is stored, and summed over replicas. It is bounded: beyond 500 different
signatures samples are counted together, as unsure.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.noise import FieldCount, FieldCounts, Signature, State, verdict_of

MOST_SIGNATURES = 500
MATCHED: Signature = frozenset()


class Counted(NamedTuple):
    """Samples by what they are worth."""

    matched: int
    mismatched: int
    unsure: int


class Tally(NamedTuple):
    """Samples by their signatures, and those whose signatures there was no room for."""

    signatures: Mapping[Signature, int] = {}
    others: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Both together; where there are too many signatures, the most frequent stay."""
        total = dict(self.signatures)
        for signature, samples in other.signatures.items():
            total[signature] = total.get(signature, 0) + samples
        if len(total) <= MOST_SIGNATURES:
            return Tally(total, self.others + other.others)
        ranked = sorted(total, key=lambda each: (each != MATCHED, -total[each]))
        dropped = sum(total.pop(each) for each in ranked[MOST_SIGNATURES:])
        return Tally(total, self.others + other.others + dropped)

    def counted(self, states: Mapping[FieldKind, State]) -> Counted:
        """What the samples are worth, by what is known of the fields now."""
        worth = {"matched": 0, "mismatched": 0, "unsure": self.others}
        for signature, samples in self.signatures.items():
            worth[verdict_of(signature, states)] += samples
        return Counted(**worth)

    def plain(self) -> dict[str, Any]:
        """As values of JSON."""
        signatures = [
            [[[list(field), kind] for field, kind in sorted(signature)], samples]
            for signature, samples in self.signatures.items()
        ]
        return {"signatures": signatures, "others": self.others}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> "Tally":
        """From what `plain` gave."""
        signatures = {
            frozenset((tuple(field), kind) for field, kind in fields): samples
            for fields, samples in plain["signatures"]
        }
        return cls(signatures, plain["others"])


def tally_of(signature: Signature) -> Tally:
    """One sample."""
    return Tally({signature: 1})


def plain_counts(counts: FieldCounts) -> list[Any]:
    """Counts of fields as values of JSON."""
    return [[list(field), kind, *counted] for (field, kind), counted in counts.items()]


def counts_of_plain(plain: list[Any]) -> dict[FieldKind, FieldCount]:
    """From what `plain_counts` gave."""
    return {(tuple(field), kind): FieldCount(*numbers) for field, kind, *numbers in plain}
