"""A route's comparisons as plain JSON values: its verdicts, the fields that differ, examples, and rules to suggest.

Counts and examples in, a document out; units as in `reports`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.config.told import told
from gateway.core.comparing.differences import OVERFLOW, FieldKind
from gateway.core.comparing.noise import State
from gateway.core.comparing.remedies import Remedy, suggest
from gateway.core.comparing.values import pointer_of, pointer_text
from gateway.core.evidence import Verdict
from gateway.core.model import Route
from gateway.core.policies import Compare
from gateway.rollouts.judging import Judged, Seen
from gateway.rollouts.reports import VERDICTS, Document, instant, rate
from gateway.store.values import Example

HOUR = 3_600
EXAMPLES = 3
"""Examples that are told of each field."""
MOST_REASONS = 1_000
COMPARED: frozenset[Verdict] = frozenset({"matched", "mismatched", "unsure"})
"""The verdicts on answers that were laid beside each other: what the rate of a field is a rate of."""
_WORST: tuple[State, ...] = ("wrong", "unsure", "noise")


class Reasons:
    """Why answers said nothing, or were errors: counted since this process began, by route, verdict and reason."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Verdict, str]] = Counter()

    def add(self, found: Iterable[Judged]) -> None:
        """Count what has a reason. Some are words out of answers, so there is an end to how many are kept apart."""
        for each in found:
            if each.reason:
                key = (each.route, each.verdict, each.reason)
                known = key in self._counts or len(self._counts) < MOST_REASONS
                self._counts[key if known else (each.route, each.verdict, "for other reasons")] += 1

    def of(self, route: str) -> dict[tuple[Verdict, str], int]:
        """Those of a route, the most frequent first."""
        return {
            (verdict, reason): count for (name, verdict, reason), count in self._counts.most_common() if name == route
        }


class Known(NamedTuple):
    """What is known of a route's comparisons.

    `verdicts` are those of the time asked for; `compared` counts answers that were compared, by the hour they were in
    (Unix seconds of its beginning; 0 for any); `states` are those of `fields`; `examples` come the latest first.
    """

    verdicts: Mapping[str, int]
    reasons: Mapping[tuple[Verdict, str], int]
    compared: Mapping[int, int]
    fields: Mapping[FieldKind, Seen]
    states: Mapping[FieldKind, State]
    examples: Sequence[Example]


def shadow_report(route: Route, known: Known) -> Document:
    """A route's comparisons, the fields that differ worst first.

    `suggestion` is all that `compare:` would say if what looks like noise were let pass; None where nothing does.
    """
    states = known.states
    order = sorted(known.fields, key=lambda key: (_WORST.index(states[key]), -known.fields[key].counted.differs, key))
    rules = suggest(states, [(_key(each), _remedy(each)) for each in known.examples])
    matched = known.verdicts.get("matched", 0)
    wrong = known.verdicts.get("mismatched", 0) + known.verdicts.get("candidate_error", 0)
    return {
        "route": route.name,
        "shadow": None if route.shadow is None else told(route.shadow),
        "verdicts": {verdict: known.verdicts.get(verdict, 0) for verdict in VERDICTS},
        "agreement": rate(matched, matched + wrong),
        "reasons": [
            {"verdict": verdict, "reason": reason, "count": count} for (verdict, reason), count in known.reasons.items()
        ],
        "fields": [_field(key, states[key], known) for key in order],
        "suggestion": extended(route.compare, rules) if rules else None,
    }


def extended(compare: Compare, rules: Mapping[str, Any]) -> Document:
    """What the route says under `compare:` already, with more rules: as it would stand in routes.yaml."""
    document = told(compare)
    for name, more in rules.items():
        there = document.get(name, type(more)())
        if isinstance(there, dict):
            document[name] = there | (more if isinstance(more, dict) else dict.fromkeys(more))
        else:
            document[name] = [*there, *(each for each in more if each not in there)]
    return document


def _field(key: FieldKind, state: State, known: Known) -> Document:
    (pointer, kind), (counted, first, last) = key, known.fields[key]
    compared = sum(count for hour, count in known.compared.items() if not hour or hour > first - HOUR)
    examples = [each for each in known.examples if _key(each) == key][:EXAMPLES]
    return {
        "pointer": "" if key == OVERFLOW else pointer_text(pointer),
        "kind": kind,
        "state": state,
        "differs": rate(counted.differs, max(compared, counted.differs)),
        "asked_twice": {"candidate": counted.candidate, "control": counted.control, "all_differ": counted.every},
        "first_seen": instant(first),
        "last_seen": instant(last),
        "examples": [_example(each) for each in examples],
    }


def _example(example: Example) -> Document:
    kept = example.document
    return {"seen": instant(example.at), "at": kept["at"], "legacy": kept["legacy"], "new": kept["new"]}


def _key(example: Example) -> FieldKind:
    kind: Any = example.kind
    return pointer_of(example.field), kind


def _remedy(example: Example) -> Remedy:
    name, setting = example.document["remedy"]
    return name, setting
