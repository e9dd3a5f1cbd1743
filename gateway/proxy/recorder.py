"""Observations on their way out: collected per request, handed on in batches.

The data process never waits for whoever reads them. When nobody does, the oldest are dropped, and counted.
"""

from collections.abc import Callable

from gateway.core.model import Observation

BATCH = 256
KEPT = 20_000

Deliver = Callable[[list[Observation]], bool]


class Recorder:
    """Collects observations. `deliver` takes a batch and tells whether it could; `dropped` counts what was lost."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._batch: list[Observation] = []
        self.dropped = 0
        self.recorded = 0

    def record(self, observation: Observation) -> None:
        self._batch.append(observation)
        if len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand on what is there; keep it, within bounds, when it cannot be taken."""
        if not self._batch:
            return
        if self._deliver(self._batch):
            self.recorded += len(self._batch)
            self._batch = []
        elif len(self._batch) > KEPT:
            excess = len(self._batch) - KEPT
            del self._batch[:excess]
            self.dropped += excess
