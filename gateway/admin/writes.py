"""The admin room's questions about writes that are owed."""

from aiohttp import web

from gateway.admin.orders import STEERING, number
from gateway.admin.questions import Question
from gateway.core.access import Role

MOST = 1_000


async def writes(request: web.Request) -> web.Response:
    query = request.query
    limit = number(request, "limit", 50, MOST)
    after = number(request, "after", 1, 10**9) if "after" in query else 0
    found = await request.app[STEERING].writes.listed(query.getall("state", []), query.get("route"), limit, after)
    return web.json_response(found)


async def write(request: web.Request) -> web.Response:
    return web.json_response(await request.app[STEERING].writes.one(request.match_info["id"]))


async def reconciled(request: web.Request) -> web.Response:
    return web.json_response(await request.app[STEERING].reconciling.keys(request.match_info["route"]))


QUESTIONS = (
    Question(
        "/api/v1/writes",
        Role.VIEWER,
        "Writes that are owed, the oldest first, and how many there are of each kind.",
        writes,
        {
            "state": "In this state; as often as needed.",
            "route": "Of this route.",
            "limit": "How many, at most.",
            "after": "The number of one, to go on with later ones.",
        },
    ),
    Question("/api/v1/writes/{id}", Role.OPERATOR, "One of them, with what it sends (secrets masked).", write),
    Question(
        "/api/v1/reconcile/{route}", Role.VIEWER, "What there is to be reconciled of a route's journey.", reconciled
    ),
)
