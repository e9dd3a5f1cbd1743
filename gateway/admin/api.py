"""The admin room's addresses. The TCP port only reads; what changes something is taken on the Unix socket alone."""

import asyncio
from base64 import b64decode
from typing import Any

from aiohttp import web

from gateway.admin import evidence, writes
from gateway.admin.estate import estate_document, route_rows
from gateway.admin.guards import LOOPBACK_ONLY, guarded
from gateway.admin.openapi import document as openapi_document
from gateway.admin.orders import STEERING, Handler, order_of
from gateway.admin.recording import recording_orders
from gateway.admin.steering import Steering
from gateway.config.words import METHODS
from gateway.core.asking import Asked, asked
from gateway.core.explaining import explain
from gateway.errors import CommandError
from gateway.proxy.chance import fresh_digits

NO_TRAFFIC = {"legacy": {"requests": 0, "errors": 0}, "new": {"requests": 0, "errors": 0}, "refused": 0}


def admin_app(steering: Steering) -> web.Application:
    """What the admin port serves: questions only."""
    app = web.Application(middlewares=[guarded])
    app[STEERING] = steering
    app[LOOPBACK_ONLY] = True
    for path, handler in READ.items():
        app.router.add_get(path, handler)
    return app


def command_app(steering: Steering) -> web.Application:
    """What the control socket serves: the same, and orders. Only the gateway's own user can reach it."""
    app = admin_app(steering)
    app[LOOPBACK_ONLY] = False
    for path, handler in ORDERS.items():
        app.router.add_post(path, handler)
    app.router.add_routes(recording_orders(steering))
    return app


# ------------------------------------------------------------------------------------------------ probes


async def livez(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def readyz(request: web.Request) -> web.Response:
    """200 while the data process serves an accepted configuration, 503 otherwise; `?verbose` tells each check."""
    status = request.app[STEERING].status()
    code = 200 if status["ready"] else 503
    if "verbose" not in request.query:
        return web.Response(text="ok" if status["ready"] else "not ready", status=code)
    return web.json_response({"ready": status["ready"], "checks": checks(status)}, status=code)


def checks(status: dict[str, Any]) -> list[dict[str, Any]]:
    """What readiness rests on, and what an operator should look at though the gateway is ready."""
    data, config, store = status["data"], status["config"], status["store"]
    problems, held = config["problems"], config["held"]
    told = [
        ("data_process_serving", data["serving"], f"process {data['pid']}, table {data['revision']}"),
        ("configuration_accepted", data["revision"] > 0, f"{config['file']} {config['digest']}"),
        ("last_reload", config["last_reload_ok"], "; ".join(problems) or f"what serves was read {config['loaded_at']}"),
        ("file_held", not held, held or "no"),
        ("store", store["available"], store["why"] or f"it answers; this replica is {store['replica']}"),
    ]
    return [{"check": name, "ok": bool(ok), "detail": detail} for name, ok, detail in told]


async def metrics(request: web.Request) -> web.Response:
    text = await request.app[STEERING].metrics()
    return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


# ------------------------------------------------------------------------------------------------ questions


async def status(request: web.Request) -> web.Response:
    return web.json_response(request.app[STEERING].status())


async def routes(request: web.Request) -> web.Response:
    """One row per route, where it stands now, and what it served since this control process began."""
    steering = request.app[STEERING]
    estate, traffic, standings = steering.loaded.estate, steering.traffic(), steering.desk.routes()
    rows = [
        row | standings.get(row["name"], {"standing": ""}) | {"traffic": traffic.get(row["name"], NO_TRAFFIC)}
        for row in route_rows(estate)
    ]
    return web.json_response({"digest": estate.digest, "routes": rows})


async def estate(request: web.Request) -> web.Response:
    return web.json_response(estate_document(request.app[STEERING].loaded.estate))


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI document of all routes."""
    estate = request.app[STEERING].loaded.estate
    return web.json_response(await asyncio.to_thread(openapi_document, estate))


async def explain_query(request: web.Request) -> web.Response:
    """`?method=GET&url=/housing/repairs&header=Accept:+text/html&address=192.0.2.7`; `header` as often as needed."""
    query = request.query
    address = query.get("address", "127.0.0.1")
    method, url, headers = query.get("method", "GET"), query.get("url", ""), query.getall("header", [])
    return _explained(request, asked(_known(method), url, headers, address=address))


# ------------------------------------------------------------------------------------------------ orders


async def reload(request: web.Request) -> web.Response:
    """`{"accept": bool}`"""
    order = await order_of(request, accept=bool)
    result = await request.app[STEERING].reload(accept=order["accept"])
    return web.json_response(result._asdict())


async def probe_stalls(request: web.Request) -> web.Response:
    """`{"on": bool}`: begin or end measuring how late the data process' loop is."""
    order = await order_of(request, on=bool)
    return web.json_response({"sent": request.app[STEERING].order("probe_stalls", order["on"])})


async def explain_body(request: web.Request) -> web.Response:
    """`{"method", "url", "headers": ["Name: value"], "address", "body": base64 of its beginning, "size": of it all}`"""
    order = await order_of(request, method=str, url=str, headers=list, address=str, body=str, size=int)
    try:
        body = b64decode(order["body"], validate=True)
    except ValueError as error:
        raise CommandError("`body` is not base64.") from error
    headers = [str(each) for each in order["headers"]]
    ask = asked(_known(order["method"]), order["url"], headers, body, order["address"], order["size"])
    return _explained(request, ask)


def _explained(request: web.Request, ask: Asked) -> web.Response:
    steering = request.app[STEERING]
    explanation = explain(steering.table, steering.loaded.estate.gateway, ask, fresh_digits())
    return web.json_response(explanation.document())


def _known(method: str) -> str:
    if method not in METHODS:
        raise CommandError(f"{method!r} is not a method that the gateway takes; it would answer 501.")
    return method


READ: dict[str, Handler] = {
    "/livez": livez,
    "/readyz": readyz,
    "/metrics": metrics,
    "/openapi.json": openapi,
    "/api/v1/status": status,
    "/api/v1/routes": routes,
    "/api/v1/estate": estate,
    "/api/v1/explain": explain_query,
    **evidence.READ,
    **writes.READ,
}
ORDERS: dict[str, Handler] = {
    "/api/v1/reload": reload,
    "/api/v1/probe-stalls": probe_stalls,
    "/api/v1/explain": explain_body,
    **evidence.ORDERS,
    **writes.ORDERS,
}
