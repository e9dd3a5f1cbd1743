"""The ledger's pages: when can it go? The move over time, what is left of each legacy system, the proof for one, and
what nobody knows or nobody calls."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.access.refusals import Refusal
from gateway.admin.ledger import Document, Remaining, proof, remaining, uncalled, weeks
from gateway.admin.pages.needs import owed_or_not
from gateway.admin.pages.overview import progress
from gateway.admin.pages.rendering import GAUGE, Looking, looking, page
from gateway.admin.pages.wording import DAY
from gateway.errors import StoreUnavailable

YEAR = 365 * DAY
UNCALLED = 30 * DAY


async def _left(look: Looking) -> list[Remaining]:
    owing, figures = await owed_or_not(look.steering), look.figures
    calls = None if figures.why or not figures.at else figures.calls
    return remaining(look.steering.loaded.estate, calls, owing, look.clock.now)


async def ledger(request: web.Request) -> web.Response:
    look = await looking(request)
    left = await _left(look)
    now, why, steps = look.clock.now, look.figures.why, []
    try:
        totals = await request.app[GAUGE].totals(now - YEAR, now + DAY, DAY)
        steps = weeks(totals if len({each.minute for each in totals}) > 2 else look.figures.day)
    except StoreUnavailable as error:
        why = str(error)
    estate = look.steering.loaded.estate
    catching = [
        (route, look.figures.rate(route.name, "legacy") + look.figures.rate(route.name, "new"))
        for route in estate.routes
        if "**" in route.pattern
    ]
    return page(
        look,
        "ledger.html",
        "ledger",
        "Ledger",
        left=left,
        steps=steps,
        daily=len(steps) > 1 and steps[1].at - steps[0].at >= DAY,
        progress=progress(estate, look.standings),
        routes=len(estate.routes),
        discovered=await look.steering.discovered(),
        catching=sorted(catching, key=lambda each: -each[1]),
        uncalled=uncalled(estate, look.figures.calls, now - UNCALLED)[:200],
        why=why,
    )


async def switch_off(request: web.Request) -> web.Response:
    """The proof for one backend, as a page that can be printed."""
    look = await looking(request)
    each, document = await _proof(look)
    return page(look, "proof.html", "ledger", f"Switching off {each.backend}", each=each, proof=document)


async def _proof(look: Looking) -> tuple[Remaining, Document]:
    name = look.request.match_info["backend"]
    each = next((each for each in await _left(look) if each.backend == name), None)
    if each is None:
        raise Refusal(404, f"{name!r} is no legacy backend: /ledger lists those that are.")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return each, proof(each, now, look.steering.loaded.estate.digest)


async def proof_document(request: web.Request) -> web.Response:
    """The proof as JSON."""
    return web.json_response((await _proof(await looking(request)))[1])


async def ledger_document(request: web.Request) -> web.Response:
    """What is left of each legacy backend, as JSON."""
    told: list[dict[str, Any]] = [
        each._asdict() | {"ready": each.is_ready, "facts": [fact._asdict() for fact in each.facts]}
        for each in await _left(await looking(request))
    ]
    return web.json_response({"backends": told})
