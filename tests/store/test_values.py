"""The store's values fit the rooms around it, which it must not import."""

from gateway.store.values import LATENCIES
from gateway.telemetry.metrics import BOUNDS


def test_a_histogram_has_the_metrics_bounds() -> None:
    """Latencies are kept over the bounds of the metrics, and one for what took longer."""
    assert len(BOUNDS) + 1 == LATENCIES
