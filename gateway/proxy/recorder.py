"""Observations on their way out: collected per request, handed on in batches.

The data process never waits for whoever reads them. When nobody does, the oldest are dropped, and counted.
"""

from collections.abc import Callable

from gateway.core.model import Observed

BATCH = 512
MOST = 512
"""Observations handed on at once: what has piled up without control must not stall the loop when control is back."""
KEPT = 20_000

Deliver = Callable[[list[Observed]], bool]


class Recorder:
    """Collects observations. `deliver` takes a batch and tells whether it could; `dropped` counts what was lost."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._batch: list[Observed] = []
        self._due = BATCH
        self.dropped = 0
        self.recorded = 0

    def record(self, observation: Observed) -> None:
        self._batch.append(observation)
        if len(self._batch) >= self._due:
            self.flush()

    def flush(self) -> bool:
        """Hand on the oldest; keep all, within bounds, when they cannot be taken. Whether any were."""
        batch = self._batch
        oldest = batch[:MOST]
        delivered = bool(oldest) and self._deliver(oldest)
        if delivered:
            del batch[: len(oldest)]
            self.recorded += len(oldest)
        elif len(batch) > KEPT:
            excess = len(batch) - KEPT
            del batch[:excess]
            self.dropped += excess
        self._due = len(batch) + BATCH
        return delivered

    def finish(self) -> None:
        """Hand on everything, as far as it is taken: nothing comes after it."""
        while self.flush():
            pass
