"""The metrics that are read when they are asked for, rather than counted: how things stand at the moment of a scrape.

`Readings` is all of it as plain values; whoever gathers them asks nobody and waits for nothing. What is not known is
absent, never 0: an alarm on a store that is away must not fall silent because the store is away.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.core.writing import OPEN

RAMP_STATES = ("not_begun", "climbing", "awaiting_approval", "paused", "rolled_back", "finished")
STEPS = ("promoted", "paused", "rolled_back")
"""What is shown of every ramp, also while it has not happened: an increase can only be seen from 0 on."""
DELIVERED = ("delivered", "again", "refused", "gave_up", "unknown")
"""What can come of a try to deliver a write."""
_OPEN = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


class RampReading(NamedTuple):
    """Where a ramp stands: `stage` counts from 1 (0: before the first) to `stages`; `since` is when it began or was
    resumed (Unix seconds; 0 where it has not); `waits` are the guards that the next stage waits for."""

    journey: str
    state: str
    stage: int
    stages: int
    since: float
    waits: tuple[str, ...] = ()


class Readings(NamedTuple):
    """How the gateway stands at `now` (Unix seconds).

    What the data process says of itself comes as it says it: `pools` connections busy and idle by backend, `guards` as
    `wire.guard.Guard.told` has them, `bounds` the most that may be under way and wait (infinite: no bound), `opened`
    how often a breaker has, `addresses` as `wire.endpoints.Told`, `copies` under way and waiting by backend, `stalls`
    how many and how many seconds in all. `owed` is how many writes there are by route, kind and state, and when the
    oldest came; None while the store does not tell. `owing` are the routes and kinds that may owe some. `steps` are
    counted by journey, step and who took it, `deliveries` by route, kind and outcome, `webhooks` by receiver and
    outcome; `overrides` tell when each was set.
    """

    now: float = 0.0
    version: str = ""
    data_pid: int = 0
    connections: int = 0
    data_process_up: bool = False
    restarts: int = 0
    dropped: int = 0
    unstored: int = 0
    late: float = 0.0
    stall_max: float = 0.0
    stalls: tuple[int, float] = (0, 0.0)
    cached: int = 0
    pools: Mapping[str, tuple[int, int]] = {}
    guards: Mapping[str, tuple[int, int, str, int, float]] = {}
    bounds: Mapping[str, tuple[float, float]] = {}
    opened: Mapping[str, int] = {}
    addresses: Mapping[str, Iterable[tuple[str, int, bool, bool]]] = {}
    copies: Mapping[str, tuple[int, int]] = {}
    store_up: bool = False
    untold: int = 0
    parts: int = 1
    loaded_at: float = 0.0
    held: bool = False
    ramps: tuple[RampReading, ...] = ()
    steps: Mapping[tuple[str, str, str], int] = {}
    overrides: Mapping[str, float] = {}
    owed: Mapping[tuple[str, str, str], tuple[int, float]] | None = None
    owing: Iterable[tuple[str, str]] = ()
    deliveries: Mapping[tuple[str, str, str], int] = {}
    webhooks: Mapping[tuple[str, str], int] = {}
    webhooks_waiting: Mapping[str, int] = {}
    spans_dropped: int = 0


def families(readings: Readings) -> Iterator[Metric]:
    """Every metric that is read."""
    for theme in (_processes, _config, _backends, _guarded, _store, _ramps, _writes, _webhooks):
        yield from theme(readings)


# ------------------------------------------------------------------------------------------------ how one is made

Samples = Iterable[tuple[tuple[str, ...], float]]


def gauge(name: str, help_text: str, labels: str, samples: Samples) -> Metric:
    """A gauge with its samples: the labels' names in one string, their values in the same order."""
    return _filled(GaugeMetricFamily(f"banyan_{name}", help_text, labels=labels.split()), samples)


def counter(name: str, help_text: str, labels: str, samples: Samples) -> Metric:
    """A counter, likewise; `_total` is added to its name."""
    return _filled(CounterMetricFamily(f"banyan_{name}", help_text, labels=labels.split()), samples)


def _filled(family: Any, samples: Samples) -> Metric:
    for values, number in samples:
        family.add_metric(list(values), float(number))
    filled: Metric = family
    return filled


def _one(number: float) -> Samples:
    return (((), number),)


def _by_one(numbers: Mapping[str, float]) -> Samples:
    return (((name,), number) for name, number in numbers.items())


def _by_state(pairs: Mapping[str, tuple[float, float]], one: str, other: str) -> Samples:
    """Of each backend two numbers, each with the state that it is about; infinite ones are left out."""
    found = (
        ((name, state), number)
        for name, pair in pairs.items()
        for state, number in zip((one, other), pair, strict=True)
    )
    return (each for each in found if each[1] != inf)


# ------------------------------------------------------------------------------------------------ themes


def _processes(now: Readings) -> Iterator[Metric]:
    version, (stalls, stalled) = now.version, now.stalls
    yield gauge("build_info", "1, for the version that runs.", "version", [((version,), 1)] if version else ())
    yield gauge("connections", "Client connections that are open.", "", _one(now.connections))
    yield gauge("data_process_up", "1 while the data process serves.", "", _one(now.data_process_up))
    yield counter("data_process_restarts", "Times the data process was started again.", "", _one(now.restarts))
    yield counter("observations_dropped", "Observations lost because control did not read them.", "", _one(now.dropped))
    yield counter("spans_dropped", "Traced attempts lost because no collector took them.", "", _one(now.spans_dropped))
    yield gauge("loop_late_seconds", "How long requests wait for their turn, on average.", "", _one(now.late))
    yield counter("loop_stalls", "Times the data loop came back 0.1 s late or more.", "", _one(stalls))
    yield counter("loop_stalled_seconds", "Seconds of those stalls.", "", _one(stalled))
    probe = "Longest stall of the data loop since the probe was switched on."
    yield gauge("loop_stall_max_seconds", probe, "", _one(now.stall_max))
    yield gauge("cache_bytes", "Answers that are kept, in bytes.", "", _one(now.cached))


def _config(now: Readings) -> Iterator[Metric]:
    loaded = _one(now.loaded_at) if now.loaded_at else ()
    at = "When what serves was read (Unix seconds)."
    yield gauge("config_last_reload_success_timestamp_seconds", at, "", loaded)
    yield gauge("config_held", "1 while a file waits for a person, or for writes that are owed.", "", _one(now.held))
    since = "When the override of a route that is live was set (Unix seconds)."
    yield gauge("overrides", "Overrides that are live.", "", _one(len(now.overrides)))
    yield gauge("override_since_timestamp_seconds", since, "route", _by_one(now.overrides))


def _backends(now: Readings) -> Iterator[Metric]:
    pools = _by_state(now.pools, "busy", "idle")
    yield gauge("backend_connections", "Open connections.", "backend state", pools)
    up = (
        ((name, address), 0 if ejected or unwell else 1)
        for name, told in now.addresses.items()
        for address, _, ejected, unwell in told
    )
    asked = "1 while an address is asked, 0 while it is left out."
    yield gauge("backend_address_up", asked, "backend address", up)


def _guarded(now: Readings) -> Iterator[Metric]:
    """What stands before protected backends."""
    requests = {name: (under_way, waiting) for name, (under_way, waiting, *_) in now.guards.items()}
    states = ("under_way", "waiting")
    label = "backend state"
    yield gauge("backend_requests", "Requests at a protected backend.", label, _by_state(requests, *states))
    most = "The most of them that there may be, of this gateway's clients."
    yield gauge("backend_requests_max", most, label, _by_state(now.bounds, *states))
    yield gauge("backend_copies", "Copies and deliveries at one.", label, _by_state(now.copies, *states))
    breakers = {name: _OPEN[state] for name, (_, _, state, _, _) in now.guards.items() if state}
    half = "1 while a breaker is open, 0.5 while it is tried, 0 closed."
    yield gauge("breaker_open", half, "backend", _by_one(breakers))
    yield counter("breaker_opened", "Times a breaker has opened.", "backend", _by_one(now.opened))
    retries = {name: again for name, (_, _, _, again, _) in now.guards.items()}
    yield counter("retries", "Requests that were sent once more.", "backend", _by_one(retries))
    closed = {name: float(until > 0) for name, (*_, until) in now.guards.items()}
    yield gauge("backend_closed", "1 while a backend is closed for maintenance.", "backend", _by_one(closed))
    parts = "Of how many parts of every bound this gateway uses one; 0: of none."
    yield gauge("bound_parts", parts, "", _one(now.parts))


def _store(now: Readings) -> Iterator[Metric]:
    yield gauge("store_up", "1 while the store answers.", "", _one(now.store_up))
    untold = "Steps, overrides and events that the store has not been told yet."
    yield gauge("store_untold", untold, "", _one(now.untold))


def _ramps(now: Readings) -> Iterator[Metric]:
    states = (((each.journey, state), each.state == state) for each in now.ramps for state in RAMP_STATES)
    yield gauge("ramp_state", "1 for what a ramp is doing, 0 for the rest.", "journey state", states)
    stage = {each.journey: each.stage for each in now.ramps}
    yield gauge("ramp_stage", "The stage of a ramp, from 1; 0 before the first.", "journey", _by_one(stage))
    stages = {each.journey: each.stages for each in now.ramps}
    yield gauge("ramp_stages", "How many stages a ramp has.", "journey", _by_one(stages))
    since = {each.journey: each.since for each in now.ramps if each.since}
    begun = "When the stage began or was resumed (Unix seconds)."
    yield gauge("ramp_stage_since_timestamp_seconds", begun, "journey", _by_one(since))
    waits = (((each.journey, guard), 1) for each in now.ramps for guard in dict.fromkeys(each.waits))
    yield gauge("ramp_waits", "1 for each guard that the next stage waits for.", "journey guard", waits)
    journeys = {each.journey for each in now.ramps}
    none = {(journey, step, by): 0 for journey in sorted(journeys) for step in STEPS for by in ("gateway", "person")}
    steps = none | {key: count for key, count in now.steps.items() if key[0] in journeys}
    taken = "Steps of ramps, by who took them."
    yield counter("ramp_steps", taken, "journey step by", steps.items())


def _writes(now: Readings) -> Iterator[Metric]:
    """What is owed; all of it is absent while the store does not tell."""
    label, found = "route kind state", now.owed
    none = {(*owing, str(state)): (0, now.now) for owing in now.owing for state in OPEN}
    owed = {} if found is None else none | dict(found)
    counts = ((key, count) for key, (count, _) in owed.items())
    yield gauge("writes_owed", "Writes that are not done, of this store.", label, counts)
    ages = ((key, max(now.now - oldest, 0.0)) for key, (count, oldest) in owed.items() if count)
    yield gauge("writes_owed_oldest_seconds", "The age of the oldest of them.", label, ages)
    tries = {(*owing, outcome): 0 for owing in now.owing for outcome in DELIVERED} | dict(now.deliveries)
    yield counter("deliveries", "Tries to deliver a write.", "route kind outcome", tries.items())
    yield gauge("writes_unstored", "Outcomes of writes that the store has not taken yet.", "", _one(now.unstored))


def _webhooks(now: Readings) -> Iterator[Metric]:
    told = "Deliveries of events, and tries that failed."
    yield counter("webhooks", told, "receiver outcome", now.webhooks.items())
    yield gauge("webhooks_waiting", "Events that wait for a receiver.", "receiver", _by_one(now.webhooks_waiting))
