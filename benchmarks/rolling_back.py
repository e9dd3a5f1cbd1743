"""How long the bad side goes on being asked after the answer that decided against it.

    python -m benchmarks.rolling_back [--rounds 5]

Half of a steady load is on the new side when that begins to answer badly on another route of the same journey, where a
request comes every three seconds: so the answer that decided is the last bad one before the ramp went back. From there
it is measured until the last live request reached the new side, over all gateways.
"""

from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from time import monotonic, sleep
from typing import NamedTuple

from benchmarks import estate
from benchmarks.common import CannotMeasure, Crew, Gateway, get, parser, run
from benchmarks.load import Client, Load
from benchmarks.postgres import Postgres
from benchmarks.ramps import Journey, found, routes_yaml, steady_requests, wait_for
from benchmarks.report import Finding, finish, say
from benchmarks.turning import Bad, Sides

AT_MOST = 2.0
APART = 3.0
QUICK = 0.3
ASKED_AT_MOST = 12
"""Bad answers after which something is wrong, if the ramp has not gone back."""


class Way(NamedTuple):
    """One way to have it go wrong.

    `gateways` on one store; `quick` so many bad answers decide nothing yet and come quickly; `everywhere`: each request
    is sent to all gateways at once, so that what decides is what they have seen together; `apart` seconds lie between
    those that may decide.
    """

    gateways: int = 1
    postgresql: bool = True
    stopped: bool = False
    how: Bad = "wrong"
    quick: int = 4
    everywhere: bool = False
    apart: float = APART


WAYS: dict[str, Way] = {
    "two gateways": Way(gateways=2),
    "two gateways with half of the evidence each": Way(gateways=2, how="fails", quick=0, everywhere=True),
    "the store is stopped": Way(stopped=True),
    "SQLite": Way(postgresql=False),
}


def went_back(sides: Sides, gateways: Sequence[Gateway], journey: Journey, way: Way) -> float:
    """Have the new side turn bad, under load; seconds from the deciding answer to the last request it got."""
    sides.new.turn(journey.told, way.how)
    asked = gateways if way.everywhere else gateways[:1]
    for number in count():
        if number == ASKED_AT_MOST:
            raise CannotMeasure(f"{journey.name}: {number} bad answers, and the ramp did not go back")
        for gateway in asked:
            get(gateway.port, f"/{journey.told}/{number}", {"Cookie": f"{estate.COOKIE}=told-{number}"})
        if _told(gateways, journey, QUICK if number < way.quick else way.apart):
            break
    sleep(way.apart)
    back = min(each.at for each in found(gateways, "ramp_rolled_back", journey.name))
    *before, deciding = (at for at in sides.new.bad[journey.told].values() if at < back)
    if before and deciding - before[-1] < 0.9 * way.apart:
        raise CannotMeasure(f"{journey.name}: one of two answers decided that came together; ask fewer quickly")
    return max(sides.new.live[journey.steady] - deciding, 0.0)


def _told(gateways: Sequence[Gateway], journey: Journey, seconds: float) -> bool:
    """Whether any gateway tells within so many seconds that the ramp went back."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        if found(gateways, "ramp_rolled_back", journey.name):
            return True
        sleep(0.05)
    return False


# ------------------------------------------------------------------------------------------------ the rounds


class Outcome(NamedTuple):
    """What the rounds of one way came to: seconds, requests and failures."""

    seconds: list[float]
    asked: int
    failed: int


def measured(way: Way, options: Namespace) -> Outcome:
    """As many rounds as are wanted, each with a journey of its own, on the same gateways."""
    journeys = [Journey(f"r{number}") for number in range(options.rounds)]
    outcome = Outcome([], 0, 0)
    with ExitStack() as stack:
        sides = stack.enter_context(Sides())
        server = stack.enter_context(Postgres()) if way.postgresql else None
        crew = stack.enter_context(Crew())
        store, text = server.database() if server is not None else "", routes_yaml(sides, journeys)
        gateways = [crew.gateway(text, f"gateway-{number}", store=store) for number in range(way.gateways)]
        wait_until_half(gateways, journeys)
        if server is not None and way.stopped:
            server.stop()
            wait_for(gateways, "store_unavailable")
        for journey in journeys:
            with ExitStack() as loads:
                rate = options.rate / len(gateways)
                clients = [Client(each.port, steady_requests(journey), rate=rate, connections=16) for each in gateways]
                tallies = [loads.enter_context(Load(client)).tally for client in clients]
                sleep(1.0)
                outcome.seconds.append(went_back(sides, gateways, journey, way))
            good, failed = sum(len(each.good) for each in tallies), sum(each.failed for each in tallies)
            outcome = outcome._replace(asked=outcome.asked + good + failed, failed=outcome.failed + failed)
    return outcome


def wait_until_half(gateways: Sequence[Gateway], journeys: Sequence[Journey]) -> None:
    """Wait until every gateway gives half of the traffic to the new side."""
    for journey in journeys:
        wait_for(gateways, "ramp_promoted", journey.name)
    sleep(2.0)  # until the other replicas have seen it


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "rolling_back")
    made.add_argument("--rounds", type=int, default=5, help="of each way (default 5)")
    made.add_argument("--rate", type=float, default=300, help="requests per second, over all gateways (default 300)")
    made.add_argument("--ways", type=lambda text: text.split(","), default=list(WAYS), help=", ".join(WAYS))
    made.add_argument("--apart", type=float, default=APART, help="seconds between answers that may decide (default 3)")
    options = made.parse_args(arguments)
    findings: list[Finding] = []
    for name in options.ways:
        outcome = measured(WAYS[name]._replace(apart=options.apart), options)
        each = ", ".join(f"{seconds:.2f}" for seconds in outcome.seconds)
        findings.append(Finding(f"{name}: until the last request", max(outcome.seconds), "s", AT_MOST, note=each))
        findings.append(Finding(f"{name}: requests failed", outcome.failed, at_most=0, note=f"of {outcome.asked:,}"))
        say(f"{name}: {each}")
    return finish("rolling back", findings, [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
