"""Settings back in the words of routes.yaml: only what differs from the defaults, and no secret.

For people to read, and for estates to be compared with one another.
"""

from collections.abc import Callable, Iterable
from typing import Any

from gateway.config.measures import DAYS
from gateway.config.words import rate_text
from gateway.core.administering import Administration, Oidc
from gateway.core.comparing.values import pointer_text
from gateway.core.policies import (
    BreakerPolicy,
    CachePolicy,
    Closed,
    Compare,
    Crosswalk,
    Guards,
    Health,
    Hours,
    Idempotency,
    Keep,
    Maintenance,
    Otlp,
    Pointer,
    Protect,
    Ramp,
    Replay,
    RetryPolicy,
    Shadow,
    StoreSettings,
    Webhook,
    Writes,
)
from gateway.core.secrecy import MASK, shown_url

Document = dict[str, Any]
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def told(value: Any) -> Document:
    """A setting of a type in TOLD, as plain JSON values."""
    document, usual = TOLD[type(value)]
    return _differing(document(value), document(usual))


def _differing(document: Document, usual: Document) -> Document:
    return {key: each for key, each in document.items() if each != usual.get(key)}


def in_one_line(value: Any) -> str:
    """Plain JSON values as they would stand in the file, in one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {in_one_line(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(in_one_line(each) for each in value) + "]"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case None:
            return "null"
        case "":
            return '""'
        case _:
            return str(value)


def share_text(share: int) -> str:
    """Parts of BUCKETS: `25%`."""
    return f"{share / 100:g}%"


def duration_text(seconds: float) -> str:
    """Seconds as a duration is written: `1m30s`."""
    left, words = round(seconds * 1_000), ""
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def clock_text(minute: int) -> str:
    """Minutes after midnight: `02:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


# ------------------------------------------------------------------------------------------------ one by one


def _shadow(shadow: Shadow) -> Document:
    return {
        "share": share_text(shadow.share),
        "noise": share_text(shadow.noise),
        "sandbox": shadow.sandbox,
        "timeout": duration_text(shadow.timeout),
    }


def _compare(compare: Compare) -> Document:
    keyed = {pointer_text(place): member or None for place, member in compare.unordered}
    return {
        "ignore": _places(compare.ignore),
        "unordered": keyed if any(keyed.values()) else list(keyed),
        "tolerance": {pointer_text(place): most for place, most in compare.tolerance},
        "same_instant": _places(compare.same_instant),
        "case": _places(compare.case),
        "absent_is_null": _places(compare.absent_is_null),
        "map": {pointer_text(place): dict(values) for place, values in compare.map},
        "headers": [name.decode() for name in compare.headers],
        "show": _places(compare.show),
        "redact": _places(compare.redact),
    }


def _places(places: Iterable[Pointer]) -> list[str]:
    return [pointer_text(place) for place in places]


def _ramp(ramp: Ramp) -> Document:
    return {
        "stages": [share_text(stage.share) for stage in ramp.stages],
        "every": duration_text(ramp.every),
        "only": None if ramp.only is None else _hours(ramp.only),
        "approve_at": [share_text(stage.share) for stage in ramp.stages if stage.approve],
        "guards": _differing(_guards(ramp.guards), _guards(Guards())),
        "on_breach": ramp.on_breach,
    }


def _hours(hours: Hours) -> Document:
    return {
        "days": [DAYS[day] for day in hours.days],
        "hours": f"{clock_text(hours.begin)}-{clock_text(hours.end)}",
        "timezone": hours.timezone,
    }


def _guards(guards: Guards) -> Document:
    percentile = f"latency_p{guards.percentile * 100:g}"
    return {
        "parity": "off" if guards.parity is None else f"{guards.parity * 100:g}%",
        "errors": "off" if guards.errors is None else f"+{guards.errors * 100:g}%",
        **({"latency": "off"} if guards.latency is None else {percentile: f"{guards.latency:g}x"}),
        "samples": guards.samples,
    }


def _replay(replay: Replay) -> Document:
    return {"from": replay.source, "daily": clock_text(replay.minute)}


def _writes(writes: Writes) -> Document:
    return {
        "record": writes.record,
        "settle": duration_text(writes.settle),
        "copy": writes.copy,
        "when_down": "queue" if writes.queue else "refuse",
        "key": None if writes.key is None else str(writes.key),
        "give_up": duration_text(writes.give_up),
    }


def _crosswalk(crosswalk: Crosswalk) -> Document:
    ways = {name: each and str(each) for name, each in (("legacy", crosswalk.legacy), ("new", crosswalk.new))}
    return {"name": crosswalk.name, **ways, "at": [str(each) for each in crosswalk.at]}


def _idempotency(idempotency: Idempotency) -> Document:
    return {"keep": duration_text(idempotency.keep), "required": idempotency.required}


def _cache(cache: CachePolicy) -> Document:
    lasting = {name: duration_text(getattr(cache, name)) for name in ("ttl", "stale_if_error")}
    told = {**lasting, "vary": [name.decode() for name in cache.vary]}
    return told if cache.key is None else told | {"key": [f"query.{name.decode()}" for name in cache.key]}


def _protect(protect: Protect) -> Document:
    breaker = protect.breaker
    return {
        "max_concurrent": protect.max_concurrent,
        "rate": rate_text(protect.rate) if protect.rate else 0,
        "burst": protect.burst,
        "queue": {"size": protect.queue, "wait": duration_text(protect.wait)},
        "breaker": None if breaker is None else _breaker(breaker),
        "copies": share_text(protect.copies),
        "abandon_after": duration_text(protect.abandon_after),
    }


def _maintenance(maintenance: Maintenance) -> Document:
    windows = maintenance.windows
    every_day = Closed().days
    document: Document = {
        "daily": [_span(each) for each in windows if each.first is None and each.days == every_day],
        "weekly": [
            " ".join((",".join(DAYS[day] for day in each.days), _span(each)))
            for each in windows
            if each.first is None and each.days != every_day
        ],
        "dates": [
            f"{each.first} {clock_text(each.begin)} to {each.last} {clock_text(each.end)}"
            for each in windows
            if each.first is not None
        ],
        "timezone": maintenance.timezone,
    }
    return document


def _span(window: Closed) -> str:
    return f"{clock_text(window.begin)}-{clock_text(window.end)}"


def _health(health: Health) -> Document:
    lasting = {name: duration_text(getattr(health, name)) for name in ("every", "timeout")}
    return {"path": health.path.decode(), **lasting, "after": health.after}


def _retry(retry: RetryPolicy) -> Document:
    return {
        "attempts": retry.attempts,
        "on": [int(each) if each.isdigit() else each for each in retry.on],
        "backoff": duration_text(retry.backoff),
        "budget": f"{retry.budget * 100:g}%",
    }


def _breaker(breaker: BreakerPolicy) -> Document:
    lasting = {name: duration_text(getattr(breaker, name)) for name in ("window", "retry_after", "slow")}
    document = {"open_after": breaker.open_after, "share": f"{breaker.share * 100:g}%", **lasting}
    return document if breaker == BreakerPolicy() else _differing(document, _breaker(BreakerPolicy()))


def _webhook(webhook: Webhook) -> Document:
    secret = MASK if webhook.secret else ""
    return {"url": shown_url(webhook.url, path=False), "secret": secret, "events": list(webhook.events)}


def _otlp(otlp: Otlp) -> Document:
    return {
        "endpoint": shown_url(otlp.endpoint, path=False),
        "headers": dict.fromkeys((name for name, _ in otlp.headers), MASK),
        "traces": "off" if otlp.traces is None else share_text(otlp.traces),
        "metrics": "off" if otlp.metrics is None else duration_text(otlp.metrics),
    }


def _administration(admin: Administration) -> Document:
    lasting = {name: duration_text(getattr(admin, name)) for name in ("idle", "lasts")}
    oidc = None if admin.oidc is None else told(admin.oidc)
    named = {"name": admin.name, "timezone": admin.timezone, **lasting, "url": admin.url}
    return {**named, "trusted_proxies": list(admin.trusted_proxies), "oidc": oidc}


def _oidc(oidc: Oidc) -> Document:
    return {
        "issuer": oidc.issuer,
        "client_id": oidc.client_id,
        "client_secret": MASK if oidc.client_secret else "",
        "roles": {str(role): list(values) for role, values in oidc.roles},
        "roles_claim": oidc.roles_claim,
        "name_claim": oidc.name_claim,
        "scopes": list(oidc.scopes),
    }


def _keep(keep: Keep) -> Document:
    lasting = {name: duration_text(getattr(keep, name)) for name in ("traffic", "writes", "evidence", "events")}
    return {**lasting, "examples": keep.examples}


def _store(store: StoreSettings) -> Document:
    url = None if store.url is None else shown_url(store.url, path=True)
    return {"url": url, "upgrade": "auto" if store.upgrade else "manual"}


TOLD: dict[type, tuple[Callable[[Any], Document], Any]] = {
    Shadow: (_shadow, Shadow(0)),
    Compare: (_compare, Compare()),
    Ramp: (_ramp, Ramp(stages=())),
    Replay: (_replay, Replay("", -1)),
    Writes: (_writes, Writes()),
    Crosswalk: (_crosswalk, Crosswalk("")),
    CachePolicy: (_cache, CachePolicy(-1.0, -1.0)),
    Idempotency: (_idempotency, Idempotency(keep=-1)),
    Protect: (_protect, Protect()),
    Health: (_health, Health(b"")),
    Maintenance: (_maintenance, Maintenance(())),
    RetryPolicy: (_retry, RetryPolicy(attempts=0)),
    Webhook: (_webhook, Webhook("", b"")),
    Otlp: (_otlp, Otlp("")),
    Administration: (_administration, Administration()),
    Oidc: (_oidc, Oidc("", "", "")),
    Keep: (_keep, Keep()),
    StoreSettings: (_store, StoreSettings()),
}
"""How each type is told, and the value that goes without saying."""
