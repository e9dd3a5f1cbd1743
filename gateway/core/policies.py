"""What routes.yaml says about evidence (shadows, comparing, ramps) and about protecting backends: plain settings.

What is decided by them stands in `comparing`, `rollout` and `breaker`.
"""

from datetime import date
from typing import Literal, NamedTuple

Pointer = tuple[str, ...]
"""Where something stands in a document: the unescaped tokens of a JSON pointer (RFC 6901); `*` is any one of them."""


class Shadow(NamedTuple):
    """A share of a route's requests is copied to the side that does not serve.

    `share` and `noise` are parts of BUCKETS: of the requests that are copied, and of the copies after which the serving
    side may be asked a second time; `sandbox` says that the copy's side may be written to, so that unsafe requests are
    copied, too; `timeout` is all the seconds a copy may take.
    """

    share: int
    noise: int = 500
    sandbox: bool = False
    timeout: float = 10.0


class Compare(NamedTuple):
    """How two answers of a route are compared.

    `ignore`, `case` (letters of either case are the same), `same_instant` (dates and times) and `absent_is_null` are
    places; `unordered` lists, each with the member that tells its items apart ("" for none); `tolerance` numbers, each
    with the largest difference, a decimal number as text; `map` values of legacy and what the new side says instead;
    `headers` lower-case names; `show` places whose values may be kept, `redact` places of which nothing is.
    """

    ignore: tuple[Pointer, ...] = ()
    unordered: tuple[tuple[Pointer, str], ...] = ()
    tolerance: tuple[tuple[Pointer, str], ...] = ()
    same_instant: tuple[Pointer, ...] = ()
    case: tuple[Pointer, ...] = ()
    absent_is_null: tuple[Pointer, ...] = ()
    map: tuple[tuple[Pointer, tuple[tuple[str, str], ...]], ...] = ()
    headers: tuple[bytes, ...] = (b"content-type", b"location")
    show: tuple[Pointer, ...] = ()
    redact: tuple[Pointer, ...] = ()


class Guards(NamedTuple):
    """What must hold for a ramp to go on, and what turns it back.

    `parity` the part of answers that must be right (None: not looked at); `errors` by how much the new side's part of
    errors may be above legacy's; `latency` how many times legacy's the new side's `percentile` may take (None: not
    looked at); `samples` judged answers a stage needs.
    """

    parity: float | None = 0.995
    errors: float | None = 0.005
    latency: float | None = 1.2
    percentile: float = 0.95
    samples: int = 1_000


class Stage(NamedTuple):
    """One step of a ramp: a share (of BUCKETS) of the reads, and whether a person must approve it before it begins."""

    share: int
    approve: bool = False


class Hours(NamedTuple):
    """When a ramp may go on: `days` (0 is Monday), and from `begin` to `end`, minutes after midnight in `timezone`."""

    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    begin: int = 0
    end: int = 1_440
    timezone: str = "UTC"


class Ramp(NamedTuple):
    """A planned climb: `stages` in order, each of which lasts `every` seconds at least."""

    stages: tuple[Stage, ...] = (Stage(100), Stage(500), Stage(2_500), Stage(5_000), Stage(10_000))
    every: float = 1_800.0
    only: Hours | None = None
    guards: Guards = Guards()
    on_breach: Literal["roll_back", "pause"] = "roll_back"


class Way(NamedTuple):
    """The way to one value of a request or an answer: names below a source. See `ways`."""

    source: Literal["path", "query", "header", "body", "response"]
    names: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((self.source, *self.names))


class Writes(NamedTuple):
    """What a route's writes are promised, whatever the split of its reads.

    `record` the side that takes them (None: as `serve` says); `settle` the seconds for which a client's reads stay
    there after its write. `copy` has the other side get them, too; `queue` has them wait for a record that is away.
    Those of one `key` keep their order (None: those of one path). After `give_up` seconds there is no sense in
    delivering one.
    """

    record: Literal["legacy", "new"] | None = None
    settle: float = 0.0
    copy: bool = False
    queue: bool = False
    key: Way | None = None
    give_up: float = 86_400.0


class Idempotency(NamedTuple):
    """A client may send a write again under the same `Idempotency-Key`, and is given the first answer, for `keep`
    seconds. `required` refuses writes without one."""

    keep: float = 86_400.0
    required: bool = False


class CachePolicy(NamedTuple):
    """Answers to reads are kept. `ttl` is how long one is fresh that does not say so itself, `stale_if_error` how long
    after that it may stand in for a backend that fails, in seconds; `vary` are lower-case names of request fields that
    tell answers apart, beside those that the answers name; `key` the names of the query's parameters that do, in order
    (None: the whole query does)."""

    ttl: float = 0.0
    stale_if_error: float = 0.0
    vary: tuple[bytes, ...] = ()
    key: tuple[bytes, ...] | None = None


class Crosswalk(NamedTuple):
    """Which identifiers of a route mean the same thing on both sides: those of one `name`.

    `legacy` and `new` say where the answer of either side to a write has the identifier that it made, `at` where
    requests have one.
    """

    name: str
    legacy: Way | None = None
    new: Way | None = None
    at: tuple[Way, ...] = ()


class Replay(NamedTuple):
    """Recorded requests that are sent to both sides every day: the HAR file `source`, at `minute` of the day (UTC)."""

    source: str
    minute: int


class BreakerPolicy(NamedTuple):
    """When a backend is left alone: once `open_after` calls of the last `window` seconds have failed, and they are at
    least the part `share` of them. After `retry_after` seconds one call tries it again. A call that takes longer than
    `slow` seconds counts as failed (0: however long it takes)."""

    open_after: int = 5
    share: float = 0.5
    window: float = 30.0
    retry_after: float = 15.0
    slow: float = 0.0


class Health(NamedTuple):
    """How a backend's addresses are asked whether they are well: for `path`, `every` so many seconds, with `timeout`
    seconds to answer; after so many bad answers in a row one is left out, and a good one brings it back."""

    path: bytes
    every: float = 10.0
    timeout: float = 2.0
    after: int = 3


class Closed(NamedTuple):
    """A window of maintenance: from `begin` to `end`, minutes after midnight, on each of `days` (0 is Monday), past
    midnight where the end is not after the beginning; or once, from the day `first` to the day `last`."""

    begin: int = 0
    end: int = 1_440
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    first: date | None = None
    last: date | None = None


class Maintenance(NamedTuple):
    """When a backend is closed, by the clock of `timezone`."""

    windows: tuple[Closed, ...]
    timezone: str = "UTC"


class Protect(NamedTuple):
    """What a backend can bear; 0 means no bound.

    At most `max_concurrent` requests are under way, and `rate` a second are sent, after at most `burst` at once.
    `queue` more may wait, for `wait` seconds at the longest. A request that is given up on counts as under way until
    its answer has ended, for `abandon_after` seconds at the longest. `copies` is the part of the bounds (of 10,000)
    that copies have for themselves: they are sent by another process than the clients' requests.
    """

    max_concurrent: int = 0
    queue: int = 0
    wait: float = 2.0
    rate: float = 0.0
    burst: int = 1
    breaker: BreakerPolicy | None = None
    abandon_after: float = 60.0
    copies: int = 0

    @property
    def bounded(self) -> bool:
        """Whether there is any bound that copies need a part of."""
        return bool(self.max_concurrent or self.rate)

    def for_copies(self) -> "Protect":
        """The part that copies have: at least one request of each bound. They wait elsewhere."""
        if not self.copies:
            return self
        most = max(1, self.max_concurrent * self.copies // 10_000) if self.max_concurrent else 0
        rate, burst = self.rate * self.copies / 10_000, max(1, self.burst * self.copies // 10_000)
        return self._replace(max_concurrent=most, rate=rate, burst=burst, queue=most or burst)

    def for_clients(self) -> "Protect":
        """The part that is left for clients."""
        if not self.copies:
            return self
        aside = self.for_copies()
        return self._replace(
            max_concurrent=self.max_concurrent - aside.max_concurrent,
            rate=self.rate - aside.rate,
            burst=self.burst - aside.burst,
        )


class RetryPolicy(NamedTuple):
    """When a request is sent once more.

    `attempts` are all of them; `on` the kinds of failures: connect, reset, timeout, or a status as text; `backoff` the
    most seconds until the second, twice as many until each other; `budget` the part of the requests that retries may
    come to.
    """

    attempts: int = 2
    on: tuple[str, ...] = ("connect", "reset", "503")
    backoff: float = 0.05
    budget: float = 0.2


class Standing(NamedTuple):
    """Where a route stands beside what the file says: by a live override, or by its ramp.

    `override` is the new side's share of reads (of BUCKETS) that a person has set, and `record` the side that the same
    person gave the writes; `ramp` is the share that the route's ramp has reached, for whatever reason `why` says: it
    climbs, was paused or rolled back, has finished, or cannot tell where it stood. None where it does not apply.
    """

    override: int | None = None
    record: Literal["legacy", "new"] | None = None
    ramp: int | None = None
    why: Literal["", "climbing", "paused", "rolled_back", "finished", "unknown"] = ""


NO_STANDING = Standing()


EventKind = Literal[
    "started",
    "promoted",
    "held",
    "approval_needed",
    "approved",
    "paused",
    "resumed",
    "rolled_back",
    "finished",
    "override_set",
    "override_cleared",
    "override_ended",
    "config_changed",
    "store_unavailable",
    "store_recovered",
]
"""What can happen that people want to hear of."""


class Webhook(NamedTuple):
    """Where events are sent (Standard Webhooks): `secret` signs them; `events` empty means all kinds."""

    url: str
    secret: bytes
    events: tuple[EventKind, ...] = ()


class Keep(NamedTuple):
    """How long the store keeps what, in seconds; `examples` is how many are kept of each field that disagrees."""

    traffic: float = 400 * 86_400.0
    evidence: float = 90 * 86_400.0
    examples: int = 5
    events: float = 7 * 365 * 86_400.0
    writes: float = 7 * 86_400.0


class Otlp(NamedTuple):
    """Where traces and metrics go, by OTLP: `endpoint` the collector's address, `headers` what it is shown.

    `traces` is the part of BUCKETS that is recorded of the requests that bring no trace, None that none is; `metrics`
    seconds between one export and the next, None for none.
    """

    endpoint: str
    headers: tuple[tuple[str, str], ...] = ()
    traces: int | None = 1_000
    metrics: float | None = 30.0


class StoreSettings(NamedTuple):
    """Where what must last is kept: `url` a PostgreSQL database's (None: a file in the data folder); `upgrade` tells
    whether a gateway brings its tables up to date as it starts."""

    url: str | None = None
    upgrade: bool = True
