"""What the admin room's handlers read out of requests: the one that steers, JSON orders, numbers in queries."""

import json
from collections.abc import Container, Mapping
from math import isfinite
from typing import Any

from aiohttp import web

from gateway.admin.steering import Steering
from gateway.errors import CommandError

STEERING: web.AppKey[Steering] = web.AppKey("steering")
Kinds = tuple[type, ...]


async def order_of(request: web.Request, kinds: Mapping[str, type | Kinds], may: Container[str] = ()) -> dict[str, Any]:
    """The JSON object of a request, which has these keys, of these types, and no others; those that `may` be there need
    not. Raises CommandError."""
    allowed = {key: kind if isinstance(kind, tuple) else (kind,) for key, kind in kinds.items()}
    try:
        order = json.loads(await request.read() or b"{}", parse_constant=_refused, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise CommandError("The body is not JSON.") from error
    right = isinstance(order, dict) and order.keys() <= allowed.keys()
    missing = [key for key in allowed if key not in may and key not in order] if right else []
    if not right or missing or not all(type(value) in allowed[key] for key, value in order.items()):
        wanted = ", ".join(f"{key} ({_named(kind)})" for key, kind in allowed.items() if key not in may)
        raise CommandError(f"The body must be a JSON object with {wanted}." if wanted else "The body must be {}.")
    return dict(order)


def _refused(word: str) -> float:
    """Python would take NaN and Infinity (RFC 8259, section 6), and tell them to others who do not."""
    raise ValueError(word)


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refused(text)


def address_of(steering: Steering) -> str:
    """Where browsers find the pages: scheme and authority."""
    return steering.loaded.estate.gateway.admin.url or steering.admin_url


def _named(kinds: Kinds) -> str:
    return " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)


def number(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most` of the query. Raises CommandError."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise CommandError(f"`{name}` must be a whole number from 1 to {most}.")
    return int(text)
