"""Samples become verdicts here, in a thread beside control's loop, and verdicts become counts.

A sample that differs only in fields of which nobody knows yet whether they are noise stays in hand until that is known;
until then it counts as unsure. What there is no time to judge is counted as skipped.
"""

import asyncio
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import get_native_id
from traceback import extract_tb
from typing import NamedTuple

from gateway.core.captured import GONE, Sample, Seconds, Skipped, reason_of, source_of
from gateway.core.comparing.differences import OVERFLOW, Difference, FieldKind
from gateway.core.comparing.documents import Decode
from gateway.core.comparing.judging import AreOne, Judgement, judge
from gateway.core.comparing.noise import MOST_FIELDS, FieldCount, Signature, State, state_of, verdict_of
from gateway.core.comparing.redaction import Example, example_of
from gateway.core.comparing.rules import Rules
from gateway.core.comparing.values import pointer_text
from gateway.core.evidence import Verdict
from gateway.core.model import LEGACY, Side
from gateway.rollouts.asking import Asking
from gateway.telemetry.logging import log

WAITING = 4_000
WAITING_BYTES = 64 * 2**20
BATCH = 100
NICE = 19
"""How far the thread that compares stands back."""
DIFFERS = FieldCount(1)
"""What a sample adds to the counts of a field where nobody was asked twice."""
IN_HAND = 5_000
"""Samples per route that may wait until it is known which of their fields are noise."""
LOOK = 1.0
"""Seconds between looks for second answers that will not come."""
FEW, EXAMPLES, MOST_EXAMPLES = 5, 20, 10_000
"""Examples kept of one batch, of a field and of a route, and in all until the store takes them: it keeps but the latest
of a field."""


class Way(NamedTuple):
    """How a route's answers are compared: its rules, and the codec of its SOAP operation if it has one.

    `noise` is the part of BUCKETS of its samples after which the side that serves may be asked again; `are_one` tells
    whether two identifiers are one thing's.
    """

    rules: Rules
    decode: Decode | None = None
    noise: int = 500
    are_one: AreOne | None = None


class Judged(NamedTuple):
    """What a sample is worth, or will be. `request` is a hash of the request; `fields` are those that differ; `source`
    is the sample's."""

    route: str
    verdict: Verdict
    control_side: Side
    at: float
    request: bytes = b""
    shape: str = ""
    fields: Signature = frozenset()
    reason: str = ""
    source: str = "shadow"


class Seen(NamedTuple):
    """How often a field differed in one way, when first and when last (Unix seconds)."""

    counted: FieldCount
    first: float
    last: float


class Fields:
    """What is known of the fields of one route that differ. `fresh` are the counts since they were last taken."""

    def __init__(self) -> None:
        self.counts: dict[FieldKind, FieldCount] = {}
        self.fresh: dict[FieldKind, Seen] = {}
        self.states: dict[FieldKind, State] = {}
        self.in_hand: deque[Judged] = deque()

    def add(self, counts: Iterable[tuple[FieldKind, FieldCount]], at: float) -> bool:
        """Count what one sample showed; whether anything is known differently now."""
        changed = False
        for key, counted in counts:
            here = key if key in self.counts or len(self.counts) < MOST_FIELDS else OVERFLOW
            known = self.counts[here] = self.counts.get(here, FieldCount()).plus(counted)
            seen = self.fresh.get(here) or Seen(FieldCount(), at, at)
            self.fresh[here] = Seen(seen.counted.plus(counted), seen.first, at)
            if here in self.states and counted == DIFFERS:
                continue  # only a second answer tells more of it
            state: State = "unsure" if here == OVERFLOW else state_of(known)  # different fields are in it
            changed = changed or self.states.get(here) != state
            self.states[here] = state
        return changed

    def know(self, counts: Iterable[tuple[FieldKind, FieldCount]]) -> None:
        """Add what was known before this process began."""
        for key, counted in counts:
            known = self.counts[key] = self.counts.get(key, FieldCount()).plus(counted)
            self.states[key] = "unsure" if key == OVERFLOW else state_of(known)

    def taken(self) -> dict[FieldKind, Seen]:
        """The counts since this was asked last."""
        fresh, self.fresh = self.fresh, {}
        return fresh

    def settled(self) -> list[Judged]:
        """Those in hand of which it is known now what they are worth."""
        found, waiting = [], deque[Judged]()
        for each in self.in_hand:
            verdict = verdict_of(each.fields, self.states)
            if verdict == "unsure":
                waiting.append(each)
            else:
                found.append(each._replace(verdict=verdict))
        self.in_hand = waiting
        return found


class Found(NamedTuple):
    """A sample, and what was found in it."""

    sample: Sample
    judged: Judged
    judgement: Judgement
    examples: list[Example]


class Judge:
    """Takes samples, hands on verdicts: `judged` is told of each once its worth is known.

    `key` is the secret that hashes of values are made with; `asking` gets second answers.
    """

    def __init__(self, key: bytes, judged: Callable[[list[Judged]], None], asking: Asking) -> None:
        self._key = key
        self._tell = judged
        self._asking = asking
        self._ways: Mapping[str, Way] = {}
        self._waiting: deque[Sample] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="judge", initializer=_give_way)
        self.fields: dict[str, Fields] = {}
        self.examples: deque[tuple[str, float, Example]] = deque(maxlen=MOST_EXAMPLES)

    def follow(self, ways: Mapping[str, Way]) -> None:
        """Compare the answers of these routes, in these ways, from now on."""
        self._ways = ways
        self.fields = {route: fields for route, fields in self.fields.items() if route in ways}

    def of(self, route: str) -> Fields:
        return self.fields.setdefault(route, Fields())

    def unsure(self, routes: Iterable[str], since: float) -> int:
        """How many samples are in hand, of these routes and since then."""
        names = frozenset(routes)
        waiting = sum(each.route in names and each.at >= since for each in self._asking.held())
        known = [self.fields[name] for name in names if name in self.fields]
        return waiting + sum(each.at >= since for fields in known for each in fields.in_hand)

    def in_hand(self, route: str, source: str, since: float) -> list[Judged]:
        """The samples of a route in hand, of this source and since then."""
        if route not in self.fields:
            return []
        return [each for each in self.fields[route].in_hand if each.source == source and each.at >= since]

    def worst(self, routes: Iterable[str]) -> str:
        """Where answers are wrong most often, as a pointer; "" where none is known to be."""
        wrong = [
            (fields.counts[key].differs, key[0])
            for route in routes
            if (fields := self.fields.get(route)) is not None
            for key, state in fields.states.items()
            if state == "wrong"
        ]
        return pointer_text(max(wrong)[1]) if wrong else ""

    # -------------------------------------------------------------------------------------------- taking samples

    def sampled(self, samples: Iterable[Sample], skipped: Skipped, seconds: Seconds, now: float) -> list[Sample]:
        """Take what copies brought; what there is no room for is skipped as well. Those that got a second answer."""
        lost = Counter(skipped)
        asked = [self._asking.answered(number, second) for number, second in seconds.items()]
        again = [each for each in asked if each is not None]
        for sample in (*again, *samples):
            if len(self._waiting) >= WAITING or self._bytes > WAITING_BYTES:
                lost[sample.route, reason_of("control_busy", sample.source)] += 1
            else:
                self._wait(sample)
        if self._waiting:
            self._wake.set()
        found = []
        for (route, reason), count in lost.items():
            found += [Judged(route, "skipped", LEGACY, now, reason=reason, source=source_of(reason))] * count
        if found:
            self._tell(found)
        return again

    def _wait(self, sample: Sample) -> None:
        self._waiting.append(sample)
        self._bytes += _size(sample)

    async def run(self) -> None:
        """Judge what there is, for as long as this runs."""
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):  # not wait_for, which swallows being cancelled just as it is woken
                    await self._wake.wait()
            self._wake.clear()
            for each in self._asking.overdue():
                self._wait(each._replace(second=GONE))
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                ways = self._ways
                known = [(each, ways[each.route]) for each in batch if each.route in ways]
                found = await loop.run_in_executor(self._thread, _judged, known, self._key)
                self._bytes -= sum(map(_size, batch))
                self._take(found)

    @property
    def room(self) -> int:
        """How many more samples can wait."""
        return max(0, WAITING - len(self._waiting)) if self._bytes <= WAITING_BYTES else 0

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _take(self, found: list[Found]) -> None:
        done: list[Judged] = []
        changed: set[str] = set()
        for sample, judged, judgement, examples in found:
            fields = self.of(judged.route)
            if sample.second is None:
                self._asking.earn(judged.route, self._ways[judged.route].noise if judged.route in self._ways else 0)
                open_question = verdict_of(judged.fields, fields.states) == "unsure"
                if open_question and self._asking.asks(sample, _size(sample)):
                    continue
            if fields.add(judgement.counts, judged.at):
                changed.add(judged.route)
            self.examples += [(judged.route, judged.at, each) for each in examples]
            if judgement.verdict == "compared":
                judged = judged._replace(verdict=verdict_of(judged.fields, fields.states))
            if judged.verdict == "unsure" and len(fields.in_hand) < IN_HAND:
                fields.in_hand.append(judged)
            else:
                done.append(judged)
        for route in changed:
            done += self.fields[route].settled()
        self._tell(done)


def _give_way() -> None:
    """This thread runs when nobody else wants its processor: comparing is the work that can wait."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)


def _judged(batch: list[tuple[Sample, Way]], key: bytes) -> list[Found]:
    """In the thread: nothing here is anybody else's."""
    found, kept = list[Found](), Kept()
    for sample, way in batch:
        judgement, examples = _looked_at(sample, way, key, kept)
        verdict: Verdict = "unsure" if judgement.verdict == "compared" else judgement.verdict
        judged = Judged(
            sample.route,
            verdict,
            sample.control_side,
            sample.at,
            sample.request,
            judgement.shape,
            judgement.signature,
            judgement.reason,
            sample.source,
        )
        found.append(Found(sample, judged, judgement, examples))
    return found


class Kept:
    """How many examples of one batch are kept, by route and by field: each costs as much as comparing."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, FieldKind | None]] = Counter()

    def wants(self, route: str, difference: Difference) -> bool:
        """Whether to keep this one, too; it counts as kept."""
        key = (route, (difference.field, difference.kind))
        if self._counts[key] >= FEW or self._counts[route, None] >= EXAMPLES:
            return False
        self._counts[key] += 1
        self._counts[route, None] += 1
        return True


def _looked_at(sample: Sample, way: Way, key: bytes, kept: Kept) -> tuple[Judgement, list[Example]]:
    """A sample judged, and examples of what differs. A defect met in its answers spoils that sample, and no other."""
    try:
        judgement = judge(sample, way.rules, way.decode, way.are_one)
        shown = [each for each in judgement.differences if kept.wants(sample.route, each)]
        return judgement, [example_of(each, way.rules, key) for each in shown]
    except Exception as error:  # noqa: BLE001 - see above; whoever looks at the route sees the reason
        *_, last = extract_tb(error.__traceback__)  # its message may quote an answer
        where = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
        log().error("sample_not_judged", route=sample.route, error=type(error).__name__, where=where)
        return Judgement("incomparable", f"comparing failed ({type(error).__name__}); the log has more"), []


def _size(sample: Sample) -> int:
    answers = (sample.control, sample.candidate, sample.second)
    return sum(len(each.body or b"") for each in answers if each is not None) + 2_048
