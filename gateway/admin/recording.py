"""Captures and replays: each answers with JSON values, one a line, for as long as it goes on.

They end with whoever listens: nothing of a capture is left, and no replay goes on that nobody sees.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from aiohttp import web

from gateway.access.auditor import act_now
from gateway.admin.admission import principal, remote
from gateway.admin.orders import STEERING
from gateway.admin.questions import Question
from gateway.admin.steering import Steering
from gateway.config.files import LARGEST_HAR
from gateway.core.access import Role
from gateway.core.replaying import chosen
from gateway.errors import CommandError
from gateway.rollouts.capturing import Wanted
from gateway.rollouts.replaying import RATE, recording_of

FASTEST = 1_000.0
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
Lines = AsyncGenerator[Mapping[str, Any], None]


async def capture(request: web.Request) -> web.StreamResponse:
    """`?route=R&most=100&seconds=600&every=0&bodies=0`: lines of `{"har", "captured", "dropped", "ended"}`."""
    query = request.query
    wanted = Wanted(
        query.get("route", ""),
        int(_number(query, "most", 100)),
        _number(query, "seconds", 600),
        query.get("every") == "1",
        query.get("bodies") == "1",
    )
    steering = await _begun(request, "capture")
    return await _told(request, _captured(steering, wanted))


async def _captured(steering: Steering, wanted: Wanted) -> Lines:
    async with aclosing(steering.captures.run(wanted)) as batches:
        async for batch in batches:
            yield batch._asdict()


async def _begun(request: web.Request, action: str) -> Steering:
    """It is written down who began it: both look into what passes."""
    steering, who = request.app[STEERING], principal(request)
    act = act_now(
        who=request.query.get("by", "").strip() or who.name if who.role is Role.OWNER else who.name,
        role=str(who.role),
        via=who.via,
        address=remote(request),
        action=action,
        subject=request.query.get("route", ""),
        reason=request.query.get("reason", ""),
        before={},
        after={},
    )
    await steering.auditor.record(act)
    return steering


async def replay(request: web.Request) -> web.StreamResponse:
    """`?route=R&rate=20&limit=100`, a HAR as the body: a line `{"left_out": [{"entry", "why"}]}`, then reports."""
    query = request.query
    rate, limit = _number(query, "rate", RATE), int(_number(query, "limit", 0)) or None
    if not 0 < rate <= FASTEST:
        raise CommandError(f"A replay sends up to {FASTEST:g} requests a second.")
    data = await _body(request)
    steering = await _begun(request, "replay")
    return await _told(request, _replayed(steering, query.get("route", ""), data, rate, limit))


async def _replayed(steering: Steering, route: str, data: bytes, rate: float, limit: int | None) -> Lines:
    recording = await asyncio.to_thread(recording_of, data)
    found = await asyncio.to_thread(chosen, steering.table, route, recording, limit)
    yield {"left_out": [each._asdict() for each in found.skipped]}
    async with aclosing(steering.replays.run(route, found.requests, rate)) as reports:
        async for report in reports:
            yield report.plain()


async def _body(request: web.Request) -> bytes:
    """A body that may be as large as a HAR. Raises CommandError for a larger one."""
    pieces, size = [], 0
    async for piece in request.content.iter_any():
        size += len(piece)
        if size > LARGEST_HAR:
            raise CommandError(f"The file is larger than {LARGEST_HAR // 2**20} MiB; record fewer requests.")
        pieces.append(piece)
    return b"".join(pieces)


def _number(query: Mapping[str, str], name: str, default: float) -> float:
    text = query.get(name, str(default))
    if not _NUMBER.fullmatch(text):
        raise CommandError(f"`{name}` must be a number, of nine digits at most.")
    return float(text)


async def _told(request: web.Request, lines: Lines) -> web.StreamResponse:
    """Tell each value as it comes. What fails before the first is answered as a problem, later it is the last line."""
    stream = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
    async with aclosing(lines):
        try:
            async for line in lines:
                if not stream.prepared:
                    await stream.prepare(request)
                await stream.write(_line(line))
        except CommandError as error:
            if not stream.prepared:
                raise
            await stream.write(_line({"error": str(error)}))
        except ConnectionResetError:  # nobody listens any more
            return stream
    await stream.write_eof()
    return stream


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


_NDJSON = "application/x-ndjson"
_WHY = {"route": "The route.", "reason": "Why; kept in the audit."}
QUESTIONS = (
    Question(
        "/api/v1/capture",
        Role.OPERATOR,
        "What passes on a route, redacted, as it passes: a HAR, line by line.",
        capture,
        {
            **_WHY,
            "most": "Requests; 100.",
            "seconds": "At most so long; 600.",
            "every": "1: also those that may not be replayed.",
            "bodies": "1: with bodies, redacted.",
        },
        method="POST",
        answers=_NDJSON,
    ),
    Question(
        "/api/v1/replay",
        Role.OPERATOR,
        "Send the safe requests of a HAR, which is the body, to both sides, and compare.",
        replay,
        {**_WHY, "rate": "Requests a second; 20.", "limit": "How many, at most."},
        method="POST",
        answers=_NDJSON,
    ),
)
