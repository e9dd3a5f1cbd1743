"""Live figures as server-sent events (the HTML standard, section 9.2): one every few seconds, until nobody listens."""

import asyncio
import json
from typing import Any

from aiohttp import web

from gateway.access.refusals import Refusal
from gateway.admin.admission import identified
from gateway.admin.orders import STEERING
from gateway.admin.pages.needs import needs_of, owed, waiting_of
from gateway.admin.pages.rendering import GAUGE, clock_of
from gateway.admin.questions import Question
from gateway.core.access import Role

EVERY = 5.0
MOST = 100
"""Listeners at a time."""
_LISTENERS: set[web.StreamResponse] = set()


async def live(request: web.Request) -> web.StreamResponse:
    """An event `figures` now, and every five seconds; it ends with the connection."""
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    if len(_LISTENERS) >= MOST:
        return web.Response(status=503, text="Too many listen already.")
    _LISTENERS.add(stream)
    try:
        await stream.prepare(request)
        while True:
            document = json.dumps(await figures(request), ensure_ascii=False)
            await stream.write(f"event: figures\ndata: {document}\n\n".encode())
            await asyncio.sleep(EVERY)
            if await identified(request, needed=True, active=False) is None:  # signed out, or over, meanwhile
                return stream
    except (ConnectionResetError, Refusal):  # nobody listens any more, or nobody who may
        return stream
    finally:
        _LISTENERS.discard(stream)


async def figures(request: web.Request) -> dict[str, Any]:
    """What an event tells: rates in requests a minute, errors from 0 to 1, 95 % latencies in seconds, what needs a
    person; per route the new side's per cent and both rates."""
    steering, known = request.app[STEERING], await request.app[GAUGE].figures()
    needs = needs_of(
        steering.status(), steering.desk.ramps(), known, clock_of(request), await owed(steering), waiting_of(steering)
    )
    sides = {side: known.total(side) for side in ("legacy", "new")}
    return {
        "at": known.at,
        "why": known.why,
        "needs": [need._asdict() for need in needs],
        "rate": {side: known.total_rate(side) for side in sides},
        "errors": {side: each.error_rate for side, each in sides.items()},
        "p95": {side: each.p95 for side, each in sides.items()},
        "routes": {
            name: {"share": each["share"], "legacy": known.rate(name, "legacy"), "new": known.rate(name, "new")}
            for name, each in steering.desk.routes().items()
        },
    }


QUESTIONS = (
    Question("/api/v1/live", Role.VIEWER, "Live figures, as server-sent events.", live, answers="text/event-stream"),
)
