"""The admin room's addresses for writes that are owed: questions read; orders tell who and why."""

from aiohttp import web

from gateway.admin.orders import STEERING, Handler, number, spoken_order
from gateway.errors import CommandError

MOST = 1_000


async def writes(request: web.Request) -> web.Response:
    """`?state=dead&state=unresolved&route=NAME&limit=50&after=NUMBER`, all optional; the oldest come first."""
    query = request.query
    limit = number(request, "limit", 50, MOST)
    after = number(request, "after", 1, 10**9) if "after" in query else 0
    found = await request.app[STEERING].writes.listed(query.getall("state", []), query.get("route"), limit, after)
    return web.json_response(found)


async def write(request: web.Request) -> web.Response:
    return web.json_response(await request.app[STEERING].writes.one(request.match_info["id"]))


async def steer(request: web.Request) -> web.Response:
    """`{"by", "reason"}`; retry, drop or made is the last part of the address."""
    order = await spoken_order(request)
    told = request.match_info
    return web.json_response(
        await request.app[STEERING].writes.steer(told["id"], told["action"], order["by"], order["reason"])
    )


async def reconciled(request: web.Request) -> web.Response:
    """What there is to be reconciled of a route's journey."""
    return web.json_response(await request.app[STEERING].reconciling.keys(request.match_info["route"]))


async def reconcile(request: web.Request) -> web.Response:
    """`{"keys": [...], "repair": bool, "headers": ["Name: value"], "by", "reason"}`"""
    order = await spoken_order(request, keys=list, repair=bool, headers=list)
    if not all(isinstance(each, str) for each in (*order["keys"], *order["headers"])):
        raise CommandError("`keys` and `headers` must be lists of texts.")
    by = f"{order['by']}: {order['reason']}"
    name = request.match_info["route"]
    found = await request.app[STEERING].reconciling.run(name, order["keys"], order["repair"], order["headers"], by)
    return web.json_response(found)


READ: dict[str, Handler] = {
    "/api/v1/writes": writes,
    "/api/v1/writes/{id}": write,
    "/api/v1/reconcile/{route}": reconciled,
}
ORDERS: dict[str, Handler] = {"/api/v1/writes/{id}/{action}": steer, "/api/v1/reconcile/{route}": reconcile}
