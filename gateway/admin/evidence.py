"""The admin room's addresses for ramps, overrides, comparisons and events. Questions read; orders tell who and why."""

from aiohttp import web

from gateway.admin.orders import STEERING, Handler, Kinds, number, spoken_order
from gateway.admin.steering import Desk
from gateway.config.words import YEAR
from gateway.errors import CommandError

MOST_HOURS = 24 * 400
MOST_EVENTS = 1_000


def _desk(request: web.Request) -> Desk:
    return request.app[STEERING].desk


# ------------------------------------------------------------------------------------------------ questions


async def ramps(request: web.Request) -> web.Response:
    return web.json_response({"ramps": _desk(request).ramps()})


async def ramp(request: web.Request) -> web.Response:
    """By the name of a journey, or of one of its routes."""
    return web.json_response(_desk(request).ramp(request.match_info["name"]))


async def overrides(request: web.Request) -> web.Response:
    return web.json_response({"overrides": _desk(request).overrides()})


async def shadow(request: web.Request) -> web.Response:
    """`?hours=24`: verdicts, fields and examples of a route."""
    hours = number(request, "hours", 24, MOST_HOURS)
    return web.json_response(await _desk(request).shadow(request.match_info["route"], hours))


async def events(request: web.Request) -> web.Response:
    """`?limit=50&before=ID&route=NAME&journey=NAME`, all of them optional; the latest come first."""
    query = request.query
    limit = number(request, "limit", 50, MOST_EVENTS)
    found = await _desk(request).events(limit, query.get("before"), query.get("route"), query.get("journey"))
    return web.json_response(found)


# ------------------------------------------------------------------------------------------------ orders


async def act(request: web.Request) -> web.Response:
    """`{"by", "reason"}`; the action is the last part of the address."""
    order = await spoken_order(request)
    name, action = request.match_info["name"], request.match_info["action"]
    return web.json_response(await _desk(request).act(name, action, order["by"], order["reason"]))


async def override(request: web.Request) -> web.Response:
    """`{"serve": "legacy", "for": seconds or null, "writes": bool, "by", "reason"}`"""
    kinds: dict[str, type | Kinds] = {"serve": str, "for": (int, float, type(None)), "writes": bool}
    order = await spoken_order(request, **kinds)
    seconds, name = order["for"], request.match_info["route"]
    if seconds is not None and not 0 < seconds <= YEAR:
        raise CommandError("`for` must be seconds, more than none and a year at most; null is without an end.")
    done = await _desk(request).override(
        name, order["serve"], seconds, writes=order["writes"], by=order["by"], reason=order["reason"]
    )
    return web.json_response(done)


async def clear_override(request: web.Request) -> web.Response:
    """`{"by", "reason"}`"""
    order = await spoken_order(request)
    return web.json_response(
        await _desk(request).clear_override(request.match_info["route"], order["by"], order["reason"])
    )


READ: dict[str, Handler] = {
    "/api/v1/ramps": ramps,
    "/api/v1/ramps/{name}": ramp,
    "/api/v1/overrides": overrides,
    "/api/v1/shadow/{route}": shadow,
    "/api/v1/events": events,
}
ORDERS: dict[str, Handler] = {
    "/api/v1/ramps/{name}/{action}": act,
    "/api/v1/overrides/{route}": override,
    "/api/v1/overrides/{route}/clear": clear_override,
}
