"""Observations go on in batches; without a taker they wait, within bounds, and cost no more than before."""

from gateway.core.model import Observation, Observed
from gateway.proxy.recorder import BATCH, KEPT, MOST, Recorder
from tests.support.observations import observed


class Taker:
    """Takes batches while `willing`; counts how often it was asked."""

    def __init__(self) -> None:
        self.willing = True
        self.asked = 0
        self.taken: list[list[Observation]] = []

    def __call__(self, batch: list[Observed]) -> bool:
        self.asked += 1
        if self.willing:
            self.taken.append(list(map(Observation._make, batch)))
        return self.willing


def numbered(recorder: Recorder, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        recorder.record(observed(status=number))


def statuses(taker: Taker) -> list[int]:
    return [each.status for batch in taker.taken for each in batch]


def test_a_full_batch_goes_by_itself() -> None:
    """Under load nobody has to ask for it; the rest goes with the next flush."""
    taker = Taker()
    recorder = Recorder(taker)
    numbered(recorder, BATCH + 1)
    assert statuses(taker) == list(range(BATCH))
    assert recorder.flush()
    assert statuses(taker) == list(range(BATCH + 1))
    assert not recorder.flush()
    assert recorder.recorded == BATCH + 1


def test_what_cannot_be_delivered_waits_in_order() -> None:
    """Once there is a taker again, everything comes, oldest first, in pieces that do not stall the loop."""
    taker = Taker()
    recorder = Recorder(taker)
    taker.willing = False
    numbered(recorder, 3_000)
    taker.willing = True
    recorder.finish()
    assert statuses(taker) == list(range(3_000))
    assert max(map(len, taker.taken)) <= MOST


def test_without_a_taker_the_oldest_are_dropped_and_counted() -> None:
    """Memory is bounded, and the loss is known."""
    taker = Taker()
    recorder = Recorder(taker)
    taker.willing = False
    numbered(recorder, KEPT + 5_000)
    recorder.flush()
    assert recorder.dropped == 5_000
    taker.willing = True
    recorder.finish()
    assert statuses(taker) == list(range(5_000, KEPT + 5_000))


def test_without_a_taker_nobody_asks_at_every_request() -> None:
    """Waiting must not make each request dearer: it is tried once in a batch."""
    taker = Taker()
    recorder = Recorder(taker)
    taker.willing = False
    numbered(recorder, 10 * BATCH)
    assert taker.asked <= 10
