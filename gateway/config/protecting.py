"""What a backend can bear, and when it is asked once more, as routes.yaml says it: `protect` and `retry`."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator

from gateway.config import words
from gateway.config.kinds import Count, CountOrZero, Duration, Maybe, Spec, text
from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.core.model import BUCKETS, Backend, Route
from gateway.core.policies import BreakerPolicy, Protect, RetryPolicy

if TYPE_CHECKING:
    from gateway.config.rules import Draft

Problems = list[Problem]
PLACES = 2
"""Requests that may wait for each that may be under way, unless `queue` says otherwise; of a rate, seconds of it."""
BURST = 0.1
"""The part of a second's requests that may come at once (two at least), unless `burst` says otherwise."""
COPIES = 1_000
"""The part of the bounds (of BUCKETS) that copies have, unless `copies` says otherwise."""

NOT_SAID = -1
"""Stands for `copies` until it is known whether there are any."""


class QueueSpec(Spec):
    """Where requests wait for their turn."""

    size: Maybe[CountOrZero] = None
    """How many may wait; more get 503. Default: twice `max_concurrent`, or what two seconds of the rate let through."""
    wait: Maybe[Duration] = None
    """How long one may wait; then it gets 503. Default 2s."""


class BreakerSpec(Spec):
    """When the backend is left alone because it fails. Business faults and 4xx are answers, and no failures."""

    open_after: Maybe[Count] = None
    """How many calls within `window` have to fail. Default 5."""
    share: Maybe[Annotated[int, PlainValidator(words.share), text("A share: 50%.")]] = None
    """The part of the calls within `window` that have to fail. Default 50%."""
    window: Maybe[Duration] = None
    """How far it looks back. Default 30s."""
    retry_after: Maybe[Duration] = None
    """How long it is left alone before one call tries it again. Default 15s."""
    slow: Maybe[Duration] = None
    """A call that takes longer has failed, too. Default: however long it takes."""


class ProtectSpec(Spec):
    """What the backend can bear: the gateway must never be what breaks it."""

    max_concurrent: Maybe[Count] = None
    """How many requests may be under way at once, copies among them."""
    rate: Maybe[Annotated[float, PlainValidator(words.rate), text("A rate: 50/s or 600/m.", examples=["50/s"])]] = None
    """How many requests may be sent a second (50/s), minute or hour."""
    burst: Maybe[Count] = None
    """How many of them may be sent at once. Default: a tenth of a second's, two at least."""
    queue: Maybe[QueueSpec] = None
    breaker: Maybe[BreakerSpec] = None
    copies: Maybe[Annotated[int, PlainValidator(words.share), text("A share: 10%.")]] = None
    """The part of `max_concurrent` and `rate` that copies have for themselves. Default: 10% where a route of this
    backend is shadowed or replayed, or its writes are copied or queued, nothing otherwise."""
    abandon_after: Maybe[Duration] = None
    """How long a request that is given up counts as under way if its answer does not end. Default 60s."""


Condition = Annotated[str, PlainValidator(words.retry_condition), text("connect, reset, timeout, or a status.")]


class RetrySpec(Spec):
    """When a request that failed is sent once more."""

    attempts: Maybe[Annotated[int, Field(ge=2, le=10)]] = None
    """How often it is sent in all. Default 2."""
    on: Maybe[Annotated[list[Condition], Field(min_length=1)]] = None
    """After what: connect (no connection: nothing was sent), reset (the connection ended before the answer), timeout,
    or a status from 500 on. Default: connect, reset, 503."""
    backoff: Maybe[Duration] = None
    """The longest wait before the second try, drawn by chance; it doubles from try to try. Default 50ms."""
    budget: Maybe[Annotated[int, PlainValidator(words.share), text("A share: 20%.")]] = None
    """The part of the backend's requests that retries may come to. Default 20%."""


def retry_of(spec: RetrySpec | None) -> RetryPolicy | None:
    if spec is None:
        return None
    given = spec.given(RetryPolicy._fields)
    if "on" in given:
        given["on"] = tuple(dict.fromkeys(given["on"]))
    if "budget" in given:
        given["budget"] /= BUCKETS
    return RetryPolicy()._replace(**given)


def protect_of(spec: ProtectSpec | None, entry: Entry, problems: Problems) -> Protect | None:
    if spec is None:
        return None
    _check(spec, entry, problems)
    queue = spec.queue or QueueSpec()
    rate, most = spec.rate or 0.0, spec.max_concurrent or 0
    size = queue.size if queue.size is not None else PLACES * most or ceil(PLACES * rate)
    given: dict[str, Any] = {"wait": queue.wait, "abandon_after": spec.abandon_after}
    given |= {"burst": spec.burst, "copies": NOT_SAID if spec.copies is None else spec.copies}
    if rate and spec.burst is None:
        given["burst"] = max(2, int(BURST * rate))
    given = {name: value for name, value in given.items() if value is not None}
    return Protect(max_concurrent=most, queue=size, rate=rate, breaker=_breaker(spec.breaker), **given)


def with_copies(backends: Sequence[Backend], drafts: "Sequence[Draft]", problems: Problems) -> tuple[Backend, ...]:
    """The backends, with a part of their bounds set aside for copies where there are any."""
    copied: dict[str, Draft] = {}
    for draft in drafts:
        route = draft.route
        if route.shadow is not None or route.replay is not None or route.writes.copy or route.writes.queue:
            copied |= {target.backend: draft for target in (route.legacy, route.new) if target is not None}
    return tuple(_with_copies(backend, copied.get(backend.name), problems) for backend in backends)


def _with_copies(backend: Backend, draft: "Draft | None", problems: Problems) -> Backend:
    protect = backend.protect
    if protect is None:
        return backend
    usual = COPIES if draft is not None and protect.bounded else 0
    protect = protect._replace(copies=usual if protect.copies == NOT_SAID else protect.copies)
    if draft is not None and protect.bounded:
        key = _key_of_copies(draft.route)
        if not protect.copies:
            message = (
                f"{backend.name} says `copies: 0%`, which lets none through; give them a part, or leave `{key}` out"
            )
            problems.append(draft.entry.key_problem((key,), message))
        elif protect.max_concurrent == 1 or (protect.rate and protect.burst == 1):
            tight = "max_concurrent" if protect.max_concurrent == 1 else "burst"
            message = f"{backend.name} has a `{tight}` of 1, which cannot be shared with copies; "
            problems.append(draft.entry.key_problem((key,), message + f"raise it, or leave `{key}` out"))
    return backend._replace(protect=protect)


def _key_of_copies(route: Route) -> str:
    """The key of a route for which something is sent that no client waits for."""
    if route.shadow is not None:
        return "shadow"
    return "replay" if route.replay is not None else "writes"


def _breaker(spec: BreakerSpec | None) -> BreakerPolicy | None:
    if spec is None:
        return None
    given = spec.given(BreakerPolicy._fields)
    if "share" in given:
        given["share"] /= BUCKETS
    return BreakerPolicy()._replace(**given)


def _check(spec: ProtectSpec, entry: Entry, problems: Problems) -> None:
    """Each key must be good for something."""
    if spec.burst is not None and spec.rate is None:
        problems.append(
            entry.key_problem(("protect", "burst"), "`burst` is about a rate; add `rate: 50/s`, or leave it out")
        )
    if spec.max_concurrent is None and spec.rate is None:
        for key in ("queue", "copies", "abandon_after"):
            if getattr(spec, key) is not None:
                message = (
                    f"nothing waits where nothing is bounded; add `max_concurrent` or `rate`, or leave `{key}` out"
                )
                problems.append(entry.key_problem(("protect", key), message))
        if spec.breaker is None:
            message = "protects nothing; add `max_concurrent: 20`, `rate: 50/s` or `breaker: {}`, or leave it out"
            problems.append(entry.key_problem(("protect",), message))
