"""One service of the demo as an aiohttp application, and as a process of its own.

`python -m gateway.demo.serving NAME HOST PORT` serves until it is told to stop. Every answer says which side gave it,
`X-Demo-Side`, for the curious and for the demo's clients, who compare it with what the gateway says.
"""

import asyncio
import json
import sys
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.demo import rents_soap

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TENANCY_COOKIE = "tenancy"


def application(side: str, think: float) -> web.Application:
    """An empty service that takes `think` to twice `think` seconds for an answer, always the same for a path."""

    @web.middleware
    async def take_time(request: web.Request, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(think * (1 + zlib.crc32(request.path.encode()) % 100 / 100))
        return await handler(request)

    async def sign(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Demo-Side"] = side

    app = web.Application(middlewares=[take_time])
    app.on_response_prepare.append(sign)
    return app


def document(found: dict[str, Any] | None, *, missing: int = 404, status: int = 200) -> web.Response:
    """A JSON answer; without a document, a short problem with the status `missing`."""
    if found is None:
        title = {400: "The request cannot be used.", 404: "There is no such thing."}[missing]
        problem = json.dumps({"status": missing, "title": title})
        return web.Response(status=missing, text=problem, content_type="application/problem+json")
    return web.json_response(found, status=status)


def stamped(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """A document that says when it was made, as no other answer does; None stays None."""
    return found and {**found, "generatedAt": datetime.now(UTC).isoformat()}


async def json_body(request: web.Request) -> object:
    """The body as JSON, or None when it is none."""
    try:
        return await request.json()
    except ValueError:
        return None


async def soap(request: web.Request) -> web.Response:
    """The rents endpoint: SOAP 1.1 and 1.2."""
    answer = rents_soap.answer(await request.read())
    return web.Response(status=answer.status, body=answer.body, headers={"Content-Type": answer.content_type})


def tenancy_of(request: web.Request) -> str:
    """Whose request it is: the tenancy that the portal put into a cookie when they signed in."""
    return request.cookies.get(TENANCY_COOKIE, "")


def main(name: str, host: str, port: str) -> None:
    """Serve the named service until SIGTERM or Ctrl-C."""
    import uvloop

    from gateway.demo import legacy, replacements

    services = {**legacy.SERVICES, **replacements.SERVICES}
    web.run_app(
        services[name](),
        host=host,
        port=int(port),
        access_log=None,
        print=None,
        shutdown_timeout=1.0,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
