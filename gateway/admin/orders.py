"""What the admin room's handlers read out of requests: the one that steers, JSON orders, numbers in queries."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from gateway.admin.steering import Steering
from gateway.errors import CommandError

STEERING: web.AppKey[Steering] = web.AppKey("steering")
Handler = Callable[[web.Request], Awaitable[web.Response]]
Kinds = tuple[type, ...]


async def order_of(request: web.Request, **kinds: type | Kinds) -> dict[str, Any]:
    """The JSON object of a request, which has these keys, of these types, and no others. Raises CommandError."""
    allowed = {key: kind if isinstance(kind, tuple) else (kind,) for key, kind in kinds.items()}
    try:
        order = json.loads(await request.read() or b"{}")
    except ValueError as error:
        raise CommandError("The body is not JSON.") from error
    right = isinstance(order, dict) and order.keys() == allowed.keys()
    if not right or not all(type(order[key]) in kind for key, kind in allowed.items()):
        wanted = ", ".join(f"{key} ({_named(kind)})" for key, kind in allowed.items())
        raise CommandError(f"The body must be a JSON object with {wanted}.")
    return dict(order)


def _named(kinds: Kinds) -> str:
    return " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)


async def spoken_order(request: web.Request, **kinds: type | Kinds) -> dict[str, Any]:
    """The same for an order that is remembered with who gave it (`by`) and why (`reason`). Raises CommandError."""
    order = await order_of(request, **kinds, by=str, reason=str)
    for key in ("by", "reason"):
        order[key] = order[key].strip()
        if not order[key]:
            raise CommandError(f"`{key}` is empty. Say who and why, for those who will ask later.")
    return order


def number(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most` of the query. Raises CommandError."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise CommandError(f"`{name}` must be a whole number from 1 to {most}.")
    return int(text)
