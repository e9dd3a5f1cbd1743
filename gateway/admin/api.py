"""The admin room's addresses, in one table: questions, levers, and what goes on for a while.

The control socket serves the same as the TCP port. Whoever may open it is the gateway's owner, and needs no token.
"""

import asyncio
from base64 import b64decode
from functools import partial
from time import time
from typing import Any

from aiohttp import web

from gateway.access.organisation import Organisation
from gateway.access.refusals import Refusal
from gateway.admin import access, evidence, recording, streaming, writes
from gateway.admin.admission import (
    ATTEMPTS,
    KEYRING,
    NEEDED,
    OF_THE_OWNER,
    TRUSTED,
    Attempts,
    admitted,
    principal,
    remote,
)
from gateway.admin.estate import estate_document, route_document, route_row
from gateway.admin.guards import LOOPBACK_ONLY, TELL, guarded
from gateway.admin.levers import LEVERS, Lever, Pull, pull, route_standing, tag_of
from gateway.admin.openapi import document as openapi_document
from gateway.admin.orders import STEERING, order_of
from gateway.admin.pages.addresses import PAGES
from gateway.admin.pages.figures import Gauge
from gateway.admin.pages.rendering import GAUGE
from gateway.admin.pages.signing import ORGANISATION, error_page
from gateway.admin.published import admin_document
from gateway.admin.questions import Question
from gateway.admin.steering import Steering
from gateway.config.words import METHODS
from gateway.core.access import Role
from gateway.core.asking import Asked, asked
from gateway.core.explaining import explain
from gateway.core.forwarding import networks_of
from gateway.core.model import Route
from gateway.errors import CommandError
from gateway.proxy.chance import fresh_digits

NO_TRAFFIC = {"legacy": {"requests": 0, "errors": 0}, "new": {"requests": 0, "errors": 0}, "refused": 0}


def admin_app(steering: Steering) -> web.Application:
    """What the admin port serves: to each what their role allows."""
    return _app(steering, owner=False)


def command_app(steering: Steering) -> web.Application:
    """What the control socket serves: the same, to the gateway's own user."""
    return _app(steering, owner=True)


def _app(steering: Steering, *, owner: bool) -> web.Application:
    app = web.Application(middlewares=[guarded, admitted])
    app[STEERING], app[KEYRING], app[ATTEMPTS] = steering, steering.keyring, Attempts()
    app[TRUSTED] = lambda: networks_of(steering.loaded.estate.gateway.admin.trusted_proxies)
    app[TELL], app[ORGANISATION] = error_page, Organisation()
    app[GAUGE] = Gauge(lambda: steering.store_now, time())
    app[OF_THE_OWNER], app[LOOPBACK_ONLY] = owner, not owner
    needed: dict[tuple[str, str], Role | None] = {}
    for question in QUESTIONS:
        (app.router.add_get if question.method == "GET" else app.router.add_post)(question.path, question.handler)
        needed[question.method, question.path] = question.role
    for lever in LEVERS.values():
        app.router.add_post(lever.path, partial(pulled, lever))
        needed["POST", lever.path] = lever.role
    app[NEEDED] = needed
    return app


async def pulled(lever: Lever, request: web.Request) -> web.Response:
    """An order: JSON in, and what was done."""
    who, socket = principal(request), request.app[OF_THE_OWNER]
    said = {"by": str, "reason": str}
    may = {"by", "reason"} if not lever.spoken else () if socket else {"by"}
    order = await order_of(request, {**lever.takes, **said}, may)
    by = order.get("by", "").strip() if socket else who.name
    reason = order.get("reason", "").strip()
    if lever.spoken and not (by and reason):
        raise CommandError("`by` and `reason` must say something: who and why, for those who will ask later.")
    told = Pull(
        who, by or who.name, remote(request), request.match_info, order, reason, request.headers.get("If-Match", "")
    )
    return web.json_response(await pull(request.app[STEERING], lever, told))


# ------------------------------------------------------------------------------------------------ probes


async def livez(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def readyz(request: web.Request) -> web.Response:
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
    steering = request.app[STEERING]
    return web.json_response({"digest": steering.loaded.estate.digest, "routes": routes_document(steering)})


def routes_document(steering: Steering) -> list[dict[str, Any]]:
    """One row per route, where it stands now, and what it served since this control process began."""
    traffic, standings = steering.traffic(), steering.desk.routes()
    return [row_document(each, standings.get(each.name), traffic) for each in steering.loaded.estate.routes]


def row_document(route: Route, standing: dict[str, Any] | None, traffic: dict[str, Any]) -> dict[str, Any]:
    """One route's row."""
    where = {"standing": ""} if standing is None else standing
    return route_row(route) | where | {"traffic": traffic.get(route.name, NO_TRAFFIC)}


async def route(request: web.Request) -> web.Response:
    """With an entity tag, for those who change it afterwards."""
    steering, name = request.app[STEERING], request.match_info["name"]
    found = next((route for route in steering.loaded.estate.routes if route.name == name), None)
    if found is None:
        raise Refusal(404, f"There is no route {name!r}. /api/v1/routes lists them.")
    standing = steering.desk.routes().get(name)
    row = row_document(found, standing, steering.traffic())
    headers = {"ETag": tag_of(route_standing(found, standing or {}))}
    return web.json_response({**row, "settings": route_document(found)}, headers=headers)


async def estate(request: web.Request) -> web.Response:
    return web.json_response(estate_document(request.app[STEERING].loaded.estate))


async def openapi(request: web.Request) -> web.Response:
    estate = request.app[STEERING].loaded.estate
    return web.json_response(await asyncio.to_thread(openapi_document, estate))


async def admin_openapi(request: web.Request) -> web.Response:
    return web.json_response(admin_document(ASKED, tuple(LEVERS.values())))


async def explain_query(request: web.Request) -> web.Response:
    query = request.query
    address = query.get("address", "127.0.0.1")
    method, url, headers = query.get("method", "GET"), query.get("url", ""), query.getall("header", [])
    return _explained(request, asked(_known(method), url, headers, address=address))


async def explain_body(request: web.Request) -> web.Response:
    """`{"method", "url", "headers": ["Name: value"], "address", "body": base64 of its beginning, "size": of it all}`"""
    kinds = {"method": str, "url": str, "headers": list, "address": str, "body": str, "size": int}
    order = await order_of(request, kinds)
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


async def probe_stalls(request: web.Request) -> web.Response:
    """`{"on": bool}`"""
    order = await order_of(request, {"on": bool})
    return web.json_response({"sent": request.app[STEERING].order("probe_stalls", order["on"])})


async def discovered(request: web.Request) -> web.Response:
    return web.json_response(await request.app[STEERING].discovered())


async def configurations(request: web.Request) -> web.Response:
    return web.json_response(await request.app[STEERING].configurations())


_PAGES = {each.path for each in PAGES if not each.path.startswith("/api/")}
_ASKED = {
    "method": "GET, unless it is told.",
    "url": "A path, or a whole URL.",
    "header": "`Name: value`, as often as needed.",
    "address": "The client's; 127.0.0.1.",
}
_TEXT = "text/plain"
QUESTIONS = (
    Question("/livez", None, "Whether the control process answers.", livez, answers=_TEXT),
    Question(
        "/readyz",
        None,
        "200 while the data process serves an accepted configuration, 503 otherwise.",
        readyz,
        {"verbose": "Tells each check, as JSON."},
        answers=_TEXT,
    ),
    Question("/metrics", None, "Prometheus' text format.", metrics, answers=_TEXT),
    Question("/openapi.json", Role.VIEWER, "What front ends may call: the OpenAPI document of all routes.", openapi),
    Question("/api/v1/openapi.json", None, "This document.", admin_openapi),
    Question("/api/v1/status", Role.VIEWER, "How the gateway is.", status),
    Question("/api/v1/routes", Role.VIEWER, "Every route: what serves it, how far, what it served.", routes),
    Question("/api/v1/routes/{name}", Role.VIEWER, "One route, with its settings and an ETag.", route),
    Question("/api/v1/estate", Role.VIEWER, "Everything that the file says, secrets masked.", estate),
    Question("/api/v1/discover", Role.VIEWER, "What catch-all routes are asked for, and routes for it.", discovered),
    Question("/api/v1/configurations", Role.VIEWER, "What served, the latest first.", configurations),
    Question("/api/v1/explain", Role.VIEWER, "Which route takes a request, and why.", explain_query, _ASKED),
    Question("/api/v1/explain", Role.VIEWER, "The same for one with a body.", explain_body, method="POST"),
    Question(
        "/api/v1/probe-stalls",
        Role.OPERATOR,
        "Begin or end measuring how late the data process' loop is.",
        probe_stalls,
        method="POST",
    ),
    *evidence.QUESTIONS,
    *writes.QUESTIONS,
    *access.QUESTIONS,
    *recording.QUESTIONS,
    *streaming.QUESTIONS,
    *PAGES,
)
ASKED = tuple(question for question in QUESTIONS if question.path not in _PAGES)
"""What scripts ask, and the document tells; pages are for people."""
