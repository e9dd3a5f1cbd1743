"""What needs a person, broken things first: the first line of the overview, and the count in each tab's title."""

import json
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple
from urllib.parse import urlencode

from gateway.access.eyes import Asked
from gateway.admin.pages.figures import Figures
from gateway.admin.pages.wording import Clock, count, unix
from gateway.admin.steering import Document, Steering
from gateway.core.writing import OPEN
from gateway.errors import CommandError

Kind = Literal["rolled_back", "broken", "approval", "second", "waiting"]
DEAD = ("dead", "unresolved")
"""States of writes that wait for a person."""


class Need(NamedTuple):
    """One thing: what kind (`label` says it), what it is about, one sentence why, and one action."""

    kind: Kind
    label: str
    subject: str
    href: str
    sentence: str
    action: str
    to: str
    filled: bool = False


async def owed(steering: Steering) -> list[Document]:
    """How many writes are owed of each route, kind and state; none where the store cannot be asked."""
    return await owed_or_not(steering) or []


async def owed_or_not(steering: Steering) -> list[Document] | None:
    """The same; None where the store cannot be asked."""
    try:
        counts = (await steering.writes.listed([], None, 1, 0))["counts"]
        return [each for each in counts if each["state"] in OPEN]
    except CommandError:
        return None


def needs_of(
    status: Document,
    ramps: Sequence[Document],
    figures: Figures,
    clock: Clock,
    writes: Sequence[Document],
    waiting: Sequence["Waiting"] = (),
) -> list[Need]:
    """All of them, broken first, then what waits."""
    found = [
        *_file(status),
        *_processes(status),
        *_ramps(ramps, clock, figures),
        *_seconds(waiting, clock),
        *_breakers(status),
        *_writes(writes, clock),
    ]
    order = ("broken", "rolled_back", "approval", "second", "waiting")
    return sorted(found, key=lambda need: order.index(need.kind))


def _file(status: Document) -> Iterator[Need]:
    config = status["config"]
    go = ("See the problem", "/configuration")
    if config["problems"]:
        sentence = f"{config['problems'][0]} The last good file goes on serving."
        yield Need("broken", "Refused file", config["file"].rpartition("/")[2], "/configuration", sentence, *go)
    if config["held"]:
        sentence = f"{config['held']}. The last good file goes on serving."
        yield Need(
            "waiting", "Held file", config["file"].rpartition("/")[2], "/configuration", sentence, "Look at it", go[1]
        )


def _processes(status: Document) -> Iterator[Need]:
    if not status["ready"]:
        yield Need("broken", "Not serving", "the data process", "/backends", "It is being started again.", "See", "/")
    if not status["store"]["available"]:
        sentence = f"{status['store']['why']} Traffic does not depend on it; nothing is promoted meanwhile."
        yield Need("broken", "Store", "the store", "/configuration", sentence, "See", "/configuration")


def _ramps(ramps: Sequence[Document], clock: Clock, figures: Figures) -> Iterator[Need]:
    for ramp in ramps:
        name, route = ramp["ramp"], ramp["routes"][0] if ramp["routes"] else ramp["ramp"]
        since = clock.brief(unix(ramp["since"]) or clock.now)
        if ramp["state"] == "rolled back":
            sentence = f"Back on legacy: {ramp['why']}"
            yield Need(
                "rolled_back",
                "Rolled back",
                name,
                f"/routes/{route}",
                sentence,
                "See the differences",
                f"/routes/{route}/disagreements",
            )
        elif ramp["state"] == "awaiting approval":
            share = ramp["next"]["share"] if ramp["next"] else 100.0
            rate = sum(figures.rate(each, side) for each in ramp["routes"] for side in ("legacy", "new"))
            more = rate * (share - ramp["share"]) / 100
            sentence = (
                f"All guards met at {ramp['share']:g}% new since {since}. Next stage is {share:g}%, "
                f"about {count(round(more))} more requests a minute."
            )
            yield Need(
                "approval",
                "Approval",
                name,
                f"/routes/{route}",
                sentence,
                f"Review {share:g}%",
                f"/routes/{route}",
                filled=True,
            )


class Waiting(NamedTuple):
    """What somebody asked for that waits for a second person, and a route of it."""

    asked: Asked
    route: str


def waiting_of(steering: Steering) -> list[Waiting]:
    """What waits for a second person."""
    asked = steering.four_eyes.waiting
    names = {route.journey: route.name for route in steering.loaded.estate.routes} if asked else {}
    return [Waiting(each, names.get(each.subject, each.subject)) for each in asked]


def _seconds(waiting: Sequence[Waiting], clock: Clock) -> Iterator[Need]:
    for each, route in waiting:
        order = json.loads(each.what)
        serve, lasting = order.get("serve", ""), order.get("for")
        words = " ".join(part for part in (each.action, serve, _for(lasting), _too(order)) if part)
        sentence = f"{each.by} asked for “{words}” at {clock.brief(each.at)}: {each.reason}. It takes a second person."
        if not each.subject:
            yield Need("second", "Second person", "the file", "/configuration", sentence, "Review", "/configuration")
            continue
        told = {"to": serve.removesuffix(" new"), "serve": serve.removesuffix(" new"), "for": _for(lasting)[4:]}
        names = {"flip": ("to",), "override": ("serve", "for")}.get(each.action, ())
        query = {name: told[name] for name in names} | ({"writes": "yes"} if order.get("writes") else {})
        to = f"/routes/{route}/do/{each.action}" + (f"?{urlencode(query)}" if query else "")
        yield Need("second", "Second person", each.subject, f"/routes/{route}", sentence, "Review", to, filled=True)


def _for(seconds: float | None) -> str:
    return f"for {seconds:g}s" if seconds else ""


def _too(order: Document) -> str:
    return "with its writes" if order.get("writes") else ""


def _breakers(status: Document) -> Iterator[Need]:
    for name, guard in (status["data"].get("guards") or {}).items():
        if guard[2] == "open":
            sentence = "Its breaker is open: it failed again and again, and is spared until it answers."
            yield Need("broken", "Breaker open", name, f"/backends#{name}", sentence, "See the backend", "/backends")


def _writes(counts: Sequence[Document], clock: Clock) -> Iterator[Need]:
    stuck = [each for each in counts if each["state"] in DEAD]
    if stuck:
        number = sum(each["writes"] for each in stuck)
        oldest = min(unix(each["oldest"]) or clock.now for each in stuck)
        what, whose = ("write needs", "its key") if number == 1 else ("writes need", "their keys")
        since = clock.brief(oldest)
        sentence = f"{count(number)} {what} a person, the oldest since {since}. Later ones of {whose} wait."
        yield Need("waiting", "Writes", "the outbox", "/writes", sentence, "Look at them", "/writes")
