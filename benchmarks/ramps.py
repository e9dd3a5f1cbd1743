"""What benchmarks of ramps have in common: routes that ramp, requests for them, and what gateways told in their logs.

Each journey has two routes. On `told-NAME` every request is copied and few come, so that it is plain which answer
decided; `steady-NAME` carries the load, whose last request at the new side tells when the traffic has gone.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from benchmarks import estate
from benchmarks.common import Gateway, wait_until
from benchmarks.turning import Sides
from gateway.core.model import BUCKETS
from gateway.core.splitting import bucket_of

BY_PARITY = "{parity: 95%, errors: off, latency: off, samples: 100}"
"""Of different requests that are all wrong, four refute this parity."""
BY_ATTEMPTS = "{parity: off, errors: +50%, latency: off, samples: 5}"
"""These hold up nothing: not even what control does not see while it is away."""
CLIMB = [0.4 * step for step in range(1, 251)]
"""The stages of a ramp that takes a step whenever it may, in per cent."""


class Journey(NamedTuple):
    """A ramp: its stages in per cent, how long each lasts at least, and how many of the steady requests are copied."""

    name: str
    stages: Sequence[float] = (50, 100)
    every: str = "1h"
    copied: str = "0.01%"
    guards: str = BY_PARITY

    @property
    def told(self) -> str:
        return f"told-{self.name}"

    @property
    def steady(self) -> str:
        return f"steady-{self.name}"


def routes_yaml(sides: Sides, journeys: Iterable[Journey], webhook: str = "") -> str:
    """A routes.yaml of these journeys between the two sides; `webhook` is an entry of its `webhooks`."""
    lines = [
        "version: 1",
        f'gateway: {{access_log: {{to: "off"}}, webhooks: [{webhook}]}}',
        "backends:",
        f'  legacy: {{url: "http://127.0.0.1:{sides.legacy.port}"}}',
        f'  new: {{url: "http://127.0.0.1:{sides.new.port}"}}',
        "routes:",
    ]
    for journey in journeys:
        stages = ", ".join(f"{stage:g}%" for stage in journey.stages)
        common = (
            f"legacy: legacy, new: new, serve: ramp, journey: {journey.name}, sticky: {{cookie: {estate.COOKIE}}}, "
            f"ramp: {{stages: [{stages}], every: {journey.every}, guards: {journey.guards}}}"
        )
        for place, copied in ((journey.told, "100%"), (journey.steady, journey.copied)):
            lines.append(f'  - {{name: {place}, match: "GET /{place}/{{account}}", shadow: {copied}, {common}}}')
    return "\n".join(lines) + "\n"


def steady_requests(journey: Journey) -> list[bytes]:
    """Requests of many clients, each for an account of its own."""
    return [estate.request(f"/{journey.steady}/{client}", client) for client in range(estate.CLIENTS)]


def first_requests(journey: Journey) -> list[bytes]:
    """Requests of the client whom the first stage moves to the new side, before any other."""
    share = journey.stages[0] / 100 * BUCKETS
    keys = ((client, f"client-{client}".encode()) for client in count())
    first = next(client for client, key in keys if bucket_of(journey.name.encode(), key) < share)
    return [estate.request(f"/{journey.told}/{number}", first) for number in range(estate.CLIENTS)]


# ------------------------------------------------------------------------------------------------ what was told


class Told(NamedTuple):
    """A line of a gateway's log: when (Unix seconds), which event, of which journey, and all its fields."""

    at: float
    event: str
    journey: str
    fields: dict[str, Any]


def told_by(gateway: Gateway) -> Iterator[Told]:
    """What a gateway has logged so far, the earliest first."""
    for line in gateway.log.read_text().splitlines():
        if line.startswith("{") and line.endswith("}"):
            fields = json.loads(line)
            at = datetime.fromisoformat(fields["timestamp"]).timestamp()
            yield Told(at, fields["event"], fields.get("journey", ""), fields)


def found(gateways: Iterable[Gateway], event: str, journey: str = "", since: float = 0.0) -> list[Told]:
    """Events of one kind that any of these gateways told since then."""
    return [
        each
        for gateway in gateways
        for each in told_by(gateway)
        if each.event == event and journey in ("", each.journey) and each.at >= since
    ]


def wait_for(
    gateways: Sequence[Gateway],
    event: str,
    journey: str = "",
    since: float = 0.0,
    times: int = 1,
    seconds: float = 30.0,
) -> Told:
    """Wait until an event has been told so often; the last of them. Raises CannotMeasure when it is not."""
    wait_until(
        lambda: len(found(gateways, event, journey, since)) >= times,
        f"no {event} {journey}".rstrip(),
        output=gateways[0].log,
        seconds=seconds,
    )
    return found(gateways, event, journey, since)[-1]
