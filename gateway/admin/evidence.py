"""The admin room's questions about ramps, overrides, comparisons and events."""

from aiohttp import web

from gateway.admin.levers import standing_of, tag_of
from gateway.admin.orders import STEERING, number
from gateway.admin.questions import Question
from gateway.admin.steering import Desk
from gateway.core.access import Role

MOST_HOURS = 24 * 400
MOST_EVENTS = 1_000


def _desk(request: web.Request) -> Desk:
    return request.app[STEERING].desk


async def ramps(request: web.Request) -> web.Response:
    return web.json_response({"ramps": _desk(request).ramps()})


async def ramp(request: web.Request) -> web.Response:
    found = _desk(request).ramp(request.match_info["name"])
    tag = tag_of(standing_of(request.app[STEERING], found["ramp"]))
    return web.json_response(found, headers={"ETag": tag})


async def overrides(request: web.Request) -> web.Response:
    return web.json_response({"overrides": _desk(request).overrides()})


async def shadow(request: web.Request) -> web.Response:
    hours = number(request, "hours", 24, MOST_HOURS)
    return web.json_response(await _desk(request).shadow(request.match_info["route"], hours))


async def events(request: web.Request) -> web.Response:
    query = request.query
    limit = number(request, "limit", 50, MOST_EVENTS)
    found = await _desk(request).events(limit, query.get("before"), query.get("route"), query.get("journey"))
    return web.json_response(found)


_PAGES = {"limit": "How many, at most.", "before": "The id of one, to go on with older ones."}
QUESTIONS = (
    Question("/api/v1/ramps", Role.VIEWER, "Every ramp: where it stands, on what evidence, what is missing.", ramps),
    Question("/api/v1/ramps/{name}", Role.VIEWER, "The ramp of a journey, or of one of its routes.", ramp),
    Question("/api/v1/overrides", Role.VIEWER, "Every override that is live.", overrides),
    Question(
        "/api/v1/shadow/{route}",
        Role.VIEWER,
        "What comparing a route's answers has shown: verdicts, fields, examples.",
        shadow,
        {"hours": "Of the last so many hours; 24."},
    ),
    Question(
        "/api/v1/events",
        Role.VIEWER,
        "What happened, the latest first.",
        events,
        {**_PAGES, "route": "Of this route, and of its ramp.", "journey": "Of this journey."},
    ),
)
