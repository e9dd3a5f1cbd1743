"""Writes: is anything owed that nobody delivers? What waits, what needs a person, and one write whole."""

from typing import Any

from aiohttp import web

from gateway.access.refusals import Refusal
from gateway.admin.orders import STEERING
from gateway.admin.pages import wording
from gateway.admin.pages.needs import DEAD
from gateway.admin.pages.rendering import looking, page
from gateway.core.writing import OPEN
from gateway.errors import CommandError

PAGE = 50
SHOWN = {
    "open": "Not done",
    "stuck": "Needs a person",
    "ready": "On its way",
    "delivered": "Delivered",
    "given": "Given up",
}
_STATES = {
    "open": [],
    "stuck": [*DEAD],
    "ready": ["pending", "ready", "delivering"],
    "given": ["dropped", "refused", "expired"],
}


async def writes(request: web.Request) -> web.Response:
    look, query = await looking(request), request.query
    shown = query.get("show", "open") if query.get("show") in SHOWN else "open"
    after = _number(query.get("after", "")) or 0
    route, why = query.get("route") or None, ""
    told: dict[str, Any] = {"writes": [], "counts": []}
    try:
        told = await look.steering.writes.listed(_STATES.get(shown, [shown]), route, PAGE, after)
    except CommandError as error:
        why = str(error)
    rows = [each | {"at": wording.unix(each["at"]), "next": wording.unix(each["next_try"])} for each in told["writes"]]
    counts = [each | {"oldest": wording.unix(each["oldest"])} for each in told["counts"]]
    owing = [each for each in counts if each["state"] in OPEN]
    copying = [route for route in look.steering.loaded.estate.routes if route.writes.copy or route.writes.queue]
    return page(
        look,
        "writes.html",
        "writes",
        "Writes",
        writes=rows,
        counts=counts,
        depth=sum(each["writes"] for each in owing),
        oldest=min((each["oldest"] for each in owing), default=None),
        stuck=sum(each["writes"] for each in counts if each["state"] in DEAD),
        shown=shown,
        kinds=SHOWN,
        route=route,
        why=why,
        more=rows[-1]["number"] if len(rows) == PAGE else None,
        copying=copying,
    )


async def write(request: web.Request) -> web.Response:
    """One of them, with what it sends; secrets masked."""
    look = await looking(request)
    try:
        found = await look.steering.writes.one(request.match_info["id"])
    except CommandError as error:
        raise Refusal(404, str(error)) from error
    times = {name: wording.unix(found[name]) for name in ("at", "until", "next_try", "changed")}
    return page(look, "write.html", "writes", f"Write {found['id'][:8]}", write=found | times)


async def reconciled(request: web.Request) -> web.Response:
    """What there is to be reconciled of a route's journey, and the command that does it."""
    look, name = await looking(request), request.match_info["name"]
    why, keys = "", list[str]()
    try:
        keys = (await request.app[STEERING].reconciling.keys(name))["keys"]
    except CommandError as error:
        why = str(error)
    return page(look, "reconcile.html", "writes", f"Reconcile {name}", route=name, keys=keys, why=why)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
