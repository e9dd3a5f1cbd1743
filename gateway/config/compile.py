"""From checked entries of routes.yaml to the core's frozen values.

What pydantic cannot know alone is looked at here: whether a placeholder has a name to take its value from, whether a
certificate can be read. Problems are noted in the list handed in, and compiling goes on.
"""

from gateway.config import admitting, evidence, exporting, keeping, routes, schema, soap
from gateway.config.addresses import Address
from gateway.config.closing import maintenance_of
from gateway.config.files import absolute, readable
from gateway.config.problems import Problem
from gateway.config.protecting import protect_of, retry_of
from gateway.config.templates import Element
from gateway.config.timeouts import BackendTimeoutSpec
from gateway.config.wording import Entry
from gateway.config.words import ServeWord
from gateway.config.writing import crosswalk_of, idempotency_of, writes_of
from gateway.core.model import (
    AccessLog,
    Backend,
    Deprecation,
    Gateway,
    HeaderEdit,
    Limits,
    ListenerTls,
    Match,
    Placeholder,
    Predicate,
    Route,
    Serve,
    SoapOperation,
    Sticky,
    Target,
    Tester,
    Timeouts,
    Tls,
)
from gateway.core.policies import CachePolicy, Health, Ramp

Problems = list[Problem]

# ------------------------------------------------------------------------------------------------ the gateway


def gateway_of(spec: schema.GatewaySpec, entry: Entry, problems: Problems) -> Gateway:
    return Gateway(
        timeout=Timeouts()._replace(**dict(_given(spec.timeout))),
        limits=Limits(**{name: getattr(spec.limits, name) for name in Limits._fields}),
        trusted_proxies=tuple(spec.trusted_proxies),
        public_url=spec.public_url,
        tls=_listener_tls(spec.tls, entry, problems),
        drain_timeout=spec.drain_timeout,
        keep_alive=spec.keep_alive,
        max_body=spec.max_body,
        decode=spec.decode,
        served_by=spec.served_by,
        access_log=_access_log(spec.access_log, entry),
        capture=spec.capture,
        cache=spec.cache,
        webhooks=keeping.webhooks_of(spec.webhooks, entry, problems),
        otlp=exporting.otlp_of(spec.otlp, entry, problems),
        keep=keeping.keep_of(spec.keep),
        store=keeping.store_of(spec.store),
        admin=admitting.admin_of(spec.admin, entry, problems),
    )


def _listener_tls(spec: schema.ListenerTlsSpec | None, entry: Entry, problems: Problems) -> ListenerTls | None:
    if spec is None:
        return None
    certificate = readable(spec.certificate, entry, ("tls", "certificate"), problems)
    key = readable(spec.key, entry, ("tls", "key"), problems)
    if certificate and key:
        _check_chain(certificate, key, entry, problems)
    return ListenerTls(certificate or "", key or "")


def _access_log(spec: schema.AccessLogSpec, entry: Entry) -> AccessLog:
    to = spec.to if spec.to in ("stdout", "off") else absolute(spec.to, entry)
    return AccessLog(to, spec.paths)


# ------------------------------------------------------------------------------------------------ backends


def backend_of(name: str, spec: schema.BackendSpec, entry: Entry, problems: Problems) -> Backend:
    address, others = _addresses(spec, entry, problems)
    if spec.tls is not None and not address.secure:
        problems.append(
            entry.key_problem(("tls",), "only an https:// address has TLS; change the url, or leave it out")
        )
    return Backend(
        name=name,
        host=address.host,
        port=address.port,
        unix=None if address.unix is None else absolute(address.unix, entry),
        base=address.base,
        authority=address.authority,
        host_header=spec.host,
        tls=_tls(spec.tls, entry, problems) if address.secure else None,
        timeout=_given(spec.timeout),
        max_idle=spec.max_idle,
        idle=spec.idle,
        types=soap.described(spec, entry, problems),
        protect=protect_of(spec.protect, entry, problems),
        retry=retry_of(spec.retry),
        maintenance=maintenance_of(spec.maintenance, entry, problems),
        others=others,
        cost=keeping.cost_of(spec.cost),
        health=None if spec.health is None else Health(**spec.health.given(Health._fields)),
    )


def _addresses(
    spec: schema.BackendSpec, entry: Entry, problems: Problems
) -> tuple[Address, tuple[tuple[str, int], ...]]:
    """The first address, whose name and base are those of all, and hosts and ports of the others."""
    if (spec.url is None) == (spec.urls is None):
        key = () if spec.url is None else ("urls",)
        problems.append(entry.key_problem(key, "give it one `url`, or several `urls`"))
    if spec.urls is None:
        return spec.first, ()
    first, *rest = spec.urls
    for at, each in enumerate(rest, 1):
        if (each.secure, each.base, each.unix or first.unix) != (first.secure, first.base, None):
            message = "{written} is no other address of the same service: scheme and path must be those of the first"
            problems.append(entry.problem(("urls", at), message))
    places = [(each.host, each.port) for each in spec.urls]
    if len(set(places)) < len(places):
        problems.append(entry.key_problem(("urls",), "an address is there twice"))
    return first, tuple(places[1:])


def _tls(spec: schema.BackendTlsSpec | None, entry: Entry, problems: Problems) -> Tls:
    if spec is None:
        return Tls()
    ca = readable(spec.ca, entry, ("tls", "ca"), problems)
    certificate = readable(spec.certificate, entry, ("tls", "certificate"), problems)
    key = readable(spec.key, entry, ("tls", "key"), problems)
    if ca:
        _check_authority(ca, entry, problems)
    if certificate and (key or spec.key is None):
        _check_chain(certificate, key, entry, problems)
    if spec.key is not None and spec.certificate is None:
        problems.append(entry.problem(("tls", "key"), "a key needs its `certificate`"))
    return Tls(ca, spec.name, certificate, key, spec.verify)


# ------------------------------------------------------------------------------------------------ routes


def route_of(spec: routes.RouteSpec, entry: Entry, problems: Problems) -> Route:
    match = spec.match if isinstance(spec.match, Match) else _match(spec.match, entry, problems)
    if spec.path != "raw" and any(b"/" in segment.text for segment in match.segments):
        problems.append(entry.problem(("match",), "{written} has %2F in its path, which needs `path: raw`"))
    serve = spec.serve or ServeWord(Serve.LEGACY if spec.legacy is not None else Serve.NEW)
    return Route(
        name=spec.name,
        id=spec.id or spec.name,
        match=match,
        pattern=_pattern(match, spec, entry),
        serve=serve.serve,
        legacy=_target(spec.legacy, match, entry, "legacy", problems),
        new=_target(spec.new, match, entry, "new", problems),
        share=serve.share,
        journey=spec.journey or spec.id or spec.name,
        sticky=_sticky(spec.sticky),
        tester=None if spec.tester is None else Tester(spec.tester.header, spec.tester.secret),
        safe=spec.safe,
        idempotent=spec.idempotent,
        timeout=_given(spec.timeout),
        max_body=spec.max_body,
        decode=spec.decode or 0,
        raw_path=spec.path == "raw",
        priority=spec.priority,
        fallback=spec.fallback,
        four_eyes=spec.four_eyes,
        successor=spec.successor,
        deprecated=_deprecation(spec.deprecated, entry, problems),
        shadow=evidence.shadow_of(spec.shadow),
        compare=evidence.compare_of(spec.compare, entry, problems),
        ramp=evidence.ramp_of(spec.ramp, entry, problems) or (Ramp() if serve.serve is Serve.RAMP else None),
        replay=evidence.replay_of(spec.replay, entry, problems),
        writes=writes_of(spec.writes),
        crosswalk=crosswalk_of(spec.crosswalk, spec.journey or spec.id or spec.name),
        idempotency=idempotency_of(spec.idempotency),
        cache=_cache(spec.cache),
        place=entry.place(),
    )


def _match(spec: routes.MatchSpec, entry: Entry, problems: Problems) -> Match:
    match = Match(
        methods=_methods(spec.method),
        segments=spec.path,
        host=spec.host,
        headers=tuple(Predicate(name, value) for name, value in spec.header.items()),
        query=tuple(Predicate(name, value) for name, value in spec.query.items()),
    )
    if spec.soap is None:
        return match
    if match.methods not in ((), (b"POST",)):
        problems.append(
            entry.problem(("match", "method"), "SOAP operations are called with POST; leave the method out")
        )
    return match._replace(methods=(b"POST",), soap=_operation(spec.soap))


def _methods(method: str | bytes | list[bytes]) -> tuple[bytes, ...]:
    if isinstance(method, list):
        return tuple(dict.fromkeys(method))
    return (method,) if isinstance(method, bytes) else ()


def _operation(soap: str | routes.SoapSpec) -> SoapOperation:
    if isinstance(soap, str):
        return SoapOperation(soap, soap)
    element = soap.element or Element(soap.operation)
    return SoapOperation(soap.operation, element.name, element.namespace, soap.action)


def _pattern(match: Match, spec: routes.RouteSpec, entry: Entry) -> str:
    """The match as written; of predicates only the names, since values may be secrets."""
    if isinstance(spec.match, Match):
        return entry.document.written((*entry.pointer, "match"))
    verb = b",".join(match.methods).decode() or "ANY"
    path = entry.document.written((*entry.pointer, "match", "path"))
    if match.soap is not None:
        verb, path = "SOAP", f"{path}#{match.soap.name}"
    host = f" on {match.host.decode()}" if match.host else ""
    names = [*(each.name.decode() for each in match.headers), *(f"?{each.name.decode()}" for each in match.query)]
    return f"{verb} {path}{host}" + (f" with {', '.join(names)}" if names else "")


def _target(
    spec: str | routes.TargetSpec | None, match: Match, entry: Entry, side: str, problems: Problems
) -> Target | None:
    if spec is None or isinstance(spec, str):
        return None if spec is None else Target(spec)
    for part in spec.path or ():
        if isinstance(part, Placeholder) and not _can_fill(part, match):
            names = ", ".join(f"{{{each.text.decode()}}}" for each in match.segments if each.kind == "one")
            offer = (
                "** stands only for a match that ends in **" if part.source == "rest" else f"it has {names or 'none'}"
            )
            problems.append(entry.problem((side, "path"), f"{{written}}: the match has no such placeholder; {offer}"))
    wanted = soap.wanted(spec, match, entry, side, problems)
    return Target(spec.backend, spec.path, spec.method, _edit(spec.headers), _edit(spec.answer_headers), wanted)


def _can_fill(placeholder: Placeholder, match: Match) -> bool:
    if placeholder.source == "rest":
        return match.segments[-1].kind == "rest"
    if placeholder.source == "body":
        return match.soap is not None
    named = any(each.kind == "one" and each.text == placeholder.name for each in match.segments)
    return placeholder.source != "path" or named


def _edit(spec: routes.HeadersSpec | None) -> HeaderEdit:
    if spec is None:
        return HeaderEdit()
    return HeaderEdit(
        add=tuple((name.encode(), value) for name, value in spec.add.items()),
        remove=tuple(name.lower().encode() for name in spec.remove),
    )


def _sticky(spec: str | routes.CookieSpec | routes.HeaderSpec | routes.QuerySpec | None) -> Sticky | None:
    match spec:
        case None:
            return None
        case routes.CookieSpec():
            return Sticky("cookie", spec.cookie, spec.issue)
        case routes.HeaderSpec():
            return Sticky("header", spec.header)
        case routes.QuerySpec():
            return Sticky("query", spec.query)
        case str():
            return Sticky("address")


def _cache(spec: routes.CacheSpec | None) -> CachePolicy | None:
    if spec is None:
        return None
    vary = tuple(sorted({name.lower() for name in spec.vary}))
    key = None if spec.key is None else tuple(sorted(set(spec.key)))
    return CachePolicy(**spec.given(("ttl", "stale_if_error")), vary=vary, key=key)


def _deprecation(spec: routes.DeprecatedSpec | None, entry: Entry, problems: Problems) -> Deprecation | None:
    if spec is None:
        return None
    if spec.sunset is not None and spec.sunset < spec.since:
        problems.append(entry.problem(("deprecated", "sunset"), "{written} is before `since` (RFC 9745 forbids it)"))
    return Deprecation(spec.since, spec.sunset, spec.link)


# ------------------------------------------------------------------------------------------------ times and files


def _given(spec: BackendTimeoutSpec) -> tuple[tuple[str, float], ...]:
    """The timeouts that were written, in the core's order."""
    return tuple(spec.given(Timeouts._fields).items()) if spec.model_fields_set else ()


def _check_authority(path: str, entry: Entry, problems: Problems) -> None:
    import ssl  # only where TLS is used

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (ssl.SSLError, OSError):
        problems.append(entry.problem(("tls", "ca"), "the file {written} holds no PEM certificate"))


def _check_chain(certificate: str, key: str | None, entry: Entry, problems: Problems) -> None:
    """A certificate and key must be PEM, belong together, and need no password (nobody is there to type it)."""
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError):
        message = "the file {written} and its key are not a PEM certificate and the key for it, without a password"
        problems.append(entry.problem(("tls", "certificate"), message))
