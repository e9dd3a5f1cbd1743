"""The shape of a route: one endpoint of the stable contract, and the mappings inside it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from gateway.config import templates, words
from gateway.config.evidence import CompareSpec, RampSpec, ReplaySpec, ShadowShape
from gateway.config.kinds import (
    Bound,
    CookieName,
    Duration,
    EditableField,
    FieldName,
    FieldValue,
    Instant,
    Link,
    MatchedField,
    Maybe,
    Method,
    Name,
    Operation,
    ParameterName,
    Size,
    Spec,
    text,
)
from gateway.config.timeouts import RouteTimeoutSpec
from gateway.config.writing import CrosswalkSpec, IdempotencyShape, WritesSpec
from gateway.core.model import Match, Placeholder, Segment


class SoapSpec(Spec):
    """One operation of a SOAP endpoint."""

    operation: Operation
    """Its name."""
    element: Maybe[Annotated[templates.Element, PlainValidator(templates.element), text("Name or {ns}Name.")]] = None
    """The first child of the Body, where it differs: Name or {namespace}Name."""
    action: Maybe[str] = None
    """What SOAPAction says, where it differs."""


class MatchSpec(Spec):
    """Which requests a route takes, in the long form."""

    method: Annotated[
        Annotated[Literal["ANY"], Tag("<any>")]
        | Annotated[Method, Tag("<one>")]
        | Annotated[list[Method], Field(min_length=1), Tag("<list>")],
        Discriminator(lambda value: "<list>" if isinstance(value, list) else "<any>" if value == "ANY" else "<one>"),
    ] = "ANY"
    """GET, a list of methods, or ANY (the default)."""
    host: Maybe[Annotated[bytes, PlainValidator(words.matched_host), text("A host name, or *.name.")]] = None
    """Only requests for this host."""
    path: Annotated[
        tuple[Segment, ...],
        PlainValidator(lambda value: templates.template(words.text_of(value))),
        text("A path template: /repairs/{id} or /housing/**"),
    ]
    header: Annotated[dict[MatchedField, FieldValue | None], BeforeValidator(words.once_each)] = Field(default={})
    """Headers that must be there with this value (null: any value)."""
    query: dict[ParameterName, FieldValue | None] = Field(default={})
    """Query parameters that must be there with this value (null: any value)."""
    soap: Maybe[
        Annotated[
            Annotated[Operation, Tag("<name>")] | Annotated[SoapSpec, Tag("<mapping>")],
            Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<name>"),
        ]
    ] = None
    """One operation of the SOAP endpoint at this path."""


class HeadersSpec(Spec):
    """Headers removed, and then added."""

    add: dict[EditableField, FieldValue] = Field(default={})
    remove: list[Annotated[str, PlainValidator(words.editable_field), text("The name of a header.")]] = Field(
        default=[]
    )


class TargetSpec(Spec):
    """A side's backend, and how to call it there."""

    backend: Name
    """The name of a backend."""
    operation: Maybe[Operation] = None
    """The operation of a SOAP backend that is called."""
    request: Maybe[
        Annotated[
            Annotated[str, Tag("<expression>")] | Annotated[dict[str, Any], Tag("<mapping>")],
            Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<expression>"),
        ]
    ] = None
    """What the operation is given: JMESPath over path, query, header, body, as one expression or one per member."""
    response: Maybe[str] = None
    """What becomes of its result, in JMESPath. Default: the result as it is."""
    faults: dict[
        str,
        Annotated[
            Annotated[int, Field(ge=400, le=599), Tag("<status>")]
            | Annotated[str, Field(min_length=1), Tag("<fault>")],
            Discriminator(lambda value: "<fault>" if isinstance(value, str) else "<status>"),
        ],
    ] = Field(default={})
    """The status of declared faults, by name. Default: 422. Of a SOAP route that calls an operation: the contract's
    fault that each becomes. Default: the one of the same name."""
    reply_headers: Maybe[dict[str, Any]] = None
    """Headers of the reply, of a SOAP route answered from JSON: JMESPath over that JSON, by name."""
    error_when: Maybe[str] = None
    """JMESPath over the result: when it yields something, the answer is an error (502)."""
    error_status: Maybe[Annotated[int, Field(ge=400, le=599)]] = None
    """The status of such an error. Default: 502."""
    soap_headers: Maybe[dict[str, Any]] = None
    """Headers that the operation declares, by name: JMESPath over path, query, header, body."""
    replies: Maybe[Literal["lenient", "strict"]] = None
    """What to do with replies that break their schema: decode them as far as they go (lenient, the default), or 502."""
    path: Maybe[
        Annotated[
            tuple[bytes | Placeholder, ...],
            PlainValidator(templates.target_path),
            text("A path with placeholders: /v2/accounts/{account}, {query.date}, {header.x-tenant}, {**}"),
        ]
    ] = None
    """The path sent. Default: as received."""
    method: Maybe[Method] = None
    """The method sent. Default: as received."""
    headers: Maybe[HeadersSpec] = None
    """Edits what the backend sees."""
    answer_headers: Maybe[HeadersSpec] = None
    """Edits what the client sees."""


class CookieSpec(Spec):
    """Clients are told apart by a cookie."""

    cookie: CookieName
    issue: bool = False
    """Whether the gateway sets the cookie when a client has none."""


class HeaderSpec(Spec):
    """Clients are told apart by a header."""

    header: FieldName


class QuerySpec(Spec):
    """Clients are told apart by a query parameter."""

    query: ParameterName


class TesterSpec(Spec):
    """Lets a tester choose the side of one request: `X-Banyan-Serve: new SECRET`."""

    header: Annotated[bytes, PlainValidator(words.tester_header), text("A header beginning with x-banyan-.")]
    secret: Annotated[bytes, PlainValidator(words.secret), text('A secret, best "${TESTER_SECRET}".')]


class CacheSpec(Spec):
    """Answers to reads are kept, as RFC 9111 has it."""

    ttl: Maybe[Duration] = None
    """How long an answer is fresh that does not say so itself. Default: it is not kept."""
    stale_if_error: Maybe[Duration] = None
    """How long after that it may stand in where the backend fails or is closed. Default: never."""
    vary: list[FieldName] = Field(default=[])
    """Request headers that tell answers apart, beside those that answers name: [authorization] keeps them per user."""
    key: Maybe[list[Annotated[bytes, PlainValidator(words.query_name), text("query.page")]]] = None
    """The parameters of the query that tell answers apart, as query.NAME: others are not looked at. Default: the whole
    query, as it comes."""


class DeprecatedSpec(Spec):
    """Announced on every answer (RFC 9745, RFC 8594)."""

    since: Instant
    sunset: Maybe[Instant] = None
    """When it goes away."""
    link: Maybe[Link] = None
    """Where to read more."""


def _sticky_tag(value: object) -> str | None:
    if value == "address":
        return "<address>"
    keys = value if isinstance(value, dict) else ()
    return next((f"<{key}>" for key in ("cookie", "header", "query") if key in keys), None)


MatchShape = Annotated[
    Annotated[Match, PlainValidator(templates.match_text), text("GET /path, ANY /path, SOAP /path#Op"), Tag("<text>")]
    | Annotated[MatchSpec, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<text>"),
]
TargetShape = Annotated[
    Annotated[Name, Tag("<name>")] | Annotated[TargetSpec, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<name>"),
]
StickyShape = Annotated[
    Annotated[Literal["address"], Tag("<address>")]
    | Annotated[CookieSpec, Tag("<cookie>")]
    | Annotated[HeaderSpec, Tag("<header>")]
    | Annotated[QuerySpec, Tag("<query>")],
    Discriminator(_sticky_tag),
]
ServeShape = Annotated[
    words.ServeWord,
    PlainValidator(words.serve),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["legacy", "new", "ramp", "retired"]},
                {"type": "string", "pattern": r"^[0-9]{1,3}(\.[0-9]{1,2})?% new$"},
            ]
        }
    ),
]


class RouteSpec(Spec):
    """One endpoint of the stable contract."""

    later = frozenset(
        """retry error_when faults operation request response capture
        rewrite""".split()  # noqa: SIM905
    )

    name: Name
    """Its name, in logs, metrics and commands."""
    id: Maybe[Name] = None
    """Names it for splits; set it to rename a route without reshuffling its clients. Default: the name."""
    match: MatchShape
    """Which requests it takes. The most specific match wins, never the file's order."""
    legacy: Maybe[TargetShape] = None
    """The implementation to be replaced: a backend's name, or a mapping."""
    new: Maybe[TargetShape] = None
    """Its replacement: a backend's name, or a mapping."""
    contract: Maybe[Name] = None
    """The SOAP backend whose WSDL says what the clients of a SOAP route send. Default: the first side that is one."""
    serve: Maybe[ServeShape] = None
    """Which side answers: legacy, new, 10% new, ramp, retired. Default: legacy where there is one."""
    shadow: Maybe[ShadowShape] = None
    """How many requests are copied to the side that does not serve, whose answers are compared and dropped: 25%."""
    compare: Maybe[CompareSpec] = None
    ramp: Maybe[RampSpec] = None
    replay: Maybe[ReplaySpec] = None
    writes: Maybe[WritesSpec] = None
    crosswalk: Maybe[CrosswalkSpec] = None
    cache: Maybe[CacheSpec] = None
    idempotency: Maybe[IdempotencyShape] = None
    """Whether clients may send a write again under the same `Idempotency-Key`: true, or a mapping."""
    sticky: Maybe[StickyShape] = None
    """What identifies a client for the split. Default: nothing, each request is drawn."""
    journey: Maybe[Name] = None
    """Routes of one journey share their clients' buckets: nobody meets both sides within one task. Default: the id."""
    tester: Maybe[TesterSpec] = None
    safe: Maybe[bool] = None
    """Whether its requests change nothing. Default: by the method (GET, HEAD, OPTIONS)."""
    idempotent: Maybe[bool] = None
    """Whether sending a request twice does no more than once. Default: by the method."""
    timeout: RouteTimeoutSpec = RouteTimeoutSpec.model_construct()
    max_body: Size = 0
    """The largest request body; 0, the default, means the gateway's."""
    decode: Maybe[Bound] = None
    """The largest message that is decoded (SOAP, mappings). Default: the gateway's."""
    path: Maybe[Literal["raw"]] = None
    """`raw` lets // and %2F through, as they came."""
    priority: Annotated[int, PlainValidator(words.priority), WithJsonSchema({"enum": list(words.PRIORITIES)})] = 0
    """How much its requests matter where not all can be served: low, normal (the default) or high."""
    fallback: bool = False
    """Whether the other side answers safe requests at which the serving one fails."""
    four_eyes: bool = False
    """Whether a second person must say the same before more of its traffic goes to new, or its writes move by hand."""
    successor: Maybe[Link] = None
    """Where a retired route's clients should go."""
    deprecated: Maybe[DeprecatedSpec] = None
