"""Replays: recorded requests are sent to both sides, a few at a time, and their verdicts gathered.

Both sides are asked as for copies, and the judge compares; here is only the pace, which must be one that a fragile
system bears, and what came of it. Nobody waits for a replay but who asked for it.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from time import monotonic, time
from typing import Any, NamedTuple

from gateway.core.captured import REPLAY, CapturedRequest
from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.values import pointer_text
from gateway.core.har import Recording, requests_of
from gateway.errors import CommandError
from gateway.rollouts.judging import Judge, Judged

RATE = 20.0
"""Requests a second, unless somebody says otherwise."""
AT_ONCE = 4
"""Requests of one replay that are under way, at most: sent, answered and compared."""
PATIENCE = 180.0
"""Seconds without a word after which what is under way is given up."""
TOLD = 0.5
"""Seconds between reports."""
WORST = 10
Send = Callable[[str, CapturedRequest, str], Awaitable[None]]


class Finding(NamedTuple):
    """A field that differed: a written pointer, how, in how many answers, and whether it is known to be `wrong`."""

    field: str
    kind: str
    answers: int
    wrong: bool


class Report(NamedTuple):
    """How far a replay has come.

    `total` requests are to be sent, `sent` are; `verdicts` counts those judged ("unsure": fields differ of which it is
    not known yet whether they are noise), `reasons` why the others could not be, `shapes` what the answers of the side
    that serves held ("200 many"); `fields` are those that differed most often.
    """

    total: int
    sent: int
    verdicts: dict[str, int]
    reasons: dict[str, int]
    shapes: dict[str, int]
    fields: tuple[Finding, ...]
    ended: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether something was replayed, and everything matched."""
        return self.total > 0 and self.verdicts.get("matched", 0) == self.total

    def plain(self) -> dict[str, Any]:
        """As values of JSON."""
        return {**self._asdict(), "fields": [each._asdict() for each in self.fields], "clean": self.is_clean}


class Run:
    """One replay under way."""

    def __init__(self, route: str, total: int, judge: Judge) -> None:
        self.route = route
        self.total = total
        self.began = time()
        self.sent = 0
        self.woken = asyncio.Event()
        self._judge = judge
        self._verdicts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._shapes: Counter[str] = Counter()
        self._fields: Counter[FieldKind] = Counter()

    def judged(self, each: Judged) -> None:
        """One of its requests has its verdict."""
        self._verdicts[each.verdict] += 1
        if each.reason:
            self._reasons[each.reason] += 1
        if each.shape:
            self._shapes[each.shape] += 1
        if each.verdict == "mismatched":
            self._fields.update(each.fields)

    @property
    def under_way(self) -> int:
        """How many requests were sent and have no verdict, but for those whose verdict takes more evidence.

        A second answer that is asked for belongs to it.
        """
        return self.sent - self._verdicts.total() - len(self._in_hand())

    def give_up(self) -> None:
        """Wait no longer for what is under way."""
        lost = self.under_way
        self._verdicts["skipped"] += lost
        self._reasons["no_answer"] += lost

    def report(self, *, ended: bool = False) -> Report:
        """How far it has come."""
        in_hand = self._in_hand()
        verdicts, shapes, fields = Counter(self._verdicts), Counter(self._shapes), Counter(self._fields)
        for each in in_hand:
            verdicts["unsure"] += 1
            shapes[each.shape] += 1
            fields.update(each.fields)
        found = tuple(self._finding(*each) for each in fields.most_common(WORST))
        return Report(self.total, self.sent, dict(verdicts), dict(self._reasons), dict(shapes), found, ended)

    def _in_hand(self) -> list[Judged]:
        return self._judge.in_hand(self.route, REPLAY, self.began)

    def _finding(self, key: FieldKind, answers: int) -> Finding:
        field, kind = key
        return Finding(pointer_text(field), kind, answers, self._judge.of(self.route).states.get(key) == "wrong")


class Replays:
    """All replays under way, one for each route.

    `send` has a recorded request sent to both sides of a route; `compare` has the answers of these routes compared.
    """

    def __init__(self, send: Send, judge: Judge, compare: Callable[[], None]) -> None:
        self._ask = send
        self._judge = judge
        self._compare = compare
        self._runs: dict[str, Run] = {}

    @property
    def routes(self) -> Iterable[str]:
        """The routes that are being replayed."""
        return self._runs.keys()

    def judged(self, found: Iterable[Judged]) -> None:
        """Verdicts are there, or were looked for."""
        for each in found:
            run = self._runs.get(each.route)
            if run is not None and each.source == REPLAY and each.at >= run.began:
                run.judged(each)
        for run in self._runs.values():
            run.woken.set()

    async def run(
        self, route: str, requests: Sequence[CapturedRequest], rate: float = RATE
    ) -> AsyncGenerator[Report, None]:
        """Send requests, `rate` a second at most, and report how it goes until all have their verdicts.

        Raises CommandError. Whoever stops listening stops the replay.
        """
        if route in self._runs:
            raise CommandError(f"{route} is being replayed already. Wait for that replay, or end it.")
        run = self._runs[route] = Run(route, len(requests), self._judge)
        self._compare()
        sending = asyncio.get_running_loop().create_task(self._send(run, requests, rate))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=TOLD)
                yield run.report()
            sending.result()
            yield run.report(ended=True)
        finally:
            sending.cancel()
            del self._runs[route]

    async def _send(self, run: Run, requests: Iterable[CapturedRequest], rate: float) -> None:
        due = monotonic()
        for recorded in requests:
            await _heard(run, lambda: run.under_way < AT_ONCE)
            await asyncio.sleep(max(0.0, due - monotonic()))
            due = max(due + 1 / rate, monotonic())
            await self._ask(run.route, recorded, REPLAY)
            run.sent += 1
        await _heard(run, lambda: run.under_way <= 0)


async def _heard(run: Run, holds: Callable[[], bool]) -> None:
    """Until something holds; when nothing is heard for long, what is under way is given up."""
    while not holds():
        run.woken.clear()
        try:
            await asyncio.wait_for(run.woken.wait(), PATIENCE)
        except TimeoutError:
            run.give_up()


def recording_of(data: bytes) -> Recording:
    """The requests in a HAR file's bytes. Raises CommandError for any other file."""
    try:
        return requests_of(json.loads(data))
    except (ValueError, RecursionError) as error:  # brackets nested by the thousand are no archive either
        raise CommandError("The file is not JSON, so it is no HAR; `banyan capture` records one.") from error
