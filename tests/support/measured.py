"""Metrics with a sample of everything, and what they look like: for tests of what is written about them elsewhere."""

import os
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from gateway.core.model import Backend, Estate, Gateway, Match, Route, Segment, Serve, Target
from gateway.telemetry.gauges import RampReading, Readings
from gateway.telemetry.metrics import Traffic
from tests.support.observations import observed

READINGS = Readings(
    now=1_800_000_000.0,
    version="0.1.0",
    data_pid=os.getpid(),
    data_process_up=True,
    pools={"old": (2, 5)},
    guards={"old": (3, 2, "open", 7, 0.0)},
    bounds={"old": (20, 40)},
    opened={"old": 1},
    addresses={"old": [("a:1", 3, False, False)]},
    copies={"old": (1, 0)},
    store_up=True,
    loaded_at=1_799_999_000.0,
    ramps=(RampReading("rents", "climbing", 2, 5, 1_799_990_000.0, ("parity", "every")),),
    overrides={"repairs": 1_799_000_000.0},
    owed={("repairs", "copy", "ready"): (3, 1_799_999_940.0)},
    owing=(("repairs", "copy"),),
    webhooks={("https://chat.example", "delivered"): 4},
    webhooks_waiting={"https://chat.example": 1},
)
"""Something of everything that is read."""


class Shape(NamedTuple):
    """What a sample looks like: its metric's type, and the names of its labels."""

    type: str
    labels: frozenset[str]


def estate(*names: str, serve: Serve = Serve.SPLIT, share: int = 2_500) -> Estate:
    """Routes of these names, which all serve alike."""
    match = Match((b"GET",), (Segment("literal", b"x"),))
    routes = [Route(name, name, match, "GET /x", serve, Target("old"), Target("new"), share=share) for name in names]
    return Estate(Gateway(), (Backend("old", "localhost", 80),), tuple(routes), "digest-1")


def everything() -> Traffic:
    """Something of everything."""
    traffic = Traffic()
    traffic.follow(estate("repairs"))
    traffic.observe([observed(error="timeout")])
    traffic.judge({("repairs", "matched"): 1})
    traffic.skip({("repairs", "late"): 1})
    traffic.readings = READINGS
    return traffic


def samples(traffic: Traffic) -> dict[tuple[str, tuple[str, ...]], float]:
    """Each rendered sample: its name and label values in order of the labels' names."""
    return parsed(traffic.render())


def parsed(text: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    """The same of a text that was rendered before."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def shapes(traffic: Traffic) -> dict[str, Shape]:
    """What each rendered sample looks like, by its name."""
    families = text_string_to_metric_families(traffic.render().decode())
    return {
        sample.name: Shape(family.type, frozenset(sample.labels)) for family in families for sample in family.samples
    }


def empty(traffic: Traffic) -> list[str]:
    """The metrics that are announced without a sample."""
    families = text_string_to_metric_families(traffic.render().decode())
    return [family.name for family in families if not family.samples]
