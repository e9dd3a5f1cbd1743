"""The admin room's questions about who may come in, and what they did."""

from aiohttp import web

from gateway.admin.admission import principal
from gateway.admin.levers import token_document
from gateway.admin.orders import STEERING, number
from gateway.admin.questions import Question
from gateway.core.access import Role
from gateway.errors import StoreUnavailable

MOST = 1_000


async def me(request: web.Request) -> web.Response:
    """Who asks, as the gateway sees them."""
    who = principal(request)
    return web.json_response({"name": who.name, "role": who.role, "via": who.via})


async def tokens(request: web.Request) -> web.Response:
    """All of them, the latest first; never their secrets."""
    return web.json_response({"tokens": [token_document(each) for each in request.app[STEERING].keyring.tokens]})


async def acts(request: web.Request) -> web.Response:
    query = request.query
    before = number(request, "before", 1, 10**9) if "before" in query else None
    limit = number(request, "limit", 50, MOST)
    return web.json_response(await request.app[STEERING].auditor.latest(limit, before, query.get("subject")))


async def verify(request: web.Request) -> web.Response:
    try:
        return web.json_response(await request.app[STEERING].auditor.verify())
    except StoreUnavailable as error:
        raise StoreUnavailable(f"The audit cannot be read. {error}") from error


QUESTIONS = (
    Question("/api/v1/me", Role.VIEWER, "Who you are, and what you may.", me),
    Question("/api/v1/tokens", Role.APPROVER, "All tokens, without their secrets.", tokens),
    Question(
        "/api/v1/audit",
        Role.VIEWER,
        "What people did, the latest first.",
        acts,
        {
            "limit": "How many, at most.",
            "before": "The number of one, to go on with earlier ones.",
            "subject": "About this route, ramp, write or token.",
        },
    ),
    Question("/api/v1/audit/verify", Role.VIEWER, "Whether none of them was altered or removed.", verify),
)
