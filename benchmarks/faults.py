"""What clients notice when the gateway is ended under load, or one of its processes is killed.

    python -m benchmarks.faults [--rounds 5]

SIGTERM: it drains; only requests sent after the socket was closed may fail, and those find nobody to connect to.
SIGKILL of control: nothing may fail. SIGKILL of data: what is under way is lost, and a new process serves again soon.
"""

import os
import signal
import subprocess
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep

from benchmarks import estate
from benchmarks.common import CannotMeasure, Crew, Gateway, parser, run, wait_until
from benchmarks.load import Client, Load
from benchmarks.report import Finding, finish, say
from benchmarks.tally import Tally

ROUTES = 100
DELAY_MS = 20.0
"""How long a backend takes for an answer, so that requests are under way whenever something happens."""
DRAIN = 10.0
"""`drain_timeout` of the gateway's configuration, and what `banyan run` needs besides."""


class Round:
    """One gateway with two origins, under load for as long as the `with` block of `load` runs."""

    def __init__(self, crew: Crew, options: Namespace) -> None:
        self._options = options
        legacy, new = crew.origin("legacy", delay_ms=DELAY_MS), crew.origin("new", delay_ms=DELAY_MS)
        self.gateway: Gateway = crew.gateway(estate.routes_yaml(ROUTES, legacy, new))

    @contextmanager
    def load(self) -> Iterator[Tally]:
        requests = estate.requests(ROUTES)
        client = Client(self.gateway.port, requests, rate=self._options.rate, connections=self._options.connections)
        with Load(client) as load:
            self.wait()
            yield load.tally

    def wait(self) -> None:
        sleep(self._options.seconds)

    def data_pid(self) -> int:
        pids = self.gateway.data_pids()
        if len(pids) != 1:
            raise CannotMeasure(f"one data process was expected, and there are {pids}")
        return pids[0]


class Outcome:
    """What all rounds of one fault came to. `seconds` is how long each round's recovery or ending took."""

    def __init__(self) -> None:
        self.good = 0
        self.refused = 0
        self.failures: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.problems: list[str] = []

    def add(self, tally: Tally, seconds: float) -> None:
        self.good += len(tally.good)
        self.refused += len(tally.refused)
        self.failures += tally.failures
        self.seconds.append(seconds)

    @property
    def note(self) -> str:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.failures.items()))
        return f"of {self.good + self.failures.total():,}" + (f": {kinds}" if kinds else "")


# ------------------------------------------------------------------------------------------------ the faults


def sigterm(crew: Crew, options: Namespace, outcome: Outcome) -> None:
    """The whole gateway is told to end, as a restart or a new version would."""
    one = Round(crew, options)
    with one.load() as tally:
        told = monotonic()
        one.gateway.control.send_signal(signal.SIGTERM)
        try:
            code = one.gateway.control.wait(DRAIN + 5)
        except subprocess.TimeoutExpired:
            outcome.problems.append("sigterm: the gateway did not end")
            return
        took = monotonic() - told
    if code != 0:
        outcome.problems.append(f"sigterm: the gateway ended with exit code {code}")
    if one.gateway.data_pids():
        outcome.problems.append("sigterm: a data process was left behind")
    if not tally.refused:
        outcome.problems.append("sigterm: nothing was refused, so the load had ended before the gateway")
    outcome.add(tally, took)


def sigkill_control(crew: Crew, options: Namespace, outcome: Outcome) -> None:
    """Control is killed; later another one starts, which must adopt the data process that goes on serving."""
    one = Round(crew, options)
    data = one.data_pid()
    with one.load() as tally:
        killed = monotonic()
        one.gateway.control.kill()
        one.gateway.control.wait()
        one.wait()
        one.gateway.start()
        one.gateway.wait_ready()
        one.wait()
    if one.data_pid() != data:
        outcome.problems.append("sigkill control: the data process that served was not adopted")
    outcome.add(tally, _served_again(tally, killed))


def sigkill_data(crew: Crew, options: Namespace, outcome: Outcome) -> None:
    """The data process is killed; control starts another on the same socket."""
    one = Round(crew, options)
    data = one.data_pid()
    with one.load() as tally:
        killed = monotonic()
        os.kill(data, signal.SIGKILL)
        wait_until(lambda: bool(set(one.gateway.data_pids()) - {data}), "no other data process", output=one.gateway.log)
        one.wait()
    outcome.add(tally, _served_again(tally, killed))


def _served_again(tally: Tally, since: float) -> float:
    """Seconds from an instant to the first good answer of a request that was sent after it."""
    answered = [good.answered for good in tally.good if good.sent > since]
    return min(answered) - since if answered else float("inf")


# ------------------------------------------------------------------------------------------------ what it comes to


def _sigterm_findings(outcome: Outcome) -> list[Finding]:
    longest = max(outcome.seconds, default=DRAIN)
    return [
        Finding("SIGTERM: requests failed", outcome.failures.total(), at_most=0, note=outcome.note),
        Finding("SIGTERM: connections refused after the socket closed", outcome.refused),
        Finding("SIGTERM: until the process ended, longest", longest, "s", DRAIN),
    ]


def _control_findings(outcome: Outcome) -> list[Finding]:
    return [
        Finding("SIGKILL control: requests failed", outcome.failures.total(), at_most=0, note=outcome.note),
        Finding("SIGKILL control: connections refused", outcome.refused, at_most=0),
    ]


def _data_findings(outcome: Outcome) -> list[Finding]:
    longest = max(outcome.seconds, default=float("inf"))
    each = ", ".join(f"{seconds:.2f}" for seconds in outcome.seconds)
    return [
        Finding("SIGKILL data: until served again, longest", longest, "s", 1.0, note=f"each round: {each}"),
        Finding("SIGKILL data: requests lost under way", outcome.failures.total(), note=outcome.note),
        Finding("SIGKILL data: connections refused", outcome.refused, at_most=0),
    ]


Fault = Callable[[Crew, Namespace, Outcome], None]
FAULTS: dict[str, tuple[Fault, Callable[[Outcome], list[Finding]]]] = {
    "sigterm": (sigterm, _sigterm_findings),
    "control": (sigkill_control, _control_findings),
    "data": (sigkill_data, _data_findings),
}


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "faults")
    made.add_argument("--rounds", type=int, default=5, help="of each fault (default 5)")
    made.add_argument("--rate", type=float, default=1_000, help="requests per second (default 1000)")
    made.add_argument("--connections", type=int, default=64)
    made.add_argument("--seconds", type=float, default=2, help="of load before and after each fault (default 2)")
    options = made.parse_args(arguments)
    findings: list[Finding] = []
    problems: list[str] = []
    for name, (fault, told) in FAULTS.items():
        outcome = Outcome()
        for number in range(options.rounds):
            with Crew() as crew:
                fault(crew, options, outcome)
            say(f"{name}: round {number + 1} of {options.rounds}, failures so far {dict(outcome.failures)}")
        findings += told(outcome)
        problems += outcome.problems
    title = "faults: what clients notice"
    return finish(title, findings, problems, settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
