"""The values everything else speaks in.

What crosses between the processes are named tuples: frozen, quick to make, and plain when pickled. Names and paths of
HTTP are bytes, as they arrive; names a person wrote in routes.yaml are text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from gateway.core.administering import Administration, Cost
from gateway.core.fields import Fields, fields_of
from gateway.core.policies import (
    CachePolicy,
    Compare,
    Crosswalk,
    Health,
    Idempotency,
    Keep,
    Maintenance,
    Otlp,
    Protect,
    Ramp,
    Replay,
    RetryPolicy,
    Shadow,
    StoreSettings,
    Webhook,
    Writes,
)
from gateway.core.published import Published

Side = Literal["legacy", "new"]
Role = Literal["live", "shadow", "fallback", "probe", "tester", "cached"]
Acted = Literal["no", "maybe", "yes"]

SERVED = frozenset({"live", "tester", "fallback", "cached"})
"""The roles of attempts whose answers clients got; the others are copies, which traffic figures leave out."""

LEGACY: Side = "legacy"
NEW: Side = "new"

BUCKETS = 10_000
"""A client's bucket is 0 to 9,999, so a share has two decimals of a per cent."""


class Outcome(StrEnum):
    """What came of one attempt on one backend, whatever its protocol."""

    OK = "ok"
    BUSINESS_FAULT = "business_fault"
    BACKEND_ERROR = "backend_error"
    TIMEOUT = "timeout"
    REFUSED = "refused"


class Serve(StrEnum):
    """Which side answers a route's reads."""

    LEGACY = "legacy"
    NEW = "new"
    SPLIT = "split"
    RAMP = "ramp"
    RETIRED = "retired"


class Place(NamedTuple):
    """Where something stands in a configuration file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


# ------------------------------------------------------------------------------------------------ the estate


class Timeouts(NamedTuple):
    """Seconds, each for one kind of waiting; `total` 0 means no bound on the whole exchange.

    `head` a request head from its first byte; `body_idle` between bytes of a request body; `connect` a connection to
    the backend; `response` from the request's last byte to the answer's head; `answer_idle` between bytes of the
    answer, on either side; `total` everything.
    """

    head: float = 10.0
    body_idle: float = 30.0
    connect: float = 3.0
    response: float = 60.0
    answer_idle: float = 60.0
    total: float = 0.0


class Limits(NamedTuple):
    """Bounds on what a peer may send, in bytes (counts where they say so)."""

    target: int = 8_192
    header_bytes: int = 65_536
    header_count: int = 100
    chunk_line: int = 4_096
    trailer_bytes: int = 16_384
    pipelined: int = 16


class Tls(NamedTuple):
    """TLS towards a backend: verified against `ca` (a PEM file; None: the system's), `name` sent and checked."""

    ca: str | None = None
    name: str | None = None
    certificate: str | None = None
    key: str | None = None
    verify: bool = True


class Backend(NamedTuple):
    """One system behind the gateway.

    `host`, `port` where it listens (`unix` instead: a socket's path); `base` a path prefix of its own ("" for none);
    `authority` its own Host header; `host_header` what it sees as Host: "own", "public", or a literal name;
    `timeout` the keys given for this backend; `max_idle` connections kept open for reuse; `idle` seconds they are kept;
    `types` what its connector knows of its messages (SOAP: a `Schema`), plain values that only the connector reads;
    `published` its WSDL, where SOAP routes go by it; `protect` what it can bear,
    `retry` when it is asked once more, `maintenance` when it is closed;
    `others` are more addresses, hosts and ports, and `health` is how all of them are asked whether they are well;
    `cost` is what it takes, for the ledger.
    """

    name: str
    host: str
    port: int
    unix: str | None = None
    base: bytes = b""
    authority: bytes = b""
    host_header: str = "own"
    tls: Tls | None = None
    timeout: tuple[tuple[str, float], ...] = ()
    max_idle: int = 256
    idle: float = 30.0
    types: Any = None
    published: Published | None = None
    protect: Protect | None = None
    retry: RetryPolicy | None = None
    maintenance: Maintenance | None = None
    others: tuple[tuple[str, int], ...] = ()
    health: Health | None = None
    cost: Cost | None = None


class HeaderEdit(NamedTuple):
    """Fields removed (lower-case names) and then added, in this order."""

    add: tuple[tuple[bytes, bytes], ...] = ()
    remove: tuple[bytes, ...] = ()


class Placeholder(NamedTuple):
    """A value of the request that fills a place in a target's path; `source` path, query, header, body or rest.

    The name of one from the body is the way to it, `Account.No`; only a connector that decodes bodies can fill it.
    """

    source: Literal["path", "query", "header", "body", "rest"]
    name: bytes


class Target(NamedTuple):
    """One side of a route: a backend and how to call it there.

    `path` None sends the path as received; otherwise literal bytes and placeholders in turn. `method` None keeps the
    request's. `request` edits what the backend sees, `answer` what the client sees. `call` is how its connector calls
    it (SOAP: a `SoapTarget`), plain values that only the connector reads; None for HTTP.
    """

    backend: str
    path: tuple[bytes | Placeholder, ...] | None = None
    method: bytes | None = None
    request: HeaderEdit = HeaderEdit()
    answer: HeaderEdit = HeaderEdit()
    call: Any = None


# ------------------------------------------------------------------------------------------------ routes


class Segment(NamedTuple):
    """One part of a path template: a literal (percent-decoded), `{name}` for one segment, or `**` for the rest."""

    kind: Literal["literal", "one", "rest"]
    text: bytes


class Predicate(NamedTuple):
    """A header or query parameter that must be present, and equal `value` unless that is None."""

    name: bytes
    value: bytes | None


class SoapOperation(NamedTuple):
    """One operation of a SOAP endpoint, known by the first child of the Body.

    `element` is its local name, `namespace` None means any; `action` None derives what a SOAPAction may say from the
    operation's name. `addressed` is its action in WS-Addressing, where that is another one, which may be said instead.
    """

    name: str
    element: str
    namespace: str | None = None
    action: str | None = None
    addressed: str = ""


class Match(NamedTuple):
    """Which requests are a route's. `methods` empty means any; `host` None any, "*.x" any below x."""

    methods: tuple[bytes, ...]
    segments: tuple[Segment, ...]
    host: bytes | None = None
    headers: tuple[Predicate, ...] = ()
    query: tuple[Predicate, ...] = ()
    soap: SoapOperation | None = None


class Sticky(NamedTuple):
    """What identifies a client for the split; `issue` sets the cookie when a client has none."""

    source: Literal["cookie", "header", "query", "address"]
    name: bytes = b""
    issue: bool = False


class Tester(NamedTuple):
    """A header `<side> <secret>` by which a tester chooses the side of one request."""

    header: bytes
    secret: bytes


class Deprecation(NamedTuple):
    """Announced on every answer: `since` and `sunset` in Unix seconds (RFC 9745, RFC 8594), `link` to read more."""

    since: int
    sunset: int | None = None
    link: str | None = None


class Route(NamedTuple):
    """One endpoint: what it matches, its two sides, and which one serves.

    `id` names it for splits (stable over renames), `journey` is the bucket's seed, `share` the new side's part of
    BUCKETS. `safe` None goes by the method, and so does `idempotent`. `max_body` bounds a request body in bytes
    (0: none), `decode` a message that is decoded (0: the gateway's bound). `priority` says how much its requests matter
    where not all can be served, the highest the most; `fallback` that the other side answers safe requests at which the
    serving one fails. `pattern` is the match as written, for
    people and logs. `contract` is the backend whose WSDL clients of SOAP go by, where that is said. `shadow`,
    `compare`, `ramp` and `replay` gather evidence and go by it; `writes` is what writes are promised,
    `crosswalk` which identifiers mean the same thing on both sides, `idempotency` whether clients may write again.
    `cache` has answers to reads kept.
    """

    name: str
    id: str
    match: Match
    pattern: str
    serve: Serve
    legacy: Target | None = None
    new: Target | None = None
    share: int = 0
    journey: str = ""
    sticky: Sticky | None = None
    tester: Tester | None = None
    safe: bool | None = None
    idempotent: bool | None = None
    timeout: tuple[tuple[str, float], ...] = ()
    max_body: int = 0
    decode: int = 0
    raw_path: bool = False
    priority: int = 0
    fallback: bool = False
    four_eyes: bool = False
    successor: str | None = None
    contract: str | None = None
    deprecated: Deprecation | None = None
    shadow: Shadow | None = None
    compare: Compare = Compare()
    ramp: Ramp | None = None
    replay: Replay | None = None
    writes: Writes = Writes()
    crosswalk: Crosswalk | None = None
    idempotency: Idempotency | None = None
    cache: CachePolicy | None = None
    place: Place | None = None


# ------------------------------------------------------------------------------------------------ the gateway


class ListenerTls(NamedTuple):
    """The certificate chain and key that the listener shows (PEM files)."""

    certificate: str
    key: str


class AccessLog(NamedTuple):
    """`to` "stdout", "off" or a file; `paths` writes the path received instead of the route's template."""

    to: str = "stdout"
    paths: bool = False


class Gateway(NamedTuple):
    """Settings of the gateway itself; times in seconds, sizes in bytes.

    `public_url` the address front ends use, where the Host header does not tell; `served_by` sends
    `X-Banyan-Served-By` and `Server-Timing`; `keep_alive` how long an idle client connection is kept; `capture` how
    much of a body is held for what needs it twice; `cache` how much is kept of answers; `webhooks` where events are
    sent, `otlp` traces and metrics; `keep` how long what is stored, `store` where; `admin` about the pages.
    """

    timeout: Timeouts = Timeouts()
    limits: Limits = Limits()
    trusted_proxies: tuple[str, ...] = ()
    public_url: str | None = None
    tls: ListenerTls | None = None
    drain_timeout: float = 30.0
    keep_alive: float = 75.0
    max_body: int = 0
    decode: int = 8 * 1024 * 1024
    served_by: bool = True
    access_log: AccessLog = AccessLog()
    capture: int = 262_144
    cache: int = 64 * 2**20
    webhooks: tuple[Webhook, ...] = ()
    otlp: Otlp | None = None
    keep: Keep = Keep()
    store: StoreSettings = StoreSettings()
    admin: Administration = Administration()


class Estate(NamedTuple):
    """Everything routes.yaml says, checked: what a routing table is compiled from. `digest` names its content."""

    gateway: Gateway
    backends: tuple[Backend, ...]
    routes: tuple[Route, ...]
    digest: str


# ------------------------------------------------------------------------------------------------ one request


@dataclass(slots=True)
class Request:
    """A request head, read and bounded: nothing in it is hop-by-hop any more. Not changed once it is made.

    `target` as received; `path` without the query; `query` with its "?" (or empty); `lines` the end-to-end fields as
    they stand in a head, in order; `cookie` the Cookie field or empty; `length` of the body (-1 chunked, 0 none); `odd`
    tells that the path has to be looked at closely; `pinned` that it proves whose its connection is (NTLM, Negotiate);
    `conditional` that it depends on what the client has of an answer (RFC 9110, sections 13 and 14);
    `trailers` that the client takes some; `forwarding` and `reserved` are the fields set aside.
    """

    method: bytes
    target: bytes
    path: bytes
    query: bytes
    host: bytes
    lines: bytes
    cookie: bytes
    length: int
    http_1_0: bool
    odd: bool
    pinned: bool
    conditional: bool
    expect: bool = False
    upgrade: bytes = b""
    trailers: bool = False
    forwarding: Fields = ()
    reserved: Fields = ()

    @property
    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """The fields of `lines`."""
        return fields_of(self.lines)


class Observation(NamedTuple):
    """What one attempt on one backend did, or (backend "") what the gateway answered by itself.

    Times: `at` Unix seconds at the start; `connect` seconds it took to make a connection (0 for a kept one),
    `first_byte` and `duration` seconds since the start; -1 where it did not come so far. Bytes are of bodies. `error`
    is a short kind, "" when there was none. `trace` is the id of its trace, 32 digits, and where it is traced the ids
    of its spans (`core.tracing`). The second to the tenth field are the `way` of the observation.
    """

    at: float
    route: str
    side: str
    role: str
    backend: str
    outcome: str
    acted: str
    method: bytes
    status: int
    error: str
    bytes_in: int
    bytes_out: int
    connect: float
    first_byte: float
    duration: float
    revision: int
    request_id: bytes
    trace: bytes
    path: bytes


Observed = tuple[Any, ...]
"""An observation on its way to whoever counts it: its fields in order, as a plain tuple, which costs the least."""


class Way(NamedTuple):
    """What many requests have in common: everything of an observation but its time, sizes and ids."""

    route: str
    side: str
    role: str
    backend: str
    outcome: str
    acted: str
    method: bytes
    status: int
    error: str


way_of: Callable[[Observation], tuple[Any, ...]] = itemgetter(slice(1, 10))
"""An observation's way, as a plain tuple: cheap enough to count by."""
