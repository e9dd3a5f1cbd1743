"""The shape of routes.yaml, strict: one class per mapping, a docstring per key.

The docstrings are also what an editor shows (`banyan schema`). Keys of later work are listed as such, and refused;
`compile` turns whole entries into the core's values.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from gateway.config import addresses, words
from gateway.config.admitting import AdminSpec, Proxy
from gateway.config.closing import MaintenanceSpec
from gateway.config.exporting import OtlpSpec
from gateway.config.keeping import CostSpec, KeepSpec, StoreSpec, WebhookSpec
from gateway.config.kinds import (
    Bound,
    Count,
    CountOrZero,
    Duration,
    DurationOrZero,
    FilePath,
    HostName,
    Maybe,
    Name,
    Operation,
    Size,
    Spec,
    text,
)
from gateway.config.protecting import ProtectSpec, RetrySpec
from gateway.config.routes import RouteSpec
from gateway.config.timeouts import BackendTimeoutSpec, TimeoutSpec
from gateway.core.model import AccessLog, Gateway, Limits

# ------------------------------------------------------------------------------------------------ the gateway


class LimitsSpec(Spec):
    """Bounds on what a peer may send."""

    target: Bound = Limits().target
    """The request target (path and query). Longer ones get 414."""
    header_bytes: Bound = Limits().header_bytes
    """All headers together. More gets 431."""
    header_count: Count = Limits().header_count
    """How many headers. More get 431."""
    chunk_line: Bound = Limits().chunk_line
    """One chunk's size line, with its extensions."""
    trailer_bytes: Bound = Limits().trailer_bytes
    """All trailers together."""
    pipelined: Count = Limits().pipelined
    """How many requests may wait on one connection."""


class ListenerTlsSpec(Spec):
    """TLS on the gateway's own address."""

    certificate: FilePath
    """The certificate chain, a PEM file."""
    key: FilePath
    """Its key, a PEM file."""


class AccessLogSpec(Spec):
    """One record per request."""

    to: FilePath = AccessLog().to
    """`stdout`, `off`, or a file."""
    paths: bool = AccessLog().paths
    """Write the path received instead of the route's template. Paths carry personal data."""


class GatewaySpec(Spec):
    """The gateway itself."""

    timeout: TimeoutSpec = TimeoutSpec.model_construct()
    limits: LimitsSpec = LimitsSpec.model_construct()
    trusted_proxies: list[Proxy] = Field(default=[])
    """Networks whose X-Forwarded-* and Forwarded headers are believed."""
    public_url: Maybe[Annotated[str, PlainValidator(addresses.public_url), text("https://api.example.org")]] = None
    """The address front ends use, where the Host header does not tell."""
    tls: Maybe[ListenerTlsSpec] = None
    drain_timeout: DurationOrZero = Gateway().drain_timeout
    """How long requests in flight may take after SIGTERM. Default 30s."""
    keep_alive: DurationOrZero = Gateway().keep_alive
    """How long an idle client connection is kept. Default 75s."""
    max_body: Size = Gateway().max_body
    """The largest request body; 0, the default, means no bound."""
    decode: Bound = Gateway().decode
    """The largest message that is decoded (SOAP, mappings); a larger request gets 413. Default 8MiB."""
    served_by: bool = Gateway().served_by
    """Whether answers say who served them (X-Banyan-Served-By, Server-Timing)."""
    access_log: AccessLogSpec = AccessLogSpec.model_construct()
    capture: Bound = Gateway().capture
    """How much of a body is held where it is needed twice; what is larger is not copied or compared. Default 256KiB."""
    cache: Size = Gateway().cache
    """How much is kept of answers, of all routes with `cache`. Default 64MiB."""
    webhooks: list[WebhookSpec] = Field(default=[])
    """Where events are sent."""
    otlp: Maybe[OtlpSpec] = None
    keep: KeepSpec = KeepSpec.model_construct()
    store: StoreSpec = StoreSpec.model_construct()
    admin: AdminSpec = AdminSpec.model_construct()


# ------------------------------------------------------------------------------------------------ backends


class BackendTlsSpec(Spec):
    """TLS towards a backend; verified unless `verify: false`."""

    ca: Maybe[FilePath] = None
    """The authority that signed the backend's certificate, a PEM file. Default: the system's."""
    name: Maybe[HostName] = None
    """The name sent and checked, where it is not the URL's host."""
    certificate: Maybe[FilePath] = None
    """A client certificate to show, a PEM file."""
    key: Maybe[FilePath] = None
    """Its key, a PEM file; left out when the certificate's file holds it."""
    verify: bool = True
    """Whether the backend's certificate is checked. Leave it on."""


class BasicSpec(Spec):
    """A user name and password in the Authorization header (RFC 7617)."""

    username: str
    password: str


class WsseSpec(Spec):
    """A user name and password in a WS-Security header (UsernameToken)."""

    username: str
    password: str
    digest: bool = False
    """Whether a digest is sent in place of the password."""
    timestamp: bool = True
    """Whether the header says when it was made, and how long it is good for."""


class SessionSpec(Spec):
    """A log-on: an operation that is called once, and what it gives goes along with every call."""

    operation: Operation
    """The operation that logs on."""
    request: dict[str, Any] = Field(default={})
    """What it is given: its own JSON, the values as they stand; passwords best as "${NAME}"."""
    token: Maybe[str] = None
    """JMESPath over its result: the token. Default: none, the cookies that it sets are the session."""
    header: Maybe[dict[str, Any]] = None
    """Headers that carry the token, by name: JMESPath over {token}."""
    body: Maybe[dict[str, Any]] = None
    """Members of each operation's message that carry the token, by name: JMESPath over {token}."""
    renew_on: list[str] = Field(default=[])
    """Faults, by name, detail or code, that say that the session is over. HTTP 401 and 403 always do."""
    renew_when: Maybe[str] = None
    """JMESPath over any result: when it yields something, the session is over."""
    lasts: Maybe[Duration] = None
    """How long it lasts before a new one is begun unasked. Default: until the service says that it is over."""


class AuthSpec(Spec):
    """How the gateway shows a SOAP backend who calls; passwords best as "${NAME}"."""

    basic: Maybe[BasicSpec] = None
    wsse: Maybe[WsseSpec] = None
    header: Maybe[dict[str, Any]] = None
    """Fixed values of headers that the WSDL declares, by name."""
    session: Maybe[SessionSpec] = None


class ValuesSpec(Spec):
    """How values of a SOAP backend look in JSON, where the usual way does not suit."""

    timezone: Maybe[Annotated[str, PlainValidator(words.time_zone), text("A time zone: Europe/London.")]] = None
    """Of dates and times without one: in JSON they have their offset (RFC 3339). Default: as they are spelled."""
    decimals: Literal["string", "number"] = "string"
    """Decimal numbers: exact strings (the default), or numbers."""
    integers: Literal["number", "string"] = "number"
    """Whole numbers that may pass 2^53: numbers as long as they do not (the default), or always strings."""
    arrays: Literal["wrapped", "plain"] = "wrapped"
    """Arrays with a type of their own: {"Line": [...]} (the default), or [...]."""
    text: Literal["wrapped", "plain"] = "wrapped"
    """Text beside attributes: {"$value": ..., "@currency": ...} (the default), or the text alone."""


class HealthSpec(Spec):
    """How each address is asked whether it is well."""

    path: Annotated[bytes, PlainValidator(words.health_path), text("A path: /readyz")]
    """What is asked for: a 2xx or 3xx says that it is well."""
    every: Maybe[Duration] = None
    """Default 10s."""
    timeout: Maybe[Duration] = None
    """How long the answer may take. Default 2s."""
    after: Maybe[Count] = None
    """After how many bad answers in a row an address is left out. Default 3."""


class BackendSpec(Spec):
    """A named system that can answer."""

    later = frozenset({"proxy"})

    type: Literal["http", "soap"] = "http"
    """The protocol it speaks: http (the default), or soap, described by its `wsdl`."""
    wsdl: Maybe[FilePath] = None
    """The WSDL of a SOAP backend: a pinned local copy."""
    wsdl_root: Maybe[FilePath] = None
    """The folder below which the WSDL's own files lie. Default: the folder that it is in."""
    port: Maybe[str] = None
    """Which port of the WSDL is called. Default: SOAP 1.2 where there is one."""
    auth: Maybe[AuthSpec] = None
    values: Maybe[ValuesSpec] = None
    addressing: Maybe[
        Annotated[
            bool | str, PlainValidator(words.addressing), WithJsonSchema({"enum": [True, False, words.OLD_ADDRESSING]})
        ]
    ] = None
    """Whether calls have WS-Addressing headers: true, false, or 2004/08 (an old version). Default: as the WSDL says."""
    mtom: Maybe[bool] = None
    """Whether large base64 travels beside the envelope, as MTOM. Default: what the WSDL's policy asks for."""
    url: Maybe[
        Annotated[
            addresses.Address,
            PlainValidator(addresses.address),
            text("Where it listens: http://host:port/base, https://... or unix:/path/to.sock"),
        ]
    ] = None
    """Where it listens: http://host:port/base, https://... or unix:/path/to.sock."""
    urls: Maybe[
        Annotated[
            list[Annotated[addresses.Address, PlainValidator(addresses.address), text("http://host:port/base")]],
            Field(min_length=1, max_length=100),
        ]
    ] = None
    """Several addresses of the same service, in place of `url`: requests go to the one with the least to do."""
    health: Maybe[HealthSpec] = None
    host: Annotated[str, PlainValidator(words.seen_host), text("own, public, or a host name.")] = "own"
    """Which Host it sees: `own` (the URL's), `public` (the client's), or a name."""
    tls: Maybe[BackendTlsSpec] = None
    timeout: BackendTimeoutSpec = BackendTimeoutSpec.model_construct()
    protect: Maybe[ProtectSpec] = None
    retry: Maybe[RetrySpec] = None
    maintenance: Maybe[MaintenanceSpec] = None
    max_idle: CountOrZero = 256
    """How many connections are kept open for reuse."""
    idle: DurationOrZero = 30.0
    """How long they are kept."""
    cost: Maybe[CostSpec] = None

    @property
    def first(self) -> addresses.Address:
        """The address whose name and path are those of all."""
        return self.url or (self.urls or [addresses.Address("localhost", 80)])[0]


# ------------------------------------------------------------------------------------------------ files


class IncludedSpec(Spec):
    """The shape of an included file. Entries are checked one by one, so that one bad route hides no other problem."""

    backends: dict[str, Any] = Field(default={})
    routes: list[Any] = Field(default=[])


class MainSpec(IncludedSpec):
    """The shape of routes.yaml, around its entries."""

    version: Literal[1]
    include: Annotated[
        Annotated[str, Tag("<one>")] | Annotated[list[str], Tag("<list>")],
        Discriminator(lambda value: "<list>" if isinstance(value, list) else "<one>"),
    ] = Field(default=[])
    gateway: Maybe[dict[str, Any]] = None


class WholeSpec(Spec):
    """routes.yaml of a Banyan gateway."""

    version: Literal[1]
    """The version of this format."""
    include: str | list[str] = Field(default=[])
    """More files with backends and routes: routes.d/*.yaml, relative to this file."""
    gateway: GatewaySpec = GatewaySpec.model_construct()
    backends: dict[Name, BackendSpec] = Field(default={})
    """The systems that can answer, by name."""
    routes: list[RouteSpec] = Field(default=[])
    """The endpoints of the stable contract."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of routes.yaml, for editors."""
    schema = _as_written(WholeSpec.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "routes.yaml"}


def _as_written(part: Any) -> Any:
    """A schema without defaults that nobody could write, such as a duration in plain seconds."""
    if isinstance(part, list):
        return [_as_written(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {key: _as_written(each) for key, each in part.items() if key != "default" or isinstance(each, str | int)}
