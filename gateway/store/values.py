"""What goes into the store and comes out of it. Plain values; times are Unix seconds, `minute` that of its beginning.

Words that others define (sides, roles, verdicts, kinds) are plain text here: the store keeps them and asks nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.core.events import Event
from gateway.core.model import Side

Document = dict[str, Any]
"""A JSON object."""

LATENCIES = 14
"""Numbers in a latency histogram: one for each bound of the metrics, and one for what took longer than all of them."""


class TrafficCount(NamedTuple):
    """Requests of one minute that took the same way and ended alike.

    `status_class` 2 is 2xx (0: no answer); `seconds` how long they took together; `latencies` LATENCIES counts.
    """

    minute: int
    route: str
    side: str
    role: str
    status_class: int
    requests: int
    errors: int
    seconds: float
    latencies: tuple[int, ...]


class Total(NamedTuple):
    """What clients were answered by one side in some time, by all routes together; the fields as in TrafficCount."""

    minute: int
    side: str
    requests: int
    errors: int
    seconds: float
    latencies: tuple[int, ...]


class Calls(NamedTuple):
    """What a backend was asked for by one side of a route so far: `live` 1 for clients, 0 for everybody else."""

    backend: str
    route: str
    side: str
    live: int
    requests: int
    errors: int
    first_seen: float
    last_seen: float


class Configuration(NamedTuple):
    """A file that served, from `at` on. `changes` tell what is different from the one before, `counts` how many routes
    served what; `files` are texts by their names, empty where they were not asked for. `number` 0: not stored yet."""

    number: int
    digest: str
    at: float
    by: str
    why: str
    changes: Sequence[Document]
    counts: Mapping[str, int]
    files: Mapping[str, str] = {}


class VerdictCount(NamedTuple):
    """Comparisons of one route and minute that came to one verdict."""

    minute: int
    route: str
    verdict: str
    samples: int


class FieldSeen(NamedTuple):
    """A field of a route's answers that differed in one way (`kind`), and when it was first and last seen to.

    `differs` counts answers; the other counts are of those where the serving side was asked twice, by which of the
    three was the odd one out: the candidate's, the control's first, or each differs from each.
    """

    route: str
    field: str
    kind: str
    differs: int
    odd_candidate: int
    odd_control: int
    all_differ: int
    first_seen: float
    last_seen: float


class Example(NamedTuple):
    """One difference that was seen, `document` as it may be kept: what must not be stored is not in it."""

    route: str
    field: str
    kind: str
    at: float
    document: Document


class Flush(NamedTuple):
    """What one replica has counted since its last flush. Stored whole or not at all, and only once.

    `number` grows from flush to flush of a replica, over its restarts too (or the replica takes a new name): a flush
    whose number is not above the last one was counted already. An empty one still says that the replica lives. No more
    than `examples_kept` examples stay for each field, the latest.
    """

    replica: str
    number: int
    at: float
    traffic: Sequence[TrafficCount] = ()
    verdicts: Sequence[VerdictCount] = ()
    fields: Sequence[FieldSeen] = ()
    examples: Sequence[Example] = ()
    examples_kept: int = 5
    totals: Sequence[Total] = ()
    calls: Sequence[Calls] = ()


StageKey = tuple[str, str, int]
"""A stage of a ramp: its journey, its generation, and which it is."""


class StoredEvidence(NamedTuple):
    """All that one replica has seen in one stage of a ramp. `generation` tells one ramp of a journey from the next."""

    journey: str
    generation: str
    stage: int
    document: Document


class StoredPosition(NamedTuple):
    """Where a ramp stands, after `sequence` steps (1: it has begun)."""

    journey: str
    sequence: int
    document: Document


class Override(NamedTuple):
    """What a person has set for a route beside the file.

    `share` the new side's part of the reads, of BUCKETS; `record` the side that takes the writes, None where the
    override leaves them alone; `until` None: without an end; `serve` what the file said when it was set.
    """

    route: str
    share: int
    record: Side | None
    reason: str
    by: str
    set_at: float
    until: float | None
    serve: str


class Told(NamedTuple):
    """An event, and the names of the webhooks that are to be sent it."""

    event: Event
    webhooks: tuple[str, ...] = ()


class Delivery(NamedTuple):
    """An event that is to be sent to a webhook, after so many attempts that failed."""

    event: Event
    attempts: int


class Replica(NamedTuple):
    """A gateway that uses the store, and when it last did."""

    id: str
    last_seen: float
