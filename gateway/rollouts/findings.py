"""What is known of a route's comparisons: what the store has, and what it has not been told yet."""

from collections import Counter
from collections.abc import Iterable, Mapping
from time import time
from typing import TYPE_CHECKING, Any

from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.noise import FieldCount, states_of
from gateway.core.comparing.values import pointer_of
from gateway.errors import StoreUnavailable
from gateway.rollouts.comparisons import COMPARED, HOUR, Known
from gateway.rollouts.judging import Fields, Seen
from gateway.rollouts.room import Rollouts
from gateway.store.values import Example, FieldSeen, VerdictCount

if TYPE_CHECKING:
    from gateway.store.repository import Store


async def known_of(rollouts: Rollouts, route: str, begin: float) -> tuple[Known, str]:
    """What is known since `begin` (Unix seconds), and why it is no more than this replica has yet to tell the store.

    That is "" when the store was asked.
    """
    async with rollouts.keeper.flushing:  # what is on its way would be in neither place, or in both
        try:
            stored = await _stored(rollouts.keeper.opened(), route, begin)
        except StoreUnavailable as error:
            return _untold(rollouts, route, begin), str(error)
        untold = _untold(rollouts, route, begin)
    fields = _joined(stored.fields, untold.fields)
    return untold._replace(
        verdicts=Counter(stored.verdicts) + Counter(untold.verdicts),
        compared=Counter(stored.compared) + Counter(untold.compared),
        fields=fields,
        states=states_of({key: seen.counted for key, seen in fields.items()}),
        examples=[*untold.examples, *stored.examples],
    ), ""


async def _stored(store: "Store", route: str, begin: float) -> Known:
    end = time() + HOUR
    rows = await store.fields(route, since=begin)
    oldest = min([begin, *(row.first_seen for row in rows)])
    hourly = await store.verdicts(oldest - oldest % HOUR, end, route=route, step=HOUR)
    recent = await store.verdicts(begin, end, route=route)
    examples = await store.examples(route)
    return Known(_counted(recent), {}, _by_hour(hourly), dict(map(_seen, rows)), {}, examples)


def _untold(rollouts: Rollouts, route: str, begin: float) -> Known:
    fields = rollouts.judge.fields.get(route, Fields())
    rows = [VerdictCount(*key, count) for key, count in rollouts.keeper.counts.verdicts.items() if key[1] == route]
    verdicts = _counted([row for row in rows if row.minute >= begin])
    verdicts["unsure"] += rollouts.judge.unsure([route], 0)
    compared = _by_hour(rows) + Counter({0: len(fields.in_hand)})
    states = {key: fields.states[key] for key in fields.fresh}
    examples = [
        Example(route, each.field, each.kind, at, each.plain())
        for name, at, each in reversed(rollouts.judge.examples)
        if name == route
    ]
    return Known(verdicts, rollouts.reasons.of(route), compared, dict(fields.fresh), states, examples)


def _counted(rows: Iterable[VerdictCount]) -> Counter[str]:
    found = Counter[str]()
    for row in rows:
        found[row.verdict] += row.samples
    return found


def _by_hour(rows: Iterable[VerdictCount]) -> Counter[int]:
    """How many answers were compared, by the hour."""
    found = Counter[int]()
    for row in rows:
        if row.verdict in COMPARED:
            found[row.minute - row.minute % HOUR] += row.samples
    return found


def _seen(row: FieldSeen) -> tuple[FieldKind, Seen]:
    kind: Any = row.kind
    counted = FieldCount(row.differs, row.odd_candidate, row.odd_control, row.all_differ)
    return (pointer_of(row.field), kind), Seen(counted, row.first_seen, row.last_seen)


def _joined(stored: Mapping[FieldKind, Seen], untold: Mapping[FieldKind, Seen]) -> dict[FieldKind, Seen]:
    found = dict(stored)
    for key, (counted, first, last) in untold.items():
        known = found.get(key, Seen(FieldCount(), first, last))
        found[key] = Seen(known.counted.plus(counted), min(known.first, first), max(known.last, last))
    return found
