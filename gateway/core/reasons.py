"""Why a side serves a request, in a sentence for each word that `planning.side_of` gives as its reason."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.core.model import Request, Serve, Side, Sticky
from gateway.core.planning import Choice, PlannedRoute, client_key
from gateway.core.splitting import bucket_of


class Case(NamedTuple):
    """A side that was chosen, and for what: `address` is the client's."""

    side: Side
    route: PlannedRoute
    request: Request
    address: bytes


def why(choice: Choice, route: PlannedRoute, request: Request, address: bytes) -> str:
    """The sentence for a choice."""
    return SENTENCES[choice.why](Case(choice.side, route, request, address))


def _retired(case: Case) -> str:
    return "`serve: retired`: the gateway answers 410 itself and sends nothing"


def _record(case: Case) -> str:
    declared = case.route.route.safe is False
    reason = "the route says `safe: false`" if declared else f"{case.request.method.decode()} is unsafe"
    return f"{reason}: writes go whole to the record, {case.side}"


def _tester(case: Case) -> str:
    return f"a tester asked for {case.side}, with the right secret"


def _serves(case: Case) -> str:
    if case.route.route.serve is Serve.SPLIT:
        return f"{_percent(case.route)} go to new, so {case.side} serves everyone"
    return f"`serve: {case.route.route.serve}`"


def _bucket(case: Case) -> str:
    route, sticky = case.route, case.route.route.sticky
    assert sticky is not None, "a bucket comes from a key"
    bucket = bucket_of(route.journey, client_key(sticky, case.request, case.address))
    below = "below" if case.side == "new" else "not below"
    which = f"bucket {bucket} of {key_name(sticky)} is {below} {route.share}"
    return f"{_percent(route)} go to new; {which}, so {case.side} serves"


def _drawn(case: Case) -> str:
    sticky = case.route.route.sticky
    reason = f"the request has no {key_name(sticky)}" if sticky else "the route has no `sticky`"
    return f"{_percent(case.route)} go to new; {reason}, so the side is drawn at random per request"


SENTENCES: dict[str, Callable[[Case], str]] = {
    "retired": _retired,
    "record": _record,
    "tester": _tester,
    "serves": _serves,
    "bucket": _bucket,
    "drawn": _drawn,
}


def key_name(sticky: Sticky) -> str:
    """What identifies the client, in words."""
    return "the client's address" if sticky.source == "address" else f"{sticky.source} `{sticky.name.decode()}`"


def _percent(route: PlannedRoute) -> str:
    return f"{route.share / 100:g} %"
