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
    by = ""
    if case.route.standing.record:
        by = ", which an override has set"
    elif case.route.route.writes.record:
        by = ", which `writes` names: `serve` moves the reads alone"
    return f"{reason}: writes go whole to the record, {case.side}{by}"


def _settles(case: Case) -> str:
    return f"the client has just written, so its reads stay on the record, {case.side}, for a while"


def _crosswalk(case: Case) -> str:
    return f"the request names something that {case.side} alone has yet"


def _tester(case: Case) -> str:
    return f"a tester asked for {case.side}, with the right secret"


def _override(case: Case) -> str:
    return f"by an override {case.side} serves everyone, whatever the file says"


def _serves(case: Case) -> str:
    serve, standing = case.route.route.serve, case.route.standing
    if serve is Serve.RAMP and standing.why in UNKNOWN:
        return f"`serve: ramp`, but {UNKNOWN[standing.why]}: as long as it is not known, legacy serves everyone"
    if serve is Serve.RAMP or serve is Serve.SPLIT:
        return f"{_shared(case.route)}, so {case.side} serves everyone"
    return f"`serve: {serve}`"


def _bucket(case: Case) -> str:
    route, sticky = case.route, case.route.route.sticky
    assert sticky is not None, "a bucket comes from a key"
    bucket = bucket_of(route.journey, client_key(sticky, case.request, case.address))
    below = "below" if case.side == "new" else "not below"
    which = f"bucket {bucket} of {key_name(sticky)} is {below} {_share(route)}"
    return f"{_shared(route)}; {which}, so {case.side} serves"


def _drawn(case: Case) -> str:
    sticky = case.route.route.sticky
    reason = f"the request has no {key_name(sticky)}" if sticky else "the route has no `sticky`"
    return f"{_shared(case.route)}; {reason}, so the side is drawn at random per request"


SENTENCES: dict[str, Callable[[Case], str]] = {
    "retired": _retired,
    "record": _record,
    "override": _override,
    "tester": _tester,
    "serves": _serves,
    "bucket": _bucket,
    "drawn": _drawn,
    "settles": _settles,
    "crosswalk": _crosswalk,
}


def key_name(sticky: Sticky) -> str:
    """What identifies the client, in words."""
    return "the client's address" if sticky.source == "address" else f"{sticky.source} `{sticky.name.decode()}`"


def _share(route: PlannedRoute) -> int:
    return route.share if route.override is None else route.override


def _shared(route: PlannedRoute) -> str:
    """What goes to new, and by whose word where that is not the file's."""
    by = ""
    if route.override is not None:
        by = "by an override "
    elif route.route.serve is Serve.RAMP:
        by = f"by its ramp{RAMPS[route.standing.why]} "
    return f"{by}{_share(route) / 100:g} % go to new"


RAMPS = {
    "": "",
    "climbing": ", which is climbing,",
    "paused": ", which is paused,",
    "rolled_back": ", which was rolled back,",
    "finished": ", which has finished,",
    "unknown": ", which cannot tell where it stands,",
}
UNKNOWN = {
    "": "where its ramp stands is known to the running gateway alone (`banyan explain --running` asks it)",
    "unknown": "where its ramp stands cannot be read",
}
