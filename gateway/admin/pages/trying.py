"""Try it: which route takes a request, which side answers, why, and what each side says to it."""

from typing import Any

from aiohttp import web

from gateway.access.auditor import act_now
from gateway.access.refusals import Refusal
from gateway.admin.admission import principal, remote
from gateway.admin.orders import STEERING
from gateway.admin.pages.rendering import looking, page
from gateway.config.words import METHODS
from gateway.core.access import Role
from gateway.core.asking import asked
from gateway.core.explaining import explain
from gateway.errors import CommandError
from gateway.proxy.chance import fresh_digits

SIDES = {"": "Only explain", "legacy": "Ask legacy", "new": "Ask new", "both": "Ask both, and compare"}
MOST = 64 * 1_024


async def tried(request: web.Request) -> web.Response:
    """The form, and what a request would meet."""
    return await _shown(request, dict(request.query), None, "")


async def sent(request: web.Request) -> web.Response:
    """The form was sent: ask one side or both."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    who, steering = principal(request), request.app[STEERING]
    if not form.get("side"):
        return await _shown(request, form, None, "")
    if not who.role.allows(Role.OPERATOR):
        raise Refusal(403, f"Asking a backend needs the role operator; you are {who.role}.")
    try:
        found = await steering.try_sides(
            form.get("method", "GET"), form.get("url", ""), _lines(form), form.get("body", "").encode(), form["side"]
        )
    except CommandError as error:
        return await _shown(request, form, None, str(error))
    act = act_now(
        who=who.name,
        role=str(who.role),
        via=who.via,
        address=remote(request),
        action="try",
        subject=found["route"],
        reason=f"asked {form['side']} by hand",
        before={},
        after={},
    )
    await steering.auditor.record(act)
    return await _shown(request, form, found, "")


async def _shown(request: web.Request, form: dict[str, str], found: dict[str, Any] | None, fault: str) -> web.Response:
    look = await looking(request)
    explanation, why = None, fault
    if form.get("url"):
        try:
            explanation = _explained(look.steering, form)
        except CommandError as error:
            why = why or str(error)
    return page(
        look,
        "try.html",
        "try",
        "Try it",
        status=400 if why else 200,
        form=form,
        methods=sorted(METHODS),
        sides=SIDES,
        explanation=explanation,
        found=found,
        fault=why,
        examples=[
            route.pattern
            for route in look.steering.loaded.estate.routes
            if route.match.soap is None and "*" not in route.pattern
        ][:5],
    )


def _explained(steering: Any, form: dict[str, str]) -> dict[str, Any]:
    method = form.get("method", "GET")
    if method not in METHODS:
        raise CommandError(f"{method!r} is not a method that the gateway takes; it would answer 501.")
    body = form.get("body", "").encode()[:MOST]
    ask = asked(method, form["url"], _lines(form), body, "127.0.0.1", len(body))
    return explain(steering.table, steering.loaded.estate.gateway, ask, fresh_digits()).document()


def _lines(form: dict[str, str]) -> list[str]:
    """The header fields, one a line."""
    return [line.strip() for line in form.get("headers", "").splitlines() if line.strip()]
