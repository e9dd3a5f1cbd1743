"""Counts to be stored."""

from gateway.store.values import Example, FieldSeen, Flush, TrafficCount, VerdictCount

LATENCIES = (0, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1)


def traffic(minute: int = 60, route: str = "repairs", side: str = "new", requests: int = 5) -> TrafficCount:
    return TrafficCount(minute, route, side, "live", 2, requests, 1, 0.5, LATENCIES)


def field(name: str = "/balance", differs: int = 1, first: float = 100, last: float = 100) -> FieldSeen:
    return FieldSeen("repairs", name, "value", differs, 1, 2, 3, first, last)


def example(at: float, name: str = "/balance", route: str = "repairs") -> Example:
    return Example(route, name, "value", at, {"at": name, "legacy": {"type": "number"}, "new": None})


def flush(number: int = 1, replica: str = "a") -> Flush:
    """A flush that counts one thing of each kind."""
    return Flush(
        replica, number, 100.0, [traffic()], [VerdictCount(60, "repairs", "matched", 4)], [field()], [example(100)]
    )
