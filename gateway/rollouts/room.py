"""Everything that gathers evidence and goes by it, put together: what the rest of the control process holds of it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from secrets import token_bytes
from time import time
from typing import TYPE_CHECKING

from gateway.core.captured import GONE, REPLAY, CapturedAnswer, Sample, Seconds, Skipped, attempt_of
from gateway.core.comparing.judging import AreOne, Judgement, judge
from gateway.core.comparing.rules import compiled
from gateway.core.model import LEGACY, NEW, Estate, Observation, Role, Route, Serve, Side
from gateway.core.policies import Shadow, Standing
from gateway.errors import CommandError
from gateway.rollouts.actions import Actions
from gateway.rollouts.asking import Ask, Asking
from gateway.rollouts.capturing import Captures
from gateway.rollouts.comparisons import Reasons
from gateway.rollouts.evidence import StageEvidence
from gateway.rollouts.judging import Judge, Judged, Way
from gateway.rollouts.keeper import Keeper, Opening, replica_of
from gateway.rollouts.loop import Loop
from gateway.rollouts.replaying import Replays, Send
from gateway.rollouts.standings import Standings, ramps_of
from gateway.rollouts.stored import StoredDeliveries
from gateway.rollouts.telling import Teller
from gateway.rollouts.webhooks import Webhooks
from gateway.telemetry.metrics import Traffic

if TYPE_CHECKING:
    from gateway.store.repository import Store

WAIT_FOR_STORE = 3.0
"""Seconds that a first start waits for a store that may know where ramps stand."""


class Rollouts:
    """Evidence, ramps and overrides; captures and replays.

    `apply` has the traffic go where things stand, at once; `ask` has one side asked a request once more, `replay` both;
    `order` reaches the data process; `are_one` tells whether two identifiers are one thing's.
    """

    def __init__(
        self,
        folder: Path,
        opening: Opening,
        traffic: Traffic,
        apply: Callable[[Mapping[str, Standing]], None],
        ask: Ask,
        replay: Send,
        order: Callable[..., bool],
        are_one: AreOne = lambda legacy, new: False,
    ) -> None:
        self._are_one = are_one
        self._traffic = traffic
        self._tasks: list[asyncio.Task[None]] = []
        self._ways: dict[str, tuple[Route, Way]] = {}
        self.replica = replica_of(folder)
        self.standings = Standings(folder)
        self.evidence = StageEvidence(self.replica)
        self.judge = Judge(_key(folder), self._judged, Asking(ask))
        self.reasons = Reasons()
        self.teller = Teller(Webhooks(StoredDeliveries(self._store)), self.standings.events)
        self.keeper: Keeper = Keeper(
            opening,
            self.replica,
            self.standings,
            self.evidence,
            self.judge,
            traffic,
            self.teller,
            self._changed,
        )
        self.loop: Loop = Loop(self.standings, self.evidence, self.judge, self.keeper, self.teller, apply)
        self.actions = Actions(self.standings, self.loop)
        self.captures = Captures(order, self._serves)
        self.replays = Replays(replay, self.judge, self._compare)

    def _store(self) -> "Store | None":
        return self.keeper.store

    def _changed(self) -> None:
        self.loop.nudge()

    async def start(self, estate: Estate) -> None:
        """Know where things stand before anything is served: by the file, or else by the store if it answers soon."""
        self.standings.load()
        self._tasks = [asyncio.get_running_loop().create_task(work) for work in (self.keeper.run(), self.judge.run())]
        if not self.standings.read and (any(ramps_of(estate)) or estate.gateway.store.url):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.keeper.looked.wait(), WAIT_FOR_STORE)
        self.follow(estate)
        self._tasks.append(asyncio.get_running_loop().create_task(self.loop.run()))

    def follow(self, estate: Estate) -> None:
        """A new table is about to serve."""
        self.keeper.keep = estate.gateway.keep
        self.teller.webhooks.use(estate.gateway.webhooks)
        self.loop.follow(estate, time())
        self._compare()

    def _serves(self, name: str) -> bool:
        """Whether there is such a route, and it passes requests on."""
        route = self.standings.routes.get(name)
        return route is not None and route.serve is not Serve.RETIRED

    def _compare(self) -> None:
        """Compare the answers of the routes that say so, and of those that are being replayed."""
        replayed = set(self.replays.routes)
        compared = [
            route
            for route in self.standings.routes.values()
            if route.shadow is not None or route.replay is not None or route.name in replayed
        ]
        self.keeper.read(route.name for route in compared if route.name not in self._ways)
        self._ways = {route.name: self._way(route) for route in compared}
        self.judge.follow({name: way for name, (_, way) in self._ways.items()})

    def _way(self, route: Route) -> tuple[Route, Way]:
        """How a route's answers are compared; made anew only where the route has changed."""
        known = self._ways.get(route.name)
        if known is not None and known[0] == route:
            return known
        noise = (route.shadow or Shadow(0)).noise
        are_one = self._are_one if route.crosswalk is not None else None
        if all(target is None or target.call is None for target in (route.legacy, route.new)):
            return route, Way(compiled(route.compare), None, noise, are_one)
        from connectors.soap.meaning import meaning_of  # only where SOAP is spoken

        return route, Way(compiled(route.compare), meaning_of(route), noise, are_one)

    def judgement(self, sample: Sample) -> Judgement:
        """What one sample says, by its route's rules: it counts nowhere. Raises CommandError."""
        route = self.standings.routes.get(sample.route)
        if route is None:
            raise CommandError(f"There is no route {sample.route!r} any more.")
        _, way = self._way(route)
        return judge(sample, way.rules, way.decode, way.are_one)

    async def close(self) -> None:
        """End everything, and put away what was counted."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.judge.close()
        await self.loop.save()
        await self.keeper.close()
        await self.teller.webhooks.close()

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What goes on for as long as the gateway runs: none of it may end unnoticed."""
        return self._tasks

    # -------------------------------------------------------------------------------------------- what is seen

    def observed(self, batch: list[Observation]) -> None:
        """The data process tells what it did."""
        self.evidence.observed(batch)

    def sampled(self, samples: list[Sample], skipped: Skipped, seconds: Seconds) -> None:
        """The data process hands on what copies brought."""
        self._traffic.skip(skipped)
        again = self.judge.sampled(samples, skipped, seconds, time())
        self._traffic.observe(self._attempts(samples, again))

    def _attempts(self, samples: list[Sample], again: list[Sample]) -> Iterator[Observation]:
        """What asking for copies was, as far as somebody was asked."""
        for each in samples:
            other: Side = NEW if each.control_side == LEGACY else LEGACY
            if each.source == REPLAY:
                yield from self._attempt(each, each.control_side, "probe", each.control)
            yield from self._attempt(each, other, "shadow", each.candidate)
        for each in again:
            yield from self._attempt(each, each.control_side, "probe", each.second or GONE)

    def _attempt(self, sample: Sample, side: Side, role: Role, answer: CapturedAnswer) -> Iterator[Observation]:
        route = self.standings.routes.get(sample.route)
        target = None if route is None else route.legacy if side == LEGACY else route.new
        if target is not None and answer.error != GONE.error:
            yield attempt_of(sample.route, side, role, target.backend, sample.at, answer)

    def _judged(self, found: list[Judged]) -> None:
        self.replays.judged(found)
        verdicts: Counter[tuple[str, str]] = Counter()
        touched = set()
        for each in found:
            verdicts[each.route, each.verdict] += 1
            shape, control = each.shape, each.control_side
            touched.add(self.evidence.judged(each.route, each.verdict, control, each.at, each.request, shape))
        self.reasons.add(found)
        self._traffic.judge(verdicts)
        self.keeper.counts.judged(verdicts, time())
        if touched - {""}:
            self.loop.nudge(touched)


def _key(folder: Path) -> bytes:
    """The secret that hashes of values are made with: without it they tell nothing. Kept in the data folder."""
    path = folder / "hash.key"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != 32:
        key = token_bytes(32)
        path.touch(0o600)
        path.write_bytes(key)
    return key
