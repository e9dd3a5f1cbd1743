"""Spans and metrics on their way to a collector, from a thread of their own: nobody ever waits for it.

What is to become spans waits in a bounded queue; what finds no room there, or is not taken, is lost and counted. A
collector that is away is told of once, and so is its return. OpenTelemetry is imported by the thread, if there is one.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import inf
from threading import Event, Thread, get_native_id
from time import monotonic, time_ns
from typing import TYPE_CHECKING

from prometheus_client.core import Metric

from gateway.core.model import Estate, Observation
from gateway.core.policies import Otlp
from gateway.core.secrecy import shown_url
from gateway.core.tracing import TRACE_DIGITS
from gateway.telemetry.logging import log

if TYPE_CHECKING:
    from gateway.telemetry.collector import Collector
    from gateway.telemetry.spans import Spans

QUEUED, BATCH = 8_192, 512
"""Observations that may wait, and that are sent at once."""
EVERY = 1.0
"""Seconds that the first of them waits at most."""
LAST = 3.0
"""Seconds that what is left may take at the end."""
NICE = 19
"""How far the thread stands back, once it has begun."""

Figures = Callable[[], Iterable[Metric]]


class Telemetry:
    """What is exported, as control's loop sees it. `figures` gives the metrics, and is called in a thread; `instance`
    names this gateway."""

    def __init__(self, figures: Figures, instance: str) -> None:
        self._figures = figures
        self._instance = instance
        self._began = time_ns()
        self._exporters: list[Exporter] = []
        self._live: Exporter | None = None

    @property
    def lost(self) -> int:
        """Observations of which no span was taken."""
        return sum(exporter.lost for exporter in self._exporters)

    def follow(self, estate: Estate) -> None:
        """Another table serves. Where it says something else of the export, the old one is ended beside the new."""
        otlp, live = estate.gateway.otlp, self._live
        if live is not None and live.otlp == otlp:
            live.estate = estate
            return
        if live is not None:
            live.stop()
        self._live = None
        if otlp is not None:
            self._live = Exporter(otlp, estate, self._figures, self._instance, self._began)
            self._exporters.append(self._live)
            self._live.thread.start()

    def observed(self, batch: list[Observation]) -> None:
        """The data process tells what it did."""
        if self._live is not None:
            self._live.take(batch)

    async def close(self) -> None:
        """Send what is left, within bounds."""
        for exporter in self._exporters:
            exporter.stop()
        await asyncio.to_thread(self._join, monotonic() + LAST)

    def _join(self, deadline: float) -> None:
        for exporter in self._exporters:
            exporter.thread.join(max(0.0, deadline - monotonic()))
            if exporter.thread.is_alive():
                log().warning("telemetry_cut_off", endpoint=exporter.shown, waiting=exporter.waiting)


class Exporter:
    """One collector's thread, and what waits for it. `estate` may be set anew at any time."""

    def __init__(self, otlp: Otlp, estate: Estate, figures: Figures, instance: str, began: int) -> None:
        self.otlp = otlp
        self.estate = estate
        self.shown = shown_url(otlp.endpoint, path=False)
        self.thread = Thread(target=self._run, name="telemetry", daemon=True)
        self._figures = figures
        self._instance = instance
        self._began = began
        self._queue: deque[Observation] = deque()
        self._wake = Event()
        self._stopping = False
        self._no_room = 0  # counted in control's loop
        self._not_taken = 0  # counted in the thread
        self._failing: dict[str, int] = {}

    @property
    def lost(self) -> int:
        return self._no_room + self._not_taken

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def take(self, batch: list[Observation]) -> None:
        """Have spans made of those that are traced, if there is room."""
        traced = [each for each in batch if len(each.trace) > TRACE_DIGITS]
        room = QUEUED - len(self._queue)
        self._queue.extend(traced[:room])
        self._no_room += len(traced[room:])
        if len(self._queue) >= BATCH:
            self._wake.set()

    def stop(self) -> None:
        """Send what is there, and end."""
        self._stopping = True
        self._wake.set()

    # -------------------------------------------------------------------------------------------- in the thread

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)
        try:
            from gateway.telemetry.collector import Collector
            from gateway.telemetry.spans import Spans

            collector = Collector(self.otlp, self._instance, self._began)
            try:
                self._work(collector, Spans(collector.resource, self.estate))
            finally:
                collector.close()
        except Exception:  # noqa: BLE001 - a defect here must not end in silence: nobody waits for this thread
            log().exception("telemetry_failed", endpoint=self.shown)

    def _work(self, collector: "Collector", spans: "Spans") -> None:
        """Send spans when there are some, and metrics when it is time; at the end, everything once more."""
        every = inf if self.otlp.metrics is None else self.otlp.metrics
        due = monotonic() + every
        while True:
            if self.waiting < BATCH and not self._stopping:
                self._wake.wait(max(0.0, min(EVERY, due - monotonic())))
                self._wake.clear()
            ending = self._stopping
            batch = [self._queue.popleft() for _ in range(min(BATCH, self.waiting))]
            if batch:
                self._send_spans(collector, spans, batch)
            ends = ending and not self.waiting
            if monotonic() >= due or (ends and every < inf):
                self._told("metrics", collector.take_metrics(self._figures()))
                due = monotonic() + every
            if ends:
                return

    def _send_spans(self, collector: "Collector", spans: "Spans", batch: list[Observation]) -> None:
        if spans.estate is not self.estate:
            spans.follow(self.estate)
        made = [span for observation in batch for span in spans.of(observation)]
        why = collector.take_spans(made) if made else ""
        self._not_taken += len(batch) if why else 0
        self._told("traces", why)

    def _told(self, signal: str, why: str) -> None:
        """What came of an export: that it begins to fail is worth a line, and that it works again."""
        if not why:
            if signal in self._failing:
                log().info("telemetry_taken_again", endpoint=self.shown, signal=signal, failed=self._failing[signal])
                del self._failing[signal]
            return
        if signal not in self._failing:
            log().warning("telemetry_not_taken", endpoint=self.shown, signal=signal, why=why)
        self._failing[signal] = self._failing.get(signal, 0) + 1
