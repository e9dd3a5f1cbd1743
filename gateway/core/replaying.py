"""Which recorded requests are replayed on a route, and when a daily replay is due.

Sent again is only what the route would take today and what changes nothing there: a recording may be older than the
table, and of other routes, too.
"""

from itertools import count, islice
from typing import NamedTuple

from gateway.core.captured import CapturedRequest
from gateway.core.explaining import routed
from gateway.core.har import Recording, Skipped
from gateway.core.matching import RoutingTable
from gateway.errors import ClientError, CommandError

DAY = 86_400


class Chosen(NamedTuple):
    """The requests to send, in the order of the recording, and the entries that are not sent, each with the reason."""

    requests: tuple[CapturedRequest, ...]
    skipped: tuple[Skipped, ...]


def chosen(table: RoutingTable, route: str, recording: Recording, limit: int | None = None) -> Chosen:
    """What of a recording can be replayed on a route; `limit` is how many requests at most, the first ones.

    Raises CommandError for a route that has nothing to compare.
    """
    planned = table.routes.get(route)
    if planned is None:
        raise CommandError(f"There is no route {route!r}. `banyan routes` lists them.")
    if len(planned.plans) < 2 or planned.retired:
        raise CommandError(f"{route} does not have two sides that answer, so there is nothing to compare.")
    unread = {each.entry for each in recording.skipped}
    numbers = (number for number in count(1) if number not in unread)
    requests: list[CapturedRequest] = []
    skipped = list(recording.skipped)
    for number, recorded in zip(numbers, recording.requests, strict=False):
        if why := why_not(table, route, recorded):
            skipped.append(Skipped(number, why))
        else:
            requests.append(recorded)
    return Chosen(tuple(islice(requests, limit)), tuple(sorted(skipped)))


def why_not(table: RoutingTable, route: str, recorded: CapturedRequest) -> str:
    """Why a request is not replayed on a route; "" when it is."""
    try:
        found = routed(table, recorded.request(), recorded.body)
    except ClientError as fault:
        return f"the gateway would answer {fault.status}: {fault.detail}"
    if found.name != route:
        return f"the route {found.name} takes it"
    if recorded.method not in found.safe:
        return f"{recorded.method.decode()} may change something; only safe requests are replayed"
    return ""


class Due(NamedTuple):
    """The latest time at which a daily replay was to begin: its day, counted from 1970, and how late it is, in
    seconds."""

    day: int
    late: float


def due(minute: int, now: float) -> Due:
    """When a replay that is due at `minute` of every day (UTC) was due last, seen from `now` (Unix seconds)."""
    day, late = divmod(now - 60 * minute, DAY)
    return Due(int(day), late)
