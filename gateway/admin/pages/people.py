"""Audit: who did what, and is all of it still there? And who may come in."""

from typing import Any

from aiohttp import web

from gateway.admin.levers import token_document
from gateway.admin.orders import STEERING
from gateway.admin.pages import wording
from gateway.admin.pages.rendering import looking, page
from gateway.core.access import GIVEN
from gateway.errors import CommandError, StoreUnavailable

PAGE = 50


async def audit(request: web.Request) -> web.Response:
    return await _audit(request)


async def _audit(request: web.Request, **more: Any) -> web.Response:
    look, query = await looking(request), request.query
    before = _number(query.get("before", "")) or None
    subject = query.get("about", "").strip() or None
    told = await look.steering.auditor.latest(PAGE, before, subject)
    acts = [each | {"at": wording.unix(each["at"])} for each in told["acts"]]
    verdict, why = None, told["store"]
    try:
        verdict = await look.steering.auditor.verify()
    except StoreUnavailable as error:
        why = str(error)
    tokens = [token_document(each) for each in look.steering.keyring.tokens] if look.may("approver") else []
    context = {"made": "", "fault": "", **more}
    return page(
        look,
        "audit.html",
        "audit",
        "Audit",
        status=400 if context["fault"] else 200,
        acts=acts,
        verdict=verdict,
        why=why,
        subject=subject,
        more=acts[-1]["number"] if len(acts) == PAGE else None,
        tokens=tokens,
        roles=GIVEN,
        **context,
    )


async def token_made(request: web.Request) -> web.Response:
    """A token is made by the form, and shown this once."""
    from gateway.admin.pages.changes import pulled

    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    days = form.get("days", "")
    expires = float(days) * wording.DAY if days.isascii() and days.isdigit() and len(days) < 4 else 0.0
    order = {"name": form.get("name", ""), "role": form.get("role", ""), "expires": expires}
    try:
        done = await pulled(request, "create_token", {}, order, form)
    except (CommandError, StoreUnavailable) as error:
        return await _audit(request, fault=str(error))
    return await _audit(request, made=done["token"])


async def configuration(request: web.Request) -> web.Response:
    """The file against what serves, its last problems, and what served before."""
    look = await looking(request)
    told = await request.app[STEERING].configurations()
    found = [each | {"at": wording.unix(each["at"])} for each in told["configurations"]]
    return page(
        look,
        "configuration.html",
        "configuration",
        "Configuration",
        revisions=found,
        why=told["store"],
        gateway=look.steering.status(),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
